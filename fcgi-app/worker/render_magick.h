/*
 * render_magick.h: MagickWand, version 6 or 7, for render*.c alone.
 */
#ifndef SLUICE_WORKER_RENDER_MAGICK_H
#define SLUICE_WORKER_RENDER_MAGICK_H

#include "worker/render.h"

#ifdef HAVE_MAGICKWAND_MAGICKWAND_H
#include <MagickWand/MagickWand.h>
#else
#include <wand/MagickWand.h>
#endif

/* Reads the first picture of p into w. WIRE_OK, or why not. */
enum wire_status render_read(
    MagickWand *w, const struct wire_job *job, const void *p, size_t n, char why[WIRE_TEXT + 1]);

/* What an operation that failed left behind, as a status and a text. */
enum wire_status render_failure(MagickWand *w, const char *what, char why[WIRE_TEXT + 1]);

/* Lanczos reduction to exactly width x height; large factors go through a box filter first. */
bool render_reduce(MagickWand *w, size_t width, size_t height);

/* The reduced picture: upright, sRGB, without metadata. */
bool render_normalise(MagickWand *w);

/* Encodes; out->p is the library's memory. */
bool render_encode(MagickWand *w, const struct wire_rendition *r, struct wire_thumbnail *out);

/* Does EXIF say that width and height change places? */
bool render_is_turned(MagickWand *w);

#endif
