#include "base/sys.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "fcgi/record.h"
#include "fcgi/request.h"
#include "tap.h"

static char dir[] = "/tmp/sluice-request-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener;
static struct request *req;
static struct strbuf out; /* what the client is about to say */

/* ---- a web server ---- */

static int
client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fdio_drop(&fd);
	return fd;
}

static void
say(int type, unsigned id, const void *content, size_t n)
{
	unsigned char h[RECORD_HEADER];

	record_header(h, (enum record_type)type, id, n);
	strbuf_add(&out, h, sizeof(h));
	strbuf_add(&out, content, n);
}

static void
param(const char *name, const char *value)
{
	struct strbuf b;

	strbuf_init(&b);
	strbuf_addc(&b, (char)strlen(name));
	strbuf_addc(&b, (char)strlen(value));
	strbuf_adds(&b, name);
	strbuf_adds(&b, value);
	say(RECORD_PARAM, 1, b.s, b.len);
	strbuf_release(&b);
}

static void
opening(const char *method, const char *length)
{
	strbuf_reset(&out);
	say(RECORD_BEGIN_REQUEST, 1, "\0\1\0\0\0\0\0\0", 8);
	param("REQUEST_METHOD", method);
	if (length != NULL)
		param("CONTENT_LENGTH", length);
}

static void
opening_end(void)
{
	say(RECORD_PARAM, 1, "", 0);
}

/* Connects, says what is in out, and lets the request be accepted. */
static int
arrives(int *fd)
{
	struct err e;

	*fd = client();
	if (fdio_write(*fd, out.s, out.len) < 0)
		return -2;
	return request_accept(req, listener, &e);
}

/* All of the body: its length, or -1. */
static ssize_t
read_body(struct strbuf *body, struct err *e)
{
	const unsigned char *p;
	ssize_t n;

	strbuf_reset(body);
	while ((n = request_body(req, &p, e)) > 0)
		strbuf_add(body, p, (size_t)n);
	return n < 0 ? -1 : (ssize_t)body->len;
}

/* Reads the STDOUT contents up to END_REQUEST; the number of these. */
static int
answer(int fd, struct strbuf *content)
{
	unsigned char h[RECORD_HEADER];
	int ends = 0;

	strbuf_reset(content);
	while (ends == 0 && fdio_read_full(fd, h, sizeof(h)) == sizeof(h)) {
		struct record r = record_read(h);
		char *p = mem_alloc(r.content + 1);
		ssize_t n = fdio_read_full(fd, p, r.content + r.padding);

		if (n > 0 && r.type == RECORD_STDOUT)
			strbuf_add(content, p, r.content);
		ends += r.type == RECORD_END_REQUEST;
		mem_free(p);
	}
	return ends;
}

/* ---- tests ---- */

static void
test_get(void)
{
	struct strbuf b;
	struct err e;
	uint64_t length, start;
	int fd;

	strbuf_init(&b);
	opening("GET", "");
	param("EMPTY", "");
	param("REQUEST_ID", "abc-1.2_X");
	opening_end();
	say(RECORD_STDIN, 1, "", 0);
	tap_is(arrives(&fd), 1, "a request arrives");
	tap_str(request_method(req), "GET", "its method");
	tap_str(request_id(req), "abc-1.2_X", "its id is the web server's");
	tap_ok(request_param(req, "EMPTY") == NULL && request_param(req, "NONE") == NULL,
	    "empty and absent parameters are the same");
	tap_is(request_length(req, &length), 0, "an empty length is no length");
	tap_is(read_body(&b, &e), 0, "no body");
	tap_is(request_write(req, "Status: 200\r\n\r\n", 15), 0, "the answer is written");
	tap_is(request_write(req, "hello", 5), 0, "and its content");
	tap_is((long long)request_written(req), 20, "and counted");
	start = clock_ms();
	request_finish(req);
	tap_ok(clock_ms() - start < 1000, "a request that was read to its end does not linger");
	tap_is(answer(fd, &b), 1, "one END_REQUEST");
	tap_str(b.s, "Status: 200\r\n\r\nhello", "the answer has come");
	fdio_drop(&fd);
	strbuf_release(&b);
}

static void
test_id_made(void)
{
	char first[80];
	int fd;

	for (int i = 0; i < 2; i++) {
		opening("GET", NULL);
		param("REQUEST_ID", i == 0 ? "bad id\n" : "");
		opening_end();
		tap_is(arrives(&fd), 1, "a request without a proper id");
		tap_is((long long)strlen(request_id(req)), 16, "gets one of 16 digits");
		if (i == 0)
			snprintf(first, sizeof(first), "%s", request_id(req));
		else
			tap_ok(strcmp(first, request_id(req)) != 0, "which is another each time");
		fdio_drop(&fd);
		request_finish(req);
	}
}

static void
test_body(void)
{
	static char big[40000];
	struct strbuf b;
	struct err e;
	uint64_t length = 0;
	int fd;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 256);
	strbuf_init(&b);
	opening("PUT", "40005");
	opening_end();
	say(RECORD_STDIN, 1, "hello", 5);
	out.s[out.len - 5 - 2] = 3; /* three bytes of padding */
	strbuf_adds(&out, "PAD");
	say(RECORD_STDIN, 1, big, sizeof(big));
	say(RECORD_STDIN, 1, "", 0);
	tap_is(arrives(&fd), 1, "a request with a body");
	tap_ok(request_length(req, &length) == 1 && length == 40005, "its length is known");
	tap_is(read_body(&b, &e), 40005, "the body is whole");
	tap_ok(b.len == 40005 && memcmp(b.s, "hello", 5) == 0 &&
		   memcmp(b.s + 5, big, sizeof(big)) == 0,
	    "and unchanged");
	tap_is((long long)request_body_read(req), 40005, "and counted");
	fdio_drop(&fd);
	request_finish(req);
	strbuf_release(&b);
}

/* The body "12345" in one record, with these lengths. */
static void
test_lengths(void)
{
	static const struct {
		const char *length, *why; /* why NULL: accepted */
	} t[] = {
		{ "5", NULL },
		{ NULL, NULL },
		{ "", NULL },
		{ "4", "longer" },
		{ "6", "shorter" },
		{ "0", "longer" },
		{ "-1", "not a number" },
		{ "+5", "not a number" },
		{ "5 ", "not a number" },
		{ " 5", "not a number" },
		{ "0x5", "not a number" },
		{ "5,5", "not a number" },
		{ "9223372036854775808", "not a number" },
		{ "18446744073709551621", "not a number" },
	};
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct err e = { 0 };
		ssize_t n;
		int fd;

		opening("PUT", t[i].length);
		opening_end();
		say(RECORD_STDIN, 1, "12345", 5);
		say(RECORD_STDIN, 1, "", 0);
		n = arrives(&fd) == 1 ? read_body(&b, &e) : -2;
		tap_ok(t[i].why == NULL
			   ? n == 5
			   : n == -1 && e.kind == ERR_INPUT && strstr(e.text, t[i].why) != NULL,
		    "length \"%s\": %s", t[i].length == NULL ? "(none)" : t[i].length,
		    t[i].why == NULL ? "accepted" : t[i].why);
		fdio_drop(&fd);
		request_finish(req);
	}
	strbuf_release(&b);
}

/* A body that does not end as it should is never whole. */
static void
cut(const char *name, const char *length, void (*then)(int *fd), const char *why)
{
	struct strbuf b;
	struct err e = { 0 };
	ssize_t n;
	int fd;

	strbuf_init(&b);
	opening("PUT", length);
	opening_end();
	say(RECORD_STDIN, 1, "12345", 5);
	if (arrives(&fd) != 1)
		printf("# not accepted\n");
	then(&fd);
	n = read_body(&b, &e);
	tap_ok(n == -1 && e.kind == ERR_INPUT && strstr(e.text, why) != NULL, "%s", name);
	if (n == -1)
		printf("# %s\n", e.text);
	fdio_drop(&fd);
	request_finish(req);
	strbuf_release(&b);
}

static void
more(int *fd, int type, unsigned id)
{
	strbuf_reset(&out);
	say(type, id, "", 0);
	if (fdio_write(*fd, out.s, out.len) < 0)
		printf("# cannot write\n");
}

static void
then_hang_up(int *fd)
{
	fdio_drop(fd);
}

static void
then_half_close(int *fd)
{
	shutdown(*fd, SHUT_WR);
}

static void
then_abort(int *fd)
{
	more(fd, RECORD_ABORT_REQUEST, 1);
}

static void
then_manage(int *fd)
{
	more(fd, 9, 0);
}

static void
then_another(int *fd)
{
	more(fd, RECORD_STDIN, 2);
}

static void
then_params(int *fd)
{
	more(fd, RECORD_PARAM, 1);
}

static void
then_nothing(int *fd)
{
	(void)fd;
}

static void
test_cut(void)
{
	cut("hang-up, with a length", "10", then_hang_up, "connection ended");
	cut("hang-up, without a length", NULL, then_hang_up, "connection ended");
	cut("hang-up after the last byte", "5", then_hang_up, "connection ended");
	cut("half-close", "10", then_half_close, "connection ended");
	cut("abort", "10", then_abort, "gave the request up");
	cut("a management record", "10", then_manage, "type 9");
	cut("another request's record", "10", then_another, "id 2");
	cut("parameters in the body", "10", then_params, "type 4");
	cut("silence", "10", then_nothing, "nothing came");
}

/* A child sends a byte every 20 ms: within the time-out for one read, but far too slow. */
static void
test_slow(void)
{
	struct strbuf b;
	struct err e = { 0 };
	uint64_t start = clock_ms();
	pid_t pid;
	int fd;

	strbuf_init(&b);
	opening("PUT", "1000");
	opening_end();
	say(RECORD_STDIN, 1, "12345", 5);
	tap_is(arrives(&fd), 1, "a slow body begins");
	pid = fork();
	if (pid == 0) {
		strbuf_reset(&out);
		say(RECORD_STDIN, 1, "x", 1);
		for (int i = 0; i < 200 && fdio_write(fd, out.s, out.len) == 0; i++)
			clock_sleep_ms(20);
		_exit(0);
	}
	tap_ok(read_body(&b, &e) == -1 && strstr(e.text, "too slow") != NULL, "and is given up");
	tap_ok(clock_ms() - start < 2000, "soon after the grace time");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fdio_drop(&fd);
	request_finish(req);
	strbuf_release(&b);
}

/* 3 MiB that nobody reads: the answer arrives all the same. */
static void
test_unread(void)
{
	struct strbuf b;
	pid_t pid;
	int status = -1, fd;

	strbuf_init(&b);
	opening("PUT", NULL);
	opening_end();
	tap_is(arrives(&fd), 1, "a body that will not be read");
	pid = fork();
	if (pid == 0) {
		static char zeros[32768];

		strbuf_reset(&out);
		say(RECORD_STDIN, 1, zeros, sizeof(zeros));
		for (int i = 0; i < 96; i++) {
			if (fdio_write(fd, out.s, out.len) < 0)
				_exit(2);
		}
		_exit(answer(fd, &b) == 1 && strcmp(b.s, "no") == 0 ? 0 : 1);
	}
	fdio_drop(&fd);
	tap_is(request_write(req, "no", 2), 0, "the answer is early");
	request_finish(req);
	waitpid(pid, &status, 0);
	tap_is(status, 0, "and arrives");
	strbuf_release(&b);
}

/* Larger than any buffer, so that records are cut and gathered in every way. */
static void
test_large_answer(void)
{
	static char data[300000];
	struct strbuf b;
	bool written = true;
	int status = -1, fd;
	pid_t pid;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 31 + i / 1000);
	strbuf_init(&b);
	opening("GET", NULL);
	opening_end();
	say(RECORD_STDIN, 1, "", 0);
	tap_is(arrives(&fd), 1, "a large answer is asked for");
	pid = fork();
	if (pid == 0)
		_exit(answer(fd, &b) == 1 && b.len == 302701 &&
			      memcmp(b.s + 2701, data, sizeof(data)) == 0
			  ? 0
			  : 1);
	fdio_drop(&fd);
	for (int i = 0; i < 2701; i++)
		written = written && request_write(req, "x", 1) == 0;
	written = written && request_write(req, data, 20000) == 0;
	written = written && request_write(req, data + 20000, sizeof(data) - 20000) == 0;
	tap_ok(written, "it is written");
	request_finish(req);
	waitpid(pid, &status, 0);
	tap_is(status, 0, "and arrives unchanged");
	strbuf_release(&b);
}

static void
test_gone(void)
{
	char data[20000] = { 0 };
	int fd, rc;

	opening("GET", NULL);
	opening_end();
	tap_is(arrives(&fd), 1, "a peer that leaves");
	fdio_drop(&fd);
	rc = request_write(req, data, sizeof(data));
	tap_is(rc, -1, "writing to it fails, without SIGPIPE");
	request_finish(req);
}

static void
test_accept(void)
{
	struct err e;
	uid_t nobody = 65534;
	struct request *strict;
	int fd = client();

	proc_catch(SIGUSR1);
	proc_block();
	fdio_drop(&fd);
	raise(SIGUSR1);
	tap_is(request_accept(req, listener, &e), 0,
	    "who leaves without a word is passed over, "
	    "and a signal ends the wait");
	tap_ok(proc_caught(SIGUSR1), "which is told by its flag");
	opening("GET", NULL);
	param("X", "");
	strbuf_adds(&out, "garbage!");
	tap_ok(arrives(&fd) == -1, "garbage is no request");
	fdio_drop(&fd);
	strict = request_new(
	    &(struct request_conf){ .peers = &nobody, .npeers = 1, .check_peers = true });
	fd = client();
	tap_ok(request_accept(strict, listener, &e) == -1 && e.kind == ERR_DENIED,
	    "a peer that is not welcome");
	request_free(&strict);
	fdio_drop(&fd);
}

/* The opening byte by byte, from a child: a write each. */
static void
test_pieces(void)
{
	struct strbuf b;
	struct err e;
	int fd = client();
	pid_t pid;

	strbuf_init(&b);
	opening("PUT", "3");
	opening_end();
	say(RECORD_STDIN, 1, "abc", 3);
	say(RECORD_STDIN, 1, "", 0);
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < out.len; i++) {
			if (fdio_write(fd, out.s + i, 1) < 0)
				_exit(1);
		}
		_exit(0);
	}
	tap_is(request_accept(req, listener, &e), 1, "an opening in pieces of one byte");
	tap_ok(read_body(&b, &e) == 3 && strcmp(b.s, "abc") == 0, "and its body");
	waitpid(pid, NULL, 0);
	fdio_drop(&fd);
	request_finish(req);
	strbuf_release(&b);
}

static void
setup(void)
{
	uid_t self = geteuid();
	char *path;

	if (mkdtemp(dir) == NULL)
		exit(1);
	path = mem_printf("%s/s", dir);
	if (str_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
		exit(1);
	mem_free(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 10) < 0)
		exit(1);
	strbuf_init(&out);
	req = request_new(&(struct request_conf){
	    .peers = &self,
	    .npeers = 1,
	    .check_peers = true,
	    .read_timeout = 300,
	    .grace = 400,
	    .min_rate = 1000,
	});
}

int
main(void)
{
	setup();
	test_get();
	test_id_made();
	test_body();
	test_lengths();
	test_cut();
	test_slow();
	test_unread();
	test_large_answer();
	test_gone();
	test_accept();
	test_pieces();
	request_free(&req);
	strbuf_release(&out);
	close(listener);
	unlink(address.sun_path);
	rmdir(dir);
	return tap_done();
}
