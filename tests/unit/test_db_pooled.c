/*
 * Through PgBouncer in transaction mode, where consecutive statements may meet different servers
 * and no setting of a session stays.
 */
#include "base/sys.h"

#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "data/jobs.h"
#include "pg.h"

static char dir[64];
static pid_t bouncer = -1;

static void
write_config(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		abort();
	fprintf(f,
	    "[databases]\nsluice = host=%s dbname=sluice user=sluice\n[pgbouncer]\n"
	    "pool_mode = transaction\nauth_type = any\nunix_socket_dir = %s\nlisten_addr =\n"
	    "logfile = %s/log\nserver_round_robin = 1\nmin_pool_size = 3\n"
	    "default_pool_size = 3\n",
	    getenv("PGHOST"), dir, dir);
	fclose(f);
}

/* PgBouncer refuses root, so as root it runs as nobody. False when it is not installed. */
static bool
start(void)
{
	struct passwd *nobody = getpwnam("nobody");
	char path[80];

	(void)snprintf(dir, sizeof dir, "/tmp/sluice-pool.XXXXXX");
	if (!mkdtemp(dir))
		abort();
	(void)snprintf(path, sizeof path, "%s/ini", dir);
	write_config(path);
	if (getuid() == 0 && nobody && chown(dir, nobody->pw_uid, nobody->pw_gid) < 0)
		abort();
	bouncer = fork();
	if (bouncer == 0) {
		if (getuid() == 0 && nobody &&
		    (setgid(nobody->pw_gid) < 0 || setuid(nobody->pw_uid) < 0))
			_exit(127);
		execlp("pgbouncer", "pgbouncer", "-q", path, (char *)NULL);
		execl("/usr/sbin/pgbouncer", "pgbouncer", "-q", path, (char *)NULL);
		_exit(127);
	}
	clock_sleep_ms(500);
	return waitpid(bouncer, NULL, WNOHANG) == 0;
}

static void
stop(void)
{
	static const char *const names[] = { "ini", "log", ".s.PGSQL.6432", ".s.PGSQL.6432.lock" };
	char path[96];

	kill(bouncer, SIGKILL);
	waitpid(bouncer, NULL, 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

/* Another client keeps one server busy for a while, so that there is a second one. */
static void
test_servers_change(struct db *db, const char *conninfo)
{
	int64_t first = pg_int(db, "select pg_backend_pid()");
	int others = 0;
	pid_t child = fork();

	if (child == 0) {
		struct db *busy = db_new(&(struct db_conf){ .conninfo = conninfo, .pooled = true });

		pg_exec(busy, "select pg_sleep(0.5)");
		_exit(0);
	}
	clock_sleep_ms(200);
	(void)pg_int(db, "select 1");
	waitpid(child, NULL, 0);
	for (int i = 0; i < 10; i++)
		others += pg_int(db, "select pg_backend_pid()") != first;
	tap_ok(others > 0, "consecutive statements meet different servers");
}

static void
test_work(struct db *db)
{
	struct file f = { .size = 1, .thumbnail = THUMBNAIL_GENERATING };
	struct account alice = { 0 }, found;
	struct job j[2];
	struct err e;
	size_t n = 0;

	tap_is(account_add(db, "alice", false, &alice.id, &e), 0, "an account");
	tap_is(account_by_name(db, "alice", false, &found, &e), 0, "is found");
	id_new(&f.id);
	f.account = alice.id;
	tap_is(str_copy(f.name, sizeof f.name, "x.png") + str_copy(f.type, TYPE_MAX, "image/png"),
	    0, "a file");
	tap_is(files_add(db, &f, 1, &e), 0, "is added");
	tap_is(files_find_all(db, &f, 1, &e), 1, "is found");
	tap_is(jobs_claim(db, "w", 1000, 5, j, 2, &n, &e), 0, "its job is claimed");
	tap_is((long long)n, 1, "  one");
	tap_is(jobs_done_thumbnail(db, &j[0], NULL, 0, &e), 1, "and done");
	tap_is(files_delete_begin(db, &f.id, &alice, &e), 0, "delete");
	tap_is(files_delete_end(db, &f.id, &e), 0, "deleted");
}

static void
test_faults(struct db *db, struct db *direct)
{
	struct err e;

	pg_exec(direct, "select pg_terminate_backend(pid) from pg_stat_activity"
			" where pid <> pg_backend_pid() and backend_type = 'client backend'");
	clock_sleep_ms(200);
	tap_is(db_read(db, NULL, "select 1", NULL, 0, &e), 0, "a read after all servers were lost");
	tap_is(db_write(db, NULL, "select pg_sleep(10)", NULL, 0, &e), -1, "a slow statement");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_AWAY), "  is cancelled and certain");
	tap_is(db_read(db, NULL, "select 1", NULL, 0, &e), 0, "and the next one is answered");
}

int
main(int argc, char **argv)
{
	const char *required = getenv("SLUICE_REQUIRE_ALL");
	struct db *direct, *db;
	char conninfo[128];

	(void)argc;
	pg_begin(argv);
	if (!start()) {
		stop();
		if (required && strcmp(required, "1") == 0) {
			puts("Bail out! pgbouncer is required");
			return 1;
		}
		return tap_skip_all("no pgbouncer");
	}
	direct = pg_db(NULL);
	pg_schema(direct);
	(void)snprintf(
	    conninfo, sizeof conninfo, "host=%s port=6432 dbname=sluice user=sluice", dir);
	db = db_new(
	    &(struct db_conf){ .conninfo = conninfo, .statement_timeout = 300, .pooled = true });
	test_servers_change(db, conninfo);
	test_work(db);
	test_faults(db, direct);
	db_free(&db);
	db_free(&direct);
	stop();
	return tap_done();
}
