#include "base/sys.h"

#include "base/codec.h"
#include "fcgi/query.h"

/* Decodes n bytes of s at *out, adds a NUL and moves *out on. 0, or -1. */
static int
decode(const char *s, size_t n, char **out, const char **text, struct err *e)
{
	char *o = *out;

	for (size_t i = 0; i < n; i++) {
		if (s[i] != '%') {
			*o++ = s[i] == '+' ? ' ' : s[i];
			continue;
		}
		if (n - i < 3 || codec_unhex(s + i + 1, 2, o, 1) < 0)
			return err_set(e, ERR_INPUT, "query: %% is not followed by two hex digits");
		o++;
		i += 2;
	}
	n = (size_t)(o - *out);
	if (memchr(*out, '\0', n))
		return err_set(e, ERR_INPUT, "query: %%00 is not allowed");
	if (!codec_utf8_valid(*out, n))
		return err_set(e, ERR_INPUT, "query: text that is not UTF-8");
	*o++ = '\0';
	*text = *out;
	*out = o;
	return 0;
}

static int
take_pair(const char *s, size_t n, struct query *q, char **out, struct err *e)
{
	const char *equals = memchr(s, '=', n);
	size_t name_len = equals ? (size_t)(equals - s) : n;
	const char *name, *value = "";

	if (q->n == QUERY_PAIRS)
		return err_set(e, ERR_INPUT, "query: more than %d parameters", QUERY_PAIRS);
	if (name_len == 0)
		return err_set(e, ERR_INPUT, "query: a parameter has no name");
	if (decode(s, name_len, out, &name, e) < 0)
		return -1;
	if (equals && decode(equals + 1, n - name_len - 1, out, &value, e) < 0)
		return -1;
	if (query_get(q, name))
		return err_set(
		    e, ERR_INPUT, "query: parameter %zu has the name of an earlier one", q->n + 1);
	q->pair[q->n].name = name;
	q->pair[q->n].value = value;
	q->n++;
	return 0;
}

int
query_parse(const char *s, struct query *q, struct err *e)
{
	char *out = q->buf;
	size_t len = s ? strlen(s) : 0, n;

	q->n = 0;
	if (len > QUERY_BYTES)
		return err_set(e, ERR_INPUT, "query: longer than %d bytes", QUERY_BYTES);
	for (; len > 0; s += n, len -= n) {
		n = strcspn(s, "&");
		if (n > 0 && take_pair(s, n, q, &out, e) < 0)
			return -1;
		if (n < len)
			n++;
	}
	return 0;
}

const char *
query_get(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->n; i++)
		if (strcmp(q->pair[i].name, name) == 0)
			return q->pair[i].value;
	return NULL;
}
