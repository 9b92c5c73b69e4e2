/*
 * id.h: identifiers and random bytes.
 *
 * Identifiers are UUID version 4 (RFC 9562) filled by getrandom(2) itself: libuuid falls back to
 * rand() without a word when getrandom is refused, so it only formats and parses here.
 */
#ifndef SLUICE_BASE_ID_H
#define SLUICE_BASE_ID_H

#include "base/sys.h"

enum { ID_TEXT = 37 }; /* 36 characters and NUL */

struct id {
	unsigned char b[16];
};

/* A new random identifier; no randomness ends the process. */
void id_new(struct id *id);

/* Lower-case text form. Returns out. */
const char *id_text(const struct id *id, char out[ID_TEXT]);

/* Exactly 36 characters, any letter case, any version. 0, or -1. */
MUST_CHECK int id_parse(const char *s, struct id *id);

bool id_equal(const struct id *a, const struct id *b);

/* n bytes from getrandom(2); no randomness ends the process. */
void id_random(void *p, size_t n);

#endif
