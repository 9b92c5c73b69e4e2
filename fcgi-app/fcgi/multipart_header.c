#include "base/sys.h"

#include "fcgi/multipart_header.h"
#include "fcgi/param.h"

void
multipart_header_begin(struct multipart *mp)
{
	mp->line_len = mp->block_len = mp->headers = 0;
	mp->has_disposition = mp->has_type = mp->has_encoding = false;
	mp->part.content_type[0] = '\0';
}

static int
take_disposition(struct multipart *mp, const char *value, size_t len)
{
	struct disposition *d = &mp->part.disposition;

	if (mp->has_disposition)
		return err_set(&mp->error, ERR_INPUT, "Content-Disposition is given twice");
	mp->has_disposition = true;
	if (disposition_parse(value, len, mp->limits.name, mp->limits.filename, d, &mp->error) < 0)
		return -1;
	if (strcmp(d->type, "form-data") != 0)
		return err_set(&mp->error, ERR_INPUT, "Content-Disposition is not form-data");
	if (!d->has_name)
		return err_set(&mp->error, ERR_INPUT, "Content-Disposition has no name=");
	return 0;
}

static int
take_type(struct multipart *mp, const char *value, size_t len)
{
	if (mp->has_type)
		return err_set(&mp->error, ERR_INPUT, "Content-Type is given twice");
	mp->has_type = true;
	if (len >= sizeof(mp->part.content_type))
		return err_set(&mp->error, ERR_INPUT, "Content-Type is longer than %zu bytes",
		    sizeof(mp->part.content_type) - 1);
	for (size_t i = 0; i < len; i++)
		if (value[i] < ' ' || value[i] > '~')
			return err_set(
			    &mp->error, ERR_INPUT, "Content-Type is not printable ASCII");
	memcpy(mp->part.content_type, value, len);
	mp->part.content_type[len] = '\0';
	return 0;
}

static int
take_encoding(struct multipart *mp, const char *value, size_t len)
{
	if (mp->has_encoding)
		return err_set(&mp->error, ERR_INPUT, "Content-Transfer-Encoding is given twice");
	mp->has_encoding = true;
	if (!param_is(value, len, "7bit") && !param_is(value, len, "8bit") &&
	    !param_is(value, len, "binary"))
		return err_set(
		    &mp->error, ERR_INPUT, "Content-Transfer-Encoding is not 7bit, 8bit or binary");
	return 0;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* One header line without its line end. */
static int
take_header(struct multipart *mp, const char *s, size_t len)
{
	const char *end = s + len, *value;
	size_t name = param_token(s, end);

	if (is_space(*s))
		return err_set(&mp->error, ERR_INPUT, "a header line is folded");
	if (name == 0 || s + name == end || s[name] != ':')
		return err_set(&mp->error, ERR_INPUT, "a header line is not \"Name: value\"");
	if (++mp->headers > mp->limits.headers)
		return err_set(&mp->error, ERR_INPUT, "more than %zu headers", mp->limits.headers);
	for (value = s + name + 1; value < end && is_space(*value); value++)
		;
	while (end > value && is_space(end[-1]))
		end--;
	len = (size_t)(end - value);
	if (param_is(s, name, "Content-Disposition"))
		return take_disposition(mp, value, len);
	if (param_is(s, name, "Content-Type"))
		return take_type(mp, value, len);
	if (param_is(s, name, "Content-Transfer-Encoding"))
		return take_encoding(mp, value, len);
	return 0;
}

/* mp->line is complete with its LF. 1 for the empty line, 0 for a header, or -1. */
static int
take_line(struct multipart *mp)
{
	size_t n = mp->line_len - 1;

	mp->line_len = 0;
	if (n == 0 || mp->line[n - 1] != '\r')
		return err_set(&mp->error, ERR_INPUT, "a header line ends with a bare LF");
	n--;
	if (memchr(mp->line, '\r', n))
		return err_set(&mp->error, ERR_INPUT, "bare CR in a header line");
	if (memchr(mp->line, '\0', n))
		return err_set(&mp->error, ERR_INPUT, "NUL in a header line");
	if (n > 0)
		return take_header(mp, mp->line, n);
	if (!mp->has_disposition)
		return err_set(&mp->error, ERR_INPUT, "Content-Disposition is missing");
	return 1;
}

int
multipart_header_feed(struct multipart *mp, const unsigned char **p, const unsigned char *end)
{
	while (*p < end) {
		size_t room = mp->limits.header_bytes - mp->block_len;
		size_t n = (size_t)(end - *p) < room ? (size_t)(end - *p) : room;
		const unsigned char *lf = memchr(*p, '\n', n);
		int rc;

		if (room == 0)
			return err_set(&mp->error, ERR_INPUT, "headers longer than %zu bytes",
			    mp->limits.header_bytes);
		if (lf)
			n = (size_t)(lf + 1 - *p);
		memcpy(mp->line + mp->line_len, *p, n);
		mp->line_len += n;
		mp->block_len += n;
		*p += n;
		if (lf && (rc = take_line(mp)) != 0)
			return rc;
	}
	return 0;
}
