#include "base/sys.h"

#include "base/id.h"
#include "tap.h"

static void
making(void)
{
	struct id ids[1000];
	bool version = true, distinct = true;

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		id_new(&ids[i]);
		version = version && ids[i].b[6] >> 4 == 4 && ids[i].b[8] >> 6 == 2;
		for (size_t k = 0; k < i; k++)
			distinct = distinct && !id_equal(&ids[i], &ids[k]);
	}
	tap_ok(version, "version 4, variant of RFC 9562");
	tap_ok(distinct, "all differ");
}

static void
parsing(void)
{
	static const char *const bad[] = { "", "0f8fad5b-d9cb-469f-a165-70867728950",
		"0f8fad5b-d9cb-469f-a165-70867728950e0", "0f8fad5bd9cb469fa16570867728950e",
		"{0f8fad5b-d9cb-469f-a165-70867728950e}", " 0f8fad5b-d9cb-469f-a165-7086772895",
		"0f8fad5b-d9cb-469f-a165-70867728950g", "0f8fad5b_d9cb_469f_a165_70867728950e",
		"0f8fad5b-d9cb-469f-a165-70867728950\n", "../../../../../../../../etc/passwd.." };
	static const char good[] = "0f8fad5b-d9cb-469f-a165-70867728950e";
	struct id id, same;
	char text[ID_TEXT];

	tap_is(id_parse(good, &id), 0, "parse");
	tap_str(id_text(&id, text), good, "and back");
	tap_ok(id_parse("0F8FAD5B-D9CB-469F-A165-70867728950E", &same) == 0 && id_equal(&id, &same),
	    "upper case is the same");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		memset(&same, 7, sizeof same);
		tap_ok(id_parse(bad[i], &same) == -1 && same.b[0] == 7, "refuses case %zu", i);
	}
	id_new(&id);
	tap_ok(id_parse(id_text(&id, text), &same) == 0 && id_equal(&id, &same), "round trip");
}

static void
randomness(void)
{
	unsigned char a[300] = { 0 }, b[300] = { 0 };
	size_t zeros = 0;

	id_random(a, sizeof a);
	id_random(b, sizeof b - 1);
	for (size_t i = 0; i < sizeof a; i++)
		zeros += a[i] == 0;
	tap_ok(
	    zeros < 30, "all bytes are filled (more than getrandom gives at once without a loop)");
	tap_ok(memcmp(a, b, 299) != 0, "two fillings differ");
	tap_is(b[299], 0, "not a byte more than asked");
}

int
main(void)
{
	making();
	parsing();
	randomness();
	return tap_done();
}
