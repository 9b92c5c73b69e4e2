#include "base/sys.h"
#include "worker/slot.h"
#include "base/clock.h"
#include "base/log.h"

enum { FIRST_DELAY = 200, LAST_DELAY = 5000 };

static void
remove_thumbnails(struct slot *s, const struct slot_env *env)
{
	struct err e = { 0 };

	for (uint32_t i = 0; i < s->wire.renditions; i++)
		if (store_remove_thumbnail(
			env->store, &s->job.file, env->conf->rendition[i].name, &e) < 0)
			log_error("remove a thumbnail of a file that is gone: %s", e.text);
	s->stored = false;
}

/*
 * The result was not taken: either the file is gone, then its thumbnails go too; or somebody else
 * has finished the job, under the same names, and they stay.
 */
static int
drop_result(struct slot *s, const struct slot_env *env, struct err *e)
{
	static const struct account everybody = { .admin = true };
	struct file file = { 0 };

	if (!s->stored)
		return 0;
	if (files_get(env->db, &s->job.file, &everybody, true, &file, e) == 0) {
		file_release(&file);
		return 0;
	}
	if (e->kind != ERR_NOTFOUND)
		return -1;
	remove_thumbnails(s, env);
	return 0;
}

/* 1 taken, 0 not ours any more, -1. */
static int
tell_database(struct slot *s, const struct slot_env *env, struct err *e)
{
	switch (s->outcome) {
	case OUTCOME_DONE:
		return jobs_done_thumbnail(env->db, &s->job, s->made, s->wire.renditions, e);
	case OUTCOME_CANCELLED:
		return jobs_done_thumbnail(env->db, &s->job, NULL, 0, e);
	case OUTCOME_DEAD:
		return jobs_dead(env->db, &s->job, s->reason, e);
	case OUTCOME_RETRY:
		return jobs_retry(env->db, &s->job, s->delay, s->reason, e);
	case OUTCOME_RELEASE:
		return jobs_release(env->db, &s->job, e) < 0 ? -1 : 1;
	case OUTCOME_NOTHING:
		break;
	}
	return 1;
}

static void
tell_log(const struct slot *s, int taken)
{
	unsigned long long ms = (unsigned long long)(clock_ms() - s->started);
	char id[ID_TEXT];

	id_text(&s->job.file, id);
	if (s->outcome == OUTCOME_CANCELLED)
		log_info("job %lld: the file is gone", (long long)s->job.id);
	else if (taken == 0)
		log_info("thumbnails of %s: the result was not needed any more", id);
	else if (s->outcome == OUTCOME_DONE)
		log_info("thumbnails of %s: %u made in %llu ms", id, s->wire.renditions, ms);
	else if (s->outcome == OUTCOME_DEAD)
		log_warn("thumbnails of %s: failed: %s", id, s->reason);
	else if (s->outcome == OUTCOME_RETRY)
		log_warn("thumbnails of %s: attempt %u of %u: %s", id, s->job.attempt,
		    s->job.max_attempts, s->reason);
}

void
slot_report(struct slot *s, const struct slot_env *env)
{
	struct err e = { 0 };
	int rc = tell_database(s, env, &e);

	if (rc == 0 && drop_result(s, env, &e) < 0)
		rc = -1;
	if (rc < 0 && (e.kind == ERR_AWAY || e.kind == ERR_UNCERTAIN)) {
		s->report_delay = s->report_delay ? s->report_delay * 2 : FIRST_DELAY;
		if (s->report_delay > LAST_DELAY)
			s->report_delay = LAST_DELAY;
		s->report_at = clock_ms() + s->report_delay;
		return;
	}
	if (rc < 0) /* the job comes back when its lease is over */
		log_error("report job %lld: %s", (long long)s->job.id, e.text);
	else
		tell_log(s, rc);
	strbuf_release(&s->bytes);
	s->state = SLOT_FREE;
}
