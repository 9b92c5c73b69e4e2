/*
 * Lines: REQUEST_URI, DOCUMENT_URI, SCRIPT_NAME, PATH_INFO (empty: absent), prefix. A path that was
 * made from decoded parts decodes to them again; a name that was taken from a path is found again
 * when it is escaped and put there.
 */
#include "base/sys.h"

#include "base/codec.h"
#include "fcgi/path.h"
#include "fuzz.h"

enum { SMALL = 16, LARGE = 4096 };

static const char *const patterns[] = { "/", "/api/upload", "/api/upload/{name}", "/api/files/{id}",
	"/api/files/{id}/thumbnail/{name}" };

static size_t
slashes(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '/';
	return n;
}

/* Letter case counts, but for identifiers. */
static bool
same_path(const char *a, const char *b, bool with_id)
{
	struct strbuf x, y;
	bool same;

	strbuf_init(&x);
	strbuf_init(&y);
	MUST_HOLD(codec_percent_decode(&x, a, strlen(a), false) == 0);
	MUST_HOLD(codec_percent_decode(&y, b, strlen(b), false) == 0);
	same = x.len == y.len && (with_id ? strcasecmp(x.s, y.s) : strcmp(x.s, y.s)) == 0;
	same = same && strlen(x.s) == x.len;
	strbuf_release(&x);
	strbuf_release(&y);
	return same;
}

/* path fits pattern with this identifier and name: so does one made of them, which is the same. */
static void
check_fit(const char *pattern, const char *path, const struct id *id, const char *arg)
{
	char again[LARGE], text[ID_TEXT];
	struct strbuf b;
	struct id id2;

	strbuf_init(&b);
	for (const char *p = pattern; *p;) {
		if (strncmp(p, "{id}", 4) == 0) {
			id_text(id, text);
			strbuf_adds(&b, text);
			p += 4;
		} else if (strncmp(p, "{name}", 6) == 0) {
			codec_percent_encode(&b, arg, strlen(arg));
			p += 6;
		} else {
			strbuf_addc(&b, *p++);
		}
	}
	MUST_HOLD(same_path(path, b.s, strstr(pattern, "{id}") != NULL));
	MUST_HOLD(path_match(pattern, b.s, &id2, again, sizeof(again), NULL) == 1);
	MUST_HOLD(!strstr(pattern, "{name}") || strcmp(again, arg) == 0);
	MUST_HOLD(!strstr(pattern, "{id}") || id_equal(&id2, id));
	strbuf_release(&b);
}

static void
check_match(const char *pattern, const char *path)
{
	char *small = mem_alloc(SMALL), *large = mem_alloc(LARGE);
	struct err e = { 0 };
	struct id id = { 0 }, id2;
	int rc, rc2;

	*small = *large = '\0';
	rc = path_match(pattern, path, &id, large, LARGE, &e);
	MUST_HOLD(rc >= -1 && rc <= 1);
	MUST_HOLD(rc >= 0 || (e.kind == ERR_INPUT && e.text[0]));
	MUST_HOLD(rc == 0 || slashes(pattern) == slashes(path));
	if (rc == 1)
		check_fit(pattern, path, &id, large);
	rc2 = path_match(pattern, path, &id2, small, SMALL, &e);
	MUST_HOLD(rc2 == rc || (rc2 == -1 && rc == 1 && strlen(large) >= SMALL));
	MUST_HOLD(strlen(small) < SMALL);
	mem_free(small);
	mem_free(large);
}

/* What the decoded parts were: the path behind the prefix. */
static void
check_decoded(const struct path_source *src, const char *path)
{
	const char *first = src->document_uri  ? src->document_uri
			    : src->script_name ? src->script_name
					       : "";
	const char *second = src->document_uri || !src->path_info ? "" : src->path_info;
	char *all = mem_printf("%s%s", first, second);
	struct strbuf b;

	strbuf_init(&b);
	MUST_HOLD(codec_percent_decode(&b, path, strlen(path), false) == 0);
	MUST_HOLD(strlen(b.s) == b.len && b.len <= strlen(all));
	MUST_HOLD(strcmp(all + strlen(all) - b.len, b.s) == 0);
	strbuf_release(&b);
	mem_free(all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct path_source src;
	struct strbuf path;
	char *line[5];

	for (size_t i = 0; i < ARRAY_LEN(line); i++)
		line[i] = fuzz_line(&data, &size);
	src = (struct path_source){
		.request_uri = *line[0] ? line[0] : NULL,
		.document_uri = *line[1] ? line[1] : NULL,
		.script_name = *line[2] ? line[2] : NULL,
		.path_info = *line[3] ? line[3] : NULL,
		.prefix = line[4],
	};
	strbuf_init(&path);
	if (path_of(&src, &path) == 0) {
		MUST_HOLD(path.s[0] == '/' && strlen(path.s) == path.len);
		if (src.request_uri)
			MUST_HOLD(strpbrk(path.s, "?#") == NULL && strstr(line[0], path.s));
		else
			check_decoded(&src, path.s);
		for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
			check_match(patterns[i], path.s);
	} else {
		MUST_HOLD(path.len == 0);
	}
	strbuf_release(&path);
	for (size_t i = 0; i < ARRAY_LEN(line); i++)
		mem_free(line[i]);
	return 0;
}
