/*
 * reply_problem.c: every way to say no, in one table. A slug is for ever: clients test for it.
 */
#include "base/sys.h"

#include "base/log.h"
#include "fcgi/reply.h"

#define URN "urn:problem-type:sluice:"

enum { EXTRA_MAX = 8 };

static const struct problem {
	const char *slug;
	int status;
	const char *title;
	enum err_kind kind; /* the kind that means this problem, or ERR_NONE */
	const char *header, *value;
} problems[] = {
	{ "bad-request", 400, "The request is malformed", ERR_INPUT, NULL, NULL },
	{ "digest-mismatch", 400, "The content is not what its digest says", ERR_NONE, NULL, NULL },
	{ "empty-file", 400, "The file is empty", ERR_NONE, NULL, NULL },
	{ "no-file", 400, "The form holds no file", ERR_NONE, NULL, NULL },
	{ "unauthorized", 401, "A valid token is needed", ERR_NONE, "WWW-Authenticate",
	    "Bearer realm=\"sluice\"" },
	{ "forbidden", 403, "Not allowed", ERR_DENIED, NULL, NULL },
	{ "not-found", 404, "There is no such thing", ERR_NOTFOUND, NULL, NULL },
	{ "thumbnail-pending", 404, "The thumbnail is being made", ERR_NONE, "Retry-After", "1" },
	{ "thumbnail-failed", 404, "The thumbnail could not be made", ERR_NONE, NULL, NULL },
	{ "method-not-allowed", 405, "The method is not allowed here", ERR_NONE, NULL, NULL },
	{ "conflict", 409, "The state of things forbids it", ERR_CONFLICT, NULL, NULL },
	{ "precondition-failed", 412, "A precondition does not hold", ERR_NONE, NULL, NULL },
	{ "too-large", 413, "The content is too large", ERR_TOOBIG, NULL, NULL },
	{ "type-refused", 415, "The type of the file is not allowed", ERR_TYPE, NULL, NULL },
	{ "type-mismatch", 415, "The file is not what its name says", ERR_NONE, NULL, NULL },
	{ "not-a-form", 415, "The content is not an upload", ERR_NONE, NULL, NULL },
	{ "encoding-refused", 415, "The content coding is not supported", ERR_NONE,
	    "Accept-Encoding", "identity" },
	{ "range-not-satisfiable", 416, "The range cannot be given", ERR_NONE, NULL, NULL },
	{ "expectation-failed", 417, "The expectation cannot be met", ERR_NONE, NULL, NULL },
	{ "internal", 500, "An internal error", ERR_INTERNAL, NULL, NULL },
	{ "unavailable", 503, "The service is not available now", ERR_AWAY, "Retry-After", "5" },
	{ "uncertain", 503, "The outcome is not known yet", ERR_UNCERTAIN, "Retry-After", "10" },
	{ "no-space", 507, "There is not enough space", ERR_NOSPACE, NULL, NULL },
};

static const struct problem *
by_slug(const char *slug)
{
	for (size_t i = 0; i < ARRAY_LEN(problems); i++)
		if (strcmp(problems[i].slug, slug) == 0)
			return &problems[i];
	log_error("problem type %s is not in the table", slug);
	return by_slug("internal");
}

static const struct problem *
by_kind(enum err_kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(problems); i++)
		if (kind != ERR_NONE && problems[i].kind == kind)
			return &problems[i];
	return by_slug("internal");
}

static void
send_problem(struct call *c, const struct problem *p, const char *detail,
    const struct reply_header *extra, json_t *members)
{
	struct reply_header headers[EXTRA_MAX + 2] = { { p->header, p->value } };
	size_t n = p->header ? 1 : 0;
	json_t *j = json_object();
	char type[64];

	for (; extra && extra->name && n < EXTRA_MAX; extra++)
		headers[n++] = *extra;
	headers[n] = (struct reply_header){ NULL, NULL };

	snprintf(type, sizeof(type), URN "%s", p->slug);
	json_object_set_new(j, "type", json_string(type));
	json_object_set_new(j, "title", json_string(p->title));
	json_object_set_new(j, "status", json_integer(p->status));
	json_object_set_new(j, "detail", json_str(detail));
	json_object_set_new(j, "requestId", json_str(request_id(c->req)));
	if (members) {
		json_object_update_missing(j, members);
		json_decref(members);
	}
	reply_json_as(c, p->status, "application/problem+json", headers, j);
}

void
reply_problem(struct call *c, const char *slug, const char *detail,
    const struct reply_header *extra, json_t *members)
{
	send_problem(c, by_slug(slug), detail, extra, members);
}

/* What broke inside is for the log; the request id leads there. */
static const char *
public_detail(const struct problem *p)
{
	switch (p->kind) {
	case ERR_UNCERTAIN:
		return "it may or may not have been done: look before you try again";
	case ERR_AWAY:
		return "try again in a moment";
	case ERR_NOSPACE:
		return "there is not enough space to store this now";
	default:
		return "the log tells more under this request id";
	}
}

void
reply_refusal(struct call *c, const struct err *e, struct refusal *r)
{
	const struct problem *p = r->slug ? by_slug(r->slug) : by_kind(e->kind);
	const char *detail = e->text;
	json_t *members = r->members;

	if (p->status >= 500) {
		log_error("%d %s: %s", p->status, p->slug, e->text);
		detail = public_detail(p);
	}
	r->members = NULL;
	send_problem(c, p, detail, NULL, members);
}

void
reply_error(struct call *c, const struct err *e)
{
	struct refusal r = { NULL, NULL };

	reply_refusal(c, e, &r);
}
