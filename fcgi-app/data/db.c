#include "base/sys.h"
#include "data/db_pq.h"

#include <poll.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "data/db_error.h"

enum {
	SLACK_MS = 2000,             /* what the server gets beyond its own statement_timeout */
	NO_TIMEOUT_MS = 3600 * 1000, /* a script, or statement_timeout 0 */
	COLLISIONS = 3,
};

struct db *
db_new(const struct db_conf *conf)
{
	struct db *db = mem_zero(sizeof *db);

	db->conninfo = mem_strdup(conf->conninfo ? conf->conninfo : "");
	db->program = mem_strdup(conf->program ? conf->program : "sluice");
	db->connect_timeout = conf->connect_timeout ? conf->connect_timeout : 5000;
	db->statement_timeout = conf->statement_timeout;
	db->lock_timeout = conf->lock_timeout;
	db->pooled = conf->pooled;
	db->pid = getpid();
	return db;
}

void
db_free(struct db **db)
{
	if (!*db)
		return;
	db_disconnect(*db);
	mem_free((*db)->conninfo);
	mem_free((*db)->program);
	mem_free((*db)->listen);
	mem_free(*db);
	*db = NULL;
}

int
db_fd(const struct db *db)
{
	return db->pg ? PQsocket(db->pg) : -1;
}

const char *
db_sqlstate(const struct db *db)
{
	return db->sqlstate;
}

static void
describe(struct db *db, const PGresult *r, char *text, size_t size)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	const char *primary = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	(void)snprintf(db->sqlstate, sizeof db->sqlstate, "%.5s", state ? state : "");
	if (primary)
		db_message(text, size, primary);
	else if (r && PQresultErrorMessage(r)[0])
		db_message(text, size, PQresultErrorMessage(r));
	else if (PQerrorMessage(db->pg)[0])
		db_message(text, size, PQerrorMessage(db->pg));
	else
		(void)snprintf(text, size, "no answer in time");
}

/* A good answer: gives it to the caller. A bad one: -1 with the kind of its SQLSTATE. */
static int
take_answer(struct db *db, PGresult *r, struct db_rows **rows, struct err *e)
{
	char text[256];
	ExecStatusType status = PQresultStatus(r);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		if (rows) {
			*rows = mem_alloc(sizeof **rows);
			(*rows)->pg = r;
		} else {
			PQclear(r);
		}
		return 0;
	}
	describe(db, r, text, sizeof text);
	PQclear(r);
	err_set(e, db_error_kind(db->sqlstate), "database: %s (SQLSTATE %s)", text,
	    db->sqlstate[0] ? db->sqlstate : "none");
	if (PQtransactionStatus(db->pg) != PQTRANS_IDLE || db_error_reconnect(db->sqlstate))
		db_disconnect(db);
	return -1;
}

/* The connection is given up; a write that may have been done is ERR_UNCERTAIN. */
static int
take_loss(struct db *db, PGresult *r, bool uncertain, struct err *e)
{
	char text[256];

	describe(db, r, text, sizeof text);
	PQclear(r);
	db_disconnect(db);
	return uncertain ? err_set(e, ERR_UNCERTAIN,
			       "database: outcome unknown, connection lost: %s", text)
			 : err_set(e, ERR_AWAY, "database: connection lost: %s", text);
}

static void
pause_after_collision(int attempt)
{
	uint16_t dice;

	id_random(&dice, sizeof dice);
	clock_sleep_ms(5U + (uint64_t)dice * (20U << attempt) / UINT16_MAX);
}

/*
 * Sends st until it is answered: again after a collision, and once more on a new connection when
 * the old one died before the statement was sent, or when repeating it does no harm.
 */
static int
execute(struct db *db, struct db_rows **rows, const struct db_statement *st, bool repeatable,
    struct err *e)
{
	int collisions = 0, losses = 0;

	if (rows)
		*rows = NULL;
	db->sqlstate[0] = '\0';
	for (;;) {
		PGresult *r;
		enum db_outcome how;

		if (db_ready(db, e) < 0)
			return -1;
		how = db_run(db, st, &r);
		if (how == DB_ANSWERED) {
			if (take_answer(db, r, rows, e) == 0) {
				err_clear(e);
				return 0;
			}
			if (db_error_stale(db->sqlstate) && losses++ == 0)
				continue; /* prepared anew on a new connection */
			if (!db_error_collision(db->sqlstate) || collisions == COLLISIONS)
				return -1;
			pause_after_collision(collisions++);
			continue;
		}
		take_loss(db, r, how == DB_LOST && !repeatable, e);
		if ((how == DB_LOST && !repeatable) || losses++ > 0)
			return -1;
		log_warn("database: a statement got no answer; sending it again");
	}
}

static uint64_t
statement_time(const struct db *db)
{
	return db->statement_timeout ? db->statement_timeout + SLACK_MS : NO_TIMEOUT_MS;
}

int
db_read(struct db *db, struct db_rows **rows, const char *sql, const char *const *params, int n,
    struct err *e)
{
	struct db_statement st = { sql, params, n, statement_time(db) };

	return execute(db, rows, &st, true, e);
}

int
db_write(struct db *db, struct db_rows **rows, const char *sql, const char *const *params, int n,
    struct err *e)
{
	struct db_statement st = { sql, params, n, statement_time(db) };

	return execute(db, rows, &st, false, e);
}

int
db_script(struct db *db, const char *sql, struct err *e)
{
	char *text = mem_printf("begin;\n%s\n;commit;", sql);
	struct db_statement st = { text, NULL, -1, NO_TIMEOUT_MS };
	int rc = execute(db, NULL, &st, false, e);

	mem_free(text);
	return rc;
}

int
db_listen(struct db *db, const char *channel, struct err *e)
{
	if (db->pooled)
		return err_set(e, ERR_INPUT, "LISTEN needs a connection that is not pooled");
	if (!db->listen) {
		db->listen = mem_printf("listen %s", channel);
		db_disconnect(db); /* LISTEN is part of connecting */
	}
	return db_ready(db, e);
}

/* Takes the notifications that have arrived. */
static bool
take_notifications(struct db *db)
{
	PGnotify *note;
	bool any = false;

	while ((note = PQnotifies(db->pg))) {
		PQfreemem(note);
		any = true;
	}
	return any;
}

int
db_wait(struct db *db, uint64_t ms, int wake_fd, struct err *e)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .fd = wake_fd, .events = POLLIN } };
	uint64_t deadline = clock_ms() + ms;

	for (;;) {
		uint64_t now = clock_ms();
		int left = now >= deadline            ? 0
			   : deadline - now > INT_MAX ? INT_MAX
						      : (int)(deadline - now);

		if (db_ready(db, e) < 0)
			return -1;
		if (take_notifications(db))
			return 1;
		p[0].fd = PQsocket(db->pg);
		if (poll(p, 2, left) <= 0 || p[1].revents)
			return db_alive(db) && take_notifications(db) ? 1 : 0;
	}
}
