/*
 * accounts.h: who may. Accounts and API tokens.
 *
 * A token is "slu_" + 16 characters of key id + "_" + 43 characters of secret (256 random bits,
 * base64url). Only SHA-256 of the secret is stored; the row is found by the key id and the digest
 * is compared in constant time. A token is shown once, when it is made.
 */
#ifndef SLUICE_DATA_ACCOUNTS_H
#define SLUICE_DATA_ACCOUNTS_H

#include "data/db.h"

enum { ACCOUNT_NAME_MAX = 64, TOKEN_TEXT = 72 };

struct account {
	int64_t id; /* 0: nobody (anonymous) */
	char name[ACCOUNT_NAME_MAX + 1];
	bool admin;
};

/* 1..64 bytes of letters, digits, '.', '_', '-', '@', '+'; first a letter or digit. */
bool account_name_valid(const char *name);

/* 0; -1: ERR_INPUT bad name, ERR_CONFLICT exists, or db_write's. *id is set. */
MUST_CHECK int account_add(struct db *db, const char *name, bool admin, int64_t *id, struct err *e);

/* 0; -1: ERR_NOTFOUND (none, or disabled), or db_read's. create: made when missing. */
MUST_CHECK int account_by_name(
    struct db *db, const char *name, bool create, struct account *out, struct err *e);

/* Sets disabled. 0; -1: ERR_NOTFOUND or db_write's. */
MUST_CHECK int account_disable(struct db *db, const char *name, bool disabled, struct err *e);

/* Writes the new token's text to out. ttl_s 0: does not expire. label may be NULL. */
MUST_CHECK int token_add(struct db *db, const char *account, const char *label, uint64_t ttl_s,
    char out[TOKEN_TEXT], struct err *e);

/*
 * The account that a presented token belongs to. 0; -1: ERR_DENIED for anything that is not a valid
 * token (malformed, unknown, wrong secret, expired, revoked, account disabled: one and the same
 * answer), or db_read's.
 */
MUST_CHECK int token_check(struct db *db, const char *token, struct account *out, struct err *e);

/* 0; -1: ERR_NOTFOUND or db_write's. */
MUST_CHECK int token_revoke(struct db *db, const char *key_id, struct err *e);

/* Row producers for sluice-admin: rows of (name, admin, disabled, created) and
 * (key_id, account, label, created, expires, revoked). */
MUST_CHECK int account_list(struct db *db, struct db_rows **rows, struct err *e);
MUST_CHECK int token_list(struct db *db, const char *account, struct db_rows **rows, struct err *e);

#endif
