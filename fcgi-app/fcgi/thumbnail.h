/*
 * thumbnail.h: GET and HEAD /api/files/{id}/thumbnail[/{rendition}].
 */
#ifndef SLUICE_FCGI_THUMBNAIL_H
#define SLUICE_FCGI_THUMBNAIL_H

#include "fcgi/app.h"

void thumbnail_serve(struct call *c);

#endif
