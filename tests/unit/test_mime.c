#include "base/sys.h"

#include "fcgi/mime.h"
#include "tap.h"

#define SEVENTY "0123456789012345678901234567890123456789012345678901234567890123456789"

/* type NULL: refused. */
static const struct {
	const char *text, *type, *boundary, *charset;
} cases[] = {
	{ "text/plain", "text/plain", "", "" },
	{ " Text/HTML ;Charset=UTF-8 ", "text/html", "", "utf-8" },
	{ "application/vnd.x+json; version=1", "application/vnd.x+json", "", "" },
	{ "multipart/form-data; boundary=b", "multipart/form-data", "b", "" },
	{ "multipart/form-data;boundary=\"b\"", "multipart/form-data", "b", "" },
	{ "multipart/form-data; BOUNDARY=Bb", "multipart/form-data", "Bb", "" },
	{ "multipart/form-data; boundary=\"a b\"", "multipart/form-data", "a b", "" },
	{ "multipart/form-data; boundary=\"a\\\"b\\\\c\"", "multipart/form-data", "a\"b\\c", "" },
	{ "multipart/form-data; boundary=\"'()+_,-./:=?\"", "multipart/form-data", "'()+_,-./:=?",
	    "" },
	{ "multipart/form-data; boundary=a/b:c=d?e", "multipart/form-data", "a/b:c=d?e", "" },
	{ "multipart/form-data; charset=utf-8; boundary=b", "multipart/form-data", "b", "utf-8" },
	{ "multipart/form-data; boundary=" SEVENTY, "multipart/form-data", SEVENTY, "" },
	{ "multipart/form-data; boundary=\" ~\"", "multipart/form-data", " ~", "" },
	{ "multipart/form-data; boundary=b;", "multipart/form-data", "b", "" },
	{ NULL, NULL, NULL, NULL },
	{ "", NULL, NULL, NULL },
	{ "  ", NULL, NULL, NULL },
	{ "text", NULL, NULL, NULL },
	{ "text/", NULL, NULL, NULL },
	{ "/plain", NULL, NULL, NULL },
	{ "text /plain", NULL, NULL, NULL },
	{ "text;plain", NULL, NULL, NULL },
	{ "; boundary=b", NULL, NULL, NULL },
	{ "text/; boundary=b", NULL, NULL, NULL },
	{ "text/plain x", NULL, NULL, NULL },
	{ "text/plain, text/html", NULL, NULL, NULL },
	{ "text/plain; charset", NULL, NULL, NULL },
	{ "text/plain; charset=\"\"", NULL, NULL, NULL },
	{ "text/plain; charset=a; charset=a", NULL, NULL, NULL },
	{ "multipart/form-data; boundary", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=\"\"", NULL, NULL, NULL },
	{ "multipart/form-data; boundary =b", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=b; boundary=b", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=b; Boundary=\"c\"", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=a, multipart/form-data; boundary=b", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=a,b", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=a b", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=\"a", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=\"a \"", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=\"a\tb\"", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=\"a\r\nb\"", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=\xc3\xa4", NULL, NULL, NULL },
	{ "multipart/form-data; boundary=" SEVENTY "x", NULL, NULL, NULL },
	{ SEVENTY SEVENTY "/x", NULL, NULL, NULL },
};

int
main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime m;
		struct err e = { ERR_NONE, "" };
		int rc = mime_parse(cases[i].text, &m, &e);

		if (!cases[i].type) {
			tap_ok(
			    rc == -1 && e.kind == ERR_INPUT, "case %zu is refused: %s", i, e.text);
			continue;
		}
		tap_is(rc, 0, cases[i].text);
		tap_str(m.type, cases[i].type, "type");
		tap_str(m.boundary, cases[i].boundary, "boundary");
		tap_is((long long)m.boundary_len, (long long)strlen(m.boundary), "its length");
		tap_str(m.charset, cases[i].charset, "charset");
	}
	return tap_done();
}
