/*
 * param.h: the "; name=value" lists behind a media type or a disposition (RFC 9110 section 5.6.6).
 */
#ifndef SLUICE_FCGI_PARAM_H
#define SLUICE_FCGI_PARAM_H

#include "base/err.h"

struct param {
	const char *name, *value; /* into the field value; of a quoted string what is inside */
	size_t name_len, value_len;
	bool quoted; /* backslashes are still in the value */
};

/*
 * Reads the next parameter of *s..end and moves *s on. An unquoted value may hold any byte but
 * white space, controls, quotes, comma, semicolon and backslash: more than a token, because
 * clients send boundaries and file names so. 1, 0 at the end, or -1 and ERR_INPUT.
 */
MUST_CHECK int param_next(const char **s, const char *end, struct param *p, struct err *e);

/* A token (RFC 9110 section 5.6.2) at s: its length, 0 when there is none. */
size_t param_token(const char *s, const char *end);

/* Case-insensitive comparison of n bytes with a word. */
bool param_is(const char *s, size_t n, const char *word);

/* Copies n bytes of ASCII in lower case. 0, or -1 when they do not fit. */
MUST_CHECK int param_lower(char *dst, size_t size, const char *s, size_t n);

#endif
