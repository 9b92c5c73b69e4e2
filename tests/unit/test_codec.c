#include "base/sys.h"

#include "base/codec.h"
#include "tap.h"

static void
hex(void)
{
	unsigned char bytes[3] = { 0x00, 0xab, 0xff }, back[3] = { 9, 9, 9 };
	char out[7];

	tap_str(codec_hex(bytes, 3, out), "00abff", "hex");
	tap_ok(codec_unhex("00aBfF", 6, back, 3) == 0 && memcmp(back, bytes, 3) == 0, "unhex");
	memset(back, 9, 3);
	tap_is(codec_unhex("00abfg", 6, back, 3), -1, "no digit");
	tap_is(back[0], 9, "nothing is written then");
	tap_is(codec_unhex("00abf", 5, back, 3), -1, "odd");
	tap_is(codec_unhex("00abff00", 8, back, 3), -1, "too long");
}

static void
base64(void)
{
	/* RFC 4648 section 10, and bytes that need the last two letters. */
	static const struct {
		const char *in, *padded, *url;
	} cases[] = { { "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" }, { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+", "-__-" } };
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		strbuf_reset(&b);
		codec_base64(&b, cases[i].in, strlen(cases[i].in));
		tap_str(b.s, cases[i].padded, "base64");
		strbuf_reset(&b);
		codec_base64url(&b, cases[i].in, strlen(cases[i].in));
		tap_str(b.s, cases[i].url, "base64url");
	}
	strbuf_release(&b);
}

static void
percent(void)
{
	static const char *const bad[] = { "%", "%4", "a%zz", "%4g", "%%41", "x%" };
	struct strbuf b;

	strbuf_init(&b);
	tap_ok(codec_percent_decode(&b, "a%20b%2Fc%c3%a9+", 16, false) == 0 &&
		   strcmp(b.s, "a b/c\xc3\xa9+") == 0,
	    "decode");
	strbuf_reset(&b);
	tap_ok(codec_percent_decode(&b, "a+b", 3, true) == 0 && strcmp(b.s, "a b") == 0, "plus");
	strbuf_reset(&b);
	tap_ok(codec_percent_decode(&b, "a%00b", 5, false) == 0 && b.len == 3 && b.s[1] == '\0',
	    "a NUL is the caller's matter");
	strbuf_reset(&b);
	tap_ok(codec_percent_decode(&b, "%41", 2, false) == -1, "an escape beyond n is not read");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		strbuf_reset(&b);
		tap_is(codec_percent_decode(&b, bad[i], strlen(bad[i]), false), -1, bad[i]);
	}
	strbuf_reset(&b);
	codec_percent_encode(&b, "aZ9!#$&+-.^_`|~ /%\"'()*,;=\xc3\xa9\r\n", 30);
	tap_str(b.s, "aZ9!#$&+-.^_`|~%20%2F%25%22%27%28%29%2A%2C%3B%3D%C3%A9%0D%0A",
	    "encode all but attr-char");
	strbuf_reset(&b);
	codec_percent_encode(&b, "\0", 1);
	tap_str(b.s, "%00", "encode NUL");
	strbuf_release(&b);
}

static void
utf8(void)
{
	static const struct {
		const char *s;
		size_t n, len;
		uint32_t cp;
	} cases[] = { { "a", 1, 1, 'a' }, { "\0", 1, 1, 0 }, { "\xc2\x80", 2, 2, 0x80 },
		{ "\xdf\xbf", 2, 2, 0x7ff }, { "\xe0\xa0\x80", 3, 3, 0x800 },
		{ "\xef\xbf\xbf", 3, 3, 0xffff }, { "\xf0\x90\x80\x80", 4, 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff }, { "\x80", 1, 0, 0 },
		{ "\xc1\xbf", 2, 0, 0 }, { "\xc0\x80", 2, 0, 0 }, { "\xe0\x9f\xbf", 3, 0, 0 },
		{ "\xf0\x8f\xbf\xbf", 4, 0, 0 }, { "\xed\xa0\x80", 3, 0, 0 },
		{ "\xed\xbf\xbf", 3, 0, 0 }, { "\xf4\x90\x80\x80", 4, 0, 0 },
		{ "\xf8\x88\x80\x80\x80", 5, 0, 0 }, { "\xff", 1, 0, 0 }, { "\xc3\xa9", 1, 0, 0 },
		{ "\xe2\x82\xac", 2, 0, 0 }, { "\xc3\x28", 2, 0, 0 } };
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t cp = 0;

		tap_ok(codec_utf8(cases[i].s, cases[i].n, &cp) == cases[i].len && cp == cases[i].cp,
		    "utf8 case %zu", i);
		if (cases[i].len == 0)
			continue;
		strbuf_reset(&b);
		codec_utf8_add(&b, cases[i].cp);
		tap_ok(b.len == cases[i].len && memcmp(b.s, cases[i].s, b.len) == 0, "and back");
	}
	tap_ok(codec_utf8_valid("gr\xc3\xbc\xc3\x9f", 6), "valid");
	tap_ok(codec_utf8_valid("", 0), "empty is valid");
	tap_ok(!codec_utf8_valid("a\xff", 2), "not valid");
	tap_ok(!codec_utf8_valid("a\xc3\xa9", 2), "cut");
	strbuf_release(&b);
}

int
main(void)
{
	hex();
	base64();
	percent();
	utf8();
	return tap_done();
}
