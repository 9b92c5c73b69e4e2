/*
 * runner_room.h: the worker's loop (runner.c) and its dealings with the queue (runner_queue.c).
 */
#ifndef SLUICE_WORKER_RUNNER_ROOM_H
#define SLUICE_WORKER_RUNNER_ROOM_H

#include "worker/runner.h"

struct runner {
	const struct slot_env *env;
	const char *name;
	struct slot *slots;
	size_t nslots, children; /* as many wait as may run */
	uint64_t serial, order;
	bool listening;
	bool stopping, reload;
	uint64_t stop_at;     /* what runs then is given back */
	uint64_t claim_at;    /* not before */
	uint64_t claim_delay; /* while the database is away */
	uint64_t idle;        /* how long the queue is left alone when it was empty */
	uint64_t renew_at, renewed;
};

static inline uint64_t
runner_earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

size_t runner_count(const struct runner *r, enum slot_state state);

/* Claims jobs into free slots when it is time and there is use for them. */
void runner_claim(struct runner *r, uint64_t now);

/* Renews all leases; gives up what could not be renewed in two thirds of a lease. */
void runner_renew(struct runner *r, uint64_t now);

/* A query failed: leave the database alone for a while. */
void runner_database_away(struct runner *r, const struct err *e, uint64_t now);

#endif
