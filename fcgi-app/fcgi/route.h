/*
 * route.h: the table of what can be asked, and its walker.
 *
 * The walker knows unknown paths (404), wrong methods (405 with Allow), bad ids (400), database
 * away (503 before a body is read) and who is asking (auth.c), so no handler can forget one of
 * them.
 */
#ifndef SLUICE_FCGI_ROUTE_H
#define SLUICE_FCGI_ROUTE_H

#include "fcgi/app.h"

/* Serves one request from first to last byte; every outcome is answered and logged here. */
void route_serve(struct app *app, struct request *req);

#endif
