/*
 * num.h: numbers from outside, parsed strictly.
 *
 * The whole string must be the number: no sign, no space, no leading '+', no hex, no overflow.
 * All return 0 and set *out, or -1 and leave *out alone.
 */
#ifndef SLUICE_BASE_NUM_H
#define SLUICE_BASE_NUM_H

#include "base/sys.h"

/* Decimal digits only, min <= value <= max. s need not end with NUL: exactly n bytes are read. */
MUST_CHECK int num_u64n(const char *s, size_t n, uint64_t min, uint64_t max, uint64_t *out);
MUST_CHECK int num_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out);

/* Bytes: digits with an optional K, M, G or T (powers of 1024; "KiB" and "k" too). */
MUST_CHECK int num_size(const char *s, uint64_t min, uint64_t max, uint64_t *out);

/* Milliseconds: digits with ms, s, m, h or d; a bare number is seconds. */
MUST_CHECK int num_duration(const char *s, uint64_t min, uint64_t max, uint64_t *out);

/* "yes/no", "on/off", "true/false", "1/0". */
MUST_CHECK int num_bool(const char *s, bool *out);

#endif
