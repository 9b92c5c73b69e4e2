/*
 * files.h: the rows of stored files and their renditions.
 *
 * Life of a row: ready -> deleting -> gone. Only ready rows are seen; another DELETE takes up one
 * that is still deleting.
 */
#ifndef SLUICE_DATA_FILES_H
#define SLUICE_DATA_FILES_H

#include "base/id.h"
#include "data/accounts.h"
#include "data/digest.h"
#include "data/type.h"

enum { FILE_NAME_MAX = 255, FILE_TIME = 32, FILE_MAX_PAGE = 1000 };

enum thumbnail_status { THUMBNAIL_NONE, THUMBNAIL_GENERATING, THUMBNAIL_READY, THUMBNAIL_FAILED };

struct rendition {
	char name[33];
	char type[TYPE_MAX];
	unsigned width, height;
	uint64_t size;
};

struct file {
	struct id id;
	int64_t account; /* owner; 0: anonymous */
	char name[FILE_NAME_MAX + 1];
	uint64_t size;
	char type[TYPE_MAX];          /* what the bytes are */
	char declared_type[TYPE_MAX]; /* what the client said, "" = nothing */
	unsigned char sha256[DIGEST_SIZE];
	char *metadata; /* JSON object as text, NULL = {} */
	enum thumbnail_status thumbnail;
	char *thumbnail_error;   /* NULL unless failed */
	char scan[16];           /* scanStatus: "off" for now */
	char created[FILE_TIME]; /* RFC 3339, microseconds, UTC; set by files_add */
	int64_t created_us;      /* the same in microseconds since 1970 */
	struct rendition *renditions;
	size_t nrenditions;
};

void file_release(struct file *f); /* what hangs on it, not f itself */
const char *thumbnail_status_name(enum thumbnail_status s);

/*
 * Inserts n rows, and a thumbnail job for each whose thumbnail is THUMBNAIL_GENERATING, in one
 * statement: all or none. Sets created. 0, or -1 as db_write, or ERR_INPUT for metadata with a NUL
 * character; on ERR_UNCERTAIN nothing may be removed before files_find_all has told.
 */
MUST_CHECK int files_add(struct db *db, struct file *f, size_t n, struct err *e);

/* After ERR_UNCERTAIN: 1 all n rows are there (created is set), 0 at least one is not, -1. */
MUST_CHECK int files_find_all(struct db *db, struct file *f, size_t n, struct err *e);

/* One ready row that the caller may see (owner, admin, or an anonymous file when anonymous_ok).
 * 0; -1: ERR_NOTFOUND (also for someone else's), or db_read's. file_release it. */
MUST_CHECK int files_get(struct db *db, const struct id *id, const struct account *caller,
    bool anonymous_ok, struct file *out, struct err *e);

struct files_query {
	const struct account *caller; /* an admin sees all */
	unsigned limit;               /* 1..FILE_MAX_PAGE */
	bool has_cursor;              /* rows older than (created_us, id) */
	int64_t created_us;
	struct id id;
	const char *type; /* "image/png" or "image/" prefix with a star; NULL = all */
	const char *q;    /* part of the name, any letter case; NULL = all */
};

/*
 * Newest first; fewer than limit behind 4 MiB of metadata, but at least one. *out is an array of *n
 * (mem_free after file_release of each). *more: a next page.
 */
MUST_CHECK int files_list(struct db *db, const struct files_query *q, struct file **out, size_t *n,
    bool *more, struct err *e);

/* What files_delete_begin would mark: as files_get, but for owner and admin only, and also a row
 * that is marked already. */
MUST_CHECK int files_delete_find(struct db *db, const struct id *id, const struct account *caller,
    struct file *out, struct err *e);
/* Marks as deleting and cancels its queued jobs; a row that is marked already is taken up again,
 * since the first attempt may have been cut. 0; -1: ERR_NOTFOUND or db_write's. */
MUST_CHECK int files_delete_begin(
    struct db *db, const struct id *id, const struct account *caller, struct err *e);
/* Removes the row after the bytes are gone; no row is success. */
MUST_CHECK int files_delete_end(struct db *db, const struct id *id, struct err *e);

#endif
