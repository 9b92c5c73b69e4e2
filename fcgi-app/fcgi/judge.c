#include "base/sys.h"

#include "fcgi/judge.h"

#include "base/log.h"
#include "base/strbuf.h"

/* "a, b" as ["a", "b"]; NULL gives null. */
static json_t *
list_json(const char *list)
{
	json_t *j;

	if (!list)
		return json_null();
	j = json_array();
	for (const char *p = list; *p;) {
		size_t n;

		p += strspn(p, ", \t");
		n = strcspn(p, ", \t");
		if (n > 0)
			json_array_append_new(j, json_stringn(p, n));
		p += n;
	}
	return j;
}

static json_t *
members(const struct app *app, const struct file *f)
{
	const char *expected = type_of_name(f->name);
	json_t *j = json_object();

	json_object_set_new(j, "filename", json_str(f->name));
	json_object_set_new(j, "detectedType", json_string(f->type));
	if (*f->declared_type)
		json_object_set_new(j, "declaredType", json_str(f->declared_type));
	if (expected)
		json_object_set_new(j, "expectedTypes", list_json(expected));
	json_object_set_new(j, "allowedTypes", list_json(app->conf->upload.allow));
	return j;
}

static int
check_mismatch(
    const struct app *app, struct file *f, const char *sniffed, struct refusal *why, struct err *e)
{
	enum conf_mismatch rule = app->conf->upload.mismatch;
	const char *expected = type_of_name(f->name);

	if (rule == MISMATCH_OFF || !expected || type_allowed(expected, f->type) ||
	    type_allowed(expected, sniffed))
		return 0;
	if (rule == MISMATCH_WARN) {
		log_warn("%s is %s, its name says %s", f->name, f->type, expected);
		return 0;
	}
	*why = (struct refusal){ "type-mismatch", members(app, f) };
	return err_set(
	    e, ERR_TYPE, "the content of %s is %s, its name says %s", f->name, f->type, expected);
}

static int
check_empty(const struct app *app, const struct file *f, struct refusal *why, struct err *e)
{
	if (app->conf->upload.allow_empty)
		return 0;
	why->slug = "empty-file";
	return err_set(e, ERR_INPUT, "%s is empty", f->name);
}

int
judge_type(const struct app *app, struct file *f, const unsigned char *head, size_t n,
    struct refusal *why, struct err *e)
{
	char sniffed[TYPE_MAX];

	if (type_sniff(app->type, head, n, sniffed, e) < 0)
		return -1;
	if (str_copy(f->type, sizeof(f->type), type_refine(sniffed, f->name)) < 0)
		return err_set(e, ERR_INTERNAL, "media type of %s is too long", f->name);
	if (n == 0)
		return check_empty(app, f, why, e);
	if (!type_allowed(app->conf->upload.allow, f->type)) {
		*why = (struct refusal){ "type-refused", members(app, f) };
		return err_set(e, ERR_TYPE,
		    "the content of %s is %s, which is not allowed here (see allowedTypes)",
		    f->name, f->type);
	}
	if (check_mismatch(app, f, sniffed, why, e) < 0)
		return -1;
	if (type_is_picture(f->type) && app->conf->renditions > 0)
		f->thumbnail = THUMBNAIL_GENERATING;
	return 0;
}
