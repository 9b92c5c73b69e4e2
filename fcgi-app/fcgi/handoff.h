/*
 * handoff.h: a body that the web server has spooled to a file and hands over by its path.
 *
 * The path comes in the FastCGI parameter BODY_FILE, which a client cannot set (its fields are
 * HTTP_*). It is honoured only below [store] spool, and only for a plain file of a trusted owner.
 * What is wrong with it is the operator's to mend: all errors are ERR_INTERNAL (or space).
 */
#ifndef SLUICE_FCGI_HANDOFF_H
#define SLUICE_FCGI_HANDOFF_H

#include "fcgi/app.h"

/* The path, or NULL when the body comes in the request's stream. */
const char *handoff_path(const struct call *c);

/* Makes the file the upload's own, without copying it. NULL with e filled. */
struct store_file *handoff_take(struct call *c, const struct id *id, struct err *e);

/* Opens the file for reading. fd and *size, or -1. */
MUST_CHECK int handoff_open(struct call *c, uint64_t *size, struct err *e);

/* The file's size without opening it. 0, or -1. */
MUST_CHECK int handoff_size(struct call *c, uint64_t *size, struct err *e);

#endif
