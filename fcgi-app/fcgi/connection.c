#include "base/sys.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "base/proc.h"
#include "fcgi/connection.h"

enum {
	OPENING_MS = 10000,      /* for BEGIN_REQUEST and PARAMS */
	OPENING_READ_MS = 5000,  /* and for one read of them */
	LINGER_MS = 2000,        /* at the end: for the peer to read the answer */
	LINGER_BYTES = 16 << 20, /* and what it may still send meanwhile */
	DRAIN_MS = 600000,       /* for a peer that sends all before it reads */
	RECHECK_MS = 2000,       /* a wake-up may get lost with the process that was woken */
	PAUSE_MS = 100,
};

static const int attention[] = { SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };

struct acceptor {
	uid_t *peers;
	size_t npeers;
	bool check_peers;
	int epoll_fd, listen_fd; /* epoll_fd waits for listen_fd */
	sigset_t wait_mask;      /* the caught signals come in here and nowhere else */
};

struct acceptor *
acceptor_new(bool check_peers, const uid_t *peers, size_t npeers)
{
	struct acceptor *a = mem_zero(sizeof(*a));

	a->check_peers = check_peers;
	a->npeers = npeers;
	a->peers = mem_array(npeers + 1, sizeof(uid_t));
	for (size_t i = 0; i < npeers; i++)
		a->peers[i] = peers[i];
	a->listen_fd = a->epoll_fd = -1;
	sigprocmask(SIG_SETMASK, NULL, &a->wait_mask);
	for (size_t i = 0; i < ARRAY_LEN(attention); i++)
		sigdelset(&a->wait_mask, attention[i]);
	return a;
}

void
acceptor_free(struct acceptor **a)
{
	if (*a == NULL)
		return;
	fdio_drop(&(*a)->epoll_fd);
	mem_free((*a)->peers);
	mem_free(*a);
	*a = NULL;
}

/* EPOLLEXCLUSIVE: a connection wakes one idle child, not all of them. */
static int
watch(struct acceptor *a, int listen_fd, struct err *e)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };

	if (a->epoll_fd >= 0 && a->listen_fd == listen_fd)
		return 0;
	fdio_drop(&a->epoll_fd);
	a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (a->epoll_fd < 0 || epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, listen_fd, &ev) < 0) {
		err_sys(e, "epoll on the listening socket");
		fdio_drop(&a->epoll_fd);
		return -1;
	}
	a->listen_fd = listen_fd;
	return 0;
}

static bool
attention_wanted(void)
{
	for (size_t i = 0; i < ARRAY_LEN(attention); i++) {
		if (proc_pending(attention[i]))
			return true;
	}
	return false;
}

static bool
accept_again(int err)
{
	return err == EAGAIN || err == EINTR || err == ECONNABORTED || err == EPROTO;
}

/* Tries before it waits: under load there is a connection already. */
static int
wait_connection(struct acceptor *a, int listen_fd, int *fd, struct err *e)
{
	if (watch(a, listen_fd, e) < 0)
		return -1;
	for (;;) {
		struct epoll_event ev;

		if (attention_wanted())
			return 0;
		*fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (*fd >= 0)
			return 1;
		if (!accept_again(errno))
			return err_sys(e, "accept");
		if (epoll_pwait(a->epoll_fd, &ev, 1, RECHECK_MS, &a->wait_mask) < 0 &&
		    errno != EINTR)
			return err_sys(e, "epoll_pwait");
	}
}

static int
check_peer(const struct acceptor *a, int fd, struct err *e)
{
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);

	if (!a->check_peers)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return err_sys(e, "getsockopt(SO_PEERCRED)");
	for (size_t i = 0; i < a->npeers; i++) {
		if (a->peers[i] == cred.uid)
			return 0;
	}
	return err_set(e, ERR_DENIED,
	    "connection of process %d refused: user %u is not in [pool] peers", (int)cred.pid,
	    (unsigned)cred.uid);
}

int
acceptor_next(struct acceptor *a, int listen_fd, int *fd, struct err *e)
{
	int got = wait_connection(a, listen_fd, fd, e);

	if (got < 0)
		clock_sleep_ms(PAUSE_MS);
	if (got > 0 && check_peer(a, *fd, e) < 0) {
		fdio_drop(fd);
		return -1;
	}
	return got;
}

static void
set_timeout(int fd, int option, uint64_t ms)
{
	struct timeval tv = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000),
	};

	setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv));
}

void
connection_timeouts(int fd, uint64_t ms)
{
	set_timeout(fd, SO_RCVTIMEO, ms);
	set_timeout(fd, SO_SNDTIMEO, ms);
}

static int
opening_failed(ssize_t n, struct err *e)
{
	if (n == 0 || errno == ECONNRESET)
		return err_set(e, ERR_INPUT, "the peer left in the middle of parameters");
	if (errno == EAGAIN)
		return err_set(e, ERR_INPUT, "parameters: nothing came for %d ms", OPENING_READ_MS);
	return err_set(e, ERR_INPUT, "parameters: %s", strerror(errno));
}

int
connection_opening(
    int fd, unsigned char buf[RECORD_OPENING], size_t *len, struct record_opening *o, struct err *e)
{
	uint64_t end = clock_ms() + OPENING_MS;
	int whole = 0;

	set_timeout(fd, SO_RCVTIMEO, OPENING_READ_MS);
	for (*len = 0; whole == 0;) {
		ssize_t n = recv(fd, buf + *len, RECORD_OPENING - *len, 0);

		if (n <= 0 && *len == 0 && (n == 0 || errno == ECONNRESET))
			return 0;
		if (n <= 0)
			return opening_failed(n, e);
		*len += (size_t)n;
		whole = record_opening(buf, *len, o, e);
		if (whole == 0 && *len == RECORD_OPENING)
			return err_set(e, ERR_INPUT, "parameters over %d bytes", RECORD_OPENING);
		if (whole == 0 && clock_ms() >= end)
			return err_set(e, ERR_INPUT, "parameters took over %d ms", OPENING_MS);
	}
	return whole;
}

int
connection_feed(const unsigned char *p, size_t n, struct err *e)
{
	int pair[2];
	ssize_t sent;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	sent = send(pair[0], p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	fdio_drop(&pair[0]);
	if (sent == (ssize_t)n)
		return pair[1];
	fdio_drop(&pair[1]);
	return err_set(e, ERR_INTERNAL, "socketpair does not take %zu bytes", n);
}

/* Until the peer closes; for total ms at most, idle ms without a byte, and that many bytes. */
static void
drop_input(int fd, unsigned char *buf, size_t size, uint64_t total, uint64_t idle, uint64_t bytes)
{
	uint64_t end = clock_ms() + total, now;

	shutdown(fd, SHUT_WR);
	while ((now = clock_ms()) < end && bytes > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, (int)(end - now < idle ? end - now : idle)) <= 0)
			return;
		n = recv(fd, buf, size, MSG_DONTWAIT);
		if (n <= 0)
			return;
		bytes -= (uint64_t)n < bytes ? (uint64_t)n : bytes;
	}
}

void
connection_linger(int fd, unsigned char *buf, size_t size)
{
	drop_input(fd, buf, size, LINGER_MS, LINGER_MS, LINGER_BYTES);
}

void
connection_drain(int fd, unsigned char *buf, size_t size, uint64_t idle)
{
	drop_input(fd, buf, size, DRAIN_MS, idle, UINT64_MAX);
}
