#include "base/sys.h"
#include "worker/srgb.h"

enum { HEADER = 128, TAGS = 9, TABLE = 4 + TAGS * 12, FIRST = HEADER + TABLE };

static void
be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void
tag4(uint8_t *p, const char *s)
{
	memcpy(p, s, 4);
}

/* One XYZ number, s15Fixed16. Returns the length. */
static size_t
add_xyz(uint8_t *p, uint32_t x, uint32_t y, uint32_t z)
{
	tag4(p, "XYZ ");
	be32(p + 8, x);
	be32(p + 12, y);
	be32(p + 16, z);
	return 20;
}

/* One English text, multiLocalizedUnicode, padded to four bytes. */
static size_t
add_text(uint8_t *p, const char *s)
{
	size_t len = strlen(s);

	tag4(p, "mluc");
	be32(p + 8, 1);
	be32(p + 12, 12);
	tag4(p + 16, "enUS");
	be32(p + 20, (uint32_t)(2 * len));
	be32(p + 24, 28);
	for (size_t i = 0; i < len; i++)
		p[28 + 2 * i + 1] = (uint8_t)s[i];
	return (28 + 2 * len + 3) / 4 * 4;
}

/* ((aX + b) ^ g for X >= d, else cX */
static size_t
add_curve(uint8_t *p)
{
	static const uint32_t v[] = { 0x00026666, 0x0000f2a7, 0x00000d59, 0x000013d0, 0x00000a5b };

	tag4(p, "para");
	p[9] = 3;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		be32(p + 12 + 4 * i, v[i]);
	return 32;
}

static void
set_tag(uint8_t *out, size_t i, const char *name, size_t at, size_t len)
{
	uint8_t *p = out + HEADER + 4 + i * 12;

	tag4(p, name);
	be32(p + 4, (uint32_t)at);
	be32(p + 8, (uint32_t)len);
}

static void
set_header(uint8_t *out, size_t len)
{
	be32(out, (uint32_t)len);
	be32(out + 8, 0x04200000);
	tag4(out + 12, "mntr");
	tag4(out + 16, "RGB ");
	tag4(out + 20, "XYZ ");
	be32(out + 24, 2026U << 16 | 1); /* created 2026-01-01 */
	be32(out + 28, 1U << 16);
	tag4(out + 36, "acsp");
	be32(out + 68, 0xf6d6); /* D50 */
	be32(out + 72, 0x10000);
	be32(out + 76, 0xd32d);
	be32(out + HEADER, TAGS);
}

size_t
srgb_profile(uint8_t out[SRGB_MAX])
{
	static const struct {
		const char *name;
		uint32_t x, y, z;
	} points[] = {
		{ "wtpt", 0xf6d6, 0x10000, 0xd32d },
		{ "rXYZ", 0x6fa2, 0x38f5, 0x0390 },
		{ "gXYZ", 0x6299, 0xb785, 0x18da },
		{ "bXYZ", 0x24a0, 0x0f84, 0xb6cf },
	};
	size_t at = FIRST, len, tag = 0;

	memset(out, 0, SRGB_MAX);
	len = add_text(out + at, "sRGB");
	set_tag(out, tag++, "desc", at, len);
	at += len;
	len = add_text(out + at, "No copyright");
	set_tag(out, tag++, "cprt", at, len);
	at += len;
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		len = add_xyz(out + at, points[i].x, points[i].y, points[i].z);
		set_tag(out, tag++, points[i].name, at, len);
		at += len;
	}
	len = add_curve(out + at);
	set_tag(out, tag++, "rTRC", at, len);
	set_tag(out, tag++, "gTRC", at, len);
	set_tag(out, tag++, "bTRC", at, len);
	at += len;
	set_header(out, at);
	return at;
}

/*
 * Looks for the name in the description, as ASCII (version 2) or UTF-16 (version 4). A profile that
 * lies about it gets wrong colours and nothing else.
 */
bool
srgb_is(const void *profile, size_t n)
{
	static const char wide[] = { 0, 's', 0, 'R', 0, 'G', 0, 'B' };
	size_t window = n < 1024 ? n : 1024;

	return memmem(profile, window, "sRGB IEC61966", 13) != NULL ||
	       memmem(profile, window, wide, sizeof(wide)) != NULL;
}
