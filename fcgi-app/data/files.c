#include "base/sys.h"
#include "data/files.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "data/files_row.h"
#include "data/json.h"

static void
set_text(json_t *object, const char *key, const char *s)
{
	json_object_set_new(object, key, json_str(s));
}

/* The rows as a JSON array, in the words of the recordset in files_add. mem_free it. */
static char *
rows_to_json(const struct file *f, size_t n)
{
	char id[ID_TEXT], hex[DIGEST_HEX], *text;
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();

		set_text(o, "id", id_text(&f[i].id, id));
		if (f[i].account)
			json_object_set_new(o, "account", json_integer(f[i].account));
		set_text(o, "name", f[i].name);
		json_object_set_new(o, "size", json_integer((json_int_t)f[i].size));
		set_text(o, "type", f[i].type);
		set_text(o, "declared", f[i].declared_type);
		set_text(o, "sha256", codec_hex(f[i].sha256, DIGEST_SIZE, hex));
		set_text(o, "metadata", f[i].metadata ? f[i].metadata : "{}");
		set_text(o, "thumbnail", thumbnail_status_name(f[i].thumbnail));
		json_array_append_new(list, o);
	}
	text = json_text(list);
	json_decref(list);
	return text;
}

/* Gives each file the time of creation from rows of (id, FILE_CREATED). 0, or -1. */
static int
take_created(const struct db_rows *rows, struct file *f, size_t n, struct err *e)
{
	for (int r = 0; r < db_count(rows); r++) {
		struct id id;

		if (id_parse(db_text(rows, r, 0), &id) < 0)
			return err_set(e, ERR_INTERNAL, "file row: bad id");
		for (size_t i = 0; i < n; i++)
			if (id_equal(&f[i].id, &id) &&
			    file_created_from_row(rows, r, 1, &f[i], e) < 0)
				return -1;
	}
	return 0;
}

/* 22P05 and 22021: text that PostgreSQL cannot hold, which only the client can have sent. */
static int
add_failed(struct db *db, struct err *e)
{
	const char *state = db_sqlstate(db);

	if (strcmp(state, "22P05") == 0 || strcmp(state, "22021") == 0)
		return err_set(e, ERR_INPUT, "metadata: holds a NUL character or is not UTF-8");
	return err_prefix(e, "add file rows");
}

int
files_add(struct db *db, struct file *f, size_t n, struct err *e)
{
	char *json = rows_to_json(f, n);
	const char *params[] = { json };
	struct db_rows *rows;
	int rc;

	rc = db_write(db, &rows,
	    "with input as (select * from jsonb_to_recordset($1::jsonb) as x (id uuid,"
	    " account bigint, name text, size bigint, type text, declared text, sha256 text,"
	    " metadata text, thumbnail text)),"
	    " f as (insert into sluice.file (id, account_id, name, size, content_type,"
	    " declared_type, sha256, metadata, thumbnail_status)"
	    " select id, account, name, size, type, declared, decode(sha256, 'hex'),"
	    " metadata::jsonb, thumbnail from input returning *),"
	    " queued as (insert into sluice.job (kind, file_id)"
	    " select 'thumbnail', id from f where thumbnail_status = 'generating')"
	    " select f.id, " FILE_CREATED " from f",
	    params, 1, e);
	mem_free(json);
	if (rc < 0)
		return add_failed(db, e);
	rc = take_created(rows, f, n, e);
	db_rows_free(&rows);
	return rc;
}

int
files_find_all(struct db *db, struct file *f, size_t n, struct err *e)
{
	struct strbuf ids;
	struct db_rows *rows;
	char id[ID_TEXT];
	const char *params[1];
	int rc;

	strbuf_init(&ids);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&ids, "%c%s", i ? ',' : '{', id_text(&f[i].id, id));
	strbuf_adds(&ids, n ? "}" : "{}");
	params[0] = ids.s;
	rc = db_read(db, &rows,
	    "select f.id, " FILE_CREATED " from sluice.file f where f.id = any ($1::uuid[])",
	    params, 1, e);
	strbuf_release(&ids);
	if (rc < 0)
		return err_prefix(e, "look for file rows");
	rc = take_created(rows, f, n, e);
	if (rc == 0)
		rc = (size_t)db_count(rows) == n;
	db_rows_free(&rows);
	return rc;
}

int
files_get(struct db *db, const struct id *id, const struct account *caller, bool anonymous_ok,
    struct file *out, struct err *e)
{
	char text[ID_TEXT], owner[24];
	const char *params[] = { id_text(id, text), owner, caller->admin ? "true" : "false",
		anonymous_ok ? "true" : "false" };
	struct db_rows *rows;
	int rc;

	(void)snprintf(owner, sizeof owner, "%lld", (long long)caller->id);
	memset(out, 0, sizeof *out);
	if (db_read(db, &rows,
		"select " FILE_COLUMNS " from sluice.file f"
		" where f.id = $1::uuid and f.state = 'ready' and ($3::boolean"
		" or f.account_id = $2::bigint or (f.account_id is null and $4::boolean))",
		params, ARRAY_LEN(params), e) < 0)
		return err_prefix(e, "file %s", text);
	rc = db_count(rows) == 1 ? file_from_row(rows, 0, out, e)
				 : err_set(e, ERR_NOTFOUND, "no file %s", text);
	db_rows_free(&rows);
	return rc;
}

int
files_delete_find(struct db *db, const struct id *id, const struct account *caller,
    struct file *out, struct err *e)
{
	char text[ID_TEXT], owner[24];
	const char *params[] = { id_text(id, text), owner, caller->admin ? "true" : "false" };
	struct db_rows *rows;
	int rc;

	(void)snprintf(owner, sizeof owner, "%lld", (long long)caller->id);
	memset(out, 0, sizeof *out);
	if (db_read(db, &rows,
		"select " FILE_COLUMNS " from sluice.file f"
		" where f.id = $1::uuid and ($3::boolean or f.account_id = $2::bigint)",
		params, ARRAY_LEN(params), e) < 0)
		return err_prefix(e, "file %s", text);
	rc = db_count(rows) == 1 ? file_from_row(rows, 0, out, e)
				 : err_set(e, ERR_NOTFOUND, "no file %s", text);
	db_rows_free(&rows);
	return rc;
}

/* A row that is being deleted already is taken up again: the first attempt may have been cut. */
int
files_delete_begin(struct db *db, const struct id *id, const struct account *caller, struct err *e)
{
	char text[ID_TEXT], owner[24];
	const char *params[] = { id_text(id, text), owner, caller->admin ? "true" : "false" };
	struct db_rows *rows;
	int n;

	(void)snprintf(owner, sizeof owner, "%lld", (long long)caller->id);
	if (db_write(db, &rows,
		"with f as (update sluice.file set state = 'deleting'"
		" where id = $1::uuid and ($3::boolean or account_id = $2::bigint) returning id),"
		" ended as (delete from sluice.job using f"
		" where job.file_id = f.id and job.state = 'queued' returning job.*),"
		" moved as (insert into sluice.job_history (id, kind, file_id, state, attempts,"
		" worker, last_error, created_at) select id, kind, file_id, 'cancelled', attempt,"
		" worker, 'the file was deleted', created_at from ended)"
		" select id from f",
		params, ARRAY_LEN(params), e) < 0)
		return err_prefix(e, "delete file %s", text);
	n = db_count(rows);
	db_rows_free(&rows);
	return n == 1 ? 0 : err_set(e, ERR_NOTFOUND, "no file %s", text);
}

int
files_delete_end(struct db *db, const struct id *id, struct err *e)
{
	char text[ID_TEXT];
	const char *params[] = { id_text(id, text) };

	if (db_write(db, NULL, "delete from sluice.file where id = $1::uuid and state = 'deleting'",
		params, 1, e) < 0)
		return err_prefix(e, "delete the row of file %s", text);
	return 0;
}
