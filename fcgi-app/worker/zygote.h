/*
 * zygote.h: the process that decoders are forked from.
 *
 * It is this program once more, executed with ZYGOTE_ARGUMENT and a clean environment by the
 * launcher. It loads the image libraries, proves the policy, says "ready", and then forks one jailed
 * child for each job that comes down its socket. It never looks at a picture itself, runs no thread,
 * kills what overruns its wall-clock time, and tells how each child ended.
 */
#ifndef SLUICE_WORKER_ZYGOTE_H
#define SLUICE_WORKER_ZYGOTE_H

#include "base/sys.h"

#define ZYGOTE_ARGUMENT "--decoder-zygote"

/* Its descriptors: the worker, and the directory of our policy. */
enum { ZYGOTE_SOCKET = 3, ZYGOTE_MAGICK_DIR = 4, ZYGOTE_CHILDREN = 1024 };

/* Is this the command line of a zygote? Then main does nothing but return zygote_main(). */
bool zygote_wanted(int argc, char **argv);
int zygote_main(void);

#endif
