#include "base/sys.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "fcgi/pool_room.h"

/*
 * USR2: the program is executed again with the listening socket, told in systemd's way, and with
 * our pid in SLUICE_OLD_MASTER. When its first child serves it sends us QUIT, and we drain. Both
 * accept from one socket meanwhile, so no connection is refused.
 */
enum { PASSED_FD = 3 };

static void
pass_env(const char *name, pid_t pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", (int)pid);
	setenv(name, text, 1);
}

/* Between fork and exec; the master is single-threaded, so anything may be called. */
static NO_RETURN void
exec_next(const struct pool *p, pid_t old)
{
	int fd = p->start->listen_fd;
	sigset_t none;

	if (fd != PASSED_FD && dup2(fd, PASSED_FD) < 0)
		_exit(EXIT_FAILURE);
	if (fdio_cloexec(PASSED_FD, false) < 0 || fdio_nonblock(PASSED_FD, true) < 0)
		_exit(EXIT_FAILURE);
	setenv("LISTEN_FDS", "1", 1);
	pass_env("LISTEN_PID", getpid()); /* must name the process that reads it */
	pass_env("SLUICE_OLD_MASTER", old);
	if (p->start->own_socket)
		setenv("SLUICE_OWN_SOCKET", "1", 1);
	proc_default(SIGPIPE);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(p->start->argv[0], p->start->argv);
	log_error("exec(%s): %s", p->start->argv[0], strerror(errno));
	_exit(EXIT_FAILURE);
}

void
pool_upgrade(struct pool *p)
{
	pid_t old = getpid(), pid;

	if (p->next_master != 0) {
		log_warn("USR2: the next master, %d, is still starting", (int)p->next_master);
		return;
	}
	pid = fork();
	if (pid < 0) {
		log_error("USR2: fork: %s", strerror(errno));
		return;
	}
	if (pid == 0)
		exec_next(p, old);
	p->next_master = pid;
	log_info("USR2: %s starts as %d", p->start->argv[0], (int)pid);
}

/* The next master wrote its own pid there, and took the file with it. */
static void
restore_pidfile(const struct pool *p)
{
	struct err e;

	if (proc_pidfile((*p->conf)->process.pid_file, &e) < 0)
		log_error("%s", e.text);
}

bool
pool_upgrade_reaped(struct pool *p, pid_t pid, int status)
{
	if (pid != p->next_master)
		return false;
	p->next_master = 0;
	log_error("the next master %d ended (%s %d); this one goes on", (int)pid,
	    WIFEXITED(status) ? "exit code" : "signal",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	if (!p->stopping)
		restore_pidfile(p);
	return true;
}
