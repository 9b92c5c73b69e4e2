#include "base/sys.h"
#include "worker/launcher.h"
#include "worker/zygote.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Signals to the whole service are the worker's to answer: it lets running pictures finish. */
static void
ignore_signals(void)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_LEN(sigs); i++)
		proc_ignore(sigs[i]);
	proc_default(SIGCHLD);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Standard streams to nowhere but for stderr; socket and directory to their numbers; no others. */
static int
arrange_descriptors(int sock, int dir)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int high_sock = fcntl(sock, F_DUPFD_CLOEXEC, 10),
	    high_dir = fcntl(dir, F_DUPFD_CLOEXEC, 10);

	if (null < 0 || high_sock < 0 || high_dir < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(high_sock, ZYGOTE_SOCKET) < 0 || dup2(high_dir, ZYGOTE_MAGICK_DIR) < 0)
		return -1;
	return (int)syscall(SYS_close_range, ZYGOTE_MAGICK_DIR + 1U, ~0U, 0);
}

static void NO_RETURN
become_zygote(int sock, int magick_dir)
{
	static char name[] = "sluice-worker", arg[] = ZYGOTE_ARGUMENT, omp[] = "OMP_NUM_THREADS=1",
		    threads[] = "MAGICK_THREAD_LIMIT=1", lang[] = "LC_ALL=C",
		    home[] = "HOME=/nonexistent",
		    temporary[] = "MAGICK_TEMPORARY_PATH=/nonexistent";
	char dir[64];
	char *argv[] = { name, arg, NULL };
	char *envp[] = { omp, threads, lang, home, temporary, dir, NULL };

	snprintf(dir, sizeof(dir), "MAGICK_CONFIGURE_PATH=/proc/self/fd/%d", ZYGOTE_MAGICK_DIR);
	if (arrange_descriptors(sock, magick_dir) == 0)
		execve("/proc/self/exe", argv, envp);
	_exit(EXIT_TEMPORARY);
}

static void
end_zygote(pid_t *zygote)
{
	if (*zygote > 0) {
		kill(*zygote, SIGKILL);
		while (waitpid(*zygote, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	*zygote = -1;
}

/* One message with the zygote's end of a socket is one order. */
static void NO_RETURN
serve(int sock, int magick_dir)
{
	char order;
	pid_t zygote = -1;
	ssize_t n;

	for (;;) {
		int fd = -1;
		size_t nfds = 1;

		n = fdio_recv(sock, &order, 1, &fd, &nfds);
		end_zygote(&zygote);
		if (n <= 0)
			_exit(0);
		if (nfds != 1)
			continue;
		zygote = fork();
		if (zygote == 0)
			become_zygote(fd, magick_dir);
		fdio_drop(&fd);
	}
}

static void NO_RETURN
launcher_main(int sock, int magick_dir, const char *user, pid_t parent)
{
	struct err e = { 0 };

	ignore_signals();
	setsid();
	if (geteuid() == 0 && proc_drop(user, NULL, &e) < 0) {
		log_error("decoders: %s", e.text);
		_exit(EXIT_CONFIG);
	}
	proc_die_with_parent(SIGKILL, parent);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	proc_title("launcher");
	serve(sock, magick_dir);
}

int
launcher_start(struct launcher *l, const char *user, const char *magick_dir, struct err *e)
{
	int pair[2], dir = open(magick_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t parent = getpid();

	if (dir < 0)
		return err_sys(e, "open %s, where ImageMagick's policy should be", magick_dir);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_sys(e, "socketpair for the launcher");
		fdio_drop(&dir);
		return -1;
	}
	l->gone = false;
	l->sock = pair[0];
	l->pid = fork();
	if (l->pid == 0) {
		fdio_drop(&pair[0]);
		launcher_main(pair[1], dir, user, parent);
	}
	if (l->pid < 0) {
		err_sys(e, "fork the launcher");
		fdio_drop(&l->sock);
	}
	fdio_drop(&pair[1]);
	fdio_drop(&dir);
	return l->pid < 0 ? -1 : 0;
}

void
launcher_stop(struct launcher *l)
{
	fdio_drop(&l->sock);
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	l->pid = -1;
}

int
launcher_zygote(struct launcher *l, struct err *e)
{
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair for a zygote");
	rc = fdio_send(l->sock, "z", 1, &pair[1], 1);
	if (rc < 0) {
		l->gone = errno == EPIPE || errno == ECONNRESET;
		err_sys(e, "ask the launcher for a zygote");
	}
	fdio_drop(&pair[1]);
	if (rc < 0)
		fdio_drop(&pair[0]);
	return pair[0];
}
