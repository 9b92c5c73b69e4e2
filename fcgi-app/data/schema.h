/*
 * schema.h: forward-only migrations, sql/NNN_name.sql, applied in order under an advisory lock.
 */
#ifndef SLUICE_DATA_SCHEMA_H
#define SLUICE_DATA_SCHEMA_H

#include "data/db.h"

/* The version that these programs need. */
enum { SCHEMA_VERSION = 1 };

/* The version in the database; 0 when there is none yet. 0, or -1. */
MUST_CHECK int schema_version(struct db *db, unsigned *version, struct err *e);

/* 0 when the database is at SCHEMA_VERSION or newer-compatible; -1 ERR_CONFLICT says what to run.
 */
MUST_CHECK int schema_check(struct db *db, struct err *e);

/* Applies what is missing from sqldir. told is called for each file applied. 0, or -1. */
MUST_CHECK int schema_apply(struct db *db, const char *sqldir,
    void (*told)(const char *file, void *arg), void *arg, struct err *e);

#endif
