#include "base/sys.h"

#include "fcgi/mime.h"
#include "fcgi/param.h"

static int
take_boundary(const struct param *p, struct mime *m, struct err *e)
{
	size_t n = 0;

	if (m->boundary_len)
		return err_set(e, ERR_INPUT, "boundary= is given twice");
	for (size_t i = 0; i < p->value_len; i++) {
		unsigned char c = (unsigned char)p->value[i];

		if (p->quoted && c == '\\' && i + 1 < p->value_len)
			c = (unsigned char)p->value[++i];
		if (c < 0x20 || c > 0x7e)
			return err_set(e, ERR_INPUT, "boundary= has a character that is not ASCII");
		if (n == MIME_BOUNDARY)
			return err_set(
			    e, ERR_INPUT, "boundary= is longer than %d characters", MIME_BOUNDARY);
		m->boundary[n++] = (char)c;
	}
	if (n == 0)
		return err_set(e, ERR_INPUT, "boundary= is empty");
	if (m->boundary[n - 1] == ' ')
		return err_set(e, ERR_INPUT, "boundary= ends with a space");
	m->boundary[n] = '\0';
	m->boundary_len = n;
	return 0;
}

static int
take_charset(const struct param *p, struct mime *m, struct err *e)
{
	if (m->charset[0])
		return err_set(e, ERR_INPUT, "charset= is given twice");
	if (p->value_len == 0 || param_token(p->value, p->value + p->value_len) != p->value_len ||
	    param_lower(m->charset, sizeof(m->charset), p->value, p->value_len) < 0)
		return err_set(e, ERR_INPUT, "charset= is not the name of a character set");
	return 0;
}

/* Reads "type/subtype" at *s into m->type. */
static int
take_type(const char **s, const char *end, struct mime *m)
{
	const char *at = *s;
	size_t n = param_token(at, end), sub;

	if (n == 0 || at + n == end || at[n] != '/')
		return -1;
	sub = param_token(at + n + 1, end);
	if (sub == 0)
		return -1;
	n += 1 + sub;
	*s = at + n;
	return param_lower(m->type, sizeof(m->type), at, n);
}

int
mime_parse(const char *s, struct mime *m, struct err *e)
{
	const char *end;
	struct param p;
	int rc;

	memset(m, 0, sizeof(*m));
	if (!s)
		s = "";
	end = s + strlen(s);
	while (*s == ' ' || *s == '\t')
		s++;
	if (s == end)
		return err_set(e, ERR_INPUT, "Content-Type is missing");
	if (take_type(&s, end, m) < 0)
		return err_set(e, ERR_INPUT, "Content-Type is not type/subtype");
	while ((rc = param_next(&s, end, &p, e)) > 0) {
		rc = 0;
		if (param_is(p.name, p.name_len, "boundary"))
			rc = take_boundary(&p, m, e);
		else if (param_is(p.name, p.name_len, "charset"))
			rc = take_charset(&p, m, e);
		if (rc < 0)
			break;
	}
	return rc < 0 ? err_prefix(e, "Content-Type") : 0;
}
