/*
 * mime.h: a media type with parameters, as Content-Type carries it (RFC 9110 section 8.3.1).
 */
#ifndef SLUICE_FCGI_MIME_H
#define SLUICE_FCGI_MIME_H

#include "base/err.h"

enum { MIME_TYPE = 128, MIME_BOUNDARY = 70, MIME_CHARSET = 40 };

struct mime {
	char type[MIME_TYPE]; /* "multipart/form-data": lower case, without parameters */
	char boundary[MIME_BOUNDARY + 1]; /* "" when there is none */
	size_t boundary_len;
	char charset[MIME_CHARSET]; /* lower case; "" when there is none */
};

/*
 * 0, or -1 and ERR_INPUT: not type/subtype, broken parameters, a parameter twice that we read
 * (boundary, charset), or a boundary that is not 1..70 printable ASCII characters or ends with a
 * space. NULL and "" are errors too.
 */
MUST_CHECK int mime_parse(const char *s, struct mime *m, struct err *e);

#endif
