#include "base/sys.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include "fcgi/output.h"

void
output_init(struct output *o, int fd, unsigned id)
{
	o->fd = fd;
	o->id = id;
	o->gone = false;
	o->bytes = 0;
	o->len = 0;
}

/* Sends all of iov; the socket's own timeout ends a peer that does not read. */
static int
output_send(struct output *o, struct iovec *iov, size_t niov)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = niov };

	while (!o->gone && msg.msg_iovlen > 0) {
		ssize_t n = sendmsg(o->fd, &msg, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			o->gone = true;
		while (n > 0 && (size_t)n >= msg.msg_iov->iov_len) {
			n -= (ssize_t)msg.msg_iov->iov_len;
			msg.msg_iov++;
			msg.msg_iovlen--;
			if (msg.msg_iovlen == 0)
				return 0;
		}
		if (n > 0) {
			msg.msg_iov->iov_base = (char *)msg.msg_iov->iov_base + n;
			msg.msg_iov->iov_len -= (size_t)n;
		}
	}
	return o->gone ? -1 : 0;
}

static int
output_flush(struct output *o)
{
	struct iovec iov = { o->buf, RECORD_HEADER + o->len };

	if (o->len == 0)
		return o->gone ? -1 : 0;
	record_header(o->buf, RECORD_STDOUT, o->id, o->len);
	o->len = 0;
	return output_send(o, &iov, 1);
}

/* One record of n bytes straight from the caller's memory. */
static int
output_direct(struct output *o, const unsigned char *p, size_t n)
{
	unsigned char header[RECORD_HEADER];
	struct iovec iov[2] = { { header, sizeof(header) }, { NULL, n } };

	memcpy(&iov[1].iov_base, &p, sizeof(p)); /* struct iovec has no const */
	record_header(header, RECORD_STDOUT, o->id, n);
	return output_send(o, iov, 2);
}

int
output_write(struct output *o, const void *p, size_t n)
{
	const unsigned char *s = p;

	if (o->gone)
		return -1;
	o->bytes += n;
	if (n > OUTPUT_BUFFER - o->len && output_flush(o) < 0)
		return -1;
	while (n > OUTPUT_BUFFER) {
		size_t take = n < RECORD_MAX ? n : RECORD_MAX;

		if (output_direct(o, s, take) < 0)
			return -1;
		s += take;
		n -= take;
	}
	memcpy(o->buf + RECORD_HEADER + o->len, s, n);
	o->len += n;
	return 0;
}

int
output_end(struct output *o)
{
	/* The end of STDOUT, then END_REQUEST with status 0 and FCGI_REQUEST_COMPLETE (0). */
	unsigned char end[3 * RECORD_HEADER] = { 0 };
	struct iovec iov[2] = { { o->buf, 0 }, { end, sizeof(end) } };

	record_header(end, RECORD_STDOUT, o->id, 0);
	record_header(end + RECORD_HEADER, RECORD_END_REQUEST, o->id, RECORD_HEADER);
	if (o->len == 0)
		return output_send(o, iov + 1, 1);
	record_header(o->buf, RECORD_STDOUT, o->id, o->len);
	iov[0].iov_len = RECORD_HEADER + o->len;
	o->len = 0;
	return output_send(o, iov, 2);
}
