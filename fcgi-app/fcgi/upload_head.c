#include "base/sys.h"

#include "fcgi/upload_head.h"

#include "fcgi/disposition.h"
#include "fcgi/handoff.h"

static int
refuse(struct refusal *why, const char *slug, struct err *e, const char *text)
{
	why->slug = slug;
	return err_set(e, ERR_INPUT, "%s", text);
}

static int
check_fields(const struct call *c, struct refusal *why, struct err *e)
{
	const char *coding = request_param(c->req, "HTTP_CONTENT_ENCODING");
	const char *expect = request_param(c->req, "HTTP_EXPECT");

	if (coding && strcasecmp(coding, "identity") != 0)
		return refuse(
		    why, "encoding-refused", e, "send the content without a content coding");
	if (expect && strcasecmp(expect, "100-continue") != 0)
		return refuse(why, "expectation-failed", e, "only 100-continue can be expected");
	if (request_param(c->req, "HTTP_CONTENT_RANGE"))
		return err_set(e, ERR_INPUT, "a part of a file cannot be uploaded: Content-Range");
	return 0;
}

/* Form or file? A PUT carries the file itself, whatever a careless client calls it. */
static int
read_type(const struct call *c, struct upload_head *h, struct refusal *why, struct err *e)
{
	const char *type = request_param(c->req, "CONTENT_TYPE");
	bool put = strcmp(c->method, "PUT") == 0;

	if (!type)
		return 0;
	if (mime_parse(type, &h->mime, e) < 0)
		return -1;
	h->is_form = strcmp(h->mime.type, "multipart/form-data") == 0;
	if (put && h->is_form)
		return refuse(why, "not-a-form", e, "PUT takes the file itself, not a form");
	if (h->is_form && h->mime.boundary_len == 0)
		return err_set(
		    e, ERR_INPUT, "Content-Type: multipart/form-data without a boundary");
	if (h->is_form || put)
		return 0;
	if (strncmp(h->mime.type, "multipart/", 10) == 0 ||
	    strcmp(h->mime.type, "application/x-www-form-urlencoded") == 0)
		return refuse(why, "not-a-form", e,
		    "send multipart/form-data, or the file itself under its own media type");
	return 0;
}

static int
read_length(struct call *c, struct upload_head *h, struct err *e)
{
	h->handed_off = handoff_path(c) != NULL;
	h->has_length = true;
	if (h->handed_off)
		return handoff_size(c, &h->length, e);
	switch (request_length(c->req, &h->length)) {
	case 1:
		return 0;
	case 0:
		h->has_length = false;
		h->length = 0;
		return 0;
	default:
		return err_set(e, ERR_INPUT, "Content-Length is malformed");
	}
}

/* A raw file is named by the path, or by Content-Disposition, or not at all. */
static int
read_name(const struct call *c, struct upload_head *h, struct err *e)
{
	const char *field = request_param(c->req, "HTTP_CONTENT_DISPOSITION");
	const struct conf_multipart *limits = &c->app->conf->multipart;
	struct disposition d = { .has_filename = false };

	if (*c->arg) {
		filename_clean(c->arg, strlen(c->arg), h->name);
		return 0;
	}
	if (field && disposition_parse(
			 field, strlen(field), limits->max_name, limits->max_filename, &d, e) < 0)
		return -1;
	if (d.has_filename && d.filename_len > 0)
		filename_clean(d.filename, d.filename_len, h->name);
	else
		filename_clean("upload", 6, h->name);
	return 0;
}

int
upload_head_read(struct call *c, struct upload_head *h, struct refusal *why, struct err *e)
{
	*h = (struct upload_head){ .is_form = false };
	if (check_fields(c, why, e) < 0 || read_type(c, h, why, e) < 0 || read_length(c, h, e) < 0)
		return -1;
	return h->is_form ? 0 : read_name(c, h, e);
}
