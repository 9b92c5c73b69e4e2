#include "base/sys.h"

#include "fcgi/reply.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"

const char *
reply_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].status == status)
			return table[i].reason;
	return "Unknown";
}

/* A header line that a value could end would be a second header: such a value is left out. */
static void
add_header(struct strbuf *b, const char *name, const char *value)
{
	for (const char *p = value; *p; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f) {
			log_error("response header %s left out: control character in it", name);
			return;
		}
	}
	strbuf_adds(b, name);
	strbuf_adds(b, ": ");
	strbuf_adds(b, value);
	strbuf_adds(b, "\r\n");
}

static void
add_block(struct call *c, struct strbuf *b, int status, const struct reply_header *extra)
{
	strbuf_addf(b, "Status: %d %s\r\n", status, reply_reason(status));
	add_header(b, "X-Request-Id", request_id(c->req));
	add_header(b, "X-Content-Type-Options", "nosniff");
	for (; extra && extra->name; extra++)
		if (extra->value)
			add_header(b, extra->name, extra->value);
	c->status = status;
}

static int
send_block(struct call *c, struct strbuf *b)
{
	int rc = request_write(c->req, b->s, b->len);

	if (rc < 0)
		log_info("the client left before the answer");
	strbuf_release(b);
	return rc;
}

int
reply_begin(struct call *c, int status, const struct reply_header *extra)
{
	struct strbuf b;

	strbuf_init(&b);
	add_block(c, &b, status, extra);
	strbuf_adds(&b, "\r\n");
	return send_block(c, &b);
}

void
reply_empty(struct call *c, int status, const struct reply_header *extra)
{
	struct strbuf b;

	strbuf_init(&b);
	add_block(c, &b, status, extra);
	if (status != 204 && status != 304)
		add_header(&b, "Content-Length", "0");
	strbuf_adds(&b, "\r\n");
	if (send_block(c, &b) < 0)
		return;
}

void
reply_json_as(
    struct call *c, int status, const char *type, const struct reply_header *extra, json_t *j)
{
	struct strbuf b;
	char *text = json_text(j);
	size_t n = strlen(text);

	strbuf_init(&b);
	add_block(c, &b, status, extra);
	add_header(&b, "Content-Type", type);
	add_header(&b, "Cache-Control", "no-store");
	strbuf_addf(&b, "Content-Length: %zu\r\n\r\n", n);
	if (!c->head)
		strbuf_add(&b, text, n);
	mem_free(text);
	json_decref(j);
	if (send_block(c, &b) < 0)
		return;
}

void
reply_json(struct call *c, int status, const struct reply_header *extra, json_t *j)
{
	reply_json_as(c, status, "application/json", extra, j);
}
