/*
 * [rendition NAME]: a list of pictures to make of each picture.
 *
 *	[rendition small]
 *	fit = 256x256		or crop = 256x256
 *	format = jpeg
 *	quality = 80
 *
 * The short form "fit = 256x256, format = jpeg, quality = 80" on one line says the same.
 */
#include "base/sys.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "data/conf_room.h"

enum { MAX_BOX = 8192 };

static const char *const formats[] = { "jpeg", "png", "webp" };

/* "rendition NAME" in files, "rendition.NAME" in overrides. */
bool
conf_rendition_section(const char *section, const char **name)
{
	if (strncmp(section, "rendition", 9) != 0 || !section[9] || !strchr(" \t.", section[9]))
		return false;
	*name = section + 10 + strspn(section + 10, " \t");
	return true;
}

static bool
valid_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= CONF_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

int
conf_rendition_open(struct conf *c, const char *name, struct conf_rendition **out, struct err *e)
{
	struct conf_rendition *r;

	for (size_t i = 0; i < c->renditions; i++)
		if (strcmp(c->rendition[i].name, name) == 0) {
			*out = &c->rendition[i];
			return 0;
		}
	if (!valid_name(name))
		return err_set(e, ERR_INPUT,
		    "rendition \"%s\": a name is 1 to %d of a-z, 0-9, '_' and '-'", name,
		    CONF_NAME_MAX);
	if (c->renditions == CONF_MAX_RENDITIONS)
		return err_set(e, ERR_INPUT, "rendition \"%s\": more than %d renditions", name,
		    CONF_MAX_RENDITIONS);
	r = &c->rendition[c->renditions++];
	*r = (struct conf_rendition){
		.width = 256, .height = 256, .format = FORMAT_JPEG, .quality = 80
	};
	if (str_copy(r->name, sizeof(r->name), name) < 0)
		return err_set(e, ERR_INTERNAL, "rendition name too long");
	*out = r;
	return 0;
}

static int
set_box(struct conf_rendition *r, const char *value, bool crop, struct err *e)
{
	const char *x = strchr(value, 'x');
	uint64_t w, h;

	if (!x || num_u64n(value, (size_t)(x - value), 1, MAX_BOX, &w) < 0 ||
	    num_u64(x + 1, 1, MAX_BOX, &h) < 0)
		return err_set(e, ERR_INPUT, "\"%s\" is not WIDTHxHEIGHT with sides of 1 to %d",
		    value, MAX_BOX);
	r->width = (unsigned)w;
	r->height = (unsigned)h;
	r->crop = crop;
	return 0;
}

static int
set_one(struct conf_rendition *r, const char *key, const char *value, struct err *e)
{
	uint64_t q;

	if (strcmp(key, "fit") == 0 || strcmp(key, "crop") == 0)
		return set_box(r, value, key[0] == 'c', e);
	if (strcmp(key, "quality") == 0) {
		if (num_u64(value, 1, 100, &q) < 0)
			return err_set(e, ERR_INPUT, "\"%s\" is not a number of 1 to 100", value);
		r->quality = (unsigned)q;
		return 0;
	}
	if (strcmp(key, "format") == 0) {
		for (unsigned i = 0; i < ARRAY_LEN(formats); i++)
			if (strcmp(value, formats[i]) == 0) {
				r->format = i;
				return 0;
			}
		return err_set(e, ERR_INPUT, "\"%s\" is not one of jpeg|png|webp", value);
	}
	return err_set(e, ERR_INPUT, "unknown key (fit, crop, format, quality)");
}

/* Cuts blanks off both ends, in place. */
static char *
trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	for (n = strlen(s); n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'); n--)
		s[n - 1] = '\0';
	return s;
}

int
conf_rendition_set(struct conf_rendition *r, const char *key, const char *value, struct err *e)
{
	char *copy = mem_strdup(value);
	char *rest = copy;
	char *item = strsep(&rest, ",");
	int rc = set_one(r, key, trim(item), e);

	while (rc == 0 && (item = strsep(&rest, ","))) {
		char *v = strchr(item, '=');

		if (!v) {
			rc = err_set(e, ERR_INPUT, "\"%s\" is not key = value", trim(item));
			break;
		}
		*v++ = '\0';
		rc = set_one(r, trim(item), trim(v), e);
	}
	mem_free(copy);
	return rc;
}

void
conf_rendition_dump(const struct conf_rendition *r, FILE *out)
{
	fprintf(out, "\n[rendition %s]\n%s = %ux%u\nformat = %s\nquality = %u\n", r->name,
	    r->crop ? "crop" : "fit", r->width, r->height, formats[r->format], r->quality);
}
