/*
 * The first line is a file name, the rest its bytes. Every input has one well-formed type; what is
 * called plain text holds no tag that a browser would run; a name never makes a type harmless.
 */
#include "base/sys.h"

#include "data/type.h"
#include "fuzz.h"

static bool
holds(const char *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len < n; i++)
		if (strncasecmp(p + i, word, len) == 0 && strchr(" \t\r\n>/", p[i + len]))
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct type *t;
	char *name = fuzz_line(&data, &size);
	char *exact = mem_alloc(size + 1);
	char out[TYPE_MAX], again[TYPE_MAX];
	const char *refined, *types;
	struct err e;

	if (!t)
		t = type_new(&e);
	MUST_HOLD(t != NULL);
	if (size)
		memcpy(exact, data, size);
	MUST_HOLD(type_sniff(t, exact, size, out, &e) == 0);
	MUST_HOLD(type_check_list(out, &e) == 0 && !strpbrk(out, ",*"));
	MUST_HOLD(type_sniff(t, exact, size, again, &e) == 0 && strcmp(out, again) == 0);
	if (size > TYPE_SNIFF_BYTES)
		size = TYPE_SNIFF_BYTES;
	if (strcmp(out, "text/plain") == 0 && !(size >= 2 && (data[0] == 0xff || data[0] == 0xfe)))
		MUST_HOLD(!holds(exact, size, "<script") && !holds(exact, size, "<svg") &&
			  !holds(exact, size, "<html"));
	types = type_of_name(name);
	refined = type_refine(out, name);
	MUST_HOLD(types || strcmp(refined, out) == 0);
	MUST_HOLD(!types || type_check_list(types, &e) == 0);
	MUST_HOLD(strcmp(out, "text/html") != 0 || strcmp(refined, out) == 0);
	mem_free(exact);
	mem_free(name);
	return 0;
}
