/*
 * db_pq.h: what the db*.c files share; the one place that includes libpq.
 *
 * libpq waits without an end on a peer that is silent, so nothing here calls its blocking
 * functions: every wait is a poll(2) with a deadline. Two exceptions: PQcancel runs in a process of
 * its own, which is ended when it waits; a host's name is looked up without a deadline of ours
 * (resolv.conf has one), so an address or a socket is better.
 */
#ifndef SLUICE_DATA_DB_PQ_H
#define SLUICE_DATA_DB_PQ_H

#include "data/db.h"

#include <libpq-fe.h>

enum { DB_PREPARED = 32 };

struct db {
	char *conninfo, *program;
	char *listen; /* the LISTEN statement, or NULL */
	uint64_t connect_timeout, statement_timeout, lock_timeout;
	bool pooled;
	pid_t pid; /* whose connection it is */
	PGconn *pg;
	uint64_t delay_ms, next_try_ms; /* after failed attempts to connect */
	char why_away[256];
	char sqlstate[6];
	char *prepared[DB_PREPARED]; /* texts of this connection's prepared statements, s0 ... */
	int nprepared;
};

struct db_rows {
	PGresult *pg;
};

/* How far a statement came. */
enum db_outcome {
	DB_ANSWERED, /* there is a result of the server, good or bad */
	DB_UNSENT,   /* it has not been sent in full: not done */
	DB_LOST,     /* sent, and no answer that settles it */
};

struct db_statement {
	const char *sql;
	const char *const *params;
	int n; /* -1: a script of several statements, without parameters */
	uint64_t timeout_ms;
};

/* Waits for one of the poll(2) events on fd until the deadline: true, or false when time is over. */
bool db_wait_fd(int fd, short events, uint64_t deadline);

/*
 * Runs st on the open connection, prepared where the connection is ours alone (a pooler would run
 * it on another). *out is the server's answer (PQclear it), or NULL.
 */
enum db_outcome db_run(struct db *db, const struct db_statement *st, PGresult **out);

/* The connection is gone, and its prepared statements with it. */
void db_forget_prepared(struct db *db);

/* Closes the connection, if there is one. */
void db_disconnect(struct db *db);

/* Is the connection usable, as far as can be seen without a round trip? */
bool db_alive(struct db *db);

/* libpq's text on one line, cut to fit. */
void db_message(char *out, size_t size, const char *text);

#endif
