#include "base/sys.h"

#include "fcgi/form.h"

#include "base/mem.h"
#include "fcgi/handoff.h"
#include "fcgi/multipart.h"

enum part_kind { PART_FIELD, PART_FILE, PART_UNCHOSEN };

struct form {
	struct upload *u;
	struct multipart mp;
	enum part_kind part;
	struct strbuf value; /* of the field that is coming in */
	size_t fields_bytes; /* of all fields */
};

static void
begin_limits(struct multipart_limits *l, const struct conf_multipart *conf)
{
	*l = multipart_defaults;
	l->header_bytes = (size_t)conf->max_header_bytes;
	l->headers = (size_t)conf->max_headers;
	l->parts = (size_t)conf->max_parts;
	l->name = (size_t)conf->max_name;
	l->filename = (size_t)conf->max_filename;
	l->preamble = (size_t)conf->max_preamble;
	l->lwsp = (size_t)conf->max_padding;
	l->field_bytes = (size_t)conf->max_field;
	l->fields_bytes = (size_t)conf->max_fields;
}

static int
begin_file(struct form *f, struct err *e)
{
	const struct multipart_part *part = &f->mp.part;
	char name[FILENAME_SIZE];
	struct mime mime;
	struct err ignored;

	/* The declared type is only written down: one that cannot be read is none. */
	if (mime_parse(part->content_type, &mime, &ignored) < 0)
		mime.type[0] = '\0';
	filename_clean(part->disposition.filename, part->disposition.filename_len, name);
	f->part = PART_FILE;
	return receive_begin(&f->u->in, name, mime.type, e);
}

static int
on_part(struct form *f, struct err *e)
{
	const struct disposition *d = &f->mp.part.disposition;

	strbuf_reset(&f->value);
	if (!d->has_filename)
		f->part = PART_FIELD;
	else if (d->filename_len == 0)
		f->part = PART_UNCHOSEN;
	else
		return begin_file(f, e);
	return 0;
}

/* The database has no place for NUL in a text. */
static void
add_text(struct strbuf *b, const unsigned char *p, size_t n)
{
	while (n > 0) {
		const unsigned char *nul = memchr(p, '\0', n);
		size_t len = nul ? (size_t)(nul - p) : n;

		strbuf_add(b, p, len);
		if (!nul)
			return;
		strbuf_adds(b, "\xef\xbf\xbd");
		p += len + 1;
		n -= len + 1;
	}
}

static int
on_data(struct form *f, const unsigned char *p, size_t n, struct err *e)
{
	const struct multipart_limits *l = &f->mp.limits;

	if (f->part == PART_UNCHOSEN && begin_file(f, e) < 0)
		return -1;
	if (f->part == PART_FILE)
		return receive_data(&f->u->in, p, n, e);
	f->fields_bytes += n;
	if (f->value.len + n > l->field_bytes)
		return err_set(e, ERR_TOOBIG, "field %s is over %zu bytes",
		    f->mp.part.disposition.name, l->field_bytes);
	if (f->fields_bytes > l->fields_bytes)
		return err_set(e, ERR_TOOBIG, "the fields are over %zu bytes", l->fields_bytes);
	add_text(&f->value, p, n);
	return 0;
}

static void
add_field(json_t *fields, const char *name, json_t *value)
{
	json_t *have = json_object_get(fields, name), *list;

	if (!have) {
		json_object_set_new(fields, name, value);
	} else if (json_is_array(have)) {
		json_array_append_new(have, value);
	} else {
		list = json_array();
		json_array_append(list, have);
		json_array_append_new(list, value);
		json_object_set_new(fields, name, list);
	}
}

static int
on_part_end(struct form *f, struct err *e)
{
	if (f->part == PART_FILE)
		return receive_end(&f->u->in, e);
	if (f->part == PART_FIELD)
		add_field(f->u->metadata, f->mp.part.disposition.name, json_str(f->value.s));
	return 0;
}

/* Feeds one chunk to the parser and acts on what it tells. */
static int
feed(struct form *f, const unsigned char *p, const unsigned char *end, struct err *e)
{
	const unsigned char *data;
	size_t n;

	for (;;) {
		int rc = 0;

		switch (multipart_next(&f->mp, &p, end, &data, &n)) {
		case MULTIPART_MORE:
			return 0;
		case MULTIPART_PART:
			rc = on_part(f, e);
			break;
		case MULTIPART_DATA:
			rc = on_data(f, data, n, e);
			break;
		case MULTIPART_PART_END:
			rc = on_part_end(f, e);
			break;
		case MULTIPART_END:
			break;
		case MULTIPART_ERROR:
			*e = f->mp.error;
			return -1;
		}
		if (rc < 0)
			return -1;
	}
}

static int
begin_body(struct upload *u, const struct upload_head *h, struct err *e)
{
	uint64_t size;
	int fd;

	if (!h->handed_off) {
		body_stream(&u->body, u->call->req);
		return 0;
	}
	fd = handoff_open(u->call, &size, e);
	if (fd < 0)
		return -1;
	body_file(&u->body, fd, size, true);
	return 0;
}

static int
read_form(struct form *f, const struct upload_head *h, struct err *e)
{
	const unsigned char *p;
	ssize_t n;

	if (begin_body(f->u, h, e) < 0)
		return -1;
	while ((n = upload_read(f->u, &p, e)) > 0)
		if (feed(f, p, p + n, e) < 0)
			return -1;
	if (n < 0 || multipart_finish(&f->mp, e) < 0)
		return -1;
	if (f->u->in.n == 0) {
		f->u->in.refusal.slug = "no-file";
		return err_set(e, ERR_INPUT, "the form has no part with a file name");
	}
	return 0;
}

int
form_receive(struct upload *u, const struct upload_head *h, struct err *e)
{
	struct form *f = mem_zero(sizeof(*f));
	struct multipart_limits limits;
	int rc;

	f->u = u;
	strbuf_init(&f->value);
	begin_limits(&limits, &u->call->app->conf->multipart);
	if (multipart_init(&f->mp, h->mime.boundary, h->mime.boundary_len, &limits) < 0) {
		*e = f->mp.error;
		rc = -1;
	} else {
		rc = read_form(f, h, e);
	}
	strbuf_release(&f->value);
	mem_free(f);
	return rc;
}
