/*
 * pool.h: the master: forks children, watches them, replaces them, sizes the pool, obeys signals.
 *
 * TERM stops (finish, then TERM, then KILL after stop_timeout); QUIT the same without the KILL; HUP
 * reads the configuration again, starts new children and drains the old; USR1 reopens logs; USR2
 * runs a new binary with the same socket. A child that dies young is replaced with a doubling
 * delay.
 */
#ifndef SLUICE_FCGI_POOL_H
#define SLUICE_FCGI_POOL_H

#include "data/conf.h"

struct pool_start {
	const char *conf_path;
	const char *const *overrides;
	char **argv; /* for USR2 */
	int listen_fd;
	bool own_socket;  /* made here: its file goes when the pool stops */
	pid_t old_master; /* that we replace (USR2), 0: none */
};

/* Opens the log as [log] says. 0, or -1. */
MUST_CHECK int pool_open_log(const struct conf *conf, struct err *e);

/* Takes *conf (HUP replaces it). Returns the exit code. */
int pool_run(struct conf **conf, const struct pool_start *start);

#endif
