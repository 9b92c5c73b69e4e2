"""What the tests want to know about a picture, without an image library."""

import struct
import zlib


def jpeg_segments(data):
    """(marker, content) up to the scan."""
    assert data[:2] == b"\xff\xd8", data[:16]
    at = 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        length = struct.unpack(">H", data[at + 2:at + 4])[0]
        yield data[at + 1], data[at + 4:at + 2 + length]
        at += 2 + length


def jpeg_size(data):
    for marker, content in jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[1:5])
            return width, height
    raise AssertionError("no frame header")


def jpeg_metadata(data):
    """The markers of segments that carry metadata: APP1 ... APP13, APP15, comments."""
    return [marker for marker, _ in jpeg_segments(data)
            if 0xE1 <= marker <= 0xED or marker in (0xEF, 0xFE)]


def webp_size(data):
    assert data[:4] == b"RIFF" and data[8:12] == b"WEBP", data[:16]
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack("<I", data[21:25])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return (int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1)


class Png:
    """A PNG of 8 bits or less without interlace: .size and .at(x, y), a tuple of its channels."""

    CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

    def __init__(self, data):
        assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:16]
        at, packed, self.palette, self.alpha = 8, b"", b"", b""
        self.chunks = []
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at:at + 8])
            content = data[at + 8:at + 8 + length]
            self.chunks.append(kind)
            if kind == b"IHDR":
                width, height, self.depth, self.kind, _, _, interlace = struct.unpack(
                    ">IIBBBBB", content)
                assert self.depth <= 8 and not interlace, (self.depth, interlace)
            elif kind == b"PLTE":
                self.palette = content
            elif kind == b"tRNS":
                self.alpha = content
            elif kind == b"IDAT":
                packed += content
            at += 12 + length
        self.size = (width, height)
        self.rows = self._unfilter(zlib.decompress(packed), width, height)

    def _unfilter(self, data, width, height):
        bits = self.CHANNELS[self.kind] * self.depth
        n = max(1, bits // 8)
        stride, rows = (width * bits + 7) // 8, []
        before = bytearray(stride)
        for y in range(height):
            kind = data[y * (stride + 1)]
            row = bytearray(data[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
            for i in range(stride):
                left = row[i - n] if i >= n else 0
                up, corner = before[i], before[i - n] if i >= n else 0
                row[i] = (row[i] + (0, left, up, (left + up) // 2,
                                    self._paeth(left, up, corner))[kind]) & 255
            rows.append(row)
            before = row
        return rows

    @staticmethod
    def _paeth(a, b, c):
        p = a + b - c
        pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
        return a if pa <= pb and pa <= pc else b if pb <= pc else c

    def at(self, x, y):
        n, row = self.CHANNELS[self.kind], self.rows[y]
        if self.depth == 8:
            pixel = tuple(row[x * n:(x + 1) * n])
        else:
            assert n == 1
            bit = x * self.depth
            pixel = (row[bit // 8] >> (8 - self.depth - bit % 8) & (1 << self.depth) - 1,)
        if self.kind != 3:
            return pixel
        colour = tuple(self.palette[pixel[0] * 3:pixel[0] * 3 + 3])
        if not self.alpha:
            return colour
        return colour + (self.alpha[pixel[0]] if pixel[0] < len(self.alpha) else 255,)
