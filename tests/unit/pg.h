/*
 * pg.h: unit tests with a PostgreSQL of their own.
 *
 *	int main(int argc, char **argv)
 *	{
 *		struct db *db;
 *
 *		pg_begin(argv);			starts over under scripts/with-postgres, or skips
 *		db = pg_db(NULL);
 *		pg_schema(db);
 */
#ifndef SLUICE_TESTS_PG_H
#define SLUICE_TESTS_PG_H

#include "base/sys.h"

#include <sys/wait.h>

#include "base/mem.h"
#include "data/schema.h"
#include "tap.h"

#define PG_MARK "SLUICE_TEST_POSTGRES"

static inline char *
pg_source(const char *path)
{
	const char *dir = getenv("SLUICE_SRCDIR");

	return mem_printf("%s/%s", dir ? dir : ".", path);
}

static inline bool
pg_available(const char *script)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl(script, script, "--available", (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Returns only inside the wrapper. */
static inline void
pg_begin(char **argv)
{
	const char *required = getenv("SLUICE_REQUIRE_ALL");
	char *script;

	if (getenv(PG_MARK))
		return;
	script = pg_source("scripts/with-postgres");
	if (pg_available(script)) {
		setenv(PG_MARK, "1", 1);
		execl(script, script, argv[0], (char *)NULL);
	}
	if (required && strcmp(required, "1") == 0) {
		puts("Bail out! PostgreSQL is required and cannot be started");
		exit(1);
	}
	exit(tap_skip_all("no PostgreSQL server programs"));
}

/* conninfo NULL: the wrapper's superuser. */
static inline struct db *
pg_db(const char *conninfo)
{
	return db_new(&(struct db_conf){ .conninfo = conninfo,
	    .program = "sluice-test",
	    .connect_timeout = 2000,
	    .statement_timeout = 2000,
	    .lock_timeout = 300 });
}

/* Runs a statement that has to work. */
static inline void
pg_exec(struct db *db, const char *sql)
{
	struct err e;

	if (db_write(db, NULL, sql, NULL, 0, &e) < 0) {
		printf("Bail out! %s: %s\n", sql, e.text);
		exit(1);
	}
}

/* One number from a query that has to work. */
static inline int64_t
pg_int(struct db *db, const char *sql)
{
	struct db_rows *rows;
	struct err e;
	int64_t v;

	if (db_read(db, &rows, sql, NULL, 0, &e) < 0) {
		printf("Bail out! %s: %s\n", sql, e.text);
		exit(1);
	}
	v = db_int(rows, 0, 0);
	db_rows_free(&rows);
	return v;
}

static inline void
pg_schema(struct db *db)
{
	char *dir = pg_source("sql");
	struct err e;

	if (schema_apply(db, dir, NULL, NULL, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
	mem_free(dir);
}

/* The roles of sql/roles.sql, for pg_db("user=sluice_worker") and the like. */
static inline void
pg_roles(struct db *db)
{
	char *path = pg_source("sql/roles.sql"), text[8192];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	struct err e;

	text[n] = '\0';
	if (!f || db_script(db, text, &e) < 0) {
		printf("Bail out! %s\n", f ? e.text : path);
		exit(1);
	}
	fclose(f);
	mem_free(path);
}

#endif
