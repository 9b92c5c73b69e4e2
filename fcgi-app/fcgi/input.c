#include "base/sys.h"

#include <sys/socket.h>

#include "fcgi/input.h"

void
input_init(
    struct input *in, int fd, unsigned id, unsigned char *buf, size_t size, size_t at, size_t len)
{
	*in = (struct input){
		.fd = fd,
		.id = id,
		.buf = buf,
		.size = size,
		.at = at,
		.end = at + len,
	};
}

/* Reads more behind what is there; only a piece of a header ever has to move. */
static int
fill(struct input *in, int flags, struct err *e)
{
	ssize_t n;

	if (in->at == in->end) {
		in->at = in->end = 0;
	} else if (in->at > 0) {
		memmove(in->buf, in->buf + in->at, in->end - in->at);
		in->end -= in->at;
		in->at = 0;
	}
	do {
		n = recv(in->fd, in->buf + in->end, in->size - in->end, flags);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		in->end += (size_t)n;
		return 0;
	}
	if (n == 0 || errno == ECONNRESET)
		return err_set(e, ERR_INPUT, "the connection ended");
	return err_set(
	    e, ERR_INPUT, "%s", errno == EAGAIN ? "nothing came in time" : strerror(errno));
}

static int
next_record(struct input *in, struct err *e)
{
	struct record r = record_read(in->buf + in->at);

	in->at += RECORD_HEADER;
	if (r.type == RECORD_ABORT_REQUEST && r.id == in->id)
		return err_set(e, ERR_INPUT, "the web server gave the request up");
	if (r.version != RECORD_VERSION || r.type != RECORD_STDIN || r.id != in->id)
		return err_set(e, ERR_INPUT,
		    "a record of version %u, type %u, id %u in the body of id %u", r.version,
		    r.type, r.id, in->id);
	in->content = r.content;
	in->padding = r.padding;
	in->last = r.content == 0;
	return 0;
}

static size_t
here(const struct input *in, size_t wanted)
{
	return in->end - in->at < wanted ? in->end - in->at : wanted;
}

static ssize_t
next(struct input *in, const unsigned char **p, int flags, struct err *e)
{
	while (!in->ended) {
		size_t n = here(in, in->content);

		if (n > 0) {
			*p = in->buf + in->at;
			in->at += n;
			in->content -= n;
			return (ssize_t)n;
		}
		if (in->content == 0) {
			n = here(in, in->padding);
			in->at += n;
			in->padding -= n;
		}
		if (in->content == 0 && in->padding == 0) {
			in->ended = in->last;
			if (!in->last && in->end - in->at >= RECORD_HEADER) {
				if (next_record(in, e) < 0)
					return -1;
				continue;
			}
		}
		if (!in->ended && fill(in, flags, e) < 0)
			return -1;
	}
	return 0;
}

ssize_t
input_next(struct input *in, const unsigned char **p, struct err *e)
{
	return next(in, p, 0, e);
}

bool
input_ended(struct input *in)
{
	const unsigned char *p;

	return in->ended || next(in, &p, MSG_DONTWAIT, NULL) == 0;
}
