#include "base/sys.h"

#include "base/codec.h"
#include "base/log.h"
#include "data/json.h"

enum { MAX_DEPTH = 64 };

/* jansson recurses to 2,048 levels; nothing of ours needs more than a few. */
static bool
too_deep(const char *p, size_t n)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			quoted = !quoted;
		else if (!quoted && (p[i] == '[' || p[i] == '{') && ++depth > MAX_DEPTH)
			return true;
		else if (!quoted && (p[i] == ']' || p[i] == '}') && depth > 0)
			depth--;
	}
	return false;
}

json_t *
json_parse(const char *p, size_t n, struct err *e)
{
	json_error_t error;
	json_t *j;

	if (too_deep(p, n)) {
		err_set(e, ERR_INPUT, "JSON: nested deeper than %d", MAX_DEPTH);
		return NULL;
	}
	j = json_loadb(p, n, JSON_REJECT_DUPLICATES, &error);
	if (!j)
		err_set(e, ERR_INPUT, "JSON: line %d column %d: %s", error.line, error.column,
		    error.text);
	return j;
}

char *
json_text(const json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text) {
		log_error("json_dumps: no memory");
		exit(EXIT_TEMPORARY);
	}
	return text;
}

static json_t *
must(json_t *j)
{
	if (!j) {
		log_error("json_string: no memory");
		exit(EXIT_TEMPORARY);
	}
	return j;
}

json_t *
json_str(const char *s)
{
	size_t n = strlen(s);
	struct strbuf b;
	json_t *j;

	if (codec_utf8_valid(s, n))
		return must(json_stringn_nocheck(s, n));
	strbuf_init(&b);
	while (n > 0) {
		uint32_t cp;
		size_t len = codec_utf8(s, n, &cp);

		codec_utf8_add(&b, len ? cp : 0xfffd);
		s += len ? len : 1;
		n -= len ? len : 1;
	}
	j = json_stringn_nocheck(b.s, b.len);
	strbuf_release(&b);
	return must(j);
}
