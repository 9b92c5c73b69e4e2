/*
 * An Authorization field: the token in it, and what is asked of the database. A token that has not
 * the form of one is refused before that; any other ends here with a database that is away.
 */
#include "base/sys.h"

#include "data/accounts.h"
#include "fcgi/auth.h"
#include "fuzz.h"

/* "slu_", 16 digits, "_", 43 bytes. */
static bool
looks_right(const char *token)
{
	for (size_t i = 0; i < 64; i++) {
		if (token[i] == '\0')
			return false;
		if (i < 4 ? token[i] != "slu_"[i] : i < 20 && !strchr("0123456789abcdef", token[i]))
			return false;
	}
	return token[20] == '_' && token[64] == '\0';
}

static void
check_token(const char *token)
{
	static struct db *db;
	struct account account;
	struct err e = { 0 };

	if (!db)
		db = db_new(
		    &(struct db_conf){ .conninfo = "host=/nonexistent", .program = "fuzz_token" });
	memset(&account, 0xff, sizeof(account));
	MUST_HOLD(token_check(db, token, &account, &e) == -1);
	MUST_HOLD(e.kind == (looks_right(token) ? ERR_AWAY : ERR_DENIED));
	MUST_HOLD(e.text[0] && (strlen(token) < 8 || !strstr(e.text, token)));
	MUST_HOLD(account.id == 0 && !account.admin && !account.name[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_text(data, size);
	const char *token = auth_bearer(value);

	if (token) {
		MUST_HOLD(token >= value + 6 && token <= value + strlen(value) && *token != ' ');
		MUST_HOLD(strncasecmp(value, "bearer", 6) == 0 && strchr(" ", value[6]));
		for (const char *p = value + 6; p < token; p++)
			MUST_HOLD(*p == ' ');
		check_token(token);
	} else {
		MUST_HOLD(strncasecmp(value, "bearer ", 7) != 0);
		check_token(value);
	}
	mem_free(value);
	return 0;
}
