/*
 * clock.h: time. Deadlines use the monotonic clock, dates the wall clock; leases use neither but
 * the database's.
 */
#ifndef SLUICE_BASE_CLOCK_H
#define SLUICE_BASE_CLOCK_H

#include "base/sys.h"

enum { CLOCK_RFC3339 = 32, CLOCK_HTTP = 32 };

uint64_t clock_ms(void);          /* CLOCK_MONOTONIC, milliseconds */
void clock_sleep_ms(uint64_t ms); /* returns early on a signal */

/* "2026-11-21T17:12:56.123Z". Returns out. */
const char *clock_rfc3339(const struct timespec *t, char out[CLOCK_RFC3339]);

/* IMF-fixdate of RFC 9110 section 5.6.7: "Sat, 21 Nov 2026 17:12:56 GMT". Returns out. */
const char *clock_http(time_t t, char out[CLOCK_HTTP]);

/* IMF-fixdate, RFC 850 and asctime forms. 0, or -1. */
MUST_CHECK int clock_parse_http(const char *s, time_t *out);

#endif
