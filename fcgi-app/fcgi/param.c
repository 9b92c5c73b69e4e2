#include "base/sys.h"

#include "fcgi/param.h"

static bool
is_tchar(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool
is_loose(unsigned char c)
{
	return c > ' ' && c != 0x7f && !strchr("\",;\\", c);
}

static const char *
skip_space(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	return s;
}

size_t
param_token(const char *s, const char *end)
{
	const char *p = s;

	while (p < end && is_tchar((unsigned char)*p))
		p++;
	return (size_t)(p - s);
}

bool
param_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

int
param_lower(char *dst, size_t size, const char *s, size_t n)
{
	if (n >= size)
		return -1;
	for (size_t i = 0; i < n; i++)
		dst[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
	dst[n] = '\0';
	return 0;
}

/* The quoted string whose opening quote stands at s. Returns what follows it, or NULL. */
static const char *
quoted(const char *s, const char *end, struct param *p)
{
	p->quoted = true;
	p->value = ++s;
	for (; s < end; s++) {
		if (*s == '\\' && end - s > 1)
			s++;
		else if (*s == '"') {
			p->value_len = (size_t)(s - p->value);
			return s + 1;
		}
	}
	return NULL;
}

static const char *
unquoted(const char *s, const char *end, struct param *p)
{
	p->quoted = false;
	p->value = s;
	while (s < end && is_loose((unsigned char)*s))
		s++;
	p->value_len = (size_t)(s - p->value);
	return p->value_len ? s : NULL;
}

int
param_next(const char **s, const char *end, struct param *p, struct err *e)
{
	const char *at = skip_space(*s, end);

	if (at < end && *at != ';')
		return err_set(e, ERR_INPUT, "\";\" expected before a parameter");
	while (at < end && *at == ';')
		at = skip_space(at + 1, end);
	*s = at;
	if (at == end)
		return 0;
	p->name = at;
	p->name_len = param_token(at, end);
	at += p->name_len;
	if (p->name_len == 0 || at == end || *at != '=')
		return err_set(e, ERR_INPUT, "a parameter is not name=value");
	at++;
	at = at < end && *at == '"' ? quoted(at, end, p) : unquoted(at, end, p);
	if (!at)
		return err_set(e, ERR_INPUT, "the value of a parameter is %s",
		    p->quoted ? "not closed with a quote" : "missing");
	*s = at;
	return 1;
}
