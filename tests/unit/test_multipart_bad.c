/*
 * Bodies that are refused: each with its reason, and with the same one however it is cut.
 */
#include "base/sys.h"

#include "../support/multipart_events.h"
#include "tap.h"

#define N "\r\n"
#define A "--b" N "Content-Disposition: form-data; name=\"a\"" N N
#define CD(params) "--b" N "Content-Disposition: form-data" params N N "1" END
#define HEAD(lines) "--b" N lines "Content-Disposition: form-data; name=\"a\"" N N "1" END
#define END N "--b--" N
#define EARLY "ended before the closing delimiter"

/* size 0 means up to the NUL; why stands in the error, told is what came before it */
static const struct {
	const char *name, *body;
	size_t size;
	const char *told, *why;
} cases[] = {
	{ "nothing", "", 0, "", EARLY },
	{ "no delimiter", "hello", 0, "", EARLY },
	{ "half a delimiter", "--", 0, "", EARLY },
	{ "a delimiter and nothing else", "--b", 0, "", EARLY },
	{ "a delimiter and one -", "--b-", 0, "", EARLY },
	{ "a delimiter line and nothing else", "--b" N, 0, "", EARLY },
	{ "ends in a header", "--b" N "Content-Dispo", 0, "", EARLY },
	{ "ends before the empty line", "--b" N "Content-Disposition: form-data; name=a" N, 0, "",
	    EARLY },
	{ "ends in the empty line", "--b" N "Content-Disposition: form-data; name=a" N "\r", 0, "",
	    EARLY },
	{ "ends before the data", A, 0, "a=", EARLY },
	{ "ends in the data", A "data", 0, "a=data", EARLY },
	{ "ends with CR", A "data\r", 0, "a=data", EARLY },
	{ "ends in the delimiter", A "data" N "--", 0, "a=data", EARLY },
	{ "ends after the delimiter", A "data" N "--b", 0, "a=data", EARLY },
	{ "ends after one -", A "data" N "--b-", 0, "a=data", EARLY },
	{ "ends in white space", A "data" N "--b ", 0, "a=data|", EARLY },
	{ "ends after a delimiter's CR", A "data" N "--b\r", 0, "a=data|", EARLY },
	{ "ends after a part", A "data" N "--b" N, 0, "a=data|", EARLY },
	{ "the first delimiter is longer", "--bc" N, 0, "", EARLY },
	{ "the closing delimiter is not at a line's start", A "data--b--" N, 0, "a=data--b--",
	    EARLY },
	{ "only LF", "--b\nContent-Disposition: form-data; name=a\n\n1\n--b--\n", 0, "",
	    "a delimiter ends with a bare LF" },

	{ "a delimiter with a bare LF", A "1" N "--b\n", 0, "a=1|",
	    "a delimiter ends with a bare LF" },
	{ "a delimiter with a bare CR", A "1" N "--b\rx", 0, "a=1|",
	    "a delimiter ends with a bare CR" },
	{ "a delimiter with two CR", "--b\r\r\n", 0, "", "a delimiter ends with a bare CR" },
	{ "text after a delimiter", "--b x" N, 0, "", "text after a delimiter" },
	{ "- after white space", A "1" N "--b --" N, 0, "a=1|", "text after a delimiter" },

	{ "a header with a bare LF", HEAD("X: y\n"), 0, "", "a header line ends with a bare LF" },
	{ "an empty line with a bare LF", "--b" N "Content-Disposition: form-data; name=a" N "\n",
	    0, "", "a header line ends with a bare LF" },
	{ "a header with a bare CR", HEAD("X: y\rZ: z" N), 0, "", "bare CR in a header line" },
	{ "a header with two CR", HEAD("X: y\r" N), 0, "", "bare CR in a header line" },
	{ "NUL in a header", "--b" N "X: \0" N N, 11, "", "NUL in a header line" },
	{ "a folded header", HEAD("X: y" N " z" N), 0, "", "a header line is folded" },
	{ "a header folded with a tab", HEAD("X: y" N "\tz" N), 0, "", "a header line is folded" },
	{ "the first header folded", HEAD(" X: y" N), 0, "", "a header line is folded" },
	{ "a header without colon", HEAD("X" N), 0, "", "a header line is not" },
	{ "a header without name", HEAD(": y" N), 0, "", "a header line is not" },
	{ "space before the colon", HEAD("X : y" N), 0, "", "a header line is not" },
	{ "a header's name in UTF-8", HEAD("\xc3\xa4: y" N), 0, "", "a header line is not" },

	{ "no header at all", "--b" N N "1" END, 0, "", "Content-Disposition is missing" },
	{ "no disposition", "--b" N "Content-Type: text/plain" N N "1" END, 0, "",
	    "Content-Disposition is missing" },
	{ "two dispositions", HEAD("Content-Disposition: form-data; name=a" N), 0, "",
	    "Content-Disposition is given twice" },
	{ "an empty disposition", "--b" N "Content-Disposition:" N N, 0, "",
	    "Content-Disposition has no type" },
	{ "an attachment", "--b" N "Content-Disposition: attachment; name=a" N N, 0, "",
	    "Content-Disposition is not form-data" },
	{ "no name", CD(""), 0, "", "Content-Disposition has no name=" },
	{ "a file name and no name", CD("; filename=x"), 0, "",
	    "Content-Disposition has no name=" },
	{ "an empty name", CD("; name=\"\""), 0, "", "name= is empty" },
	{ "a name without value", CD("; name="), 0, "", "the value of a parameter is missing" },
	{ "a name without =", CD("; name"), 0, "", "a parameter is not name=value" },
	{ "space before =", CD("; name =a"), 0, "", "a parameter is not name=value" },
	{ "space after =", CD("; name= a"), 0, "", "the value of a parameter is missing" },
	{ "a value without name", CD("; =a"), 0, "", "a parameter is not name=value" },
	{ "no semicolon", CD(" name=a"), 0, "", "\";\" expected" },
	{ "a comma", CD(", name=a"), 0, "", "\";\" expected" },
	{ "text after a quoted value", CD("; name=\"a\"b"), 0, "", "\";\" expected" },
	{ "an unquoted space", CD("; name=a b"), 0, "", "\";\" expected" },
	{ "a quote that is not closed", CD("; name=\"a"), 0, "", "not closed with a quote" },
	{ "a closing quote that is escaped", CD("; name=\"a\\\""), 0, "",
	    "not closed with a quote" },
	{ "a quote inside", CD("; name=\"a\"b\""), 0, "", "\";\" expected" },
	{ "two names", CD("; name=a; name=a"), 0, "", "name= is given twice" },
	{ "two names in other letters", CD("; name=a; NAME=b"), 0, "", "name= is given twice" },
	{ "two file names", CD("; name=a; filename=x; filename=y"), 0, "",
	    "filename= is given twice" },
	{ "two file names around filename*",
	    CD("; name=a; filename=x; filename*=UTF-8''z; filename=y"), 0, "",
	    "filename= is given twice" },
	{ "two filename*", CD("; name=a; filename*=UTF-8''x; filename*=UTF-8''x"), 0, "",
	    "filename*= is given twice" },
	{ "a name that is not UTF-8", CD("; name=\"\xff\""), 0, "", "name= is not UTF-8" },
	{ "an overlong name", CD("; name=\"\xc0\xaf\""), 0, "", "name= is not UTF-8" },
	{ "name*", CD("; name=a; name*=UTF-8''b"), 0, "", "name*= is not supported" },
	{ "a continuation", CD("; name=a; filename*0=b"), 0, "", "filename*0= is not supported" },
	{ "an encoded continuation", CD("; name=a; filename*1*=b"), 0, "",
	    "filename*1*= is not supported" },
	{ "filename* in another character set", CD("; name=a; filename*=ISO-8859-1''x"), 0, "",
	    "filename*= is not of the form" },
	{ "filename* without character set", CD("; name=a; filename*=x"), 0, "",
	    "filename*= is not of the form" },
	{ "filename* with one quote", CD("; name=a; filename*=UTF-8'x"), 0, "",
	    "filename*= is not of the form" },
	{ "filename* in quotes", CD("; name=a; filename*=\"UTF-8''x\""), 0, "",
	    "filename*= is not of the form" },
	{ "filename* with half an escape", CD("; name=a; filename*=UTF-8''x%4"), 0, "",
	    "filename*= is not of the form" },
	{ "filename* with no hex", CD("; name=a; filename*=UTF-8''%zz"), 0, "",
	    "filename*= is not of the form" },
	{ "filename* with a bracket", CD("; name=a; filename*=UTF-8''(x)"), 0, "",
	    "filename*= is not of the form" },
	{ "a broken filename* beside a good filename", CD("; name=a; filename=x; filename*=y"), 0,
	    "", "filename*= is not of the form" },

	{ "two types", HEAD("Content-Type: a/b" N "content-type: a/b" N), 0, "",
	    "Content-Type is given twice" },
	{ "a type with a control character", HEAD("Content-Type: a/\x1b" N), 0, "",
	    "Content-Type is not printable ASCII" },
	{ "a type in UTF-8", HEAD("Content-Type: \xc3\xa4" N), 0, "",
	    "Content-Type is not printable ASCII" },
	{ "base64", HEAD("Content-Transfer-Encoding: base64" N), 0, "",
	    "Content-Transfer-Encoding is not" },
	{ "quoted-printable", HEAD("Content-Transfer-Encoding: quoted-printable" N), 0, "",
	    "Content-Transfer-Encoding is not" },
	{ "an empty encoding", HEAD("Content-Transfer-Encoding:" N), 0, "",
	    "Content-Transfer-Encoding is not" },
	{ "two encodings",
	    HEAD("Content-Transfer-Encoding: 8bit" N "Content-Transfer-Encoding: 8bit" N), 0, "",
	    "Content-Transfer-Encoding is given twice" },
	{ "the second part is told by its number", A "1" N "--b" N N, 0, "a=1|", "part 2: " },
};

int
main(void)
{
	struct strbuf b, cut;

	strbuf_init(&b);
	strbuf_init(&cut);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *body = cases[i].body, *told = cases[i].told;
		size_t n = cases[i].size ? cases[i].size : strlen(body), differ = 0;

		events_run(&b, "b", NULL, body, n, 0, SIZE_MAX);
		if (!tap_ok(strncmp(b.s, told, strlen(told)) == 0 &&
				strncmp(b.s + strlen(told), "!input:multipart body", 21) == 0 &&
				strstr(b.s + strlen(told), cases[i].why),
			"%s", cases[i].name))
			printf("# got %s\n", b.s);
		for (size_t at = 1; at < n; at++) {
			events_run(&cut, "b", NULL, body, n, at, n);
			differ += strcmp(b.s, cut.s) != 0;
		}
		events_run(&cut, "b", NULL, body, n, 0, 1);
		differ += strcmp(b.s, cut.s) != 0;
		tap_is((long long)differ, 0, "the same however it is cut");
	}
	strbuf_release(&b);
	strbuf_release(&cut);
	return tap_done();
}
