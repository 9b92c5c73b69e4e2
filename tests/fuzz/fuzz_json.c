/*
 * What parses is written as text that parses to the same; any bytes make a JSON string.
 */
#include "base/sys.h"

#include "base/codec.h"
#include "data/json.h"
#include "fuzz.h"

static void
check_string(const uint8_t *data, size_t size)
{
	char *s = fuzz_text(data, size);
	json_t *j = json_str(s);

	MUST_HOLD(codec_utf8_valid(json_string_value(j), json_string_length(j)));
	MUST_HOLD(!codec_utf8_valid(s, strlen(s)) || strcmp(s, json_string_value(j)) == 0);
	json_decref(j);
	mem_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = mem_alloc(size + 1);
	struct err e = { 0 };
	json_t *j, *again;
	char *text;

	if (size)
		memcpy(exact, data, size);
	j = json_parse(exact, size, &e);
	MUST_HOLD(j || (e.kind == ERR_INPUT && *e.text));
	if (j) {
		text = json_text(j);
		again = json_parse(text, strlen(text), &e);
		MUST_HOLD(again != NULL && json_equal(j, again));
		json_decref(again);
		json_decref(j);
		mem_free(text);
	}
	check_string(data, size);
	mem_free(exact);
	return 0;
}
