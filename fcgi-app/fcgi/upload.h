/*
 * upload.h: POST /api/upload and PUT /api/upload/{name}.
 */
#ifndef SLUICE_FCGI_UPLOAD_H
#define SLUICE_FCGI_UPLOAD_H

#include "fcgi/admit.h"
#include "fcgi/body.h"
#include "fcgi/receive.h"

struct upload { /* one on its way in; form.c works on it too */
	struct call *call;
	struct admit admit;
	struct body body;
	struct receive in;
	json_t *metadata; /* what the text fields said */
};

void upload_serve(struct call *c);

/* The next bytes of the body, as body_next; keeps the promise of space up to date. */
MUST_CHECK ssize_t upload_read(struct upload *u, const unsigned char **p, struct err *e);

#endif
