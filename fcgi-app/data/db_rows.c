#include "base/sys.h"
#include "data/db_pq.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"

int
db_count(const struct db_rows *r)
{
	return PQntuples(r->pg);
}

const char *
db_text(const struct db_rows *r, int row, int col)
{
	return PQgetisnull(r->pg, row, col) ? NULL : PQgetvalue(r->pg, row, col);
}

int64_t
db_int(const struct db_rows *r, int row, int col)
{
	const char *s = db_text(r, row, col);
	bool negative = s && s[0] == '-';
	uint64_t v;

	if (!s || num_u64(s + negative, 0, INT64_MAX, &v) < 0)
		return 0;
	return negative ? -(int64_t)v : (int64_t)v;
}

bool
db_bool(const struct db_rows *r, int row, int col)
{
	const char *s = db_text(r, row, col);

	return s && s[0] == 't';
}

int
db_bytes(const struct db_rows *r, int row, int col, void *out, size_t n)
{
	const char *s = db_text(r, row, col);

	if (!s)
		return -1;
	if (strncmp(s, "\\x", 2) == 0)
		s += 2;
	return codec_unhex(s, strlen(s), out, n);
}

void
db_rows_free(struct db_rows **r)
{
	if (!*r)
		return;
	PQclear((*r)->pg);
	mem_free(*r);
	*r = NULL;
}
