/*
 * picture.h: what a picture's header says: format, dimensions, orientation.
 *
 * The worker process needs this before it starts a decoder: to refuse a bomb, to predict memory and
 * to tell the JPEG decoder how far it may scale down. No image library runs here, so the parser is
 * ours, small and fuzzed. It reads the file in windows:
 *
 *	struct picture_reader r;
 *	picture_begin(&r, PICTURE_JPEG);
 *	do
 *		n = pread(fd, window, PICTURE_WINDOW, r.at);
 *	while ((rc = picture_step(&r, window, n)) == PICTURE_MORE);
 *
 * or picture_probe does all of it. What it finds is a hint: the decoder checks for itself.
 */
#ifndef SLUICE_WORKER_PICTURE_H
#define SLUICE_WORKER_PICTURE_H

#include "base/err.h"

enum picture_format {
	PICTURE_UNKNOWN,
	PICTURE_JPEG,
	PICTURE_PNG,
	PICTURE_GIF,
	PICTURE_WEBP,
	PICTURE_TIFF,
	PICTURE_BMP,
	PICTURE_HEIC,
	PICTURE_AVIF,
	PICTURE_FORMATS
};

/* A window holds any JPEG segment whole. */
enum { PICTURE_WINDOW = 68 * 1024, PICTURE_MAX_STEPS = 256 };

struct picture {
	enum picture_format format;
	uint32_t width, height; /* as stored; 0 = the header did not tell */
	uint32_t orientation;   /* EXIF, 1..8; only looked for in JPEG */
	uint32_t components;    /* JPEG: 1, 3 or 4; else 0 */
	bool progressive;       /* JPEG: the decoder keeps all coefficients in memory */
};

struct picture_reader {
	struct picture found;
	uint64_t at; /* where the next window begins */
	unsigned steps, phase;
};

enum picture_step { PICTURE_DONE, PICTURE_MORE, PICTURE_NOTHING };

/* The format of a media type ("image/jpeg"), PICTURE_UNKNOWN when it is none of ours. */
enum picture_format picture_of_type(const char *media_type);

/* The format that n first bytes announce. */
enum picture_format picture_sniff(const void *p, size_t n);

/* ImageMagick's name: "JPEG". */
const char *picture_name(enum picture_format format);

void picture_begin(struct picture_reader *r, enum picture_format format);

/*
 * Looks at the n bytes of the file at r->at. PICTURE_DONE: r->found has dimensions. PICTURE_MORE:
 * wants the window at the new r->at. PICTURE_NOTHING: the header does not tell (or lies).
 */
enum picture_step picture_step(struct picture_reader *r, const void *p, size_t n);

/*
 * Reads the header of fd, whose format must be the given one. 0 (width 0: it did not tell); -1:
 * ERR_TYPE when the bytes are not of that format, ERR_INTERNAL when they cannot be read.
 */
MUST_CHECK int picture_probe(
    int fd, enum picture_format format, struct picture *out, struct err *e);

/* Bytes that decoding it will take, at denominator 1..8 for JPEG (1 for everything else). */
uint64_t picture_memory(const struct picture *p, unsigned denominator, uint64_t file_size);

#endif
