/*
 * raw.h: an upload whose body is the file itself.
 */
#ifndef SLUICE_FCGI_RAW_H
#define SLUICE_FCGI_RAW_H

#include "fcgi/upload.h"
#include "fcgi/upload_head.h"

/* The whole body into one file of u->in; a digest that was sent must fit. 0, or -1. */
MUST_CHECK int raw_receive(struct upload *u, const struct upload_head *h, struct err *e);

/*
 * Does a Repr-Digest or Content-Digest field (RFC 9530) agree with this SHA-256? True when it says
 * nothing about sha-256 (or is NULL).
 */
bool raw_digest_agrees(const char *field, const unsigned char sha256[DIGEST_SIZE]);

#endif
