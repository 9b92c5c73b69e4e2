#include "base/sys.h"

#include "base/mem.h"
#include "data/json.h"
#include "tap.h"

static void
refused(const char *text, size_t n, const char *want)
{
	struct err e = { 0 };
	json_t *j = json_parse(text, n, &e);

	tap_ok(!j && e.kind == ERR_INPUT && strstr(e.text, want), "refused: %s (%s)", want, e.text);
	json_decref(j);
}

static void
string(const char *s, const char *want)
{
	json_t *j = json_str(s);
	char *text = json_text(j);

	tap_str(text, want, want);
	mem_free(text);
	json_decref(j);
}

static void
test_depth(void)
{
	char text[200];
	struct err e;
	json_t *j;

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	j = json_parse(text, 128, &e);
	tap_ok(j != NULL, "64 levels");
	json_decref(j);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	refused(text, 130, "nested deeper than 64");
	memset(text, '[', sizeof(text));
	memcpy(text, "[\"\\\"", 4);
	memcpy(text + sizeof(text) - 2, "\"]", 2);
	j = json_parse(text, sizeof(text), &e);
	tap_ok(j != NULL, "brackets within a string are text");
	json_decref(j);
}

int
main(void)
{
	struct err e = { 0 };
	static const char object[] = "{\"a\": [1, \"\xc3\xa9\", null]}";
	json_t *j = json_parse(object, sizeof(object) - 1, &e);
	char *text;

	tap_ok(j != NULL, "an object: %s", e.text);
	text = json_text(j);
	tap_str(text, "{\"a\":[1,\"\xc3\xa9\",null]}", "compact text");
	mem_free(text);
	json_decref(j);

	refused("{\"a\":1,\"a\":2}", 13, "duplicate");
	refused("{\"a\":1}x", 8, "line 1");
	refused("", 0, "JSON");
	refused("{\"a\":", 5, "JSON");
	refused("\"\\u0000\"", 8, "JSON");
	refused("[\"\xff\"]", 5, "0xff");
	refused("[1e999]", 7, "JSON");
	test_depth();

	string("plain", "\"plain\"");
	string("a\xff\xc3", "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
	string("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	string("\"\\\n\x1b", "\"\\\"\\\\\\n\\u001B\"");
	return tap_done();
}
