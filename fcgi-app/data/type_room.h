/*
 * type_room.h: what the files behind type.h share. Nobody else includes it.
 */
#ifndef SLUICE_DATA_TYPE_ROOM_H
#define SLUICE_DATA_TYPE_ROOM_H

#include "data/type.h"

/* The type by a binary signature, or NULL. */
const char *type_by_signature(const unsigned char *p, size_t n);

/* What is inside of a zip file (p begins with PK), from the names of its first entries. */
const char *type_of_zip(const unsigned char *p, size_t n, char out[TYPE_MAX]);

enum type_text {
	TEXT_NO,   /* binary */
	TEXT_UTF8, /* surely text */
	TEXT_8BIT, /* no control characters, but not UTF-8 either */
	TEXT_UTF16,
};

/* whole: nothing follows these n bytes (else a character cut at the end is no mistake). */
enum type_text type_text_kind(const unsigned char *p, size_t n, bool whole);

/* Markup or script in text of this kind: its type, or NULL when it is plain. */
const char *type_of_markup(const unsigned char *p, size_t n, enum type_text kind);

#endif
