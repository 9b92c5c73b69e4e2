#include "base/sys.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "data/db_error.h"
#include "pg.h"

static void
test_values(struct db *db)
{
	const char *params[] = { "42", "O'Brien; drop table x", NULL, "\\x00ff10" };
	unsigned char bytes[3] = { 1, 1, 1 };
	struct db_rows *rows;
	struct err e;

	tap_is(db_read(db, &rows,
		   "select $1::bigint, $2::text, $3::text, $4::bytea, true, false, -7,"
		   " 9223372036854775807, encode($4::bytea, 'hex')",
		   params, 4, &e),
	    0, "read");
	tap_is(db_count(rows), 1, "one row");
	tap_is(db_int(rows, 0, 0), 42, "a number");
	tap_str(db_text(rows, 0, 1), params[1], "a text with a quote");
	tap_ok(db_text(rows, 0, 2) == NULL, "a null");
	tap_is(db_int(rows, 0, 2), 0, "a null as number");
	tap_is(db_bytes(rows, 0, 3, bytes, 3), 0, "bytes");
	tap_ok(memcmp(bytes, "\x00\xff\x10", 3) == 0, "their values");
	tap_is(db_bytes(rows, 0, 3, bytes, 2), -1, "bytes of another length");
	tap_is(db_bytes(rows, 0, 2, bytes, 2), -1, "bytes of a null");
	tap_is(db_bytes(rows, 0, 8, bytes, 3), 0, "bytes from plain hex");
	tap_ok(db_bool(rows, 0, 4) && !db_bool(rows, 0, 5), "booleans");
	tap_is(db_int(rows, 0, 6), -7, "a negative number");
	tap_ok(db_int(rows, 0, 7) == INT64_MAX, "the largest number");
	db_rows_free(&rows);
	tap_ok(rows == NULL, "rows are freed");
	db_rows_free(&rows);
}

static void
setting(struct db *db, const char *name, const char *want)
{
	struct db_rows *rows;
	struct err e;
	char what[64];

	(void)snprintf(what, sizeof what, "setting %s", name);
	if (db_read(db, &rows, "select current_setting($1)", &name, 1, &e) < 0) {
		tap_str(e.text, "", what);
		return;
	}
	tap_str(db_text(rows, 0, 0), want, what);
	db_rows_free(&rows);
}

static void
test_settings(void)
{
	struct db *db = pg_db("options='-c work_mem=7MB -c synchronous_commit=off'");
	struct db *pooled = db_new(&(struct db_conf){ .pooled = true, .statement_timeout = 1234 });
	struct err e;

	setting(db, "search_path", "sluice");
	setting(db, "TimeZone", "UTC");
	setting(db, "synchronous_commit", "on");
	setting(db, "statement_timeout", "2s");
	setting(db, "lock_timeout", "300ms");
	setting(db, "idle_in_transaction_session_timeout", "10s");
	setting(db, "client_encoding", "UTF8");
	setting(db, "application_name", "sluice-test");
	setting(db, "work_mem", "7MB");
	setting(pooled, "statement_timeout", "0");
	tap_is(db_listen(pooled, "x", &e), -1, "no LISTEN when pooled");
	tap_is(e.kind, ERR_INPUT, "which is an error of the caller");
	db_free(&db);
	db_free(&pooled);
}

static void
test_pooled_durability(struct db *db)
{
	struct db *off = db_new(&(struct db_conf){ .conninfo = "user=lazy", .pooled = true });
	struct err e;

	pg_exec(db, "create role lazy login");
	pg_exec(db, "alter role lazy set synchronous_commit = off");
	tap_is(db_ready(off, &e), -1, "a pooled role without synchronous_commit is refused");
	tap_ok(strstr(e.text, "synchronous_commit"), "and told why: %s", e.text);
	db_free(&off);
}

static void
fails(struct db *db, const char *sql, enum err_kind kind, const char *state, const char *name)
{
	struct err e;

	tap_is(db_write(db, NULL, sql, NULL, 0, &e), -1, name);
	tap_str(err_kind_name(e.kind), err_kind_name(kind), "  its kind");
	tap_str(db_sqlstate(db), state, "  its SQLSTATE");
}

static void
test_errors(struct db *db)
{
	struct err e;

	pg_exec(db, "create table sluice.unit (id integer primary key)");
	pg_exec(db, "insert into sluice.unit values (1)");
	fails(db, "insert into sluice.unit values (1)", ERR_CONFLICT, "23505", "unique violation");
	fails(db, "insert into sluice.unit values (null)", ERR_INTERNAL, "23502",
	    "not null violation");
	fails(db, "select nonsense", ERR_INTERNAL, "42703", "unknown column");
	fails(db, "select pg_sleep(3)", ERR_AWAY, "57014", "statement timeout");
	tap_is(db_read(db, NULL, "select 1", NULL, 0, &e), 0, "the connection lives on");
	tap_str(db_sqlstate(db), "", "no SQLSTATE after success");
}

static void
test_kinds(void)
{
	tap_is(db_error_kind("08006"), ERR_AWAY, "08006");
	tap_is(db_error_kind("53300"), ERR_AWAY, "53300");
	tap_is(db_error_kind("57P03"), ERR_AWAY, "57P03");
	tap_is(db_error_kind("40P01"), ERR_AWAY, "40P01");
	tap_is(db_error_kind("55P03"), ERR_AWAY, "55P03");
	tap_is(db_error_kind("23503"), ERR_CONFLICT, "23503");
	tap_is(db_error_kind("23514"), ERR_INTERNAL, "23514");
	tap_is(db_error_kind("XX001"), ERR_INTERNAL, "XX001");
	tap_ok(db_error_collision("40001") && !db_error_collision("40002"), "collisions");
}

/* A transaction that somebody left open must not swallow the next write. */
static void
test_open_transaction(struct db *db)
{
	struct db *other = pg_db(NULL);
	struct err e;

	pg_exec(db, "begin");
	tap_is(db_write(db, NULL, "insert into sluice.unit values (50)", NULL, 0, &e), 0,
	    "a write after BEGIN");
	tap_is(pg_int(other, "select count(*) from sluice.unit where id = 50"), 1, "is committed");
	db_free(&other);
}

static void
test_script(struct db *db)
{
	struct err e;

	tap_is(db_script(db,
		   "insert into sluice.unit values (2); insert into sluice.unit values (3) -- end",
		   &e),
	    0, "a script");
	tap_is(pg_int(db, "select count(*) from sluice.unit where id in (2, 3)"), 2, "did both");
	tap_is(db_script(db,
		   "insert into sluice.unit values (4); insert into sluice.unit values (2);", &e),
	    -1, "a script that fails");
	tap_is(e.kind, ERR_CONFLICT, "  its kind");
	tap_is(pg_int(db, "select count(*) from sluice.unit where id = 4"), 0, "did nothing");
}

static void
test_collisions(struct db *db)
{
	struct err e;

	pg_exec(db, "create sequence sluice.tries");
	pg_exec(db,
	    "create function sluice.flaky(worse integer) returns void language plpgsql as $$ begin"
	    " if nextval('sluice.tries') <= worse then"
	    " raise exception 'collision' using errcode = '40001'; end if; end $$");
	tap_is(db_write(db, NULL, "select sluice.flaky(3)", NULL, 0, &e), 0,
	    "three collisions are survived");
	tap_is(pg_int(db, "select last_value from sluice.tries"), 4, "by four attempts");
	pg_exec(db, "select setval('sluice.tries', 1, false)");
	fails(db, "select sluice.flaky(100)", ERR_AWAY, "40001", "endless collisions");
	tap_is(pg_int(db, "select last_value from sluice.tries"), 4, "end after four attempts");
}

static void
test_lock(struct db *db)
{
	uint64_t start;
	pid_t pid = fork();

	if (pid == 0) {
		struct db *holder = pg_db(NULL);
		struct err e;

		_exit(db_script(holder, "lock table sluice.unit; select pg_sleep(0.9)", &e) < 0);
	}
	clock_sleep_ms(200);
	start = clock_ms();
	fails(db, "insert into sluice.unit values (9)", ERR_AWAY, "55P03", "lock timeout");
	tap_ok(clock_ms() - start < 800, "in its time");
	waitpid(pid, NULL, 0);
}

static void
test_notify(struct db *db)
{
	struct db *listener = pg_db(NULL);
	uint64_t start = clock_ms();
	int wake[2];
	struct err e;

	tap_is(db_listen(listener, "unit_channel", &e), 0, "listen");
	tap_ok(db_fd(listener) >= 0, "a descriptor to poll");
	tap_is(db_wait(listener, 100, -1, &e), 0, "nothing comes");
	tap_ok(clock_ms() - start >= 100, "after the time");
	pg_exec(db, "select pg_notify('unit_channel', '')");
	tap_is(db_wait(listener, 2000, -1, &e), 1, "a notification");
	tap_is(db_wait(listener, 0, -1, &e), 0, "is told once");
	tap_is(pipe(wake), 0, "pipe");
	tap_is(write(wake[1], "x", 1), 1, "write");
	start = clock_ms();
	tap_is(db_wait(listener, 5000, wake[0], &e), 0, "woken by the descriptor");
	tap_ok(clock_ms() - start < 1000, "at once");
	pg_exec(db, "select pg_terminate_backend(pid) from pg_stat_activity"
		    " where query = 'listen unit_channel'");
	clock_sleep_ms(100);
	tap_is(db_ready(listener, &e), 0, "connected again");
	pg_exec(db, "select pg_notify('unit_channel', '')");
	tap_is(db_wait(listener, 2000, -1, &e), 1, "and listening again");
	close(wake[0]);
	close(wake[1]);
	db_free(&listener);
}

/* A child that closes its copy must leave the parent's session alone. */
static void
test_fork(struct db *db)
{
	int64_t pid = pg_int(db, "select pg_backend_pid()");
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct db *copy = db;

		if (pg_int(copy, "select pg_backend_pid()") == pid)
			_exit(1); /* used the parent's connection */
		db_free(&copy);
		_exit(0);
	}
	waitpid(child, &status, 0);
	tap_is(status, 0, "a child makes its own connection");
	tap_is(pg_int(db, "select pg_backend_pid()"), pid, "the parent keeps its own");
}

static void
test_large(struct db *db)
{
	size_t n = 8 << 20;
	char *text = mem_alloc(n + 1);
	const char *params[] = { text };
	struct db_rows *rows;
	struct err e;

	memset(text, 'x', n);
	text[n] = '\0';
	tap_is(db_read(db, &rows, "select $1::text", params, 1, &e), 0, "8 MiB there and back");
	tap_ok(strlen(db_text(rows, 0, 0)) == n, "whole");
	db_rows_free(&rows);
	mem_free(text);
}

/* Statements are prepared once a connection; what invalidates them is not the caller's worry. */
static void
test_prepared(struct db *db)
{
	static const char *const all = "select * from sluice.shape";
	struct db_rows *rows;
	struct err e;
	char text[32];

	pg_exec(db, "create table sluice.shape (a int)");
	tap_is(db_write(db, NULL, "insert into sluice.shape values (1)", NULL, 0, &e), 0, "insert");
	tap_is(db_read(db, NULL, all, NULL, 0, &e), 0, "prepared");
	tap_is(db_read(db, &rows,
		   "select count(*) from pg_prepared_statements where statement = $1", &all, 1, &e),
	    0, "look");
	tap_is(db_int(rows, 0, 0), 1, "once");
	db_rows_free(&rows);

	pg_exec(db, "deallocate all");
	tap_is(db_write(db, NULL, "insert into sluice.shape values (1)", NULL, 0, &e), 0,
	    "deallocated under us");
	tap_is(db_read(db, NULL, all, NULL, 0, &e), 0, "prepared again");
	pg_exec(db, "alter table sluice.shape add b int");
	tap_is(db_read(db, &rows, all, NULL, 0, &e), 0, "the table has changed");
	tap_is(db_count(rows), 2, "no write was repeated");
	db_rows_free(&rows);

	for (int i = 0; i < 40; i++) {
		(void)snprintf(text, sizeof text, "select %d", i);
		if (db_read(db, NULL, text, NULL, 0, &e) < 0)
			break;
	}
	tap_str(text, "select 39", "more texts than places");
	tap_is(db_read(db, NULL, "select broken from nowhere", NULL, 0, &e), -1, "a bad statement");
	tap_is(e.kind, ERR_INTERNAL, "is the caller's error");
	tap_is(db_read(db, NULL, "select 1", NULL, 0, &e), 0, "and harms nothing");
}

int
main(int argc, char **argv)
{
	struct db *db;

	(void)argc;
	pg_begin(argv);
	db = pg_db(NULL);
	pg_exec(db, "create schema sluice");
	test_kinds();
	test_values(db);
	test_settings();
	test_pooled_durability(db);
	test_errors(db);
	test_open_transaction(db);
	test_script(db);
	test_collisions(db);
	test_lock(db);
	test_notify(db);
	test_fork(db);
	test_large(db);
	test_prepared(db);
	db_free(&db);
	db_free(&db);
	return tap_done();
}
