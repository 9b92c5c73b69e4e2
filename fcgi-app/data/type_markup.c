/*
 * Is it text, and if so, is it text that a browser or a shell would run?
 *
 * Leading blanks, comments, processing instructions and a document type are passed over before
 * the first tag is judged; a comment that does not end in what we see counts as HTML, because
 * nothing harmless begins with one of 4 KiB.
 */
#include "base/sys.h"

#include "base/codec.h"
#include "data/type_room.h"

/* A control character that text has no use for. */
static bool
is_binary(unsigned c)
{
	return c == 0 || (c < 0x20 && !strchr("\t\n\v\f\r\b\x1b", (int)c));
}

/* Behind a byte order mark: no binary characters, and surrogates in pairs as far as we see. */
static bool
is_utf16(const unsigned char *p, size_t n)
{
	size_t hi = p[0] == 0xff;
	bool high = false;

	for (size_t i = 2; i + 1 < n; i += 2) {
		unsigned unit = (unsigned)p[i + hi] << 8 | p[i + !hi];
		bool low = unit >= 0xdc00 && unit <= 0xdfff;

		if (is_binary(unit) || low != high)
			return false;
		high = unit >= 0xd800 && unit <= 0xdbff;
	}
	return true;
}

enum type_text
type_text_kind(const unsigned char *p, size_t n, bool whole)
{
	const char *s = (const char *)p;
	uint32_t cp;

	if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return is_utf16(p, n) ? TEXT_UTF16 : TEXT_NO;
	for (size_t i = 0; i < n; i++)
		if (is_binary(p[i]))
			return TEXT_NO;
	for (size_t i = 0, len; i < n; i += len) {
		len = codec_utf8(s + i, n - i, &cp);
		if (len == 0 && !whole && n - i < 4 && p[i] >= 0xc2)
			break; /* cut */
		if (len == 0)
			return TEXT_8BIT;
	}
	return TEXT_UTF8;
}

/* UTF-16 seen as bytes: other characters than ASCII become '?'. */
static size_t
narrow(const unsigned char *p, size_t n, char *out)
{
	size_t hi = p[0] == 0xff, lo = !hi;
	size_t len = 0;

	for (size_t i = 2; i + 1 < n; i += 2)
		out[len++] =
		    p[i + hi] == 0 && p[i + lo] && p[i + lo] < 0x80 ? (char)p[i + lo] : '?';
	return len;
}

static const struct {
	const char *word;
	const char *type;
} interpreters[] = {
	{ "python", "text/x-script.python" },
	{ "perl", "text/x-perl" },
	{ "ruby", "text/x-ruby" },
	{ "php", "text/x-php" },
	{ "node", "text/javascript" },
};

static bool
begins(const char *s, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - s) >= n && strncasecmp(s, word, n) == 0;
}

/* "#!" and its interpreter; the rest of the ways that text is run. */
static const char *
script(const char *s, const char *end)
{
	if (begins(s, end, "@echo off"))
		return "text/x-msdos-batch";
	if (begins(s, end, "<?=") || begins(s, end, "<%"))
		return "text/x-php";
	if (!begins(s, end, "#!"))
		return NULL;
	for (const char *p = s; p < end && *p != '\n'; p++)
		for (size_t i = 0; i < ARRAY_LEN(interpreters); i++)
			if (begins(p, end, interpreters[i].word))
				return interpreters[i].type;
	return "text/x-shellscript";
}

/* A tag's name ends here. */
static bool
name_ends(const char *p, const char *end)
{
	return p >= end || strchr(" \t\r\n\f/>", *p);
}

static bool
is_tag(const char *p, const char *end, const char *name)
{
	return begins(p, end, name) && name_ends(p + strlen(name), end);
}

static const char *
skip_blank(const char *s, const char *end)
{
	while (s < end && strchr(" \t\r\n\f\v", *s))
		s++;
	return s;
}

static const char *
skip_past(const char *s, const char *end, const char *word)
{
	const char *p = memmem(s, (size_t)(end - s), word, strlen(word));

	return p ? p + strlen(word) : NULL;
}

/* The type of the element that s ("name ...") begins. */
static const char *
element(const char *s, const char *end)
{
	static const char *const html[] = { "html", "head", "body", "script", "title", "style",
		"iframe", "meta", "link", "table", "div", "p", "a", "br", "b", "i", "h1", "h2",
		"h3", "font", "img", "form", "object", "embed", "span", "ul", "ol", "pre", "base",
		"video", "audio", "frameset", "template", "marquee", "input", "button", "math" };
	const char *colon = s;

	while (!name_ends(colon, end) && *colon != ':')
		colon++;
	if (is_tag(s, end, "svg") || (colon < end && is_tag(colon + 1, end, "svg")))
		return "image/svg+xml";
	for (size_t i = 0; i < ARRAY_LEN(html); i++)
		if (is_tag(s, end, html[i]))
			return "text/html";
	return NULL;
}

/* s is behind "<!doctype". Internal subsets are searched, not parsed. */
static const char *
doctype(const char *s, const char *end)
{
	s = skip_blank(s, end);
	if (is_tag(s, end, "html"))
		return "text/html";
	return is_tag(s, end, "svg") ? "image/svg+xml" : "application/xml";
}

/* Is s, to the end, the beginning of a tag whose name we do not see whole? */
static bool
is_cut(const char *s, const char *end)
{
	if (s >= end || ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z'))
		while (s < end && !name_ends(s, end))
			s++;
	return s >= end;
}

/* What begins at the first '<' of the text. NULL: nothing we know. */
static const char *
leading(const char *s, const char *end)
{
	const char *type = NULL;
	bool comment = false;

	for (;;) {
		s = skip_blank(s, end);
		if (s >= end && comment && !type)
			return "text/html";
		if (s >= end || *s != '<')
			return type;
		if (begins(s, end, "<!--")) {
			comment = true;
			s = skip_past(s + 4, end, "-->");
		} else if (begins(s, end, "<!doctype")) {
			return doctype(s + 9, end);
		} else if (begins(s, end, "<?")) {
			type = begins(s, end, "<?xml") ? "application/xml" : type;
			s = skip_past(s + 2, end, "?>");
			if (!s)
				return type;
		} else {
			const char *e = element(s + 1, end);

			if (!e && !type && is_cut(s + 1, end))
				return "text/html";
			return e ? e : type;
		}
		if (!s)
			return "text/html";
	}
}

/* Tags that make a browser act, wherever they stand. */
static const char *
anywhere(const char *s, const char *end)
{
	static const struct {
		const char *tag;
		const char *type;
	} tags[] = {
		{ "svg", "image/svg+xml" },
		{ "html", "text/html" },
		{ "script", "text/html" },
		{ "iframe", "text/html" },
		{ "body", "text/html" },
	};

	for (; s < end && (s = memchr(s, '<', (size_t)(end - s))); s++) {
		if (begins(s, end, "<?php"))
			return "text/x-php";
		if (begins(s, end, "<!doctype html"))
			return "text/html";
		for (size_t i = 0; i < ARRAY_LEN(tags); i++)
			if (is_tag(s + 1, end, tags[i].tag))
				return tags[i].type;
	}
	return NULL;
}

const char *
type_of_markup(const unsigned char *p, size_t n, enum type_text kind)
{
	char narrowed[TYPE_SNIFF_BYTES / 2];
	const char *s = (const char *)p;
	const char *end, *start, *first, *any;

	if (kind == TEXT_UTF16) {
		n = narrow(p, n, narrowed);
		s = narrowed;
	} else if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		s += 3;
		n -= 3;
	}
	end = s + n;
	start = skip_blank(s, end);
	first = script(start, end);
	if (first)
		return first;
	any = anywhere(start, end);
	first = leading(start, end);
	/* XML and comments say little: what stands further down says more */
	return any ? any : first;
}
