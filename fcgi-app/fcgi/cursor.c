#include "base/sys.h"

#include "base/codec.h"
#include "fcgi/cursor.h"

enum { RAW = 8 + sizeof(struct id) };

/* 9999-12-31T23:59:59.999999Z; PostgreSQL and RFC 3339 both reach it. */
static const int64_t latest = INT64_C(253402300799999999);

const char *
cursor_format(const struct cursor *c, char out[CURSOR_TEXT])
{
	unsigned char raw[RAW];
	uint64_t t = (uint64_t)c->created_us;
	struct strbuf b;

	for (int i = 0; i < 8; i++)
		raw[i] = (unsigned char)(t >> (56 - 8 * i));
	memcpy(raw + 8, c->id.b, sizeof(c->id.b));
	strbuf_init(&b);
	codec_base64url(&b, raw, sizeof(raw));
	memcpy(out, b.s, CURSOR_TEXT);
	strbuf_release(&b);
	return out;
}

static int
base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int
cursor_parse(const char *s, struct cursor *c)
{
	unsigned char raw[RAW];
	uint64_t t = 0;

	if (!s || strlen(s) != CURSOR_TEXT - 1)
		return -1;
	for (size_t i = 0; i < RAW; i += 3, s += 4) {
		uint32_t v = 0;

		for (int k = 0; k < 4; k++) {
			int six = base64url_value(s[k]);

			if (six < 0)
				return -1;
			v = v << 6 | (uint32_t)six;
		}
		raw[i] = (unsigned char)(v >> 16);
		raw[i + 1] = (unsigned char)(v >> 8);
		raw[i + 2] = (unsigned char)v;
	}
	for (int i = 0; i < 8; i++)
		t = t << 8 | raw[i];
	if (t > (uint64_t)latest)
		return -1;
	c->created_us = (int64_t)t;
	memcpy(c->id.b, raw + 8, sizeof(c->id.b));
	return 0;
}
