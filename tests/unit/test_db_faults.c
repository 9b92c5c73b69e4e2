/*
 * What db.h promises when connections and servers die: nothing is done twice, nothing is called
 * undone that may have been done, and nobody waits without an end.
 */
#include "base/sys.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "pg.h"
#include "pg_proxy.h"

static int64_t
rows_with(struct db *db, const char *note)
{
	struct db_rows *rows;
	struct err e;
	int64_t n;

	if (db_read(db, &rows, "select count(*) from sluice.unit where note = $1", &note, 1, &e) <
	    0)
		return -1;
	n = db_int(rows, 0, 0);
	db_rows_free(&rows);
	return n;
}

static int
insert(struct db *db, const char *note, struct err *e)
{
	return db_write(db, NULL, "insert into sluice.unit (note) values ($1)", &note, 1, e);
}

/* Ends db's backend from another connection. */
static void
terminate(struct db *other, struct db *db)
{
	char *sql = mem_printf(
	    "select pg_terminate_backend(%lld)", (long long)pg_int(db, "select pg_backend_pid()"));

	pg_exec(other, sql);
	clock_sleep_ms(100);
	mem_free(sql);
}

static void
test_between_statements(struct db *other)
{
	struct db *db = pg_db(NULL);
	struct err e;

	terminate(other, db);
	tap_is(db_read(db, NULL, "select 1", NULL, 0, &e), 0, "a read after the backend died");
	terminate(other, db);
	tap_is(insert(db, "once", &e), 0, "a write after the backend died");
	tap_is(rows_with(other, "once"), 1, "was done once");
	terminate(other, db);
	tap_is(db_ready(db, &e), 0, "ready after the backend died");
	db_free(&db);
}

/* A child that does something to backend pid after a while. */
static pid_t
later(int64_t backend, int sig)
{
	pid_t pid = fork();

	if (pid == 0) {
		clock_sleep_ms(300);
		_exit(kill((pid_t)backend, sig) < 0);
	}
	return pid;
}

#define SLOW_INSERT(note) \
	"with w as (insert into sluice.unit (note) values ('" note "') returning 1)" \
	" select pg_sleep(1.5) from w"

static void
test_terminated_while_writing(struct db *other)
{
	struct db *db = pg_db(NULL);
	struct err e;
	pid_t child = later(pg_int(db, "select pg_backend_pid()"), SIGTERM);

	tap_is(db_write(db, NULL, SLOW_INSERT("terminated"), NULL, 0, &e), -1,
	    "terminated in the middle of a write");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_UNCERTAIN), "  is uncertain");
	tap_str(db_sqlstate(db), "57P01", "  its SQLSTATE");
	tap_is(rows_with(other, "terminated"), 0, "  it was rolled back");
	waitpid(child, NULL, 0);
	child = later(pg_int(db, "select pg_backend_pid()"), SIGTERM);
	tap_is(db_read(db, NULL, "select pg_sleep(1.5)", NULL, 0, &e), 0,
	    "terminated in the middle of a read: repeated");
	tap_str(e.text, "", "  no error is left over");
	waitpid(child, NULL, 0);
	db_free(&db);
}

static void
test_lost_answer(struct db *other, const char *upstream)
{
	struct pg_proxy proxy;
	char conninfo[128];
	struct db *db;
	struct err e;

	pg_proxy_start(&proxy, upstream);
	(void)snprintf(conninfo, sizeof conninfo, "host=%s", proxy.dir);
	db = pg_db(conninfo);
	tap_is(insert(db, "through the proxy", &e), 0, "a write through the proxy");
	tap_is(insert(db, "lose_answer", &e), -1, "a write whose answer is lost");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_UNCERTAIN), "  is uncertain");
	clock_sleep_ms(100);
	tap_is(rows_with(other, "lose_answer"), 1, "  was done, once");
	tap_is(insert(db, "lose_statement", &e), -1, "a write that is lost itself");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_UNCERTAIN), "  is uncertain");
	tap_is(rows_with(other, "lose_statement"), 0, "  was not done");
	tap_is(insert(db, "after", &e), 0, "and the next one goes through");
	tap_is(db_read(db, NULL, "select 'lose_answer'", NULL, 0, &e), -1,
	    "a read that is lost twice");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_AWAY), "  is away");
	db_free(&db);
	pg_proxy_stop(&proxy);
}

static void
test_black_hole(struct db *other, const char *upstream)
{
	struct pg_proxy proxy;
	char conninfo[128];
	struct db *db;
	struct err e;
	uint64_t start;

	pg_proxy_start(&proxy, upstream);
	(void)snprintf(conninfo, sizeof conninfo, "host=%s", proxy.dir);
	db = pg_db(conninfo);
	tap_is(db_ready(db, &e), 0, "connected through the proxy");
	start = clock_ms();
	tap_is(insert(db, "hang", &e), -1, "a write into a black hole");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_UNCERTAIN), "  is uncertain");
	tap_ok(
	    clock_ms() - start < 9000, "  after %llu ms", (unsigned long long)(clock_ms() - start));
	tap_is(rows_with(other, "hang"), 1, "  was done");
	db_free(&db);
	pg_proxy_stop(&proxy);

	pg_proxy_start(&proxy, NULL);
	(void)snprintf(conninfo, sizeof conninfo, "host=%s", proxy.dir);
	db = pg_db(conninfo);
	start = clock_ms();
	tap_is(db_ready(db, &e), -1, "a server that never greets");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_AWAY), "  is away");
	tap_ok(clock_ms() - start < 4000, "  within the connect timeout");
	db_free(&db);
	pg_proxy_stop(&proxy);
}

/* A pooled connection has no statement_timeout: the client cancels, and gets a certain answer. */
static void
test_cancel(void)
{
	struct db *db = db_new(&(struct db_conf){ .pooled = true, .statement_timeout = 100 });
	struct err e;

	tap_is(db_write(db, NULL, "select pg_sleep(20)", NULL, 0, &e), -1, "a statement cancelled");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_AWAY), "  is certainly not done");
	tap_str(db_sqlstate(db), "57014", "  its SQLSTATE");
	tap_is(db_read(db, NULL, "select 1", NULL, 0, &e), 0, "  the connection lives on");
	db_free(&db);
}

/* Not even the request to cancel may wait without an end: nobody takes it. */
static void
test_cancel_into_a_black_hole(const char *upstream)
{
	struct pg_proxy proxy;
	char conninfo[128];
	struct db *db;
	struct err e;
	uint64_t start;
	pid_t waker;

	pg_proxy_start(&proxy, upstream);
	(void)snprintf(conninfo, sizeof conninfo, "host=%s", proxy.dir);
	db = db_new(
	    &(struct db_conf){ .conninfo = conninfo, .pooled = true, .statement_timeout = 100 });
	tap_is(db_ready(db, &e), 0, "connected through a pooler");
	kill(-proxy.pid, SIGSTOP);
	waker = fork();
	if (waker == 0) { /* so that a failure ends */
		clock_sleep_ms(8000);
		_exit(kill(-proxy.pid, SIGCONT) < 0);
	}
	start = clock_ms();
	tap_is(insert(db, "stopped", &e), -1, "a write into a pooler that is stopped");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_UNCERTAIN), "  is uncertain");
	tap_ok(
	    clock_ms() - start < 6000, "  after %llu ms", (unsigned long long)(clock_ms() - start));
	db_free(&db);
	kill(waker, SIGKILL);
	waitpid(waker, NULL, 0);
	pg_proxy_stop(&proxy);
}

static void
test_read_only(struct db *other)
{
	struct db *db = pg_db(NULL), *role = pg_db("user=reader");
	struct err e;

	pg_exec(db, "set default_transaction_read_only = on");
	tap_is(insert(db, "read-only", &e), -1, "a write on a server that became read-only");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_AWAY), "  is away");
	tap_is(insert(db, "read-only", &e), 0, "  the next one finds a writable connection");
	pg_exec(other, "create role reader login");
	pg_exec(other, "alter role reader set default_transaction_read_only = on");
	tap_is(db_ready(role, &e), -1, "no connection to a read-only server");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_AWAY), "  is away");
	db_free(&db);
	db_free(&role);
}

static void
test_crash(void)
{
	struct db *db = pg_db(NULL);
	struct err e;
	uint64_t start;
	pid_t child = later(pg_int(db, "select pg_backend_pid()"), SIGKILL);
	int rc;

	tap_is(db_write(db, NULL, SLOW_INSERT("crashed"), NULL, 0, &e), -1,
	    "the server crashes in the middle of a write");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_UNCERTAIN), "  is uncertain");
	waitpid(child, NULL, 0);
	start = clock_ms();
	while ((rc = db_ready(db, &e)) < 0 && e.kind == ERR_AWAY && clock_ms() - start < 20000)
		clock_sleep_ms(50);
	tap_is(rc, 0, "  away until it has recovered, then ready");
	tap_is(rows_with(db, "crashed"), 0, "  nothing was done");
	db_free(&db);
}

/* Last: the server does not come back. */
static void
test_stopped(void)
{
	struct db *db = pg_db(NULL);
	const char *text = getenv("SLUICE_PG_PID");
	uint64_t pid, start;
	struct err e;

	tap_is(db_ready(db, &e), 0, "connected");
	if (!text || num_u64(text, 2, INT_MAX, &pid) < 0)
		return;
	kill((pid_t)pid, SIGINT);
	while (kill((pid_t)pid, 0) == 0 && db_ready(db, &e) == 0)
		clock_sleep_ms(50);
	start = clock_ms();
	tap_is(insert(db, "stopped", &e), -1, "a write to a stopped server");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_AWAY), "  is away");
	for (int i = 0; i < 1000; i++)
		if (db_read(db, NULL, "select 1", NULL, 0, &e) == 0)
			break;
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_AWAY), "a thousand more are away");
	tap_ok(clock_ms() - start < 1000, "at once, without a thousand attempts to connect");
	tap_ok(strstr(e.text, "next attempt in"), "and say so: %s", e.text);
	db_free(&db);
}

int
main(int argc, char **argv)
{
	char upstream[108];
	struct db *other;

	(void)argc;
	pg_begin(argv);
	(void)snprintf(upstream, sizeof upstream, "%s/.s.PGSQL.5432", getenv("PGHOST"));
	other = pg_db(NULL);
	pg_exec(other, "create schema sluice");
	pg_exec(other, "create table sluice.unit (note text)");
	test_between_statements(other);
	test_terminated_while_writing(other);
	test_lost_answer(other, upstream);
	test_black_hole(other, upstream);
	test_cancel();
	test_cancel_into_a_black_hole(upstream);
	test_read_only(other);
	test_crash();
	db_free(&other);
	test_stopped();
	return tap_done();
}
