/*
 * file_json.h: a stored file as the API shows it.
 */
#ifndef SLUICE_FCGI_FILE_JSON_H
#define SLUICE_FCGI_FILE_JSON_H

#include "data/files.h"
#include "data/json.h"

/* prefix: where we are mounted, for the URLs. json_decref it. */
json_t *file_json(const struct file *f, const char *prefix);

#endif
