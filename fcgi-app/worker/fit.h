/*
 * fit.h: how large a rendition becomes.
 */
#ifndef SLUICE_WORKER_FIT_H
#define SLUICE_WORKER_FIT_H

#include "base/sys.h"

struct fit {
	unsigned scaled_width, scaled_height; /* reduce the whole picture to this ... */
	unsigned x, y, width, height;         /* ... and keep this part of it */
};

/*
 * A picture of width x height for a box. fit: as large as it goes inside the box. crop: fills the
 * box and loses what stands out on both sides equally. A picture is never enlarged: a smaller one
 * keeps its size, and a crop of one that does not fill the box keeps what there is.
 */
void fit_box(unsigned width, unsigned height, unsigned box_width, unsigned box_height, bool crop,
    struct fit *out);

/*
 * The denominator (1, 2, 4 or 8) by which a JPEG of width x height may be scaled while it is
 * decoded so that at least want_width x want_height remain, with a reserve of 15 % for the filter.
 */
unsigned fit_denominator(
    unsigned width, unsigned height, unsigned want_width, unsigned want_height);

#endif
