#include "base/sys.h"

#include "base/clock.h"
#include "fcgi/range.h"

static bool
present(const char *s)
{
	return s && *s;
}

static const char *
skip_space(const char *s)
{
	return s + strspn(s, " \t");
}

/* ---- entity tags --------------------------------------------------------------------------- */

/* An entity-tag at s. Returns what follows it, or NULL; *tag and *len with the quotes. */
static const char *
entity_tag(const char *s, bool *weak, const char **tag, size_t *len)
{
	const char *close;

	*weak = strncmp(s, "W/", 2) == 0;
	if (*weak)
		s += 2;
	if (*s != '"')
		return NULL;
	for (close = s + 1; *close != '"'; close++)
		if ((unsigned char)*close <= ' ' || *close == 0x7f)
			return NULL;
	*tag = s;
	*len = (size_t)(close + 1 - s);
	return close + 1;
}

/* Whether a list of If-Match (strong) or If-None-Match (weak comparison) has etag. */
static bool
list_has(const char *list, const char *etag, bool strong)
{
	const char *s = skip_space(list), *tag;
	size_t len;
	bool weak;

	if (*s == '*')
		return *skip_space(s + 1) == '\0';
	for (;;) {
		s += strspn(s, " \t,");
		s = entity_tag(s, &weak, &tag, &len);
		if (!s)
			return false;
		if (!(weak && strong) && strlen(etag) == len && memcmp(tag, etag, len) == 0)
			return true;
		s = skip_space(s);
		if (*s != ',')
			return false;
	}
}

/* ---- preconditions, in the order of RFC 9110 section 13.2.2 ---------------------------------- */

static bool
failed(const struct range_request *rq, const struct range_entity *ent)
{
	time_t t;

	if (present(rq->if_match))
		return !list_has(rq->if_match, ent->etag, true);
	return present(rq->if_unmodified_since) &&
	       clock_parse_http(rq->if_unmodified_since, &t) == 0 && ent->modified > t;
}

/* RANGE_WHOLE when the client does not have this version, or did not ask. */
static enum range_outcome
unchanged(const struct range_request *rq, const struct range_entity *ent)
{
	bool reads = rq->is_get || rq->is_head;
	time_t t;

	if (present(rq->if_none_match)) {
		if (!list_has(rq->if_none_match, ent->etag, false))
			return RANGE_WHOLE;
		return reads ? RANGE_NOT_MODIFIED : RANGE_FAILED;
	}
	if (reads && present(rq->if_modified_since) &&
	    clock_parse_http(rq->if_modified_since, &t) == 0 && ent->modified <= t)
		return RANGE_NOT_MODIFIED;
	return RANGE_WHOLE;
}

/* Whether the part that the client has belongs to what we would send. */
static bool
same_version(const struct range_request *rq, const struct range_entity *ent)
{
	const char *s = rq->if_range, *tag, *rest;
	size_t len;
	bool weak;
	time_t t;

	if (!present(s))
		return true;
	s = skip_space(s);
	if (*s != '"' && *s != 'W')
		return clock_parse_http(s, &t) == 0 && t == ent->modified;
	rest = entity_tag(s, &weak, &tag, &len);
	return rest && !*skip_space(rest) && !weak && strlen(ent->etag) == len &&
	       memcmp(tag, ent->etag, len) == 0;
}

/* ---- ranges -------------------------------------------------------------------------------- */

/* Digits at *s; a number that does not fit becomes UINT64_MAX, which is past every end. */
static bool
digits(const char **s, uint64_t *out)
{
	const char *p = *s;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
	}
	*out = v;
	if (p == *s)
		return false;
	*s = p;
	return true;
}

/*
 * One range-spec at *s. RANGE_PART with r set, RANGE_WHOLE for a suffix of an empty file (which is
 * satisfiable, but has no first byte to tell), RANGE_UNSATISFIABLE, or RANGE_MALFORMED.
 */
static enum range_outcome
spec(const char **s, uint64_t size, struct range *r)
{
	uint64_t first, last;

	if (**s == '-') {
		(*s)++;
		if (!digits(s, &last))
			return RANGE_MALFORMED;
		if (last == 0)
			return RANGE_UNSATISFIABLE;
		if (size == 0)
			return RANGE_WHOLE;
		r->first = last < size ? size - last : 0;
		r->last = size - 1;
		return RANGE_PART;
	}
	if (!digits(s, &first) || **s != '-')
		return RANGE_MALFORMED;
	(*s)++;
	if (!digits(s, &last))
		last = UINT64_MAX;
	else if (last < first)
		return RANGE_MALFORMED;
	if (first >= size)
		return RANGE_UNSATISFIABLE;
	r->first = first;
	r->last = last < size ? last : size - 1;
	return RANGE_PART;
}

/* The list behind "bytes=". */
static enum range_outcome
list(const char *s, uint64_t size, struct range *r)
{
	enum range_outcome all = RANGE_UNSATISFIABLE;
	size_t specs = 0;

	for (;;) {
		struct range one = { 0, 0 };
		enum range_outcome outcome;

		s += strspn(s, " \t,");
		if (!*s)
			return specs ? all : RANGE_MALFORMED;
		outcome = spec(&s, size, &one);
		specs++;
		s = skip_space(s);
		if (outcome == RANGE_MALFORMED || (*s && *s != ','))
			return RANGE_MALFORMED;
		if (outcome == RANGE_UNSATISFIABLE)
			continue;
		if (outcome == RANGE_PART && all == RANGE_UNSATISFIABLE) {
			*r = one;
			all = RANGE_PART;
		} else {
			all = RANGE_WHOLE;
		}
	}
}

enum range_outcome
range_evaluate(const struct range_request *rq, const struct range_entity *ent, struct range *r)
{
	struct range whole = { 0, ent->size ? ent->size - 1 : 0 };
	enum range_outcome outcome;
	const char *s;
	size_t unit;

	*r = whole;
	if (failed(rq, ent))
		return RANGE_FAILED;
	outcome = unchanged(rq, ent);
	if (outcome != RANGE_WHOLE)
		return outcome;
	if (!rq->is_get || !present(rq->range) || !same_version(rq, ent))
		return RANGE_WHOLE;
	s = skip_space(rq->range);
	unit = strcspn(s, "= \t");
	if (unit != 5 || strncasecmp(s, "bytes", 5) != 0)
		return RANGE_WHOLE;
	if (s[unit] != '=')
		return RANGE_MALFORMED;
	outcome = list(s + unit + 1, ent->size, r);
	if (outcome != RANGE_PART)
		*r = whole;
	return outcome;
}
