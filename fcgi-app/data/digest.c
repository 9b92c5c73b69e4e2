#include "base/sys.h"

/*
 * The low-level functions are deprecated since OpenSSL 3.0 in favour of EVP, which runs the same
 * code but cannot move a running hash to another process. The spool reader needs just that.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/mem.h"
#include "data/digest.h"

struct digest {
	SHA256_CTX ctx;
};

_Static_assert(sizeof(struct digest_state) >= sizeof(SHA256_CTX), "a state holds a context");

struct digest *
digest_new(void)
{
	struct digest *d = mem_zero(sizeof(*d));

	digest_reset(d);
	return d;
}

/* The functions below cannot fail: they return 1 always. */

void
digest_reset(struct digest *d)
{
	SHA256_Init(&d->ctx);
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	SHA256_Update(&d->ctx, p, n);
}

void
digest_final(struct digest *d, unsigned char out[DIGEST_SIZE])
{
	SHA256_Final(out, &d->ctx);
}

void
digest_free(struct digest **d)
{
	if (!*d)
		return;
	mem_free(*d);
	*d = NULL;
}

void
digest_save(const struct digest *d, struct digest_state *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out, &d->ctx, sizeof(d->ctx));
}

void
digest_load(struct digest *d, const struct digest_state *state)
{
	memcpy(&d->ctx, state, sizeof(d->ctx));
}

void
digest_once(const void *p, size_t n, unsigned char out[DIGEST_SIZE])
{
	struct digest d;

	digest_reset(&d);
	digest_add(&d, p, n);
	digest_final(&d, out);
}

bool
digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
