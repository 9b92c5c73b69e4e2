/*
 * pg_proxy.h: a process between client and server that loses what it is told to lose.
 *
 * It acts on words in what the client sends:
 *	lose_answer     the statement reaches the server, its answer is thrown away
 *	lose_statement  the statement is thrown away
 *	hang            nothing moves any more, both connections stay open
 * Without a server (upstream NULL) it accepts and never answers.
 */
#ifndef SLUICE_TESTS_PG_PROXY_H
#define SLUICE_TESTS_PG_PROXY_H

#include "base/sys.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/mem.h"

struct pg_proxy {
	char dir[64], path[108];
	pid_t pid;
};

static inline int
proxy_socket(const char *path, struct sockaddr_un *addr)
{
	memset(addr, 0, sizeof *addr);
	addr->sun_family = AF_UNIX;
	(void)snprintf(addr->sun_path, sizeof addr->sun_path, "%s", path);
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static inline bool
proxy_says(const char *buf, ssize_t n, const char *word)
{
	return memmem(buf, (size_t)n, word, strlen(word)) != NULL;
}

/* Moves what is there from one side to the other. False ends the connection. */
static inline bool
proxy_move(int from, int to, bool client)
{
	static char buf[65536];
	ssize_t n = read(from, buf, sizeof buf);

	if (n <= 0 || (client && proxy_says(buf, n, "lose_statement")))
		return false;
	if (write(to, buf, (size_t)n) != n)
		return false;
	if (client && proxy_says(buf, n, "lose_answer")) {
		n = read(to, buf, sizeof buf);
		return false;
	}
	while (client && proxy_says(buf, n, "hang"))
		pause();
	return true;
}

static inline void
proxy_serve(int client, const char *upstream)
{
	struct sockaddr_un addr;
	int server = proxy_socket(upstream, &addr);
	bool open = connect(server, (struct sockaddr *)&addr, sizeof addr) == 0;

	while (open) {
		struct pollfd p[2] = { { .fd = client, .events = POLLIN },
			{ .fd = server, .events = POLLIN } };

		if (poll(p, 2, -1) < 0)
			break;
		if (p[0].revents)
			open = proxy_move(client, server, true);
		if (open && p[1].revents)
			open = proxy_move(server, client, false);
	}
	close(server);
}

static inline void
proxy_run(int listener, const char *upstream)
{
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int client = accept(listener, NULL, NULL);

		if (client >= 0 && upstream && fork() == 0) {
			proxy_serve(client, upstream);
			_exit(0);
		}
		if (client >= 0 && upstream)
			close(client);
	}
}

/* Listens on p->dir, which a conninfo takes as host. */
static inline void
pg_proxy_start(struct pg_proxy *p, const char *upstream)
{
	struct sockaddr_un addr;
	int listener;

	(void)snprintf(p->dir, sizeof p->dir, "/tmp/sluice-proxy.XXXXXX");
	if (!mkdtemp(p->dir))
		abort();
	(void)snprintf(p->path, sizeof p->path, "%s/.s.PGSQL.5432", p->dir);
	listener = proxy_socket(p->path, &addr);
	if (bind(listener, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(listener, 16) < 0)
		abort();
	p->pid = fork();
	if (p->pid == 0) {
		setpgid(0, 0);
		proxy_run(listener, upstream);
	}
	setpgid(p->pid, p->pid);
	close(listener);
}

/* Ends the process and those it has made, which are a group of their own. */
static inline void
pg_proxy_stop(struct pg_proxy *p)
{
	kill(-p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	unlink(p->path);
	rmdir(p->dir);
}

#endif
