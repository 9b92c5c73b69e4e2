#include "base/sys.h"
#include "data/jobs.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "data/jobs_sql.h"
#include "data/json.h"

const char *
job_number(uint64_t v, char out[JOB_NUMBER])
{
	(void)snprintf(out, JOB_NUMBER, "%llu", (unsigned long long)v);
	return out;
}

const char *
job_reason(const char *reason, char out[JOB_REASON])
{
	size_t left = strlen(reason), n = 0;

	while (left > 0 && n + 4 < JOB_REASON) {
		uint32_t cp;
		size_t len = codec_utf8(reason, left, &cp);

		if (len == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
			out[n++] = len ? ' ' : '?';
			len = len ? len : 1;
		} else {
			memcpy(out + n, reason, len);
			n += len;
		}
		reason += len;
		left -= len;
	}
	out[n] = '\0';
	return out;
}

/*
 * Scalar subqueries of the clock are evaluated once, so that they can bound an index scan; the
 * queue is walked priority by priority, each of them in the order of run_at.
 */
static const char claim_sql[] =
    "with lost as (select id, attempt >= max_attempts as spent from sluice.job"
    " where state = 'running' and lease_until < (select clock_timestamp())"
    " limit $3::bigint for update skip locked),"
    " dead as (delete from sluice.job j using lost where j.id = lost.id and lost.spent"
    " returning j.*, 'the worker was lost in each of ' || j.attempt || ' attempts' as reason),"
    " buried as (" HISTORY_INSERT
    " select id, kind, file_id, 'dead', attempt, worker, reason, created_at from dead),"
    " failed as (" MARK_FAILED(
	"dead") "),"
		" due as (select q.id from unnest(array[2, 1, 0]) as p cross join lateral"
		" (select id from sluice.job where state = 'queued' and priority = p"
		" and run_at <= (select clock_timestamp()) order by run_at, id"
		" limit $3::bigint for update skip locked) as q limit $3::bigint),"
		" taken as (update sluice.job set state = 'running', attempt = attempt + 1, worker "
		"= $1,"
		" lease_until = clock_timestamp() + $2::bigint * interval '1 millisecond',"
		" max_attempts = case when attempt = 0 then least(max_attempts, $4::bigint)"
		" else max_attempts end"
		" where id in (select id from lost where not spent union all select id from due"
		" limit $3::bigint) returning *)"
		" select t.id, t.kind, t.attempt, t.max_attempts, t.file_id, f.size, f.content_type"
		" from taken t left join sluice.file f on f.id = t.file_id and f.state = 'ready'"
		" order by t.priority desc, t.run_at, t.id";

static int
job_from_row(const struct db_rows *rows, int row, struct job *j, struct err *e)
{
	const char *file = db_text(rows, row, 4), *type = db_text(rows, row, 6);

	memset(j, 0, sizeof *j);
	j->id = db_int(rows, row, 0);
	j->attempt = (unsigned)db_int(rows, row, 2);
	j->max_attempts = (unsigned)db_int(rows, row, 3);
	j->has_file = type != NULL;
	j->file_size = (uint64_t)db_int(rows, row, 5);
	if (str_copy(j->kind, sizeof j->kind, db_text(rows, row, 1)) < 0 ||
	    (file && id_parse(file, &j->file) < 0) ||
	    str_copy(j->file_type, sizeof j->file_type, type ? type : "") < 0)
		return err_set(e, ERR_INTERNAL, "job row %lld cannot be read", (long long)j->id);
	return 0;
}

int
jobs_claim(struct db *db, const char *worker, uint64_t lease_ms, uint64_t attempts, struct job *out,
    size_t max, size_t *n, struct err *e)
{
	char lease[JOB_NUMBER], limit[JOB_NUMBER], most[JOB_NUMBER];
	const char *params[] = { worker, job_number(lease_ms, lease), job_number(max, limit),
		job_number(attempts, most) };
	struct db_rows *rows;
	int rc = 0;

	*n = 0;
	if (max == 0)
		return 0;
	if (db_write(db, &rows, claim_sql, params, ARRAY_LEN(params), e) < 0)
		return err_prefix(e, "claim jobs");
	for (int i = 0; rc == 0 && i < db_count(rows) && *n < max; i++)
		rc = job_from_row(rows, i, &out[(*n)++], e);
	db_rows_free(&rows);
	return rc;
}

static char *
fences_to_json(const struct job *jobs, size_t n)
{
	json_t *list = json_array();
	char *text;

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();

		json_object_set_new(o, "id", json_integer(jobs[i].id));
		json_object_set_new(o, "attempt", json_integer(jobs[i].attempt));
		json_array_append_new(list, o);
	}
	text = json_text(list);
	json_decref(list);
	return text;
}

int
jobs_renew(struct db *db, struct job *jobs, size_t n, uint64_t lease_ms, struct err *e)
{
	char lease[JOB_NUMBER], *json = fences_to_json(jobs, n);
	const char *params[] = { json, job_number(lease_ms, lease) };
	struct db_rows *rows;
	int rc;

	rc = db_write(db, &rows,
	    "update sluice.job j set"
	    " lease_until = clock_timestamp() + $2::bigint * interval '1 millisecond'"
	    " from jsonb_to_recordset($1::jsonb) as x (id bigint, attempt integer)"
	    " where j.id = x.id and j.attempt = x.attempt and j.state = 'running' returning j.id, "
	    "j.attempt",
	    params, ARRAY_LEN(params), e);
	mem_free(json);
	if (rc < 0)
		return err_prefix(e, "renew leases");
	for (size_t i = 0; i < n; i++) {
		bool ours = false;

		for (int r = 0; !ours && r < db_count(rows); r++)
			ours = db_int(rows, r, 0) == jobs[i].id &&
			       db_int(rows, r, 1) == jobs[i].attempt;
		if (!ours)
			jobs[i].attempt = 0;
	}
	db_rows_free(&rows);
	return 0;
}

int
jobs_notify(struct db *db, struct err *e)
{
	return db_read(db, NULL, "select pg_notify('" JOBS_CHANNEL "', '')", NULL, 0, e);
}

int
jobs_next_due(struct db *db, uint64_t *ms, struct err *e)
{
	struct db_rows *rows;

	if (db_read(db, &rows,
		"select case when min(at) is not null then greatest(0,"
		" ceil(extract(epoch from min(at) - clock_timestamp()) * 1000))::bigint end"
		" from (select q.at from unnest(array[2, 1, 0]) as p cross join lateral"
		" (select run_at as at from sluice.job where state = 'queued' and priority = p"
		" order by run_at, id limit 1) as q union all"
		" select min(lease_until) from sluice.job where state = 'running') as due",
		NULL, 0, e) < 0)
		return err_prefix(e, "look for the next job");
	*ms = db_text(rows, 0, 0) ? (uint64_t)db_int(rows, 0, 0) : UINT64_MAX;
	db_rows_free(&rows);
	return 0;
}
