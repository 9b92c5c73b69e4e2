/*
 * child.h: the life of one FastCGI process: connect, accept, serve, retire.
 */
#ifndef SLUICE_FCGI_CHILD_H
#define SLUICE_FCGI_CHILD_H

#include "data/conf.h"
#include "fcgi/ahead.h"
#include "fcgi/scoreboard.h"

/* First thing after the fork: what the parent was told is none of the child's business. */
void child_signals(void);

/*
 * Serves requests from listen_fd until TERM or QUIT is caught (the running request is finished
 * first) or max_requests (0: no limit) are done. Runs in the pool's children, and alone under
 * mod_fcgid or spawn-fcgi (then board has one slot and
 * ahead is NULL). Returns the exit code: 0, or 75 when it could
 * not start.
 */
int child_run(const struct conf *conf, int listen_fd, struct scoreboard *board, struct ahead *ahead,
    unsigned slot);

#endif
