/*
 * files.h: GET /api/files, GET and DELETE /api/files/{id}.
 */
#ifndef SLUICE_FCGI_FILES_H
#define SLUICE_FCGI_FILES_H

#include "fcgi/app.h"

void files_serve_list(struct call *c);
void files_serve_get(struct call *c);
void files_serve_delete(struct call *c);

#endif
