/*
 * health.h: GET /health (this process is alive) and GET /ready (it could take an upload now).
 */
#ifndef SLUICE_FCGI_HEALTH_H
#define SLUICE_FCGI_HEALTH_H

#include "fcgi/app.h"

void health_serve(struct call *c);
void health_serve_ready(struct call *c);

#endif
