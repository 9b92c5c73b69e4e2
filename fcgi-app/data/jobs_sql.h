/*
 * jobs_sql.h: pieces of statements and small steps that the jobs*.c files share.
 */
#ifndef SLUICE_DATA_JOBS_SQL_H
#define SLUICE_DATA_JOBS_SQL_H

#include "data/jobs.h"

/* Moves jobs to the history: "insert .. select" from a table of sluice.job rows named before. */
#define HISTORY_INSERT \
	"insert into sluice.job_history (id, kind, file_id, state, attempts, worker, last_error," \
	" created_at) "

/* Marks the files of the dead thumbnail jobs in table d, with the reason in column reason. */
#define MARK_FAILED(d) \
	"update sluice.file f set thumbnail_status = 'failed', thumbnail_error = d.reason" \
	" from " d " d where f.id = d.file_id and d.kind = 'thumbnail' and f.state = 'ready'" \
	" and f.thumbnail_status <> 'ready'"

enum { JOB_NUMBER = 24, JOB_REASON = 512 };

/* Decimal text of v. Returns out. */
const char *job_number(uint64_t v, char out[JOB_NUMBER]);

/* A reason as the database takes it: valid UTF-8 without control characters. Returns out. */
const char *job_reason(const char *reason, char out[JOB_REASON]);

#endif
