/*
 * connection.h: the web server's connections: taken from the listening socket, looked at, closed.
 * Knows sockets and the opening records; knows nothing of libfcgi.
 */
#ifndef SLUICE_FCGI_CONNECTION_H
#define SLUICE_FCGI_CONNECTION_H

#include "fcgi/record.h"

struct acceptor;

/* check_peers: false on a TCP socket, which has no credentials. The caller blocks the caught signals. */
struct acceptor *acceptor_new(bool check_peers, const uid_t *peers, size_t npeers);
void acceptor_free(struct acceptor **a);

/*
 * Waits for a connection on a non-blocking listen_fd. 1 with *fd; 0 a caught signal is pending and
 * nothing was accepted; -1: ERR_DENIED the peer is not welcome, else the system's error after a
 * pause. Caught signals come in only while it waits, so none is missed between test and wait.
 */
MUST_CHECK int acceptor_next(struct acceptor *a, int listen_fd, int *fd, struct err *e);

/*
 * Reads the opening of a request under a deadline, and what has come behind it. 1 whole: *len bytes
 * are in buf, the first o->size of them checked; 0 the peer left without a word; -1 ERR_INPUT.
 */
MUST_CHECK int connection_opening(int fd, unsigned char buf[RECORD_OPENING], size_t *len,
    struct record_opening *o, struct err *e);

/* A socket from which those n bytes can be read, and no more. The descriptor, or -1. */
MUST_CHECK int connection_feed(const unsigned char *p, size_t n, struct err *e);

/* SO_RCVTIMEO and SO_SNDTIMEO. */
void connection_timeouts(int fd, uint64_t ms);

/*
 * Before close(2) on a connection that may have unread input: it would be reset and the answer
 * lost. Reads and drops, within bounds, until the peer, which has its answer, closes.
 */
void connection_linger(int fd, unsigned char *buf, size_t size);

/*
 * The same for a peer that reads no answer before it has sent everything (mod_fcgid): however much
 * that is, as long as something comes within idle ms.
 */
void connection_drain(int fd, unsigned char *buf, size_t size, uint64_t idle);

#endif
