#include "base/sys.h"
#include "data/schema.h"

#include <dirent.h>
#include <fcntl.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/strbuf.h"

enum { SCRIPT_MAX = 1 << 20 };

int
schema_version(struct db *db, unsigned *version, struct err *e)
{
	struct db_rows *rows;

	*version = 0;
	if (db_read(db, &rows, "select to_regclass('sluice.migration') is not null", NULL, 0, e) <
	    0)
		return err_prefix(e, "schema version");
	if (!db_bool(rows, 0, 0)) {
		db_rows_free(&rows);
		return 0;
	}
	db_rows_free(&rows);
	if (db_read(db, &rows, "select coalesce(max(version), 0) from sluice.migration", NULL, 0,
		e) < 0)
		return err_prefix(e, "schema version");
	*version = (unsigned)db_int(rows, 0, 0);
	db_rows_free(&rows);
	return 0;
}

static int
refuse_newer(unsigned version, struct err *e)
{
	return err_set(e, ERR_CONFLICT,
	    "the database schema is at version %u, this program knows %u: it needs a newer sluice",
	    version, (unsigned)SCHEMA_VERSION);
}

int
schema_check(struct db *db, struct err *e)
{
	unsigned version;

	if (schema_version(db, &version, e) < 0)
		return -1;
	if (version < SCHEMA_VERSION)
		return err_set(e, ERR_CONFLICT,
		    "the database schema is at version %u, version %u is needed: run"
		    " `sluice-admin schema apply`",
		    version, (unsigned)SCHEMA_VERSION);
	if (version > SCHEMA_VERSION)
		return refuse_newer(version, e);
	return 0;
}

/* "NNN_name.sql" with a name of [a-z0-9_]: its number, or 0 when it is no migration. */
static unsigned
migration_number(const char *file)
{
	size_t n = strlen(file);
	uint64_t number;

	if (n < 9 || file[3] != '_' || strcmp(file + n - 4, ".sql") != 0 ||
	    num_u64n(file, 3, 1, 999, &number) < 0)
		return 0;
	if (strspn(file + 4, "abcdefghijklmnopqrstuvwxyz0123456789_") != n - 8)
		return 0;
	return (unsigned)number;
}

/* Names of migrations 1..count by number - 1. 0, or -1 when one is missing or twice there. */
static int
find_migrations(const char *dir, char *names[SCHEMA_VERSION], struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return err_sys(e, "open the directory of migrations %s", dir);
	while (rc == 0 && (entry = readdir(d))) {
		unsigned number = migration_number(entry->d_name);

		if (number == 0)
			continue;
		if (number > SCHEMA_VERSION)
			rc = err_set(e, ERR_CONFLICT,
			    "%s/%s: this program knows version %u: program and sql files do not"
			    " belong together",
			    dir, entry->d_name, (unsigned)SCHEMA_VERSION);
		else if (names[number - 1])
			rc = err_set(e, ERR_CONFLICT, "%s: %s and %s have the same number", dir,
			    names[number - 1], entry->d_name);
		else
			names[number - 1] = mem_strdup(entry->d_name);
	}
	closedir(d);
	for (unsigned i = 0; rc == 0 && i < SCHEMA_VERSION; i++)
		if (!names[i])
			rc = err_set(e, ERR_NOTFOUND, "%s: no migration %03u_*.sql", dir, i + 1);
	return rc;
}

/* The text of a migration, mem_free it; NULL with e filled. */
static char *
read_script(const char *dir, const char *name, struct err *e)
{
	char *path = mem_printf("%s/%s", dir, name);
	char *text = mem_alloc(SCRIPT_MAX);
	int fd = fdio_openat(AT_FDCWD, path, O_RDONLY, 0);
	ssize_t n = fd < 0 ? -1 : fdio_read_full(fd, text, SCRIPT_MAX);

	if (n < 0)
		err_sys(e, "read %s", path);
	else if (n == SCRIPT_MAX || memchr(text, '\0', (size_t)n))
		n = err_set(e, ERR_INPUT, "%s: too long, or not a text", path);
	fdio_drop(&fd);
	mem_free(path);
	if (n < 0) {
		mem_free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/*
 * One migration in one transaction. The lock makes appliers stand in line, and the check after it
 * tells the second one (55000) that the first has been here. The name holds [a-z0-9_.] only.
 */
static int
apply_one(struct db *db, unsigned number, const char *name, const char *text, struct err *e)
{
	char *sql = mem_printf("set local statement_timeout = 0;\n"
			       "set local lock_timeout = '30s';\n"
			       "select pg_advisory_xact_lock(hashtext('sluice schema'));\n"
			       "do $guard$ declare v integer := 0; begin\n"
			       "if to_regclass('sluice.migration') is not null then\n"
			       "select coalesce(max(version), 0) into v from sluice.migration;\n"
			       "end if;\n"
			       "if v <> %u then raise exception 'the schema is at version %%', v\n"
			       "using errcode = '55000'; end if; end $guard$;\n"
			       "%s\n;"
			       "insert into sluice.migration (version, name) values (%u, '%s')",
	    number - 1, text, number, name);
	int rc = db_script(db, sql, e);

	mem_free(sql);
	return rc < 0 ? err_prefix(e, "apply %s", name) : 0;
}

static int
apply_missing(struct db *db, const char *dir, char *const names[SCHEMA_VERSION],
    void (*told)(const char *file, void *arg), void *arg, struct err *e)
{
	unsigned version, before = UINT_MAX;

	for (;;) {
		char *text;
		int rc;

		if (schema_version(db, &version, e) < 0)
			return -1;
		if (version > SCHEMA_VERSION)
			return refuse_newer(version, e);
		if (version == SCHEMA_VERSION)
			return 0;
		if (version == before)
			return err_set(e, ERR_INTERNAL, "apply %s: the version stays at %u",
			    names[version], version);
		before = version;
		text = read_script(dir, names[version], e);
		if (!text)
			return -1;
		rc = apply_one(db, version + 1, names[version], text, e);
		mem_free(text);
		if (rc < 0 && strcmp(db_sqlstate(db), "55000") != 0)
			return -1;
		if (rc == 0 && told)
			told(names[version], arg);
	}
}

int
schema_apply(struct db *db, const char *sqldir, void (*told)(const char *file, void *arg),
    void *arg, struct err *e)
{
	char *names[SCHEMA_VERSION] = { NULL };
	int rc = find_migrations(sqldir, names, e);

	if (rc == 0)
		rc = apply_missing(db, sqldir, names, told, arg, e);
	for (unsigned i = 0; i < SCHEMA_VERSION; i++)
		mem_free(names[i]);
	return rc;
}
