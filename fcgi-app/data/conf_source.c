/*
 * Where values come from after the files: systemd's credentials, the environment, -o.
 */
#include "base/sys.h"

#include <ctype.h>
#include <fcntl.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "data/conf_room.h"

enum { SECRET_MAX = 64 * 1024 };

extern char **environ;

char *
conf_slurp(const char *path, size_t max, size_t *len, struct err *e)
{
	char *p = NULL;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		err_sys(e, "%s", path);
		return NULL;
	}
	p = mem_alloc(max + 2);
	n = fdio_read_full(fd, p, max + 1);
	if (n < 0)
		err_sys(e, "%s", path);
	else if ((size_t)n > max)
		err_set(e, ERR_INPUT, "%s: larger than %zu bytes", path, max);
	else if (memchr(p, '\0', (size_t)n))
		err_set(e, ERR_INPUT, "%s: contains a NUL byte", path);
	else
		goto done;
	mem_free(p);
	p = NULL;
	n = 0;
done:
	if (p)
		p[n] = '\0';
	if (len)
		*len = (size_t)n;
	fdio_drop(&fd);
	return p;
}

/* Sets o from the first line of a file. */
static int
set_from_file(struct conf *c, const struct conf_option *o, const char *path, struct err *e)
{
	size_t len;
	char *text = conf_slurp(path, SECRET_MAX, &len, e);
	int rc;

	if (!text)
		return -1;
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		text[--len] = '\0';
	rc = conf_value_set(c, o, text, e);
	if (rc < 0)
		err_prefix(e, "%s: %s.%s", path, o->section, o->key);
	mem_free(text);
	return rc;
}

int
conf_from_credentials(struct conf *c, struct err *e)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	int rc = 0;

	for (size_t i = 0; dir && *dir && rc == 0 && i < conf_option_count; i++) {
		const struct conf_option *o = &conf_options[i];
		char *path;

		if (!o->secret)
			continue;
		path = mem_printf("%s/%s.%s", dir, o->section, o->key);
		if (access(path, F_OK) == 0)
			rc = set_from_file(c, o, path, e);
		mem_free(path);
	}
	return rc;
}

static char *
variable_name(const struct conf_option *o, const char *suffix)
{
	char *name = mem_printf("SLUICE_%s_%s%s", o->section, o->key, suffix);

	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return name;
}

static int
from_variable(struct conf *c, const struct conf_option *o, struct err *e)
{
	char *name = variable_name(o, "");
	char *file_name = variable_name(o, "_FILE");
	const char *value = getenv(name);
	const char *file = getenv(file_name);
	int rc = 0;

	if (value && file) {
		rc = err_set(e, ERR_INPUT, "environment: both %s and %s are set", name, file_name);
	} else if (value) {
		rc = conf_value_set(c, o, value, e);
		if (rc < 0)
			err_prefix(e, "environment: %s", name);
	} else if (file) {
		rc = set_from_file(c, o, file, e);
		if (rc < 0)
			err_prefix(e, "environment: %s", file_name);
	}
	mem_free(name);
	mem_free(file_name);
	return rc;
}

/* SLUICE_RENDITION_<NAME>_<KEY>=value, the name in lower case. */
static int
from_rendition_variable(struct conf *c, const char *variable, struct err *e)
{
	char *copy = mem_strdup(variable);
	char *name = copy + strlen("SLUICE_RENDITION_");
	char *value = strchr(name, '=');
	struct conf_rendition *r;
	char *key;
	int rc = 0;

	if (!value)
		goto out;
	*value++ = '\0';
	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	key = strrchr(name, '_');
	if (!key)
		goto out;
	*key++ = '\0';
	rc = conf_rendition_open(c, name, &r, e);
	if (rc == 0)
		rc = conf_rendition_set(r, key, value, e);
	if (rc < 0)
		err_prefix(e, "environment: %.*s", (int)strcspn(variable, "="), variable);
out:
	mem_free(copy);
	return rc;
}

int
conf_from_environment(struct conf *c, struct err *e)
{
	for (size_t i = 0; i < conf_option_count; i++)
		if (from_variable(c, &conf_options[i], e) < 0)
			return -1;
	for (char **p = environ; p && *p; p++)
		if (strncmp(*p, "SLUICE_RENDITION_", 17) == 0 &&
		    from_rendition_variable(c, *p, e) < 0)
			return -1;
	return 0;
}

static int
from_override(struct conf *c, char *text, struct err *e)
{
	char *value = strchr(text, '=');
	char *key;

	if (!value)
		return err_set(e, ERR_INPUT, "not section.key=value");
	*value++ = '\0';
	key = strrchr(text, '.');
	if (!key)
		return err_set(e, ERR_INPUT, "not section.key=value");
	*key++ = '\0';
	return conf_set(c, text, key, value, e);
}

int
conf_from_overrides(struct conf *c, const char *const *overrides, struct err *e)
{
	for (; overrides && *overrides; overrides++) {
		char *copy = mem_strdup(*overrides);
		int rc = from_override(c, copy, e);

		mem_free(copy);
		if (rc < 0)
			return err_prefix(
			    e, "override \"%.*s\"", (int)strcspn(*overrides, "="), *overrides);
	}
	return 0;
}
