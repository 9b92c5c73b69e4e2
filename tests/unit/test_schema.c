#include "base/sys.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/strbuf.h"
#include "pg.h"

static char dir[64];

static void
put(const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
	mem_free(path);
}

static void
drop(const char *name)
{
	char *path = mem_printf("%s/%s", dir, name);

	unlink(path);
	mem_free(path);
}

static void
count(const char *file, void *arg)
{
	(void)file;
	++*(int *)arg;
}

static int
apply(struct db *db, struct err *e)
{
	return schema_apply(db, dir, NULL, NULL, e);
}

static void
test_bad_directories(struct db *db)
{
	struct err e;

	tap_is(schema_apply(db, "/nonexistent", NULL, NULL, &e), -1, "no directory");
	tap_is(apply(db, &e), -1, "no migration");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_NOTFOUND), "  its kind");
	put("001_one.sql", "create schema sluice; select nonsense;");
	put("roles.sql", "not sql");
	put("README", "not sql");
	tap_is(apply(db, &e), -1, "a migration that fails");
	tap_ok(
	    strstr(e.text, "001_one.sql") && strstr(e.text, "nonsense"), "  is named: %s", e.text);
	tap_is(pg_int(db, "select count(*) from pg_namespace where nspname = 'sluice'"), 0,
	    "  left nothing");
	put("001_two.sql", "");
	tap_is(apply(db, &e), -1, "two of one number");
	drop("001_two.sql");
	put("002_newer.sql", "");
	tap_is(apply(db, &e), -1, "a migration newer than the program");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_CONFLICT), "  its kind");
	drop("002_newer.sql");
	drop("001_one.sql");
	drop("roles.sql");
	drop("README");
}

/* Several at once: each succeeds, one has applied. */
static void
test_race(const char *sql)
{
	enum { APPLIERS = 6 };
	pid_t pid[APPLIERS];
	int applied = 0, failed = 0;

	for (int i = 0; i < APPLIERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct db *db = pg_db(NULL);
			struct err e;
			int n = 0;

			if (schema_apply(db, sql, count, &n, &e) < 0) {
				printf("# %s\n", e.text);
				_exit(100);
			}
			_exit(n);
		}
	}
	for (int i = 0; i < APPLIERS; i++) {
		int status = 0;

		waitpid(pid[i], &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) < 100)
			applied += WEXITSTATUS(status);
		else
			failed++;
	}
	tap_is(failed, 0, "six appliers at once: none fails");
	tap_is(applied, SCHEMA_VERSION, "each migration is applied by one of them");
}

static void
test_versions(struct db *db, const char *sql)
{
	unsigned version = 99;
	int n = 0;
	struct err e;

	tap_is(schema_version(db, &version, &e), 0, "version");
	tap_is(version, SCHEMA_VERSION, "  is that of the program");
	tap_is(schema_check(db, &e), 0, "it fits");
	tap_is(schema_apply(db, sql, count, &n, &e), 0, "apply again");
	tap_is(n, 0, "  applies nothing");
	pg_exec(db, "insert into sluice.migration (version, name) values (999, '999_future.sql')");
	tap_is(schema_check(db, &e), -1, "a newer schema is refused");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_CONFLICT), "  its kind");
	tap_is(schema_apply(db, sql, count, &n, &e), -1, "and not applied to");
}

static void
refused(struct db *db, const char *sql, const char *name)
{
	struct err e;

	tap_is(db_write(db, NULL, sql, NULL, 0, &e), -1, name);
	tap_str(db_sqlstate(db), "42501", "  for want of the privilege");
}

/* What the roles of the programs cannot do; what they can is tested where it is done. */
static void
test_roles(struct db *db)
{
	struct db *fcgi = pg_db("user=sluice_fcgi"), *worker = pg_db("user=sluice_worker");
	unsigned version;
	struct err e;

	pg_roles(db);
	pg_roles(db);
	tap_is(schema_version(fcgi, &version, &e), 0, "roles.sql twice; the version is seen");
	refused(
	    fcgi, "update sluice.account set admin = true", "sluice_fcgi makes no administrators");
	refused(fcgi, "insert into sluice.account (name, admin) values ('x', true)",
	    "not by adding one either");
	refused(fcgi, "update sluice.token set revoked_at = null", "sluice_fcgi makes no token");
	refused(fcgi, "update sluice.file set sha256 = ''", "sluice_fcgi changes no digest");
	refused(fcgi, "create table sluice.x ()", "sluice_fcgi changes no schema");
	refused(worker, "select * from sluice.token", "sluice_worker sees no tokens");
	refused(worker, "delete from sluice.file", "sluice_worker deletes no files");
	refused(worker, "update sluice.file set state = 'ready'", "nor brings them back");
	db_free(&fcgi);
	db_free(&worker);
}

int
main(int argc, char **argv)
{
	struct db *db;
	unsigned version = 99;
	char *sql;
	struct err e;

	(void)argc;
	pg_begin(argv);
	(void)snprintf(dir, sizeof dir, "/tmp/sluice-schema.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	sql = pg_source("sql");
	db = pg_db(NULL);
	tap_is(schema_version(db, &version, &e), 0, "version of an empty database");
	tap_is(version, 0, "  is 0");
	tap_is(schema_check(db, &e), -1, "it does not fit");
	tap_ok(strstr(e.text, "schema apply"), "  and it is told what to do: %s", e.text);
	test_bad_directories(db);
	test_race(sql);
	test_versions(db, sql);
	test_roles(db);
	db_free(&db);
	mem_free(sql);
	rmdir(dir);
	return tap_done();
}
