/*
 * codec.h: hex, base64, percent encoding and UTF-8.
 */
#ifndef SLUICE_BASE_CODEC_H
#define SLUICE_BASE_CODEC_H

#include "base/strbuf.h"

/* Lower-case hex of n bytes into out (2n + 1 bytes). Returns out. */
const char *codec_hex(const void *p, size_t n, char *out);

/* Exactly 2n hex digits. 0, or -1. */
MUST_CHECK int codec_unhex(const char *s, size_t len, void *out, size_t n);

/* RFC 4648 section 4 (padded) and section 5 (URL-safe, no padding), appended to b. */
void codec_base64(struct strbuf *b, const void *p, size_t n);
void codec_base64url(struct strbuf *b, const void *p, size_t n);

/*
 * Percent-decodes n bytes of s, appended to b. plus_is_space for query strings. 0, or -1 for a bad
 * escape (b then holds what came before). A decoded NUL is allowed: the caller looks at b->len.
 */
MUST_CHECK int codec_percent_decode(struct strbuf *b, const char *s, size_t n, bool plus_is_space);

/* Percent-encodes everything but RFC 8187 attr-char, which has "#", "&" and "+" in it. */
void codec_percent_encode(struct strbuf *b, const char *s, size_t n);

/*
 * Reads one code point of UTF-8 at s (n > 0 bytes there) and sets *cp. Returns its length 1..4, or
 * 0 when the bytes are invalid, overlong, a surrogate or cut: skip one byte and write U+FFFD.
 */
size_t codec_utf8(const char *s, size_t n, uint32_t *cp);
bool codec_utf8_valid(const char *s, size_t n);
void codec_utf8_add(struct strbuf *b, uint32_t cp);

#endif
