#include "base/sys.h"

#include "base/fdio.h"
#include "tap.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

static char dir[] = "/tmp/sluice-fdio-XXXXXX";

static void
on_alarm(int sig)
{
	(void)sig;
}

/* Signals without SA_RESTART every 2 ms: every slow call is interrupted. */
static void
interruptions(bool on)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval timer = { { 0, on ? 2000 : 0 }, { 0, on ? 2000 : 0 } };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void
slow_reader(int fd, size_t want)
{
	char buf[7001];
	size_t got = 0;
	unsigned sum = 0;
	ssize_t n;

	usleep(20000); /* the pipe fills up, and a signal finds the writer with nothing written */
	while ((n = read(fd, buf, sizeof buf)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)buf[i];
		got += (size_t)n;
		usleep(1000);
	}
	_exit(got == want && sum != 0 ? 0 : 1);
}

/* A pipe takes 64 KiB at once: a megabyte needs many short writes. */
static void
short_writes(void)
{
	static char data[1 << 20];
	int fds[2], status = -1;
	pid_t pid;

	memset(data, 'd', sizeof data);
	if (pipe(fds) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		slow_reader(fds[0], sizeof data);
	}
	close(fds[0]);
	interruptions(true);
	tap_is(fdio_write(fds[1], data, sizeof data), 0, "1 MiB into a pipe, interrupted");
	interruptions(false);
	close(fds[1]);
	waitpid(pid, &status, 0);
	tap_is(status, 0, "all of it came out");
}

static void
slow_writer(int fd)
{
	for (int i = 0; i < 10; i++) {
		usleep(5000);
		if (write(fd, "0123456789", 10) != 10)
			_exit(1);
	}
	_exit(0);
}

static void
short_reads(void)
{
	char buf[200] = "";
	int fds[2];
	pid_t pid;

	if (pipe(fds) < 0)
		exit(1);
	pid = fork();
	if (pid == 0)
		slow_writer(fds[1]);
	close(fds[1]);
	interruptions(true);
	tap_is(fdio_read_full(fds[0], buf, 35), 35, "read_full gathers, interrupted");
	tap_ok(memcmp(buf + 30, "01234", 5) == 0, "in order");
	tap_is(fdio_read_full(fds[0], buf, sizeof buf), 65, "read_full stops at the end");
	interruptions(false);
	tap_is(fdio_read(fds[0], buf, 10), 0, "end of file");
	close(fds[0]);
	waitpid(pid, NULL, 0);
	tap_ok(fdio_read(fds[0], buf, 10) == -1 && errno == EBADF, "a closed descriptor");
	tap_ok(fdio_write(fds[0], buf, 10) == -1 && errno == EBADF, "a closed descriptor to write");
}

static void
opening(int at)
{
	char buf[10] = "";
	int fd = fdio_openat(at, "file", O_RDWR | O_CREAT | O_EXCL, 0640), copy;

	tap_ok(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC), "open sets close-on-exec");
	tap_is(fdio_write(fd, "abcdef", 6), 0, "write");
	tap_is(fdio_pread_full(fd, buf, sizeof buf, 2), 4, "pread_full to the end");
	tap_str(buf, "cdef", "content");
	tap_is(fdio_sync(fd), 0, "sync");
	tap_ok(fdio_cloexec(fd, false) == 0 && fcntl(fd, F_GETFD) == 0, "cloexec off");
	tap_ok(fdio_nonblock(fd, true) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK), "nonblock on");
	tap_ok(fdio_nonblock(fd, false) == 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK), "and off");
	copy = fd;
	tap_ok(fdio_close(&fd) == 0 && fd == -1, "close forgets the descriptor");
	tap_ok(fcntl(copy, F_GETFD) == -1, "and closes it");
	fd = copy;
	tap_ok(fdio_close(&fd) == -1 && errno == EBADF && fd == -1, "an error of close is told");
	errno = EXDEV;
	fd = copy;
	fdio_drop(&fd);
	tap_ok(fd == -1 && errno == EXDEV, "drop keeps errno");
	fdio_drop(&fd);
	tap_is(fd, -1, "and does nothing twice");

	tap_is(symlinkat("file", at, "link"), 0, "a symbolic link");
	tap_ok(fdio_openat(at, "link", O_RDONLY, 0) == -1 && errno == ELOOP, "is not followed");
	unlinkat(at, "link", 0);
}

static bool
exists(int at, const char *name)
{
	struct stat st;

	return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
put(int at, const char *name, const char *text)
{
	int fd = fdio_openat(at, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || fdio_write(fd, text, strlen(text)) < 0 || fdio_close(&fd) < 0)
		exit(1);
}

static const char *
content(int at, const char *name)
{
	static char buf[64];
	int fd = fdio_openat(at, name, O_RDONLY, 0);
	ssize_t n = fd < 0 ? 0 : fdio_read_full(fd, buf, sizeof buf - 1);

	buf[n < 0 ? 0 : n] = '\0';
	fdio_drop(&fd);
	return buf;
}

/* 0, or the number of the step that went wrong. */
static int
renaming(int at)
{
	put(at, "a", "new");
	put(at, "b", "old");
	if (fdio_rename_noreplace(at, "a", at, "b") != -1 || errno != EEXIST)
		return 1;
	if (strcmp(content(at, "a"), "new") != 0 || strcmp(content(at, "b"), "old") != 0)
		return 2;
	if (fdio_rename_noreplace(at, "a", at, "c") != 0)
		return 3;
	if (exists(at, "a") || strcmp(content(at, "c"), "new") != 0)
		return 4;
	if (fdio_rename_noreplace(at, "missing", at, "d") != -1 || errno != ENOENT)
		return 5;
	unlinkat(at, "b", 0);
	unlinkat(at, "c", 0);
	return 0;
}

/* Makes renameat2 fail as on a file system that has no RENAME_NOREPLACE. */
static bool
forbid_renameat2(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_LEN(filter), .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

static void
renaming_without_renameat2(int at)
{
	static const char name[] = "rename without RENAME_NOREPLACE";
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(forbid_renameat2() ? renaming(at) : 77);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		tap_skip(name, "no seccomp");
	else
		tap_is(status, 0, name);
}

static int
open_count(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
passing(void)
{
	int s[2], p[2], got[FDIO_MAX_FDS] = { -1, -1, -1, -1 }, before;
	int five[5] = { 0, 1, 2, 0, 1 };
	size_t n = FDIO_MAX_FDS;
	char buf[64] = "", byte = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0 || pipe(p) < 0)
		exit(1);
	before = open_count();
	tap_is(fdio_send(s[0], "hello", 5, p, 2), 0, "send two descriptors");
	tap_is(fdio_recv(s[1], buf, sizeof buf, got, &n), 5, "receive");
	tap_ok(n == 2 && strcmp(buf, "hello") == 0, "both and the text");
	tap_ok((fcntl(got[0], F_GETFD) & FD_CLOEXEC) && (fcntl(got[1], F_GETFD) & FD_CLOEXEC),
	    "close-on-exec");
	tap_ok(write(p[1], "x", 1) == 1 && read(got[0], &byte, 1) == 1 && byte == 'x',
	    "they are the same pipe");
	fdio_drop(&got[0]);
	fdio_drop(&got[1]);

	n = 1;
	tap_is(fdio_send(s[0], "x", 1, p, 2), 0, "send two where one is awaited");
	tap_ok(fdio_recv(s[1], buf, sizeof buf, got, &n) == -1 && errno == EMSGSIZE && n == 0,
	    "refused");
	tap_is(fdio_send(s[0], "x", 1, p, 1), 0, "send one where none is awaited");
	tap_ok(fdio_recv(s[1], buf, sizeof buf, NULL, NULL) == -1 && errno == EMSGSIZE, "refused");
	n = FDIO_MAX_FDS;
	tap_is(fdio_send(s[0], "0123456789", 10, p, 1), 0, "send more than there is room for");
	tap_ok(fdio_recv(s[1], buf, 4, got, &n) == -1 && errno == EMSGSIZE && n == 0, "refused");
	tap_ok(fdio_send(s[0], "x", 1, five, 5) == -1 && errno == EMSGSIZE, "too many to send");
	tap_is(open_count(), before, "no descriptor is left over");

	n = FDIO_MAX_FDS;
	tap_is(fdio_send(s[0], "y", 1, NULL, 0), 0, "send none");
	tap_ok(fdio_recv(s[1], buf, sizeof buf, got, &n) == 1 && n == 0, "receive none");
	close(s[0]);
	tap_is(fdio_recv(s[1], buf, sizeof buf, got, &n), 0, "the peer closed");
	tap_ok(fdio_send(s[1], "x", 1, NULL, 0) == -1 && errno == EPIPE, "without SIGPIPE");
	close(s[1]);
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	int at;

	short_writes();
	short_reads();
	if (!mkdtemp(dir) || (at = fdio_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0)) < 0) {
		perror(dir);
		return 1;
	}
	opening(at);
	tap_is(renaming(at), 0, "rename never replaces");
	renaming_without_renameat2(at);
	passing();
	unlinkat(at, "file", 0);
	close(at);
	tap_is(rmdir(dir), 0, "nothing is left over");
	return tap_done();
}
