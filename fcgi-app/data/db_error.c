#include "base/sys.h"
#include "data/db_error.h"

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

bool
db_error_collision(const char *sqlstate)
{
	return strcmp(sqlstate, "40001") == 0     /* serialization_failure */
	       || strcmp(sqlstate, "40P01") == 0; /* deadlock_detected */
}

bool
db_error_stale(const char *sqlstate)
{
	return strcmp(sqlstate, "26000") == 0     /* invalid_sql_statement_name: deallocated */
	       || strcmp(sqlstate, "0A000") == 0; /* cached plan must not change result type */
}

bool
db_error_reconnect(const char *sqlstate)
{
	return strcmp(sqlstate, "25006") == 0 /* read_only_sql_transaction: no longer the primary */
	       || db_error_stale(sqlstate) || starts(sqlstate, "57P") || starts(sqlstate, "08");
}

enum err_kind
db_error_kind(const char *sqlstate)
{
	static const char *const away[] = {
		"08",    /* connection exception */
		"40",    /* transaction rollback */
		"53",    /* insufficient resources */
		"57P",   /* the server stops, starts or has crashed */
		"57014", /* query_canceled: statement_timeout, or by us */
		"55P03", /* lock_not_available: lock_timeout */
		"25006", /* read_only_sql_transaction */
		"25P03", /* idle_in_transaction_session_timeout */
	};

	for (size_t i = 0; i < ARRAY_LEN(away); i++)
		if (starts(sqlstate, away[i]))
			return ERR_AWAY;
	if (strcmp(sqlstate, "23505") == 0 || strcmp(sqlstate, "23503") == 0)
		return ERR_CONFLICT; /* unique_violation, foreign_key_violation */
	return ERR_INTERNAL;
}
