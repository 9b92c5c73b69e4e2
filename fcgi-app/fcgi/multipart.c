#include "base/sys.h"

#include "fcgi/multipart.h"
#include "fcgi/multipart_header.h"
#include "fcgi/multipart_scan.h"

const struct multipart_limits multipart_defaults = {
	.header_bytes = 8192,
	.headers = 16,
	.parts = 100,
	.name = 256,
	.filename = 1024,
	.preamble = 1024,
	.epilogue = 64 * 1024,
	.lwsp = 64,
	.field_bytes = 64 * 1024,
	.fields_bytes = 1024 * 1024,
};

/*
 * A delimiter is CR LF "--" boundary. Its CR is the only one in it, so bytes that began like one
 * and then differ are data as a whole, and the search goes on at the byte that differs. At the
 * start of the body, and of a part's data, the CR LF counts as seen (held = held_from = 2).
 */
enum state {
	BODY,      /* preamble or data, up to a delimiter; delimiter[0..held) has matched */
	AFTER,     /* the delimiter is whole: is it one? */
	AFTER_ONE, /* delimiter and "-" */
	SPACE,     /* white space, CR */
	LINE_FEED, /* LF */
	HEADERS,
	CLOSED, /* MULTIPART_END is to be told */
	EPILOGUE,
	FAILED,
};

static enum multipart_event
fail(struct multipart *mp)
{
	size_t part = mp->parts;

	mp->state = FAILED;
	if (part > 0)
		err_prefix(&mp->error, "multipart body, part %zu", part);
	else
		err_prefix(&mp->error, "multipart body");
	return MULTIPART_ERROR;
}

static int
check_limits(struct multipart *mp)
{
	if (mp->limits.header_bytes > MULTIPART_HEADER_BYTES ||
	    mp->limits.name > DISPOSITION_NAME || mp->limits.filename > DISPOSITION_FILENAME)
		return err_set(
		    &mp->error, ERR_INTERNAL, "multipart limits are over what is built in");
	return 0;
}

static int
check_boundary(struct multipart *mp, const char *boundary, size_t len)
{
	if (len == 0 || len > MULTIPART_BOUNDARY)
		return err_set(&mp->error, ERR_INPUT, "the boundary is not 1 to %d characters long",
		    MULTIPART_BOUNDARY);
	for (size_t i = 0; i < len; i++)
		if (boundary[i] < ' ' || boundary[i] > '~')
			return err_set(
			    &mp->error, ERR_INPUT, "the boundary is not printable ASCII");
	if (boundary[len - 1] == ' ')
		return err_set(&mp->error, ERR_INPUT, "the boundary ends with a space");
	return 0;
}

int
multipart_init(
    struct multipart *mp, const char *boundary, size_t len, const struct multipart_limits *limits)
{
	memset(mp, 0, offsetof(struct multipart, line));
	mp->limits = limits ? *limits : multipart_defaults;
	mp->state = BODY;
	mp->held = mp->held_from = 2;
	if (check_limits(mp) < 0 || check_boundary(mp, boundary, len) < 0) {
		mp->state = FAILED;
		return -1;
	}
	memcpy(mp->delimiter, "\r\n--", 4);
	memcpy(mp->delimiter + 4, boundary, len);
	mp->delimiter_len = 4 + len;
	mp->delimiter[mp->delimiter_len] = '-';
	return 0;
}

/* The functions below return MULTIPART_MORE when there is nothing to tell yet. */

/* n bytes at s turned out to be no delimiter: data of the part, or preamble. */
static enum multipart_event
plain(
    struct multipart *mp, const unsigned char *s, size_t n, const unsigned char **data, size_t *len)
{
	if (n == 0)
		return MULTIPART_MORE;
	if (mp->in_part) {
		*data = s;
		*len = n;
		return MULTIPART_DATA;
	}
	mp->preamble += n;
	if (mp->preamble <= mp->limits.preamble)
		return MULTIPART_MORE;
	err_set(&mp->error, ERR_INPUT, "more than %zu bytes before the first delimiter",
	    mp->limits.preamble);
	return fail(mp);
}

/* The bytes held back, of which n matched, are no delimiter. */
static enum multipart_event
release(struct multipart *mp, size_t n, const unsigned char **data, size_t *len)
{
	const unsigned char *s = (const unsigned char *)mp->delimiter + mp->held_from;

	n -= mp->held_from;
	mp->state = BODY;
	mp->held = mp->held_from = 0;
	return plain(mp, s, n, data, len);
}

static enum multipart_event
body(struct multipart *mp, const unsigned char **p, const unsigned char *end,
    const unsigned char **data, size_t *len)
{
	const unsigned char *from = *p, *hit;

	if (mp->held > 0) {
		while (*p < end && mp->held < mp->delimiter_len &&
		       **p == (unsigned char)mp->delimiter[mp->held]) {
			mp->held++;
			(*p)++;
		}
		if (mp->held == mp->delimiter_len)
			mp->state = AFTER;
		else if (*p < end)
			return release(mp, mp->held, data, len);
		return MULTIPART_MORE;
	}
	hit = multipart_scan(from, end, mp->delimiter, mp->delimiter_len, &mp->held);
	*p = hit + mp->held;
	if (mp->held == mp->delimiter_len)
		mp->state = AFTER;
	return plain(mp, from, (size_t)(hit - from), data, len);
}

/* It is a delimiter: the part before it, if there is one, ends. */
static enum multipart_event
delimiter(struct multipart *mp, enum state next)
{
	bool ends = mp->in_part; /* the first one ends the preamble */

	mp->state = next;
	mp->held = mp->held_from = 0;
	mp->lwsp = 0;
	return ends ? MULTIPART_PART_END : MULTIPART_MORE;
}

static enum multipart_event
after(struct multipart *mp, const unsigned char **p, const unsigned char **data, size_t *len)
{
	if (multipart_ends_delimiter(**p))
		return delimiter(mp, SPACE);
	if (**p != '-')
		return release(mp, mp->delimiter_len, data, len);
	(*p)++;
	mp->state = AFTER_ONE;
	return MULTIPART_MORE;
}

static enum multipart_event
after_one(struct multipart *mp, const unsigned char **p, const unsigned char **data, size_t *len)
{
	if (**p != '-')
		return release(mp, mp->delimiter_len + 1, data, len);
	(*p)++;
	return delimiter(mp, CLOSED);
}

/* White space between delimiter and line end. */
static enum multipart_event
space(struct multipart *mp, const unsigned char **p)
{
	unsigned char c = *(*p)++;

	if (c == '\r') {
		mp->state = LINE_FEED;
		return MULTIPART_MORE;
	}
	if (c == '\n')
		err_set(&mp->error, ERR_INPUT, "a delimiter ends with a bare LF");
	else if (c != ' ' && c != '\t')
		err_set(&mp->error, ERR_INPUT, "text after a delimiter");
	else if (++mp->lwsp > mp->limits.lwsp)
		err_set(&mp->error, ERR_INPUT,
		    "more than %zu bytes of white space after a delimiter", mp->limits.lwsp);
	else
		return MULTIPART_MORE;
	return fail(mp);
}

static enum multipart_event
line_feed(struct multipart *mp, const unsigned char **p)
{
	if (*(*p)++ != '\n') {
		err_set(&mp->error, ERR_INPUT, "a delimiter ends with a bare CR");
		return fail(mp);
	}
	if (mp->parts >= mp->limits.parts) {
		err_set(&mp->error, ERR_TOOBIG, "more than %zu parts", mp->limits.parts);
		return fail(mp);
	}
	mp->part.index = mp->parts++;
	multipart_header_begin(mp);
	mp->state = HEADERS;
	return MULTIPART_MORE;
}

static enum multipart_event
headers(struct multipart *mp, const unsigned char **p, const unsigned char *end)
{
	int rc = multipart_header_feed(mp, p, end);

	if (rc < 0)
		return fail(mp);
	if (rc == 0)
		return MULTIPART_MORE;
	mp->in_part = true;
	mp->state = BODY;
	mp->held = mp->held_from = 2;
	return MULTIPART_PART;
}

/* Ignored, but nobody may go on for ever. */
static enum multipart_event
epilogue(struct multipart *mp, const unsigned char **p, const unsigned char *end)
{
	mp->epilogue += (size_t)(end - *p);
	*p = end;
	if (mp->epilogue <= mp->limits.epilogue)
		return MULTIPART_MORE;
	mp->state = FAILED;
	err_set(&mp->error, ERR_INPUT,
	    "multipart body: more than %zu bytes after the closing delimiter", mp->limits.epilogue);
	return MULTIPART_ERROR;
}

/* Goes on by at least one byte or one state; MULTIPART_MORE when there is nothing to tell yet. */
static enum multipart_event
step(struct multipart *mp, const unsigned char **p, const unsigned char *end,
    const unsigned char **data, size_t *len)
{
	switch ((enum state)mp->state) {
	case BODY:
		return body(mp, p, end, data, len);
	case AFTER:
		return after(mp, p, data, len);
	case AFTER_ONE:
		return after_one(mp, p, data, len);
	case SPACE:
		return space(mp, p);
	case LINE_FEED:
		return line_feed(mp, p);
	case HEADERS:
		return headers(mp, p, end);
	case EPILOGUE:
		return epilogue(mp, p, end);
	case CLOSED:
	case FAILED:
		break;
	}
	*p = end;
	return MULTIPART_MORE;
}

enum multipart_event
multipart_next(struct multipart *mp, const unsigned char **p, const unsigned char *end,
    const unsigned char **data, size_t *len)
{
	enum multipart_event ev = MULTIPART_MORE;

	if (mp->state == FAILED)
		return MULTIPART_ERROR;
	while (ev == MULTIPART_MORE && *p < end && mp->state != CLOSED)
		ev = step(mp, p, end, data, len);
	if (ev == MULTIPART_MORE && mp->state == CLOSED) {
		mp->state = EPILOGUE;
		ev = MULTIPART_END;
	}
	return ev;
}

int
multipart_finish(const struct multipart *mp, struct err *e)
{
	if (mp->state == CLOSED || mp->state == EPILOGUE)
		return 0;
	if (mp->state != FAILED)
		return err_set(e, ERR_INPUT, "multipart body: ended before the closing delimiter");
	if (e)
		*e = mp->error;
	return -1;
}
