#include "base/sys.h"

#include "base/codec.h"
#include "fcgi/disposition.h"
#include "fcgi/param.h"

/* Which of the three have been seen; filename may come before or after filename*. */
struct seen {
	bool name, filename, extended;
};

/* What a browser writes for the three bytes that may not stand in its quoted strings. */
static int
browser_escape(const char *s, size_t n)
{
	if (n < 3 || s[0] != '%')
		return -1;
	if (s[1] == '2' && s[2] == '2')
		return '"';
	if (s[1] == '0' && (s[2] | 0x20) == 'd')
		return '\r';
	if (s[1] == '0' && (s[2] | 0x20) == 'a')
		return '\n';
	return -1;
}

/* Decodes the value of name= or filename= to out, which holds at least p->value_len + 1 bytes. */
static size_t
decode_plain(const struct param *p, char *out)
{
	const char *s = p->value, *end = s + p->value_len;
	size_t n = 0;

	while (s < end) {
		int c = browser_escape(s, (size_t)(end - s));

		if (c >= 0) {
			out[n++] = (char)c;
			s += 3;
			continue;
		}
		if (p->quoted && *s == '\\' && end - s > 1 && (s[1] == '"' || s[1] == '\\'))
			s++;
		out[n++] = *s++;
	}
	out[n] = '\0';
	return n;
}

static bool
is_attr_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$&+-.^_`|~", c));
}

/* Decodes RFC 8187's UTF-8'language'value. 0, or -1. */
static int
decode_extended(const struct param *p, char *out, size_t *len)
{
	const char *s = p->value, *end = s + p->value_len;
	const char *quote = memchr(s, '\'', p->value_len);
	size_t n = 0;

	if (p->quoted || !quote || !param_is(s, (size_t)(quote - s), "UTF-8"))
		return -1;
	s = quote + 1;
	quote = memchr(s, '\'', (size_t)(end - s));
	if (!quote)
		return -1;
	for (; s < quote; s++)
		if (!is_attr_char((unsigned char)*s))
			return -1;
	for (s = quote + 1; s < end; n++) {
		if (*s == '%') {
			if (end - s < 3 || codec_unhex(s + 1, 2, out + n, 1) < 0)
				return -1;
			s += 3;
		} else if (is_attr_char((unsigned char)*s)) {
			out[n] = *s++;
		} else {
			return -1;
		}
	}
	out[n] = '\0';
	*len = n;
	return 0;
}

static int
take_name(
    const struct param *p, size_t max, struct seen *seen, struct disposition *d, struct err *e)
{
	if (seen->name)
		return err_set(e, ERR_INPUT, "name= is given twice");
	seen->name = true;
	if (p->value_len > max)
		return err_set(e, ERR_INPUT, "name= is longer than %zu bytes", max);
	d->name_len = decode_plain(p, d->name);
	if (d->name_len == 0)
		return err_set(e, ERR_INPUT, "name= is empty");
	if (memchr(d->name, '\0', d->name_len) || !codec_utf8_valid(d->name, d->name_len))
		return err_set(e, ERR_INPUT, "name= is not UTF-8");
	d->has_name = true;
	return 0;
}

static int
take_filename(
    const struct param *p, size_t max, struct seen *seen, struct disposition *d, struct err *e)
{
	if (seen->filename)
		return err_set(e, ERR_INPUT, "filename= is given twice");
	seen->filename = true;
	if (p->value_len > max)
		return err_set(e, ERR_INPUT, "filename= is longer than %zu bytes", max);
	d->has_filename = true;
	if (!seen->extended)
		d->filename_len = decode_plain(p, d->filename);
	return 0;
}

static int
take_extended(
    const struct param *p, size_t max, struct seen *seen, struct disposition *d, struct err *e)
{
	if (seen->extended)
		return err_set(e, ERR_INPUT, "filename*= is given twice");
	seen->extended = true;
	if (p->value_len > max)
		return err_set(e, ERR_INPUT, "filename*= is longer than %zu bytes", max);
	if (decode_extended(p, d->filename, &d->filename_len) < 0)
		return err_set(
		    e, ERR_INPUT, "filename*= is not of the form UTF-8''percent-encoded");
	d->has_filename = d->extended = true;
	return 0;
}

/* name*, name*0, filename*0, filename*1* ...: what other readers might take for a name. */
static bool
is_continuation(const struct param *p)
{
	return (p->name_len > 4 && strncasecmp(p->name, "name*", 5) == 0) ||
	       (p->name_len > 8 && strncasecmp(p->name, "filename*", 9) == 0);
}

int
disposition_parse(const char *s, size_t len, size_t name_max, size_t filename_max,
    struct disposition *d, struct err *e)
{
	const char *end = s + len;
	struct seen seen = { false, false, false };
	size_t n = param_token(s, end);
	struct param p;
	int rc;

	memset(d, 0, sizeof(*d));
	if (name_max > DISPOSITION_NAME)
		name_max = DISPOSITION_NAME;
	if (filename_max > DISPOSITION_FILENAME)
		filename_max = DISPOSITION_FILENAME;
	if (n == 0 || param_lower(d->type, sizeof(d->type), s, n) < 0)
		return err_set(e, ERR_INPUT, "Content-Disposition has no type");
	s += n;
	while ((rc = param_next(&s, end, &p, e)) > 0) {
		rc = 0;
		if (param_is(p.name, p.name_len, "name"))
			rc = take_name(&p, name_max, &seen, d, e);
		else if (param_is(p.name, p.name_len, "filename"))
			rc = take_filename(&p, filename_max, &seen, d, e);
		else if (param_is(p.name, p.name_len, "filename*"))
			rc = take_extended(&p, filename_max, &seen, d, e);
		else if (is_continuation(&p))
			rc = err_set(e, ERR_INPUT, "%.*s= is not supported",
			    (int)(p.name_len < 32 ? p.name_len : 32), p.name);
		if (rc < 0)
			break;
	}
	return rc < 0 ? err_prefix(e, "Content-Disposition") : 0;
}

/* A percent sign is replaced too: some browsers decode %XX in the plain form. */
static void
add_ascii(struct strbuf *b, const char *name)
{
	size_t left = strlen(name), n;
	uint32_t cp;

	for (; left > 0; name += n, left -= n) {
		n = codec_utf8(name, left, &cp);
		if (n == 0) {
			n = 1;
			cp = 0xfffd;
		}
		strbuf_addc(b, cp < ' ' || cp > '~' || strchr("\"\\%", (int)cp) ? '_' : (char)cp);
	}
}

void
disposition_format(struct strbuf *b, const char *kind, const char *name)
{
	strbuf_adds(b, kind);
	strbuf_adds(b, "; filename=\"");
	add_ascii(b, name);
	strbuf_adds(b, "\"; filename*=UTF-8''");
	codec_percent_encode(b, name, strlen(name));
}
