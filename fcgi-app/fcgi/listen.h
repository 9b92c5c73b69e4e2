/*
 * listen.h: where the listening socket comes from.
 */
#ifndef SLUICE_FCGI_LISTEN_H
#define SLUICE_FCGI_LISTEN_H

#include "data/conf.h"

enum listen_kind {
	LISTEN_OWN,       /* made here from [pool] listen */
	LISTEN_INHERITED, /* systemd LISTEN_FDS, or our own re-exec (USR2) */
	LISTEN_FD0, /* mod_fcgid, spawn-fcgi: fd 0 is a listening socket; one process, no master */
};

/*
 * Finds or makes the socket. An existing socket file is replaced only when nobody answers on it.
 * The descriptor (close-on-exec, non-blocking: children wait in epoll), or -1: ERR_INPUT for a bad address, ERR_CONFLICT when
 * another sluice listens there, ERR_INTERNAL.
 */
MUST_CHECK int listen_open(const struct conf *conf, enum listen_kind *kind, struct err *e);

/* Removes the socket file of LISTEN_OWN. */
void listen_unlink(const struct conf *conf);

/* Does the kernel tell who connects (AF_UNIX)? */
bool listen_has_peers(int fd);

/* User names or numbers to uids; "" gives own uid and root. mem_free *uids. 0, or -1 ERR_INPUT. */
MUST_CHECK int listen_users(const char *names, uid_t **uids, size_t *n, struct err *e);

/* Are the users that conf names known? conf.c does not look them up. 0, or -1 ERR_INPUT. */
MUST_CHECK int listen_check_users(const struct conf *conf, struct err *e);

#endif
