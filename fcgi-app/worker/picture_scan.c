#include "base/sys.h"
#include "worker/picture_scan.h"

struct tiff {
	const uint8_t *p;
	size_t n;
	bool big_endian;
};

static uint32_t
tiff16(const struct tiff *t, size_t at)
{
	return t->big_endian ? scan_be16(t->p + at) : scan_le16(t->p + at);
}

static uint32_t
tiff32(const struct tiff *t, size_t at)
{
	return t->big_endian ? scan_be32(t->p + at) : scan_le32(t->p + at);
}

/* Value of a SHORT or LONG entry; 0 for anything else. */
static uint32_t
tiff_value(const struct tiff *t, size_t entry)
{
	switch (tiff16(t, entry + 2)) {
	case 3:
		return tiff16(t, entry + 8);
	case 4:
		return tiff32(t, entry + 8);
	default:
		return 0;
	}
}

/* Looks tag up in the directory at offset ifd of the window. 0 when it is not there. */
static uint32_t
tiff_find(const struct tiff *t, size_t ifd, uint32_t tag)
{
	uint32_t count;

	if (ifd > t->n || t->n - ifd < 2)
		return 0;
	count = tiff16(t, ifd);
	for (size_t at = ifd + 2; count > 0 && t->n - at >= 12; count--, at += 12)
		if (tiff16(t, at) == tag)
			return tiff_value(t, at);
	return 0;
}

static bool
tiff_open(struct tiff *t, const uint8_t *p, size_t n)
{
	if (n < 8 || (memcmp(p, "II", 2) != 0 && memcmp(p, "MM", 2) != 0))
		return false;
	*t = (struct tiff){ .p = p, .n = n, .big_endian = p[0] == 'M' };
	return tiff16(t, 2) == 42; /* 43, BigTIFF, keeps its size for the decoder */
}

unsigned
scan_orientation(const uint8_t *p, size_t n)
{
	struct tiff t;
	uint32_t value;

	if (!tiff_open(&t, p, n))
		return 0;
	value = tiff_find(&t, tiff32(&t, 4), 0x112);
	return value >= 1 && value <= 8 ? value : 0;
}

/*
 * The first directory may lie anywhere, often at the end: phase 0 reads the header, phases 1 and 2
 * read the directory of a little- or big-endian file in a window of its own.
 */
enum picture_step
scan_tiff(struct picture_reader *r, const uint8_t *p, size_t n)
{
	struct tiff t = { .p = p, .n = n, .big_endian = r->phase == 2 };

	if (r->phase == 0) {
		if (!tiff_open(&t, p, n))
			return PICTURE_NOTHING;
		r->at = tiff32(&t, 4);
		r->phase = t.big_endian ? 2 : 1;
		return PICTURE_MORE;
	}
	r->found.width = tiff_find(&t, 0, 256);
	r->found.height = tiff_find(&t, 0, 257);
	return r->found.width && r->found.height ? PICTURE_DONE : PICTURE_NOTHING;
}

static bool
is_sof(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	       marker != 0xcc;
}

/* One whole segment (length field first, n bytes). DONE at the frame header. */
static enum picture_step
jpeg_segment(struct picture_reader *r, uint8_t marker, const uint8_t *p, size_t n)
{
	unsigned orientation;

	if (marker == 0xe1 && n > 8 && memcmp(p + 2, "Exif\0", 6) == 0) {
		orientation = scan_orientation(p + 8, n - 8);
		if (orientation)
			r->found.orientation = orientation;
	}
	if (!is_sof(marker))
		return PICTURE_MORE;
	if (n < 8)
		return PICTURE_NOTHING;
	r->found.height = scan_be16(p + 3);
	r->found.width = scan_be16(p + 5);
	r->found.components = p[7];
	r->found.progressive = marker == 0xc2 || marker == 0xc6 || marker == 0xca || marker == 0xce;
	if (r->found.width == 0 || r->found.height == 0 || p[7] == 0 || p[7] > 4)
		return PICTURE_NOTHING;
	return PICTURE_DONE;
}

enum picture_step
scan_jpeg(struct picture_reader *r, const uint8_t *p, size_t n)
{
	enum picture_step step;
	size_t at = 0, start, len;

	for (;;) {
		start = at;
		while (n - at >= 2 && p[at] == 0xff && p[at + 1] == 0xff)
			at++;
		if (n - at < 4)
			break;
		if (p[at] != 0xff || p[at + 1] == 0xda || p[at + 1] == 0xd9)
			return PICTURE_NOTHING;
		if (p[at + 1] == 0x01 || (p[at + 1] >= 0xd0 && p[at + 1] <= 0xd8)) {
			at += 2;
			continue;
		}
		len = scan_be16(p + at + 2);
		if (len < 2)
			return PICTURE_NOTHING;
		if (n - at - 2 < len)
			break;
		step = jpeg_segment(r, p[at + 1], p + at + 2, len);
		if (step != PICTURE_MORE)
			return step;
		at += 2 + len;
	}
	/* Cut by the window: go on at this segment, unless the file itself ends in it. */
	r->at += start;
	return start > 0 ? PICTURE_MORE : PICTURE_NOTHING;
}

struct box {
	const uint8_t *p; /* content */
	size_t n;
	uint32_t type;
};

enum { BOX_META = 0x6d657461, BOX_IPRP = 0x69707270, BOX_IPCO = 0x6970636f, BOX_ISPE = 0x69737065 };

/* Takes the next box off *p; one that is cut by the window is given as far as it reaches. */
static bool
box_next(const uint8_t **p, size_t *n, struct box *b)
{
	size_t size, head = 8;

	if (*n < 8)
		return false;
	size = scan_be32(*p);
	b->type = scan_be32(*p + 4);
	if (size == 1) { /* 64-bit length: nothing that big can be a header */
		if (*n < 16 || scan_be32(*p + 8) != 0)
			return false;
		size = scan_be32(*p + 12);
		head = 16;
	}
	if (size == 0 || size > *n)
		size = *n;
	if (size < head)
		return false;
	b->p = *p + head;
	b->n = size - head;
	*p += size;
	*n -= size;
	return true;
}

/* Finds the first box of type among n bytes of boxes. */
static bool
box_find(const uint8_t *p, size_t n, uint32_t type, struct box *b)
{
	while (box_next(&p, &n, b))
		if (b->type == type)
			return true;
	return false;
}

/* The largest of all items: tiles and the embedded thumbnail are smaller than the picture. */
enum picture_step
scan_heif(struct picture_reader *r, const uint8_t *p, size_t n)
{
	struct box b;
	uint32_t w, h;

	if (!box_find(p, n, BOX_META, &b) || b.n < 4 || !box_find(b.p + 4, b.n - 4, BOX_IPRP, &b) ||
	    !box_find(b.p, b.n, BOX_IPCO, &b))
		return PICTURE_NOTHING;
	p = b.p;
	n = b.n;
	while (box_next(&p, &n, &b)) {
		if (b.type != BOX_ISPE || b.n < 12)
			continue;
		w = scan_be32(b.p + 4);
		h = scan_be32(b.p + 8);
		if ((uint64_t)w * h > (uint64_t)r->found.width * r->found.height) {
			r->found.width = w;
			r->found.height = h;
		}
	}
	return r->found.width ? PICTURE_DONE : PICTURE_NOTHING;
}
