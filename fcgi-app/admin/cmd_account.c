#include "base/sys.h"
#include "admin/admin.h"
#include "admin/print.h"
#include "data/accounts.h"

int
cmd_account_add(struct admin *a, struct err *e)
{
	struct db *db = admin_db(a, e);
	int64_t id;

	if (!db || account_add(db, a->operand[0], admin_option(a, "--admin") != NULL, &id, e) < 0)
		return -1;
	printf("account %s added\n", a->operand[0]);
	return print_flush(e);
}

int
cmd_account_list(struct admin *a, struct err *e)
{
	static const struct column columns[] = { { "name", COLUMN_TEXT }, { "admin", COLUMN_BOOL },
		{ "disabled", COLUMN_BOOL }, { "createdAt", COLUMN_TEXT } };
	struct db *db = admin_db(a, e);
	struct db_rows *rows;
	int rc;

	if (!db || account_list(db, &rows, e) < 0)
		return -1;
	rc = print_rows(rows, columns, ARRAY_LEN(columns), a->json, e);
	db_rows_free(&rows);
	return rc;
}

static int
set_disabled(struct admin *a, bool disabled, struct err *e)
{
	struct db *db = admin_db(a, e);

	if (!db || account_disable(db, a->operand[0], disabled, e) < 0)
		return -1;
	printf("account %s %s\n", a->operand[0], disabled ? "disabled" : "enabled");
	return print_flush(e);
}

int
cmd_account_disable(struct admin *a, struct err *e)
{
	return set_disabled(a, true, e);
}

int
cmd_account_enable(struct admin *a, struct err *e)
{
	return set_disabled(a, false, e);
}
