/*
 * proc.h: what a daemon does to itself: signals, privileges, title, parent death.
 */
#ifndef SLUICE_BASE_PROC_H
#define SLUICE_BASE_PROC_H

#include "base/err.h"

/*
 * Signals only set a flag. proc_catch installs the flag handler with SA_RESTART for sig (1..64);
 * proc_caught tells and clears the flag. SIGPIPE: proc_ignore(SIGPIPE).
 */
void proc_catch(int sig);
void proc_ignore(int sig);
void proc_default(int sig);
bool proc_caught(int sig);
bool proc_pending(int sig); /* tells without clearing */

/* Blocks or unblocks the signals that proc_catch has installed, around work that must not see
 * EINTR. */
void proc_block(void);
void proc_unblock(void);

/*
 * Becomes user and group for good: supplementary groups, gid, uid, in this order, then proves that
 * root cannot come back. Does nothing when user is NULL or "" or when already that user; group
 * NULL or "" means the user's own. 0, or -1.
 */
MUST_CHECK int proc_drop(const char *user, const char *group, struct err *e);

/* SIGKILL or SIGTERM for this process when its parent dies; exits at once if parent is gone
 * already. */
void proc_die_with_parent(int sig, pid_t parent);

/* What ps(1) shows; call proc_title_init from main first. Cut to the room there is. */
void proc_title_init(int argc, char **argv);
void proc_title(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Writes the pid to path (created 0644, replaced atomically); "" or NULL does nothing. 0, or -1. */
MUST_CHECK int proc_pidfile(const char *path, struct err *e);
void proc_pidfile_remove(const char *path);

/* sd_notify(3) without the library: one datagram to $NOTIFY_SOCKET; silent when there is none. */
void proc_notify(const char *state);

#endif
