/*
 * cursor.h: the opaque place in a list, newest first: creation time and identifier of the last
 * row that was shown.
 */
#ifndef SLUICE_FCGI_CURSOR_H
#define SLUICE_FCGI_CURSOR_H

#include "base/id.h"

enum { CURSOR_TEXT = 33 }; /* 32 characters of base64url and NUL */

struct cursor {
	int64_t created_us; /* microseconds since 1970, up to the end of the year 9999 */
	struct id id;
};

/* Returns out. */
const char *cursor_format(const struct cursor *c, char out[CURSOR_TEXT]);

/* Exactly what cursor_format writes. 0, or -1 when s (NULL too) is anything else. */
MUST_CHECK int cursor_parse(const char *s, struct cursor *c);

#endif
