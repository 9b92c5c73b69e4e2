#include "base/sys.h"

#include "base/codec.h"
#include "fcgi/filename.h"

enum { EXTENSION_BYTES = 32 };

static bool
is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

/* Bidirectional controls, zero-width characters and other marks that do not show. */
static bool
is_invisible(uint32_t cp)
{
	static const struct {
		uint32_t from, to;
	} gone[] = {
		{ 0xad, 0xad },       /* soft hyphen */
		{ 0x34f, 0x34f },     /* combining grapheme joiner */
		{ 0x61c, 0x61c },     /* Arabic letter mark */
		{ 0x180e, 0x180e },   /* Mongolian vowel separator */
		{ 0x200b, 0x200f },   /* zero-width space, joiners, directional marks */
		{ 0x202a, 0x202e },   /* embeddings and overrides */
		{ 0x2060, 0x206f },   /* word joiner, invisible operators, isolates */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xfff9, 0xfffb },   /* interlinear annotation */
		{ 0xe0000, 0xe007f }, /* tags */
	};

	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		if (cp >= gone[i].from && cp <= gone[i].to)
			return true;
	return false;
}

static void
clean_into(struct strbuf *b, const char *s, size_t len)
{
	size_t n;
	uint32_t cp;

	for (; len > 0; s += n, len -= n) {
		n = codec_utf8(s, len, &cp);
		if (n == 0) {
			n = 1;
			cp = 0xfffd;
		}
		if (is_control(cp))
			strbuf_addc(b, '_');
		else if (!is_invisible(cp))
			codec_utf8_add(b, cp);
	}
}

/* The largest length <= max at which s is not in the middle of a code point. */
static size_t
cut(const char *s, size_t max)
{
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static size_t
shorten(const char *s, size_t len, char *out)
{
	const char *dot = memrchr(s, '.', len);
	size_t ext = dot && dot > s ? len - (size_t)(dot - s) : 0;
	size_t stem;

	if (len <= FILENAME_BYTES) {
		memcpy(out, s, len);
		return len;
	}
	if (ext > EXTENSION_BYTES)
		ext = 0;
	stem = cut(s, FILENAME_BYTES - ext);
	memcpy(out, s, stem);
	memcpy(out + stem, s + len - ext, ext);
	return stem + ext;
}

size_t
filename_clean(const char *raw, size_t len, char out[FILENAME_SIZE])
{
	static const char unnamed[] = "unnamed";
	struct strbuf b;
	size_t n;

	for (const char *p = raw + len; p > raw; p--)
		if (p[-1] == '/' || p[-1] == '\\') {
			len -= (size_t)(p - raw);
			raw = p;
			break;
		}
	strbuf_init(&b);
	clean_into(&b, raw, len);
	n = shorten(b.s, b.len, out);
	strbuf_release(&b);
	out[n] = '\0';
	if (strspn(out, ". ") == n) {
		memcpy(out, unnamed, sizeof(unnamed));
		n = sizeof(unnamed) - 1;
	}
	return n;
}
