/*
 * digest.h: SHA-256 and comparison in constant time; the one place that knows OpenSSL.
 */
#ifndef SLUICE_DATA_DIGEST_H
#define SLUICE_DATA_DIGEST_H

#include "base/sys.h"

enum { DIGEST_SIZE = 32, DIGEST_HEX = 65, DIGEST_STATE_WORDS = 14 };

struct digest; /* a running SHA-256 */

struct digest *digest_new(void);
void digest_reset(struct digest *d); /* back to the empty message */
void digest_add(struct digest *d, const void *p, size_t n);
void digest_final(
    struct digest *d, unsigned char out[DIGEST_SIZE]); /* then digest_reset before reuse */
void digest_free(struct digest **d);

/*
 * A running SHA-256 as plain bytes, for another process of the same program: what is added after
 * digest_load gives the digest of all that was added before digest_save and of this.
 */
struct digest_state {
	uint64_t word[DIGEST_STATE_WORDS];
};

void digest_save(const struct digest *d, struct digest_state *out);
void digest_load(struct digest *d, const struct digest_state *state);

void digest_once(const void *p, size_t n, unsigned char out[DIGEST_SIZE]);

/* Time does not depend on where the bytes differ. */
bool digest_equal(const void *a, const void *b, size_t n);

#endif
