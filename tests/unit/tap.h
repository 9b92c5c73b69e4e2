/*
 * tap.h: the Test Anything Protocol for C.
 *
 *	int main(void)
 *	{
 *		tap_ok(1 + 1 == 2, "addition");
 *		tap_is(num, 5, "a number");
 *		tap_str(text, "abc", "a string");
 *		return tap_done();
 *	}
 */
#ifndef SLUICE_TESTS_TAP_H
#define SLUICE_TESTS_TAP_H

#include "base/sys.h"

static int tap_count, tap_failed;

/* Tells one result under a name; returns ok. */
static inline bool PRINTF_LIKE(4, 5)
    tap_result(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", ok ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!ok) {
		printf("# failed at %s:%d\n", file, line);
		tap_failed++;
	}
	fflush(stdout);
	return ok;
}

static inline bool
tap_result_int(long long got, long long want, const char *file, int line, const char *name)
{
	bool ok = tap_result(got == want, file, line, "%s", name);

	if (!ok)
		printf("# got %lld, want %lld\n", got, want);
	return ok;
}

static inline bool
tap_result_str(const char *got, const char *want, const char *file, int line, const char *name)
{
	bool ok =
	    tap_result(got && want ? strcmp(got, want) == 0 : got == want, file, line, "%s", name);

	if (!ok)
		printf("# got  %s\n# want %s\n", got ? got : "(null)", want ? want : "(null)");
	return ok;
}

#define tap_ok(cond, ...) tap_result((cond), __FILE__, __LINE__, __VA_ARGS__)
#define tap_is(got, want, name) tap_result_int((got), (want), __FILE__, __LINE__, (name))
#define tap_str(got, want, name) tap_result_str((got), (want), __FILE__, __LINE__, (name))

/* A test that cannot be made here. */
static inline void
tap_skip(const char *name, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_count, name, why);
}

/* A whole program that cannot be run here: return tap_skip_all("no PostgreSQL"). */
static inline int
tap_skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	return 0;
}

/* The plan, last; return it from main. */
static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
