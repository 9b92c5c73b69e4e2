#include "base/sys.h"
#include "worker/wire.h"
#include "base/fdio.h"
#include "base/strbuf.h"

#define MAGIC_MESSAGE 0x31574c53U /* "SLW1" */
#define MAGIC_REPLY 0x31524c53U   /* "SLR1" */

/* A place in a buffer; bad once something did not fit. */
struct cursor {
	uint8_t *w;
	const uint8_t *r;
	size_t at, n;
	bool bad;
};

static void
put(struct cursor *c, uint64_t v, size_t width)
{
	if (c->n - c->at < width) {
		c->bad = true;
		return;
	}
	for (size_t i = 0; i < width; i++)
		c->w[c->at++] = (uint8_t)(v >> (8 * i));
}

static uint64_t
get(struct cursor *c, size_t width)
{
	uint64_t v = 0;

	if (c->n - c->at < width) {
		c->bad = true;
		return 0;
	}
	for (size_t i = 0; i < width; i++)
		v |= (uint64_t)c->r[c->at++] << (8 * i);
	return v;
}

/* A number below limit; anything else spoils the message. */
static uint32_t
get_below(struct cursor *c, uint32_t limit)
{
	uint64_t v = get(c, 4);

	if (v >= limit) {
		c->bad = true;
		return 0;
	}
	return (uint32_t)v;
}

static void
put_text(struct cursor *c, const char *s)
{
	size_t len = strnlen(s, WIRE_TEXT);

	put(c, len, 4);
	for (size_t i = 0; i < len; i++)
		put(c, (uint8_t)s[i], 1);
}

/* Printable ASCII stays, all else becomes '_': the text goes to logs and to clients. */
static void
get_text(struct cursor *c, char out[WIRE_TEXT + 1])
{
	uint32_t len = get_below(c, WIRE_TEXT + 1);
	uint8_t b;

	for (uint32_t i = 0; i < len; i++) {
		b = (uint8_t)get(c, 1);
		out[i] = b >= 0x20 && b < 0x7f ? (char)b : '_';
	}
	out[len] = '\0';
}

static struct cursor
writing(uint8_t *p, size_t n)
{
	return (struct cursor){ .w = p, .n = n };
}

static struct cursor
reading(const void *p, size_t n)
{
	return (struct cursor){ .r = p, .n = n };
}

static bool
whole(const struct cursor *c)
{
	return !c->bad && c->at == c->n;
}

size_t
wire_job_write(const struct wire_job *job, uint8_t out[WIRE_MESSAGE])
{
	struct cursor c = writing(out, WIRE_MESSAGE);
	const struct wire_rendition *r;

	put(&c, MAGIC_MESSAGE, 4);
	put(&c, WIRE_JOB, 4);
	put(&c, job->serial, 8);
	put(&c, job->file_size, 8);
	put(&c, job->max_pixels, 8);
	put(&c, job->memory, 8);
	put(&c, job->max_output, 8);
	put(&c, job->max_side, 4);
	put(&c, job->cpu_ms, 4);
	put(&c, job->wall_ms, 4);
	put(&c, job->picture.format, 4);
	put(&c, job->picture.width, 4);
	put(&c, job->picture.height, 4);
	put(&c, job->picture.orientation, 4);
	put(&c, job->renditions, 4);
	for (uint32_t i = 0; i < job->renditions; i++) {
		r = &job->rendition[i];
		put(&c, r->width, 4);
		put(&c, r->height, 4);
		put(&c, r->crop, 4);
		put(&c, r->format, 4);
		put(&c, r->quality, 4);
	}
	return c.at;
}

static void
read_rendition(struct cursor *c, struct wire_rendition *r)
{
	r->width = (uint32_t)get(c, 4);
	r->height = (uint32_t)get(c, 4);
	r->crop = get_below(c, 2) == 1;
	r->format = (enum conf_format)get_below(c, FORMAT_WEBP + 1);
	r->quality = get_below(c, 101);
	if (r->width == 0 || r->height == 0 || r->quality == 0)
		c->bad = true;
}

int
wire_job_read(const void *p, size_t n, struct wire_job *job)
{
	struct cursor c = reading(p, n);

	memset(job, 0, sizeof(*job));
	if (get(&c, 4) != MAGIC_MESSAGE || get(&c, 4) != WIRE_JOB)
		return -1;
	job->serial = get(&c, 8);
	job->file_size = get(&c, 8);
	job->max_pixels = get(&c, 8);
	job->memory = get(&c, 8);
	job->max_output = get(&c, 8);
	job->max_side = (uint32_t)get(&c, 4);
	job->cpu_ms = (uint32_t)get(&c, 4);
	job->wall_ms = (uint32_t)get(&c, 4);
	job->picture.format = (enum picture_format)get_below(&c, PICTURE_FORMATS);
	job->picture.width = (uint32_t)get(&c, 4);
	job->picture.height = (uint32_t)get(&c, 4);
	job->picture.orientation = get_below(&c, 9);
	job->renditions = get_below(&c, CONF_MAX_RENDITIONS + 1);
	for (uint32_t i = 0; i < job->renditions; i++)
		read_rendition(&c, &job->rendition[i]);
	return whole(&c) && job->picture.format != PICTURE_UNKNOWN && job->renditions > 0 ? 0 : -1;
}

size_t
wire_message_write(const struct wire_message *m, uint8_t out[WIRE_MESSAGE])
{
	struct cursor c = writing(out, WIRE_MESSAGE);

	put(&c, MAGIC_MESSAGE, 4);
	put(&c, m->type, 4);
	put(&c, m->serial, 8);
	put(&c, m->end, 4);
	put(&c, m->value, 4);
	put_text(&c, m->text);
	return c.at;
}

unsigned
wire_type(const void *p, size_t n)
{
	struct cursor c = reading(p, n);
	uint64_t type;

	if (get(&c, 4) != MAGIC_MESSAGE)
		return 0;
	type = get(&c, 4);
	return type <= WIRE_END ? (unsigned)type : 0;
}

int
wire_message_read(const void *p, size_t n, struct wire_message *m)
{
	struct cursor c = reading(p, n);

	memset(m, 0, sizeof(*m));
	m->type = (enum wire_type)wire_type(p, n);
	if (m->type < WIRE_KILL)
		return -1;
	(void)get(&c, 8);
	m->serial = get(&c, 8);
	m->end = (enum wire_end)get_below(&c, WIRE_ENDS);
	m->value = (uint32_t)get(&c, 4);
	get_text(&c, m->text);
	return whole(&c) ? 0 : -1;
}

int
wire_reply_fail(int fd, enum wire_status status, const char *text)
{
	uint8_t head[WIRE_REPLY_HEAD];
	struct cursor c = writing(head, sizeof(head));

	put(&c, MAGIC_REPLY, 4);
	put(&c, status, 4);
	put_text(&c, text);
	return fdio_write(fd, head, c.at);
}

int
wire_reply_send(int fd, const struct wire_thumbnail *t, uint32_t n)
{
	uint8_t head[WIRE_REPLY_HEAD];
	struct cursor c = writing(head, sizeof(head));

	put(&c, MAGIC_REPLY, 4);
	put(&c, WIRE_OK, 4);
	put(&c, n, 4);
	if (fdio_write(fd, head, c.at) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		c = writing(head, sizeof(head));
		put(&c, i, 4);
		put(&c, t[i].width, 4);
		put(&c, t[i].height, 4);
		put(&c, t[i].n, 8);
		if (fdio_write(fd, head, c.at) < 0 || fdio_write(fd, t[i].p, t[i].n) < 0)
			return -1;
	}
	return 0;
}

uint64_t
wire_reply_max(const struct wire_job *job)
{
	return WIRE_REPLY_HEAD + job->renditions * (job->max_output + WIRE_RECORD);
}

/* Are the bytes a picture of the format that was asked for, of the size that is claimed? */
static int
check_picture(
    const struct wire_thumbnail *t, const struct wire_rendition *r, uint32_t i, struct err *e)
{
	static const enum picture_format formats[] = {
		[FORMAT_JPEG] = PICTURE_JPEG,
		[FORMAT_PNG] = PICTURE_PNG,
		[FORMAT_WEBP] = PICTURE_WEBP,
	};
	struct picture_reader reader;

	if (picture_sniff(t->p, t->n) != formats[r->format])
		return err_set(
		    e, ERR_INPUT, "thumbnail %u is not a %s", i, picture_name(formats[r->format]));
	picture_begin(&reader, formats[r->format]);
	if (picture_step(&reader, t->p, t->n) != PICTURE_DONE || reader.found.width != t->width ||
	    reader.found.height != t->height)
		return err_set(e, ERR_INPUT, "thumbnail %u does not have the size it claims", i);
	if (t->width > r->width || t->height > r->height)
		return err_set(e, ERR_INPUT, "thumbnail %u is %ux%u, larger than its box %ux%u", i,
		    t->width, t->height, r->width, r->height);
	return 0;
}

static int
read_thumbnail(struct cursor *c, const struct wire_job *job, uint32_t i, struct wire_thumbnail *t,
    struct err *e)
{
	uint64_t index = get(c, 4), size;

	t->width = (uint32_t)get(c, 4);
	t->height = (uint32_t)get(c, 4);
	size = get(c, 8);
	if (c->bad || index != i || size > c->n - c->at)
		return err_set(e, ERR_INPUT, "reply is cut or out of order at thumbnail %u", i);
	if (size > job->max_output)
		return err_set(e, ERR_INPUT, "thumbnail %u has %llu bytes, over the limit", i,
		    (unsigned long long)size);
	t->p = c->r + c->at;
	t->n = (size_t)size;
	c->at += t->n;
	return check_picture(t, &job->rendition[i], i, e);
}

int
wire_reply_read(
    const void *p, size_t n, const struct wire_job *job, struct wire_reply *out, struct err *e)
{
	struct cursor c = reading(p, n);

	memset(out, 0, sizeof(*out));
	if (get(&c, 4) != MAGIC_REPLY)
		return err_set(e, ERR_INPUT, "%s", n ? "reply is not one of ours" : "no reply");
	out->status = (enum wire_status)get_below(&c, WIRE_STATUSES);
	if (c.bad)
		return err_set(e, ERR_INPUT, "reply has an unknown status");
	if (out->status != WIRE_OK) {
		get_text(&c, out->text);
		return whole(&c) ? 0 : err_set(e, ERR_INPUT, "reply is cut or too long");
	}
	if (get(&c, 4) != job->renditions || c.bad)
		return err_set(e, ERR_INPUT, "reply has the wrong number of thumbnails");
	for (uint32_t i = 0; i < job->renditions; i++)
		if (read_thumbnail(&c, job, i, &out->thumbnail[i], e) < 0)
			return -1;
	return whole(&c) ? 0 : err_set(e, ERR_INPUT, "bytes follow the last thumbnail");
}
