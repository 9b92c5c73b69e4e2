/*
 * A cleaned name is 1..255 bytes of UTF-8 with nothing in it that could hurt, and stays as it is
 * when it is cleaned again.
 */
#include "base/sys.h"

#include "base/codec.h"
#include "fcgi/filename.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *raw = fuzz_text(data, size), out[FILENAME_SIZE], again[FILENAME_SIZE];
	size_t n = filename_clean(raw, size, out), len;
	uint32_t cp;

	MUST_HOLD(n >= 1 && n <= FILENAME_BYTES && strlen(out) == n);
	MUST_HOLD(strcmp(out, ".") != 0 && strcmp(out, "..") != 0 && !strpbrk(out, "/\\"));
	for (size_t i = 0; i < n; i += len) {
		len = codec_utf8(out + i, n - i, &cp);
		MUST_HOLD(len > 0);
		MUST_HOLD(cp >= 0x20 && (cp < 0x7f || cp >= 0xa0));
		MUST_HOLD(cp < 0x2028 || cp > 0x202e);
		MUST_HOLD(cp < 0x200b || cp > 0x200f);
		MUST_HOLD(cp < 0x2066 || cp > 0x2069);
	}
	MUST_HOLD(filename_clean(out, n, again) == n && strcmp(out, again) == 0);
	mem_free(raw);
	return 0;
}
