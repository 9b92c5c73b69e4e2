#include "base/sys.h"

#include "base/codec.h"
#include "base/strbuf.h"
#include "fcgi/filename.h"
#include "tap.h"

#define FFFD "\xef\xbf\xbd"

static const struct {
	const char *name, *raw;
	size_t size; /* 0: up to the NUL */
	const char *want;
} cases[] = {
	{ "a plain name", "photo.jpg", 0, "photo.jpg" },
	{ "spaces stay", " a b .txt ", 0, " a b .txt " },
	{ "UTF-8 stays", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80.txt", 0,
	    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80.txt" },
	{ "a decomposed letter stays", "a\xcc\x88.txt", 0, "a\xcc\x88.txt" },
	{ "quotes and percent stay", "a\"b%22'c.txt", 0, "a\"b%22'c.txt" },
	{ "a hidden file", ".htaccess", 0, ".htaccess" },

	{ "a Unix path", "/etc/passwd", 0, "passwd" },
	{ "a Windows path", "C:\\Users\\x\\photo.jpg", 0, "photo.jpg" },
	{ "a mixed path", "a\\b/c", 0, "c" },
	{ "and the other way", "a/b\\c", 0, "c" },
	{ "upwards", "../../x", 0, "x" },
	{ "upwards on Windows", "..\\..\\x", 0, "x" },
	{ "escapes are not decoded", "%2e%2e%2fx", 0, "%2e%2e%2fx" },
	{ "an overlong slash is no slash", "..\xc0\xafx", 0, ".." FFFD FFFD "x" },
	{ "an overlong dot is no dot", "\xc0\xae\xc0\xae", 0, FFFD FFFD FFFD FFFD },
	{ "a directory", "a/b/", 0, "unnamed" },

	{ "nothing", "", 0, "unnamed" },
	{ "a dot", ".", 0, "unnamed" },
	{ "two dots", "..", 0, "unnamed" },
	{ "a path of dots", "a/..", 0, "unnamed" },
	{ "spaces and dots", " . . ", 0, "unnamed" },
	{ "a name of zero-width characters", "\xe2\x80\x8b\xef\xbb\xbf", 0, "unnamed" },
	{ "a dot between zero-width characters", "\xe2\x80\x8b.\xe2\x80\x8b.", 0, "unnamed" },

	{ "CR LF", "a\r\nb", 0, "a__b" },
	{ "NUL", "a\0b", 3, "a_b" },
	{ "NUL before an extension", "x.php\0.jpg", 10, "x.php_.jpg" },
	{ "C0 and DEL", "\x01\x1f\x7f", 0, "___" },
	{ "ESC", "\x1b[31m", 0, "_[31m" },
	{ "C1", "\xc2\x80\xc2\x9f.", 0, "__." },
	{ "no-break space is no control", "\xc2\xa0", 0, "\xc2\xa0" },
	{ "line and paragraph separator",
	    "a\xe2\x80\xa8\xe2\x80\xa9"
	    "b",
	    0, "a__b" },
	{ "right-to-left override", "photo\xe2\x80\xaegpj.exe", 0, "photogpj.exe" },
	{ "embeddings",
	    "\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad"
	    "a",
	    0, "a" },
	{ "isolates",
	    "\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9"
	    "a",
	    0, "a" },
	{ "directional marks",
	    "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"
	    "a",
	    0, "a" },
	{ "joiners",
	    "a\xe2\x80\x8c\xe2\x80\x8d\xe2\x81\xa0"
	    "b",
	    0, "ab" },
	{ "soft hyphen",
	    "a\xc2\xad"
	    "b",
	    0, "ab" },
	{ "byte order mark",
	    "\xef\xbb\xbf"
	    "a",
	    0, "a" },
	{ "tags", "a\xf3\xa0\x81\x81", 0, "a" },
	{ "hyphen U+2010 stays", "a\xe2\x80\x90", 0, "a\xe2\x80\x90" },

	{ "a lone byte", "\xff.txt", 0, FFFD ".txt" },
	{ "Latin-1", "\xe4.txt", 0, FFFD ".txt" },
	{ "a cut sequence", "a\xe2\x82", 0, "a" FFFD FFFD },
	{ "a surrogate", "\xed\xa0\x80", 0, FFFD FFFD FFFD },
	{ "beyond Unicode", "\xf4\x90\x80\x80", 0, FFFD FFFD FFFD FFFD },
	{ "UTF-16", ".\0.\0/\0", 6, "_" },
};

/* stem times unit, then tail: what comes out is want_len bytes and ends with tail (or not). */
static void
check_long(const char *unit, size_t times, const char *tail, size_t want_len, bool keeps)
{
	char out[FILENAME_SIZE], again[FILENAME_SIZE];
	struct strbuf b;
	size_t n;

	strbuf_init(&b);
	for (size_t i = 0; i < times; i++)
		strbuf_adds(&b, unit);
	strbuf_adds(&b, tail);
	n = filename_clean(b.s, b.len, out);
	tap_is((long long)n, (long long)want_len, "a long name is cut");
	tap_ok((n >= strlen(tail) && strcmp(out + n - strlen(tail), tail) == 0) == keeps,
	    "%zu bytes with %.9s: the extension %s", b.len, tail, keeps ? "is kept" : "goes");
	tap_ok(codec_utf8_valid(out, n), "it is still UTF-8");
	filename_clean(out, n, again);
	tap_str(again, out, "cleaning it again changes nothing");
	strbuf_release(&b);
}

int
main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t size = cases[i].size ? cases[i].size : strlen(cases[i].raw);
		char out[FILENAME_SIZE], again[FILENAME_SIZE];
		size_t n = filename_clean(cases[i].raw, size, out);

		tap_str(out, cases[i].want, cases[i].name);
		tap_ok(n == strlen(out) && filename_clean(out, n, again) == n &&
			   strcmp(out, again) == 0,
		    "and cleaning it again changes nothing");
	}
	check_long("x", 251, ".jpg", 255, true);
	check_long("x", 252, ".jpg", 255, true);
	check_long("x", 9000, ".jpg", 255, true);
	check_long("\xe2\x82\xac", 85, "", 255, true);
	check_long("\xe2\x82\xac", 100, ".jpg", 253, true);
	check_long("\xe2\x82\xac", 100, ".jpeg", 254, true);
	check_long("\xf0\x9f\x98\x80", 100, ".gif", 252, true);
	check_long("\xff", 1000, ".txt", 253, true);
	check_long("x", 300, ".0123456789012345678901234567890", 255, true);
	check_long("x", 300, ".01234567890123456789012345678901", 255, false);
	check_long("x", 300, ".", 255, true);
	check_long(".", 300, "a", 255, true);
	check_long(" ", 300, ". ", 7, false);
	return tap_done();
}
