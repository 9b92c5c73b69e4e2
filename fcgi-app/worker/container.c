#include "base/sys.h"
#include "worker/container.h"
#include "worker/picture_scan.h"
#include "base/mem.h"

/* One chunk of a file; all of it lies within the file. */
struct chunk {
	const uint8_t *type; /* four letters; in WebP the whole chunk begins here */
	const uint8_t *p;
	size_t n;
	size_t padded; /* WebP: whole chunk with head and padding, as far as the file reaches */
};

static bool
is(const struct chunk *c, const char *type)
{
	return memcmp(c->type, type, 4) == 0;
}

/* "Exif\0\0" before the structure belongs to JPEG, but others write it too. */
static unsigned
orientation(const struct chunk *c)
{
	size_t skip = c->n > 6 && memcmp(c->p, "Exif\0", 6) == 0 ? 6 : 0;

	return scan_orientation(c->p + skip, c->n - skip);
}

static bool
png_next(const uint8_t *p, size_t n, size_t *at, struct chunk *c)
{
	if (n - *at < 12)
		return false;
	c->n = scan_be32(p + *at);
	if (c->n > n - *at - 12)
		return false;
	c->type = p + *at + 4;
	c->p = p + *at + 8;
	*at += c->n + 12;
	return true;
}

static bool
webp_next(const uint8_t *p, size_t n, size_t *at, struct chunk *c)
{
	if (n - *at < 8)
		return false;
	c->n = scan_le32(p + *at + 4);
	if (c->n > n - *at - 8)
		return false;
	c->type = p + *at;
	c->p = p + *at + 8;
	c->padded = c->n + 8 + (c->n & 1);
	if (c->padded > n - *at)
		c->padded = n - *at;
	*at += c->padded;
	return true;
}

unsigned
container_orientation(enum picture_format format, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	struct chunk c;
	size_t at = 8;

	if (format == PICTURE_PNG && n > 8) {
		while (png_next(p, n, &at, &c))
			if (is(&c, "eXIf"))
				return orientation(&c);
	} else if (format == PICTURE_WEBP && n > 12) {
		at = 12;
		while (webp_next(p, n, &at, &c))
			if (is(&c, "EXIF"))
				return orientation(&c);
	}
	return 0;
}

static void
put_le32(uint8_t *p, size_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* A file of the frame's own chunks behind a header that says what they are. profile may be NULL. */
static uint8_t *
still(const struct chunk *frame, const struct chunk *profile, size_t *len)
{
	enum { HEAD = 30, PLACE = 16, ALPHA = 0x10, PROFILE = 0x20 };
	const uint8_t *data = frame->p + PLACE;
	size_t n = frame->n - PLACE, extra = profile ? profile->padded : 0;
	uint8_t *out = mem_zero(HEAD + extra + n);

	*len = HEAD + extra + n;
	memcpy(out, "RIFF", 4);
	put_le32(out + 4, *len - 8);
	memcpy(out + 8, "WEBPVP8X", 8);
	put_le32(out + 16, 10);
	if (n >= 4 && memcmp(data, "ALPH", 4) == 0)
		out[20] |= ALPHA;
	if (profile) {
		out[20] |= PROFILE;
		memcpy(out + HEAD, profile->type, extra);
	}
	memcpy(out + 24, frame->p + 6, 6);
	memcpy(out + HEAD + extra, data, n);
	return out;
}

uint8_t *
container_first_frame(const void *bytes, size_t n, size_t *len)
{
	enum { ANIMATION = 2, FRAME_MIN = 16 + 8 };
	const uint8_t *p = bytes;
	struct chunk c, profile;
	bool animated = false, has_profile = false;
	size_t at = 12;

	if (n < 12)
		return NULL;
	while (webp_next(p, n, &at, &c)) {
		if (is(&c, "VP8X"))
			animated = c.n >= 10 && (c.p[0] & ANIMATION);
		else if (is(&c, "ICCP") && c.n > 0) {
			profile = c;
			has_profile = true;
		} else if (is(&c, "ANMF") && c.n >= FRAME_MIN)
			return animated ? still(&c, has_profile ? &profile : NULL, len) : NULL;
	}
	return NULL;
}
