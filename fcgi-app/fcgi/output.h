/*
 * output.h: an answer on its way out as STDOUT records; small writes are gathered, large ones go
 * out without a copy.
 */
#ifndef SLUICE_FCGI_OUTPUT_H
#define SLUICE_FCGI_OUTPUT_H

#include "fcgi/record.h"

enum { OUTPUT_BUFFER = 16384 };

struct output {
	int fd;
	unsigned id;    /* of the request */
	bool gone;      /* the peer does not take any more */
	uint64_t bytes; /* content taken so far */
	size_t len;     /* in buf, after the room for a header */
	unsigned char buf[RECORD_HEADER + OUTPUT_BUFFER];
};

void output_init(struct output *o, int fd, unsigned id);

/* 0, or -1 when the peer is gone. */
MUST_CHECK int output_write(struct output *o, const void *p, size_t n);

/* What is gathered, the end of STDOUT and END_REQUEST. 0, or -1. */
MUST_CHECK int output_end(struct output *o);

#endif
