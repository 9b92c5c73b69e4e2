/*
 * body.h: where the bytes of a request come from: its stream, or the file handed off with it.
 *
 *	body_stream(&b, req)  or  body_file(&b, fd, size, own)
 *	while ((n = body_next(&b, &p, &e)) > 0) ...
 *	body_release(&b)
 */
#ifndef SLUICE_FCGI_BODY_H
#define SLUICE_FCGI_BODY_H

#include "fcgi/request.h"

struct body {
	struct request *req; /* NULL: the file */
	int fd;
	bool own_fd;
	uint64_t size, at;
	unsigned char *window;
};

void body_stream(struct body *b, struct request *req);
void body_file(struct body *b, int fd, uint64_t size, bool own_fd); /* reads from offset 0 */
void body_skip(struct body *b, uint64_t n);                         /* of the file */
void body_release(struct body *b);

/* As request_body: > 0 bytes at *p, 0 the body is complete, -1. */
MUST_CHECK ssize_t body_next(struct body *b, const unsigned char **p, struct err *e);

/* Bytes handed out so far. */
uint64_t body_arrived(const struct body *b);

#endif
