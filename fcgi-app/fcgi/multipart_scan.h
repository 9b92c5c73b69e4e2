/*
 * multipart_scan.h: where the next delimiter of a multipart body is.
 */
#ifndef SLUICE_FCGI_MULTIPART_SCAN_H
#define SLUICE_FCGI_MULTIPART_SCAN_H

#include "base/sys.h"

/* A byte that makes what stands before it a delimiter; so does "--". */
static inline bool
multipart_ends_delimiter(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * The first place in p..end at which the delimiter (m >= 5 bytes, CR LF first, no other CR in it)
 * stands whole and may be one by what follows, or starts and is cut off by end; end when there is
 * none. *matched is how many of its bytes are there: m, fewer, or 0.
 */
const unsigned char *multipart_scan(const unsigned char *p, const unsigned char *end,
    const char *delimiter, size_t m, size_t *matched);

#endif
