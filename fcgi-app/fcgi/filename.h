/*
 * filename.h: a client's file name made fit for a database column, a JSON string and a header.
 *
 * It never becomes a path: files are stored under their identifier.
 */
#ifndef SLUICE_FCGI_FILENAME_H
#define SLUICE_FCGI_FILENAME_H

#include "base/sys.h"

enum { FILENAME_BYTES = 255, FILENAME_SIZE = FILENAME_BYTES + 1 };

/*
 * Writes the cleaned name to out and returns its length, 1..255. The base name after the last / or
 * \ is taken; control characters (C0, DEL, C1, U+2028, U+2029) become _; bidi controls and
 * zero-width characters are removed; bytes that are not UTF-8 become U+FFFD; what is over 255 bytes
 * is cut at a code point, keeping an extension of up to 32 bytes. A name of which nothing is left
 * but dots and spaces becomes "unnamed". Composed and decomposed forms stay as they were sent.
 * Cleaning a clean name changes nothing.
 */
size_t filename_clean(const char *raw, size_t len, char out[FILENAME_SIZE]);

#endif
