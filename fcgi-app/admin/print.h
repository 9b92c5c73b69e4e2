/*
 * print.h: rows of the database as a table for people, or as JSON for machines.
 */
#ifndef SLUICE_ADMIN_PRINT_H
#define SLUICE_ADMIN_PRINT_H

#include "data/db.h"

enum column_type { COLUMN_TEXT, COLUMN_INT, COLUMN_BOOL };

struct column {
	const char *key; /* of JSON, camelCase; the table's heading too */
	enum column_type type;
};

/* One line per row under headings, or one JSON array of objects. 0, or -1 when stdout fails. */
MUST_CHECK int print_rows(
    const struct db_rows *rows, const struct column *columns, int n, bool json, struct err *e);

/* Text with control characters replaced, so that a stored string cannot drive a terminal. */
void print_text(const char *s, int width);

/* Flushes stdout: a full disk or a closed pipe must not look like success. 0, or -1. */
MUST_CHECK int print_flush(struct err *e);

#endif
