#include "base/sys.h"

#include "fcgi/download.h"

#include "base/codec.h"
#include "base/strbuf.h"
#include "data/files.h"
#include "fcgi/disposition.h"
#include "fcgi/query.h"
#include "fcgi/reply.h"
#include "fcgi/serve.h"

/* A picture that browsers decode safely may be shown; all else is saved. ?download=1 saves always.
 */
static const char *
kind_of(const struct file *f, const struct query *q)
{
	const char *download = query_get(q, "download");

	if (download && strcmp(download, "0") != 0)
		return "attachment";
	return type_inline_safe(f->type) ? "inline" : "attachment";
}

void
download_serve(struct call *c)
{
	bool anonymous_ok = c->app->conf->upload.anonymous;
	struct content what = { .id = &c->id };
	struct strbuf disposition;
	struct query query;
	struct file f;
	struct err e = { 0 };
	char hex[DIGEST_HEX];

	if (query_parse(request_param(c->req, "QUERY_STRING"), &query, &e) < 0 ||
	    files_get(c->app->db, &c->id, &c->caller, anonymous_ok, &f, &e) < 0) {
		reply_error(c, &e);
		return;
	}
	strbuf_init(&disposition);
	disposition_format(&disposition, kind_of(&f, &query), f.name);
	what.disposition = disposition.s;
	what.type = f.type;
	what.size = f.size;
	what.modified = (time_t)(f.created_us / 1000000);
	what.sha256 = f.sha256;
	snprintf(what.etag, sizeof(what.etag), "\"%s\"", codec_hex(f.sha256, DIGEST_SIZE, hex));
	serve_content(c, &what);
	strbuf_release(&disposition);
	file_release(&f);
}
