/*
 * upload.c: the story of an upload. upload_serve, at the end, tells it in one screen.
 */
#include "base/sys.h"

#include "fcgi/upload.h"

#include "base/log.h"
#include "base/mem.h"
#include "data/jobs.h"
#include "fcgi/file_json.h"
#include "fcgi/form.h"
#include "fcgi/handoff.h"
#include "fcgi/raw.h"
#include "fcgi/upload_head.h"

enum { NOTIFY_MS = 50, METADATA_ROOM = 1 << 20 };

ssize_t
upload_read(struct upload *u, const unsigned char **p, struct err *e)
{
	ssize_t n = body_next(&u->body, p, e);

	if (n > 0 && admit_progress(&u->admit, body_arrived(&u->body), e) < 0)
		return -1;
	return n;
}

/* What can be refused before the body is read is refused here. */
static int
admitted(struct upload *u, const struct upload_head *h, struct err *e)
{
	/* Raw and handed off, the bytes are on the disk and become ours as they lie. */
	uint64_t room = h->handed_off && !h->is_form ? 0 : h->length;

	if (!h->is_form && h->has_length && receive_check_size(&u->in, h->length, e) < 0)
		return -1;
	return admit_begin(&u->admit, u->call, h->has_length, room, e);
}

static int
received(struct upload *u, const struct upload_head *h, struct err *e)
{
	return h->is_form ? form_receive(u, h, e) : raw_receive(u, h, e);
}

/* The rows, in one transaction; the bytes are durable already. */
static int
recorded(struct upload *u, struct err *e)
{
	struct receive *in = &u->in;
	struct db *db = u->call->app->db;
	struct err looked = { 0 };

	if (files_add(db, in->files, in->n, e) == 0)
		return 0;
	if (e->kind != ERR_UNCERTAIN) {
		receive_remove(in);
		return -1;
	}
	if (files_find_all(db, in->files, in->n, &looked) == 1)
		return 0;
	/* Perhaps it is still being committed: the bytes stay, and gc will settle it. */
	return err_prefix(e, "%zu files kept for gc", in->n);
}

/*
 * Every file of the form gets all its fields, in its row and in the answer: many files times large
 * fields would be a hundred times what was sent. One file may always have all that is allowed,
 * though JSON makes six bytes of a control character.
 */
static int
describe(struct upload *u, struct err *e)
{
	uint64_t room = 8 * u->call->app->conf->multipart.max_fields + METADATA_ROOM;
	char *metadata;

	if (json_object_size(u->metadata) == 0)
		return 0;
	metadata = json_text(u->metadata);
	if (strlen(metadata) > room / u->in.n) {
		mem_free(metadata);
		return err_set(e, ERR_TOOBIG,
		    "the fields are too large for %zu files: each file gets all of them", u->in.n);
	}
	for (size_t i = 0; i < u->in.n; i++)
		u->in.files[i].metadata = mem_strdup(metadata);
	mem_free(metadata);
	return 0;
}

static int
stored(struct upload *u, struct err *e)
{
	if (describe(u, e) < 0 || receive_commit(&u->in, e) < 0)
		return -1;
	return recorded(u, e);
}

static void
wake_worker(struct upload *u)
{
	const struct app *app = u->call->app;
	struct err e = { 0 };
	bool any = false;

	for (size_t i = 0; i < u->in.n; i++)
		any |= u->in.files[i].thumbnail == THUMBNAIL_GENERATING;
	if (any && scoreboard_once_per(app->board, NOTIFY_MS) && jobs_notify(app->db, &e) < 0)
		log_warn("wake the worker: %s", e.text);
}

static void
answer(struct upload *u, const struct upload_head *h)
{
	struct call *c = u->call;
	char *location, id[ID_TEXT];
	json_t *list;

	if (!h->is_form) {
		location =
		    mem_printf("%s/api/files/%s", c->prefix, id_text(&u->in.files[0].id, id));
		reply_json(c, 201,
		    (struct reply_header[]){ { "Location", location }, { NULL, NULL } },
		    file_json(&u->in.files[0], c->prefix));
		mem_free(location);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < u->in.n; i++)
		json_array_append_new(list, file_json(&u->in.files[i], c->prefix));
	reply_json(c, 201, NULL, json_pack("{s:o}", "files", list));
}

void
upload_serve(struct call *c)
{
	struct upload u = { .call = c, .body = { .fd = -1 }, .metadata = json_object() };
	struct upload_head h;
	struct err e = { 0 };

	receive_init(&u.in, c);
	if (upload_head_read(c, &h, &u.in.refusal, &e) < 0 || /* what is sent, by its headers */
	    admitted(&u, &h, &e) < 0 ||                       /* length, space */
	    received(&u, &h, &e) < 0 ||                       /* bytes, type, hash */
	    stored(&u, &e) < 0) {                             /* fsync, rename, row and job */
		reply_refusal(c, &e, &u.in.refusal);
	} else {
		answer(&u, &h);
		wake_worker(&u);
	}
	admit_end(&u.admit);
	body_release(&u.body);
	receive_release(&u.in);
	json_decref(u.metadata);
}
