#include "base/sys.h"

#include "base/proc.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "base/num.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- signals ------------------------------------------------------------------------------- */

static volatile sig_atomic_t flags[65];
static sigset_t installed; /* all zero is the empty set */

static void
set_handler(int sig, void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

static void
on_signal(int sig)
{
	flags[sig] = 1;
}

void
proc_catch(int sig)
{
	sigaddset(&installed, sig);
	set_handler(sig, on_signal);
}

void
proc_ignore(int sig)
{
	sigdelset(&installed, sig);
	set_handler(sig, SIG_IGN);
}

void
proc_default(int sig)
{
	sigdelset(&installed, sig);
	set_handler(sig, SIG_DFL);
}

bool
proc_caught(int sig)
{
	if (!flags[sig])
		return false;
	flags[sig] = 0;
	return true;
}

bool
proc_pending(int sig)
{
	return flags[sig];
}

void
proc_block(void)
{
	sigprocmask(SIG_BLOCK, &installed, NULL);
}

void
proc_unblock(void)
{
	sigprocmask(SIG_UNBLOCK, &installed, NULL);
}

/* ---- privileges ---------------------------------------------------------------------------- */

static int
find_ids(const char *user, const char *group, uid_t *uid, gid_t *gid, struct err *e)
{
	struct passwd *pw;
	struct group *gr;

	errno = 0;
	pw = getpwnam(user);
	if (!pw)
		return err_set(
		    e, ERR_INTERNAL, "user %s: %s", user, errno ? strerror(errno) : "no such user");
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	if (!group || group[0] == '\0')
		return 0;
	errno = 0;
	gr = getgrnam(group);
	if (!gr)
		return err_set(e, ERR_INTERNAL, "group %s: %s", group,
		    errno ? strerror(errno) : "no such group");
	*gid = gr->gr_gid;
	return 0;
}

/* Trusts the kernel's answer and not the return codes. */
static int
prove_dropped(uid_t uid, gid_t gid, struct err *e)
{
	uid_t r, ef, sv;
	gid_t rg, eg, sg;

	if (getresuid(&r, &ef, &sv) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return err_sys(e, "getresuid");
	if (r != uid || ef != uid || sv != uid || rg != gid || eg != gid || sg != gid)
		return err_set(e, ERR_INTERNAL, "privileges were not dropped as asked");
	if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return err_set(e, ERR_INTERNAL, "root can be had back after dropping it");
	return 0;
}

int
proc_drop(const char *user, const char *group, struct err *e)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	if (!user || user[0] == '\0')
		return 0;
	if (find_ids(user, group, &uid, &gid, e) < 0)
		return -1;
	if (getuid() == uid && geteuid() == uid)
		return 0;
	if (initgroups(user, gid) < 0)
		return err_sys(e, "initgroups(%s)", user);
	if (setresgid(gid, gid, gid) < 0)
		return err_sys(e, "setresgid(%lu)", (unsigned long)gid);
	if (setresuid(uid, uid, uid) < 0)
		return err_sys(e, "setresuid(%lu)", (unsigned long)uid);
	return prove_dropped(uid, gid, e);
}

void
proc_die_with_parent(int sig, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, sig);
	if (getppid() != parent)
		_exit(EXIT_TEMPORARY);
}

/* ---- title --------------------------------------------------------------------------------- */

static struct {
	char *at;
	size_t room;
} title;

/* Arguments and environment lie in one row of bytes: the environment moves out, the title in. */
void
proc_title_init(int argc, char **argv)
{
	char *end = argv[0];
	char **copy;
	size_t n = 0;

	if (argc < 1 || title.at)
		return;
	for (int i = 0; i < argc; i++) {
		if (argv[i] == end)
			end = argv[i] + strlen(argv[i]) + 1;
	}
	for (n = 0; environ[n]; n++) {
		if (environ[n] == end)
			end = environ[n] + strlen(environ[n]) + 1;
	}
	copy = mem_array(n + 1, sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(environ[i]);
	environ = copy;
	title.at = argv[0];
	title.room = (size_t)(end - argv[0]);
}

void
proc_title(const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!title.at)
		return;
	va_start(ap, fmt);
	n = vsnprintf(title.at, title.room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < title.room)
		memset(title.at + n, 0, title.room - (size_t)n);
}

/* ---- pid file and readiness ---------------------------------------------------------------- */

static int
write_pidfile(const char *tmp, const char *path, struct err *e)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	int fd = fdio_openat(AT_FDCWD, tmp, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		return err_sys(e, "open(%s)", tmp);
	if (fdio_write(fd, text, (size_t)n) < 0) {
		err_sys(e, "write(%s)", tmp);
		goto fail;
	}
	if (fdio_close(&fd) < 0) {
		err_sys(e, "close(%s)", tmp);
		goto fail;
	}
	if (rename(tmp, path) < 0) {
		err_sys(e, "rename(%s, %s)", tmp, path);
		goto fail;
	}
	return 0;
fail:
	fdio_drop(&fd);
	unlink(tmp);
	return -1;
}

int
proc_pidfile(const char *path, struct err *e)
{
	char *tmp;
	int rc;

	if (!path || path[0] == '\0')
		return 0;
	tmp = mem_printf("%s.%d", path, (int)getpid());
	rc = write_pidfile(tmp, path, e);
	mem_free(tmp);
	return rc;
}

/* Only a file with our own pid: after a re-exec the next master's may stand there. */
void
proc_pidfile_remove(const char *path)
{
	char text[32];
	uint64_t pid;
	ssize_t n;
	int fd;

	if (!path || path[0] == '\0')
		return;
	fd = fdio_openat(AT_FDCWD, path, O_RDONLY, 0);
	if (fd < 0)
		return;
	n = fdio_read_full(fd, text, sizeof text);
	fdio_drop(&fd);
	if (n > 1 && num_u64n(text, (size_t)n - 1, 1, INT_MAX, &pid) == 0 && (pid_t)pid == getpid())
		unlink(path);
}

void
proc_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	int saved = errno, fd;

	if (len < 2 || len >= sizeof sa.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(sa.sun_path, path, len);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&sa,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
		close(fd);
	}
	errno = saved;
}
