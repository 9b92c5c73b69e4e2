#include "base/sys.h"
#include "worker/fit.h"

/* a * num / den, rounded, at least 1 and at most limit */
static unsigned
scale(unsigned a, uint64_t num, uint64_t den, unsigned limit)
{
	uint64_t v = ((uint64_t)a * num + den / 2) / den;

	if (v > limit)
		v = limit;
	return v > 0 ? (unsigned)v : 1;
}

static unsigned
smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

void
fit_box(unsigned width, unsigned height, unsigned box_width, unsigned box_height, bool crop,
    struct fit *out)
{
	/* Is the width the side that decides? For a crop it is the other one. */
	bool wide = (uint64_t)width * box_height >= (uint64_t)height * box_width;
	unsigned num = wide != crop ? box_width : box_height;
	unsigned den = wide != crop ? width : height;

	*out = (struct fit){ .scaled_width = width, .scaled_height = height };
	if (num < den) {
		out->scaled_width = scale(width, num, den, width);
		out->scaled_height = scale(height, num, den, height);
	}
	out->width = out->scaled_width;
	out->height = out->scaled_height;
	if (!crop)
		return;
	out->width = smaller(out->width, box_width);
	out->height = smaller(out->height, box_height);
	out->x = (out->scaled_width - out->width) / 2;
	out->y = (out->scaled_height - out->height) / 2;
}

unsigned
fit_denominator(unsigned width, unsigned height, unsigned want_width, unsigned want_height)
{
	enum { RESERVE = 115 };
	unsigned d;

	for (d = 8; d > 1; d /= 2)
		if ((uint64_t)width * 100 >= (uint64_t)want_width * d * RESERVE &&
		    (uint64_t)height * 100 >= (uint64_t)want_height * d * RESERVE)
			break;
	return d;
}
