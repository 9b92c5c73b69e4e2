#include "base/sys.h"

#include "base/clock.h"
#include "tap.h"

static void
formats(void)
{
	struct timespec t = { .tv_sec = 1795281176, .tv_nsec = 123999999 };
	char out[CLOCK_RFC3339];

	tap_str(clock_rfc3339(&t, out), "2026-11-21T17:12:56.123Z", "RFC 3339");
	tap_str(clock_http(1795281176, out), "Sat, 21 Nov 2026 17:12:56 GMT", "HTTP");
	tap_str(clock_http(784111777, out), "Sun, 06 Nov 1994 08:49:37 GMT", "HTTP, one-digit day");
	tap_str(clock_http(0, out), "Thu, 01 Jan 1970 00:00:00 GMT", "the epoch");
	t = (struct timespec){ .tv_sec = 253402300800 };
	tap_str(clock_rfc3339(&t, out), "1970-01-01T00:00:00.000Z", "a year of five digits");
	tap_ok(strlen(clock_http((time_t)INT64_MAX, out)) == 29, "no time at all");
}

static void
parsing(void)
{
	static const char *const good[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994" };
	static const char *const bad[] = { "", "Sun", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 94 08:49:37 GMT",
		"Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
		"Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, +6 Nov 1994 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
		"Monday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "784111777" };
	time_t t;
	char out[CLOCK_HTTP];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		t = 0;
		tap_ok(clock_parse_http(good[i], &t) == 0 && t == 784111777, "%s", good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		t = 42;
		tap_ok(clock_parse_http(bad[i], &t) == -1 && t == 42, "refuses \"%s\"", bad[i]);
	}
	tap_ok(clock_parse_http("Thu, 29 Feb 2024 00:00:00 GMT", &t) == 0, "leap day");
	tap_ok(clock_parse_http("Thu, 29 Feb 2023 00:00:00 GMT", &t) == -1, "no leap day");
	for (time_t at = 0; at < 4000000000; at += 123456789) {
		t = 1;
		if (clock_parse_http(clock_http(at, out), &t) < 0 || t != at)
			tap_ok(false, "round trip of %lld", (long long)at);
	}
}

int
main(void)
{
	uint64_t before = clock_ms(), after;

	clock_sleep_ms(20);
	after = clock_ms();
	tap_ok(after >= before + 19 && after < before + 5000, "the clock runs");
	formats();
	parsing();
	return tap_done();
}
