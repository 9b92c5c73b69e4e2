#include "base/sys.h"

#include "base/clock.h"
#include "base/strbuf.h"
#include "data/files.h"
#include "pg.h"

static struct account alice, bob, root, nobody;

static void
set(char *dst, size_t size, const char *text)
{
	if (str_copy(dst, size, text) < 0)
		abort();
}

static struct file
make(const struct account *owner, const char *name, const char *type)
{
	struct file f = { .account = owner->id, .size = 1234, .thumbnail = THUMBNAIL_NONE };

	id_new(&f.id);
	set(f.name, sizeof f.name, name);
	set(f.type, sizeof f.type, type);
	digest_once(name, strlen(name), f.sha256);
	return f;
}

static void
test_add_and_get(struct db *db)
{
	struct file f[2], got;
	struct err e;

	f[0] = make(&alice, "holiday \xf0\x9f\x8f\x96 \"1\".jpg", "image/jpeg");
	f[0].thumbnail = THUMBNAIL_GENERATING;
	f[0].size = (uint64_t)5 << 40;
	set(f[0].declared_type, TYPE_MAX, "image/pjpeg");
	f[0].metadata = mem_strdup("{\"title\":\"Strand\",\"n\":\"\\u20ac\"}");
	f[1] = make(&alice, "notes.txt", "text/plain");
	tap_is(files_add(db, f, 2, &e), 0, "add two");
	tap_ok(f[0].created[0] == '2' && strlen(f[0].created) == 27, "  created: %s", f[0].created);
	tap_ok(f[0].created_us > 1700000000000000, "  in microseconds");
	tap_is(pg_int(db, "select count(*) from sluice.job"), 1, "  one job");
	tap_is(files_get(db, &f[0].id, &alice, false, &got, &e), 0, "get");
	tap_ok(id_equal(&got.id, &f[0].id), "  id");
	tap_str(got.name, f[0].name, "  name");
	tap_ok(got.size == f[0].size && got.account == alice.id, "  size and owner");
	tap_str(got.type, "image/jpeg", "  type");
	tap_str(got.declared_type, "image/pjpeg", "  declared type");
	tap_ok(memcmp(got.sha256, f[0].sha256, DIGEST_SIZE) == 0, "  digest");
	tap_str(got.metadata, "{\"n\": \"\xe2\x82\xac\", \"title\": \"Strand\"}", "  metadata");
	tap_str(thumbnail_status_name(got.thumbnail), "generating", "  thumbnail status");
	tap_str(got.scan, "off", "  scan status");
	tap_str(got.created, f[0].created, "  creation");
	tap_ok(got.created_us == f[0].created_us, "  creation in microseconds");
	tap_ok(got.nrenditions == 0 && got.thumbnail_error == NULL, "  no rendition, no error");
	file_release(&got);
	tap_is(files_find_all(db, f, 2, &e), 1, "find both");
	tap_is(files_add(db, f, 1, &e), -1, "add the same again");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_CONFLICT), "  is a conflict");
	file_release(&f[0]);
}

static void
test_all_or_none(struct db *db)
{
	struct file f[2];
	struct err e;

	f[0] = make(&alice, "good.txt", "text/plain");
	f[1] = make(&alice, "bad.txt", "text/plain");
	f[1].metadata = mem_strdup("{\"nul\":\"\\u0000\"}");
	tap_is(files_add(db, f, 2, &e), -1, "one that cannot be stored");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_INPUT), "  is bad input");
	f[0].created[0] = '\0';
	tap_is(files_find_all(db, f, 2, &e), 0, "  none is there");
	file_release(&f[1]);
	tap_is(files_add(db, f, 1, &e), 0, "the good one alone");
	tap_is(files_find_all(db, f, 2, &e), 0, "one of two");
	tap_is(files_find_all(db, f, 1, &e), 1, "one of one");
	tap_is(files_find_all(db, f, 0, &e), 1, "none of none");
}

static int
seen(struct db *db, const struct id *id, const struct account *caller, bool anonymous_ok)
{
	struct file f;
	struct err e;

	if (files_get(db, id, caller, anonymous_ok, &f, &e) < 0)
		return e.kind == ERR_NOTFOUND ? 0 : -1;
	file_release(&f);
	return 1;
}

static void
test_who_may(struct db *db)
{
	struct file own = make(&alice, "own.txt", "text/plain");
	struct file anonymous = make(&nobody, "anonymous.txt", "text/plain");
	struct id id;
	struct err e;

	id_new(&id);
	tap_is(files_add(db, &own, 1, &e) + files_add(db, &anonymous, 1, &e), 0, "add");
	tap_is(seen(db, &own.id, &alice, false), 1, "the owner sees it");
	tap_is(seen(db, &own.id, &bob, true), 0, "another does not");
	tap_is(seen(db, &own.id, &nobody, true), 0, "nobody does not");
	tap_is(seen(db, &own.id, &root, false), 1, "an administrator does");
	tap_is(seen(db, &anonymous.id, &nobody, false), 0, "an anonymous file is closed");
	tap_is(seen(db, &anonymous.id, &nobody, true), 1, "unless opened");
	tap_is(seen(db, &id, &root, true), 0, "a missing one");
	tap_is(files_delete_begin(db, &own.id, &bob, &e), -1, "another may not delete");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_NOTFOUND), "  not found");
	tap_is(
	    files_delete_begin(db, &anonymous.id, &nobody, &e), -1, "nor nobody what is nobody's");
	tap_is(seen(db, &own.id, &alice, false), 1, "  it is still there");
}

static void
test_delete(struct db *db)
{
	struct file f = make(&alice, "gone.jpg", "image/jpeg"), found;
	struct err e;

	f.thumbnail = THUMBNAIL_GENERATING;
	pg_exec(db, "delete from sluice.job");
	tap_is(files_add(db, &f, 1, &e), 0, "add");
	tap_is(files_delete_end(db, &f.id, &e), 0, "the end without the beginning");
	tap_is(seen(db, &f.id, &alice, false), 1, "  does nothing");
	tap_is(files_delete_begin(db, &f.id, &alice, &e), 0, "begin");
	tap_is(seen(db, &f.id, &alice, false), 0, "  nobody sees it");
	tap_is(seen(db, &f.id, &root, false), 0, "  not even an administrator");
	tap_is(pg_int(db, "select count(*) from sluice.job"), 0, "  its job is off the queue");
	tap_is(pg_int(db, "select count(*) from sluice.job_history where state = 'cancelled'"), 1,
	    "  and in the history");
	tap_is(files_delete_find(db, &f.id, &bob, &found, &e), -1, "  another does not find it");
	tap_is(files_delete_find(db, &f.id, &alice, &found, &e), 0, "  its owner does, to go on");
	file_release(&found);
	tap_is(files_delete_begin(db, &f.id, &alice, &e), 0, "begin again, after a crash");
	tap_is(files_delete_end(db, &f.id, &e), 0, "end");
	tap_is(files_find_all(db, &f, 1, &e), 0, "  the row is gone");
	tap_is(files_delete_end(db, &f.id, &e), 0, "end again");
	tap_is(files_delete_begin(db, &f.id, &alice, &e), -1, "begin with a missing one");
}

/* The names of a page, joined. */
static void
page(struct db *db, struct files_query *q, const char *want, bool want_more, const char *name)
{
	struct strbuf b;
	struct file *files;
	size_t n;
	bool more;
	struct err e;

	strbuf_init(&b);
	if (files_list(db, q, &files, &n, &more, &e) < 0) {
		tap_str(e.text, want, name);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		strbuf_addf(&b, "%s%s", i ? " " : "", files[i].name);
		q->created_us = files[i].created_us;
		q->id = files[i].id;
		file_release(&files[i]);
	}
	tap_str(b.s, want, name);
	tap_is(more, want_more, "  and more");
	mem_free(files);
	strbuf_release(&b);
}

static void
test_list(struct db *db)
{
	static const char *const names[] = { "a_1.PNG", "B%2.png", "c.txt", "d.html", "e.png" };
	static const char *const types[] = { "image/png", "image/png", "text/plain", "text/html",
		"image/jpeg" };
	struct files_query q = { .caller = &bob, .limit = 10 };
	struct file *files;
	size_t n;
	bool more;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct file f = make(&bob, names[i], types[i]);

		tap_is(files_add(db, &f, 1, &e), 0, "add");
	}
	page(db, &q, "e.png d.html c.txt B%2.png a_1.PNG", false, "all, newest first");
	q.limit = 2;
	page(db, &q, "e.png d.html", true, "the first two");
	q.has_cursor = true;
	page(db, &q, "c.txt B%2.png", true, "the next two");
	page(db, &q, "a_1.PNG", false, "the last one");
	q = (struct files_query){ .caller = &bob, .limit = 5, .type = "image/png" };
	page(db, &q, "B%2.png a_1.PNG", false, "of one type");
	q.type = "image/*";
	page(db, &q, "e.png B%2.png a_1.PNG", false, "of one kind of type");
	q.q = ".pNg";
	q.limit = 3;
	page(db, &q, "e.png B%2.png a_1.PNG", false, "with a part of the name, exactly a page");
	q.q = "%";
	page(db, &q, "B%2.png", false, "a percent sign is itself");
	q.q = "_";
	page(db, &q, "a_1.PNG", false, "an underscore is itself");
	q.q = "\\";
	page(db, &q, "", false, "a backslash is itself");
	q = (struct files_query){ .caller = &nobody, .limit = 5 };
	page(db, &q, "", false, "nobody has no list");
	q = (struct files_query){ .caller = &root, .limit = 1 };
	page(db, &q, "e.png", true, "an administrator sees all");
	q.limit = 0;
	tap_is(files_list(db, &q, &files, &n, &more, &e), -1, "a page of none");
	q.limit = 1;
	q.q = "\xff";
	tap_is(files_list(db, &q, &files, &n, &more, &e), -1, "a broken q");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_INPUT), "  is bad input");
	q.q = NULL;
	q.has_cursor = true;
	q.created_us = 253402300799999999;
	page(db, &q, "e.png", true, "from the end of time");
}

/* Rows of one microsecond are told apart by their id: no row is shown twice or left out. */
static void
test_same_time(struct db *owner, struct db *db)
{
	struct files_query q = { .caller = &bob, .limit = 3, .has_cursor = false };
	size_t total = 0, n;
	bool more = true;
	struct err e;

	pg_exec(owner, "update sluice.file set created_at = '2026-01-01 00:00:00.123457+00'");
	for (int i = 0; more && i < 10; i++) {
		struct file *files;

		if (files_list(db, &q, &files, &n, &more, &e) < 0)
			break;
		for (size_t k = 0; k < n; k++) {
			q.created_us = files[k].created_us;
			q.id = files[k].id;
			file_release(&files[k]);
		}
		mem_free(files);
		q.has_cursor = true;
		total += n;
	}
	tap_is(q.created_us, 1767225600123457, "microseconds are exact");
	tap_is((long long)total, 5, "five rows of the same time");
}

static void
test_large_metadata(struct db *owner, struct db *db)
{
	struct files_query q = { .caller = &bob, .limit = 10, .q = "large" };
	size_t n, total = 0, pages = 0;
	struct file *page;
	bool more = true;
	struct err e;

	pg_exec(owner,
	    "insert into sluice.file (id, account_id, name, size, content_type, sha256, metadata)"
	    " select gen_random_uuid(), (select id from sluice.account where name = 'bob'),"
	    " 'large', 0, 'text/plain', sha256(''), jsonb_build_object('a', repeat('x', 3000000))"
	    " from generate_series(1, 5)");
	for (; more && pages < 10; pages++) {
		if (files_list(db, &q, &page, &n, &more, &e) < 0)
			break;
		if (pages < 2)
			tap_is((long long)n, 2, "a page of large rows ends early");
		total += n;
		if (n > 0) {
			q.has_cursor = true;
			q.created_us = page[n - 1].created_us;
			q.id = page[n - 1].id;
		}
		while (n > 0)
			file_release(&page[--n]);
		mem_free(page);
	}
	tap_is((long long)pages, 3, "three pages");
	tap_is((long long)total, 5, "hold all");
}

/* Does the plan of the list that was asked for last walk this index? */
static bool
walks(struct db *db, const char *args, const char *index)
{
	struct db_rows *rows;
	struct err e;
	char sql[256];
	bool found = false;

	if (db_read(db, &rows,
		"select name from pg_prepared_statements where statement like 'with p as%'"
		" order by prepare_time desc limit 1",
		NULL, 0, &e) < 0)
		return false;
	(void)snprintf(sql, sizeof sql, "explain (costs off) execute %s (%s)",
	    db_count(rows) ? db_text(rows, 0, 0) : "none", args);
	db_rows_free(&rows);
	if (db_read(db, &rows, sql, NULL, 0, &e) < 0) {
		printf("# %s\n", e.text);
		return false;
	}
	for (int i = 0; i < db_count(rows); i++) {
		const char *line = db_text(rows, i, 0), *at = strstr(line, index);

		printf("# %s\n", line);
		found |= at && at[strlen(index)] == ' ';
	}
	db_rows_free(&rows);
	return found;
}

/* A plan that is kept must be as good for one that has few files as for one that has many. */
static void
test_index(struct db *owner)
{
	struct db *db = pg_db("user=sluice_fcgi");
	struct files_query q = { .caller = &bob, .limit = 20 };
	struct file *page;
	struct err e;
	bool more;
	size_t n;

	pg_exec(owner,
	    "insert into sluice.file (id, account_id, name, size, content_type, sha256)"
	    " select gen_random_uuid(), (select id from sluice.account where name = 'alice'),"
	    " 'x', 0, 'text/plain', sha256('') from generate_series(1, 5000)");
	pg_exec(owner, "analyze sluice.file");
	pg_exec(db, "set plan_cache_mode = force_generic_plan");
	pg_exec(db, "set enable_seqscan = off");
	pg_exec(db, "set enable_sort = off");
	for (int i = 0; i < 4; i++) {
		bool admin = i & 1, cursor = i & 2;

		q.caller = admin ? &root : &bob;
		q.has_cursor = cursor;
		q.created_us = 1795281176123456;
		tap_is(files_list(db, &q, &page, &n, &more, &e), 0,
		    admin ? "all files" : "one's own files");
		while (n > 0)
			file_release(&page[--n]);
		mem_free(page);
		tap_ok(walks(db,
			   cursor ? "false, 2, 1, gen_random_uuid(), null, null, null, 21"
				  : "false, 2, null, null, null, null, null, 21",
			   admin ? "file_newest" : "file_newest_of_account"),
		    "  are read from their index");
	}
	db_free(&db);
}

static void
account(struct db *owner, const char *name, bool admin, struct account *out)
{
	struct err e;
	int64_t id;

	if (account_add(owner, name, admin, &id, &e) < 0 ||
	    account_by_name(owner, name, false, out, &e) < 0)
		printf("Bail out! %s\n", e.text);
}

int
main(int argc, char **argv)
{
	struct db *owner, *db;

	(void)argc;
	pg_begin(argv);
	owner = pg_db(NULL);
	pg_schema(owner);
	pg_roles(owner);
	account(owner, "alice", false, &alice);
	account(owner, "bob", false, &bob);
	account(owner, "root", true, &root);
	db = pg_db("user=sluice_fcgi");
	test_add_and_get(db);
	test_all_or_none(db);
	test_who_may(db);
	test_delete(db);
	test_list(db);
	test_same_time(owner, db);
	test_large_metadata(owner, db);
	test_index(owner);
	db_free(&db);
	db_free(&owner);
	return tap_done();
}
