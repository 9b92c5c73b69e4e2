#include "base/sys.h"

#include "fcgi/body.h"

#include <inttypes.h>

#include "base/fdio.h"
#include "base/mem.h"

enum { WINDOW = 256 << 10 };

void
body_stream(struct body *b, struct request *req)
{
	*b = (struct body){ .req = req, .fd = -1 };
}

void
body_file(struct body *b, int fd, uint64_t size, bool own_fd)
{
	*b = (struct body){ .fd = fd, .size = size, .own_fd = own_fd };
	b->window = mem_alloc(WINDOW);
}

void
body_skip(struct body *b, uint64_t n)
{
	b->at += n;
}

void
body_release(struct body *b)
{
	mem_free(b->window);
	b->window = NULL;
	if (b->own_fd)
		fdio_drop(&b->fd);
}

static ssize_t
next_window(struct body *b, const unsigned char **p, struct err *e)
{
	uint64_t left = b->size - b->at;
	size_t want = left < WINDOW ? (size_t)left : WINDOW;
	ssize_t n;

	if (want == 0)
		return 0;
	n = fdio_pread_full(b->fd, b->window, want, (off_t)b->at);
	if (n < 0)
		return err_sys(e, "read the handed-off body");
	if ((size_t)n < want)
		return err_set(e, ERR_INTERNAL,
		    "the handed-off body shrank: %" PRIu64 " bytes instead of %" PRIu64,
		    b->at + (uint64_t)n, b->size);
	b->at += want;
	*p = b->window;
	return n;
}

ssize_t
body_next(struct body *b, const unsigned char **p, struct err *e)
{
	return b->req ? request_body(b->req, p, e) : next_window(b, p, e);
}

uint64_t
body_arrived(const struct body *b)
{
	return b->req ? request_body_read(b->req) : b->at;
}
