/*
 * What was parsed fits its limits; a file name that was sent in can be sent out, as printable
 * ASCII that we read back to the same name.
 */
#include "base/sys.h"

#include "base/codec.h"
#include "fcgi/disposition.h"
#include "fcgi/filename.h"
#include "fuzz.h"

static void
check_way_out(const char *raw, size_t len)
{
	char name[FILENAME_SIZE];
	struct disposition d;
	struct strbuf b;

	filename_clean(raw, len, name);
	strbuf_init(&b);
	disposition_format(&b, "attachment", name);
	for (size_t i = 0; i < b.len; i++)
		MUST_HOLD(b.s[i] >= ' ' && b.s[i] <= '~');
	MUST_HOLD(disposition_parse(b.s, b.len, 1, DISPOSITION_FILENAME, &d, NULL) == 0);
	MUST_HOLD(strcmp(d.type, "attachment") == 0 && d.extended && !d.has_name);
	MUST_HOLD(strcmp(d.filename, name) == 0 && d.filename_len == strlen(name));
	strbuf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_alloc(size ? size : 1);
	struct disposition d;
	struct err e;

	if (size)
		memcpy(text, data, size);
	if (disposition_parse(text, size, 40, 80, &d, &e) < 0) {
		MUST_HOLD(e.kind == ERR_INPUT && e.text[0]);
	} else {
		MUST_HOLD(d.name_len <= 40 && d.filename_len <= 80 && d.type[0]);
		MUST_HOLD(d.has_name == (d.name_len > 0) && codec_utf8_valid(d.name, d.name_len));
		MUST_HOLD(strlen(d.name) == d.name_len);
		check_way_out(d.filename, d.filename_len);
	}
	check_way_out(text, size);
	mem_free(text);
	return 0;
}
