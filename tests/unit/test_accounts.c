#include "base/sys.h"

#include "base/clock.h"
#include "data/accounts.h"
#include "pg.h"

static void
test_names(void)
{
	char longest[ACCOUNT_NAME_MAX + 2];

	memset(longest, 'a', sizeof longest);
	longest[ACCOUNT_NAME_MAX + 1] = '\0';
	tap_ok(!account_name_valid(longest), "a name of 65 bytes");
	longest[ACCOUNT_NAME_MAX] = '\0';
	tap_ok(account_name_valid(longest), "a name of 64 bytes");
	tap_ok(account_name_valid("a.b_c-d@example.org+1"), "every allowed character");
	tap_ok(!account_name_valid(""), "no name");
	tap_ok(!account_name_valid("-x"), "a leading dash");
	tap_ok(!account_name_valid("a b"), "a space");
	tap_ok(!account_name_valid("a\n"), "a newline");
	tap_ok(!account_name_valid("j\xc3\xb6rg"), "a letter outside ASCII");
}

static void
test_accounts(struct db *db)
{
	struct account a;
	struct db_rows *rows;
	int64_t id = 0;
	struct err e;

	tap_is(account_add(db, "alice", true, &id, &e), 0, "add");
	tap_ok(id > 0, "  gives an id");
	tap_is(account_add(db, "alice", false, &id, &e), -1, "add again");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_CONFLICT), "  is a conflict");
	tap_is(account_add(db, "", false, &id, &e), -1, "add nobody");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_INPUT), "  is bad input");
	tap_is(account_by_name(db, "alice", false, &a, &e), 0, "find");
	tap_ok(a.id == id && a.admin, "  with its rights");
	tap_str(a.name, "alice", "  and name");
	tap_is(account_by_name(db, "bob", false, &a, &e), -1, "find a missing one");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_NOTFOUND), "  is not found");
	tap_is(account_by_name(db, "bob", true, &a, &e), 0, "find and make");
	tap_ok(a.id > 0 && !a.admin, "  without rights");
	tap_is(account_by_name(db, "bob", true, &a, &e), 0, "find and make again");
	tap_is(account_disable(db, "bob", true, &e), 0, "disable");
	tap_is(account_by_name(db, "bob", true, &a, &e), -1, "a disabled one is not found");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_NOTFOUND), "  nor made again");
	tap_is(a.id, 0, "  and gives nobody");
	tap_is(account_by_name(db, "b\xff", true, &a, NULL), -1, "a broken name");
	tap_is(account_disable(db, "nobody", true, &e), -1, "disable a missing one");
	tap_is(account_list(db, &rows, &e), 0, "list");
	tap_is(db_count(rows), 2, "  both");
	tap_ok(db_bool(rows, 0, 1) && !db_bool(rows, 0, 2) && db_bool(rows, 1, 2), "  their state");
	db_rows_free(&rows);
	tap_is(account_disable(db, "bob", false, &e), 0, "enable");
	tap_is(account_by_name(db, "bob", false, &a, &e), 0, "  it is back");
}

static void
refused(struct db *db, const char *token, const char *name)
{
	struct account a;
	struct err e;

	tap_is(token_check(db, token, &a, &e), -1, name);
	tap_str(e.text, "not a valid token", "  the one answer");
	tap_ok(e.kind == ERR_DENIED && a.id == 0, "  denied, nobody");
}

static void
test_tokens(struct db *db)
{
	char token[TOKEN_TEXT], other[TOKEN_TEXT], bad[TOKEN_TEXT + 2], key[17];
	struct account a;
	struct db_rows *rows;
	struct err e;

	tap_is(token_add(db, "alice", "laptop \xe2\x82\xac", 0, token, &e), 0, "add");
	tap_is((long long)strlen(token), 64, "  64 characters");
	tap_is(token_check(db, token, &a, &e), 0, "check");
	tap_str(a.name, "alice", "  its account");
	tap_ok(a.admin && a.id > 0, "  with its rights");
	tap_is(token_add(db, "alice", NULL, 0, other, &e), 0, "another");
	tap_ok(strcmp(token, other) != 0, "  is another");
	tap_is(token_add(db, "nobody", NULL, 0, bad, &e), -1, "for a missing account");
	tap_str(err_kind_name(e.kind), err_kind_name(ERR_NOTFOUND), "  not found");
	tap_is(token_add(db, "alice", "\xff", 0, bad, &e), -1, "with a broken label");

	refused(db, "", "an empty token");
	refused(db, "slu_", "a cut token");
	(void)snprintf(bad, sizeof bad, "%sx", token);
	refused(db, bad, "a longer token");
	(void)snprintf(bad, sizeof bad, "%s", token);
	bad[63] = bad[63] == 'A' ? 'B' : 'A';
	refused(db, bad, "a wrong secret");
	(void)snprintf(bad, sizeof bad, "%.20s%s", token, other + 20);
	refused(db, bad, "another token's secret");
	(void)snprintf(bad, sizeof bad, "%s", token);
	bad[5] = '\xff';
	refused(db, bad, "a key id that is not hex");
	bad[5] = token[5] == '0' ? '1' : '0';
	refused(db, bad, "an unknown key id");

	(void)snprintf(key, sizeof key, "%.16s", token + 4);
	tap_is(token_list(db, NULL, &rows, &e), 0, "list");
	tap_is(db_count(rows), 2, "  both");
	tap_str(db_text(rows, 0, 0), key, "  key id");
	tap_str(db_text(rows, 0, 2), "laptop \xe2\x82\xac", "  label");
	db_rows_free(&rows);
	tap_is(token_list(db, "bob", &rows, &e), 0, "list of one account");
	tap_is(db_count(rows), 0, "  has none");
	db_rows_free(&rows);
	tap_is(pg_int(db, "select count(*) from sluice.token t where t::text like '%"
			  "laptop%' and octet_length(secret_sha256) = 32"),
	    1, "only a digest is stored");
	tap_is(token_revoke(db, key, &e), 0, "revoke");
	tap_is(token_revoke(db, key, &e), 0, "revoke again");
	refused(db, token, "a revoked token");
	tap_is(token_check(db, other, &a, &e), 0, "the other one still counts");
	tap_is(token_revoke(db, "0123456789abcdef", &e), -1, "revoke a missing one");
	tap_is(token_revoke(db, "x' or true --", &e), -1, "revoke nonsense");

	tap_is(account_disable(db, "alice", true, &e), 0, "disable the account");
	refused(db, other, "a token of a disabled account");
	tap_is(account_disable(db, "alice", false, &e), 0, "enable it");
	tap_is(token_check(db, other, &a, &e), 0, "the token counts again");
	tap_is(token_add(db, "alice", NULL, 1, token, &e), 0, "a token for one second");
	tap_is(token_check(db, token, &a, &e), 0, "counts");
	clock_sleep_ms(1100);
	refused(db, token, "an expired token");
}

/* What sluice-fcgi does, with no more rights than it has. */
static void
test_fcgi_role(void)
{
	struct db *db = pg_db("user=sluice_fcgi");
	struct account a;
	struct err e;

	tap_is(account_by_name(db, "carol", true, &a, &e), 0, "sluice_fcgi makes an account");
	tap_ok(!a.admin, "  without rights");
	refused(db, "slu_0123456789abcdef_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "sluice_fcgi looks up a token");
	db_free(&db);
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
	db_free(&owner);
	db = pg_db("user=sluice_admin");
	test_names();
	test_accounts(db);
	test_tokens(db);
	db_free(&db);
	test_fcgi_role();
	return tap_done();
}
