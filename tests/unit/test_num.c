#include "base/sys.h"

#include "base/num.h"
#include "tap.h"

/* What a hostile CONTENT_LENGTH looks like: every one must be refused and leave *out alone. */
static void
refused(void)
{
	static const char *const bad[] = { "", "-1", "-0", "+5", " 5", "5 ", "5\n", "\t5", "0x5",
		"5a", "a", "1e3", "1.0", "1,000", "18446744073709551616", "18446744073709551617",
		"36893488147419103233", "99999999999999999999999999", "\xd9\xa5", "5,5", "--5" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t v = 42;
		int rc = num_u64(bad[i], 0, UINT64_MAX, &v);

		tap_ok(rc == -1 && v == 42, "u64 refuses case %zu", i);
	}
}

static void
accepted(void)
{
	uint64_t v = 0;

	tap_ok(num_u64("0", 0, 10, &v) == 0 && v == 0, "0");
	tap_ok(num_u64("007", 0, 10, &v) == 0 && v == 7, "leading zeros are decimal");
	tap_ok(
	    num_u64("18446744073709551615", 0, UINT64_MAX, &v) == 0 && v == UINT64_MAX, "2^64 - 1");
	tap_ok(num_u64("9223372036854775808", 0, INT64_MAX, &v) == -1, "2^63 over an off_t limit");
	tap_ok(num_u64("9223372036854775807", 0, INT64_MAX, &v) == 0, "2^63 - 1");
	tap_ok(num_u64("11", 0, 10, &v) == -1, "over max");
	tap_ok(num_u64("4", 5, 10, &v) == -1, "under min");
	tap_ok(num_u64n("123x", 3, 0, 1000, &v) == 0 && v == 123, "exactly n bytes are read");
	tap_ok(num_u64n("123", 0, 0, 1000, &v) == -1, "no bytes");
	tap_ok(num_u64n("1\0002", 3, 0, 1000, &v) == -1, "a NUL inside");
}

static void
sizes(void)
{
	static const struct {
		const char *s;
		uint64_t want;
	} good[] = { { "0", 0 }, { "5", 5 }, { "1k", 1024 }, { "1K", 1024 }, { "2KiB", 2048 },
		{ "3M", 3 << 20 }, { "1GiB", 1 << 30 }, { "100G", 100ULL << 30 },
		{ "1T", 1ULL << 40 }, { "16777215T", 16777215ULL << 40 } };
	static const char *const bad[] = { "", "K", "-1K", "1 K", "1KB", "1kb", "1KiBs", "1P",
		"1.5G", "16777216T", "18446744073709551615K", "1Ki", "1k ", "0x1K", "1`" };
	uint64_t v;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		v = 1;
		tap_ok(num_size(good[i].s, 0, UINT64_MAX, &v) == 0 && v == good[i].want, "size %s",
		    good[i].s);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		v = 42;
		tap_ok(num_size(bad[i], 0, UINT64_MAX, &v) == -1 && v == 42, "size refuses \"%s\"",
		    bad[i]);
	}
	tap_ok(num_size("2K", 0, 2047, &v) == -1, "size over max");
	tap_ok(num_size("1", 2, 2047, &v) == -1, "size under min");
}

static void
durations(void)
{
	static const struct {
		const char *s;
		uint64_t want;
	} good[] = { { "0", 0 }, { "5", 5000 }, { "250ms", 250 }, { "5s", 5000 }, { "2m", 120000 },
		{ "1h", 3600000 }, { "7d", 604800000 } };
	static const char *const bad[] = { "", "s", "-1s", "1 s", "1w", "1S", "1sec", "1.5s",
		"18446744073709551615d", "213503982335d", "+1s" };
	uint64_t v;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		v = 1;
		tap_ok(num_duration(good[i].s, 0, UINT64_MAX, &v) == 0 && v == good[i].want,
		    "duration %s", good[i].s);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		v = 42;
		tap_ok(num_duration(bad[i], 0, UINT64_MAX, &v) == -1 && v == 42,
		    "duration refuses \"%s\"", bad[i]);
	}
	tap_ok(num_duration("2s", 0, 1999, &v) == -1, "duration over max");
}

static void
bools(void)
{
	static const char *const yes[] = { "yes", "on", "true", "1", "Yes" };
	static const char *const no[] = { "no", "off", "false", "0", "OFF" };
	static const char *const bad[] = { "", "y", "2", "yes ", "enable", "00" };
	bool v;

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		v = false;
		tap_ok(num_bool(yes[i], &v) == 0 && v, "%s", yes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		v = true;
		tap_ok(num_bool(no[i], &v) == 0 && !v, "%s", no[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		v = true;
		tap_ok(num_bool(bad[i], &v) == -1 && v, "bool refuses \"%s\"", bad[i]);
	}
}

int
main(void)
{
	refused();
	accepted();
	sizes();
	durations();
	bools();
	return tap_done();
}
