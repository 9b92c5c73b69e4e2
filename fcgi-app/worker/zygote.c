#include "base/sys.h"
#include "worker/zygote.h"
#include "worker/decode.h"
#include "worker/jail.h"
#include "worker/render.h"
#include "worker/wire.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/proc.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

struct child {
	pid_t pid; /* 0: free */
	uint64_t serial, deadline;
	enum wire_end killed; /* WIRE_TIMEOUT or WIRE_KILLED when we did it */
};

static struct child children[ZYGOTE_CHILDREN];

bool
zygote_wanted(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], ZYGOTE_ARGUMENT) == 0;
}

/* The worker is gone when it cannot be told: its children go with us. */
static void
tell(const struct wire_message *m)
{
	uint8_t buf[WIRE_MESSAGE];

	if (fdio_send(ZYGOTE_SOCKET, buf, wire_message_write(m, buf), NULL, 0) < 0)
		_exit(0);
}

static void
tell_end(uint64_t serial, enum wire_end end, uint32_t value)
{
	tell(&(struct wire_message){
	    .type = WIRE_END, .serial = serial, .end = end, .value = value });
}

static struct child *
find_child(uint64_t serial)
{
	for (size_t i = 0; i < ZYGOTE_CHILDREN; i++)
		if (children[i].pid && children[i].serial == serial)
			return &children[i];
	return NULL;
}

static struct child *
free_child(void)
{
	for (size_t i = 0; i < ZYGOTE_CHILDREN; i++)
		if (children[i].pid == 0)
			return &children[i];
	return NULL;
}

static void
start_child(const struct wire_job *job, const int *fds)
{
	struct child *c = free_child();
	pid_t parent = getpid(), pid = -1;

	if (c == NULL)
		errno = EAGAIN;
	else
		pid = fork();
	if (pid == 0)
		decode_main(job, fds[0], fds[1], parent);
	if (pid < 0) {
		tell_end(job->serial, WIRE_NOFORK, (uint32_t)errno);
		return;
	}
	*c = (struct child){ .pid = pid,
		.serial = job->serial,
		.deadline = clock_ms() + job->wall_ms,
		.killed = WIRE_EXITED };
}

static void
kill_child(struct child *c, enum wire_end why)
{
	if (c->killed != WIRE_EXITED)
		return;
	c->killed = why;
	kill(c->pid, SIGKILL);
}

/* One message of the worker; the end of the worker is our end. */
static void
take_order(void)
{
	uint8_t buf[WIRE_MESSAGE];
	struct wire_message m;
	struct wire_job job;
	struct child *c;
	int fds[2] = { -1, -1 };
	size_t nfds = 2;
	ssize_t n = fdio_recv(ZYGOTE_SOCKET, buf, sizeof(buf), fds, &nfds);

	if (n <= 0)
		_exit(0);
	if (wire_type(buf, (size_t)n) == WIRE_JOB) {
		if (nfds == 2 && wire_job_read(buf, (size_t)n, &job) == 0)
			start_child(&job, fds);
	} else if (wire_message_read(buf, (size_t)n, &m) == 0 && m.type == WIRE_KILL) {
		c = find_child(m.serial);
		if (c)
			kill_child(c, WIRE_KILLED);
	}
	for (size_t i = 0; i < nfds; i++)
		fdio_drop(&fds[i]);
}

static void
tell_status(const struct child *c, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && c->killed != WIRE_EXITED)
		tell_end(c->serial, c->killed, 0);
	else if (WIFSIGNALED(status))
		tell_end(c->serial, WIRE_SIGNAL, (uint32_t)WTERMSIG(status));
	else
		tell_end(c->serial, WIRE_EXITED, (uint32_t)WEXITSTATUS(status));
}

static void
reap(int signal_fd)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)!read(signal_fd, &info, sizeof(info));
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < ZYGOTE_CHILDREN; i++)
			if (children[i].pid == pid) {
				tell_status(&children[i], status);
				children[i].pid = 0;
				break;
			}
}

/* Kills what is over time. Milliseconds until the next deadline, -1 when there is none. */
static int
watch_time(void)
{
	uint64_t now = clock_ms(), next = UINT64_MAX;

	for (size_t i = 0; i < ZYGOTE_CHILDREN; i++) {
		struct child *c = &children[i];

		if (c->pid == 0 || c->killed != WIRE_EXITED)
			continue;
		if (c->deadline <= now)
			kill_child(c, WIRE_TIMEOUT);
		else if (c->deadline < next)
			next = c->deadline;
	}
	return next == UINT64_MAX ? -1 : (int)(next - now < 60000 ? next - now : 60000);
}

static int
catch_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
zygote_main(void)
{
	struct wire_message m = { .type = WIRE_READY, .value = (uint32_t)jail_landlock() };
	struct err e = { 0 };
	struct pollfd fds[2];

	proc_die_with_parent(SIGKILL, getppid());
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (render_start(m.text, &e) < 0 || decode_check(&e) < 0) {
		m.type = WIRE_REFUSED;
		snprintf(m.text, sizeof(m.text), "%.*s", WIRE_TEXT, e.text);
	}
	close(ZYGOTE_MAGICK_DIR);
	tell(&m);
	if (m.type == WIRE_REFUSED)
		return EXIT_CONFIG;
	fds[0] = (struct pollfd){ .fd = ZYGOTE_SOCKET, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = catch_children(), .events = POLLIN };
	if (fds[1].fd < 0)
		return EXIT_TEMPORARY;
	for (;;) {
		if (poll(fds, 2, watch_time()) < 0 && errno != EINTR)
			return EXIT_TEMPORARY;
		if (fds[1].revents)
			reap(fds[1].fd);
		if (fds[0].revents)
			take_order();
	}
}
