/*
 * auth.h: who is asking.
 *
 * An API token (Authorization: Bearer) goes before the web server's REMOTE_USER, which counts only
 * when [auth] remote_user says so. A token that is sent must be good, even where none is needed.
 */
#ifndef SLUICE_FCGI_AUTH_H
#define SLUICE_FCGI_AUTH_H

#include "fcgi/app.h"

enum auth_need {
	AUTH_NONE,      /* nobody is asked, the database is not needed */
	AUTH_ANONYMOUS, /* nobody may, when [upload] anonymous is on */
	AUTH_REQUIRED,
};

/*
 * Sets c->caller, and has proved with that that the database is there. 0, or -1 when the request
 * has been answered: 401, 403, or 503 while the database is away.
 */
MUST_CHECK int auth_check(struct call *c, enum auth_need need);

/* The token of an Authorization field value, or NULL when it has another scheme. */
const char *auth_bearer(const char *value);

#endif
