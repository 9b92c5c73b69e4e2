#include "base/sys.h"

#include "fcgi/files.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "data/files.h"
#include "fcgi/cursor.h"
#include "fcgi/file_json.h"
#include "fcgi/query.h"
#include "fcgi/reply.h"

enum { LIMIT_DEFAULT = 50, NEEDLE_MAX = 255 };

/* "image/png", or a top-level type with a star for all of it. */
static bool
type_pattern_valid(const char *s)
{
	static const char token[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+";
	size_t top = strspn(s, token), sub;

	if (top == 0 || s[top] != '/' || strlen(s) >= TYPE_MAX)
		return false;
	s += top + 1;
	sub = strspn(s, token);
	return strcmp(s, "*") == 0 || (sub > 0 && s[sub] == '\0');
}

static int
read_query(const struct call *c, struct query *query, struct files_query *q, struct err *e)
{
	const char *limit, *cursor;
	struct cursor place;
	uint64_t n = LIMIT_DEFAULT;

	if (query_parse(request_param(c->req, "QUERY_STRING"), query, e) < 0)
		return err_prefix(e, "query");
	limit = query_get(query, "limit");
	cursor = query_get(query, "cursor");
	*q = (struct files_query){ .caller = &c->caller };
	q->type = query_get(query, "type");
	q->q = query_get(query, "q");
	if (limit && num_u64(limit, 1, FILE_MAX_PAGE, &n) < 0)
		return err_set(e, ERR_INPUT, "limit must be a number from 1 to %d", FILE_MAX_PAGE);
	q->limit = (unsigned)n;
	if (cursor) {
		if (cursor_parse(cursor, &place) < 0)
			return err_set(e, ERR_INPUT, "cursor is not one that a list has given");
		q->has_cursor = true;
		q->created_us = place.created_us;
		q->id = place.id;
	}
	if (q->type && !type_pattern_valid(q->type))
		return err_set(e, ERR_INPUT, "type must be a media type, or one with a star");
	if (q->q && strlen(q->q) > NEEDLE_MAX)
		return err_set(e, ERR_INPUT, "q is over %d bytes", NEEDLE_MAX);
	return 0;
}

void
files_serve_list(struct call *c)
{
	struct query query;
	struct files_query q;
	struct file *files = NULL;
	size_t n = 0;
	bool more = false;
	struct err e = { 0 };
	json_t *list, *next = json_null();
	char text[CURSOR_TEXT];

	if (read_query(c, &query, &q, &e) < 0 ||
	    files_list(c->app->db, &q, &files, &n, &more, &e) < 0) {
		reply_error(c, &e);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, file_json(&files[i], c->prefix));
	if (more && n > 0)
		next = json_string(cursor_format(
		    &(struct cursor){ files[n - 1].created_us, files[n - 1].id }, text));
	reply_json(c, 200, NULL, json_pack("{s:o, s:o}", "files", list, "nextCursor", next));
	for (size_t i = 0; i < n; i++)
		file_release(&files[i]);
	mem_free(files);
}

void
files_serve_get(struct call *c)
{
	const struct app *app = c->app;
	struct file f;
	struct err e = { 0 };

	if (files_get(app->db, &c->id, &c->caller, app->conf->upload.anonymous, &f, &e) < 0) {
		reply_error(c, &e);
		return;
	}
	reply_json(c, 200, NULL, file_json(&f, c->prefix));
	file_release(&f);
}

/* Thumbnails that are recorded, and those that a worker may have stored but not recorded. */
static int
remove_thumbnails(struct call *c, const struct file *f, struct err *e)
{
	const struct conf *conf = c->app->conf;
	struct store *st = c->app->store;

	for (size_t i = 0; i < f->nrenditions; i++)
		if (store_remove_thumbnail(st, &f->id, f->renditions[i].name, e) < 0)
			return -1;
	for (size_t i = 0; i < conf->renditions; i++)
		if (store_remove_thumbnail(st, &f->id, conf->rendition[i].name, e) < 0)
			return -1;
	return 0;
}

/*
 * The row says deleting: nobody sees the file any more, and the next DELETE goes on from wherever
 * this one fails. 503 says that it may help to wait; nothing else that fails is the client's doing.
 */
static int
remove_bytes(struct call *c, const struct file *f, struct err *e)
{
	char id[ID_TEXT];

	if (store_remove(c->app->store, &f->id, e) == 0 && remove_thumbnails(c, f, e) == 0 &&
	    files_delete_end(c->app->db, &f->id, e) == 0)
		return 0;
	if (e->kind != ERR_AWAY && e->kind != ERR_UNCERTAIN)
		e->kind = ERR_INTERNAL;
	return err_prefix(
	    e, "delete %s: not complete, another DELETE goes on", id_text(&f->id, id));
}

void
files_serve_delete(struct call *c)
{
	struct file f;
	struct err e = { 0 };

	if (files_delete_find(c->app->db, &c->id, &c->caller, &f, &e) < 0) {
		reply_error(c, &e);
		return;
	}
	if (files_delete_begin(c->app->db, &c->id, &c->caller, &e) < 0 ||
	    remove_bytes(c, &f, &e) < 0)
		reply_error(c, &e);
	else
		reply_empty(c, 204, NULL);
	file_release(&f);
}
