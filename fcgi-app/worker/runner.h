/*
 * runner.h: the worker's loop: claims jobs, keeps their leases, runs them side by side.
 */
#ifndef SLUICE_WORKER_RUNNER_H
#define SLUICE_WORKER_RUNNER_H

#include "worker/slot.h"

enum runner_end { RUNNER_STOP, RUNNER_RELOAD, RUNNER_LOST };

/*
 * Runs until TERM or INT (STOP) or HUP (RELOAD): then it claims nothing more, gives back what has
 * not begun and finishes what has, for as long as one picture may take; a second TERM gives that
 * back too. LOST: decoders cannot be started any more, the same is done and this process has to be
 * replaced. USR1 reopens the log. The decoders must be ready. name: this worker, for people.
 */
enum runner_end runner_run(const struct slot_env *env, const char *name);

#endif
