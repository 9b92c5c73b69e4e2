#include "base/sys.h"

#include <fcgiapp.h>
#include <inttypes.h>
#include <signal.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/fdio.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/proc.h"
#include "fcgi/connection.h"
#include "fcgi/input.h"
#include "fcgi/output.h"
#include "fcgi/request.h"

enum { REQUEST_ID = 64 };

struct request {
	struct request_conf conf;
	struct acceptor *acceptor;
	FCGX_Request fcgi;
	int fd; /* the connection, -1: none */
	uint64_t body_read, waited_ms;
	int length_known; /* as request_length returns */
	uint64_t length;
	char id[REQUEST_ID + 1];
	struct input in;
	struct output out;
	unsigned char buf[RECORD_OPENING]; /* the opening, then the body, then what nobody wants */
};

/* libfcgi's initialisation replaces handlers by its own, which cut a running body. */
static void
library_init(FCGX_Request *fcgi)
{
	static const int sigs[] = { SIGTERM, SIGUSR1, SIGPIPE };
	struct sigaction saved[ARRAY_LEN(sigs)];

	for (size_t i = 0; i < ARRAY_LEN(sigs); i++)
		sigaction(sigs[i], NULL, &saved[i]);
	FCGX_Init();
	for (size_t i = 0; i < ARRAY_LEN(sigs); i++)
		sigaction(sigs[i], &saved[i], NULL);
	FCGX_InitRequest(fcgi, -1, FCGI_FAIL_ACCEPT_ON_INTR);
}

struct request *
request_new(const struct request_conf *conf)
{
	struct request *r = mem_zero(sizeof(*r));

	proc_block();
	r->conf = *conf;
	r->conf.peers = NULL;
	r->acceptor = acceptor_new(conf->check_peers, conf->peers, conf->npeers);
	r->fd = -1;
	library_init(&r->fcgi);
	return r;
}

void
request_free(struct request **r)
{
	if (*r == NULL)
		return;
	request_finish(*r);
	acceptor_free(&(*r)->acceptor);
	mem_free(*r);
	*r = NULL;
}

/* ---- accept ---- */

static void
make_id(struct request *r)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	const char *s = request_param(r, "REQUEST_ID");
	size_t n = s == NULL ? 0 : strlen(s);
	unsigned char random[8];

	if (n >= 1 && n <= REQUEST_ID && strspn(s, allowed) == n) {
		memcpy(r->id, s, n + 1);
		return;
	}
	id_random(random, sizeof(random));
	codec_hex(random, sizeof(random), r->id);
}

static void
read_length(struct request *r)
{
	const char *s = request_param(r, "CONTENT_LENGTH");

	r->length = 0;
	r->length_known = s == NULL ? 0 : num_u64(s, 0, INT64_MAX, &r->length) == 0 ? 1 : -1;
}

/*
 * Lets libfcgi parse the opening, from a socket that ends behind it. keepConnection must be set
 * before FCGX_Accept_r, or it begins by closing ipcFd; detached keeps libfcgi from lingering when
 * it closes.
 */
static int
parse(struct request *r, size_t n, struct err *e)
{
	r->fcgi.ipcFd = connection_feed(r->buf, n, e);
	if (r->fcgi.ipcFd < 0)
		return -1;
	r->fcgi.keepConnection = 1;
	r->fcgi.detached = 1;
	if (FCGX_Accept_r(&r->fcgi) == 0)
		return 0;
	r->fcgi.envp = NULL;
	return err_set(e, ERR_INPUT, "libfcgi does not take the parameters");
}

static int
request_begin(struct request *r, size_t len, const struct record_opening *o, struct err *e)
{
	if (parse(r, o->size, e) < 0)
		return -1;
	connection_timeouts(r->fd, r->conf.read_timeout);
	input_init(&r->in, r->fd, o->id, r->buf, sizeof(r->buf), o->size, len - o->size);
	output_init(&r->out, r->fd, o->id);
	r->body_read = r->waited_ms = 0;
	make_id(r);
	read_length(r);
	return 0;
}

int
request_accept(struct request *r, int listen_fd, struct err *e)
{
	struct record_opening o;
	size_t len;
	int got;

	for (;;) {
		got = acceptor_next(r->acceptor, listen_fd, &r->fd, e);
		if (got <= 0)
			return got;
		got = connection_opening(r->fd, r->buf, &len, &o, e);
		if (got > 0 && request_begin(r, len, &o, e) == 0)
			return 1;
		fdio_drop(&r->fd);
		if (got != 0)
			return -1;
	}
}

/* ---- what came ---- */

const char *
request_param(const struct request *r, const char *name)
{
	const char *s = r->fcgi.envp == NULL ? NULL : FCGX_GetParam(name, r->fcgi.envp);

	return s != NULL && *s != '\0' ? s : NULL;
}

const char *
request_method(const struct request *r)
{
	const char *s = request_param(r, "REQUEST_METHOD");

	return s == NULL ? "" : s;
}

const char *
request_id(const struct request *r)
{
	return r->id;
}

int
request_length(const struct request *r, uint64_t *length)
{
	if (r->length_known == 1)
		*length = r->length;
	return r->length_known;
}

/* Only time spent waiting for the peer counts: a slow disk of ours is not its fault. */
static int
body_rate(const struct request *r, struct err *e)
{
	if (r->waited_ms <= r->conf.grace || r->body_read * 1000 / r->waited_ms >= r->conf.min_rate)
		return 0;
	return err_set(e, ERR_INPUT,
	    "body too slow: %" PRIu64 " bytes in %" PRIu64 " ms, at least %" PRIu64 " a second",
	    r->body_read, r->waited_ms, r->conf.min_rate);
}

ssize_t
request_body(struct request *r, const unsigned char **p, struct err *e)
{
	uint64_t start = clock_ms();
	ssize_t n;

	if (r->length_known < 0)
		return err_set(e, ERR_INPUT, "Content-Length is not a number");
	n = input_next(&r->in, p, e);
	r->waited_ms += clock_ms() - start;
	if (n < 0)
		return err_prefix(e, "body cut off after %" PRIu64 " bytes", r->body_read);
	if (r->length_known == 1 && (uint64_t)n > r->length - r->body_read)
		return err_set(e, ERR_INPUT, "body is longer than its length %" PRIu64, r->length);
	r->body_read += (uint64_t)n;
	if (n == 0 && r->length_known == 1 && r->body_read != r->length)
		return err_set(e, ERR_INPUT,
		    "body of %" PRIu64 " bytes is shorter than its length %" PRIu64, r->body_read,
		    r->length);
	return n > 0 && body_rate(r, e) < 0 ? -1 : n;
}

uint64_t
request_body_read(const struct request *r)
{
	return r->body_read;
}

/* ---- answer and end ---- */

int
request_write(struct request *r, const void *p, size_t n)
{
	return output_write(&r->out, p, n);
}

uint64_t
request_written(const struct request *r)
{
	return r->out.bytes;
}

void
request_finish(struct request *r)
{
	if (r->fd < 0)
		return;
	/* Where all that the peer sends was read, close(2) leaves nothing behind. */
	if (output_end(&r->out) == 0 && !input_ended(&r->in)) {
		if (r->conf.drain)
			connection_drain(r->fd, r->buf, sizeof(r->buf), r->conf.read_timeout);
		else
			connection_linger(r->fd, r->buf, sizeof(r->buf));
	}
	FCGX_Free(&r->fcgi, 1);
	r->fcgi.envp = NULL;
	fdio_drop(&r->fd);
}
