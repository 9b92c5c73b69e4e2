#include "base/sys.h"
#include "data/db_pq.h"

#include <poll.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"

enum { DELAY_MIN_MS = 100, DELAY_MAX_MS = 10000 };

/* In a forked child only the descriptor is closed: PQfinish would end the parent's session. */
void
db_disconnect(struct db *db)
{
	if (!db->pg)
		return;
	if (db->pid == getpid())
		PQfinish(db->pg);
	else if (PQsocket(db->pg) >= 0)
		close(PQsocket(db->pg));
	db->pg = NULL;
	db_forget_prepared(db);
}

/* libpq's message on one line, cut to fit. */
void
db_message(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; text && *text && n + 1 < size; text++)
		out[n++] = *text == '\n' || *text == '\t' ? ' ' : *text;
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static void
on_notice(void *arg, const char *text)
{
	char line[256];

	(void)arg;
	db_message(line, sizeof line, text);
	log_debug("database: %s", line);
}

/* The options that the conninfo itself asks for come first, ours after them win. */
static void
session_options(const struct db *db, struct strbuf *b)
{
	PQconninfoOption *o = PQconninfoParse(db->conninfo, NULL);
	const char *env = getenv("PGOPTIONS");

	if (env)
		strbuf_addf(b, "%s ", env);
	for (PQconninfoOption *p = o; p && p->keyword; p++)
		if (strcmp(p->keyword, "options") == 0 && p->val)
			strbuf_addf(b, "%s ", p->val);
	PQconninfoFree(o);
	strbuf_addf(b,
	    "-c search_path=sluice -c timezone=UTC -c datestyle=ISO -c synchronous_commit=on"
	    " -c statement_timeout=%llu -c lock_timeout=%llu"
	    " -c idle_in_transaction_session_timeout=10000 -c "
	    "client_connection_check_interval=2000",
	    (unsigned long long)db->statement_timeout, (unsigned long long)db->lock_timeout);
}

/* A later value wins, so what an operator may change stands before the conninfo. */
static PGconn *
start(const struct db *db)
{
	struct strbuf options;
	PGconn *pg;

	strbuf_init(&options);
	if (!db->pooled)
		session_options(db, &options);
	const char *const keys[] = { "fallback_application_name", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout", "dbname",
		"client_encoding", "target_session_attrs", options.len ? "options" : NULL, NULL };
	const char *const values[] = { db->program, "30", "5", "3", "10000", db->conninfo, "UTF8",
		"read-write", options.s, NULL };
	pg = PQconnectStartParams(keys, values, 1);
	strbuf_release(&options);
	return pg;
}

/* 0, or -1 with the reason in db->why_away. */
static int
connect_within(struct db *db, uint64_t deadline)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;
	bool in_time = true;

	db->pg = start(db);
	while (db->pg && PQstatus(db->pg) != CONNECTION_BAD && next != PGRES_POLLING_FAILED &&
	       next != PGRES_POLLING_OK && in_time) {
		in_time = db_wait_fd(
		    PQsocket(db->pg), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
		if (in_time)
			next = PQconnectPoll(db->pg);
	}
	if (db->pg && next == PGRES_POLLING_OK && PQsetnonblocking(db->pg, 1) == 0) {
		PQsetNoticeProcessor(db->pg, on_notice, NULL);
		return 0;
	}
	if (!in_time)
		(void)snprintf(db->why_away, sizeof db->why_away, "no connection within %llu ms",
		    (unsigned long long)db->connect_timeout);
	else
		db_message(db->why_away, sizeof db->why_away,
		    db->pg ? PQerrorMessage(db->pg) : "out of memory");
	return -1;
}

/* The next attempt, after half to all of a doubling delay. */
static void
back_off(struct db *db)
{
	uint16_t dice;

	db->delay_ms = db->delay_ms ? db->delay_ms * 2 : DELAY_MIN_MS;
	if (db->delay_ms > DELAY_MAX_MS)
		db->delay_ms = DELAY_MAX_MS;
	id_random(&dice, sizeof dice);
	db->next_try_ms = clock_ms() + db->delay_ms / 2 + db->delay_ms / 2 * dice / UINT16_MAX;
}

/*
 * Once on a new connection: LISTEN, and behind a pooler a look at what cannot be set there.
 * 0, or -1 with the reason in db->why_away.
 */
static int
open_session(struct db *db)
{
	struct db_statement st = { NULL, NULL, 0, db->connect_timeout };
	PGresult *r = NULL;
	int rc = -1;

	if (db->listen)
		st.sql = db->listen;
	else if (db->pooled)
		st.sql = "select current_setting('synchronous_commit')";
	else
		return 0;
	if (db_run(db, &st, &r) != DB_ANSWERED || PQresultStatus(r) == PGRES_FATAL_ERROR)
		db_message(db->why_away, sizeof db->why_away, PQerrorMessage(db->pg));
	else if (db->pooled && strcmp(PQgetvalue(r, 0, 0), "off") == 0)
		(void)snprintf(db->why_away, sizeof db->why_away,
		    "synchronous_commit is off for this role, and a pooled connection cannot"
		    " change it");
	else
		rc = 0;
	PQclear(r);
	return rc;
}

static int
make_connection(struct db *db, struct err *e)
{
	uint64_t now = clock_ms();

	if (now < db->next_try_ms)
		return err_set(e, ERR_AWAY, "database: %s (next attempt in %llu ms)", db->why_away,
		    (unsigned long long)(db->next_try_ms - now));
	db->pid = getpid();
	if (connect_within(db, now + db->connect_timeout) < 0 || open_session(db) < 0) {
		db_disconnect(db);
		back_off(db);
		return err_set(e, ERR_AWAY, "connect to the database: %s", db->why_away);
	}
	db->delay_ms = db->next_try_ms = 0;
	return 0;
}

/* Without a round trip: reads what has arrived, so that a dead server's goodbye is seen. */
bool
db_alive(struct db *db)
{
	if (!db->pg || db->pid != getpid())
		return false;
	while (PQstatus(db->pg) == CONNECTION_OK &&
	       db_wait_fd(PQsocket(db->pg), POLLIN, clock_ms()) == 1)
		if (!PQconsumeInput(db->pg))
			return false;
	return PQstatus(db->pg) == CONNECTION_OK && PQtransactionStatus(db->pg) == PQTRANS_IDLE;
}

int
db_ready(struct db *db, struct err *e)
{
	if (db_alive(db))
		return 0;
	if (db->pg && db->pid == getpid())
		log_warn("database: the connection was lost; connecting again");
	db_disconnect(db);
	return make_connection(db, e);
}
