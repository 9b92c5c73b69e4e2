#include "base/sys.h"
#include "data/jobs.h"

#include "data/jobs_sql.h"

/* queued and running are of now, the others of the history that is kept. */
int
jobs_stat(struct db *db, struct db_rows **rows, struct err *e)
{
	return db_read(db, rows,
	    "select s.state, coalesce(j.n, 0), coalesce(floor(extract(epoch from"
	    " clock_timestamp() - j.oldest)), 0)::bigint"
	    " from unnest(array['queued', 'running', 'done', 'dead', 'cancelled'])"
	    " with ordinality as s (state, place) left join"
	    " (select state, count(*) as n, min(created_at) as oldest from sluice.job group by 1"
	    " union all select state, count(*), min(finished_at) from sluice.job_history"
	    " group by 1) as j on j.state = s.state order by s.place",
	    NULL, 0, e);
}

int
jobs_dead_list(struct db *db, unsigned limit, struct db_rows **rows, struct err *e)
{
	char text[JOB_NUMBER];
	const char *params[] = { job_number(limit, text) };

	return db_read(db, rows,
	    "select id, kind, file_id, attempts, last_error,"
	    " to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
	    " from sluice.job_history where state = 'dead'"
	    " order by finished_at desc, id desc limit $1::bigint",
	    params, 1, e);
}

/* A dead job whose file is gone stays where it is; of several of one file one is queued. */
int
jobs_retry_dead(struct db *db, int64_t id, uint64_t *count, struct err *e)
{
	char text[JOB_NUMBER];
	const char *params[] = { job_number((uint64_t)id, text) };
	struct db_rows *rows;

	if (db_write(db, &rows,
		"with back as (delete from sluice.job_history h using sluice.file f"
		" where h.state = 'dead' and ($1::bigint = 0 or h.id = $1)"
		" and f.id = h.file_id and f.state = 'ready' returning h.*),"
		" again as (insert into sluice.job (kind, file_id, last_error)"
		" select distinct on (kind, file_id) kind, file_id, last_error from back"
		" order by kind, file_id, finished_at desc, id desc returning id),"
		" marked as (update sluice.file f set thumbnail_status = 'generating',"
		" thumbnail_error = null from back where f.id = back.file_id"
		" and back.kind = 'thumbnail' and f.state = 'ready')"
		" select count(*) from again",
		params, 1, e) < 0)
		return err_prefix(e, "queue dead jobs again");
	*count = (uint64_t)db_int(rows, 0, 0);
	db_rows_free(&rows);
	return 0;
}
