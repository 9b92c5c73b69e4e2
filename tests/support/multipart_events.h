/*
 * multipart_events.h: what the multipart parser tells about a body, as one line of text; so that a
 * test compares strings, and two ways of cutting a body can be compared with each other.
 *
 *	a=text|  f<x.png>(image/png)=bytes|$
 *
 * name, <file name> (<*file name> from filename*=), (content type), = and the data, | where the part
 * ended, $ for the closing delimiter, and !kind:text for an error. Bytes that are not printable
 * ASCII, and the characters of this notation, are \xNN.
 */
#ifndef SLUICE_TESTS_MULTIPART_EVENTS_H
#define SLUICE_TESTS_MULTIPART_EVENTS_H

#include "base/mem.h"
#include "base/strbuf.h"
#include "fcgi/multipart.h"

static inline void
events_quote(struct strbuf *b, const void *p, size_t n)
{
	const unsigned char *s = p;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\r')
			strbuf_adds(b, "\\r");
		else if (s[i] == '\n')
			strbuf_adds(b, "\\n");
		else if (s[i] < ' ' || s[i] > '~' || strchr("\\|$!", s[i]))
			strbuf_addf(b, "\\x%02x", s[i]);
		else
			strbuf_addc(b, (char)s[i]);
	}
}

static inline void
events_part(struct strbuf *b, const struct multipart_part *part)
{
	const struct disposition *d = &part->disposition;

	events_quote(b, d->name, d->name_len);
	if (d->has_filename) {
		strbuf_adds(b, d->extended ? "<*" : "<");
		events_quote(b, d->filename, d->filename_len);
		strbuf_addc(b, '>');
	}
	if (part->content_type[0])
		strbuf_addf(b, "(%s)", part->content_type);
	strbuf_addc(b, '=');
}

/* Feeds one chunk. false after an error. The copy is exact, so that a sanitizer sees overreads. */
static inline bool
events_feed(struct strbuf *b, struct multipart *mp, const void *chunk, size_t n)
{
	unsigned char *copy = mem_alloc(n ? n : 1);
	const unsigned char *p = copy, *end = copy + n, *data;
	enum multipart_event ev;
	size_t len;

	memcpy(copy, chunk, n);
	while ((ev = multipart_next(mp, &p, end, &data, &len)) != MULTIPART_MORE) {
		if (ev == MULTIPART_PART)
			events_part(b, &mp->part);
		else if (ev == MULTIPART_DATA)
			events_quote(b, data, len);
		else if (ev == MULTIPART_PART_END)
			strbuf_addc(b, '|');
		else if (ev == MULTIPART_END)
			strbuf_addc(b, '$');
		else
			break;
	}
	mem_free(copy);
	return ev == MULTIPART_MORE;
}

/* Ends the body: an error, of the parser or of the end, is added. */
static inline void
events_finish(struct strbuf *b, const struct multipart *mp)
{
	struct err e;

	if (multipart_finish(mp, &e) < 0)
		strbuf_addf(b, "!%s:%s", err_kind_name(e.kind), e.text);
}

/* The whole body in chunks of at most step bytes, after one of first bytes (0: none). */
static inline void
events_run(struct strbuf *b, const char *boundary, const struct multipart_limits *limits,
    const char *body, size_t n, size_t first, size_t step)
{
	struct multipart mp;
	bool good = multipart_init(&mp, boundary, strlen(boundary), limits) == 0;

	strbuf_reset(b);
	for (size_t i = 0; good && i < n;) {
		size_t len = i == 0 && first ? first : step;

		if (len > n - i)
			len = n - i;
		good = events_feed(b, &mp, body + i, len);
		i += len;
	}
	events_finish(b, &mp);
}

#endif
