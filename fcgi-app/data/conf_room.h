/*
 * conf_room.h: what the files behind conf.h share. Nobody else includes it.
 *
 * An option is one row of the table in conf_table.c: its place in struct conf, how its text is
 * read, its default (as text, so that there is one reader), its range.
 */
#ifndef SLUICE_DATA_CONF_ROOM_H
#define SLUICE_DATA_CONF_ROOM_H

#include "base/strbuf.h"
#include "data/conf.h"

enum conf_type {
	CONF_TEXT,     /* char * */
	CONF_PATH,     /* char *: absolute, or "" where min is 0 */
	CONF_WORD,     /* char *: one of words */
	CONF_CHOICE,   /* enum: index of one of words */
	CONF_BOOL,     /* bool */
	CONF_COUNT,    /* uint64_t: a plain number */
	CONF_SIZE,     /* uint64_t: bytes */
	CONF_DURATION, /* uint64_t: milliseconds */
	CONF_MODE,     /* unsigned: octal */
};

struct conf_option {
	const char *section, *key;
	enum conf_type type;
	size_t offset; /* in struct conf */
	const char *def;
	uint64_t min, max;
	const char *words; /* "a|b|c" */
	int (*check)(const char *value, struct err *e);
	bool secret; /* masked in dumps; also read from systemd's credentials */
};

extern const struct conf_option conf_options[];
extern const size_t conf_option_count;

/* NULL when there is none. */
const struct conf_option *conf_find(const char *section, const char *key);
bool conf_has_section(const char *section);

/* Sets one key from text; section "rendition NAME" goes to conf_rendition. 0, or -1 with e.text
 * "section.key: reason". */
MUST_CHECK int conf_set(
    struct conf *c, const char *section, const char *key, const char *value, struct err *e);

/* One option: text to value, value to text. */
MUST_CHECK int conf_value_set(
    struct conf *c, const struct conf_option *o, const char *value, struct err *e);
void conf_value_text(const struct conf *c, const struct conf_option *o, struct strbuf *out);

/* [rendition NAME]: made on first mention, in order. */
bool conf_rendition_section(const char *section, const char **name);
MUST_CHECK int conf_rendition_open(
    struct conf *c, const char *name, struct conf_rendition **out, struct err *e);
MUST_CHECK int conf_rendition_set(
    struct conf_rendition *r, const char *key, const char *value, struct err *e);
void conf_rendition_dump(const struct conf_rendition *r, FILE *out);

/* Sources after the files. */
MUST_CHECK int conf_from_credentials(struct conf *c, struct err *e);
MUST_CHECK int conf_from_environment(struct conf *c, struct err *e);
MUST_CHECK int conf_from_overrides(struct conf *c, const char *const *overrides, struct err *e);

/* Replaces automatic values (0) by effective ones, then checks what spans several keys. */
MUST_CHECK int conf_settle(struct conf *c, struct err *e);

/* Reads a small file whole (a secret, a configuration). NULL with e; *len may be NULL. */
char *conf_slurp(const char *path, size_t max, size_t *len, struct err *e);

#endif
