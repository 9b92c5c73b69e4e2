/*
 * app.h: what a child has in its hands, and one call on its way through the rooms.
 */
#ifndef SLUICE_FCGI_APP_H
#define SLUICE_FCGI_APP_H

#include "data/accounts.h"
#include "data/conf.h"
#include "data/store.h"
#include "data/type.h"
#include "fcgi/ahead.h"
#include "fcgi/request.h"
#include "fcgi/scoreboard.h"

struct app { /* one per child, made after the fork */
	const struct conf *conf;
	struct db *db;
	struct store *store;
	struct type *type;
	struct scoreboard *board; /* shared memory */
	unsigned slot;            /* ours in it */
	struct ahead *ahead;      /* hashes of spooled bodies, shared memory; NULL: none */
	const uid_t *spool_owners;
	size_t nspool_owners;
};

struct call { /* one request */
	struct app *app;
	struct request *req;
	const char *method;    /* as matched by the route: GET also for HEAD */
	bool head;             /* no content is to be sent */
	struct account caller; /* id 0: nobody */
	const char *prefix;    /* where the operator mounted us: "" or "/upload-service" */
	const char *path;      /* percent-encoded, without prefix and query */
	struct id id;          /* of {id} in the route */
	char arg[1024];        /* of {name} in the route: percent-decoded, NUL-free, raw bytes */
	int status;            /* set by reply.c when the answer has begun; 0 before */
};

#endif
