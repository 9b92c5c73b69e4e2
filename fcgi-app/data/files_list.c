#include "base/sys.h"
#include "data/files.h"

#include "base/codec.h"
#include "base/mem.h"
#include "data/files_row.h"

/*
 * A prepared statement may keep one plan for all parameters, so what decides about the index is in
 * the text: each form walks one of the two newest-first indexes. All have the same parameters, and
 * those that a form does not need stand in conditions that are always true.
 *
 * A page ends early behind 4 MiB of metadata, or a thousand files could fill the memory. n tells
 * how many there are for this page or the next.
 */
#define LIST(who, from) \
	"with p as materialized (select f.* from sluice.file f where f.state = 'ready'" who from \
	" and ($5::text is null or f.content_type = $5)" \
	" and ($6::text is null or starts_with(f.content_type, $6))" \
	" and ($7::text is null or strpos(lower(f.name), lower($7)) > 0)" \
	" order by f.created_at desc, f.id desc limit $8::bigint)," \
	" q as (select p.*, count(*) over () as n, sum(octet_length(p.metadata::text))" \
	" over (order by p.created_at desc, p.id desc rows between unbounded preceding" \
	" and 1 preceding) as before from p)" \
	" select " FILE_COLUMNS ", f.n from q f where coalesce(f.before, 0) < 4194304" \
	" order by f.created_at desc, f.id desc"
#define OF_ONE " and not $1::boolean and f.account_id = $2::bigint"
#define OF_ALL " and $1::boolean and $2::bigint is not null"
#define FROM_START " and $3::bigint is null and $4::uuid is null"
#define FROM_CURSOR \
	" and (f.created_at, f.id) <" \
	" (timestamptz '1970-01-01 00:00:00+00' + $3::bigint * interval '1 microsecond', " \
	"$4::uuid)"

enum { LIST_N = 14 }; /* the column behind FILE_COLUMNS */

static const char *const list_sql[2][2] = { /* [admin][has_cursor] */
	{ LIST(OF_ONE, FROM_START), LIST(OF_ONE, FROM_CURSOR) },
	{ LIST(OF_ALL, FROM_START), LIST(OF_ALL, FROM_CURSOR) }
};

/* Reads rows, but for one beyond the page, which only tells that there are more. */
static int
take_page(const struct db_rows *rows, unsigned limit, struct file **out, size_t *n, struct err *e)
{
	size_t count = (size_t)db_count(rows);
	struct file *page;

	if (count > limit)
		count = limit;
	page = mem_array(count + 1, sizeof *page);
	for (size_t i = 0; i < count; i++)
		if (file_from_row(rows, (int)i, &page[i], e) < 0) {
			while (i > 0)
				file_release(&page[--i]);
			mem_free(page);
			return -1;
		}
	*out = page;
	*n = count;
	return 0;
}

int
files_list(struct db *db, const struct files_query *q, struct file **out, size_t *n, bool *more,
    struct err *e)
{
	char owner[24], us[24], limit[24], id[ID_TEXT], prefix[TYPE_MAX];
	size_t type_len = q->type ? strlen(q->type) : 0;
	bool wild = type_len >= 2 && strcmp(q->type + type_len - 2, "/*") == 0;
	const char *params[] = { q->caller->admin ? "true" : "false", owner,
		q->has_cursor ? us : NULL, q->has_cursor ? id_text(&q->id, id) : NULL,
		wild ? NULL : q->type, wild ? prefix : NULL, q->q, limit };
	struct db_rows *rows;
	int rc;

	*out = NULL;
	*n = 0;
	*more = false;
	if (q->limit < 1 || q->limit > FILE_MAX_PAGE)
		return err_set(e, ERR_INPUT, "limit: 1 to %d", FILE_MAX_PAGE);
	if (type_len >= TYPE_MAX || (q->type && !codec_utf8_valid(q->type, type_len)))
		return err_set(e, ERR_INPUT, "type: not a media type");
	if (q->q && !codec_utf8_valid(q->q, strlen(q->q)))
		return err_set(e, ERR_INPUT, "q: not UTF-8");
	(void)snprintf(owner, sizeof owner, "%lld", (long long)q->caller->id);
	(void)snprintf(us, sizeof us, "%lld", (long long)q->created_us);
	(void)snprintf(limit, sizeof limit, "%u", q->limit + 1);
	(void)snprintf(
	    prefix, sizeof prefix, "%.*s", wild ? (int)type_len - 1 : 0, q->type ? q->type : "");
	if (db_read(db, &rows, list_sql[q->caller->admin][q->has_cursor], params, ARRAY_LEN(params),
		e) < 0)
		return err_prefix(e, "list files");
	rc = take_page(rows, q->limit, out, n, e);
	*more = rc == 0 && *n > 0 && db_int(rows, 0, LIST_N) > (int64_t)*n;
	db_rows_free(&rows);
	return rc;
}
