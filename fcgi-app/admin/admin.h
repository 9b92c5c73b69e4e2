/*
 * admin.h: what every command of sluice-admin has in its hands.
 */
#ifndef SLUICE_ADMIN_ADMIN_H
#define SLUICE_ADMIN_ADMIN_H

#include "data/conf.h"
#include "data/db.h"

enum { ADMIN_MAX_OPTIONS = 8, ADMIN_MAX_OPERANDS = 4 };

struct admin {
	const struct conf *conf; /* NULL when it could not be loaded: doctor only */
	const char *conf_error;
	bool json; /* --json */
	struct db *db;
	int operands;
	const char *operand[ADMIN_MAX_OPERANDS];
	struct {
		const char *name; /* with the dashes, maybe followed by '=' */
		size_t len;
		const char *value; /* "" for a flag */
	} option[ADMIN_MAX_OPTIONS];
	int options;
};

/*
 * A row of the command table. options: "--admin --label=" separated by spaces, a '=' where a value
 * follows. run returns an exit code, or -1 with e filled.
 */
struct command {
	const char *name, *synopsis, *summary, *options;
	int min, max; /* operands */
	bool json;    /* takes --json */
	int (*run)(struct admin *a, struct err *e);
};

/* The value of an option that was given ("" for a flag; the last one wins), or NULL. */
const char *admin_option(const struct admin *a, const char *name);

/* Sorts the words after the command into operands and options. 0, or -1 ERR_INPUT. */
MUST_CHECK int admin_parse(
    struct admin *a, const struct command *c, int argc, char **argv, struct err *e);

/* The database, with a schema that fits; admin_db_raw: whatever its schema is. NULL with e. */
struct db *admin_db(struct admin *a, struct err *e);
struct db *admin_db_raw(struct admin *a);

int cmd_schema_apply(struct admin *a, struct err *e);
int cmd_schema_status(struct admin *a, struct err *e);
int cmd_account_add(struct admin *a, struct err *e);
int cmd_account_list(struct admin *a, struct err *e);
int cmd_account_disable(struct admin *a, struct err *e);
int cmd_account_enable(struct admin *a, struct err *e);
int cmd_token_add(struct admin *a, struct err *e);
int cmd_token_list(struct admin *a, struct err *e);
int cmd_token_revoke(struct admin *a, struct err *e);
int cmd_jobs_stat(struct admin *a, struct err *e);
int cmd_jobs_dead(struct admin *a, struct err *e);
int cmd_jobs_retry(struct admin *a, struct err *e);
int cmd_store_init(struct admin *a, struct err *e);
int cmd_doctor(struct admin *a, struct err *e);

#endif
