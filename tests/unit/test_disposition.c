/*
 * Content-Disposition of a raw upload, and of a download. What a form's parts may say is in
 * test_multipart and test_multipart_bad.
 */
#include "base/sys.h"

#include "fcgi/disposition.h"
#include "tap.h"

static void
test_parse(void)
{
	static const struct {
		const char *text, *type, *name, *filename;
	} cases[] = {
		{ "attachment", "attachment", NULL, NULL },
		{ "INLINE; FileName=\"a b.txt\"", "inline", NULL, "a b.txt" },
		{ "inline;filename=a.txt ", "inline", NULL, "a.txt" },
		{ "attachment; filename=\"x\"; filename*=UTF-8'en'%C3%A4", "attachment", NULL,
		    "\xc3\xa4" },
		{ "form-data; name=\"a\"", "form-data", "a", NULL },
		{ "", NULL, NULL, NULL },
		{ " attachment", NULL, NULL, NULL },
		{ "; filename=a", NULL, NULL, NULL },
		{ "attachment filename=a", NULL, NULL, NULL },
		{ "attachment; filename", NULL, NULL, NULL },
		{ "attachment; filename=", NULL, NULL, NULL },
		{ "attachment; filename=a; filename=b", NULL, NULL, NULL },
		{ "attachment; filename*=UTF-8''%", NULL, NULL, NULL },
		{ "a-type-with-a-name-longer-than-any", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct disposition d;
		struct err e = { ERR_NONE, "" };
		int rc = disposition_parse(
		    cases[i].text, strlen(cases[i].text), SIZE_MAX, SIZE_MAX, &d, &e);

		if (!cases[i].type) {
			tap_ok(rc == -1 && e.kind == ERR_INPUT &&
				   strncmp(e.text, "Content-Disposition", 19) == 0,
			    "refused: '%s' (%s)", cases[i].text, e.text);
			continue;
		}
		tap_is(rc, 0, cases[i].text);
		tap_str(d.type, cases[i].type, "type");
		tap_str(d.has_name ? d.name : NULL, cases[i].name, "name");
		tap_str(d.has_filename ? d.filename : NULL, cases[i].filename, "file name");
	}
}

static void
test_format(void)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "a.txt", "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt" },
		{ "a b.txt", "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt" },
		{ "\xe2\x82\xac 1.txt",
		    "attachment; filename=\"_ 1.txt\"; filename*=UTF-8''%E2%82%AC%201.txt" },
		{ "a\"b\\c", "attachment; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc" },
		{ "a%41", "attachment; filename=\"a_41\"; filename*=UTF-8''a%2541" },
		{ "a\r\nX: y",
		    "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y" },
		{ "a'b(c);d,e*f", "attachment; filename=\"a'b(c);d,e*f\"; "
				  "filename*=UTF-8''a%27b%28c%29%3Bd%2Ce%2Af" },
		{ "\xff", "attachment; filename=\"_\"; filename*=UTF-8''%FF" },
		{ "\x7f", "attachment; filename=\"_\"; filename*=UTF-8''%7F" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct disposition d;
		struct strbuf b;

		strbuf_init(&b);
		disposition_format(&b, "attachment", cases[i].name);
		tap_str(b.s, cases[i].want, "what a download is called");
		tap_ok(disposition_parse(b.s, b.len, 256, 1024, &d, NULL) == 0 &&
			   strcmp(d.filename, cases[i].name) == 0,
		    "and we read it as it was");
		strbuf_release(&b);
	}
}

int
main(void)
{
	test_parse();
	test_format();
	return tap_done();
}
