#include "base/sys.h"

#include "fcgi/cursor.h"
#include "tap.h"

#define ID "00112233-4455-6677-8899-aabbccddeeff"

static void
test_round_trip(int64_t created_us, const char *text)
{
	struct cursor c = { .created_us = created_us }, d;
	char out[CURSOR_TEXT];

	if (id_parse(ID, &c.id) < 0)
		abort();
	tap_str(cursor_format(&c, out), text, "a cursor as text");
	tap_ok(cursor_parse(out, &d) == 0 && d.created_us == created_us && id_equal(&c.id, &d.id),
	    "and back");
}

int
main(void)
{
	static const char *const bad[] = {
		"",
		"A",
		"AAAAAAAAAAAAESIzRFVmd4iZqrvM3e7",   /* one short */
		"AAAAAAAAAAAAESIzRFVmd4iZqrvM3e7_A", /* one long */
		"AAAAAAAAAAAAESIzRFVmd4iZqrvM3e7=",  /* padding */
		"AAAAAAAAAAAAESIzRFVmd4iZqrvM3e7/",  /* the other alphabet */
		"AAAAAAAAAAAAESIzRFVmd4iZqrvM3e7+",
		" AAAAAAAAAAAESIzRFVmd4iZqrvM3e7_",
		"AAAAAAAAAAAAESIzRFVmd4iZqrvM3e7\xff",
		"gAAAAAAAAAAAESIzRFVmd4iZqrvM3e7_", /* a negative time */
		"A4REDMxzYAAAESIzRFVmd4iZqrvM3e7_", /* the year 10000 */
		"________________________________",
	};
	static const char every[] = "AAAAaz09-_AZaz09-_AZaz09-_AZaz09";
	char out[CURSOR_TEXT];
	struct cursor c;

	tap_is(cursor_parse(every, &c), 0, "letters from both ends of the alphabet");
	tap_str(cursor_format(&c, out), every, "and back");
	test_round_trip(0, "AAAAAAAAAAAAESIzRFVmd4iZqrvM3e7_");
	test_round_trip(1795281176123456, "AAZgzHjGWEAAESIzRFVmd4iZqrvM3e7_");
	test_round_trip(253402300799999999, "A4REDMxzX_8AESIzRFVmd4iZqrvM3e7_");
	tap_is(cursor_parse(NULL, &c), -1, "no cursor");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		tap_is(cursor_parse(bad[i], &c), -1, bad[i]);
	return tap_done();
}
