#include "base/sys.h"

#include "fcgi/serve.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/digest.h"
#include "fcgi/range.h"
#include "fcgi/reply.h"

enum { CHUNK = 128 << 10, HEADERS_MAX = 16 };

struct headers {
	struct reply_header list[HEADERS_MAX];
	size_t n;
	struct strbuf digest;
	char modified[CLOCK_HTTP], length[24], range[80];
};

static void
add(struct headers *h, const char *name, const char *value)
{
	if (h->n + 1 < HEADERS_MAX)
		h->list[h->n++] = (struct reply_header){ name, value };
}

/*
 * What every answer about this content carries. The bytes of an identifier never change, but who
 * may have them can: a cache keeps them and asks again.
 */
static void
add_common(struct headers *h, const struct content *what)
{
	add(h, "ETag", what->etag);
	add(h, "Last-Modified", clock_http(what->modified, h->modified));
	add(h, "Cache-Control", "private, no-cache");
	add(h, "Content-Security-Policy", "sandbox; default-src 'none'");
	add(h, "Cross-Origin-Resource-Policy", "same-origin");
}

static void
add_content(struct headers *h, const struct content *what, bool by_nginx)
{
	add(h, "Content-Type", what->type);
	add(h, "Content-Disposition", what->disposition);
	if (!by_nginx)
		add(h, "Accept-Ranges", "bytes"); /* nginx adds its own */
	if (!what->sha256)
		return;
	strbuf_adds(&h->digest, "sha-256=:");
	codec_base64(&h->digest, what->sha256, DIGEST_SIZE);
	strbuf_addc(&h->digest, ':');
	add(h, "Repr-Digest", h->digest.s);
}

static enum range_outcome
evaluate(const struct call *c, const struct content *what, struct range *r)
{
	const struct request *req = c->req;
	struct range_request rq = {
		.is_get = !c->head,
		.is_head = c->head,
		.range = request_param(req, "HTTP_RANGE"),
		.if_range = request_param(req, "HTTP_IF_RANGE"),
		.if_match = request_param(req, "HTTP_IF_MATCH"),
		.if_none_match = request_param(req, "HTTP_IF_NONE_MATCH"),
		.if_modified_since = request_param(req, "HTTP_IF_MODIFIED_SINCE"),
		.if_unmodified_since = request_param(req, "HTTP_IF_UNMODIFIED_SINCE"),
	};
	struct range_entity ent = {
		.etag = what->etag, .modified = what->modified, .size = what->size
	};

	return range_evaluate(&rq, &ent, r);
}

static void
refuse_range(struct call *c, const struct content *what, const char *detail)
{
	char total[48];

	snprintf(total, sizeof(total), "bytes */%" PRIu64, what->size);
	reply_problem(c, "range-not-satisfiable", detail,
	    (struct reply_header[]){ { "Content-Range", total }, { NULL, NULL } }, NULL);
}

/* Sends n bytes of fd from offset at. */
static void
send_bytes(struct call *c, int fd, uint64_t at, uint64_t n)
{
	unsigned char *chunk = mem_alloc(CHUNK);

	while (n > 0) {
		size_t want = n < CHUNK ? (size_t)n : CHUNK;
		ssize_t got = fdio_pread_full(fd, chunk, want, (off_t)at);

		if (got < (ssize_t)want) {
			log_error("read a stored file at %" PRIu64 ": %s", at,
			    got < 0 ? strerror(errno) : "it is shorter than its row says");
			break;
		}
		if (request_write(c->req, chunk, want) < 0)
			break;
		at += want;
		n -= want;
	}
	mem_free(chunk);
}

static int
open_content(struct call *c, const struct content *what, struct err *e)
{
	struct store *st = c->app->store;
	uint64_t size;
	int fd = what->rendition ? store_read_thumbnail(st, what->id, what->rendition, &size, e)
				 : store_read(st, what->id, &size, e);

	if (fd >= 0 && size != what->size) {
		err_set(e, ERR_INTERNAL,
		    "a stored file has %" PRIu64 " bytes, its row says %" PRIu64, size, what->size);
		fdio_drop(&fd);
	}
	if (fd < 0 && e->kind == ERR_NOTFOUND)
		e->kind = ERR_INTERNAL; /* the row is there: it is we who lost it */
	return fd;
}

static void
send_stream(
    struct call *c, const struct content *what, struct headers *h, bool part, const struct range *r)
{
	uint64_t n = what->size == 0 ? 0 : r->last - r->first + 1;
	struct err e = { 0 };
	int fd = open_content(c, what, &e);

	if (fd < 0) {
		reply_error(c, &e);
		return;
	}
	snprintf(h->length, sizeof(h->length), "%" PRIu64, n);
	add(h, "Content-Length", h->length);
	if (part) {
		snprintf(h->range, sizeof(h->range), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
		    r->first, r->last, what->size);
		add(h, "Content-Range", h->range);
	}
	if (reply_begin(c, part ? 206 : 200, h->list) == 0 && !c->head)
		send_bytes(c, fd, r->first, n);
	fdio_drop(&fd);
}

static void
send_by_server(struct call *c, const struct content *what, struct headers *h)
{
	const struct conf *conf = c->app->conf;
	bool accel = conf->download.method == SERVE_ACCEL;
	char path[STORE_PATH_MAX];
	char *where;

	store_path(what->id, what->rendition, path);
	where = accel ? mem_printf("%s%s", conf->download.accel_prefix, path)
		      : mem_printf("%s/%s", conf->store.dir, path);
	add(h, accel ? "X-Accel-Redirect" : "X-Sendfile", where);
	reply_empty(c, 200, h->list);
	mem_free(where);
}

/* Perhaps over 63 bits: to us just an end that comes late, to nginx a range outside the file. */
static bool
has_long_number(const char *s)
{
	for (s = s ? s : ""; *s; s += *s != '\0') {
		size_t digits = strspn(s, "0123456789");

		if (digits > 18)
			return true;
		s += digits;
	}
	return false;
}

/*
 * Who sends the bytes? HEAD and an empty file have none, and Apache would leave out an empty file's
 * Content-Length. nginx knows the file's own dates and not our ETag when it judges these two
 * conditions, and would judge them wrongly.
 */
static enum conf_serve
choose_method(const struct call *c, const struct content *what)
{
	enum conf_serve method = c->app->conf->download.method;

	if (c->head || what->size == 0)
		return SERVE_STREAM;
	if (method == SERVE_ACCEL && (request_param(c->req, "HTTP_IF_MATCH") ||
					 request_param(c->req, "HTTP_IF_UNMODIFIED_SINCE") ||
					 has_long_number(request_param(c->req, "HTTP_RANGE"))))
		return SERVE_STREAM;
	return method;
}

static void
send_content(
    struct call *c, const struct content *what, struct headers *h, bool part, const struct range *r)
{
	enum conf_serve method = choose_method(c, what);

	add_content(h, what, method == SERVE_ACCEL);
	if (method == SERVE_STREAM)
		send_stream(c, what, h, part, r);
	else
		send_by_server(c, what, h);
}

void
serve_content(struct call *c, const struct content *what)
{
	struct headers h = { .n = 0 };
	struct range r;

	strbuf_init(&h.digest);
	add_common(&h, what);
	switch (evaluate(c, what, &r)) {
	case RANGE_WHOLE:
		send_content(c, what, &h, false, &r);
		break;
	case RANGE_PART:
		send_content(c, what, &h, true, &r);
		break;
	case RANGE_NOT_MODIFIED:
		reply_empty(c, 304, h.list);
		break;
	case RANGE_FAILED:
		reply_problem(
		    c, "precondition-failed", "the file is not the one you mean", NULL, NULL);
		break;
	case RANGE_UNSATISFIABLE:
		refuse_range(c, what, "the range lies outside the file");
		break;
	case RANGE_MALFORMED:
		refuse_range(c, what, "the Range field is malformed");
		break;
	}
	strbuf_release(&h.digest);
}
