/*
 * fuzz.h: what every fuzz target needs.
 */
#ifndef SLUICE_TESTS_FUZZ_H
#define SLUICE_TESTS_FUZZ_H

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that has to hold for every input; a broken one ends the program. */
#define MUST_HOLD(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

/* The next line of *data (or all of it), without its LF, as a string to mem_free. */
static inline char *
fuzz_line(const uint8_t **data, size_t *size)
{
	const uint8_t *lf = *size ? memchr(*data, '\n', *size) : NULL;
	size_t n = lf ? (size_t)(lf - *data) : *size;
	char *line = mem_alloc(n + 1);

	if (n)
		memcpy(line, *data, n);
	line[n] = '\0';
	*data += lf ? n + 1 : n;
	*size -= lf ? n + 1 : n;
	return line;
}

/* All of the input as a string to mem_free; a NUL in it ends the string early. */
static inline char *
fuzz_text(const uint8_t *data, size_t size)
{
	char *text = mem_alloc(size + 1);

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif
