/*
 * Pairs that were read can be written again, and read again to the same pairs.
 */
#include "base/sys.h"

#include "base/codec.h"
#include "fcgi/query.h"
#include "fuzz.h"

/* Every byte as %XX: codec_percent_encode leaves & alone. */
static void
add_encoded(struct strbuf *b, const char *s)
{
	for (; *s; s++)
		strbuf_addf(b, "%%%02x", (unsigned char)*s);
}

static void
check_again(const struct query *q)
{
	static struct query again;
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < q->n; i++) {
		const char *name = q->pair[i].name, *value = q->pair[i].value;

		MUST_HOLD(*name && codec_utf8_valid(name, strlen(name)));
		MUST_HOLD(codec_utf8_valid(value, strlen(value)));
		MUST_HOLD(query_get(q, name) == value);
		add_encoded(&b, name);
		strbuf_addc(&b, '=');
		add_encoded(&b, value);
		strbuf_addc(&b, '&');
	}
	if (b.len <= QUERY_BYTES) {
		MUST_HOLD(query_parse(b.s, &again, NULL) == 0 && again.n == q->n);
		for (size_t i = 0; i < q->n; i++)
			MUST_HOLD(
			    strcmp(query_get(&again, q->pair[i].name), q->pair[i].value) == 0);
	}
	strbuf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct query q;
	char *text = fuzz_text(data, size);
	struct err e;

	if (query_parse(text, &q, &e) < 0)
		MUST_HOLD(e.kind == ERR_INPUT && e.text[0]);
	else
		check_again(&q);
	mem_free(text);
	return 0;
}
