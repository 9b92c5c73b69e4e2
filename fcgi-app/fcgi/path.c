#include "base/sys.h"

#include "fcgi/path.h"

#include "base/codec.h"

/* Origin form, or the path of the absolute form ("http://host/path"). */
static const char *
skip_authority(const char *uri)
{
	const char *p = strstr(uri, "://");

	if (*uri == '/' || !p || p > uri + strcspn(uri, "/?"))
		return uri;
	p = strchr(p + 3, '/');
	return p ? p : "/";
}

static void
add_encoded(struct strbuf *b, const char *decoded)
{
	for (const char *p = decoded; *p;) {
		size_t n = strcspn(p, "/");

		codec_percent_encode(b, p, n);
		p += n;
		if (*p == '/') {
			strbuf_addc(b, '/');
			p++;
		}
	}
}

static void
add_path(const struct path_source *src, struct strbuf *b)
{
	if (src->request_uri) {
		const char *uri = skip_authority(src->request_uri);

		strbuf_add(b, uri, strcspn(uri, "?#"));
	} else if (src->document_uri) {
		add_encoded(b, src->document_uri);
	} else {
		add_encoded(b, src->script_name ? src->script_name : "");
		add_encoded(b, src->path_info ? src->path_info : "");
	}
}

int
path_of(const struct path_source *src, struct strbuf *b)
{
	size_t n = src->prefix ? strlen(src->prefix) : 0;
	struct strbuf whole;
	int rc = -1;

	while (n > 0 && src->prefix[n - 1] == '/')
		n--;
	strbuf_init(&whole);
	add_path(src, &whole);
	if ((n == 0 || strncmp(whole.s, src->prefix, n) == 0) && whole.s[n] == '/') {
		strbuf_adds(b, whole.s + n);
		rc = 0;
	}
	strbuf_release(&whole);
	return rc;
}

/* Takes the next segment of *s ("/segment"): its start and length. False at the end. */
static bool
next_segment(const char **s, const char **start, size_t *len)
{
	if (**s != '/')
		return false;
	*start = *s + 1;
	*len = strcspn(*start, "/");
	*s = *start + *len;
	return true;
}

static bool
is_slot(const char *want, size_t len, const char *slot)
{
	return len == strlen(slot) && strncmp(want, slot, len) == 0;
}

/* Same answers as path_match, for one segment; seen holds it decoded. */
static int
match_segment(const char *want, size_t want_len, const struct strbuf *seen, struct id *id,
    char *arg, size_t size, struct err *e)
{
	if (is_slot(want, want_len, "{id}")) {
		if (seen->len == 0)
			return 0;
		if (strlen(seen->s) == seen->len && id_parse(seen->s, id) == 0)
			return 1;
		return err_set(e, ERR_INPUT, "\"%.64s\" is not an identifier (a UUID)", seen->s);
	}
	if (is_slot(want, want_len, "{name}")) {
		if (seen->len == 0)
			return 0;
		if (strlen(seen->s) != seen->len)
			return err_set(e, ERR_INPUT, "the name in the path holds a NUL");
		if (str_copy(arg, size, seen->s) < 0)
			return err_set(
			    e, ERR_INPUT, "the name in the path is over %zu bytes", size - 1);
		return 1;
	}
	return seen->len == want_len && memcmp(seen->s, want, want_len) == 0;
}

int
path_match(
    const char *pattern, const char *path, struct id *id, char *arg, size_t size, struct err *e)
{
	const char *want, *got;
	size_t want_len, got_len;
	struct strbuf seen;
	int fit = 1, worst = 1;

	strbuf_init(&seen);
	while (fit != 0 && next_segment(&pattern, &want, &want_len)) {
		fit = 0;
		if (!next_segment(&path, &got, &got_len))
			break;
		strbuf_reset(&seen);
		if (codec_percent_decode(&seen, got, got_len, false) < 0)
			fit = *want == '{' ? err_set(e, ERR_INPUT, "broken escape in the path") : 0;
		else
			fit = match_segment(want, want_len, &seen, id, arg, size, e);
		if (fit < 0)
			worst = -1;
	}
	strbuf_release(&seen);
	if (fit == 0 || *path)
		return 0;
	return worst;
}
