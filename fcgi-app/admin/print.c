#include "base/sys.h"
#include "admin/print.h"

#include "base/mem.h"
#include "data/json.h"

/* A cell as people see it. */
static const char *
cell(const struct db_rows *rows, int row, int col, enum column_type type)
{
	const char *s = db_text(rows, row, col);

	if (!s || !*s)
		return "-";
	if (type == COLUMN_BOOL)
		return db_bool(rows, row, col) ? "yes" : "no";
	return s;
}

/* Code points: near enough to columns of a terminal. */
static int
width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

void
print_text(const char *s, int width)
{
	int pad = width - width_of(s);

	for (; *s; s++)
		putchar((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
	while (pad-- > 0)
		putchar(' ');
}

static void
print_table(const struct db_rows *rows, const struct column *columns, int n)
{
	int *width = mem_array((size_t)n, sizeof *width);
	int count = db_count(rows);

	for (int c = 0; c < n; c++) {
		width[c] = width_of(columns[c].key);
		for (int r = 0; r < count; r++) {
			int w = width_of(cell(rows, r, c, columns[c].type));

			if (w > width[c])
				width[c] = w;
		}
	}
	for (int r = -1; r < count; r++)
		for (int c = 0; c < n; c++) {
			bool last = c == n - 1;

			print_text(r < 0 ? columns[c].key : cell(rows, r, c, columns[c].type),
			    last ? 0 : width[c]);
			fputs(last ? "\n" : "  ", stdout);
		}
	mem_free(width);
}

static json_t *
value(const struct db_rows *rows, int row, int col, enum column_type type)
{
	const char *s = db_text(rows, row, col);

	if (!s)
		return json_null();
	if (type == COLUMN_BOOL)
		return json_boolean(db_bool(rows, row, col));
	if (type == COLUMN_INT)
		return json_integer(db_int(rows, row, col));
	return json_str(s);
}

static void
print_json(const struct db_rows *rows, const struct column *columns, int n)
{
	json_t *list = json_array();
	char *text;

	for (int r = 0; r < db_count(rows); r++) {
		json_t *object = json_object();

		for (int c = 0; c < n; c++)
			json_object_set_new(
			    object, columns[c].key, value(rows, r, c, columns[c].type));
		json_array_append_new(list, object);
	}
	text = json_text(list);
	puts(text);
	mem_free(text);
	json_decref(list);
}

int
print_rows(
    const struct db_rows *rows, const struct column *columns, int n, bool json, struct err *e)
{
	if (json)
		print_json(rows, columns, n);
	else
		print_table(rows, columns, n);
	return print_flush(e);
}

int
print_flush(struct err *e)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_sys(e, "write to standard output");
	return 0;
}
