#include "base/sys.h"

#include "base/num.h"

/* Reads the digits at s (n bytes) into *out; returns how many there are, 0 on overflow or none. */
static size_t
digits(const char *s, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
			return 0;
	}
	*out = v;
	return i;
}

static int
in_range(uint64_t v, uint64_t min, uint64_t max, uint64_t *out)
{
	if (v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

int
num_u64n(const char *s, size_t n, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;

	if (n == 0 || digits(s, n, &v) != n)
		return -1;
	return in_range(v, min, max, out);
}

int
num_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	return num_u64n(s, strlen(s), min, max, out);
}

/* The factor that a suffix of a size stands for, 0 for none of ours. */
static uint64_t
size_unit(const char *s)
{
	static const char letters[] = "kmgt";
	const char *at;

	if (*s == '\0')
		return 1;
	at = strchr(letters, *s | 0x20);
	if (!at || *at == '\0' || (s[1] != '\0' && strcmp(s + 1, "iB") != 0))
		return 0;
	return (uint64_t)1 << (10 * (at - letters + 1));
}

int
num_size(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v, unit;
	size_t n = digits(s, strlen(s), &v);

	if (n == 0)
		return -1;
	unit = size_unit(s + n);
	if (unit == 0 || __builtin_mul_overflow(v, unit, &v))
		return -1;
	return in_range(v, min, max, out);
}

int
num_duration(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = {
		{ "", 1000 },
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60 * 1000 },
		{ "h", 60 * 60 * 1000 },
		{ "d", 24 * 60 * 60 * 1000 },
	};
	uint64_t v;
	size_t n = digits(s, strlen(s), &v);

	if (n == 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcmp(s + n, units[i].suffix) != 0)
			continue;
		if (__builtin_mul_overflow(v, units[i].ms, &v))
			return -1;
		return in_range(v, min, max, out);
	}
	return -1;
}

int
num_bool(const char *s, bool *out)
{
	static const char *const words[][2] = {
		{ "no", "yes" },
		{ "off", "on" },
		{ "false", "true" },
		{ "0", "1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		for (int truth = 0; truth < 2; truth++) {
			if (strcasecmp(s, words[i][truth]) == 0) {
				*out = truth;
				return 0;
			}
		}
	}
	return -1;
}
