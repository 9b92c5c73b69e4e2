#include "base/sys.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/proc.h"
#include "fcgi/child.h"
#include "fcgi/pool_room.h"

enum {
	DELAY_MIN_MS = 100,
	DELAY_MAX_MS = 30000,
};

unsigned
pool_count(const struct pool *p, bool current)
{
	unsigned n = 0;

	for (unsigned i = 0; i < POOL_SLOTS; i++) {
		const struct pool_child *c = &p->child[i];

		n += c->pid != 0 && (!current || (c->generation == p->generation && !c->told));
	}
	return n;
}

unsigned
pool_count_state(const struct pool *p, enum slot_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < POOL_SLOTS; i++) {
		const struct pool_child *c = &p->child[i];
		struct slot_view v;

		if (c->pid == 0 || c->told || c->generation != p->generation)
			continue;
		scoreboard_view(p->board, i, &v);
		n += v.state == state;
	}
	return n;
}

/* When memory runs out a child goes before the master or the database does. */
void
pool_volunteer_for_oom(void)
{
	int fd = fdio_openat(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY, 0);

	if (fd >= 0 && fdio_write(fd, "100", 3) < 0)
		log_debug("write(/proc/self/oom_score_adj): %s", strerror(errno));
	fdio_drop(&fd);
}

/* TERM and not KILL when the master goes: the running request is finished. */
static NO_RETURN void
child_main(struct pool *p, unsigned slot, pid_t master)
{
	int code;

	proc_die_with_parent(SIGTERM, master);
	proc_title("sluice-fcgi: child %u", slot);
	pool_volunteer_for_oom();
	code = child_run(*p->conf, p->start->listen_fd, p->board, p->ahead, slot);
	exit(code);
}

void
pool_throttle(struct pool_pace *pace, bool came_up)
{
	uint64_t now = clock_ms();

	if (now < pace->not_before)
		return; /* several fell at once, of one cause */
	if (came_up || pace->delay == 0)
		pace->delay = DELAY_MIN_MS;
	else
		pace->delay = pace->delay > DELAY_MAX_MS / 2 ? DELAY_MAX_MS : pace->delay * 2;
	pace->not_before = now + pace->delay;
}

bool
pool_spawn(struct pool *p)
{
	pid_t master = getpid(), pid;
	int slot;

	if (clock_ms() < p->pace.not_before)
		return false;
	slot = scoreboard_take(p->board);
	if (slot < 0) {
		pool_throttle(&p->pace, false);
		log_error("no free slot for a child: %u run", pool_count(p, false));
		return false;
	}
	pid = fork();
	if (pid < 0) {
		scoreboard_clear(p->board, (unsigned)slot);
		pool_throttle(&p->pace, false);
		log_error("fork: %s; again in %llu ms", strerror(errno),
		    (unsigned long long)p->pace.delay);
		return false;
	}
	if (pid == 0)
		child_main(p, (unsigned)slot, master);
	scoreboard_assign(p->board, (unsigned)slot, pid);
	p->child[slot] = (struct pool_child){
		.pid = pid,
		.generation = p->generation,
		.started = clock_ms(),
	};
	return true;
}

static void
child_ended(struct pool *p, unsigned slot, int status)
{
	struct pool_child *c = &p->child[slot];
	uint64_t age = clock_ms() - c->started;
	bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0, came_up;
	struct slot_view v;

	scoreboard_view(p->board, slot, &v);
	came_up = v.state == SLOT_IDLE || v.state == SLOT_BUSY;
	if (WIFSIGNALED(status))
		log_error("child %d ended by signal %d (%s) after %llu requests", (int)c->pid,
		    WTERMSIG(status), strsignal(WTERMSIG(status)), (unsigned long long)v.requests);
	else if (!well)
		log_error("child %d ended with exit code %d", (int)c->pid, WEXITSTATUS(status));
	if (!well && age < POOL_YOUNG_MS && !p->stopping)
		pool_throttle(&p->pace, came_up);
	else if (age >= POOL_YOUNG_MS)
		p->pace.delay = 0;
	scoreboard_clear(p->board, slot);
	*c = (struct pool_child){ 0 };
}

static bool
find_slot(const struct pool *p, pid_t pid, unsigned *slot)
{
	for (*slot = 0; *slot < POOL_SLOTS; (*slot)++) {
		if (p->child[*slot].pid == pid)
			return true;
	}
	return false;
}

void
pool_reap(struct pool *p)
{
	unsigned slot;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (find_slot(p, pid, &slot))
			child_ended(p, slot, status);
		else if (!pool_reader_reaped(p, pid, status) &&
			 !pool_upgrade_reaped(p, pid, status))
			log_debug("process %d ended, which is no child of the pool", (int)pid);
	}
}

void
pool_tell(struct pool *p, unsigned slot)
{
	if (p->child[slot].pid == 0 || p->child[slot].told)
		return;
	p->child[slot].told = true;
	kill(p->child[slot].pid, SIGTERM);
}

void
pool_signal_all(struct pool *p, int sig)
{
	for (unsigned i = 0; i < POOL_SLOTS; i++) {
		if (p->child[i].pid != 0)
			kill(p->child[i].pid, sig);
	}
}
