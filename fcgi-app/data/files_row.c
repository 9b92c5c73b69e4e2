#include "base/sys.h"
#include "data/files_row.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "data/json.h"

static const char *const status_names[] = { "none", "generating", "ready", "failed" };

const char *
thumbnail_status_name(enum thumbnail_status s)
{
	return status_names[s];
}

void
file_release(struct file *f)
{
	mem_free(f->metadata);
	mem_free(f->thumbnail_error);
	mem_free(f->renditions);
	f->metadata = f->thumbnail_error = NULL;
	f->renditions = NULL;
	f->nrenditions = 0;
}

static int
copy(char *dst, size_t size, const char *src)
{
	return src ? str_copy(dst, size, src) : -1;
}

static char *
duplicate(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

static int
status_from_text(const char *s, enum thumbnail_status *out)
{
	for (size_t i = 0; s && i < ARRAY_LEN(status_names); i++)
		if (strcmp(s, status_names[i]) == 0) {
			*out = (enum thumbnail_status)i;
			return 0;
		}
	return -1;
}

static int
rendition_from_json(const json_t *j, struct rendition *r)
{
	r->width = (unsigned)json_integer_value(json_object_get(j, "width"));
	r->height = (unsigned)json_integer_value(json_object_get(j, "height"));
	r->size = (uint64_t)json_integer_value(json_object_get(j, "size"));
	if (copy(r->name, sizeof r->name, json_string_value(json_object_get(j, "name"))) < 0)
		return -1;
	return copy(r->type, sizeof r->type, json_string_value(json_object_get(j, "type")));
}

static int
renditions_from_text(const char *text, struct file *f, struct err *e)
{
	json_t *list, *item;
	size_t i;
	int rc = 0;

	if (!text)
		return 0;
	list = json_parse(text, strlen(text), e);
	if (!list)
		return -1;
	f->renditions = mem_array(json_array_size(list) + 1, sizeof *f->renditions);
	json_array_foreach(list, i, item)
	{
		if (rc == 0)
			rc = rendition_from_json(item, &f->renditions[i]);
	}
	f->nrenditions = json_array_size(list);
	json_decref(list);
	return rc;
}

int
file_created_from_row(const struct db_rows *rows, int row, int col, struct file *f, struct err *e)
{
	f->created_us = db_int(rows, row, col + 1);
	if (copy(f->created, sizeof f->created, db_text(rows, row, col)) < 0)
		return err_set(e, ERR_INTERNAL, "file row: no time of creation");
	return 0;
}

int
file_from_row(const struct db_rows *rows, int row, struct file *f, struct err *e)
{
	const char *declared = db_text(rows, row, 5);

	memset(f, 0, sizeof *f);
	err_set(e, ERR_INTERNAL, "file row %s cannot be read", db_text(rows, row, 0));
	if (id_parse(db_text(rows, row, 0), &f->id) < 0 ||
	    copy(f->name, sizeof f->name, db_text(rows, row, 2)) < 0 ||
	    copy(f->type, sizeof f->type, db_text(rows, row, 4)) < 0 ||
	    copy(f->declared_type, sizeof f->declared_type, declared) < 0 ||
	    db_bytes(rows, row, 6, f->sha256, sizeof f->sha256) < 0 ||
	    status_from_text(db_text(rows, row, 8), &f->thumbnail) < 0 ||
	    copy(f->scan, sizeof f->scan, db_text(rows, row, 10)) < 0)
		return -1;
	f->account = db_int(rows, row, 1);
	f->size = (uint64_t)db_int(rows, row, 3);
	f->metadata = duplicate(db_text(rows, row, 7));
	f->thumbnail_error = duplicate(db_text(rows, row, 9));
	if (file_created_from_row(rows, row, 11, f, e) < 0 ||
	    renditions_from_text(db_text(rows, row, 13), f, e) < 0) {
		file_release(f);
		return -1;
	}
	err_clear(e);
	return 0;
}
