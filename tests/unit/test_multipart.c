/*
 * Bodies that are accepted, each whole, cut in two at every place, and byte by byte.
 */
#include "base/sys.h"

#include "../support/multipart_events.h"
#include "tap.h"

#define N "\r\n"
#define A "--b" N "Content-Disposition: form-data; name=\"a\"" N N
#define F "--b" N "Content-Disposition: form-data; name=\"f\"; filename=\"x\"" N N
#define CD(params) "--b" N "Content-Disposition: form-data" params N N "1" END
#define HEAD(lines) "--b" N lines "Content-Disposition: form-data; name=\"a\"" N N "1" END
#define END N "--b--" N

static const struct {
	const char *name, *body, *want;
} cases[] = {
	{ "a field", A "1" END, "a=1|$" },
	{ "two fields", A "1" N A "2" END, "a=1|a=2|$" },
	{ "a file", F "data" END, "f<x>=data|$" },
	{ "no part at all", "--b--" N, "$" },
	{ "no part, no line end", "--b--", "$" },
	{ "the last line end may be missing", A "1" N "--b--", "a=1|$" },
	{ "an epilogue is ignored", A "1" END "rubbish" N "--b" N, "a=1|$" },
	{ "an epilogue on the closing line is ignored", A "1" N "--b-- x", "a=1|$" },
	{ "an empty value", A END, "a=|$" },
	{ "an empty value without its line end", A "--b--" N, "a=|$" },
	{ "an empty value without its line end, then a part", A A "1" END, "a=|a=1|$" },
	{ "a preamble", "This is a form." N A "1" END, "a=1|$" },
	{ "a preamble of line ends", N N A "1" END, "a=1|$" },
	{ "a preamble that nearly is a delimiter", "--" N "--c" N "-b" N A "1" END, "a=1|$" },
	{ "a delimiter in the middle of the preamble's line", "x--b" N A "1" END, "a=1|$" },
	{ "space after a delimiter",
	    "--b \t " N "Content-Disposition: form-data; name=a" N N "1" END, "a=1|$" },
	{ "space after the closing delimiter", A "1" N "--b-- \t" N, "a=1|$" },

	{ "CR in data", A "\r" END, "a=\\r|$" },
	{ "LF in data", A "\n" END, "a=\\n|$" },
	{ "CR LF in data", A N END, "a=\\r\\n|$" },
	{ "CR CR LF before the delimiter", A "\r" END, "a=\\r|$" },
	{ "CR LF CR LF before the delimiter", A "x" N N END, "a=x\\r\\n\\r\\n|$" },
	{ "LF CR before the delimiter", A "\n\r" END, "a=\\n\\r|$" },
	{ "CR LF - in data", A N "-" END, "a=\\r\\n-|$" },
	{ "CR LF -- in data", A N "--" END, "a=\\r\\n--|$" },
	{ "CR LF -- and another letter", A N "--c" END, "a=\\r\\n--c|$" },
	{ "CR LF - twice", A N "-" N "-" END, "a=\\r\\n-\\r\\n-|$" },
	{ "the delimiter without CR", A "\n--b" N END, "a=\\n--b\\r\\n|$" },
	{ "the delimiter without LF", A "\r--b" N END, "a=\\r--b\\r\\n|$" },
	{ "the delimiter with a letter behind it is data", A "1" N "--bc" N END,
	    "a=1\\r\\n--bc\\r\\n|$" },
	{ "the same at the start of the data", A "--bc" END, "a=--bc|$" },
	{ "the delimiter with one - behind it is data", A "1" N "--b-c" END, "a=1\\r\\n--b-c|$" },
	{ "the same at the start of the data", A "--b-" END, "a=--b-|$" },
	{ "the delimiter with - and CR LF behind it is data", A "1" N "--b-" END,
	    "a=1\\r\\n--b-|$" },
	{ "- at the start of the data", A "-" END, "a=-|$" },
	{ "-- at the start of the data", A "--" END, "a=--|$" },
	{ "-- x at the start of the data", A "--x" END, "a=--x|$" },
	{ "a false delimiter right before the true one", A N "--" N "--b--" N, "a=\\r\\n--|$" },
	{ "headers in data are data", A "X: y" N N "z" END, "a=X: y\\r\\n\\r\\nz|$" },
	{ "bytes of all kinds", A "\x01\x7f\x80\xff" END, "a=\\x01\\x7f\\x80\\xff|$" },

	{ "the name in lower case", "--b" N "content-disposition:form-data;name=a" N N "1" END,
	    "a=1|$" },
	{ "the type in upper case", "--b" N "Content-Disposition: FORM-DATA; NAME=a" N N "1" END,
	    "a=1|$" },
	{ "white space around the value",
	    "--b" N "Content-Disposition:\t  form-data ; name=\"a\" \t" N N "1" END, "a=1|$" },
	{ "tabs between parameters", CD(";\tname=a\t;\tfilename=x"), "a<x>=1|$" },
	{ "no space between parameters", CD(";name=a;filename=x"), "a<x>=1|$" },
	{ "empty parameters", CD(";; name=a ;;"), "a=1|$" },
	{ "unknown parameters are passed over", CD("; size=3; name=a; x=\"y;z\"; size=4"),
	    "a=1|$" },
	{ "file name before name", CD("; filename=x; name=a"), "a<x>=1|$" },
	{ "an empty file name", CD("; name=a; filename=\"\""), "a<>=1|$" },
	{ "a name with spaces and UTF-8", CD("; name=\"a b \xc3\xa4\""), "a b \\xc3\\xa4=1|$" },
	{ "a name with brackets", CD("; name=a[0]"), "a[0]=1|$" },
	{ "semicolon and = in quotes", CD("; name=\"a;b=c\""), "a;b=c=1|$" },
	{ "\\\" in a name", CD("; name=\"a\\\"b\""), "a\"b=1|$" },
	{ "\\\\ in a name", CD("; name=\"a\\\\b\""), "a\\x5cb=1|$" },
	{ "other backslashes stay", CD("; name=a; filename=\"C:\\dir\\n.txt\""),
	    "a<C:\\x5cdir\\x5cn.txt>=1|$" },
	{ "%22", CD("; name=a; filename=\"%22.txt\""), "a<\".txt>=1|$" },
	{ "%0D%0A", CD("; name=a; filename=\"x%0D%0ay%0d%0A\""), "a<x\\r\\ny\\r\\n>=1|$" },
	{ "other escapes stay", CD("; name=a; filename=\"%41%00%2f%2\""), "a<%41%00%2f%2>=1|$" },
	{ "a path", CD("; name=a; filename=\"../../etc/passwd\""), "a<../../etc/passwd>=1|$" },
	{ "bytes that are no UTF-8 in a file name", CD("; name=a; filename=\"\xff\""),
	    "a<\\xff>=1|$" },
	{ "a control character in a file name", CD("; name=a; filename=\"\x1b[1m\""),
	    "a<\\x1b[1m>=1|$" },
	{ "an unquoted file name with brackets", CD("; name=a; filename=x(1).jpg"),
	    "a<x(1).jpg>=1|$" },
	{ "filename*", CD("; name=a; filename*=UTF-8''%e2%82%AC.txt"),
	    "a<*\\xe2\\x82\\xac.txt>=1|$" },
	{ "filename* in lower case, with language", CD("; name=a; filename*=utf-8'en-GB'x.txt"),
	    "a<*x.txt>=1|$" },
	{ "filename* wins when it comes last", CD("; name=a; filename=x; filename*=UTF-8''y"),
	    "a<*y>=1|$" },
	{ "filename* wins when it comes first", CD("; filename*=UTF-8''y; filename=x; name=a"),
	    "a<*y>=1|$" },
	{ "an empty filename*", CD("; name=a; filename=x; filename*=UTF-8''"), "a<*>=1|$" },
	{ "NUL in filename* is told with its length", CD("; name=a; filename*=UTF-8''a%00b"),
	    "a<*a\\x00b>=1|$" },

	{ "a content type", HEAD("Content-Type: text/plain; charset=utf-8" N),
	    "a(text/plain; charset=utf-8)=1|$" },
	{ "a content type with ~", HEAD("Content-Type: x/~" N), "a(x/~)=1|$" },
	{ "a content type of white space", HEAD("Content-Type: \t " N), "a=1|$" },
	{ "an empty content type", HEAD("Content-Type:" N), "a=1|$" },
	{ "a nested multipart is one part", HEAD("Content-Type: multipart/mixed; boundary=c" N),
	    "a(multipart/mixed; boundary=c)=1|$" },
	{ "the type of one part is not the next one's",
	    "--b" N "Content-Type: x/y" N "Content-Disposition: form-data; name=c" N N "1" N A
	    "2" END,
	    "c(x/y)=1|a=2|$" },
	{ "the file name of one part is not the next one's", F "1" N A "2" END, "f<x>=1|a=2|$" },
	{ "7bit", HEAD("Content-Transfer-Encoding: 7bit" N), "a=1|$" },
	{ "8BIT", HEAD("Content-Transfer-Encoding: 8BIT" N), "a=1|$" },
	{ "binary", HEAD("content-transfer-encoding:binary" N), "a=1|$" },
	{ "unknown headers", HEAD("X-A: 1" N "Content-Length: 77" N "X-A: 2" N), "a=1|$" },
	{ "an unknown header without value", HEAD("X:" N), "a=1|$" },
	{ "_charset_ is a field", CD("; name=_charset_"), "_charset_=1|$" },
};

static void
check_cuts(const char *name, const char *body, const char *want)
{
	size_t n = strlen(body), bad = 0, at = 0;
	struct strbuf b;

	strbuf_init(&b);
	for (size_t cut = 1; cut < n; cut++) {
		events_run(&b, "b", NULL, body, n, cut, n);
		if (strcmp(b.s, want) != 0) {
			bad++;
			at = cut;
		}
	}
	for (size_t step = 1; step < 5; step++) {
		events_run(&b, "b", NULL, body, n, 0, step);
		if (strcmp(b.s, want) != 0)
			bad++;
	}
	if (!tap_ok(bad == 0, "%s, cut", name))
		printf("# %zu cuts differ, one at %zu\n", bad, at);
	strbuf_release(&b);
}

int
main(void)
{
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		events_run(&b, "b", NULL, cases[i].body, strlen(cases[i].body), 0, SIZE_MAX);
		tap_str(b.s, cases[i].want, cases[i].name);
		check_cuts(cases[i].name, cases[i].body, cases[i].want);
	}
	strbuf_release(&b);
	return tap_done();
}
