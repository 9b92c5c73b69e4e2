#include "base/sys.h"

#include "base/strbuf.h"
#include "fcgi/query.h"
#include "tap.h"

/* The pairs as "a=1|b=2|", or "!" when the query is refused. */
static void
show(const char *text, struct strbuf *b)
{
	struct query q;
	struct err e;

	strbuf_reset(b);
	if (query_parse(text, &q, &e) < 0) {
		strbuf_adds(b, e.kind == ERR_INPUT ? "!" : "wrong kind");
		return;
	}
	for (size_t i = 0; i < q.n; i++)
		strbuf_addf(b, "%s=%s|", q.pair[i].name, q.pair[i].value);
}

static void
test_cases(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ NULL, "" },
		{ "", "" },
		{ "&&", "" },
		{ "a=1", "a=1|" },
		{ "a=1&b=2", "a=1|b=2|" },
		{ "&a=1&&b=2&", "a=1|b=2|" },
		{ "a", "a=|" },
		{ "a=", "a=|" },
		{ "a&b", "a=|b=|" },
		{ "a=b=c", "a=b=c|" },
		{ "q=two+words", "q=two words|" },
		{ "q=a%2Bb%20c", "q=a+b c|" },
		{ "%61=%31", "a=1|" },
		{ "q=%c3%A4", "q=\xc3\xa4|" },
		{ "q=\xc3\xa4", "q=\xc3\xa4|" },
		{ "a;b=1", "a;b=1|" },
		{ "a=%26&b=%3d", "a=&|b==|" },
		{ "=1", "!" },
		{ "=", "!" },
		{ "a=1&=2", "!" },
		{ "a=%", "!" },
		{ "a=%4", "!" },
		{ "a=%4g", "!" },
		{ "a=%-1", "!" },
		{ "a=% 1", "!" },
		{ "a=%4&b=1", "!" },
		{ "%=1", "!" },
		{ "a=%00", "!" },
		{ "%00=a", "!" },
		{ "a=%ff", "!" },
		{ "a=%c0%af", "!" },
		{ "a=%ed%a0%80", "!" },
		{ "a=1&a=2", "!" },
		{ "a=1&%61=1", "!" },
		{ "a&a", "!" },
	};
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		show(cases[i].text, &b);
		tap_str(b.s, cases[i].want, cases[i].text ? cases[i].text : "NULL");
	}
	strbuf_release(&b);
}

static void
test_limits(void)
{
	struct query q;
	struct strbuf b;

	strbuf_init(&b);
	for (int i = 0; i < QUERY_PAIRS; i++)
		strbuf_addf(&b, "%s%d=x", i ? "&" : "", i);
	tap_is(query_parse(b.s, &q, NULL), 0, "as many pairs as there is room for");
	tap_str(query_get(&q, "31"), "x", "the last one");
	tap_str(query_get(&q, "32"), NULL, "one that is not there");
	strbuf_adds(&b, "&z");
	tap_is(query_parse(b.s, &q, NULL), -1, "one more");
	strbuf_reset(&b);
	strbuf_adds(&b, "a=");
	while (b.len < QUERY_BYTES)
		strbuf_addc(&b, 'x');
	tap_is(query_parse(b.s, &q, NULL), 0, "the longest query");
	tap_is((long long)strlen(query_get(&q, "a")), QUERY_BYTES - 2, "is read whole");
	strbuf_addc(&b, 'x');
	tap_is(query_parse(b.s, &q, NULL), -1, "a longer one");
	strbuf_release(&b);
}

int
main(void)
{
	test_cases();
	test_limits();
	return tap_done();
}
