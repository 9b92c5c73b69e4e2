#include "base/sys.h"

#include "base/mem.h"
#include "base/log.h"

static void *
checked(void *p, size_t n)
{
	if (!p) {
		log_error("out of memory: %zu bytes", n);
		_exit(EXIT_TEMPORARY);
	}
	return p;
}

static size_t
product(size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		checked(NULL, SIZE_MAX);
	return n > 0 ? n : 1;
}

void *
mem_alloc(size_t n)
{
	return checked(malloc(n > 0 ? n : 1), n);
}

void *
mem_zero(size_t n)
{
	return checked(calloc(1, n > 0 ? n : 1), n);
}

void *
mem_array(size_t count, size_t size)
{
	return mem_zero(product(count, size));
}

void *
mem_grow(void *p, size_t count, size_t size)
{
	size_t n = product(count, size);

	return checked(realloc(p, n), n);
}

char *
mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *
mem_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = mem_alloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
mem_printf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return checked(s, strlen(fmt));
}

void
mem_free(void *p)
{
	free(p);
}
