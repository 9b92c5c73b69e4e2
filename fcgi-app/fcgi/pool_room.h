/*
 * pool_room.h: what the files of the pool share; nobody else includes it.
 *
 *	pool.c           the master's loop, signals, reload and stop
 *	pool_children.c  fork, reap, throttle, tell
 *	pool_reader.c    the spool reader beside them
 *	pool_size.c      how many children there should be
 *	pool_upgrade.c   re-exec (USR2)
 */
#ifndef SLUICE_FCGI_POOL_ROOM_H
#define SLUICE_FCGI_POOL_ROOM_H

#include <signal.h>

#include "fcgi/ahead.h"
#include "fcgi/pool.h"
#include "fcgi/scoreboard.h"

enum {
	POOL_SLOTS = 8192,     /* the most of max_children, and as many that are drained */
	POOL_YOUNG_MS = 10000, /* what dies younger than this died of something that may last */
};

struct pool_pace {           /* of starting */
	uint64_t delay;      /* before the next start: 0 or 100 ms .. 30 s */
	uint64_t not_before; /* clock_ms of the next start that is allowed */
};

struct pool_child { /* of the slot with the same index; pid 0: none */
	pid_t pid;
	unsigned generation;
	uint64_t started;
	bool told; /* to finish and end */
};

struct pool_reader {
	pid_t pid; /* 0: none */
	uint64_t started;
	bool told; /* to end */
	struct pool_pace pace;
};

struct pool {
	struct conf **conf;
	const struct pool_start *start;
	struct scoreboard *board;
	struct pool_child *child; /* POOL_SLOTS */
	unsigned generation;      /* of the configuration; children of older ones are drained */
	struct pool_pace pace;    /* of children */
	struct ahead *ahead;      /* what the reader tells the children */
	struct pool_reader reader;
	uint64_t shrunk; /* when one was told to go for being idle */
	bool stopping;
	uint64_t kill_at;  /* clock_ms; 0: never */
	pid_t old_master;  /* told to go once we serve; 0: none */
	pid_t next_master; /* our own re-exec; 0: none */
	sigset_t wait_mask;
};

/* pool_children.c */
unsigned pool_count(const struct pool *p, bool current);
unsigned pool_count_state(const struct pool *p, enum slot_state state); /* current, not told */
bool pool_spawn(struct pool *p); /* false: not now; in the child it does not return */
void pool_reap(struct pool *p);
void pool_tell(struct pool *p, unsigned slot); /* TERM: finish the request, then end */
void pool_signal_all(struct pool *p, int sig);
void pool_volunteer_for_oom(void); /* in what was forked */
/* Doubles the delay when nothing has come up, keeps it short when it fell while serving. */
void pool_throttle(struct pool_pace *pace, bool came_up);

/* pool_reader.c. Starts it when it is wanted; returns the ms until it may start, or -1. */
int pool_reader(struct pool *p);
bool pool_reader_reaped(struct pool *p, pid_t pid, int status);
void pool_reader_tell(struct pool *p); /* to end; pool_reader starts another if one is wanted */
void pool_reader_end(struct pool *p);  /* at once */

/* pool_size.c. Starts and tells; returns the ms until it wants to look again. */
int pool_size(struct pool *p);

/* pool_upgrade.c */
void pool_upgrade(struct pool *p);
bool pool_upgrade_reaped(struct pool *p, pid_t pid, int status);

#endif
