/*
 * reply.h: answers. The edge where an error kind becomes an HTTP status.
 *
 * Problems are RFC 9457 documents with a stable type, "urn:problem-type:sluice:<slug>"; the table
 * of slugs, with their status and title, stands in reply_problem.c. Every answer carries the
 * request id (X-Request-Id) and nosniff; HEAD sends the header block only.
 */
#ifndef SLUICE_FCGI_REPLY_H
#define SLUICE_FCGI_REPLY_H

#include "data/json.h"
#include "fcgi/app.h"

struct reply_header {             /* a list ends with { NULL, NULL }; a NULL value is left out */
	const char *name, *value; /* values with CR, LF or other controls are refused */
};

/* status with JSON content; takes j. extra may be NULL. */
void reply_json(struct call *c, int status, const struct reply_header *extra, json_t *j);

/* The same with a media type of its own. */
void reply_json_as(
    struct call *c, int status, const char *type, const struct reply_header *extra, json_t *j);

/* Header block only (204, 304 ...). */
void reply_empty(struct call *c, int status, const struct reply_header *extra);

/* Begins an answer whose content follows by request_write. 0, or -1 when the peer is gone. */
MUST_CHECK int reply_begin(struct call *c, int status, const struct reply_header *extra);

/* The reason phrase of a status we use. */
const char *reply_reason(int status);

/*
 * Problem document: status and title belong to the slug, detail is for this case. members (may be
 * NULL, taken) are merged in as extension members.
 */
void reply_problem(struct call *c, const char *slug, const char *detail,
    const struct reply_header *extra, json_t *members);

/* What an error kind alone does not say. */
struct refusal {
	const char *slug; /* NULL: by the kind */
	json_t *members;  /* NULL: none */
};

/* The problem for an error kind; logs 5xx as errors with e's text, which then is not shown. */
void reply_error(struct call *c, const struct err *e);

/* The same with a slug and members of its own; takes r->members. */
void reply_refusal(struct call *c, const struct err *e, struct refusal *r);

#endif
