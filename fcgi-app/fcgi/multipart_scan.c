#include "base/sys.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "fcgi/multipart_scan.h"

#ifdef __SSE2__

enum { BLOCK = 64 };

/* The bytes of p[0..63] that are c, one bit each. */
static uint64_t
equal_bits(const unsigned char *p, __m128i c)
{
	uint64_t bits = 0;

	for (int i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));

		bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, c)) << (16 * i);
	}
	return bits;
}

/* Whether any i < 64 has a at p[i] and z at q[i]: the loop that sees every byte of an upload. */
static bool
both_somewhere(const unsigned char *p, __m128i a, const unsigned char *q, __m128i z)
{
	__m128i any = _mm_setzero_si128();

	for (int i = 0; i < 64; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i w = _mm_loadu_si128((const __m128i *)(const void *)(q + i));

		v = _mm_and_si128(_mm_cmpeq_epi8(v, a), _mm_cmpeq_epi8(w, z));
		any = _mm_or_si128(any, v);
	}
	return _mm_movemask_epi8(any) != 0;
}

/*
 * Looks at 64 places at a time: first and last byte of the delimiter, and only where both are
 * right its second and middle ones; so that bodies full of CR, of CR LF, or of what is nearly a
 * delimiter cost little more than others. Moves *p on to where fewer than 64 places are left.
 * Returns the delimiter, or NULL.
 */
static const unsigned char *
scan_blocks(const unsigned char **p, const unsigned char *end, const char *d, size_t m)
{
	__m128i first = _mm_set1_epi8(d[0]), second = _mm_set1_epi8(d[1]);
	__m128i middle = _mm_set1_epi8(d[m / 2]), last = _mm_set1_epi8(d[m - 1]);
	const unsigned char *at = *p;

	for (; (size_t)(end - at) >= BLOCK + m - 1; at += BLOCK) {
		uint64_t bits;

		if (!both_somewhere(at, first, at + m - 1, last))
			continue;
		bits = equal_bits(at, first) & equal_bits(at + m - 1, last) &
		       equal_bits(at + 1, second) & equal_bits(at + m / 2, middle);
		for (; bits; bits &= bits - 1) {
			const unsigned char *hit = at + __builtin_ctzll(bits);

			if (memcmp(hit, d, m) == 0)
				return hit;
		}
	}
	*p = at;
	return NULL;
}

#else

/* Without vector instructions: glibc's memmem, which is linear too. */
static const unsigned char *
scan_blocks(const unsigned char **p, const unsigned char *end, const char *d, size_t m)
{
	const unsigned char *hit = memmem(*p, (size_t)(end - *p), d, m);

	if (!hit && (size_t)(end - *p) >= m)
		*p = end - (m - 1);
	return hit;
}

#endif

const unsigned char *
multipart_scan(const unsigned char *p, const unsigned char *end, const char *delimiter, size_t m,
    size_t *matched)
{
	const unsigned char *hit = scan_blocks(&p, end, delimiter, m);

	*matched = m;
	if (hit)
		return hit;
	for (; p < end && (p = memchr(p, '\r', (size_t)(end - p))); p++) {
		size_t n = (size_t)(end - p) < m ? (size_t)(end - p) : m;

		if (memcmp(p, delimiter, n) == 0) {
			*matched = n;
			return p;
		}
	}
	*matched = 0;
	return end;
}
