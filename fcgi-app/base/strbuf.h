/*
 * strbuf.h: a string that grows, always NUL-terminated.
 *
 *	struct strbuf b;
 *	strbuf_init(&b);
 *	strbuf_addf(&b, "%s/%s", dir, name);
 *	... b.s, b.len ...
 *	strbuf_release(&b);
 */
#ifndef SLUICE_BASE_STRBUF_H
#define SLUICE_BASE_STRBUF_H

#include "base/sys.h"

struct strbuf {
	char *s; /* never NULL after strbuf_init */
	size_t len, cap;
};

void strbuf_init(struct strbuf *b);
void strbuf_release(struct strbuf *b);
void strbuf_reset(struct strbuf *b); /* empty, keeps the memory */
void strbuf_add(struct strbuf *b, const void *p, size_t n);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_adds(struct strbuf *b, const char *s);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Gives the string away (mem_free it) and leaves b empty and usable. */
char *strbuf_take(struct strbuf *b);

/*
 * Bounded copy: at most size - 1 bytes and a NUL. 0 when all of src fitted, -1 when it was cut.
 * The one way to put a string into a fixed buffer.
 */
MUST_CHECK int str_copy(char *dst, size_t size, const char *src);

#endif
