/*
 * err.h: an error on its way up: one kind and one text.
 *
 * Low code describes ("fsync(incoming/3f..): Input/output error"), only a program's edge decides:
 * fcgi/reply.c turns the kind into an HTTP status, worker/runner.c into a retry, admin/main.c and
 * the mains into an exit code. Kinds are few on purpose: a caller acts on the kind, people read
 * the text.
 *
 *	if (store_commit(&sf, e) < 0)
 *		return err_prefix(e, "upload %s", name);
 */
#ifndef SLUICE_BASE_ERR_H
#define SLUICE_BASE_ERR_H

#include "base/sys.h"

enum err_kind {
	ERR_NONE,
	ERR_INPUT,     /* the caller sent something malformed: 400 */
	ERR_DENIED,    /* not allowed: 403 */
	ERR_NOTFOUND,  /* no such thing, or not the caller's: 404 */
	ERR_CONFLICT,  /* the state of things forbids it: 409 */
	ERR_TOOBIG,    /* over a limit: 413 */
	ERR_TYPE,      /* content of a refused type: 415 */
	ERR_NOSPACE,   /* disk or quota full: 507 */
	ERR_AWAY,      /* a needed service is away, nothing was done, try again: 503 */
	ERR_UNCERTAIN, /* the outcome of a commit is unknown: 503, nothing may be undone */
	ERR_INTERNAL,  /* everything else: 500 */
};

struct err {
	enum err_kind kind;
	char text[512]; /* UTF-8, no trailing newline; may quote outside bytes: log.c escapes */
};

/* Fills e (NULL is allowed and ignored). Always returns -1, so that it can be returned. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * The same with ": strerror(errno)" appended and the kind taken from errno: ENOSPC, EDQUOT and
 * EFBIG are ERR_NOSPACE; what is scarce for now (EMFILE, ENFILE, ENOMEM, EAGAIN, ETIMEDOUT) and a
 * file system that is away (EIO, EROFS, ENODEV, ESTALE, ENOTCONN) are ERR_AWAY; else ERR_INTERNAL.
 * Keeps errno. Always returns -1.
 */
int err_sys(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "text: " in front of e's text; the kind stays. Always returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

void err_clear(struct err *e);

/* A word for logs: "input", "no-space" ... */
const char *err_kind_name(enum err_kind kind);

#endif
