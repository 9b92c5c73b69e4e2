#include "base/sys.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "tap.h"

static void
building(void)
{
	struct strbuf b;
	char *s;

	strbuf_init(&b);
	tap_str(b.s, "", "empty");
	strbuf_reset(&b);
	s = strbuf_take(&b);
	tap_str(s, "", "an empty one can be taken");
	mem_free(s);

	strbuf_adds(&b, "abc");
	strbuf_addc(&b, '-');
	strbuf_addf(&b, "%s/%d", "x", 7);
	strbuf_add(&b, "\0z", 2);
	tap_is((long long)b.len, 9, "length");
	tap_ok(memcmp(b.s, "abc-x/7\0z", 10) == 0, "content, with a NUL at its end");
	s = strbuf_take(&b);
	tap_ok(memcmp(s, "abc-x/7\0z", 10) == 0 && b.len == 0 && b.s[0] == '\0', "taken");
	mem_free(s);

	for (int i = 0; i < 10000; i++)
		strbuf_addf(&b, "%04d", i);
	tap_ok(b.len == 40000 && strlen(b.s) == 40000 && memcmp(b.s + 39996, "9999", 4) == 0,
	    "it grows");
	strbuf_reset(&b);
	tap_ok(b.len == 0 && b.s[0] == '\0' && b.cap > 40000, "reset keeps the memory");
	strbuf_adds(&b, "again");
	tap_str(b.s, "again", "and can be filled again");
	strbuf_release(&b);
	strbuf_release(&b);
	tap_str(b.s, "", "released twice");
}

static void
copying(void)
{
	char small[4] = "zzz";

	tap_ok(str_copy(small, sizeof small, "abc") == 0 && strcmp(small, "abc") == 0, "fits");
	tap_ok(str_copy(small, sizeof small, "abcd") == -1 && strcmp(small, "abc") == 0, "is cut");
	tap_ok(str_copy(small, sizeof small, "") == 0 && small[0] == '\0', "empty");
	small[0] = 'q';
	tap_ok(str_copy(small, 0, "a") == -1 && small[0] == 'q', "no room at all");
	tap_ok(str_copy(small, 1, "a") == -1 && small[0] == '\0', "room for the NUL only");
}

int
main(void)
{
	building();
	copying();
	return tap_done();
}
