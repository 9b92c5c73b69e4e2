#include "base/sys.h"
#include "worker/picture.h"
#include "worker/picture_scan.h"
#include "base/fdio.h"
#include "base/mem.h"

static const struct {
	enum picture_format format;
	const char *type, *name;
} formats[] = {
	{ PICTURE_JPEG, "image/jpeg", "JPEG" },
	{ PICTURE_PNG, "image/png", "PNG" },
	{ PICTURE_GIF, "image/gif", "GIF" },
	{ PICTURE_WEBP, "image/webp", "WEBP" },
	{ PICTURE_TIFF, "image/tiff", "TIFF" },
	{ PICTURE_BMP, "image/bmp", "BMP" },
	{ PICTURE_HEIC, "image/heic", "HEIC" },
	{ PICTURE_HEIC, "image/heif", "HEIC" },
	{ PICTURE_AVIF, "image/avif", "AVIF" },
};

enum picture_format
picture_of_type(const char *media_type)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(formats[i].type, media_type) == 0)
			return formats[i].format;
	return PICTURE_UNKNOWN;
}

const char *
picture_name(enum picture_format format)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (formats[i].format == format)
			return formats[i].name;
	return "unknown";
}

static bool
has(const uint8_t *p, size_t n, size_t at, const char *s, size_t len)
{
	return n >= at + len && memcmp(p + at, s, len) == 0;
}

/* ISO base media files differ by their brand only. */
static enum picture_format
sniff_brand(const uint8_t *p, size_t n)
{
	static const char heic[][5] = { "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1",
		"msf1" };

	if (n < 12)
		return PICTURE_UNKNOWN;
	if (memcmp(p + 8, "avif", 4) == 0 || memcmp(p + 8, "avis", 4) == 0)
		return PICTURE_AVIF;
	for (size_t i = 0; i < ARRAY_LEN(heic); i++)
		if (memcmp(p + 8, heic[i], 4) == 0)
			return PICTURE_HEIC;
	return PICTURE_UNKNOWN;
}

enum picture_format
picture_sniff(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	if (has(p, n, 0, "\xff\xd8\xff", 3))
		return PICTURE_JPEG;
	if (has(p, n, 0, "\x89PNG\r\n\x1a\n", 8))
		return PICTURE_PNG;
	if (has(p, n, 0, "GIF87a", 6) || has(p, n, 0, "GIF89a", 6))
		return PICTURE_GIF;
	if (has(p, n, 0, "RIFF", 4) && has(p, n, 8, "WEBP", 4))
		return PICTURE_WEBP;
	if (has(p, n, 0, "II*\0", 4) || has(p, n, 0, "MM\0*", 4) || has(p, n, 0, "II+\0", 4) ||
	    has(p, n, 0, "MM\0+", 4))
		return PICTURE_TIFF;
	if (has(p, n, 0, "BM", 2) && n >= 26)
		return PICTURE_BMP;
	if (has(p, n, 4, "ftyp", 4))
		return sniff_brand(p, n);
	return PICTURE_UNKNOWN;
}

/* HEIF's generic brands do not tell HEVC from AV1: libheif sorts that out itself. */
static bool
same_family(enum picture_format a, enum picture_format b)
{
	bool heif_a = a == PICTURE_HEIC || a == PICTURE_AVIF;
	bool heif_b = b == PICTURE_HEIC || b == PICTURE_AVIF;

	return a == b || (heif_a && heif_b);
}

static enum picture_step
found(struct picture_reader *r, uint32_t width, uint32_t height)
{
	if (width == 0 || height == 0)
		return PICTURE_NOTHING;
	r->found.width = width;
	r->found.height = height;
	return PICTURE_DONE;
}

static enum picture_step
scan_png(struct picture_reader *r, const uint8_t *p, size_t n)
{
	if (n < 24 || memcmp(p + 12, "IHDR", 4) != 0)
		return PICTURE_NOTHING;
	return found(r, scan_be32(p + 16), scan_be32(p + 20));
}

/* The canvas; the first frame may be smaller. */
static enum picture_step
scan_gif(struct picture_reader *r, const uint8_t *p, size_t n)
{
	if (n < 10)
		return PICTURE_NOTHING;
	return found(r, scan_le16(p + 6), scan_le16(p + 8));
}

static enum picture_step
scan_webp(struct picture_reader *r, const uint8_t *p, size_t n)
{
	uint32_t bits;

	if (n < 30)
		return PICTURE_NOTHING;
	if (memcmp(p + 12, "VP8X", 4) == 0)
		return found(r, scan_le24(p + 24) + 1, scan_le24(p + 27) + 1);
	if (memcmp(p + 12, "VP8 ", 4) == 0)
		return found(r, scan_le16(p + 26) & 0x3fff, scan_le16(p + 28) & 0x3fff);
	if (memcmp(p + 12, "VP8L", 4) == 0 && p[20] == 0x2f) {
		bits = scan_le32(p + 21);
		return found(r, (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
	}
	return PICTURE_NOTHING;
}

/* OS/2's 12-byte header has 16-bit sizes; in all others a negative height means top-down. */
static enum picture_step
scan_bmp(struct picture_reader *r, const uint8_t *p, size_t n)
{
	uint32_t height;

	if (n < 26)
		return PICTURE_NOTHING;
	if (scan_le32(p + 14) == 12)
		return found(r, scan_le16(p + 18), scan_le16(p + 20));
	height = scan_le32(p + 22);
	if (height & 0x80000000U)
		height = 0U - height;
	return found(r, scan_le32(p + 18), height);
}

void
picture_begin(struct picture_reader *r, enum picture_format format)
{
	memset(r, 0, sizeof(*r));
	r->found.format = format;
	r->found.orientation = 1;
}

enum picture_step
picture_step(struct picture_reader *r, const void *p, size_t n)
{
	if (++r->steps > PICTURE_MAX_STEPS)
		return PICTURE_NOTHING;
	switch (r->found.format) {
	case PICTURE_JPEG:
		return scan_jpeg(r, p, n);
	case PICTURE_PNG:
		return scan_png(r, p, n);
	case PICTURE_GIF:
		return scan_gif(r, p, n);
	case PICTURE_WEBP:
		return scan_webp(r, p, n);
	case PICTURE_TIFF:
		return scan_tiff(r, p, n);
	case PICTURE_BMP:
		return scan_bmp(r, p, n);
	case PICTURE_HEIC:
	case PICTURE_AVIF:
		return scan_heif(r, p, n);
	case PICTURE_UNKNOWN:
	case PICTURE_FORMATS:
		break;
	}
	return PICTURE_NOTHING;
}

int
picture_probe(int fd, enum picture_format format, struct picture *out, struct err *e)
{
	struct picture_reader r;
	enum picture_step step;
	uint8_t *window = mem_alloc(PICTURE_WINDOW);
	ssize_t n;
	int rc = -1;

	picture_begin(&r, format);
	do {
		n = fdio_pread_full(fd, window, PICTURE_WINDOW, (off_t)r.at);
		if (n < 0) {
			err_sys(e, "read the header of a picture");
			goto out;
		}
		if (r.steps == 0 && !same_family(picture_sniff(window, (size_t)n), format)) {
			err_set(
			    e, ERR_TYPE, "the file does not begin like %s", picture_name(format));
			goto out;
		}
		step = picture_step(&r, window, (size_t)n);
	} while (step == PICTURE_MORE);
	if (step != PICTURE_DONE)
		r.found.width = r.found.height = 0;
	*out = r.found;
	rc = 0;
out:
	mem_free(window);
	return rc;
}

uint64_t
picture_memory(const struct picture *p, unsigned denominator, uint64_t file_size)
{
	enum { BASE = 24 << 20, PIXEL = 8 };
	uint64_t pixels = (uint64_t)p->width * p->height;
	uint64_t scaled = ((uint64_t)p->width / denominator + 1) * (p->height / denominator + 1);
	uint64_t bytes = BASE + file_size;

	switch (p->format) {
	case PICTURE_JPEG:
		/* All coefficients of a progressive file: two bytes each, chroma in full at worst. */
		return bytes + scaled * PIXEL + (p->progressive ? pixels * 2 * p->components : 0);
	case PICTURE_WEBP:
	case PICTURE_HEIC:
	case PICTURE_AVIF:
		return bytes + pixels * (PIXEL + 4); /* the library's own frame beside ours */
	default:
		return bytes + pixels * PIXEL;
	}
}
