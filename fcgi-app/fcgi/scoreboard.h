/*
 * scoreboard.h: what the children are doing, in shared memory (anonymous mmap, made by the master
 * before it forks). Each slot is written by its child only; sums are read by anyone, a little
 * stale.
 */
#ifndef SLUICE_FCGI_SCOREBOARD_H
#define SLUICE_FCGI_SCOREBOARD_H

#include "base/sys.h"

struct scoreboard;

enum slot_state { SLOT_FREE, SLOT_STARTING, SLOT_IDLE, SLOT_BUSY, SLOT_STOPPING };

struct slot_view {
	pid_t pid;
	enum slot_state state;
	uint64_t requests, bytes_in, since_ms, promised;
};

struct scoreboard *scoreboard_new(unsigned slots);
void scoreboard_free(struct scoreboard **b);
unsigned scoreboard_slots(const struct scoreboard *b);

/* Master: takes a free slot for a child (its number, or -1), and clears the slot of a dead child.
 */
int scoreboard_take(struct scoreboard *b);
void scoreboard_assign(struct scoreboard *b, unsigned slot, pid_t pid);
void scoreboard_clear(struct scoreboard *b, unsigned slot);

/*
 * A child that leaves no other idle behind it may call the master, which then starts more. Master:
 * scoreboard_call_fd is readable after a call; scoreboard_want_call re-arms (true) or stops (false)
 * calling. -1 where there is no descriptor.
 */
int scoreboard_call_fd(const struct scoreboard *b);
void scoreboard_want_call(struct scoreboard *b, bool wanted);
void scoreboard_call(struct scoreboard *b); /* child: cheap when no call is wanted */

/* Child. count adds. */
void scoreboard_set(struct scoreboard *b, unsigned slot, enum slot_state state);
void scoreboard_count(struct scoreboard *b, unsigned slot, uint64_t requests, uint64_t bytes_in);

/* Space that a running upload has been promised but not yet written; 0 takes it back. */
void scoreboard_promise(struct scoreboard *b, unsigned slot, uint64_t bytes);
uint64_t scoreboard_promised(const struct scoreboard *b); /* all slots */

/* True for one caller per interval: coalesces wake-ups over all children. */
bool scoreboard_once_per(struct scoreboard *b, uint64_t ms);

void scoreboard_view(const struct scoreboard *b, unsigned slot, struct slot_view *out);
unsigned scoreboard_in_state(const struct scoreboard *b, enum slot_state state);

#endif
