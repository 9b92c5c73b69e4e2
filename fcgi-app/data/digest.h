/*
 * digest.h: SHA-256 and comparison in constant time; the one place that knows OpenSSL.
 */
#ifndef SLUICE_DATA_DIGEST_H
#define SLUICE_DATA_DIGEST_H

#include "base/sys.h"

enum { DIGEST_SIZE = 32, DIGEST_HEX = 65 };

struct digest; /* a running SHA-256 */

struct digest *digest_new(void);
void digest_reset(struct digest *d); /* back to the empty message */
void digest_add(struct digest *d, const void *p, size_t n);
void digest_final(
    struct digest *d, unsigned char out[DIGEST_SIZE]); /* then digest_reset before reuse */
void digest_free(struct digest **d);

void digest_once(const void *p, size_t n, unsigned char out[DIGEST_SIZE]);

/* Time does not depend on where the bytes differ. */
bool digest_equal(const void *a, const void *b, size_t n);

#endif
