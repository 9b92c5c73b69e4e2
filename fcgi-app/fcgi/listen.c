#include "base/sys.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "fcgi/listen.h"

enum { PASSED_FD = 3 }; /* where systemd's protocol puts the first socket */

/* ---- inherited sockets ---- */

static bool
is_listening(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

static int
prepare(int fd, struct err *e)
{
	if (fdio_cloexec(fd, true) < 0 || fdio_nonblock(fd, true) < 0)
		return err_sys(e, "fcntl(listening socket %d)", fd);
	return fd;
}

/* 1 with *fd, 0 nothing was passed to this process, -1. */
static int
take_passed(int *fd, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t p = 0, n = 0;
	bool ours = pid != NULL && fds != NULL && num_u64(pid, 1, INT_MAX, &p) == 0 &&
		    num_u64(fds, 0, INT_MAX, &n) == 0 && (pid_t)p == getpid() && n > 0;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return 0;
	if (n > 1)
		return err_set(e, ERR_INPUT, "LISTEN_FDS: %" PRIu64 " sockets, one is served", n);
	if (!is_listening(PASSED_FD))
		return err_set(
		    e, ERR_INPUT, "LISTEN_FDS: descriptor %d does not listen", PASSED_FD);
	*fd = prepare(PASSED_FD, e);
	return *fd < 0 ? -1 : 1;
}

/* ---- a unix socket of our own ---- */

/* 0 when the path is free (or has been made so), -1. */
static int
clear_path(const struct sockaddr_un *sa, struct err *e)
{
	struct stat st;
	int fd, rc;

	if (lstat(sa->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "lstat(%s)", sa->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(
		    e, ERR_CONFLICT, "%s exists and is not a socket: not replaced", sa->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	rc = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	if (rc == 0 || errno != ECONNREFUSED) {
		err_set(e, ERR_CONFLICT, "%s: somebody listens there already%s%s", sa->sun_path,
		    rc == 0 ? "" : ": ", rc == 0 ? "" : strerror(errno));
		fdio_drop(&fd);
		return -1;
	}
	fdio_drop(&fd);
	if (unlink(sa->sun_path) < 0 && errno != ENOENT)
		return err_sys(e, "unlink(%s)", sa->sun_path);
	return 0;
}

/* As root the socket goes to the user that will serve; in any case to listen_group. */
static int
give_away(const struct conf *conf, const char *path, struct err *e)
{
	const char *group = conf->pool.listen_group, *user = conf->process.user;
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	if (user != NULL && *user != '\0' && geteuid() == 0) {
		const struct passwd *pw = getpwnam(user);

		if (pw == NULL)
			return err_set(e, ERR_INPUT, "[process] user: no user %s", user);
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	if (group != NULL && *group != '\0') {
		const struct group *gr = getgrnam(group);

		if (gr == NULL)
			return err_set(e, ERR_INPUT, "[pool] listen_group: no group %s", group);
		gid = gr->gr_gid;
	}
	if (lchown(path, uid, gid) < 0)
		return err_sys(e, "chown(%s)", path);
	if (chmod(path, (mode_t)conf->pool.listen_mode) < 0)
		return err_sys(e, "chmod(%s)", path);
	return 0;
}

/* listen(2) comes last: before it nobody can connect, whatever the mode is. */
static int
open_unix(const struct conf *conf, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *path = conf->pool.listen;
	mode_t mask;
	int fd, rc;

	if (str_copy(sa.sun_path, sizeof(sa.sun_path), path) < 0)
		return err_set(e, ERR_INPUT, "[pool] listen: %s: longer than %zu bytes", path,
		    sizeof(sa.sun_path) - 1);
	if (clear_path(&sa, e) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	mask = umask(0177);
	rc = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (rc < 0) {
		err_sys(e, "bind(%s)", path);
		goto fail;
	}
	if (give_away(conf, path, e) < 0)
		goto fail_unlink;
	if (listen(fd, (int)conf->pool.backlog) < 0) {
		err_sys(e, "listen(%s)", path);
		goto fail_unlink;
	}
	return fd;
fail_unlink:
	unlink(path);
fail:
	fdio_drop(&fd);
	return -1;
}

/* ---- TCP, on loopback only: anyone who can connect could claim to be the web server ---- */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Parses 127.x.y.z:port or [::1]:port; the length of the address, or 0. */
static socklen_t
parse_loopback(const char *s, union address *a)
{
	const char *colon = strrchr(s, ':');
	char host[64];
	uint64_t port;

	if (colon == NULL || num_u64(colon + 1, 1, 65535, &port) < 0 ||
	    (size_t)(colon - s) >= sizeof(host))
		return 0;
	memcpy(host, s, (size_t)(colon - s));
	host[colon - s] = '\0';
	memset(a, 0, sizeof(*a));
	if (strcmp(host, "[::1]") == 0) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_addr = in6addr_loopback;
		a->in6.sin6_port = htons((uint16_t)port);
		return sizeof(a->in6);
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &a->in.sin_addr) != 1 ||
	    ntohl(a->in.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return 0;
	return sizeof(a->in);
}

static int
open_tcp(const struct conf *conf, struct err *e)
{
	const char *name = conf->pool.listen;
	union address a;
	socklen_t len = parse_loopback(name, &a);
	int on = 1, fd;

	if (len == 0)
		return err_set(e, ERR_INPUT,
		    "[pool] listen: %s: an absolute path, 127.0.0.1:PORT or [::1]:PORT is "
		    "needed",
		    name);
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &a.sa, len) < 0) {
		if (errno == EADDRINUSE)
			err_set(e, ERR_CONFLICT, "%s: somebody listens there already", name);
		else
			err_sys(e, "bind(%s)", name);
		fdio_drop(&fd);
		return -1;
	}
	if (listen(fd, (int)conf->pool.backlog) < 0) {
		err_sys(e, "listen(%s)", name);
		fdio_drop(&fd);
		return -1;
	}
	return fd;
}

/* ---- */

int
listen_open(const struct conf *conf, enum listen_kind *kind, struct err *e)
{
	int fd = -1, passed = take_passed(&fd, e);

	*kind = LISTEN_INHERITED;
	if (passed != 0)
		return passed < 0 ? -1 : fd;
	if (is_listening(STDIN_FILENO)) {
		*kind = LISTEN_FD0;
		return prepare(STDIN_FILENO, e);
	}
	*kind = LISTEN_OWN;
	return conf->pool.listen[0] == '/' ? open_unix(conf, e) : open_tcp(conf, e);
}

void
listen_unlink(const struct conf *conf)
{
	if (conf->pool.listen[0] == '/')
		unlink(conf->pool.listen);
}

bool
listen_has_peers(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	/* What cannot be told counts as checkable: then nobody is let in by mistake. */
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 || domain == AF_UNIX;
}

/* One name, or number, of n bytes. */
static int
find_user(const char *s, size_t n, uid_t *uid, struct err *e)
{
	char *name = mem_strndup(s, n);
	const struct passwd *pw = getpwnam(name);
	uint64_t number;
	int rc = 0;

	if (pw != NULL)
		*uid = pw->pw_uid;
	else if (num_u64(name, 0, UINT32_MAX - 1, &number) == 0)
		*uid = (uid_t)number;
	else
		rc = err_set(e, ERR_INPUT, "no user %s", name);
	mem_free(name);
	return rc;
}

int
listen_users(const char *names, uid_t **uids, size_t *n, struct err *e)
{
	const char *s = names + strspn(names, ", ");

	*uids = mem_array(strlen(names) + 2, sizeof(uid_t));
	*n = 0;
	if (*s == '\0') {
		(*uids)[(*n)++] = geteuid();
		(*uids)[(*n)++] = 0;
	}
	while (*s != '\0') {
		size_t len = strcspn(s, ", ");

		if (find_user(s, len, &(*uids)[*n], e) < 0) {
			mem_free(*uids);
			*uids = NULL;
			return -1;
		}
		(*n)++;
		s += len;
		s += strspn(s, ", ");
	}
	return 0;
}

int
listen_check_users(const struct conf *conf, struct err *e)
{
	uid_t *uids;
	size_t n;

	if (listen_users(conf->pool.peers, &uids, &n, e) < 0)
		return err_prefix(e, "[pool] peers");
	mem_free(uids);
	if (listen_users(conf->store.spool_users, &uids, &n, e) < 0)
		return err_prefix(e, "[store] spool_users");
	mem_free(uids);
	return 0;
}
