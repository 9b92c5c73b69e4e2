/*
 * jobs.h: the job table as a queue.
 *
 * queued -> running -> done, or back to queued with a later run_at, or dead after max_attempts.
 * A claim counts the attempt and sets a lease by the database's clock; finishing is fenced by
 * (id, attempt): when another worker has taken over, the result is dropped. Rows that have ended
 * (done, dead, or cancelled with their file) move to job_history: the hot table stays small.
 */
#ifndef SLUICE_DATA_JOBS_H
#define SLUICE_DATA_JOBS_H

#include "base/id.h"
#include "data/files.h"

enum { JOB_KIND_MAX = 32 };

#define JOBS_CHANNEL "sluice_job"

struct job {
	int64_t id;
	char kind[JOB_KIND_MAX]; /* "thumbnail" */
	unsigned attempt, max_attempts;
	struct id file;
	bool has_file; /* false: the file is gone or being deleted */
	uint64_t file_size;
	char file_type[TYPE_MAX];
};

/*
 * Claims up to max jobs for worker (a name for people: host and pid): queued ones that are due and
 * running ones whose lease is over. Expired jobs without attempts left become dead here. A job
 * claimed for the first time is given no more than so many attempts.
 * Sets *n. 0, or -1 as db_write (ERR_UNCERTAIN: leases will run out by themselves).
 */
MUST_CHECK int jobs_claim(struct db *db, const char *worker, uint64_t lease_ms, uint64_t attempts,
    struct job *out, size_t max, size_t *n, struct err *e);

/* Extends the leases of n jobs held by us. Those lost to others get attempt set to 0. */
MUST_CHECK int jobs_renew(
    struct db *db, struct job *jobs, size_t n, uint64_t lease_ms, struct err *e);

/*
 * Ends a thumbnail job well: rendition rows and thumbnail_status = ready and the job's move to the
 * history, in one statement. 1 done; 0 fenced out, or the file is gone or being deleted (the job is
 * ended as cancelled; remove what was derived); -1 as db_write.
 */
MUST_CHECK int jobs_done_thumbnail(struct db *db, const struct job *job,
    const struct rendition *renditions, size_t n, struct err *e);

/* Ends a job for good with a reason: state dead, thumbnail_status = failed with the reason.
 * 1, 0 fenced out, -1. */
MUST_CHECK int jobs_dead(struct db *db, const struct job *job, const char *reason, struct err *e);

/* Gives a job back: queued again after a backoff (exponential, jitter), or dead when attempts are
 * used up (then as jobs_dead). delay_ms: at least this long. 1, 0 fenced out, -1. */
MUST_CHECK int jobs_retry(
    struct db *db, const struct job *job, uint64_t delay_ms, const char *reason, struct err *e);

/* Gives back without losing an attempt (shutdown of the worker): one more is allowed, because
 * attempt is the fence and never goes back. 1, 0 fenced out, -1. */
MUST_CHECK int jobs_release(struct db *db, const struct job *job, struct err *e);

/* NOTIFY on JOBS_CHANNEL: a hint, nothing depends on it. */
MUST_CHECK int jobs_notify(struct db *db, struct err *e);

/* Milliseconds until the next job is due (0: now), or UINT64_MAX when there is none. */
MUST_CHECK int jobs_next_due(struct db *db, uint64_t *ms, struct err *e);

/* For sluice-admin: rows of (state, count, oldest age in seconds); dead jobs of the history as
 * (id, kind, file, attempts, error, finished); and back to the queue by history id (0: all dead).
 */
MUST_CHECK int jobs_stat(struct db *db, struct db_rows **rows, struct err *e);
MUST_CHECK int jobs_dead_list(struct db *db, unsigned limit, struct db_rows **rows, struct err *e);
MUST_CHECK int jobs_retry_dead(struct db *db, int64_t id, uint64_t *count, struct err *e);

#endif
