/*
 * serve.h: stored bytes on their way out: conditions and ranges here, the bytes by the web server
 * (X-Accel-Redirect, X-Sendfile) or, where neither is configured, by us in fixed-size chunks.
 *
 * Conditions are always evaluated here, and HEAD is always answered here. Under X-Accel-Redirect
 * nginx cuts the range (and judges If-Range by the ETag that conf/nginx hands on); a request that
 * nginx would judge by the wrong validator (If-Match, If-Unmodified-Since) is streamed instead.
 */
#ifndef SLUICE_FCGI_SERVE_H
#define SLUICE_FCGI_SERVE_H

#include "fcgi/app.h"

enum { SERVE_ETAG = 128 };

struct content {
	const struct id *id;
	const char *rendition;       /* NULL: the file itself */
	const char *type;            /* media type */
	const char *disposition;     /* Content-Disposition */
	char etag[SERVE_ETAG];       /* strong, with its quotes */
	const unsigned char *sha256; /* of the bytes, or NULL */
	uint64_t size;
	time_t modified;
};

void serve_content(struct call *c, const struct content *what);

#endif
