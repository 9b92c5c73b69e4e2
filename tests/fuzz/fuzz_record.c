/*
 * The opening of a request. The first byte chooses: an even one, the rest is what the peer sends;
 * an odd one, the rest is the stream of parameters, and is cut into records in many ways, which
 * must make no difference.
 */
#include "base/sys.h"

#include "base/strbuf.h"
#include "fcgi/record.h"
#include "fuzz.h"

enum { ID = 0x102 };

/* A copy of just that length, so that the address sanitizer sees one byte too many. */
static int
opening(const uint8_t *data, size_t size, struct record_opening *o, struct err *e)
{
	uint8_t *copy = mem_alloc(size ? size : 1);
	int rc;

	if (size)
		memcpy(copy, data, size);
	rc = record_opening(copy, size, o, e);
	mem_free(copy);
	return rc;
}

/* The length of a name or value at *p; false where it is cut. */
static bool
length(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
	size_t bytes = *p < end && **p >= 0x80 ? 4 : 1;

	if ((size_t)(end - *p) < bytes)
		return false;
	*out = **p & (bytes == 4 ? 0x7f : 0xff);
	for (size_t i = 1; i < bytes; i++)
		*out = *out << 8 | (*p)[i];
	*p += bytes;
	return true;
}

/* What record_opening says about a whole stream of parameters, told another way. */
static bool
pairs_good(const uint8_t *p, size_t size)
{
	const uint8_t *end = p + size;
	size_t count = 0;

	while (p < end) {
		uint64_t name, value;

		if (!length(&p, end, &name) || !length(&p, end, &value) || name == 0)
			return false;
		if (name + value > RECORD_OPENING || name + value > (uint64_t)(end - p))
			return false;
		if (memchr(p, '\0', (size_t)(name + value)) || ++count > RECORD_PARAMS)
			return false;
		p += name + value;
	}
	return true;
}

/* The contents of the parameter records of a good opening. */
static void
collect(struct strbuf *b, const uint8_t *data, size_t size, unsigned id)
{
	struct record r = record_read(data);

	MUST_HOLD(r.type == RECORD_BEGIN_REQUEST && r.content == 8 && r.id == id);
	for (size_t at = 8 + r.content + r.padding; at < size; at += 8 + r.content + r.padding) {
		r = record_read(data + at);
		MUST_HOLD(r.id == id);
		MUST_HOLD(r.type == RECORD_PARAM && (r.content > 0) == (at + 8 + r.padding < size));
		strbuf_add(b, data + at + RECORD_HEADER, r.content);
	}
}

static void
raw(const uint8_t *data, size_t size)
{
	struct record_opening whole, part;
	struct err e = { 0 }, early = { 0 };
	int rc = opening(data, size, &whole, &e);
	size_t step = size < 256 ? 1 : size / 64;
	struct strbuf b;

	MUST_HOLD(rc >= 0 || (e.kind == ERR_INPUT && e.text[0]));
	if (rc == 1) {
		MUST_HOLD(whole.size <= size && whole.size <= RECORD_OPENING && whole.id != 0);
		MUST_HOLD(opening(data, whole.size, &part, &early) == 1);
		MUST_HOLD(part.size == whole.size && part.id == whole.id);
		MUST_HOLD(opening(data, whole.size - 1, &part, &early) == 0);
		strbuf_init(&b);
		collect(&b, data, whole.size, whole.id);
		MUST_HOLD(pairs_good((const uint8_t *)b.s, b.len));
		strbuf_release(&b);
	}
	for (size_t n = 0; n < size; n += step) {
		int sooner = opening(data, n, &part, &early);

		MUST_HOLD(sooner == 0 || sooner == rc);
		MUST_HOLD(sooner != -1 || strcmp(e.text, early.text) == 0);
		MUST_HOLD(sooner != 1 || (part.size == whole.size && part.id == whole.id));
	}
}

static void
add(struct strbuf *b, enum record_type type, const uint8_t *p, size_t n, uint8_t padding)
{
	unsigned char h[RECORD_HEADER];
	uint8_t pad[256] = { 0 };

	record_header(h, type, ID, n);
	h[6] = padding;
	strbuf_add(b, h, sizeof(h));
	strbuf_add(b, p, n);
	strbuf_add(b, pad, padding);
}

/* In records of up to most bytes. */
static void
framed(const uint8_t *data, size_t size, size_t most, uint32_t seed, bool good)
{
	static const uint8_t begin[8] = { 0, 1, 0 };
	struct record_opening o;
	struct err e = { 0 };
	struct strbuf b;
	int rc;

	strbuf_init(&b);
	add(&b, RECORD_BEGIN_REQUEST, begin, sizeof(begin), 0);
	for (size_t i = 0; i < size;) {
		size_t n = 1 + (seed >> 8) % most;

		seed = seed * 1103515245 + 12345;
		n = n > size - i ? size - i : n;
		add(&b, RECORD_PARAM, data + i, n, most < 8 ? 0 : (uint8_t)(seed >> 16 & 7));
		i += n;
	}
	add(&b, RECORD_PARAM, NULL, 0, 0);
	rc = opening((const uint8_t *)b.s, b.len, &o, &e);
	if (b.len > RECORD_OPENING || !good)
		MUST_HOLD(rc == -1 && e.kind == ERR_INPUT);
	else
		MUST_HOLD(rc == 1 && o.size == b.len && o.id == ID);
	strbuf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] % 2 == 1) {
		bool good = pairs_good(data + 1, size - 1);
		uint32_t seed = (uint32_t)size * 2654435761U;

		for (size_t most = 1; most <= 65535; most = most * 5 + 1)
			framed(data + 1, size - 1, most, seed, good);
	} else if (size > 0) {
		raw(data + 1, size - 1);
	}
	return 0;
}
