/*
 * db_error.h: what a failure that the server has told means to a caller.
 */
#ifndef SLUICE_DATA_DB_ERROR_H
#define SLUICE_DATA_DB_ERROR_H

#include "base/err.h"

/* The kind for a SQLSTATE: one of the kinds that db.h names, never ERR_UNCERTAIN. */
enum err_kind db_error_kind(const char *sqlstate);

/* The statement collided with another one and may simply be sent again. */
bool db_error_collision(const char *sqlstate);

/* The prepared statement is gone or out of date: nothing was done, and a new connection helps. */
bool db_error_stale(const char *sqlstate);

/* This connection leads to the wrong place (a standby), or is of no use any more. */
bool db_error_reconnect(const char *sqlstate);

#endif
