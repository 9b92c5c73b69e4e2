/*
 * store.h: the bytes on disk.
 *
 *	incoming/<uuid>                 being written
 *	files/ab/cd/<uuid>              stored
 *	thumbnails/ab/cd/<uuid>.<name>  derived, can be made again
 *
 * A file being written is an object with four verbs; commit and abort both end it:
 *
 *	sf = store_begin(st, &id, &e)        or store_take(...) for a handed-off body
 *	store_write(sf, p, n, &e) ...
 *	store_commit(&sf, &e)                fsync, close, renameat2(NOREPLACE), fsync(directory)
 *	store_abort(&sf)                     nothing is left
 *
 * After store_commit the bytes survive a power cut under their final name. The first fsync error
 * fails the file and is never retried. The object remembers the pid that made it: a forked child
 * cannot delete its parent's upload. All paths are relative to descriptors opened once at start, so
 * that a store that is unmounted underneath gives errors instead of another file system.
 */
#ifndef SLUICE_DATA_STORE_H
#define SLUICE_DATA_STORE_H

#include "base/err.h"
#include "base/id.h"

enum { STORE_PATH_MAX = 128, STORE_RENDITION_MAX = 32 };

struct store;
struct store_file;

/* Creates what is missing of the layout below dir (0700) and syncs it. 0, or -1. */
MUST_CHECK int store_init(const char *dir, struct err *e);

/* Opens an initialised store. NULL with e filled: ERR_INTERNAL with what is wrong with dir. */
struct store *store_open(const char *dir, struct err *e);
void store_free(struct store **st);

/* NULL on failure: ERR_NOSPACE, ERR_AWAY or ERR_INTERNAL. */
struct store_file *store_begin(struct store *st, const struct id *id, struct err *e);

/*
 * Takes over a regular file at path, which lies below spool_dir on the store's file system: checks
 * owner (one of the n uids), O_NOFOLLOW, one link; then links it into incoming/. The bytes are not
 * copied; read them by store_file_fd. ERR_DENIED when a check fails, ERR_NOTFOUND, as store_begin.
 * Where a link is impossible (other file system) it copies.
 */
struct store_file *store_take(struct store *st, const struct id *id, const char *spool_dir,
    const char *path, const uid_t *owners, size_t n, struct err *e);

/* Opens such a file for reading only, with the same checks (a multipart body). fd, or -1. */
MUST_CHECK int store_spool_open(
    const char *spool_dir, const char *path, const uid_t *owners, size_t n, struct err *e);

MUST_CHECK int store_write(struct store_file *sf, const void *p, size_t n, struct err *e);

/* Appends n bytes of fd from offset at, by copy_file_range where possible. */
MUST_CHECK int store_write_from(struct store_file *sf, int fd, off_t at, uint64_t n, struct err *e);

int store_file_fd(const struct store_file *sf);
uint64_t store_file_size(const struct store_file *sf);

/* Ends *sf either way. 0, or -1 (then nothing of it is left). ERR_CONFLICT: the name exists. */
MUST_CHECK int store_commit(struct store_file **sf, struct err *e);
void store_abort(struct store_file **sf); /* NULL is allowed */

/* A stored file for reading. fd, or -1 with ERR_NOTFOUND, ERR_AWAY, ERR_INTERNAL. *size is set. */
MUST_CHECK int store_read(struct store *st, const struct id *id, uint64_t *size, struct err *e);
MUST_CHECK int store_read_thumbnail(
    struct store *st, const struct id *id, const char *rendition, uint64_t *size, struct err *e);

/* Unlinks and syncs the directory; a file that is not there is success. */
MUST_CHECK int store_remove(struct store *st, const struct id *id, struct err *e);
MUST_CHECK int store_remove_thumbnail(
    struct store *st, const struct id *id, const char *rendition, struct err *e);

/* Durable, replaces an earlier one of the same name: a repeated job gives the same result. */
MUST_CHECK int store_put_thumbnail(struct store *st, const struct id *id, const char *rendition,
    const void *p, size_t n, struct err *e);

/* "files/ab/cd/<uuid>" (rendition NULL) or "thumbnails/ab/cd/<uuid>.<rendition>". Returns out. */
const char *store_path(const struct id *id, const char *rendition, char out[STORE_PATH_MAX]);

/* Bytes that an unprivileged process may still write. 0, or -1. */
MUST_CHECK int store_free_space(struct store *st, uint64_t *bytes, struct err *e);

#endif
