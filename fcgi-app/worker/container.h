/*
 * container.h: what ImageMagick 6 does not get out of a whole PNG or WebP file: its EXIF
 * orientation, and the first picture of an animation without all the others.
 *
 * No image library runs here; the bytes are hostile, and every length is checked.
 */
#ifndef SLUICE_WORKER_CONTAINER_H
#define SLUICE_WORKER_CONTAINER_H

#include "worker/picture.h"

/* EXIF orientation, 1..8; 0 when a file of n bytes does not say, or is neither PNG nor WebP. */
unsigned container_orientation(enum picture_format format, const void *p, size_t n);

/*
 * The first frame of an animated WebP as a file of its own (mem_free it) and its length; NULL when
 * the file is not animated. A frame that does not fill the canvas is given without its place.
 */
uint8_t *container_first_frame(const void *p, size_t n, size_t *len);

#endif
