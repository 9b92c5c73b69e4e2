/*
 * json.h: jansson, included in one place, and the helpers that all programs share.
 */
#ifndef SLUICE_DATA_JSON_H
#define SLUICE_DATA_JSON_H

#include "base/err.h"

#include <jansson.h>

/* Parses n bytes; depth and duplicate keys are checked. NULL with ERR_INPUT. json_decref it. */
json_t *json_parse(const char *p, size_t n, struct err *e);

/* Compact text of j, mem_free it. */
char *json_text(const json_t *j);

/* json_string for bytes that may not be valid UTF-8: bad bytes become U+FFFD. Never NULL. */
json_t *json_str(const char *s);

#endif
