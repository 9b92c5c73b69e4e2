/*
 * A text that is taken is exactly what its cursor is written as.
 */
#include "base/sys.h"

#include "fcgi/cursor.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), out[CURSOR_TEXT];
	struct cursor c;

	if (cursor_parse(text, &c) == 0) {
		MUST_HOLD(c.created_us >= 0);
		MUST_HOLD(strcmp(cursor_format(&c, out), text) == 0);
	}
	if (size >= sizeof(c)) {
		struct cursor again;

		memcpy(&c, data, sizeof(c));
		cursor_format(&c, out);
		MUST_HOLD(strlen(out) == CURSOR_TEXT - 1);
		if (cursor_parse(out, &again) == 0)
			MUST_HOLD(again.created_us == c.created_us && id_equal(&again.id, &c.id));
		else
			MUST_HOLD(c.created_us < 0 || c.created_us > INT64_C(253402300799999999));
	}
	mem_free(text);
	return 0;
}
