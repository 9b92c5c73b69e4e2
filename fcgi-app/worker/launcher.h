/*
 * launcher.h: the little process that starts zygotes.
 *
 * Forked first of all, while the worker still has its privileges: it becomes the decoders' user and
 * stays that, so that a zygote can be started again after the worker itself has dropped to another
 * user. It reads no file and no picture. It ends when the worker ends.
 */
#ifndef SLUICE_WORKER_LAUNCHER_H
#define SLUICE_WORKER_LAUNCHER_H

#include "base/err.h"

struct launcher {
	pid_t pid;
	int sock;
	bool gone; /* it has died: there will be no other */
};

/*
 * user: whom to become when started as root; else it is left alone. magick_dir holds our policy; it
 * is opened here, because the decoders' user need not be able to reach it. 0, or -1.
 */
MUST_CHECK int launcher_start(
    struct launcher *l, const char *user, const char *magick_dir, struct err *e);
void launcher_stop(struct launcher *l);

/* Ends the last zygote and starts a new one: its socket, or -1. */
MUST_CHECK int launcher_zygote(struct launcher *l, struct err *e);

#endif
