/*
 * Limits at their last good and first bad value, boundaries, and long bodies full of bytes that are
 * nearly a delimiter, compared with a search that looks at every byte.
 */
#include "base/sys.h"

#include "../support/multipart_events.h"
#include "fcgi/multipart_scan.h"
#include "tap.h"

#define N "\r\n"
#define DISPOSITION "Content-Disposition: form-data; name=\"a\""

/* Appends n times c. */
static void
add_many(struct strbuf *b, size_t n, char c)
{
	while (n-- > 0)
		strbuf_addc(b, c);
}

/* The events of body: want has to stand in them. */
static void
expect(const struct strbuf *body, const char *boundary, const char *want, const char *name)
{
	struct strbuf b, cut;

	strbuf_init(&b);
	strbuf_init(&cut);
	events_run(&b, boundary, NULL, body->s, body->len, 0, SIZE_MAX);
	if (!tap_ok(strstr(b.s, want) != NULL, "%s", name))
		printf("# got %s\n", b.s);
	events_run(&cut, boundary, NULL, body->s, body->len, 0, 1);
	tap_str(cut.s, b.s, "and byte by byte");
	strbuf_release(&b);
	strbuf_release(&cut);
}

static void
test_preamble_and_space(void)
{
	static const struct {
		size_t preamble, space;
		const char *want, *name;
	} cases[] = {
		{ 1024, 0, "a=1|$", "a preamble of 1024 bytes" },
		{ 1025, 0, "!input:multipart body: more than 1024 bytes before", "of more" },
		{ 0, 64, "a=1|$", "64 spaces after a delimiter" },
		{ 0, 65, "more than 64 bytes of white space", "65 spaces" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf b;

		strbuf_init(&b);
		add_many(&b, cases[i].preamble, 'x');
		if (cases[i].preamble)
			strbuf_adds(&b, N);
		strbuf_adds(&b, "--b");
		add_many(&b, cases[i].space, ' ');
		strbuf_adds(&b, N DISPOSITION N N "1" N "--b--" N);
		expect(&b, "b", cases[i].want, cases[i].name);
		strbuf_release(&b);
	}
}

/* The line end of the closing delimiter counts. */
static void
test_epilogue(void)
{
	for (size_t over = 0; over < 2; over++) {
		struct strbuf b;

		strbuf_init(&b);
		strbuf_adds(&b, "--b" N DISPOSITION N N "1" N "--b--" N);
		add_many(&b, 65534 + over, 'x');
		expect(&b, "b",
		    over ? "a=1|$!input:multipart body: more than 65536 bytes after the closing"
			 : "a=1|$",
		    over ? "an epilogue of more" : "an epilogue of 64 KiB");
		strbuf_release(&b);
	}
}

static void
test_parameter(const char *before, size_t n, const char *want, const char *name)
{
	struct strbuf b;

	strbuf_init(&b);
	strbuf_addf(&b, "--b" N "Content-Disposition: form-data; %s", before);
	add_many(&b, n, 'x');
	strbuf_adds(&b, "\"" N N "1" N "--b--" N);
	expect(&b, "b", want, name);
	strbuf_release(&b);
}

static void
test_type(size_t n, const char *want, const char *name)
{
	struct strbuf b;

	strbuf_init(&b);
	strbuf_adds(&b, "--b" N DISPOSITION N "Content-Type: ");
	add_many(&b, n, 't');
	strbuf_adds(&b, N N "1" N "--b--" N);
	expect(&b, "b", want, name);
	strbuf_release(&b);
}

static void
test_header_block(size_t lines, size_t bytes, const char *want, const char *name)
{
	struct strbuf b;
	size_t start;

	strbuf_init(&b);
	strbuf_adds(&b, "--b" N);
	start = b.len;
	strbuf_adds(&b, DISPOSITION N);
	for (size_t i = 1; i < lines; i++)
		strbuf_adds(&b, "X: y" N);
	if (bytes) {
		strbuf_adds(&b, "X: ");
		add_many(&b, bytes - (b.len - start) - 4, 'x');
		strbuf_adds(&b, N);
	}
	strbuf_adds(&b, N "1" N "--b--" N);
	expect(&b, "b", want, name);
	strbuf_release(&b);
}

static void
test_parts(size_t parts, const char *want, const char *name)
{
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < parts; i++)
		strbuf_addf(&b, "--b" N "Content-Disposition: form-data; name=%zu" N N "1" N, i);
	strbuf_adds(&b, "--b--" N);
	expect(&b, "b", want, name);
	strbuf_release(&b);
}

static void
test_boundaries(void)
{
	static const char seventy[] =
	    "'()+_,-./:=? 1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST--";
	struct multipart mp;
	struct strbuf b;

	strbuf_init(&b);
	tap_is((long long)strlen(seventy) - 1, 70, "a boundary of 70 characters");
	for (size_t skip = 1; skip < strlen(seventy); skip += 9) {
		strbuf_reset(&b);
		strbuf_addf(&b, "--%s" N DISPOSITION N N "1" N "--%.9s" N "--%s--" N,
		    seventy + skip, seventy + skip, seventy + skip);
		if (strlen(seventy + skip) > 9)
			expect(&b, seventy + skip, "|$", seventy + skip);
	}
	tap_is(multipart_init(&mp, " ~", 2, NULL), 0, "the first and the last printable character");
	tap_is(multipart_init(&mp, "", 0, NULL), -1, "an empty boundary");
	tap_is(multipart_init(&mp, seventy, 71, NULL), -1, "a boundary of 71 characters");
	tap_is(multipart_init(&mp, "a ", 2, NULL), -1, "a boundary with a space at its end");
	tap_is(multipart_init(&mp, "a\rb", 3, NULL), -1, "a boundary with CR");
	tap_is(multipart_init(&mp, "a\0b", 3, NULL), -1, "a boundary with NUL");
	tap_is(multipart_init(&mp, "\xc3\xa4", 2, NULL), -1, "a boundary in UTF-8");
	tap_is(mp.error.kind, ERR_INPUT, "is the client's fault");
	tap_is(multipart_finish(&mp, NULL), -1, "and stays an error");
	strbuf_release(&b);
}

static void
test_own_limits(void)
{
	struct multipart_limits limits = multipart_defaults;
	static const char body[] = "--b" N DISPOSITION N N "1" N "--b" N DISPOSITION N N "--b--";
	struct multipart mp;
	struct strbuf b;

	strbuf_init(&b);
	limits.parts = 1;
	events_run(&b, "b", &limits, body, strlen(body), 0, 7);
	tap_str(b.s, "a=1|!too-big:multipart body, part 1: more than 1 parts", "one part allowed");
	limits.header_bytes = MULTIPART_HEADER_BYTES;
	limits.name = DISPOSITION_NAME;
	limits.filename = DISPOSITION_FILENAME;
	tap_is(multipart_init(&mp, "b", 1, &limits), 0, "the largest limits");
	limits.header_bytes++;
	tap_is(multipart_init(&mp, "b", 1, &limits), -1, "headers that no buffer holds");
	limits.header_bytes--;
	limits.name++;
	tap_is(multipart_init(&mp, "b", 1, &limits), -1, "names that no buffer holds");
	limits.name--;
	limits.filename++;
	tap_is(multipart_init(&mp, "b", 1, &limits), -1, "file names that no buffer holds");
	strbuf_release(&b);
}

/* The plain way to say what multipart_scan does. */
static size_t
slow_scan(const unsigned char *p, size_t n, const char *d, size_t m, size_t *matched)
{
	for (size_t i = 0; i < n; i++) {
		*matched = n - i < m ? n - i : m;
		if (memcmp(p + i, d, *matched) == 0 &&
		    (i + m >= n || strchr(" \t\r\n", p[i + m]) ||
			(p[i + m] == '-' && (i + m + 1 == n || p[i + m + 1] == '-'))))
			return i;
	}
	*matched = 0;
	return n;
}

static void
test_scan(const char *d)
{
	unsigned char text[400];
	size_t m = strlen(d), bad = 0, hits = 0;
	unsigned seed = 7;

	for (size_t round = 0; round < 20000; round++) {
		size_t n, matched, slow_matched, want;
		const unsigned char *got;

		for (n = 0; n < 200;) {
			size_t len = (seed = seed * 1103515245 + 12345) >> 16 & 63;

			if (len > m)
				len = len % 3;
			if (len == m && seed >> 28 > 2)
				len--;
			memcpy(text + n, d, len);
			n += len;
			text[n++] = (unsigned char)d[(seed >> 24) % m];
		}
		n -= seed >> 25;
		got = multipart_scan(text, text + n, d, m, &matched);
		want = slow_scan(text, n, d, m, &slow_matched);
		hits += matched == m;
		bad += (size_t)(got - text) != want || matched != slow_matched;
	}
	tap_is((long long)bad, 0, "the search finds what a slow one finds");
	tap_ok(hits > 100 && hits < 19900, "and both outcomes occur (%zu hits)", hits);
}

/* A long body with a near miss at every distance from the start of a 64-byte block. */
static void
test_long_data(void)
{
	struct strbuf body, want, got;

	strbuf_init(&body);
	strbuf_init(&want);
	strbuf_init(&got);
	for (size_t i = 0; i < 300; i++) {
		add_many(&want, i % 67, i % 2 ? '\r' : 'x');
		strbuf_adds(&want, i % 3 ? "\r\n--Boundary--Boundarx" : "\r\n--Bo\r\n--Xoundary7");
	}
	strbuf_addf(&body, "--Boundary7" N DISPOSITION N N "%s" N "--Boundary7--", want.s);
	strbuf_adds(&got, "a=");
	events_quote(&got, want.s, want.len);
	strbuf_adds(&got, "|$");
	for (size_t step = 1; step < body.len; step += step < 200 ? 1 : 1777) {
		struct strbuf b;

		strbuf_init(&b);
		events_run(&b, "Boundary7", NULL, body.s, body.len, 0, step);
		if (strcmp(b.s, got.s) != 0)
			tap_ok(false, "long data in steps of %zu", step);
		strbuf_release(&b);
	}
	tap_ok(body.len > 10000, "long data in steps of 1 to %zu", body.len);
	strbuf_release(&body);
	strbuf_release(&want);
	strbuf_release(&got);
}

int
main(void)
{
	test_preamble_and_space();
	test_epilogue();
	test_parameter("name=\"", 256, "x=1|$", "a name of 256 bytes");
	test_parameter("name=\"", 257,
	    "!input:multipart body, part 1: Content-Disposition: name= is", "of 257");
	test_parameter("name=a; filename=\"", 1024, "x>=1|$", "a file name of 1024 bytes");
	test_parameter("name=a; filename=\"", 1025, "filename= is longer than 1024", "of 1025");
	test_parameter("name=a; x=\"", 3000, "a=1|$", "another parameter may be longer");
	test_type(255, "t)=1|$", "a content type of 255 bytes");
	test_type(256, "Content-Type is longer than 255 bytes", "of 256");
	test_header_block(16, 0, "a=1|$", "16 headers");
	test_header_block(17, 0, "more than 16 headers", "17 headers");
	test_header_block(1, 8192, "a=1|$", "8192 bytes of headers");
	test_header_block(1, 8193, "headers longer than 8192 bytes", "8193 bytes");
	test_parts(100, "99=1|$", "100 parts");
	test_parts(101, "!too-big:multipart body, part 100: more than 100 parts", "101 parts");
	test_boundaries();
	test_own_limits();
	test_scan("\r\n--b");
	test_scan("\r\n--------------------------d74496d66958873e");
	test_long_data();
	return tap_done();
}
