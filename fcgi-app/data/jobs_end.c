/*
 * How a running job ends. Each statement begins with the fence: the row of this id and attempt,
 * if it still runs.
 */
#include "base/sys.h"
#include "data/jobs.h"

#include "base/mem.h"
#include "data/jobs_sql.h"
#include "data/json.h"

#define FENCE "id = $1::bigint and attempt = $2::integer and state = 'running'"

static char *
renditions_to_json(const struct rendition *r, size_t n)
{
	json_t *list = json_array();
	char *text;

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();

		json_object_set_new(o, "name", json_str(r[i].name));
		json_object_set_new(o, "type", json_str(r[i].type));
		json_object_set_new(o, "width", json_integer(r[i].width));
		json_object_set_new(o, "height", json_integer(r[i].height));
		json_object_set_new(o, "size", json_integer((json_int_t)r[i].size));
		json_array_append_new(list, o);
	}
	text = json_text(list);
	json_decref(list);
	return text;
}

/* Runs a statement that begins with the fence and answers in one number; -1 as db_write. */
static int
end_job(struct db *db, const struct job *job, const char *what, const char *sql, const char *third,
    const char *fourth, struct err *e)
{
	char id[JOB_NUMBER], attempt[JOB_NUMBER];
	const char *params[] = { job_number((uint64_t)job->id, id),
		job_number(job->attempt, attempt), third, fourth };
	struct db_rows *rows;
	int count;

	if (db_write(db, &rows, sql, params, fourth ? 4 : third ? 3 : 2, e) < 0)
		return err_prefix(e, "job %s: %s", id, what);
	count = (int)db_int(rows, 0, 0);
	db_rows_free(&rows);
	return count > 0;
}

int
jobs_done_thumbnail(struct db *db, const struct job *job, const struct rendition *renditions,
    size_t n, struct err *e)
{
	char *json = renditions_to_json(renditions, n);
	int rc = end_job(db, job, "record thumbnails",
	    "with ended as (delete from sluice.job where " FENCE " returning *),"
	    " target as (update sluice.file f set thumbnail_status = 'ready',"
	    " thumbnail_error = null from ended"
	    " where f.id = ended.file_id and f.state = 'ready' returning f.id),"
	    " put as (insert into sluice.rendition"
	    " (file_id, name, content_type, width, height, size)"
	    " select target.id, x.name, x.type, x.width, x.height, x.size"
	    " from target, jsonb_to_recordset($3::jsonb) as x"
	    " (name text, type text, width integer, height integer, size bigint)"
	    " on conflict (file_id, name) do update set content_type = excluded.content_type,"
	    " width = excluded.width, height = excluded.height, size = excluded.size,"
	    " created_at = clock_timestamp()),"
	    " moved as (" HISTORY_INSERT " select id, kind, file_id,"
	    " case when exists (select from target) then 'done' else 'cancelled' end, attempt,"
	    " worker, last_error, created_at from ended)"
	    " select count(*) from target",
	    json, NULL, e);

	mem_free(json);
	return rc;
}

int
jobs_dead(struct db *db, const struct job *job, const char *reason, struct err *e)
{
	char text[JOB_REASON];

	return end_job(db, job, "give up",
	    "with dead as (delete from sluice.job where " FENCE " returning *, $3::text as reason),"
	    " buried as (" HISTORY_INSERT
	    " select id, kind, file_id, 'dead', attempt, worker, reason, created_at from dead),"
	    " failed as (" MARK_FAILED("dead") ")"
					       " select count(*) from dead",
	    job_reason(reason, text), NULL, e);
}

/* The delay doubles from 2 s to 10 min, each time between 75 % and 125 % of it. */
int
jobs_retry(
    struct db *db, const struct job *job, uint64_t delay_ms, const char *reason, struct err *e)
{
	char text[JOB_REASON], delay[JOB_NUMBER];

	return end_job(db, job, "give back",
	    "with held as (select id, attempt >= max_attempts as spent from sluice.job"
	    " where " FENCE " for update),"
	    " again as (update sluice.job j set state = 'queued', lease_until = null,"
	    " worker = null, last_error = $3::text, run_at = clock_timestamp()"
	    " + interval '1 millisecond' * greatest($4::bigint, least(600000,"
	    " 2000 * power(2, least(attempt - 1, 20))) * (0.75 + 0.5 * random()))"
	    " from held where j.id = held.id and not held.spent returning j.id),"
	    " dead as (delete from sluice.job j using held where j.id = held.id and held.spent"
	    " returning j.*, $3::text as reason),"
	    " buried as (" HISTORY_INSERT
	    " select id, kind, file_id, 'dead', attempt, worker, reason, created_at from dead),"
	    " failed as (" MARK_FAILED("dead") ")"
					       " select count(*) from held",
	    job_reason(reason, text), job_number(delay_ms, delay), e);
}

/* attempt is a fence and never goes back: one more is allowed instead. */
int
jobs_release(struct db *db, const struct job *job, struct err *e)
{
	return end_job(db, job, "release",
	    "with freed as (update sluice.job set state = 'queued', lease_until = null,"
	    " worker = null, max_attempts = max_attempts + 1, run_at = clock_timestamp()"
	    " where " FENCE " returning id) select count(*) from freed",
	    NULL, NULL, e);
}
