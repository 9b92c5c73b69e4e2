/*
 * decoders.h: the worker's hold on the zygote and so on all decoders.
 *
 *	d = decoders_new(&launcher)
 *	decoders_tick(d)                            often: starts the zygote when it is due
 *	if (decoders_ready(d)) decoders_submit(d, &job, in, out, &e)
 *	poll decoders_fd(d); decoders_event(d, &message, &e)
 *
 * A zygote that dies is started again after a delay that doubles (and is forgotten after a good
 * run); after ZYGOTE_JOBS jobs it is replaced, once nothing runs.
 */
#ifndef SLUICE_WORKER_DECODERS_H
#define SLUICE_WORKER_DECODERS_H

#include "worker/launcher.h"
#include "worker/wire.h"

struct decoders;

enum decoders_event {
	DECODERS_NONE,
	DECODERS_READY,
	DECODERS_REFUSED,
	DECODERS_END,
	DECODERS_LOST
};

struct decoders *decoders_new(struct launcher *launcher);
void decoders_free(struct decoders **d); /* ends the zygote and what runs below it */

/* Starts what is due. running: jobs submitted and not ended. The monotonic time (ms) at which to be
 * called again, UINT64_MAX when only an event matters. */
uint64_t decoders_tick(struct decoders *d, size_t running);

bool decoders_ready(const struct decoders *d);    /* takes jobs now */
int decoders_fd(const struct decoders *d);        /* -1: none */
bool decoders_orphaned(const struct decoders *d); /* no zygote can be started any more */

/* Sends a job with copies of both descriptors. 0, or -1. */
MUST_CHECK int decoders_submit(
    struct decoders *d, const struct wire_job *job, int in, int out, struct err *e);
void decoders_kill(struct decoders *d, uint64_t serial);

/*
 * Reads one message: READY, REFUSED (m->text says why), END (of m->serial), LOST: the zygote is
 * gone and with it every job.
 */
enum decoders_event decoders_event(struct decoders *d, struct wire_message *m);

/* Ends a zygote that does not keep its word; counts as a death. */
void decoders_drop(struct decoders *d);

#endif
