/*
 * multipart_header.h: the header block of a part.
 */
#ifndef SLUICE_FCGI_MULTIPART_HEADER_H
#define SLUICE_FCGI_MULTIPART_HEADER_H

#include "fcgi/multipart.h"

/* A new part: no header has been seen. */
void multipart_header_begin(struct multipart *mp);

/*
 * Takes bytes of *p..end up to the empty line. 1 when the block is complete and mp->part filled,
 * 0 when more is needed, -1 with mp->error set.
 */
MUST_CHECK int multipart_header_feed(
    struct multipart *mp, const unsigned char **p, const unsigned char *end);

#endif
