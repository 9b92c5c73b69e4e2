#include "base/sys.h"
#include "worker/runner_room.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"

#include <poll.h>
#include <signal.h>

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

	while (!r->stopping && runner_count(r, SLOT_RUNNING) < r->children &&
	       decoders_ready(r->env->decoders) && (s = next_waiting(r)) != NULL) {
		if (runner_count(r, SLOT_RUNNING) > 0 &&
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
		runner_database_away(r, &e, now);
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
	if (decoders_orphaned(r->env->decoders) && !r->stopping) {
		log_error("the launcher of decoders is gone: the worker ends, to be started again");
		stop(r, now);
	}
	if (term && r->stopping && !r->reload)
		r->stop_at = now;
	if (proc_caught(SIGHUP) && !r->stopping)
		r->reload = true;
	if (term)
		r->reload = false;
	if ((term || r->reload) && !r->stopping)
		stop(r, now);
	if (r->stopping && now >= r->stop_at)
		abandon_running(r, OUTCOME_RELEASE, "");
}

/* ---- the loop ------------------------------------------------------------------------------ */

static uint64_t
next_wake(const struct runner *r)
{
	uint64_t at = r->renew_at;

	if (r->stopping)
		at = runner_earlier(at, r->stop_at);
	else if (runner_count(r, SLOT_WAITING) * 2 <= r->children &&
		 decoders_ready(r->env->decoders))
		at = runner_earlier(at, r->claim_at);
	for (size_t i = 0; i < r->nslots; i++) {
		if (r->slots[i].state == SLOT_RUNNING)
			at = runner_earlier(at, r->slots[i].deadline);
		else if (r->slots[i].state == SLOT_REPORTING)
			at = runner_earlier(at, r->slots[i].report_at);
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
		wake = decoders_tick(env->decoders, runner_count(&r, SLOT_RUNNING));
		if (now >= r.renew_at)
			runner_renew(&r, now);
		report_due(&r, now);
		runner_claim(&r, now);
		start_waiting(&r);
		if (r.stopping &&
		    (runner_count(&r, SLOT_FREE) == r.nslots || now >= r.stop_at + 5000))
			break;
		wait_events(&r, fds, runner_earlier(wake, next_wake(&r)));
	}
	proc_unblock();
	for (size_t i = 0; i < r.nslots; i++)
		if (r.slots[i].state != SLOT_FREE)
			strbuf_release(&r.slots[i].bytes);
	mem_free(fds);
	mem_free(r.slots);
	if (decoders_orphaned(env->decoders))
		return RUNNER_LOST;
	return r.reload ? RUNNER_RELOAD : RUNNER_STOP;
}
