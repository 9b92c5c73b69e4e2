#include "base/sys.h"
#include "data/db_pq.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"

enum { CANCEL_MS = 1000 }; /* what the server gets to take a cancel request, and to answer then */

bool
db_wait_fd(int fd, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = clock_ms();
		int left = now >= deadline ? 0 : (int)(deadline - now);
		int n = poll(&p, 1, left);

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* Sends what is left in libpq's buffer. 0, or -1 when it could not all be sent. */
static int
flush(struct db *db, uint64_t deadline)
{
	int left;

	while ((left = PQflush(db->pg)) > 0) {
		if (!db_wait_fd(PQsocket(db->pg), POLLIN | POLLOUT, deadline))
			return -1;
		if (!PQconsumeInput(db->pg))
			return -1;
	}
	return left;
}

/* Collects the answer: the first failure, or else the last result. NULL when time is over. */
static PGresult *
collect(struct db *db, PGresult *kept, uint64_t deadline, bool *complete)
{
	*complete = false;
	for (;;) {
		while (PQisBusy(db->pg)) {
			if (!db_wait_fd(PQsocket(db->pg), POLLIN, deadline))
				return kept;
			if (!PQconsumeInput(db->pg))
				break; /* PQgetResult tells why */
		}
		PGresult *r = PQgetResult(db->pg);

		if (!r)
			break;
		if (kept && PQresultStatus(kept) == PGRES_FATAL_ERROR) {
			PQclear(r);
			continue;
		}
		PQclear(kept);
		kept = r;
	}
	*complete = true;
	return kept;
}

/* Waits for pid, and ends it when time is over. True when it ended by itself and well. */
static bool
ended_well(pid_t pid, uint64_t deadline)
{
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 && clock_ms() < deadline)
		clock_sleep_ms(2);
	if (got == 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		return false;
	}
	return got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* PQcancel makes a connection of its own and waits without an end: it gets a process of its own. */
static void
cancel(struct db *db)
{
	PGcancel *c = PQgetCancel(db->pg);
	pid_t us = getpid(), pid = c ? fork() : -1;

	if (pid == 0) {
		char why[256];

		proc_die_with_parent(SIGKILL, us);
		_exit(PQcancel(c, why, sizeof why) ? 0 : EXIT_FAILURE);
	}
	if (pid < 0 || !ended_well(pid, clock_ms() + CANCEL_MS))
		log_warn("database: a statement could not be cancelled");
	PQfreeCancel(c);
}

/* Only an answer of severity ERROR proves a rollback; FATAL may come after the commit. */
static bool
settled(const PGresult *r)
{
	const char *severity;

	if (PQresultStatus(r) != PGRES_FATAL_ERROR)
		return true;
	severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
	return severity && strcmp(severity, "ERROR") == 0;
}

/* Waits for the answer to what libpq has taken to send. */
static enum db_outcome
await(struct db *db, uint64_t deadline, PGresult **out)
{
	bool complete;

	if (flush(db, deadline) < 0)
		return DB_UNSENT;
	*out = collect(db, NULL, deadline, &complete);
	if (!complete && db->pooled) { /* else the server's own timeout went by: it is not there */
		cancel(db);
		*out = collect(db, *out, clock_ms() + CANCEL_MS, &complete);
	}
	return complete && *out && settled(*out) ? DB_ANSWERED : DB_LOST;
}

/*
 * Finds or makes the prepared statement of sql and sets its name; there is none when all places
 * are taken. DB_ANSWERED with *out NULL: go on. Nothing has been done in any other case.
 */
static enum db_outcome
prepare(struct db *db, const char *sql, uint64_t deadline, char name[16], PGresult **out)
{
	enum db_outcome how;
	int i = 0;

	name[0] = '\0';
	while (i < db->nprepared && strcmp(db->prepared[i], sql) != 0)
		i++;
	if (i == DB_PREPARED)
		return DB_ANSWERED;
	(void)snprintf(name, 16, "s%d", i);
	if (i < db->nprepared)
		return DB_ANSWERED;
	if (!PQsendPrepare(db->pg, name, sql, 0, NULL))
		return DB_UNSENT;
	how = await(db, deadline, out);
	if (how != DB_ANSWERED)
		return DB_UNSENT;
	if (PQresultStatus(*out) == PGRES_COMMAND_OK) {
		PQclear(*out);
		*out = NULL;
		db->prepared[db->nprepared++] = mem_strdup(sql);
	}
	return DB_ANSWERED;
}

void
db_forget_prepared(struct db *db)
{
	while (db->nprepared > 0)
		mem_free(db->prepared[--db->nprepared]);
}

enum db_outcome
db_run(struct db *db, const struct db_statement *st, PGresult **out)
{
	uint64_t deadline = clock_ms() + st->timeout_ms;
	char name[16] = "";
	int sent;

	*out = NULL;
	if (st->n >= 0 && !db->pooled) {
		enum db_outcome how = prepare(db, st->sql, deadline, name, out);

		if (how != DB_ANSWERED || *out)
			return how;
	}
	if (name[0])
		sent = PQsendQueryPrepared(db->pg, name, st->n, st->params, NULL, NULL, 0);
	else if (st->n >= 0)
		sent = PQsendQueryParams(db->pg, st->sql, st->n, NULL, st->params, NULL, NULL, 0);
	else
		sent = PQsendQuery(db->pg, st->sql);
	return sent ? await(db, deadline, out) : DB_UNSENT;
}
