/*
 * The records of a body, which come through a socket. What is handed out, and how it ends, does not
 * depend on the size of the reads, nor on how much came with the opening; it is the contents of
 * the records up to the empty one, and an error when there is none or another record comes first.
 */
#include "base/sys.h"

#include <sys/socket.h>

#include "base/fdio.h"
#include "base/strbuf.h"
#include "fcgi/input.h"
#include "fuzz.h"

enum { ID = 1, MOST = 32768 }; /* which a socket takes at once */

struct body {
	struct strbuf bytes;
	bool whole;
};

/* The same told another way: all of it is there. */
static void
expect(struct body *b, const uint8_t *p, size_t size)
{
	b->whole = false;
	while (size >= RECORD_HEADER) {
		struct record r = record_read(p);
		size_t n;

		p += RECORD_HEADER;
		size -= RECORD_HEADER;
		if (r.version != RECORD_VERSION || r.type != RECORD_STDIN || r.id != ID)
			return;
		n = r.content < size ? r.content : size;
		strbuf_add(&b->bytes, p, n);
		if (size < r.content + r.padding)
			return;
		p += r.content + r.padding;
		size -= r.content + r.padding;
		if (r.content == 0) {
			b->whole = true;
			return;
		}
	}
}

/* A socket that holds these bytes and then ends. */
static int
feed(const uint8_t *p, size_t size)
{
	int pair[2];

	MUST_HOLD(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	MUST_HOLD(
	    size == 0 || send(pair[0], p, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
	close(pair[0]);
	return pair[1];
}

static void
begin(struct input *in, const uint8_t *data, size_t size, size_t bufsize, size_t early)
{
	unsigned char *buf = mem_alloc(bufsize);

	if (early > bufsize)
		early = bufsize;
	if (early > 0)
		memcpy(buf + bufsize - early, data, early);
	input_init(in, feed(data + early, size - early), ID, buf, bufsize, bufsize - early, early);
}

static void
end(struct input *in)
{
	close(in->fd);
	mem_free(in->buf);
}

/* Reads of up to bufsize bytes; the first early bytes came with the opening. */
static void
run(const struct body *expected, const uint8_t *data, size_t size, size_t bufsize, size_t early)
{
	const unsigned char *p;
	struct strbuf got;
	struct input in;
	struct err e = { 0 };
	ssize_t n;

	strbuf_init(&got);
	begin(&in, data, size, bufsize, early);
	while ((n = input_next(&in, &p, &e)) > 0) {
		MUST_HOLD(p >= in.buf && p + n <= in.buf + bufsize);
		strbuf_add(&got, p, (size_t)n);
	}
	MUST_HOLD(n == (expected->whole ? 0 : -1));
	MUST_HOLD(n == 0 || (e.kind == ERR_INPUT && e.text[0]));
	MUST_HOLD(got.len == expected->bytes.len && memcmp(got.s, expected->bytes.s, got.len) == 0);
	MUST_HOLD(n < 0 || (input_next(&in, &p, &e) == 0 && input_ended(&in)));
	end(&in);
	strbuf_release(&got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t seed = (uint32_t)size * 2654435761U;
	struct body expected;
	struct input in;

	if (size > MOST)
		return 0;
	strbuf_init(&expected.bytes);
	expect(&expected, data, size);
	run(&expected, data, size, 65536, 0);
	run(&expected, data, size, 65536, size);
	run(&expected, data, size, RECORD_HEADER, 0);
	for (int i = 0; i < 3; i++) {
		seed = seed * 1103515245 + 12345;
		run(&expected, data, size, RECORD_HEADER + (seed >> 16) % 300,
		    (seed >> 8) % (size + 1));
	}
	begin(&in, data, size, 65536, size / 2);
	MUST_HOLD(input_ended(&in) == (expected.whole && expected.bytes.len == 0));
	end(&in);
	strbuf_release(&expected.bytes);
	return 0;
}
