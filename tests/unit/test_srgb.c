#include "base/sys.h"

#include "worker/srgb.h"
#include "tap.h"

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* That it converts colours rightly is test_render's to say. */
int
main(void)
{
	uint8_t p[SRGB_MAX];
	size_t n = srgb_profile(p);
	bool inside = true, aligned = true;
	uint32_t tags;

	tap_ok(n > 256 && n <= SRGB_MAX, "of a sensible length");
	tap_is(be32(p), (long long)n, "the header tells it");
	tap_ok(memcmp(p + 36, "acsp", 4) == 0, "signature");
	tags = be32(p + 128);
	tap_is(tags, 9, "nine tags");
	for (uint32_t i = 0; i < tags; i++) {
		uint32_t at = be32(p + 132 + 12 * i + 4), len = be32(p + 132 + 12 * i + 8);

		inside = inside && at >= 132 + 12 * tags && len > 0 && at + len <= n;
		aligned = aligned && at % 4 == 0;
	}
	tap_ok(inside, "all tags lie inside");
	tap_ok(aligned, "on multiples of four");
	tap_ok(srgb_is(p, n), "it is known again");
	tap_ok(srgb_is("....desc sRGB IEC61966-2.1", 26), "so is the common one");
	tap_ok(!srgb_is("Display P3", 10), "another is not");
	tap_ok(!srgb_is("", 0), "nothing is not");
	return tap_done();
}
