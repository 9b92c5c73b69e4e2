#include "base/sys.h"
#include "admin/admin.h"
#include "admin/print.h"
#include "base/num.h"
#include "data/accounts.h"

/* Only the token goes to stdout, so that a script can take it: TOKEN=$(sluice-admin token add x) */
int
cmd_token_add(struct admin *a, struct err *e)
{
	const char *ttl = admin_option(a, "--ttl");
	char token[TOKEN_TEXT];
	uint64_t ms = 0;
	struct db *db;

	if (ttl && num_duration(ttl, 1000, 36500ULL * 86400 * 1000, &ms) < 0)
		return err_set(e, ERR_INPUT,
		    "--ttl %s: want a duration such as 12h or 30d, from 1s to 36500d", ttl);
	db = admin_db(a, e);
	if (!db ||
	    token_add(db, a->operand[0], admin_option(a, "--label"), ms / 1000, token, e) < 0)
		return -1;
	puts(token);
	return print_flush(e);
}

int
cmd_token_list(struct admin *a, struct err *e)
{
	static const struct column columns[] = { { "keyId", COLUMN_TEXT },
		{ "account", COLUMN_TEXT }, { "label", COLUMN_TEXT }, { "createdAt", COLUMN_TEXT },
		{ "expiresAt", COLUMN_TEXT }, { "revokedAt", COLUMN_TEXT } };
	struct db *db = admin_db(a, e);
	struct db_rows *rows;
	int rc;

	if (!db || token_list(db, a->operand[0], &rows, e) < 0)
		return -1;
	rc = print_rows(rows, columns, ARRAY_LEN(columns), a->json, e);
	db_rows_free(&rows);
	return rc;
}

int
cmd_token_revoke(struct admin *a, struct err *e)
{
	struct db *db = admin_db(a, e);

	if (!db || token_revoke(db, a->operand[0], e) < 0)
		return -1;
	printf("token %s revoked\n", a->operand[0]);
	return print_flush(e);
}
