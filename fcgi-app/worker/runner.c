#include "base/sys.h"
#include "worker/runner.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"

#include <poll.h>
#include <signal.h>

enum { CLAIM_FIRST_DELAY = 250, CLAIM_LAST_DELAY = 10000, IDLE_FIRST = 50, RENEW_RETRY = 1000 };

struct runner {
	const struct slot_env *env;
	const char *name;
	struct slot *slots;
	size_t nslots, children; /* as many wait as may run */
	uint64_t serial, order;
	bool listening;
	bool stopping, reload;
	uint64_t stop_at;     /* what runs then is given back */
	uint64_t claim_at;    /* not before */
	uint64_t claim_delay; /* while the database is away */
	uint64_t idle;        /* how long the queue is left alone when it was empty */
	uint64_t renew_at, renewed;
};

static size_t
count(const struct runner *r, enum slot_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nslots; i++)
		n += r->slots[i].state == state;
	return n;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- claims -------------------------------------------------------------------------------- */

static void
database_away(struct runner *r, const struct err *e, uint64_t now)
{
	if (r->claim_delay == 0)
		log_warn("claim jobs: %s", e->text);
	r->claim_delay = r->claim_delay ? r->claim_delay * 2 : CLAIM_FIRST_DELAY;
	r->claim_delay = earlier(r->claim_delay, CLAIM_LAST_DELAY);
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
		r->idle = earlier(r->idle ? r->idle * 2 : IDLE_FIRST, poll_ms);
	if (jobs_next_due(r->env->db, &due, &e) < 0) {
		database_away(r, &e, now);
		return;
	}
	/* What is due at once was taken by another worker's lock: no reason to spin. */
	r->claim_at = now + earlier(r->idle, due < IDLE_FIRST ? IDLE_FIRST : due);
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
	size_t want = count(r, SLOT_FREE), got = 0;
	struct job jobs[MOST];
	struct err e = { 0 };
	struct slot *s;

	want = want < conf->batch ? want : conf->batch;
	want = want < MOST ? want : MOST;
	if (jobs_claim(r->env->db, r->name, conf->lease, jobs, want, &got, &e) < 0) {
		database_away(r, &e, now);
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

static void
maybe_claim(struct runner *r, uint64_t now)
{
	if (r->stopping || now < r->claim_at || !decoders_ready(r->env->decoders))
		return;
	/* Not one by one: wait until half of those that may wait are gone. */
	if (count(r, SLOT_WAITING) * 2 > r->children || count(r, SLOT_FREE) == 0)
		return;
	claim(r, now);
}

/* ---- running ------------------------------------------------------------------------------- */

static struct slot *
next_waiting(struct runner *r)
{
	struct slot *first = NULL;

	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state == SLOT_WAITING &&
		    (first == NULL || r->slots[i].order < first->order))
			first = &r->slots[i];
	return first;
}

static uint64_t
memory_in_use(const struct runner *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state == SLOT_RUNNING)
			sum += r->slots[i].memory;
	return sum;
}

/* In order: a large picture waits for room and is not overtaken for ever. */
static void
start_waiting(struct runner *r)
{
	struct slot *s;

	while (!r->stopping && count(r, SLOT_RUNNING) < r->children &&
	       decoders_ready(r->env->decoders) && (s = next_waiting(r)) != NULL) {
		if (count(r, SLOT_RUNNING) > 0 &&
		    memory_in_use(r) + s->memory > r->env->conf->worker.total_memory)
			return;
		slot_start(s, r->env, ++r->serial);
	}
}

static void
report_due(struct runner *r, uint64_t now)
{
	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state == SLOT_REPORTING && r->slots[i].report_at <= now)
			slot_report(&r->slots[i], r->env);
}

static void
abandon_running(struct runner *r, enum outcome outcome, const char *reason)
{
	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state == SLOT_RUNNING)
			slot_abandon(&r->slots[i], r->env, outcome, reason);
}

static void
check_deadlines(struct runner *r, uint64_t now)
{
	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state == SLOT_RUNNING && r->slots[i].deadline <= now) {
			log_error("the decoder zygote does not answer: it is started anew");
			decoders_drop(r->env->decoders);
			abandon_running(r, OUTCOME_RETRY, "the decoder zygote did not answer");
			return;
		}
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

static void
renew(struct runner *r, uint64_t now)
{
	uint64_t lease = r->env->conf->worker.lease;
	struct job *jobs;
	size_t n = 0, k = 0;
	struct err e = { 0 };

	n = r->nslots - count(r, SLOT_FREE);
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

/* ---- events -------------------------------------------------------------------------------- */

static void
decoder_event(struct runner *r)
{
	struct wire_message m;

	switch (decoders_event(r->env->decoders, &m)) {
	case DECODERS_READY:
		log_info("decoders are ready: %s, Landlock %u", m.text, m.value);
		break;
	case DECODERS_REFUSED:
		log_error("decoders refuse to start: %s", m.text);
		break;
	case DECODERS_LOST:
		log_warn("the decoder zygote is gone: it is started anew");
		abandon_running(r, OUTCOME_RETRY, "the decoder zygote died");
		break;
	case DECODERS_END:
		for (size_t i = 0; i < r->nslots; i++)
			if (r->slots[i].state == SLOT_RUNNING &&
			    r->slots[i].wire.serial == m.serial) {
				slot_ended(&r->slots[i], r->env, &m);
				break;
			}
		break;
	case DECODERS_NONE:
		break;
	}
}

static void
database_event(struct runner *r, uint64_t now)
{
	struct err e = { 0 };
	int rc = db_wait(r->env->db, 0, -1, &e);

	if (rc > 0)
		r->claim_at = now;
	else if (rc < 0)
		database_away(r, &e, now);
}

static void
stop(struct runner *r, uint64_t now)
{
	r->stopping = true;
	r->stop_at = now + r->env->conf->worker.wall_time;
	proc_notify(r->reload ? "RELOADING=1" : "STOPPING=1");
	for (size_t i = 0; i < r->nslots; i++)
		if (r->slots[i].state == SLOT_WAITING)
			slot_abandon(&r->slots[i], r->env, OUTCOME_RELEASE, "");
}

static void
take_signals(struct runner *r, uint64_t now)
{
	bool term = proc_caught(SIGTERM);

	term = proc_caught(SIGINT) || term;
	if (proc_caught(SIGUSR1))
		log_reopen();
	if (term && r->stopping && !r->reload)
		r->stop_at = now;
	if (term || proc_caught(SIGHUP)) {
		r->reload = !term;
		if (!r->stopping)
			stop(r, now);
	}
	if (r->stopping && now >= r->stop_at)
		abandon_running(r, OUTCOME_RELEASE, "");
}

/* ---- the loop ------------------------------------------------------------------------------ */

static uint64_t
next_wake(const struct runner *r)
{
	uint64_t at = r->renew_at;

	if (r->stopping)
		at = earlier(at, r->stop_at);
	else if (count(r, SLOT_WAITING) * 2 <= r->children && decoders_ready(r->env->decoders))
		at = earlier(at, r->claim_at);
	for (size_t i = 0; i < r->nslots; i++) {
		if (r->slots[i].state == SLOT_RUNNING)
			at = earlier(at, r->slots[i].deadline);
		else if (r->slots[i].state == SLOT_REPORTING)
			at = earlier(at, r->slots[i].report_at);
	}
	return at;
}

/* Descriptors of the slots come first, then zygote and database. */
static void
wait_events(struct runner *r, struct pollfd *fds, uint64_t wake)
{
	uint64_t now = clock_ms(), ms = wake > now ? wake - now : 0;
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };
	sigset_t none;
	int n;

	for (size_t i = 0; i < r->nslots; i++)
		fds[i] = (struct pollfd){ .fd = r->slots[i].state == SLOT_RUNNING ? r->slots[i].pipe
										  : -1,
			.events = POLLIN };
	fds[r->nslots] = (struct pollfd){ .fd = decoders_fd(r->env->decoders), .events = POLLIN };
	fds[r->nslots + 1] =
	    (struct pollfd){ .fd = r->listening && r->claim_delay == 0 ? db_fd(r->env->db) : -1,
		    .events = POLLIN };
	sigemptyset(&none);
	n = ppoll(fds, r->nslots + 2, &t, &none);
	if (n <= 0)
		return;
	for (size_t i = 0; i < r->nslots; i++)
		if (fds[i].revents && r->slots[i].state == SLOT_RUNNING && r->slots[i].pipe >= 0)
			slot_read(&r->slots[i], r->env);
	if (fds[r->nslots].revents)
		decoder_event(r);
	if (fds[r->nslots + 1].revents)
		database_event(r, clock_ms());
}

static void
runner_init(struct runner *r, const struct slot_env *env, const char *name)
{
	struct err e = { 0 };

	*r = (struct runner){ .env = env, .name = name, .children = env->conf->worker.children };
	r->nslots = 2 * r->children;
	r->slots = mem_array(r->nslots, sizeof(*r->slots));
	r->renewed = clock_ms();
	r->renew_at = r->renewed + env->conf->worker.lease / 3;
	if (env->conf->database.pooled)
		return;
	r->listening = db_listen(env->db, JOBS_CHANNEL, &e) == 0 || e.kind == ERR_AWAY;
	if (!r->listening)
		log_warn("no hints of new jobs, polling instead: %s", e.text);
}

enum runner_end
runner_run(const struct slot_env *env, const char *name)
{
	struct runner r;
	struct pollfd *fds;
	uint64_t now, wake;

	runner_init(&r, env, name);
	fds = mem_array(r.nslots + 2, sizeof(*fds));
	proc_block();
	for (;;) {
		now = clock_ms();
		take_signals(&r, now);
		check_deadlines(&r, now);
		wake = decoders_tick(env->decoders, count(&r, SLOT_RUNNING));
		if (now >= r.renew_at)
			renew(&r, now);
		report_due(&r, now);
		maybe_claim(&r, now);
		start_waiting(&r);
		if (r.stopping && (count(&r, SLOT_FREE) == r.nslots || now >= r.stop_at + 5000))
			break;
		wait_events(&r, fds, earlier(wake, next_wake(&r)));
	}
	proc_unblock();
	for (size_t i = 0; i < r.nslots; i++)
		if (r.slots[i].state != SLOT_FREE)
			strbuf_release(&r.slots[i].bytes);
	mem_free(fds);
	mem_free(r.slots);
	return r.reload ? RUNNER_RELOAD : RUNNER_STOP;
}
