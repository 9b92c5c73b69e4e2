/*
 * request.h: one FastCGI request; the only file that knows libfcgi.
 *
 * Accepts by itself (accept4, SO_PEERCRED against the allowed users, SO_RCVTIMEO and SO_SNDTIMEO),
 * then lets libfcgi parse the parameters. Keeps no connection: an unread body ends with the
 * connection, never as the next request.
 *
 *	r = request_new(&conf);
 *	while (request_accept(r, listen_fd, &e) == 1) {
 *		... request_param, request_body, request_header, request_write ...
 *		request_finish(r);
 *	}
 */
#ifndef SLUICE_FCGI_REQUEST_H
#define SLUICE_FCGI_REQUEST_H

#include "base/err.h"

struct request;

struct request_conf {
	const uid_t *peers; /* users that may connect */
	size_t npeers;
	bool check_peers;         /* false on a TCP socket, which has no credentials */
	bool drain;               /* the peer sends all of a body before it reads an answer */
	uint64_t read_timeout;    /* ms without a byte */
	uint64_t grace, min_rate; /* after grace ms the body must have averaged min_rate bytes/s */
};

struct request *request_new(const struct request_conf *conf);
void request_free(struct request **r);

/*
 * Waits for a request. 1 a request is there; 0 a caught signal wants attention (proc_pending) and
 * nothing was accepted; -1 nothing usable came (peer refused, garbage, EMFILE: e tells; log it and
 * go on; it has slept where that is needed).
 */
MUST_CHECK int request_accept(struct request *r, int listen_fd, struct err *e);

/* A CGI parameter, or NULL when it is absent or empty. Valid until request_finish. */
const char *request_param(const struct request *r, const char *name);

const char *request_method(const struct request *r); /* never NULL */
const char *request_id(const struct request *r); /* REQUEST_ID of the web server, or made here */

/* CONTENT_LENGTH: 1 known, 0 not sent, -1 malformed. */
MUST_CHECK int request_length(const struct request *r, uint64_t *length);

/*
 * The next bytes of the body, in place in the read buffer, valid until the next call. > 0: *p has that
 * many; 0: the body is complete (end seen, CONTENT_LENGTH reached exactly when
 * there was one); -1: ERR_INPUT for a body that is cut, longer, shorter, too slow or timed out.
 */
MUST_CHECK ssize_t request_body(struct request *r, const unsigned char **p, struct err *e);

uint64_t request_body_read(const struct request *r); /* bytes handed out so far */

/* Response. After the header block, data. -1 when the peer is gone (nothing else to be done). */
MUST_CHECK int request_write(struct request *r, const void *p, size_t n);

/* Bytes of the response that were written. */
uint64_t request_written(const struct request *r);

/* Ends the request and its connection, whatever state it is in. */
void request_finish(struct request *r);

#endif
