#include "base/sys.h"

#include "base/strbuf.h"
#include "base/mem.h"

/* What an empty strbuf points at; cap 0 says that it must not be written. */
static char nothing[1];

void
strbuf_init(struct strbuf *b)
{
	*b = (struct strbuf){ .s = nothing };
}

void
strbuf_release(struct strbuf *b)
{
	if (b->cap > 0)
		mem_free(b->s);
	strbuf_init(b);
}

void
strbuf_reset(struct strbuf *b)
{
	b->len = 0;
	if (b->cap > 0)
		b->s[0] = '\0';
}

/* Makes room for n more bytes and the NUL. */
static void
reserve(struct strbuf *b, size_t n)
{
	size_t need, cap = b->cap > 0 ? b->cap : 64;

	if (__builtin_add_overflow(b->len, n, &need) || __builtin_add_overflow(need, 1, &need))
		need = SIZE_MAX;
	if (need <= b->cap)
		return;
	while (cap < need)
		cap = cap <= SIZE_MAX / 2 ? cap * 2 : need;
	b->s = mem_grow(b->cap > 0 ? b->s : NULL, cap, 1);
	b->cap = cap;
}

void
strbuf_add(struct strbuf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	reserve(b, n);
	memcpy(b->s + b->len, p, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void
strbuf_addc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void
strbuf_adds(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void
strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	reserve(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

char *
strbuf_take(struct strbuf *b)
{
	char *s = b->cap > 0 ? b->s : mem_strdup("");

	strbuf_init(b);
	return s;
}

int
str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);
	size_t n = len < size ? len : size - 1;

	if (size == 0)
		return -1;
	memcpy(dst, src, n);
	dst[n] = '\0';
	return n == len ? 0 : -1;
}
