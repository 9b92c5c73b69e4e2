/*
 * admit.h: is there room for an upload? Asked before its body is read, and held while it comes.
 *
 *	admit_begin(&a, call, known, bytes, &e)   promises the space to this upload, else ERR_NOSPACE
 *	admit_progress(&a, read, &e)              what has arrived needs no promise any more
 *	admit_end(&a)
 *
 * The promise stands in the scoreboard before the space is looked at, so that two uploads cannot
 * both be given the last of it.
 */
#ifndef SLUICE_FCGI_ADMIT_H
#define SLUICE_FCGI_ADMIT_H

#include "fcgi/app.h"

struct admit {
	struct call *call;
	bool known;
	uint64_t bytes;  /* promised in all */
	uint64_t looked; /* bytes that had arrived when the space was last looked at */
};

MUST_CHECK int admit_begin(
    struct admit *a, struct call *c, bool known, uint64_t bytes, struct err *e);
MUST_CHECK int admit_progress(struct admit *a, uint64_t arrived, struct err *e);
void admit_end(struct admit *a);

#endif
