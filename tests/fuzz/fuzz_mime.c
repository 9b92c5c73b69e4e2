/*
 * A boundary that was read is one that the multipart parser takes; the type alone reads as itself.
 */
#include "base/sys.h"

#include "fcgi/mime.h"
#include "fcgi/multipart.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct mime m, again;
	struct multipart mp;
	struct err e;

	if (mime_parse(text, &m, &e) < 0) {
		MUST_HOLD(e.kind == ERR_INPUT && e.text[0]);
	} else {
		MUST_HOLD(strlen(m.boundary) == m.boundary_len);
		MUST_HOLD(m.boundary_len == 0 ||
			  multipart_init(&mp, m.boundary, m.boundary_len, NULL) == 0);
		MUST_HOLD(mime_parse(m.type, &again, NULL) == 0);
		MUST_HOLD(strcmp(m.type, again.type) == 0 && again.boundary_len == 0);
	}
	mem_free(text);
	return 0;
}
