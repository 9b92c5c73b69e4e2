/*
 * path.h: the path of a request, and whether it fits a route's pattern.
 */
#ifndef SLUICE_FCGI_PATH_H
#define SLUICE_FCGI_PATH_H

#include "base/err.h"
#include "base/id.h"
#include "base/strbuf.h"

/* What the web server told: CGI parameters, NULL when absent. */
struct path_source {
	const char *request_uri;                            /* raw, percent-encoded, with query */
	const char *document_uri, *script_name, *path_info; /* decoded; used without request_uri */
	const char *prefix; /* SLUICE_PREFIX: where we are mounted, "" or "/x" */
};

/*
 * Appends the path to b: percent-encoded (so that it is decoded exactly once, by path_match),
 * without query and prefix, beginning with '/'. 0, or -1 when there is none or it lies outside the
 * prefix.
 */
MUST_CHECK int path_of(const struct path_source *src, struct strbuf *b);

/*
 * Does path fit pattern ("/api/files/{id}/thumbnail/{name}")? Segments are percent-decoded one by
 * one. 1: yes, *id and arg (size bytes, ends with NUL) are set as far as the pattern names them;
 * 0: no; -1: it does, but with a bad identifier or name (ERR_INPUT).
 */
MUST_CHECK int path_match(
    const char *pattern, const char *path, struct id *id, char *arg, size_t size, struct err *e);

#endif
