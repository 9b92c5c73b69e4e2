#include "base/sys.h"
#include "worker/runner_room.h"
#include "base/log.h"
#include "base/mem.h"

enum { CLAIM_FIRST_DELAY = 250, CLAIM_LAST_DELAY = 10000, IDLE_FIRST = 50, RENEW_RETRY = 1000 };

size_t
runner_count(const struct runner *r, enum slot_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nslots; i++)
		n += r->slots[i].state == state;
	return n;
}

/* ---- claims -------------------------------------------------------------------------------- */

void
runner_database_away(struct runner *r, const struct err *e, uint64_t now)
{
	if (r->claim_delay == 0)
		log_warn("claim jobs: %s", e->text);
	r->claim_delay = r->claim_delay ? r->claim_delay * 2 : CLAIM_FIRST_DELAY;
	r->claim_delay = runner_earlier(r->claim_delay, CLAIM_LAST_DELAY);
	r->claim_at = now + r->claim_delay;
}

/* The queue was empty: when to look again. Hints come sooner; without them look often at first. */
static void
rest(struct runner *r, uint64_t now)
{
	uint64_t poll_ms = r->env->conf->worker.poll, due = UINT64_MAX;
	struct err e = { 0 };

	if (r->listening)
		r->idle = poll_ms;
	else
		r->idle = runner_earlier(r->idle ? r->idle * 2 : IDLE_FIRST, poll_ms);
	if (jobs_next_due(r->env->db, &due, &e) < 0) {
		runner_database_away(r, &e, now);
		return;
	}
	/* What is due at once was taken by another worker's lock: no reason to spin. */
	r->claim_at = now + runner_earlier(r->idle, due < IDLE_FIRST ? IDLE_FIRST : due);
}

static struct slot *
free_slot(struct runner *r)
{
	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state == SLOT_FREE)
			return &r->slots[i];
	return NULL;
}

static void
claim(struct runner *r, uint64_t now)
{
	enum { MOST = 64 };
	const struct conf_worker *conf = &r->env->conf->worker;
	size_t want = runner_count(r, SLOT_FREE), got = 0;
	struct job jobs[MOST];
	struct err e = { 0 };
	struct slot *s;

	want = want < conf->batch ? want : conf->batch;
	want = want < MOST ? want : MOST;
	if (jobs_claim(r->env->db, r->name, conf->lease, conf->max_attempts, jobs, want, &got, &e) <
	    0) {
		runner_database_away(r, &e, now);
		return;
	}
	if (r->claim_delay)
		log_info("the database is back");
	r->claim_delay = 0;
	for (size_t i = 0; i < got && (s = free_slot(r)) != NULL; i++) {
		slot_prepare(s, r->env, &jobs[i]);
		s->order = r->order++;
	}
	if (got > 0)
		r->idle = 0;
	if (got < want)
		rest(r, now);
	else
		r->claim_at = now;
}

void
runner_claim(struct runner *r, uint64_t now)
{
	if (r->stopping || now < r->claim_at || !decoders_ready(r->env->decoders))
		return;
	/* Not one by one: wait until half of those that may wait are gone. */
	if (runner_count(r, SLOT_WAITING) * 2 > r->children || runner_count(r, SLOT_FREE) == 0)
		return;
	claim(r, now);
}

/* ---- leases -------------------------------------------------------------------------------- */

/* The jobs may already run elsewhere: end them here, and tell nobody. */
static void
lose_all(struct runner *r)
{
	log_warn("the leases could not be renewed in time: all running jobs are given up");
	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state != SLOT_FREE)
			slot_abandon(&r->slots[i], r->env, OUTCOME_NOTHING, "lease lost");
}

void
runner_renew(struct runner *r, uint64_t now)
{
	uint64_t lease = r->env->conf->worker.lease;
	struct job *jobs;
	size_t n = 0, k = 0;
	struct err e = { 0 };

	n = r->nslots - runner_count(r, SLOT_FREE);
	r->renew_at = now + lease / 3;
	if (n == 0) {
		r->renewed = now;
		return;
	}
	jobs = mem_array(n, sizeof(*jobs));
	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state != SLOT_FREE)
			jobs[k++] = r->slots[i].job;
	if (jobs_renew(r->env->db, jobs, n, lease, &e) < 0) {
		log_debug("renew leases: %s", e.text);
		r->renew_at = now + RENEW_RETRY;
		if (now - r->renewed > lease * 2 / 3)
			lose_all(r);
		mem_free(jobs);
		return;
	}
	r->renewed = now;
	k = 0;
	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state != SLOT_FREE && jobs[k++].attempt == 0)
			slot_abandon(&r->slots[i], r->env, OUTCOME_NOTHING, "lease lost");
	mem_free(jobs);
}
