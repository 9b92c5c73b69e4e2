#include "base/sys.h"

#include "base/clock.h"

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };
static const char *const days[7] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
	"Friday", "Saturday" };

uint64_t
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
clock_sleep_ms(uint64_t ms)
{
	struct timespec t = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	nanosleep(&t, NULL);
}

/* Broken-down UTC; a time that has none of four digits in its year becomes the epoch. */
static struct tm
utc(time_t t)
{
	struct tm tm;
	time_t epoch = 0;

	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		gmtime_r(&epoch, &tm);
	return tm;
}

const char *
clock_rfc3339(const struct timespec *t, char out[CLOCK_RFC3339])
{
	struct tm tm = utc(t->tv_sec);
	size_t n = strftime(out, CLOCK_RFC3339, "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(out + n, CLOCK_RFC3339 - n, ".%03uZ", (unsigned)(t->tv_nsec / 1000000 % 1000));
	return out;
}

const char *
clock_http(time_t t, char out[CLOCK_HTTP])
{
	struct tm tm = utc(t);
	size_t n = 0;

	/* The names are English whatever the locale says. */
	n += (size_t)snprintf(out, CLOCK_HTTP, "%.3s, %02u %s ", days[tm.tm_wday],
	    (unsigned)tm.tm_mday % 100, months[tm.tm_mon]);
	strftime(out + n, CLOCK_HTTP - n, "%Y %H:%M:%S GMT", &tm);
	return out;
}

/* Takes one literal off *s. */
static bool
eat(const char **s, const char *literal)
{
	size_t n = strlen(literal);

	if (strncmp(*s, literal, n) != 0)
		return false;
	*s += n;
	return true;
}

/* Takes exactly n digits off *s; with blank, a leading space counts as zero (asctime's day). */
static bool
eat_number(const char **s, int n, bool blank, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*s)++) {
		char c = **s;

		if (blank && i == 0 && c == ' ')
			c = '0';
		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (c - '0');
	}
	*out = v;
	return true;
}

static bool
eat_month(const char **s, struct tm *tm)
{
	for (int i = 0; i < 12; i++) {
		if (eat(s, months[i])) {
			tm->tm_mon = i;
			return true;
		}
	}
	return false;
}

static bool
eat_time(const char **s, struct tm *tm)
{
	return eat_number(s, 2, false, &tm->tm_hour) && eat(s, ":") &&
	       eat_number(s, 2, false, &tm->tm_min) && eat(s, ":") &&
	       eat_number(s, 2, false, &tm->tm_sec);
}

/* RFC 9110: a two-digit year that seems more than 50 years ahead is of the past century. */
static int
full_year(int two_digits)
{
	struct tm now = utc(time(NULL));
	int year = now.tm_year / 100 * 100 + two_digits;

	return year > now.tm_year + 50 ? year - 100 : year;
}

/* After "Sun": the three forms differ in what follows the name of the day. */
static bool
parse_rest(const char *s, const char *long_name, struct tm *tm)
{
	int year;

	if (eat(&s, ", ")) {
		if (!(eat_number(&s, 2, false, &tm->tm_mday) && eat(&s, " ") && eat_month(&s, tm) &&
			eat(&s, " ") && eat_number(&s, 4, false, &year) && eat(&s, " ") &&
			eat_time(&s, tm) && eat(&s, " GMT")))
			return false;
		tm->tm_year = year - 1900;
	} else if (eat(&s, long_name + 3) && eat(&s, ", ")) {
		if (!(eat_number(&s, 2, false, &tm->tm_mday) && eat(&s, "-") && eat_month(&s, tm) &&
			eat(&s, "-") && eat_number(&s, 2, false, &year) && eat(&s, " ") &&
			eat_time(&s, tm) && eat(&s, " GMT")))
			return false;
		tm->tm_year = full_year(year);
	} else {
		if (!(eat(&s, " ") && eat_month(&s, tm) && eat(&s, " ") &&
			eat_number(&s, 2, true, &tm->tm_mday) && eat(&s, " ") && eat_time(&s, tm) &&
			eat(&s, " ") && eat_number(&s, 4, false, &year)))
			return false;
		tm->tm_year = year - 1900;
	}
	return *s == '\0';
}

int
clock_parse_http(const char *s, time_t *out)
{
	struct tm tm = { 0 }, normal;
	time_t t;
	int day = 0;

	while (day < 7 && strncmp(s, days[day], 3) != 0)
		day++;
	if (day == 7 || !parse_rest(s + 3, days[day], &tm))
		return -1;
	if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60 || tm.tm_mday < 1)
		return -1;
	normal = tm;
	normal.tm_hour = normal.tm_min = normal.tm_sec = 0;
	timegm(&normal);
	if (normal.tm_mday != tm.tm_mday) /* 31 February */
		return -1;
	t = timegm(&tm);
	*out = t;
	return 0;
}
