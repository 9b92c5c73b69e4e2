/*
 * files_row.h: one row of sluice.file f with its renditions, as files*.c select it.
 */
#ifndef SLUICE_DATA_FILES_ROW_H
#define SLUICE_DATA_FILES_ROW_H

#include "data/files.h"

#define FILE_CREATED \
	"to_char(f.created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')," \
	" (extract(epoch from f.created_at) * 1000000)::bigint"

#define FILE_COLUMNS \
	"f.id, f.account_id, f.name, f.size, f.content_type, f.declared_type," \
	" encode(f.sha256, 'hex'), f.metadata::text, f.thumbnail_status, f.thumbnail_error," \
	" f.scan_status, " FILE_CREATED "," \
	" (select json_agg(json_build_object('name', r.name, 'type', r.content_type," \
	" 'width', r.width, 'height', r.height, 'size', r.size) order by r.name)" \
	" from sluice.rendition r where r.file_id = f.id)"

/* Fills f from a row of FILE_COLUMNS. 0, or -1 (f then holds nothing). */
MUST_CHECK int file_from_row(const struct db_rows *rows, int row, struct file *f, struct err *e);

/* Takes FILE_CREATED from columns col and col + 1. 0, or -1. */
MUST_CHECK int file_created_from_row(
    const struct db_rows *rows, int row, int col, struct file *f, struct err *e);

#endif
