/*
 * Reading the files; the one place that knows inih.
 *
 * Debian's inih does not tell the line, forgets what stands after "]", and is silent about empty
 * sections; so it is fed line by line from memory by a reader that knows these things.
 */
#include "base/sys.h"

#include <dirent.h>
#include <ini.h>

#include "base/mem.h"
#include "data/conf_room.h"

enum { FILE_MAX = 1024 * 1024 };

struct reading {
	struct conf *conf;
	const char *path;
	const char *p; /* what is left of the file */
	unsigned line;
	bool inside; /* p stands inside of a line */
	char **seen; /* "section.key" of this file */
	size_t nseen;
	struct err *e;
	bool failed;
};

int
conf_set(struct conf *c, const char *section, const char *key, const char *value, struct err *e)
{
	const struct conf_option *o;
	struct conf_rendition *r;
	const char *name;

	if (conf_rendition_section(section, &name)) {
		if (conf_rendition_open(c, name, &r, e) < 0)
			return -1;
		if (conf_rendition_set(r, key, value, e) < 0)
			return err_prefix(e, "rendition.%s.%s", name, key);
		return 0;
	}
	o = conf_find(section, key);
	if (!*section)
		return err_set(e, ERR_INPUT, "%s: stands before the first [section]", key);
	if (!o && !conf_has_section(section))
		return err_set(e, ERR_INPUT, "%s.%s: unknown section", section, key);
	if (!o)
		return err_set(e, ERR_INPUT, "%s.%s: unknown key", section, key);
	if (conf_value_set(c, o, value, e) < 0)
		return err_prefix(e, "%s.%s", section, key);
	return 0;
}

static int
fail_here(struct reading *r)
{
	if (!r->failed)
		err_prefix(r->e, "%s:%u", r->path, r->line);
	r->failed = true;
	return -1;
}

/* A "[section]" was read: it must exist, even if nothing follows. */
static int
note_section(struct reading *r, const char *start, size_t n)
{
	char *section = mem_strndup(start, n);
	struct conf_rendition *rendition;
	const char *name;
	int rc = 0;

	if (conf_rendition_section(section, &name))
		rc = conf_rendition_open(r->conf, name, &rendition, r->e);
	else if (!conf_has_section(section))
		rc = err_set(r->e, ERR_INPUT, "[%s]: unknown section", section);
	mem_free(section);
	return rc < 0 ? fail_here(r) : 0;
}

/* How much of the line at s (n bytes) to hand out at once: a "[section]" goes alone. */
static size_t
section_part(struct reading *r, const char *s, size_t n)
{
	size_t blank = strspn(s, " \t");
	const char *end;

	if (blank >= n || s[blank] != '[')
		return n;
	end = memchr(s, ']', n);
	if (!end)
		return n; /* inih complains */
	if (note_section(r, s + blank + 1, (size_t)(end - (s + blank + 1))) < 0)
		return n;
	return (size_t)(end + 1 - s);
}

/* fgets(3) over the memory: a piece and its LF, or as much of it as there is room for. */
static char *
next_piece(char *out, int size, void *arg)
{
	struct reading *r = arg;
	size_t n = strcspn(r->p, "\n");
	size_t room = (size_t)size - 1;
	size_t take = n;

	if (r->failed || !*r->p || size < 3)
		return NULL;
	if (!r->inside) {
		r->line++;
		take = section_part(r, r->p, n);
	}
	if (take >= room) {
		memcpy(out, r->p, room);
		out[room] = '\0';
		r->p += room;
		r->inside = true;
		return out;
	}
	memcpy(out, r->p, take);
	out[take] = '\n';
	out[take + 1] = '\0';
	r->p += take;
	r->inside = take < n;
	if (!r->inside && *r->p)
		r->p++;
	return out;
}

static bool
seen_before(struct reading *r, const char *section, const char *key)
{
	char *name = mem_printf("%s.%s", section, key);

	for (size_t i = 0; i < r->nseen; i++)
		if (strcmp(r->seen[i], name) == 0) {
			mem_free(name);
			return true;
		}
	r->seen = mem_grow(r->seen, r->nseen + 1, sizeof(*r->seen));
	r->seen[r->nseen++] = name;
	return false;
}

static int
handle(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *r = arg;

	if (r->failed)
		return 0;
	if (seen_before(r, section, key))
		err_set(r->e, ERR_INPUT, "%s.%s: given twice", section, key);
	else if (conf_set(r->conf, section, key, value ? value : "", r->e) == 0)
		return 1;
	fail_here(r);
	return 0;
}

static int
read_file(struct conf *c, const char *path, struct err *e)
{
	struct reading r = { .conf = c, .path = path, .e = e };
	char *text = conf_slurp(path, FILE_MAX, NULL, e);
	int rc;

	if (!text)
		return -1;
	r.p = text + (strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
	ini_allow_multiline = false;
	ini_use_stack = false;
	ini_allow_realloc = true;
	ini_max_line = FILE_MAX + 2;
	ini_stop_on_first_error = true;
	rc = ini_parse_stream(next_piece, &r, handle, &r);
	if (rc != 0 && !r.failed) {
		err_set(e, ERR_INPUT, "not a [section], a comment or key = value");
		fail_here(&r);
	}
	for (size_t i = 0; i < r.nseen; i++)
		mem_free(r.seen[i]);
	mem_free(r.seen);
	mem_free(text);
	return r.failed ? -1 : 0;
}

static int
is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".conf") == 0;
}

/* conf.d beside the file. */
static int
read_directory(struct conf *c, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir =
	    slash ? mem_printf("%.*s/conf.d", (int)(slash - path), path) : mem_strdup("conf.d");
	struct dirent **list = NULL;
	int n = scandir(dir, &list, is_conf, alphasort);
	int rc = 0;

	if (n < 0 && errno != ENOENT && errno != ENOTDIR)
		rc = err_sys(e, "%s", dir);
	for (int i = 0; i < n; i++) {
		char *name = mem_printf("%s/%s", dir, list[i]->d_name);

		if (rc == 0)
			rc = read_file(c, name, e);
		mem_free(name);
		free(list[i]);
	}
	free(list);
	mem_free(dir);
	return rc;
}

static int
read_files(struct conf *c, const char *path, struct err *e)
{
	const char *named = path ? path : getenv("SLUICE_CONF");

	if (!named || !*named) {
		if (access(SLUICE_CONF, F_OK) < 0 && errno == ENOENT)
			return 0;
		named = SLUICE_CONF;
	}
	if (read_file(c, named, e) < 0)
		return -1;
	return read_directory(c, named, e);
}

struct conf *
conf_load(const char *path, const char *const *overrides, struct err *e)
{
	struct conf *c = mem_zero(sizeof(*c));
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < conf_option_count; i++) {
		rc = conf_value_set(c, &conf_options[i], conf_options[i].def, e);
		if (rc < 0)
			err_prefix(
			    e, "default of %s.%s", conf_options[i].section, conf_options[i].key);
	}
	if (rc == 0 && read_files(c, path, e) == 0 && conf_from_credentials(c, e) == 0 &&
	    conf_from_environment(c, e) == 0 && conf_from_overrides(c, overrides, e) == 0 &&
	    conf_settle(c, e) == 0)
		return c;
	if (e)
		e->kind = ERR_INPUT;
	conf_free(&c);
	return NULL;
}

void
conf_free(struct conf **cp)
{
	struct conf *c = *cp;

	if (!c)
		return;
	for (size_t i = 0; i < conf_option_count; i++) {
		const struct conf_option *o = &conf_options[i];

		if (o->type == CONF_TEXT || o->type == CONF_PATH || o->type == CONF_WORD)
			mem_free(*(char **)((char *)c + o->offset));
	}
	mem_free(c);
	*cp = NULL;
}
