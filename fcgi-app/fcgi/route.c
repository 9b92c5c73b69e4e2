#include "base/sys.h"

#include "fcgi/route.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "fcgi/auth.h"
#include "fcgi/download.h"
#include "fcgi/files.h"
#include "fcgi/health.h"
#include "fcgi/path.h"
#include "fcgi/reply.h"
#include "fcgi/thumbnail.h"
#include "fcgi/upload.h"

/* All that can be asked. HEAD is where GET is, OPTIONS everywhere. */
static const struct route {
	const char *method, *pattern;
	enum auth_need need;
	void (*serve)(struct call *c);
} routes[] = {
	{ "POST", "/api/upload", AUTH_ANONYMOUS, upload_serve },
	{ "PUT", "/api/upload/{name}", AUTH_ANONYMOUS, upload_serve },
	{ "GET", "/api/files", AUTH_REQUIRED, files_serve_list },
	{ "GET", "/api/files/{id}", AUTH_ANONYMOUS, files_serve_get },
	{ "DELETE", "/api/files/{id}", AUTH_REQUIRED, files_serve_delete },
	{ "GET", "/api/files/{id}/thumbnail", AUTH_ANONYMOUS, thumbnail_serve },
	{ "GET", "/api/files/{id}/thumbnail/{name}", AUTH_ANONYMOUS, thumbnail_serve },
	{ "GET", "/api/download/{id}", AUTH_ANONYMOUS, download_serve },
	{ "GET", "/health", AUTH_NONE, health_serve },
	{ "GET", "/ready", AUTH_NONE, health_serve_ready },
};

enum { LOG_PATH = 512 };

struct found {
	const struct route *route; /* path and method fit */
	struct strbuf allow;       /* what could be asked at this path; empty: no such path */
	struct err error;          /* the path fits, but for its identifier or name */
};

static void
add_method(struct strbuf *allow, const char *method)
{
	strbuf_addf(allow, "%s%s", allow->len ? ", " : "", method);
}

static void
look_up(struct call *c, struct found *f)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const struct route *r = &routes[i];
		struct err e = { 0 };
		int fit = path_match(r->pattern, c->path, &c->id, c->arg, sizeof(c->arg), &e);

		if (fit == 0)
			continue;
		if (fit < 0)
			f->error = e;
		add_method(&f->allow, r->method);
		if (strcmp(r->method, "GET") == 0)
			add_method(&f->allow, "HEAD");
		if (strcmp(r->method, c->method) == 0)
			f->route = r;
	}
	if (f->allow.len > 0)
		add_method(&f->allow, "OPTIONS");
}

static void
walk(struct call *c, struct found *f)
{
	struct reply_header allow[] = { { "Allow", f->allow.s }, { NULL, NULL } };

	if (f->allow.len == 0)
		reply_problem(c, "not-found", "nothing is served under this path", NULL, NULL);
	else if (strcmp(c->method, "OPTIONS") == 0)
		reply_empty(c, 204, allow);
	else if (!f->route)
		reply_problem(c, "method-not-allowed", "see the Allow field", allow, NULL);
	else if (f->error.kind != ERR_NONE)
		reply_error(c, &f->error);
	else if (auth_check(c, f->route->need) == 0)
		f->route->serve(c);
}

static int
read_path(struct call *c, struct strbuf *path)
{
	struct path_source src = {
		.request_uri = request_param(c->req, "REQUEST_URI"),
		.document_uri = request_param(c->req, "DOCUMENT_URI"),
		.script_name = request_param(c->req, "SCRIPT_NAME"),
		.path_info = request_param(c->req, "PATH_INFO"),
		.prefix = c->prefix,
	};

	return path_of(&src, path);
}

static void
serve(struct call *c)
{
	struct found f = { .route = NULL };
	struct strbuf path;

	strbuf_init(&path);
	strbuf_init(&f.allow);
	if (read_path(c, &path) == 0) {
		c->path = path.s;
		look_up(c, &f);
	}
	walk(c, &f);
	strbuf_release(&f.allow);
	strbuf_release(&path);
}

/*
 * The log has the path as it came, but not the query: it may hold what is secret. A long path is
 * cut so that the rest of the line has room, however much of it must be escaped.
 */
static void
log_access(const struct call *c, uint64_t begun)
{
	const char *uri = request_param(c->req, "REQUEST_URI");
	size_t path;

	if (!uri)
		uri = "-";
	path = strcspn(uri, "?");
	log_info("%.16s %.*s%s %d %" PRIu64 " bytes in, %" PRIu64 " out, %" PRIu64 " ms",
	    request_method(c->req), (int)(path < LOG_PATH ? path : LOG_PATH), uri,
	    path > LOG_PATH ? "..." : "", c->status, request_body_read(c->req),
	    request_written(c->req), clock_ms() - begun);
}

void
route_serve(struct app *app, struct request *req)
{
	const char *prefix = request_param(req, "SLUICE_PREFIX");
	struct call c = { .app = app, .req = req, .method = request_method(req), .path = "" };
	uint64_t begun = clock_ms();

	c.prefix = prefix ? prefix : "";
	if (strcmp(c.method, "HEAD") == 0) {
		c.method = "GET";
		c.head = true;
	}
	serve(&c);
	log_access(&c, begun);
}
