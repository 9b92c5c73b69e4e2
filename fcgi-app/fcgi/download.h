/*
 * download.h: GET and HEAD /api/download/{id}.
 */
#ifndef SLUICE_FCGI_DOWNLOAD_H
#define SLUICE_FCGI_DOWNLOAD_H

#include "fcgi/app.h"

void download_serve(struct call *c);

#endif
