/*
 * db.h: one persistent libpq connection; the only file that knows libpq.
 *
 *	db = db_new(&conf);                        after the fork, connects lazily
 *	db_read(db, &rows, sql, params, n, &e)     repeated once by itself on a dead connection
 *	db_write(db, &rows, sql, params, n, &e)    one statement = one transaction, never repeated
 *	                                           after its outcome became unknown
 *
 * Every change is a single statement (common table expressions and json arrays carry the rest), so
 * that there is no transaction to leave open. On each new connection: search_path, timezone UTC,
 * statement, lock and idle timeouts, synchronous_commit = on; then checks that the server is
 * writable. 40001 and 40P01 are retried up to three times with jitter. Lost connections are re-made
 * with a doubling, jittered delay; within the delay calls fail at once with ERR_AWAY.
 * pooled: nothing that needs session state is sent except as startup-safe settings per statement.
 */
#ifndef SLUICE_DATA_DB_H
#define SLUICE_DATA_DB_H

#include "base/err.h"

struct db;
struct db_rows;

struct db_conf {
	const char *conninfo, *program;
	uint64_t connect_timeout, statement_timeout, lock_timeout; /* ms */
	bool pooled;
};

struct db *db_new(const struct db_conf *conf); /* keeps copies */
void db_free(struct db **db);

/* Is there a live connection, or can one be made now? 0, or -1 with ERR_AWAY. Costs no round trip
 * while the connection is alive. */
MUST_CHECK int db_ready(struct db *db, struct err *e);

/*
 * params: n texts, NULL for SQL NULL (bytea as "\\x..." hex). *rows may be NULL if not wanted; else
 * db_rows_free it. 0, or -1:
 *	ERR_AWAY       no connection, class 08/53/57P, or a timeout: nothing was done
 *	ERR_UNCERTAIN  (db_write only) the connection was lost after sending, or the server said
 *	               FATAL, which it may do after the commit: done or not done
 *	ERR_CONFLICT   unique or foreign key violation; db_sqlstate tells which
 *	ERR_INTERNAL   any other answer of the server
 */
MUST_CHECK int db_read(struct db *db, struct db_rows **rows, const char *sql,
    const char *const *params, int n, struct err *e);
MUST_CHECK int db_write(struct db *db, struct db_rows **rows, const char *sql,
    const char *const *params, int n, struct err *e);

/* Runs a script of several statements inside BEGIN .. COMMIT (migrations). As db_write. */
MUST_CHECK int db_script(struct db *db, const char *sql, struct err *e);

/* SQLSTATE of the last failure, "" when there was none. */
const char *db_sqlstate(const struct db *db);

int db_count(const struct db_rows *r);
const char *db_text(const struct db_rows *r, int row, int col); /* NULL for SQL NULL */
int64_t db_int(const struct db_rows *r, int row, int col);      /* 0 for SQL NULL */
bool db_bool(const struct db_rows *r, int row, int col);
/* Decodes a bytea of exactly n bytes. 0, or -1. */
MUST_CHECK int db_bytes(const struct db_rows *r, int row, int col, void *out, size_t n);
void db_rows_free(struct db_rows **r);

/*
 * LISTEN on a channel, re-issued on every new connection; not possible when pooled (-1 ERR_INPUT).
 * db_wait waits up to ms for a notification, or for *wake_fd to be readable (-1: none):
 * 1 notified, 0 time or wake_fd, -1 connection lost (ERR_AWAY).
 */
MUST_CHECK int db_listen(struct db *db, const char *channel, struct err *e);
MUST_CHECK int db_wait(struct db *db, uint64_t ms, int wake_fd, struct err *e);

/* The connection's socket for a caller's own poll(2) (then db_wait with 0 ms); -1 when closed. */
int db_fd(const struct db *db);

#endif
