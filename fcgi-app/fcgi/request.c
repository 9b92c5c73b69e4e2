#include "base/sys.h"

#include <fcgiapp.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/fdio.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "fcgi/connection.h"
#include "fcgi/output.h"
#include "fcgi/request.h"

enum { REQUEST_ID = 64 };

struct request {
	struct request_conf conf;
	struct acceptor *acceptor;
	FCGX_Request fcgi;
	int fd;         /* the connection, -1: none */
	bool stdin_end; /* the opening was followed by the end of an empty body */
	uint64_t body_read, waited_ms;
	int length_known; /* as request_length returns */
	uint64_t length;
	char id[REQUEST_ID + 1];
	struct output out;
	unsigned char opening[RECORD_OPENING];
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
	const char *s = request_param(r, "REQUEST_ID");
	unsigned char random[8];

	if (s != NULL && strlen(s) <= REQUEST_ID &&
	    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
		strlen(s) &&
	    str_copy(r->id, sizeof(r->id), s) == 0)
		return;
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

/* A socket from which those n bytes can be read, and no more. The descriptor, or -1. */
static int
feed(const unsigned char *p, size_t n, struct err *e)
{
	int pair[2];
	ssize_t sent;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	sent = send(pair[0], p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	fdio_drop(&pair[0]);
	if (sent == (ssize_t)n)
		return pair[1];
	fdio_drop(&pair[1]);
	return err_set(e, ERR_INTERNAL, "socketpair does not take %zu bytes", n);
}

/*
 * Lets libfcgi read the opening from fd. keepConnection must be set before FCGX_Accept_r, or it
 * begins by closing ipcFd; what it is afterwards does not matter, since request_finish closes by
 * itself. detached keeps libfcgi from its own unbounded linger. Closes fd when it fails.
 */
static int
parse(struct request *r, int fd, struct err *e)
{
	r->fcgi.ipcFd = fd;
	r->fcgi.keepConnection = 1;
	r->fcgi.detached = 1;
	if (FCGX_Accept_r(&r->fcgi) == 0)
		return 0;
	r->fcgi.envp = NULL;
	return err_set(e, ERR_INPUT, "libfcgi does not take the parameters");
}

/* libfcgi knows its connection by number, so the real one can take the feed's place. */
static int
parse_taken(struct request *r, size_t n, struct err *e)
{
	int fd = feed(r->opening, n, e);

	if (fd < 0 || parse(r, fd, e) < 0)
		return -1;
	if (dup3(r->fd, fd, O_CLOEXEC) < 0) {
		err_sys(e, "dup3");
		FCGX_Free(&r->fcgi, 1);
		r->fcgi.envp = NULL;
		return -1;
	}
	fdio_drop(&r->fd);
	r->fd = fd;
	return 0;
}

static int
request_begin(struct request *r, const struct record_opening *o, bool taken, struct err *e)
{
	if (taken ? parse_taken(r, o->size, e) < 0 : parse(r, r->fd, e) < 0) {
		if (!taken)
			r->fd = -1; /* libfcgi has closed it */
		return -1;
	}
	connection_timeouts(r->fd, r->conf.read_timeout);
	output_init(&r->out, r->fd, o->id);
	r->stdin_end = o->stdin_end;
	r->body_read = r->waited_ms = 0;
	make_id(r);
	read_length(r);
	return 0;
}

int
request_accept(struct request *r, int listen_fd, struct err *e)
{
	struct record_opening o;
	bool taken;
	int got;

	for (;;) {
		got = acceptor_next(r->acceptor, listen_fd, &r->fd, e);
		if (got <= 0)
			return got;
		got = connection_opening(r->fd, r->opening, &o, &taken, e);
		if (got > 0 && request_begin(r, &o, taken, e) == 0)
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

static int
body_end(const struct request *r, struct err *e)
{
	int error = FCGX_GetError(r->fcgi.in);

	if (error == EAGAIN)
		return err_set(
		    e, ERR_INPUT, "body: nothing came for %" PRIu64 " ms", r->conf.read_timeout);
	if (error != 0)
		return err_set(e, ERR_INPUT, "body cut off after %" PRIu64 " bytes: %s",
		    r->body_read, error > 0 ? strerror(error) : "the connection ended");
	if (r->length_known == 1 && r->body_read != r->length)
		return err_set(e, ERR_INPUT,
		    "body of %" PRIu64 " bytes is shorter than its length %" PRIu64, r->body_read,
		    r->length);
	return 0;
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

/* The next piece into [rdNext, stop); false at the end, where libfcgi may leave these two askew. */
static bool
body_fill(struct request *r)
{
	FCGX_Stream *in = r->fcgi.in;
	uint64_t start;

	if (!in->isClosed) {
		start = clock_ms();
		in->fillBuffProc(in);
		in->stopUnget = in->rdNext;
		r->waited_ms += clock_ms() - start;
	}
	if (in->isClosed)
		in->stop = in->rdNext;
	return !in->isClosed;
}

ssize_t
request_body(struct request *r, const unsigned char **p, struct err *e)
{
	FCGX_Stream *in = r->fcgi.in;
	size_t n;

	if (r->length_known < 0)
		return err_set(e, ERR_INPUT, "Content-Length is not a number");
	if (in->rdNext == in->stop && !body_fill(r))
		return body_end(r, e);
	n = (size_t)(in->stop - in->rdNext);
	if (r->length_known == 1 && n > r->length - r->body_read)
		return err_set(e, ERR_INPUT, "body is longer than its length %" PRIu64, r->length);
	*p = in->rdNext;
	in->rdNext = in->stop;
	r->body_read += n;
	if (body_rate(r, e) < 0)
		return -1;
	return (ssize_t)n;
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

/* Was all that the peer sends read, so that close(2) leaves nothing behind? */
static bool
input_ended(struct request *r)
{
	FCGX_Stream *in = r->fcgi.in;

	if (r->stdin_end && in->rdNext == in->stop && body_fill(r)) /* it has arrived already */
		return false;
	return in->isClosed && FCGX_GetError(in) == 0;
}

void
request_finish(struct request *r)
{
	bool sent;

	if (r->fd < 0)
		return;
	sent = output_end(&r->out) == 0;
	if (!input_ended(r) && sent)
		connection_linger(r->fd, r->opening, sizeof(r->opening));
	FCGX_Free(&r->fcgi, 0);
	r->fcgi.ipcFd = -1;
	r->fcgi.envp = NULL;
	fdio_drop(&r->fd);
}
