/*
 * record.h: FastCGI records (FastCGI specification 1.0, section 3). Pure.
 *
 * libfcgi believes lengths (a pair may claim 2 GiB), so the opening of a request is checked here
 * before libfcgi sees it.
 */
#ifndef SLUICE_FCGI_RECORD_H
#define SLUICE_FCGI_RECORD_H

#include "base/err.h"

enum {
	RECORD_VERSION = 1,
	RECORD_HEADER = 8,
	RECORD_MAX = 65528,     /* content that needs no padding */
	RECORD_OPENING = 65536, /* BEGIN_REQUEST and all PARAMS together */
	RECORD_PARAMS = 1024,   /* name-value pairs */
};

enum record_type {
	RECORD_BEGIN_REQUEST = 1,
	RECORD_ABORT_REQUEST,
	RECORD_END_REQUEST,
	RECORD_PARAM,
	RECORD_STDIN,
	RECORD_STDOUT,
	RECORD_STDERR,
};

struct record { /* a header */
	unsigned version, type, id;
	size_t content, padding;
};

struct record_opening {
	unsigned id;
	size_t size; /* bytes up to and with the empty PARAMS record */
};

/*
 * Checks the n bytes at p as the opening of a request: BEGIN_REQUEST for a responder, then PARAMS
 * of the same id to the empty one, their pairs whole, without NUL, at most RECORD_PARAMS. 1 it is
 * whole (*o is set); 0 more bytes are needed; -1 ERR_INPUT.
 */
MUST_CHECK int record_opening(
    const unsigned char *p, size_t n, struct record_opening *o, struct err *e);

struct record record_read(const unsigned char p[RECORD_HEADER]);

/* Writes a header; the content must be padded by the caller if it wants to. */
void record_header(
    unsigned char out[RECORD_HEADER], enum record_type type, unsigned id, size_t content);

#endif
