/*
 * doctor: is everything in place that the promises rest on? One line per check.
 */
#include "base/sys.h"
#include "admin/admin.h"
#include "admin/print.h"
#include "base/mem.h"
#include "data/json.h"
#include "data/schema.h"
#include "data/store.h"

struct report {
	bool json, failed;
	json_t *checks;
};

static void PRINTF_LIKE(4, 5)
    tell(struct report *r, const char *check, bool ok, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	r->failed = r->failed || !ok;
	if (r->json) {
		json_t *o = json_object();

		json_object_set_new(o, "check", json_str(check));
		json_object_set_new(o, "ok", json_boolean(ok));
		json_object_set_new(o, "text", json_str(text));
		json_array_append_new(r->checks, o);
		return;
	}
	printf("%-4s  %s: ", ok ? "OK" : "FAIL", check);
	print_text(text, 0);
	putchar('\n');
}

/* One setting of the server without which a commit is not durable or a name not storable. */
static void
check_setting(struct report *r, const struct db_rows *rows, int row)
{
	const char *name = db_text(rows, row, 0), *value = db_text(rows, row, 1);

	tell(r, name, db_bool(rows, row, 2), "%s%s", value,
	    db_bool(rows, row, 2) ? "" : ": an acknowledged upload could be lost or refused");
}

/* synchronous_commit is as our own connections have it; db.h refuses a pooled one without it. */
static void
check_settings(struct report *r, struct db *db)
{
	struct db_rows *rows;
	struct err e;

	if (db_read(db, &rows,
		"select name, setting, case name when 'server_encoding' then setting = 'UTF8'"
		" when 'server_version_num' then setting::integer >= 140000"
		" else setting <> 'off' end"
		" from pg_settings where name in ('fsync', 'full_page_writes',"
		" 'synchronous_commit', 'server_encoding', 'server_version_num') order by name",
		NULL, 0, &e) < 0) {
		tell(r, "settings", false, "%s", e.text);
		return;
	}
	for (int i = 0; i < db_count(rows); i++)
		check_setting(r, rows, i);
	db_rows_free(&rows);
}

static bool
check_database(struct report *r, struct admin *a)
{
	struct db *db = admin_db_raw(a);
	struct err e;

	if (db_ready(db, &e) < 0) {
		tell(r, "database", false, "%s", e.text);
		return false;
	}
	tell(r, "database", true, "reachable and writable");
	if (schema_check(db, &e) < 0)
		tell(r, "schema", false, "%s", e.text);
	else
		tell(r, "schema", true, "version %u", (unsigned)SCHEMA_VERSION);
	check_settings(r, db);
	return true;
}

static void
check_store(struct report *r, const struct conf_store *conf)
{
	struct store *st;
	uint64_t bytes;
	struct err e;

	st = store_open(conf->dir, &e);
	if (!st) {
		tell(r, "store", false, "%s", e.text);
		return;
	}
	tell(r, "store", true, "%s", conf->dir);
	if (store_free_space(st, &bytes, &e) < 0)
		tell(r, "free space", false, "%s", e.text);
	else
		tell(r, "free space", bytes > conf->min_free, "%llu MiB, %llu MiB are kept free",
		    (unsigned long long)(bytes >> 20), (unsigned long long)(conf->min_free >> 20));
	store_free(&st);
}

/* 0 all is well, 75 the database is away, 78 the configuration is bad, 1 anything else. */
int
cmd_doctor(struct admin *a, struct err *e)
{
	struct report r = { .json = a->json, .checks = json_array() };
	bool database = true;

	if (a->conf) {
		tell(&r, "configuration", true, "loaded");
		database = check_database(&r, a);
		check_store(&r, &a->conf->store);
	} else {
		tell(&r, "configuration", false, "%s", a->conf_error);
	}
	if (r.json) {
		char *text = json_text(r.checks);

		printf("{\"ok\":%s,\"checks\":%s}\n", r.failed ? "false" : "true", text);
		mem_free(text);
	}
	json_decref(r.checks);
	if (print_flush(e) < 0)
		return -1;
	if (!a->conf)
		return EXIT_CONFIG;
	if (!database)
		return EXIT_TEMPORARY;
	return r.failed ? EXIT_FAILURE : 0;
}
