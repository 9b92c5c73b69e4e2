#include "base/sys.h"

#include "worker/fit.h"
#include "tap.h"

static void
boxes(void)
{
	static const struct {
		unsigned w, h, bw, bh;
		bool crop;
		struct fit want;
		const char *name;
	} cases[] = {
		{ 4000, 3000, 256, 256, false, { 256, 192, 0, 0, 256, 192 }, "landscape fits" },
		{ 3000, 4000, 256, 256, false, { 192, 256, 0, 0, 192, 256 }, "portrait fits" },
		{ 100, 50, 256, 256, false, { 100, 50, 0, 0, 100, 50 },
		    "smaller one keeps its size" },
		{ 256, 256, 256, 256, false, { 256, 256, 0, 0, 256, 256 }, "exact" },
		{ 257, 100, 256, 256, false, { 256, 100, 0, 0, 256, 100 }, "one pixel too wide" },
		{ 16000, 1, 256, 256, false, { 256, 1, 0, 0, 256, 1 },
		    "a line stays a pixel high" },
		{ 4000, 3000, 256, 256, true, { 341, 256, 42, 0, 256, 256 }, "landscape is cut" },
		{ 3000, 4000, 256, 256, true, { 256, 341, 0, 42, 256, 256 }, "portrait is cut" },
		{ 4000, 3000, 300, 100, true, { 300, 225, 0, 62, 300, 100 }, "a banner" },
		{ 100, 1000, 256, 256, true, { 100, 1000, 0, 372, 100, 256 },
		    "crop of a narrow one: not enlarged, cut in height" },
		{ 100, 50, 256, 256, true, { 100, 50, 0, 0, 100, 50 }, "crop of a small one" },
		{ 65500, 65500, 2, 2, false, { 2, 2, 0, 0, 2, 2 }, "largest" },
		{ 4294967295U, 1, 4294967295U, 1, true, { 4294967295U, 1, 0, 0, 4294967295U, 1 },
		    "no overflow" },
	};
	struct fit f;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fit_box(cases[i].w, cases[i].h, cases[i].bw, cases[i].bh, cases[i].crop, &f);
		if (!tap_ok(memcmp(&f, &cases[i].want, sizeof(f)) == 0, "%s", cases[i].name))
			printf("# %ux%u, %u,%u %ux%u\n", f.scaled_width, f.scaled_height, f.x, f.y,
			    f.width, f.height);
	}
}

/* What holds for every picture and box. */
static void
everywhere(void)
{
	bool inside = true, filled = true, ratio = true;
	struct fit f;

	for (unsigned w = 1; w < 700; w += 13)
		for (unsigned h = 1; h < 700; h += 17)
			for (unsigned b = 1; b < 400; b += 29)
				for (int crop = 0; crop < 2; crop++) {
					fit_box(w, h, b, 200, crop, &f);
					inside = inside && f.width <= b && f.height <= 200 &&
						 f.width > 0 && f.height > 0 &&
						 f.x + f.width <= f.scaled_width &&
						 f.y + f.height <= f.scaled_height &&
						 f.scaled_width <= w && f.scaled_height <= h;
					if (crop && w >= b && h >= 200)
						filled = filled && f.width == b && f.height == 200;
					else if (!crop && (w >= b || h >= 200))
						filled =
						    filled && (f.width == b || f.height == 200);
					ratio = ratio && llabs((long long)f.scaled_width * h -
							       (long long)f.scaled_height * w) <=
							     (long long)(w > h ? w : h);
				}
	tap_ok(inside, "always inside the box and the picture, never enlarged");
	tap_ok(filled, "always as large as the box allows");
	tap_ok(ratio, "the sides keep their ratio");
}

static void
denominators(void)
{
	tap_is(fit_denominator(4000, 3000, 256, 192), 8, "12 megapixels to 256");
	tap_is(fit_denominator(2000, 1500, 256, 192), 4, "1/8 would be too small");
	tap_is(fit_denominator(1200, 900, 256, 192), 4, "1/4, with some reserve");
	tap_is(fit_denominator(1024, 768, 256, 192), 2, "1/4 without reserve is too tight");
	tap_is(fit_denominator(256, 192, 256, 192), 1, "no reduction");
	tap_is(fit_denominator(4000, 300, 256, 256), 1, "the smaller side decides");
}

int
main(void)
{
	boxes();
	everywhere();
	denominators();
	return tap_done();
}
