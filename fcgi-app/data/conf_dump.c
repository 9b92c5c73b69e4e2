/*
 * The effective configuration as an INI file, with passwords masked.
 */
#include "base/sys.h"

#include "base/mem.h"
#include "data/conf_room.h"

static const char mask[] = "********";

/* The length of a conninfo value at s: up to a blank that is neither quoted nor escaped. */
static size_t
value_length(const char *s)
{
	bool quoted = false;
	size_t n;

	for (n = 0; s[n] && (quoted || (s[n] != ' ' && s[n] != '&')); n++) {
		if (s[n] == '\\' && s[n + 1])
			n++;
		else if (s[n] == '\'')
			quoted = !quoted;
	}
	return n;
}

/* "postgresql://user:SECRET@host": the length of what stands before the secret, 0 without one. */
static size_t
uri_secret(const char *s, size_t *len)
{
	const char *authority = strstr(s, "://");
	const char *colon;
	size_t n;

	if (!authority || strncmp(s, "postgres", 8) != 0)
		return 0;
	authority += 3;
	n = strcspn(authority, "/?#");
	for (size_t i = n; i > 0; i--)
		if (authority[i - 1] == '@') {
			n = i - 1;
			colon = memchr(authority, ':', n);
			if (!colon)
				return 0;
			*len = (size_t)(authority + n - (colon + 1));
			return (size_t)(colon + 1 - s);
		}
	return 0;
}

static void
add_masked(struct strbuf *out, const char *s)
{
	size_t len = 0;
	size_t before = uri_secret(s, &len);
	const char *p;

	if (before) {
		strbuf_add(out, s, before);
		strbuf_adds(out, mask);
		s += before + len;
	}
	while ((p = strcasestr(s, "password"))) {
		p += strlen("password");
		strbuf_add(out, s, (size_t)(p - s));
		s = p + strspn(p, " ");
		if (*s != '=')
			continue;
		s++;
		s += strspn(s, " ");
		strbuf_addf(out, "=%s", mask);
		s += value_length(s);
	}
	strbuf_adds(out, s);
}

void
conf_dump(const struct conf *c, FILE *out)
{
	const char *section = "";
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < conf_option_count; i++) {
		const struct conf_option *o = &conf_options[i];

		if (strcmp(section, o->section) != 0) {
			fprintf(out, "%s[%s]\n", *section ? "\n" : "", o->section);
			section = o->section;
		}
		strbuf_reset(&b);
		if (o->secret) {
			struct strbuf plain;

			strbuf_init(&plain);
			conf_value_text(c, o, &plain);
			add_masked(&b, plain.s);
			strbuf_release(&plain);
		} else {
			conf_value_text(c, o, &b);
		}
		fprintf(out, "%s = %s\n", o->key, b.s);
	}
	for (size_t i = 0; i < c->renditions; i++)
		conf_rendition_dump(&c->rendition[i], out);
	strbuf_release(&b);
}
