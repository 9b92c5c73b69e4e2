/*
 * input.h: the body of a request as it comes in, record by record, in place.
 *
 * libfcgi reads 8 KiB at a time, answers management records in the middle of a body, and shows a
 * cut body as its end; so the body is read here.
 */
#ifndef SLUICE_FCGI_INPUT_H
#define SLUICE_FCGI_INPUT_H

#include "fcgi/record.h"

struct input {
	int fd;
	unsigned id; /* of the request */
	unsigned char *buf;
	size_t size, at, end;    /* buf[at..end) came and was not looked at */
	size_t content, padding; /* of the current record, still to come */
	bool last;               /* the current record is the empty one */
	bool ended;              /* all of it was read */
};

/* buf holds the len bytes that follow the opening already, from at. */
void input_init(
    struct input *in, int fd, unsigned id, unsigned char *buf, size_t size, size_t at, size_t len);

/*
 * The next piece: > 0 bytes at *p, valid until the next call; 0 the end was seen; -1 ERR_INPUT,
 * also when nothing comes within the socket's timeout.
 */
MUST_CHECK ssize_t input_next(struct input *in, const unsigned char **p, struct err *e);

/* Has the end been seen, or is it here to be seen now? Does not wait; pieces get lost. */
bool input_ended(struct input *in);

#endif
