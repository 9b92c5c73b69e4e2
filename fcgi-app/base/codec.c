#include "base/sys.h"

#include "base/codec.h"

static const char hex_digits[] = "0123456789abcdef";

const char *
codec_hex(const void *p, size_t n, char *out)
{
	const unsigned char *s = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = hex_digits[s[i] >> 4];
		out[2 * i + 1] = hex_digits[s[i] & 15];
	}
	out[2 * n] = '\0';
	return out;
}

/* The value of a hex digit, or -1. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
codec_unhex(const char *s, size_t len, void *out, size_t n)
{
	unsigned char *o = out;

	if (len % 2 != 0 || len / 2 != n)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (hex_value(s[i]) < 0)
			return -1;
	}
	for (size_t i = 0; i < n; i++)
		o[i] = (unsigned char)(hex_value(s[2 * i]) << 4 | hex_value(s[2 * i + 1]));
	return 0;
}

static void
base64(struct strbuf *b, const unsigned char *s, size_t n, const char last[2], bool pad)
{
	static const char common[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)s[i] << 16 | (have > 1 ? (uint32_t)s[i + 1] << 8 : 0) |
			     (have > 2 ? s[i + 2] : 0);

		for (size_t k = 0; k < 4; k++) {
			uint32_t six = v >> (18 - 6 * k) & 63;

			if (k <= have)
				strbuf_addc(b, six < 62 ? common[six] : last[six - 62]);
			else if (pad)
				strbuf_addc(b, '=');
		}
	}
}

void
codec_base64(struct strbuf *b, const void *p, size_t n)
{
	base64(b, p, n, "+/", true);
}

void
codec_base64url(struct strbuf *b, const void *p, size_t n)
{
	base64(b, p, n, "-_", false);
}

int
codec_percent_decode(struct strbuf *b, const char *s, size_t n, bool plus_is_space)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '+' && plus_is_space) {
			strbuf_addc(b, ' ');
		} else if (s[i] == '%') {
			int high = n - i > 2 ? hex_value(s[i + 1]) : -1;
			int low = n - i > 2 ? hex_value(s[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			strbuf_addc(b, (char)(high << 4 | low));
			i += 2;
		} else {
			strbuf_addc(b, s[i]);
		}
	}
	return 0;
}

static bool
is_attr_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$&+-.^_`|~", c));
}

void
codec_percent_encode(struct strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_attr_char(s[i]))
			strbuf_addc(b, s[i]);
		else
			strbuf_addf(b, "%%%02X", (unsigned char)s[i]);
	}
}

size_t
codec_utf8(const char *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)s[0];
	size_t len;
	uint32_t v;

	if (c < 0x80)
		len = 1, v = c;
	else if ((c & 0xe0) == 0xc0)
		len = 2, v = c & 0x1f;
	else if ((c & 0xf0) == 0xe0)
		len = 3, v = c & 0x0f;
	else if ((c & 0xf8) == 0xf0)
		len = 4, v = c & 0x07;
	else
		return 0;
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return len;
}

bool
codec_utf8_valid(const char *s, size_t n)
{
	uint32_t cp;

	while (n > 0) {
		size_t len = codec_utf8(s, n, &cp);

		if (len == 0)
			return false;
		s += len;
		n -= len;
	}
	return true;
}

void
codec_utf8_add(struct strbuf *b, uint32_t cp)
{
	char out[4];
	size_t len;

	if (cp < 0x80) {
		len = 1, out[0] = (char)cp;
	} else if (cp < 0x800) {
		len = 2, out[0] = (char)(0xc0 | cp >> 6);
	} else if (cp < 0x10000) {
		len = 3, out[0] = (char)(0xe0 | cp >> 12);
	} else {
		len = 4, out[0] = (char)(0xf0 | cp >> 18);
	}
	for (size_t i = 1; i < len; i++)
		out[i] = (char)(0x80 | (cp >> (6 * (len - 1 - i)) & 0x3f));
	strbuf_add(b, out, len);
}
