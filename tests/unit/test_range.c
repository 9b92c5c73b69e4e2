#include "base/sys.h"

#include "fcgi/range.h"
#include "tap.h"

#define DATE "Sat, 21 Nov 2026 17:12:56 GMT"
#define BEFORE "Sat, 21 Nov 2026 17:12:55 GMT"
#define AFTER "Sat, 21 Nov 2026 17:12:57 GMT"

static const struct range_entity file = { "\"abc\"", 1795281176, 1000 };

static void
test_ranges(void)
{
	static const struct {
		const char *range;
		uint64_t size;
		enum range_outcome want;
		uint64_t first, last;
	} cases[] = {
		{ NULL, 1000, RANGE_WHOLE, 0, 999 },
		{ "", 1000, RANGE_WHOLE, 0, 999 },
		{ "bytes=0-0", 1000, RANGE_PART, 0, 0 },
		{ "bytes=0-499", 1000, RANGE_PART, 0, 499 },
		{ "bytes=500-999", 1000, RANGE_PART, 500, 999 },
		{ "bytes=999-", 1000, RANGE_PART, 999, 999 },
		{ "bytes=0-", 1000, RANGE_PART, 0, 999 },
		{ "bytes=0-5000", 1000, RANGE_PART, 0, 999 },
		{ "bytes=-1", 1000, RANGE_PART, 999, 999 },
		{ "bytes=-1000", 1000, RANGE_PART, 0, 999 },
		{ "bytes=-5000", 1000, RANGE_PART, 0, 999 },
		{ "BYTES=1-2", 1000, RANGE_PART, 1, 2 },
		{ " bytes= 1-2 ", 1000, RANGE_PART, 1, 2 },
		{ "bytes=0-18446744073709551615", 1000, RANGE_PART, 0, 999 },
		{ "bytes=5-99999999999999999999999", 1000, RANGE_PART, 5, 999 },
		{ "bytes=-99999999999999999999999", 1000, RANGE_PART, 0, 999 },
		{ "bytes=00001-00002", 1000, RANGE_PART, 1, 2 },
		{ "bytes=9223372036854775808-", UINT64_MAX, RANGE_PART, UINT64_C(1) << 63,
		    UINT64_MAX - 1 },
		{ "bytes=18446744073709551614-", UINT64_MAX, RANGE_PART, UINT64_MAX - 1,
		    UINT64_MAX - 1 },
		{ "bytes=1000-", 1000, RANGE_UNSATISFIABLE, 0, 999 },
		{ "bytes=1000-2000", 1000, RANGE_UNSATISFIABLE, 0, 999 },
		{ "bytes=99999999999999999999999-", 1000, RANGE_UNSATISFIABLE, 0, 999 },
		{ "bytes=-0", 1000, RANGE_UNSATISFIABLE, 0, 999 },
		{ "bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=0-0", 0, RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=-5", 0, RANGE_WHOLE, 0, 0 },
		{ "bytes=-0", 0, RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=0-1,5-6", 1000, RANGE_WHOLE, 0, 999 },
		{ "bytes=0-1, 5-6 , -1", 1000, RANGE_WHOLE, 0, 999 },
		{ "bytes=0-1,2000-", 1000, RANGE_PART, 0, 1 },
		{ "bytes=2000-,0-1", 1000, RANGE_PART, 0, 1 },
		{ "bytes=2000-,3000-,-0", 1000, RANGE_UNSATISFIABLE, 0, 999 },
		{ "bytes=,0-1,,", 1000, RANGE_PART, 0, 1 },
		{ "items=0-1", 1000, RANGE_WHOLE, 0, 999 },
		{ "bytesx=0-1", 1000, RANGE_WHOLE, 0, 999 },
		{ "nonsense", 1000, RANGE_WHOLE, 0, 999 },
		{ "bytes", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes 0-1", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes =0-1", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=,", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=-", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=--1", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=1", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=a-b", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=1x2", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=0x1-2", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=+1-2", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=2-1", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=1-2x", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=1 - 2", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=1-2 3-4", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=0-1,x", 1000, RANGE_MALFORMED, 0, 999 },
		{ "bytes=0-1,5-4", 1000, RANGE_MALFORMED, 0, 999 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct range_entity ent = file;
		struct range_request rq = { .is_get = true, .range = cases[i].range };
		struct range r;

		ent.size = cases[i].size;
		tap_is(range_evaluate(&rq, &ent, &r), cases[i].want,
		    cases[i].range ? cases[i].range : "no Range");
		tap_ok(r.first == cases[i].first && r.last == cases[i].last, "%llu-%llu",
		    (unsigned long long)r.first, (unsigned long long)r.last);
	}
}

static void
test_conditions(void)
{
	static const struct {
		const char *name;
		struct range_request rq;
		enum range_outcome want;
	} cases[] = {
		{ "If-None-Match: ours", { true, false, .if_none_match = "\"abc\"" },
		    RANGE_NOT_MODIFIED },
		{ "weak", { true, false, .if_none_match = "W/\"abc\"" }, RANGE_NOT_MODIFIED },
		{ "in a list", { true, false, .if_none_match = "\"x\", W/\"y\" ,\"abc\"" },
		    RANGE_NOT_MODIFIED },
		{ "comma in a tag", { true, false, .if_none_match = "\"x,\",\"abc\"" },
		    RANGE_NOT_MODIFIED },
		{ "*", { true, false, .if_none_match = " * " }, RANGE_NOT_MODIFIED },
		{ "HEAD", { false, true, .if_none_match = "\"abc\"" }, RANGE_NOT_MODIFIED },
		{ "another method", { false, false, .if_none_match = "\"abc\"" }, RANGE_FAILED },
		{ "another", { true, false, .if_none_match = "\"abcd\"" }, RANGE_WHOLE },
		{ "without quotes", { true, false, .if_none_match = "abc" }, RANGE_WHOLE },
		{ "w/ in lower case", { true, false, .if_none_match = "w/\"abc\"" }, RANGE_WHOLE },
		{ "not closed", { true, false, .if_none_match = "\"abc" }, RANGE_WHOLE },
		{ "after a tag with a space", { true, false, .if_none_match = "\"a b\", \"abc\"" },
		    RANGE_WHOLE },
		{ "after rubbish", { true, false, .if_none_match = "x, \"abc\"" }, RANGE_WHOLE },
		{ "*x", { true, false, .if_none_match = "*x" }, RANGE_WHOLE },
		{ "it wins over the date",
		    { true, false, .if_none_match = "\"x\"", .if_modified_since = AFTER },
		    RANGE_WHOLE },
		{ "If-Modified-Since: the same", { true, false, .if_modified_since = DATE },
		    RANGE_NOT_MODIFIED },
		{ "later", { true, false, .if_modified_since = AFTER }, RANGE_NOT_MODIFIED },
		{ "earlier", { true, false, .if_modified_since = BEFORE }, RANGE_WHOLE },
		{ "no date", { true, false, .if_modified_since = "yesterday" }, RANGE_WHOLE },
		{ "for another method", { false, false, .if_modified_since = AFTER }, RANGE_WHOLE },
		{ "If-Match: ours", { true, false, .if_match = "\"x\",\"abc\"" }, RANGE_WHOLE },
		{ "*", { true, false, .if_match = "*" }, RANGE_WHOLE },
		{ "weak", { true, false, .if_match = "W/\"abc\"" }, RANGE_FAILED },
		{ "another", { true, false, .if_match = "\"x\"" }, RANGE_FAILED },
		{ "rubbish", { true, false, .if_match = "abc" }, RANGE_FAILED },
		{ "before If-None-Match",
		    { true, false, .if_match = "\"x\"", .if_none_match = "\"abc\"" },
		    RANGE_FAILED },
		{ "before the date",
		    { true, false, .if_match = "\"abc\"", .if_unmodified_since = BEFORE },
		    RANGE_WHOLE },
		{ "If-Unmodified-Since: the same", { true, false, .if_unmodified_since = DATE },
		    RANGE_WHOLE },
		{ "earlier", { true, false, .if_unmodified_since = BEFORE }, RANGE_FAILED },
		{ "no date", { true, false, .if_unmodified_since = "x" }, RANGE_WHOLE },
		{ "Range", { true, false, .range = "bytes=0-1" }, RANGE_PART },
		{ "for HEAD", { false, true, .range = "bytes=0-1" }, RANGE_WHOLE },
		{ "broken, for HEAD", { false, true, .range = "bytes=x" }, RANGE_WHOLE },
		{ "not modified comes first",
		    { true, false, .range = "bytes=0-1", .if_none_match = "\"abc\"" },
		    RANGE_NOT_MODIFIED },
		{ "If-Range: ours", { true, false, .range = "bytes=0-1", .if_range = "\"abc\"" },
		    RANGE_PART },
		{ "weak", { true, false, .range = "bytes=0-1", .if_range = "W/\"abc\"" },
		    RANGE_WHOLE },
		{ "another", { true, false, .range = "bytes=0-1", .if_range = "\"x\"" },
		    RANGE_WHOLE },
		{ "a list", { true, false, .range = "bytes=0-1", .if_range = "\"abc\", \"x\"" },
		    RANGE_WHOLE },
		{ "the same date", { true, false, .range = "bytes=0-1", .if_range = DATE },
		    RANGE_PART },
		{ "a later date", { true, false, .range = "bytes=0-1", .if_range = AFTER },
		    RANGE_WHOLE },
		{ "rubbish", { true, false, .range = "bytes=0-1", .if_range = "abc" },
		    RANGE_WHOLE },
		{ "another version hides 416",
		    { true, false, .range = "bytes=5000-", .if_range = "\"x\"" }, RANGE_WHOLE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct range r;

		tap_is(range_evaluate(&cases[i].rq, &file, &r), cases[i].want, cases[i].name);
	}
}

int
main(void)
{
	test_ranges();
	test_conditions();
	return tap_done();
}
