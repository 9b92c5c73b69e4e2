#include "base/sys.h"

#include "base/strbuf.h"
#include "fcgi/record.h"
#include "tap.h"

static struct strbuf b;

static void
add_record(int type, unsigned id, const void *content, size_t n, size_t padding)
{
	unsigned char h[RECORD_HEADER];

	record_header(h, (enum record_type)type, id, n);
	h[6] = (unsigned char)padding;
	strbuf_add(&b, h, sizeof(h));
	strbuf_add(&b, content, n);
	while (padding-- > 0)
		strbuf_addc(&b, 'P');
}

static void
begin(int role, unsigned id)
{
	char body[8] = { 0, (char)role };

	strbuf_reset(&b);
	add_record(RECORD_BEGIN_REQUEST, id, body, sizeof(body), 0);
}

static int
opening(struct record_opening *o, struct err *e)
{
	return record_opening((const unsigned char *)b.s, b.len, o, e);
}

/* What is in b is refused, and the text says why. */
static void
refused(const char *why, const char *name)
{
	struct record_opening o;
	struct err e = { 0 };
	int rc = opening(&o, &e);

	tap_ok(rc == -1 && e.kind == ERR_INPUT && strstr(e.text, why) != NULL, "%s", name);
	if (rc == -1)
		printf("# %s\n", e.text);
}

/* BEGIN and one PARAMS record of a name and a value of these lengths, then the empty one. */
static void
one_pair(size_t name, size_t value)
{
	struct strbuf p;

	strbuf_init(&p);
	begin(1, 1);
	for (int i = 0; i < 2; i++) {
		size_t n = i == 0 ? name : value;
		char len[4] = { (char)(0x80 | n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n };

		strbuf_add(&p, n < 128 ? len + 3 : len, n < 128 ? 1 : 4);
	}
	for (size_t i = 0; i < name + value; i++)
		strbuf_addc(&p, 'x');
	add_record(RECORD_PARAM, 1, p.s, p.len, 5);
	add_record(RECORD_PARAM, 1, "", 0, 0);
	strbuf_release(&p);
}

static void
test_whole(void)
{
	struct record_opening o;
	struct err e;
	size_t whole;

	one_pair(3, 200);
	whole = b.len;
	tap_is(opening(&o, &e), 1, "a whole opening");
	tap_ok(o.size == whole && o.id == 1, "its size and id");
	add_record(RECORD_STDIN, 1, "x", 1, 0);
	tap_ok(opening(&o, &e) == 1 && o.size == whole, "what follows does not count");
	begin(1, 258);
	add_record(RECORD_PARAM, 258, "", 0, 0);
	tap_ok(opening(&o, &e) == 1 && o.id == 258, "no parameters, id of two bytes");
}

/* Every prefix wants more; and where records cut the pairs does not matter. */
static void
test_cuts(void)
{
	struct record_opening o;
	struct err e;
	char pairs[] = "\x03\x04"
		       "ABCdefg\x01\x80\x00\x00\x02Zyy\x01\x00Q";
	size_t n = sizeof(pairs) - 1, bad = 0;

	one_pair(3, 200);
	for (size_t all = b.len, len = 0; len < all; len++) {
		b.len = len;
		bad += opening(&o, &e) != 0;
	}
	tap_is(bad, 0, "every prefix of an opening wants more");
	for (size_t i = 1; i < n; i++) {
		begin(1, 1);
		add_record(RECORD_PARAM, 1, pairs, i, 7);
		add_record(RECORD_PARAM, 1, pairs + i, n - i, 0);
		add_record(RECORD_PARAM, 1, "", 0, 0);
		bad += opening(&o, &e) != 1;
		b.len -= 2 * RECORD_HEADER + n - i;
		add_record(RECORD_PARAM, 1, "", 0, 0);
		/* The only places where a pair ends. */
		bad += opening(&o, &e) != (i == 9 || i == 17 ? 1 : -1);
	}
	tap_is(bad, 0, "pairs may be cut anywhere, but not at the end");
}

static void
test_refused(void)
{
	begin(2, 1);
	refused("role 2", "an authorizer");
	begin(1, 0);
	refused("BEGIN_REQUEST", "id 0");
	begin(1, 1);
	b.s[0] = 2;
	refused("version 2", "version 2");
	strbuf_reset(&b);
	add_record(RECORD_PARAM, 1, "", 0, 0);
	refused("BEGIN_REQUEST", "parameters first");
	strbuf_reset(&b);
	add_record(9, 0, "", 0, 0);
	refused("BEGIN_REQUEST", "a management record first");
	strbuf_reset(&b);
	add_record(RECORD_BEGIN_REQUEST, 1, "1234567", 7, 0);
	refused("BEGIN_REQUEST", "a short BEGIN_REQUEST");
	begin(1, 1);
	add_record(9, 0, "", 0, 0);
	refused("type 9", "a management record among the parameters");
	begin(1, 1);
	add_record(RECORD_ABORT_REQUEST, 1, "", 0, 0);
	refused("type 2", "abort before the parameters end");
	begin(1, 1);
	add_record(RECORD_PARAM, 2, "", 0, 0);
	refused("id 2", "parameters of another request");
	begin(1, 1);
	add_record(RECORD_STDIN, 1, "x", 1, 0);
	refused("type 5", "a body before the parameters end");
}

static void
test_pairs_refused(void)
{
	struct record_opening o;
	struct err e;

	begin(1, 1);
	add_record(RECORD_PARAM, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 0);
	refused("4294967294", "a pair of 4 GiB");
	begin(1, 1);
	add_record(RECORD_PARAM, 1, "\x00\x01x", 3, 0);
	refused("without a name", "a pair without a name");
	begin(1, 1);
	add_record(RECORD_PARAM, 1, "\x01\x02xy\0", 5, 0);
	refused("NUL", "NUL in a value");
	one_pair(4, 60000);
	tap_is(opening(&o, &e), 1, "60,000 bytes of parameters");
	one_pair(4, 65500);
	refused("over 65536", "parameters over 64 KiB");
	begin(1, 1);
	for (int i = 0; i < RECORD_PARAMS; i++)
		add_record(RECORD_PARAM, 1, "\x01\x01xy", 4, 0);
	add_record(RECORD_PARAM, 1, "", 0, 0);
	tap_is(opening(&o, &e), 1, "as many parameters as are allowed");
	b.len -= RECORD_HEADER;
	add_record(RECORD_PARAM, 1, "\x01\x01xy", 4, 0);
	refused("more than", "one more");
}

int
main(void)
{
	strbuf_init(&b);
	test_whole();
	test_cuts();
	test_refused();
	test_pairs_refused();
	strbuf_release(&b);
	return tap_done();
}
