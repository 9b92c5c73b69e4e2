#include "base/sys.h"

#include "fcgi/thumbnail.h"

#include <inttypes.h>

#include "base/codec.h"
#include "data/files.h"
#include "fcgi/reply.h"
#include "fcgi/serve.h"

static const struct rendition *
by_name(const struct file *f, const char *name)
{
	for (size_t i = 0; i < f->nrenditions; i++)
		if (strcmp(f->renditions[i].name, name) == 0)
			return &f->renditions[i];
	return NULL;
}

/* The one that was asked for; else the first of the configuration's that this file has. */
static const struct rendition *
choose(const struct conf *conf, const struct file *f, const char *name)
{
	const struct rendition *r = NULL;

	if (*name)
		return by_name(f, name);
	for (size_t i = 0; i < conf->renditions && !r; i++)
		r = by_name(f, conf->rendition[i].name);
	return r || f->nrenditions == 0 ? r : &f->renditions[0];
}

static void
tell_why_not(struct call *c, const struct file *f)
{
	json_t *j = json_pack("{s:s}", "thumbnailStatus", thumbnail_status_name(f->thumbnail));
	const char *reason =
	    f->thumbnail_error ? f->thumbnail_error : "the picture cannot be decoded";

	switch (f->thumbnail) {
	case THUMBNAIL_GENERATING:
		reply_problem(c, "thumbnail-pending", "ask again in a moment", NULL, j);
		break;
	case THUMBNAIL_FAILED:
		reply_problem(c, "thumbnail-failed", reason, NULL, j);
		break;
	case THUMBNAIL_READY:
		reply_problem(c, "not-found", "the file has no such rendition", NULL, j);
		break;
	case THUMBNAIL_NONE:
		reply_problem(c, "not-found", "the file has no thumbnails", NULL, j);
		break;
	}
}

static void
send_rendition(struct call *c, const struct file *f, const struct rendition *r)
{
	struct content what = {
		.id = &f->id,
		.rendition = r->name,
		.type = r->type,
		.disposition = "inline",
		.size = r->size,
		.modified = (time_t)(f->created_us / 1000000),
	};
	char hex[DIGEST_HEX];

	/* Made again with other settings it has other dimensions or another size. */
	codec_hex(f->sha256, DIGEST_SIZE, hex);
	snprintf(what.etag, sizeof(what.etag), "\"%.32s-%s-%ux%u-%" PRIu64 "\"", hex, r->name,
	    r->width, r->height, r->size);
	serve_content(c, &what);
}

void
thumbnail_serve(struct call *c)
{
	const struct conf *conf = c->app->conf;
	const struct rendition *r;
	struct file f;
	struct err e = { 0 };

	if (files_get(c->app->db, &c->id, &c->caller, conf->upload.anonymous, &f, &e) < 0) {
		reply_error(c, &e);
		return;
	}
	r = choose(conf, &f, c->arg);
	if (r)
		send_rendition(c, &f, r);
	else
		tell_why_not(c, &f);
	file_release(&f);
}
