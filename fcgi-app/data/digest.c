#include "base/sys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/log.h"
#include "base/mem.h"
#include "data/digest.h"

struct digest {
	EVP_MD_CTX *ctx;
};

/* OpenSSL fails here only for want of memory or of its default provider. */
static void
must(int ok)
{
	if (ok == 1)
		return;
	log_error("SHA-256 is not available from OpenSSL");
	exit(EXIT_TEMPORARY);
}

struct digest *
digest_new(void)
{
	struct digest *d = mem_zero(sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL);
	must(EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
	return d;
}

void
digest_reset(struct digest *d)
{
	must(EVP_DigestInit_ex(d->ctx, NULL, NULL)); /* the same algorithm again */
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	must(EVP_DigestUpdate(d->ctx, p, n));
}

void
digest_final(struct digest *d, unsigned char out[DIGEST_SIZE])
{
	must(EVP_DigestFinal_ex(d->ctx, out, NULL));
}

void
digest_free(struct digest **d)
{
	if (!*d)
		return;
	EVP_MD_CTX_free((*d)->ctx);
	mem_free(*d);
	*d = NULL;
}

void
digest_once(const void *p, size_t n, unsigned char out[DIGEST_SIZE])
{
	must(EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL));
}

bool
digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
