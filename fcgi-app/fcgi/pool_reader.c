#include "base/sys.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "fcgi/child.h"
#include "fcgi/pool_room.h"
#include "fcgi/spool_reader.h"

/*
 * The spool reader is no child of the pool: it serves nobody, is not counted and not waited for.
 * Killed at any moment it costs time, never a request.
 */

static bool
wanted(const struct pool *p)
{
	const struct conf_store *c = &(*p->conf)->store;

	return c->spool_ahead && *c->spool != '\0' && !p->stopping;
}

static NO_RETURN void
reader_main(struct pool *p, pid_t master)
{
	child_signals();
	proc_die_with_parent(SIGTERM, master);
	proc_title("sluice-fcgi: spool reader");
	pool_volunteer_for_oom();
	close(p->start->listen_fd);
	exit(spool_reader_run(*p->conf, p->ahead));
}

int
pool_reader(struct pool *p)
{
	struct pool_reader *r = &p->reader;
	uint64_t now = clock_ms();
	pid_t master = getpid();

	if (r->pid != 0 || !wanted(p))
		return -1;
	if (now < r->pace.not_before)
		return (int)(r->pace.not_before - now);
	r->pid = fork();
	if (r->pid == 0)
		reader_main(p, master);
	if (r->pid < 0) {
		r->pid = 0;
		pool_throttle(&r->pace, false);
		log_error("fork(spool reader): %s", strerror(errno));
		return (int)r->pace.delay;
	}
	r->started = now;
	r->told = false;
	return -1;
}

bool
pool_reader_reaped(struct pool *p, pid_t pid, int status)
{
	struct pool_reader *r = &p->reader;
	bool young;

	if (r->pid == 0 || pid != r->pid)
		return false;
	r->pid = 0;
	if (r->told || p->stopping) {
		r->pace = (struct pool_pace){ 0 };
		return true;
	}
	young = clock_ms() - r->started < POOL_YOUNG_MS;
	pool_throttle(&r->pace, !young);
	if (WIFSIGNALED(status))
		log_error("the spool reader %d ended by signal %d (%s)", (int)pid, WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		log_info("the spool reader %d ended; again in %llu ms", (int)pid,
		    (unsigned long long)r->pace.delay);
	return true;
}

void
pool_reader_tell(struct pool *p)
{
	if (p->reader.pid == 0)
		return;
	p->reader.told = true;
	kill(p->reader.pid, SIGTERM);
	kill(p->reader.pid, SIGCONT); /* one that stands still would keep the next from starting */
}

void
pool_reader_end(struct pool *p)
{
	if (p->reader.pid == 0)
		return;
	kill(p->reader.pid, SIGKILL);
	waitpid(p->reader.pid, NULL, 0);
	p->reader.pid = 0;
}
