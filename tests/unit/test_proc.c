#include "base/sys.h"

#include "base/proc.h"
#include "tap.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static char dir[] = "/tmp/sluice-proc-XXXXXX";

static void
signals(void)
{
	proc_catch(SIGUSR1);
	proc_catch(SIGHUP);
	tap_ok(!proc_pending(SIGUSR1) && !proc_caught(SIGUSR1), "nothing yet");
	raise(SIGUSR1);
	tap_ok(proc_pending(SIGUSR1) && proc_pending(SIGUSR1), "pending does not clear");
	tap_ok(!proc_pending(SIGHUP), "each has its own flag");
	tap_ok(proc_caught(SIGUSR1) && !proc_caught(SIGUSR1), "caught clears");

	proc_block();
	raise(SIGUSR1);
	tap_ok(!proc_pending(SIGUSR1), "blocked");
	proc_unblock();
	tap_ok(proc_caught(SIGUSR1), "delivered when unblocked");

	proc_ignore(SIGUSR1);
	raise(SIGUSR1);
	tap_ok(!proc_caught(SIGUSR1), "ignored");
	proc_ignore(SIGPIPE);
	tap_is(raise(SIGPIPE), 0, "SIGPIPE does not kill");
}

/* The wait status of a child that runs f. */
static int
status_of(void (*f)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		f();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void
die_by_default(void)
{
	proc_catch(SIGTERM);
	proc_default(SIGTERM);
	raise(SIGTERM);
}

static void
drop_and_try(void)
{
	struct err e;
	struct passwd *pw = getpwnam("nobody");
	gid_t groups[32] = { 0, 4 };
	int n;

	if (setgroups(2, groups) < 0 || proc_drop("nobody", NULL, &e) < 0)
		_exit(1);
	n = getgroups(ARRAY_LEN(groups), groups);
	if (getuid() != pw->pw_uid || geteuid() != pw->pw_uid || getgid() != pw->pw_gid)
		_exit(2);
	for (int i = 0; i < n; i++) {
		if (groups[i] == 0)
			_exit(3);
	}
	if (setuid(0) == 0 || setgid(0) == 0 || open("/etc/shadow", O_RDONLY) >= 0)
		_exit(4);
	if (proc_drop("nobody", NULL, &e) < 0)
		_exit(5);
	if (proc_drop("root", NULL, &e) == 0)
		_exit(6);
}

static void
drop_with_group(void)
{
	struct err e;
	struct group *gr = getgrnam("daemon");

	if (!gr || proc_drop("nobody", "daemon", &e) < 0 || getegid() != gr->gr_gid)
		_exit(1);
}

static void
dropping(void)
{
	struct err e = { 0 };
	uid_t before = getuid();

	tap_ok(proc_drop(NULL, NULL, &e) == 0 && proc_drop("", "", &e) == 0 && getuid() == before,
	    "no user: nothing happens");
	tap_is(proc_drop("no-such-user", NULL, &e), -1, "unknown user");
	tap_str(e.text, "user no-such-user: no such user", "is told");
	if (geteuid() != 0) {
		tap_skip("privileges are dropped", "not root");
		return;
	}
	tap_is(proc_drop("nobody", "no-such-group", &e), -1, "unknown group");
	tap_is(status_of(drop_and_try), 0, "privileges are dropped and do not come back");
	tap_is(status_of(drop_with_group), 0, "the group asked for");
}

/* A child whose child waits to die with it: the pipe ends only when both are gone. */
static void
parent_death(void)
{
	int fds[2];
	char byte;
	pid_t pid;

	if (pipe(fds) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		pid_t self = getpid(), inner = fork();

		if (inner == 0) {
			proc_die_with_parent(SIGKILL, self);
			if (write(fds[1], "x", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		pause();
	}
	close(fds[1]);
	tap_is(read(fds[0], &byte, 1), 1, "the grandchild is ready");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	alarm(20);
	tap_is(read(fds[0], &byte, 1), 0, "it dies with its parent");
	alarm(0);
	close(fds[0]);
}

static void
orphan(void)
{
	proc_die_with_parent(SIGKILL, 1 << 30);
}

static void
show_title(int argc, char **argv)
{
	char buf[4096] = "", path[64];
	const char *home = getenv("PATH");
	ssize_t n;
	int fd;

	proc_title("before init: nothing");
	proc_title_init(argc, argv);
	proc_title("sluice-test: %s", "child");
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)getpid());
	fd = open(path, O_RDONLY);
	n = read(fd, buf, sizeof buf - 1);
	close(fd);
	tap_ok(n > 0, "cmdline can be read");
	tap_str(buf, "sluice-test: child", "title");
	tap_ok(home && getenv("PATH") && strlen(getenv("PATH")) > 0, "the environment survives");
	proc_title("%05000d", 7);
	tap_ok(getenv("PATH") && strncmp(getenv("PATH"), "00", 2) != 0, "a long title is cut");
}

static void
pidfile(void)
{
	char path[64], text[32] = "";
	struct err e;
	FILE *f;

	snprintf(path, sizeof path, "%s/pid", dir);
	tap_is(proc_pidfile("", &e) + proc_pidfile(NULL, &e), 0, "no path: nothing happens");
	tap_is(proc_pidfile(path, &e), 0, "written");
	tap_is(proc_pidfile(path, &e), 0, "and replaced");
	f = fopen(path, "r");
	tap_ok(f && fgets(text, sizeof text, f) && strtol(text, NULL, 10) == getpid(), "our pid");
	if (f)
		fclose(f);
	proc_pidfile_remove(path);
	tap_is(access(path, F_OK), -1, "removed");
	f = fopen(path, "w");
	if (f) {
		fputs("1\n", f);
		fclose(f);
	}
	proc_pidfile_remove(path);
	tap_is(access(path, F_OK), 0, "another's pid file is left alone");
	unlink(path);
	tap_is(proc_pidfile("/nonexistent/x/pid", &e), -1, "no directory");
	tap_ok(strstr(e.text, "No such file"), "says why");
}

static void
notify(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char buf[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unsetenv("NOTIFY_SOCKET");
	proc_notify("READY=1");
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s/notify", dir);
	setenv("NOTIFY_SOCKET", sa.sun_path, 1);
	errno = EXDEV;
	proc_notify("READY=1");
	tap_is(errno, EXDEV, "nobody listens: silent");
	if (bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
		exit(1);
	proc_notify("READY=1");
	tap_is(recv(fd, buf, sizeof buf - 1, MSG_DONTWAIT), 7, "a datagram");
	tap_str(buf, "READY=1", "its text");
	close(fd);
	unlink(sa.sun_path);

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memset(sa.sun_path, 0, sizeof sa.sun_path);
	snprintf(sa.sun_path + 1, sizeof sa.sun_path - 1, "sluice-test-%d", (int)getpid());
	if (bind(fd, (struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(sa.sun_path + 1))) <
	    0)
		exit(1);
	sa.sun_path[0] = '@';
	setenv("NOTIFY_SOCKET", sa.sun_path, 1);
	proc_notify("STOPPING=1");
	tap_is(recv(fd, buf, sizeof buf, MSG_DONTWAIT), 10, "an abstract socket");
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

int
main(int argc, char **argv)
{
	int status;

	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	signals();
	status = status_of(die_by_default);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "back to the default");
	dropping();
	parent_death();
	status = status_of(orphan);
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_TEMPORARY,
	    "a parent that is gone already");
	pidfile();
	notify();
	show_title(argc, argv);
	tap_is(rmdir(dir), 0, "nothing is left over");
	return tap_done();
}
