/*
 * Tokens of accounts.h. "slu_" kkkkkkkkkkkkkkkk "_" and 43 characters of secret, found by place:
 * the secret's alphabet has '_' too. The key id is lower-case hex, so that it never looks like an
 * option on a command line.
 */
#include "base/sys.h"
#include "data/accounts.h"

#include "base/codec.h"
#include "base/id.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "data/digest.h"

enum {
	KEY_BYTES = 8,
	KEY_LEN = 16,
	SECRET_BYTES = 32,
	SECRET_LEN = 43,
	KEY_AT = 4,
	SECRET_AT = 21
};

static bool
key_valid(const char *key, size_t n)
{
	return n == KEY_LEN && strspn(key, "0123456789abcdef") >= KEY_LEN;
}

int
token_add(struct db *db, const char *account, const char *label, uint64_t ttl_s,
    char out[TOKEN_TEXT], struct err *e)
{
	unsigned char key[KEY_BYTES], secret[SECRET_BYTES], digest[DIGEST_SIZE];
	char key_text[KEY_LEN + 1], digest_text[DIGEST_HEX], ttl[24];
	const char *params[] = { account, key_text, digest_text, label, ttl_s ? ttl : NULL };
	struct strbuf secret_text;
	struct db_rows *rows = NULL;
	int rc;

	if (!account_name_valid(account))
		return err_set(e, ERR_NOTFOUND, "no account of that name: not a valid name");
	if (label && !codec_utf8_valid(label, strlen(label)))
		return err_set(e, ERR_INPUT, "token label: not UTF-8");
	id_random(key, sizeof key);
	id_random(secret, sizeof secret);
	strbuf_init(&secret_text);
	codec_base64url(&secret_text, secret, sizeof secret);
	digest_once(secret_text.s, secret_text.len, digest);
	codec_hex(key, sizeof key, key_text);
	codec_hex(digest, sizeof digest, digest_text);
	(void)snprintf(ttl, sizeof ttl, "%llu", (unsigned long long)ttl_s);
	rc = db_write(db, &rows,
	    "insert into sluice.token (key_id, account_id, secret_sha256, label, expires_at)"
	    " select $2, id, decode($3, 'hex'), $4,"
	    " clock_timestamp() + $5::bigint * interval '1 second'"
	    " from sluice.account where name = $1 and disabled_at is null returning key_id",
	    params, ARRAY_LEN(params), e);
	if (rc < 0)
		err_prefix(e, "add a token for %s", account);
	else if (db_count(rows) == 0)
		rc = err_set(e, ERR_NOTFOUND, "no account %s, or it is disabled", account);
	else
		(void)snprintf(out, TOKEN_TEXT, "slu_%s_%s", key_text, secret_text.s);
	db_rows_free(&rows);
	explicit_bzero(secret, sizeof secret);
	explicit_bzero(secret_text.s, secret_text.len);
	strbuf_release(&secret_text);
	return rc;
}

static int
denied(struct err *e)
{
	return err_set(e, ERR_DENIED, "not a valid token");
}

static int
compare(const struct db_rows *rows, const char *secret, struct account *out, struct err *e)
{
	unsigned char got[DIGEST_SIZE], want[DIGEST_SIZE];

	if (db_count(rows) != 1 || db_bytes(rows, 0, 0, want, sizeof want) < 0)
		return denied(e);
	digest_once(secret, SECRET_LEN, got);
	if (!digest_equal(got, want, sizeof want))
		return denied(e);
	out->id = db_int(rows, 0, 1);
	out->admin = db_bool(rows, 0, 3);
	return str_copy(out->name, sizeof out->name, db_text(rows, 0, 2));
}

int
token_check(struct db *db, const char *token, struct account *out, struct err *e)
{
	char key[KEY_LEN + 1];
	const char *params[] = { key };
	struct db_rows *rows;
	int rc;

	memset(out, 0, sizeof *out);
	if (strlen(token) != SECRET_AT + SECRET_LEN || memcmp(token, "slu_", KEY_AT) != 0 ||
	    !key_valid(token + KEY_AT, KEY_LEN) || token[SECRET_AT - 1] != '_')
		return denied(e);
	memcpy(key, token + KEY_AT, KEY_LEN);
	key[KEY_LEN] = '\0';
	if (db_read(db, &rows,
		"select encode(t.secret_sha256, 'hex'), a.id, a.name, a.admin"
		" from sluice.token t join sluice.account a on a.id = t.account_id"
		" where t.key_id = $1 and t.revoked_at is null and a.disabled_at is null"
		" and (t.expires_at is null or t.expires_at > clock_timestamp())",
		params, 1, e) < 0)
		return err_prefix(e, "check a token");
	rc = compare(rows, token + SECRET_AT, out, e);
	db_rows_free(&rows);
	return rc;
}

int
token_revoke(struct db *db, const char *key_id, struct err *e)
{
	struct db_rows *rows;
	int n;

	if (!key_valid(key_id, strlen(key_id)))
		return err_set(
		    e, ERR_NOTFOUND, "no token of that key id: it has %d hex digits", KEY_LEN);
	if (db_write(db, &rows,
		"update sluice.token set revoked_at = coalesce(revoked_at, clock_timestamp())"
		" where key_id = $1 returning key_id",
		&key_id, 1, e) < 0)
		return err_prefix(e, "revoke token %s", key_id);
	n = db_count(rows);
	db_rows_free(&rows);
	return n > 0 ? 0 : err_set(e, ERR_NOTFOUND, "no token %s", key_id);
}

int
token_list(struct db *db, const char *account, struct db_rows **rows, struct err *e)
{
	if (account && !account_name_valid(account))
		return err_set(e, ERR_NOTFOUND, "no account of that name: not a valid name");
	return db_read(db, rows,
	    "select t.key_id, a.name, t.label,"
	    " to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
	    " to_char(t.expires_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
	    " to_char(t.revoked_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
	    " from sluice.token t join sluice.account a on a.id = t.account_id"
	    " where $1::text is null or a.name = $1 order by a.name, t.created_at",
	    &account, 1, e);
}
