#include "base/sys.h"
#include "admin/admin.h"
#include "admin/print.h"
#include "base/num.h"
#include "data/jobs.h"

int
cmd_jobs_stat(struct admin *a, struct err *e)
{
	static const struct column columns[] = { { "state", COLUMN_TEXT }, { "count", COLUMN_INT },
		{ "oldestSeconds", COLUMN_INT } };
	struct db *db = admin_db(a, e);
	struct db_rows *rows;
	int rc;

	if (!db || jobs_stat(db, &rows, e) < 0)
		return -1;
	rc = print_rows(rows, columns, ARRAY_LEN(columns), a->json, e);
	db_rows_free(&rows);
	return rc;
}

int
cmd_jobs_dead(struct admin *a, struct err *e)
{
	static const struct column columns[] = { { "id", COLUMN_INT }, { "kind", COLUMN_TEXT },
		{ "file", COLUMN_TEXT }, { "attempts", COLUMN_INT }, { "error", COLUMN_TEXT },
		{ "finishedAt", COLUMN_TEXT } };
	const char *limit_text = admin_option(a, "--limit");
	uint64_t limit = 100;
	struct db_rows *rows;
	struct db *db;
	int rc;

	if (limit_text && num_u64(limit_text, 1, 1000000, &limit) < 0)
		return err_set(e, ERR_INPUT, "--limit %s: want 1 to 1000000", limit_text);
	db = admin_db(a, e);
	if (!db || jobs_dead_list(db, (unsigned)limit, &rows, e) < 0)
		return -1;
	rc = print_rows(rows, columns, ARRAY_LEN(columns), a->json, e);
	db_rows_free(&rows);
	return rc;
}

/* Takes the id that `jobs dead` shows, or "all". */
int
cmd_jobs_retry(struct admin *a, struct err *e)
{
	uint64_t id = 0, count;
	struct db *db;

	if (strcmp(a->operand[0], "all") != 0 && num_u64(a->operand[0], 1, INT64_MAX, &id) < 0)
		return err_set(
		    e, ERR_INPUT, "jobs retry: %s is neither an id nor \"all\"", a->operand[0]);
	db = admin_db(a, e);
	if (!db || jobs_retry_dead(db, (int64_t)id, &count, e) < 0)
		return -1;
	if (id != 0 && count == 0)
		return err_set(
		    e, ERR_NOTFOUND, "no dead job %s, or its file is gone", a->operand[0]);
	printf("%llu queued again\n", (unsigned long long)count);
	return print_flush(e);
}
