#include "base/sys.h"

#include <inttypes.h>

#include "fcgi/record.h"

enum { RESPONDER = 1, BEGIN_BODY = 8 };

/* The stream of name-value pairs, cut anywhere by records. */
struct pairs {
	size_t count;
	uint64_t value_len, left; /* bytes to come of the name or value */
	unsigned char len[8];     /* the two lengths as far as they have come */
	size_t nlen;
};

/* One length of a pair at p; the bytes it takes, or 0 when n are too few. */
static size_t
length_read(const unsigned char *p, size_t n, uint64_t *out)
{
	if (n == 0)
		return 0;
	if (p[0] < 0x80) {
		*out = p[0];
		return 1;
	}
	if (n < 4)
		return 0;
	*out = (uint64_t)(p[0] & 0x7f) << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
	return 4;
}

/* Takes the byte of a pair's two lengths; sets left when both have come. */
static int
pairs_length(struct pairs *s, unsigned char c, struct err *e)
{
	uint64_t name, value;
	size_t used;

	s->len[s->nlen++] = c;
	used = length_read(s->len, s->nlen, &name);
	if (used == 0 || length_read(s->len + used, s->nlen - used, &value) == 0)
		return 0;
	s->nlen = 0;
	if (name == 0)
		return err_set(e, ERR_INPUT, "a parameter without a name");
	if (name + value > RECORD_OPENING)
		return err_set(e, ERR_INPUT, "a parameter of %" PRIu64 " bytes", name + value);
	if (++s->count > RECORD_PARAMS)
		return err_set(e, ERR_INPUT, "more than %d parameters", RECORD_PARAMS);
	s->left = name + value;
	return 0;
}

static int
pairs_add(struct pairs *s, const unsigned char *p, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (s->left == 0) {
			if (pairs_length(s, p[i], e) < 0)
				return -1;
			continue;
		}
		size_t take = n - i < s->left ? n - i : (size_t)s->left;

		if (memchr(p + i, '\0', take) != NULL)
			return err_set(e, ERR_INPUT, "NUL in a parameter");
		s->left -= take;
		i += take - 1;
	}
	return 0;
}

static int
begin_check(const struct record *h, const unsigned char *body, struct err *e)
{
	if (h->type != RECORD_BEGIN_REQUEST || h->id == 0 || h->content != BEGIN_BODY)
		return err_set(e, ERR_INPUT,
		    "a connection must begin with BEGIN_REQUEST, not "
		    "record type %u, id %u, length %zu",
		    h->type, h->id, h->content);
	if (body[0] != 0 || body[1] != RESPONDER)
		return err_set(
		    e, ERR_INPUT, "role %u is not served", (unsigned)body[0] << 8 | body[1]);
	return 0;
}

struct record
record_read(const unsigned char p[RECORD_HEADER])
{
	return (struct record){
		.version = p[0],
		.type = p[1],
		.id = (unsigned)p[2] << 8 | p[3],
		.content = (size_t)p[4] << 8 | p[5],
		.padding = p[6],
	};
}

int
record_opening(const unsigned char *p, size_t n, struct record_opening *o, struct err *e)
{
	struct pairs pairs = { 0 };
	size_t at = 0;

	o->id = 0;
	while (n - at >= RECORD_HEADER) {
		struct record h = record_read(p + at);
		const unsigned char *body = p + at + RECORD_HEADER;
		size_t size = RECORD_HEADER + h.content + h.padding;

		if (h.version != RECORD_VERSION)
			return err_set(e, ERR_INPUT, "FastCGI version %u", h.version);
		if (at == 0 && h.type != RECORD_BEGIN_REQUEST)
			return begin_check(&h, body, e);
		if (at > 0 && (h.type != RECORD_PARAM || h.id != o->id))
			return err_set(e, ERR_INPUT,
			    "record type %u, id %u among the parameters of id %u", h.type, h.id,
			    o->id);
		if (at + size > RECORD_OPENING)
			return err_set(e, ERR_INPUT, "parameters over %d bytes", RECORD_OPENING);
		if (n - at < size)
			return 0;
		if (at == 0) {
			if (begin_check(&h, body, e) < 0)
				return -1;
			o->id = h.id;
		} else if (pairs_add(&pairs, body, h.content, e) < 0) {
			return -1;
		}
		at += size;
		if (h.type == RECORD_PARAM && h.content == 0) {
			if (pairs.left != 0 || pairs.nlen != 0)
				return err_set(e, ERR_INPUT, "the last parameter is cut");
			o->size = at;
			return 1;
		}
	}
	return 0;
}

void
record_header(unsigned char out[RECORD_HEADER], enum record_type type, unsigned id, size_t content)
{
	out[0] = RECORD_VERSION;
	out[1] = (unsigned char)type;
	out[2] = (unsigned char)(id >> 8);
	out[3] = (unsigned char)id;
	out[4] = (unsigned char)(content >> 8);
	out[5] = (unsigned char)content;
	out[6] = 0;
	out[7] = 0;
}
