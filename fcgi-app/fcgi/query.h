/*
 * query.h: the query string of a request (and application/x-www-form-urlencoded bodies).
 */
#ifndef SLUICE_FCGI_QUERY_H
#define SLUICE_FCGI_QUERY_H

#include "base/err.h"

enum { QUERY_BYTES = 4096, QUERY_PAIRS = 32 };

struct query {
	size_t n;
	struct {
		const char *name, *value; /* decoded, valid UTF-8, NUL-terminated; into buf */
	} pair[QUERY_PAIRS];
	char buf[QUERY_BYTES + 1];
};

/*
 * Parses "a=1&b=two+words"; NULL is the empty query. 0, or -1 and ERR_INPUT: over QUERY_BYTES or
 * QUERY_PAIRS, a broken escape, NUL or invalid UTF-8 after decoding, an empty name, or one name
 * twice. "a" alone is "a" with the value "". q must stay where it is: the pairs point into it.
 */
MUST_CHECK int query_parse(const char *s, struct query *q, struct err *e);

/* The value of name, or NULL. */
const char *query_get(const struct query *q, const char *name);

#endif
