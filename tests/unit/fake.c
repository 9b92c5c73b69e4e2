#include "base/sys.h"

#include "fake.h"

#include <ftw.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/jobs.h"
#include "fcgi/route.h"

struct fake fake;
static json_t *parsed;
static unsigned counted;

/* ---- surroundings ---- */

bool
fake_open(void)
{
	struct err e = { 0 };

	if (str_copy(fake.dir, sizeof(fake.dir), "/tmp/sluice-test-XXXXXX") < 0 ||
	    !mkdtemp(fake.dir))
		return false;
	if (store_init(fake.dir, &e) < 0 || !(fake.app.store = store_open(fake.dir, &e)) ||
	    !(fake.app.type = type_new(&e))) {
		printf("# %s\n", e.text);
		return false;
	}
	fake.app.board = scoreboard_new(2);
	if (scoreboard_take(fake.app.board) != 0 || scoreboard_take(fake.app.board) != 1)
		return false;
	fake.app.conf = &fake.conf;
	strbuf_init(&fake.head);
	strbuf_init(&fake.content);
	fake.conf.upload.allow = mem_strdup("text/plain, text/csv, image/png, application/pdf");
	fake.conf.upload.max_size = 1 << 20;
	fake.conf.upload.allow_empty = true;
	fake.conf.store.dir = fake.dir;
	fake.conf.store.spool = mem_strdup("");
	fake.conf.download.accel_prefix = mem_strdup("/_sluice/");
	fake.conf.multipart =
	    (struct conf_multipart){ 100, 16, 8192, 256, 1024, 65536, 1 << 20, 1024, 64 };
	if (str_copy(fake.conf.rendition[0].name, CONF_NAME_MAX, "small") < 0)
		return false;
	fake.conf.renditions = 1;
	return true;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
fake_close(void)
{
	fake_forget(0);
	json_decref(parsed);
	store_free(&fake.app.store);
	type_free(&fake.app.type);
	scoreboard_free(&fake.app.board);
	strbuf_release(&fake.head);
	strbuf_release(&fake.content);
	mem_free(fake.conf.upload.allow);
	mem_free(fake.conf.store.spool);
	mem_free(fake.conf.download.accel_prefix);
	nftw(fake.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
fake_forget(size_t rows)
{
	while (fake.nrows > rows)
		file_release(&fake.row[--fake.nrows]);
}

static int
count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)ftw;
	counted += type == FTW_F;
	return 0;
}

unsigned
fake_count(const char *sub)
{
	char path[128];

	counted = 0;
	snprintf(path, sizeof(path), "%s/%s", fake.dir, sub);
	nftw(path, count_one, 16, FTW_PHYS);
	return counted;
}

/* ---- one request ---- */

void
fake_param(const char *name, const char *value)
{
	fake.param[fake.nparams].name = name;
	fake.param[fake.nparams++].value = value;
}

void
fake_begin(const char *method, const char *uri)
{
	static char path[2048];
	const char *query = strchr(uri, '?');

	fake.method = method;
	fake.nparams = 0;
	fake.body = NULL;
	fake.body_len = fake.body_at = fake.truncate_at = 0;
	fake.has_length = true;
	fake.declared = 0;
	fake.at_end = NULL;
	fake.peer_gone = fake.in_content = false;
	fake.status = 0;
	fake.written = 0;
	strbuf_reset(&fake.head);
	strbuf_reset(&fake.content);
	json_decref(parsed);
	parsed = NULL;
	if (str_copy(path, sizeof(path), uri) < 0)
		abort();
	fake_param("REQUEST_URI", path);
	fake_param("HTTP_AUTHORIZATION", "Bearer good");
	if (query)
		fake_param("QUERY_STRING", query + 1);
}

void
fake_body(const void *p, size_t n)
{
	fake.body = p;
	fake.body_len = n;
}

void
fake_serve(void)
{
	route_serve(&fake.app, (struct request *)&fake);
}

void
fake_put(const char *name, const char *type, const void *p, size_t n)
{
	char uri[300];

	snprintf(uri, sizeof(uri), "/api/upload/%s", name);
	fake_begin("PUT", uri);
	if (type)
		fake_param("CONTENT_TYPE", type);
	fake_body(p, n);
	fake_serve();
}

void
fake_post(const char *type, const char *body)
{
	fake_begin("POST", "/api/upload");
	if (type)
		fake_param("CONTENT_TYPE", type);
	fake_body(body, strlen(body));
	fake_serve();
}

bool
fake_unchanged(unsigned files, size_t rows)
{
	return fake_count("incoming") == 0 && fake_count("files") == files && fake.nrows == rows;
}

const char *
fake_header(const char *name)
{
	static char value[1024];
	size_t n = strlen(name);

	for (const char *p = fake.head.s; p && *p; p = strstr(p, "\r\n")) {
		p += *p == '\r' ? 2 : 0;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
			snprintf(
			    value, sizeof(value), "%.*s", (int)strcspn(p + n + 2, "\r"), p + n + 2);
			return value;
		}
	}
	return NULL;
}

json_t *
fake_json(void)
{
	if (!parsed)
		parsed = json_loadb(fake.content.s, fake.content.len, 0, NULL);
	return parsed;
}

const char *
fake_member(const char *name)
{
	const char *s = json_string_value(json_object_get(fake_json(), name));

	return s ? s : "";
}

bool
fake_slug(const char *slug)
{
	char type[96];

	snprintf(type, sizeof(type), "urn:problem-type:sluice:%s", slug);
	return strcmp(fake_member("type"), type) == 0;
}

/* ---- request.h ---- */

const char *
request_param(const struct request *r, const char *name)
{
	(void)r;
	for (size_t i = fake.nparams; i > 0; i--)
		if (strcmp(fake.param[i - 1].name, name) == 0)
			return fake.param[i - 1].value;
	return NULL;
}

const char *
request_method(const struct request *r)
{
	(void)r;
	return fake.method;
}

const char *
request_id(const struct request *r)
{
	(void)r;
	return "0123456789abcdef";
}

int
request_length(const struct request *r, uint64_t *length)
{
	(void)r;
	*length = fake.declared ? fake.declared : fake.body_len;
	return fake.has_length;
}

ssize_t
request_body(struct request *r, const unsigned char **p, struct err *e)
{
	size_t n = fake.body_len - fake.body_at;

	(void)r;
	if (fake.truncate_at && fake.body_at >= fake.truncate_at)
		return err_set(e, ERR_INPUT, "the client left");
	if (fake.cut && n > fake.cut)
		n = fake.cut;
	if (n == 0 && fake.at_end)
		fake.at_end();
	*p = fake.body + fake.body_at;
	fake.body_at += n;
	return (ssize_t)n;
}

uint64_t
request_body_read(const struct request *r)
{
	(void)r;
	return fake.body_at;
}

int
request_write(struct request *r, const void *p, size_t n)
{
	const char *s = p, *end = fake.in_content ? NULL : memmem(p, n, "\r\n\r\n", 4);

	(void)r;
	if (fake.peer_gone)
		return -1;
	fake.written += n;
	if (end) {
		strbuf_add(&fake.head, s, (size_t)(end - s) + 2);
		sscanf(fake.head.s, "Status: %d", &fake.status);
		n -= (size_t)(end + 4 - s);
		s = end + 4;
		fake.in_content = true;
	}
	strbuf_add(&fake.content, s, n);
	return 0;
}

uint64_t
request_written(const struct request *r)
{
	(void)r;
	return fake.written;
}

/* ---- the data floor's rows ---- */

static int
db_fails(struct err *e)
{
	return fake.db_error ? err_set(e, fake.db_error, "the database is away") : 0;
}

int
db_read(struct db *db, struct db_rows **rows, const char *sql, const char *const *params, int n,
    struct err *e)
{
	(void)db;
	(void)rows;
	(void)sql;
	(void)params;
	(void)n;
	return db_fails(e);
}

bool
account_name_valid(const char *name)
{
	return *name != '\0' && *name != '-';
}

int
account_by_name(struct db *db, const char *name, bool create, struct account *out, struct err *e)
{
	(void)db;
	if (!create && strcmp(name, "alice") != 0)
		return err_set(e, ERR_NOTFOUND, "no account %s", name);
	*out = (struct account){ .id = 2 };
	return db_fails(e);
}

int
token_check(struct db *db, const char *token, struct account *out, struct err *e)
{
	(void)db;
	if (db_fails(e) < 0)
		return -1;
	*out = (struct account){ .id = strcmp(token, "other") == 0 ? 9 : 1 };
	return strcmp(token, "good") == 0 || strcmp(token, "other") == 0
		   ? 0
		   : err_set(e, ERR_DENIED, "not a token");
}

void
file_release(struct file *f)
{
	mem_free(f->metadata);
	mem_free(f->thumbnail_error);
	mem_free(f->renditions);
	f->metadata = f->thumbnail_error = NULL;
	f->renditions = NULL;
}

const char *
thumbnail_status_name(enum thumbnail_status s)
{
	static const char *const names[] = { "none", "generating", "ready", "failed" };

	return names[s];
}

static void
copy_row(struct file *to, const struct file *from)
{
	*to = *from;
	to->metadata = from->metadata ? mem_strdup(from->metadata) : NULL;
	to->thumbnail_error = from->thumbnail_error ? mem_strdup(from->thumbnail_error) : NULL;
	to->renditions = NULL;
	if (from->nrenditions > 0) {
		to->renditions = mem_array(from->nrenditions, sizeof(*to->renditions));
		memcpy(
		    to->renditions, from->renditions, from->nrenditions * sizeof(*to->renditions));
	}
}

int
files_add(struct db *db, struct file *f, size_t n, struct err *e)
{
	(void)db;
	if (fake.add_error && (fake.add_error != ERR_UNCERTAIN || fake.lost))
		return err_set(e, fake.add_error, "insert");
	for (size_t i = 0; i < n; i++) {
		if (str_copy(f[i].created, FILE_TIME, "2026-11-21T17:12:56.123456Z") < 0)
			abort();
		f[i].created_us = 1795281176123456;
		copy_row(&fake.row[fake.nrows++], &f[i]);
	}
	return fake.add_error ? err_set(e, fake.add_error, "insert") : 0;
}

static struct file *
find(const struct id *id)
{
	for (size_t i = 0; i < fake.nrows; i++)
		if (id_equal(&fake.row[i].id, id))
			return &fake.row[i];
	return NULL;
}

int
files_find_all(struct db *db, struct file *f, size_t n, struct err *e)
{
	(void)db;
	(void)e;
	for (size_t i = 0; i < n; i++)
		if (!find(&f[i].id))
			return 0;
	return 1;
}

int
files_get(struct db *db, const struct id *id, const struct account *caller, bool anonymous_ok,
    struct file *out, struct err *e)
{
	const struct file *f = find(id);

	(void)db;
	if (!f || (f->account != caller->id && !(f->account == 0 && anonymous_ok)))
		return err_set(e, ERR_NOTFOUND, "no such file");
	copy_row(out, f);
	return 0;
}

int
files_list(struct db *db, const struct files_query *q, struct file **out, size_t *n, bool *more,
    struct err *e)
{
	(void)db;
	(void)e;
	*n = fake.nrows < q->limit ? fake.nrows : q->limit;
	*more = fake.nrows > q->limit;
	*out = mem_array(*n + 1, sizeof(**out));
	for (size_t i = 0; i < *n; i++)
		copy_row(&(*out)[i], &fake.row[i]);
	return 0;
}

int
files_delete_find(struct db *db, const struct id *id, const struct account *caller,
    struct file *out, struct err *e)
{
	return files_get(db, id, caller, false, out, e);
}

int
files_delete_begin(struct db *db, const struct id *id, const struct account *caller, struct err *e)
{
	(void)db;
	(void)caller;
	return find(id) ? 0 : err_set(e, ERR_NOTFOUND, "no such file");
}

int
files_delete_end(struct db *db, const struct id *id, struct err *e)
{
	struct file *f = find(id);

	(void)db;
	(void)e;
	if (f) {
		file_release(f);
		*f = fake.row[--fake.nrows];
	}
	return 0;
}

int
jobs_notify(struct db *db, struct err *e)
{
	(void)db;
	(void)e;
	fake.notified++;
	return 0;
}

int
jobs_next_due(struct db *db, uint64_t *ms, struct err *e)
{
	(void)db;
	*ms = 0;
	return db_fails(e);
}
