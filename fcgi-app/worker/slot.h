/*
 * slot.h: one job on its way: started, decoded by a child, judged, reported to the database.
 *
 *	free -> waiting -> running -> reporting -> free
 *
 * Both steps may go straight to reporting (file gone, picture too large). A running slot is over
 * when the pipe is at its end and the zygote has told how the decoder ended, whichever comes first.
 */
#ifndef SLUICE_WORKER_SLOT_H
#define SLUICE_WORKER_SLOT_H

#include "base/strbuf.h"
#include "data/jobs.h"
#include "data/store.h"
#include "worker/decoders.h"

enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_RUNNING, SLOT_REPORTING };

/* What the database is to be told. */
enum outcome {
	OUTCOME_DONE,
	OUTCOME_CANCELLED, /* the file is gone */
	OUTCOME_DEAD,      /* for good, with a reason */
	OUTCOME_RETRY,     /* with a reason */
	OUTCOME_RELEASE,   /* we are stopping: does not count */
	OUTCOME_NOTHING    /* the job is no longer ours */
};

struct slot {
	enum slot_state state;
	struct job job;
	struct wire_job wire;
	uint64_t memory; /* predicted */
	uint64_t order;  /* waiting slots start in the order of their claims */
	uint64_t started, deadline;
	int pipe; /* -1 after its end */
	struct strbuf bytes;
	bool ended, overflow;
	struct wire_message end;

	enum outcome outcome;
	char reason[256];
	uint64_t delay; /* RETRY: at least so long, ms */
	struct rendition made[CONF_MAX_RENDITIONS];
	bool stored; /* thumbnails lie in the store */
	uint64_t report_at, report_delay;
};

struct slot_env {
	const struct conf *conf;
	struct store *store;
	struct db *db;
	struct decoders *decoders;
};

/* Takes a claimed job into a free slot: reads the picture's header and predicts the memory. */
void slot_prepare(struct slot *s, const struct slot_env *env, const struct job *job);

/* Gives a waiting job to a decoder. */
void slot_start(struct slot *s, const struct slot_env *env, uint64_t serial);

/* The pipe has something to read, or is at its end. */
void slot_read(struct slot *s, const struct slot_env *env);

/* The zygote says that the decoder is gone. */
void slot_ended(struct slot *s, const struct slot_env *env, const struct wire_message *m);

/* Gives the job up with an outcome of RETRY, RELEASE or NOTHING; kills the decoder. */
void slot_abandon(
    struct slot *s, const struct slot_env *env, enum outcome outcome, const char *reason);

/* Tells the database, again after a delay while it is away. The slot is free on success. */
void slot_report(struct slot *s, const struct slot_env *env);

#endif
