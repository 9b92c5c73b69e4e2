/*
 * jail.h: the sandbox of one decoder.
 *
 * Entered by a freshly forked child before it looks at the first byte of a picture; there is no way
 * out. What is left: reading descriptor 0 (or mapping it), writing descriptor 1, memory within the
 * limit, time within the limit. In this order: descriptors, no dumps, resource limits, Landlock
 * (nothing of the file system, no TCP, no signals to others), no_new_privs, seccomp allow-list that
 * kills. Whatever cannot be set up is a failure: the picture is then not decoded. The one exception
 * is a kernel without Landlock, which the zygote tells the worker: seccomp forbids the same calls.
 */
#ifndef SLUICE_WORKER_JAIL_H
#define SLUICE_WORKER_JAIL_H

#include "base/err.h"

struct jail_conf {
	uint64_t memory; /* address space, bytes */
	uint64_t data;   /* of it, what can be written to: a mapped file counts in memory alone */
	uint32_t cpu_s;  /* CPU seconds until SIGXCPU; SIGKILL one later */
	bool threads;    /* HEIF libraries cannot do without */
};

/* Version of Landlock in this kernel, 0 = none. */
int jail_landlock(void);

/* in and out become descriptors 0 and 1, all others are closed. 0, or -1: then _exit. */
MUST_CHECK int jail_enter(const struct jail_conf *conf, int in, int out, struct err *e);

#endif
