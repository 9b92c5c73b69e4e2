#include "base/sys.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "fcgi/multipart_scan.h"

/* Whether what follows a delimiter shows that it is none. */
static bool
is_data(const unsigned char *p, const unsigned char *end)
{
	if (p == end || multipart_ends_delimiter(*p))
		return false;
	return *p != '-' || (end - p > 1 && p[1] != '-');
}

#ifdef __SSE2__

enum { BLOCK = 64 };

/* Which of the 64 places of a block are still candidates, 0xff or 0 each. */
struct block {
	__m128i v[4];
};

static inline __m128i
equal(const unsigned char *p, __m128i c)
{
	return _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), c);
}

/* Strikes out the places i at which p[i] is not c. */
static inline void
keep_equal(struct block *b, const unsigned char *p, __m128i c)
{
	b->v[0] = _mm_and_si128(b->v[0], equal(p, c));
	b->v[1] = _mm_and_si128(b->v[1], equal(p + 16, c));
	b->v[2] = _mm_and_si128(b->v[2], equal(p + 32, c));
	b->v[3] = _mm_and_si128(b->v[3], equal(p + 48, c));
}

static inline bool
none_left(const struct block *b)
{
	__m128i low = _mm_or_si128(b->v[0], b->v[1]), high = _mm_or_si128(b->v[2], b->v[3]);

	return _mm_movemask_epi8(_mm_or_si128(low, high)) == 0;
}

static inline uint64_t
bits_left(const struct block *b)
{
	uint64_t bits = 0;

	for (int i = 3; i >= 0; i--)
		bits = bits << 16 | (unsigned)_mm_movemask_epi8(b->v[i]);
	return bits;
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
		struct block b = { { equal(at, first), equal(at + 16, first), equal(at + 32, first),
		    equal(at + 48, first) } };

		keep_equal(&b, at + m - 1, last);
		if (none_left(&b))
			continue;
		keep_equal(&b, at + 1, second);
		keep_equal(&b, at + m / 2, middle);
		for (uint64_t bits = bits_left(&b); bits; bits &= bits - 1) {
			const unsigned char *hit = at + __builtin_ctzll(bits);

			if (memcmp(hit, d, m) == 0 && !is_data(hit + m, end))
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
	const unsigned char *hit;

	for (; (hit = memmem(*p, (size_t)(end - *p), d, m)); *p = hit + m)
		if (!is_data(hit + m, end))
			return hit;
	if ((size_t)(end - *p) >= m)
		*p = end - (m - 1);
	return NULL;
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

		if (memcmp(p, delimiter, n) == 0 && !(n == m && is_data(p + m, end))) {
			*matched = n;
			return p;
		}
	}
	*matched = 0;
	return end;
}
