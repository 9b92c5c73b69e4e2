#include "base/sys.h"

#include "base/fdio.h"

#include <fcntl.h>
#include <sys/socket.h>

int
fdio_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dirfd, path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int
fdio_write(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n > 0) {
		ssize_t w = write(fd, s, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		if (w == 0) { /* no file or pipe does this; looping on it would never end */
			errno = EIO;
			return -1;
		}
		s += w;
		n -= (size_t)w;
	}
	return 0;
}

ssize_t
fdio_read(int fd, void *p, size_t n)
{
	ssize_t r;

	do
		r = read(fd, p, n);
	while (r < 0 && errno == EINTR);
	return r;
}

ssize_t
fdio_read_full(int fd, void *p, size_t n)
{
	char *s = p;
	size_t got = 0;

	while (got < n) {
		ssize_t r = fdio_read(fd, s + got, n - got);

		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

ssize_t
fdio_pread_full(int fd, void *p, size_t n, off_t at)
{
	char *s = p;
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, s + got, n - got, at + (off_t)got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int
fdio_sync(int fd)
{
	return fsync(fd);
}

int
fdio_close(int *fd)
{
	int rc = close(*fd);

	*fd = -1;
	return rc < 0 && errno == EINTR ? 0 : rc;
}

void
fdio_drop(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static int
link_and_unlink(int from_dir, const char *from, int to_dir, const char *to)
{
	int saved;

	if (linkat(from_dir, from, to_dir, to, 0) < 0)
		return -1;
	if (unlinkat(from_dir, from, 0) < 0) {
		saved = errno;
		unlinkat(to_dir, to, 0);
		errno = saved;
		return -1;
	}
	return 0;
}

int
fdio_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link_and_unlink(from_dir, from, to_dir, to);
}

static int
set_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);

	if (flags < 0)
		return -1;
	return fcntl(fd, set, on ? flags | flag : flags & ~flag);
}

int
fdio_nonblock(int fd, bool on)
{
	return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int
fdio_cloexec(int fd, bool on)
{
	return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

union control {
	char buf[CMSG_SPACE(sizeof(int) * FDIO_MAX_FDS)];
	struct cmsghdr align;
};

int
fdio_send(int sock, const void *p, size_t n, const int *fds, size_t nfds)
{
	union control control = { 0 };
	struct iovec iov = { .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (nfds > FDIO_MAX_FDS) {
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(&iov.iov_base, &p, sizeof p); /* iov_base is not const, and nothing writes to it */
	if (nfds > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	do
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

/* Moves the descriptors of msg into fds; those beyond room are closed. Returns how many came. */
static size_t
collect_fds(struct msghdr *msg, int *fds, size_t room)
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++, count++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (count < room)
				fds[count] = fd;
			else
				close(fd);
		}
	}
	return count;
}

ssize_t
fdio_recv(int sock, void *p, size_t n, int *fds, size_t *nfds)
{
	size_t room = nfds ? *nfds : 0, count;
	union control control;
	struct iovec iov = { .iov_base = p, .iov_len = n };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof control.buf,
	};
	ssize_t got;

	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	count = collect_fds(&msg, fds, room);
	if (count > room || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		for (size_t i = 0; i < count && i < room; i++)
			close(fds[i]);
		if (nfds)
			*nfds = 0;
		errno = EMSGSIZE;
		return -1;
	}
	if (nfds)
		*nfds = count;
	return got;
}
