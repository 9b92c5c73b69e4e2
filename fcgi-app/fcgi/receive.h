/*
 * receive.h: the files of one request on their way in: counted, hashed, looked at and written.
 *
 *	receive_init(&r, call)
 *	for each file:
 *		receive_begin(&r, name, declared, &e)   or receive_take() for a handed-off one
 *		receive_data(&r, p, n, &e) ...          refuses as soon as it is known
 *		receive_end(&r, &e)
 *	receive_commit(&r, &e)                          all have their final names, or none has
 *	receive_remove(&r)                              takes that back: the database refused
 *	receive_release(&r)                             nothing of what was not committed is left
 */
#ifndef SLUICE_FCGI_RECEIVE_H
#define SLUICE_FCGI_RECEIVE_H

#include "data/files.h"
#include "fcgi/app.h"
#include "fcgi/reply.h"

struct receive {
	struct call *call;
	struct file *files;         /* rows to be, n of them */
	struct store_file **stored; /* their bytes, NULL once committed */
	size_t n, room;
	struct refusal refusal; /* says more than the error of a failed call */
	/* The file that is coming in: the last one. */
	struct digest *digest;
	unsigned char *gather; /* small pieces on their way to one write */
	size_t gathered;
	bool typed, taken;
	size_t head_len;
	unsigned char head[TYPE_SNIFF_BYTES];
};

void receive_init(struct receive *r, struct call *c);
void receive_release(struct receive *r);

/* name is clean (filename.h), declared the client's media type ("" for none). 0, or -1. */
MUST_CHECK int receive_begin(
    struct receive *r, const char *name, const char *declared, struct err *e);

/* Takes the handed-off file over; its bytes, read by *fd, still have to pass receive_data. */
MUST_CHECK int receive_take(
    struct receive *r, const char *name, const char *declared, int *fd, struct err *e);

/*
 * After receive_take: receives the first *n bytes of the taken file, which the spool reader has
 * hashed; they are not to pass receive_data. *n may be 0. 0, or -1 as receive_data.
 */
MUST_CHECK int receive_ahead(struct receive *r, int fd, uint64_t *n, struct err *e);

/* -1: ERR_TOOBIG, ERR_TYPE, or store_write's. */
MUST_CHECK int receive_data(struct receive *r, const unsigned char *p, size_t n, struct err *e);

/* -1: ERR_TYPE, ERR_INPUT for an empty file that is not wanted. */
MUST_CHECK int receive_end(struct receive *r, struct err *e);

/* ERR_TOOBIG when a file of so many bytes is over the limit. */
MUST_CHECK int receive_check_size(struct receive *r, uint64_t size, struct err *e);

MUST_CHECK int receive_commit(struct receive *r, struct err *e);
void receive_remove(struct receive *r);

#endif
