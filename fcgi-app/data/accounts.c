#include "base/sys.h"
#include "data/accounts.h"

#include "base/strbuf.h"

enum { DISABLED = -1 };

/* A name goes to the database only when it is of this form, so it is never broken UTF-8. */
bool
account_name_valid(const char *name)
{
	static const char alnum[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "._-@+";
	size_t n = strlen(name);

	return n >= 1 && n <= ACCOUNT_NAME_MAX && strchr(alnum, name[0]) && strspn(name, all) == n;
}

int
account_add(struct db *db, const char *name, bool admin, int64_t *id, struct err *e)
{
	const char *params[] = { name, admin ? "true" : "false" };
	struct db_rows *rows;

	if (!account_name_valid(name))
		return err_set(e, ERR_INPUT,
		    "account name: 1 to %d letters, digits and ._-@+, beginning with a letter or"
		    " digit",
		    ACCOUNT_NAME_MAX);
	if (db_write(db, &rows,
		"insert into sluice.account (name, admin) values ($1, $2::boolean) returning id",
		params, 2, e) < 0) {
		if (strcmp(db_sqlstate(db), "23505") == 0)
			return err_set(e, ERR_CONFLICT, "account %s exists", name);
		return err_prefix(e, "add account %s", name);
	}
	*id = db_int(rows, 0, 0);
	db_rows_free(&rows);
	return 0;
}

static int
find(struct db *db, const char *name, struct account *out, struct err *e)
{
	struct db_rows *rows;
	int rc = 0;

	if (db_read(db, &rows,
		"select id, admin, disabled_at is not null from sluice.account where name = $1",
		&name, 1, e) < 0)
		return err_prefix(e, "look up account %s", name);
	memset(out, 0, sizeof *out);
	if (db_count(rows) == 0) {
		rc = err_set(e, ERR_NOTFOUND, "no account %s", name);
	} else if (db_bool(rows, 0, 2)) {
		rc = err_set(e, ERR_NOTFOUND, "account %s is disabled", name);
		out->id = DISABLED;
	} else {
		out->id = db_int(rows, 0, 0);
		out->admin = db_bool(rows, 0, 1);
		rc = str_copy(out->name, sizeof out->name, name);
	}
	db_rows_free(&rows);
	return rc;
}

int
account_by_name(struct db *db, const char *name, bool create, struct account *out, struct err *e)
{
	struct err why;
	int rc;

	memset(out, 0, sizeof *out);
	if (!account_name_valid(name))
		return err_set(e, ERR_NOTFOUND, "no account of that name: not a valid name");
	rc = find(db, name, out, &why);
	if (rc < 0 && create && why.kind == ERR_NOTFOUND && out->id != DISABLED) {
		if (db_write(db, NULL,
			"insert into sluice.account (name) values ($1) on conflict do nothing",
			&name, 1, e) < 0)
			return err_prefix(e, "add account %s", name);
		rc = find(db, name, out, &why);
	}
	if (rc < 0) {
		out->id = 0;
		return err_set(e, why.kind, "%s", why.text);
	}
	return 0;
}

int
account_disable(struct db *db, const char *name, bool disabled, struct err *e)
{
	const char *params[] = { name, disabled ? "true" : "false" };
	struct db_rows *rows;
	int n;

	if (!account_name_valid(name))
		return err_set(e, ERR_NOTFOUND, "no account of that name: not a valid name");
	if (db_write(db, &rows,
		"update sluice.account set disabled_at ="
		" case when $2::boolean then coalesce(disabled_at, clock_timestamp()) end"
		" where name = $1 returning id",
		params, 2, e) < 0)
		return err_prefix(e, "change account %s", name);
	n = db_count(rows);
	db_rows_free(&rows);
	return n > 0 ? 0 : err_set(e, ERR_NOTFOUND, "no account %s", name);
}

int
account_list(struct db *db, struct db_rows **rows, struct err *e)
{
	return db_read(db, rows,
	    "select name, admin, disabled_at is not null,"
	    " to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
	    " from sluice.account order by name",
	    NULL, 0, e);
}
