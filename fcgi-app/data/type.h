/*
 * type.h: what a file really is, from its first bytes; and which types a file name may carry.
 *
 * Own signatures come first for everything on the default allow-list and for what must never pass
 * as text (HTML, SVG, scripts, executables); libmagic is the second opinion for the rest. Safety
 * does not depend on either: stored files are served as attachments with nosniff and a sandbox CSP.
 *
 *	type_sniff(t, p, n, sniffed, &e)
 *	of = type_of_name(name)              of && !type_allowed(of, sniffed): a mismatch
 *	type = type_refine(sniffed, name)    what is stored and shown
 *	type_allowed(list, type)             judge this one: "text/plain" named x.js is a script, an
 *	                                     OLE container named x.doc is application/msword
 */
#ifndef SLUICE_DATA_TYPE_H
#define SLUICE_DATA_TYPE_H

#include "base/err.h"

enum { TYPE_MAX = 128, TYPE_SNIFF_BYTES = 4096 };

struct type; /* one per process: holds libmagic's database */

struct type *type_new(struct err *e);
void type_free(struct type **t);

/*
 * Media type of a file that begins with these n bytes (n <= TYPE_SNIFF_BYTES are looked at; all of
 * the file when it is shorter), lower case, without parameters. n = 0 gives "application/x-empty".
 * Unknown gives "application/octet-stream". 0, or -1 with ERR_INTERNAL.
 */
MUST_CHECK int type_sniff(
    struct type *t, const void *p, size_t n, char out[TYPE_MAX], struct err *e);

/* Is media type in the comma-separated list ("image/png" and wildcard forms such as "text/ *"
 * without the space; spaces ignored)? */
bool type_allowed(const char *list, const char *media_type);

/* Checks such a list: 0, or -1 with ERR_INPUT naming the bad entry. */
MUST_CHECK int type_check_list(const char *list, struct err *e);

/*
 * The types that the name's extension can have, comma-separated ("text/csv, text/plain"), or NULL
 * when we do not know the extension (then it is not judged).
 */
const char *type_of_name(const char *name);

/* The type to store: the extension's own (text/csv) where bytes only say text/plain or a container,
 * and the extension can have these bytes. */
const char *type_refine(const char *sniffed, const char *name);

/* May the picture be shown inline by a browser (decoded-safe image types)? */
bool type_inline_safe(const char *media_type);

/* Does the worker make thumbnails of it? */
bool type_is_picture(const char *media_type);

#endif
