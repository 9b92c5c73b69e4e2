#include "base/sys.h"

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/pool_room.h"

/*
 * static: max_children, always. dynamic: at least min_spare idle ones, up to max_children; when all
 * are busy the pool grows by a quarter; one idle child a second is told to go while more than
 * 2 * min_spare + 2 are idle.
 */
enum { LOOK_MS = 1000 };

static unsigned
wanted(const struct pool *p, unsigned have, unsigned idle)
{
	const struct conf_pool *c = &(*p->conf)->pool;
	unsigned max = (unsigned)c->max_children, spare = (unsigned)c->min_spare, more;

	if (spare == 0)
		spare = 1;
	if (have >= max)
		return 0;
	if (c->pm == PM_STATIC)
		return max - have;
	more = idle < spare ? spare - idle : 0;
	if (idle == 0 && more < have / 4)
		more = have / 4;
	return more < max - have ? more : max - have;
}

/* The last idle child: low slots stay busy, so high ones become free. */
static void
shrink(struct pool *p, unsigned idle)
{
	const struct conf_pool *c = &(*p->conf)->pool;
	uint64_t now = clock_ms();

	if (c->pm == PM_STATIC || idle <= 2 * c->min_spare + 2 || now - p->shrunk < LOOK_MS)
		return;
	p->shrunk = now;
	for (unsigned i = POOL_SLOTS; i-- > 0;) {
		struct slot_view v;

		if (p->child[i].pid == 0 || p->child[i].told)
			continue;
		scoreboard_view(p->board, i, &v);
		if (v.state == SLOT_IDLE) {
			pool_tell(p, i);
			return;
		}
	}
}

/* Children of an older configuration go as soon as one of the new has come up. */
static bool
drain_old(struct pool *p, bool new_serve)
{
	bool any = false;

	for (unsigned i = 0; i < POOL_SLOTS; i++) {
		if (p->child[i].pid == 0 || p->child[i].generation == p->generation)
			continue;
		if (new_serve)
			pool_tell(p, i);
		any = any || !p->child[i].told;
	}
	return any;
}

int
pool_size(struct pool *p)
{
	const struct conf_pool *c = &(*p->conf)->pool;
	unsigned idle = pool_count_state(p, SLOT_IDLE);
	unsigned coming = pool_count_state(p, SLOT_STARTING);
	unsigned have = pool_count(p, true);
	bool old, missing, serving;

	for (unsigned n = wanted(p, have, idle + coming); n > 0 && pool_spawn(p); n--) {
		have++;
		coming++;
	}
	missing = wanted(p, have, idle + coming) > 0;
	serving = idle > 0 || pool_count_state(p, SLOT_BUSY) > 0;
	old = drain_old(p, serving);
	shrink(p, idle);
	scoreboard_want_call(p->board, c->pm == PM_DYNAMIC && have < c->max_children && !missing);
	if (serving && p->old_master != 0) {
		log_info("serving; the old master %d may go", (int)p->old_master);
		kill(p->old_master, SIGQUIT);
		p->old_master = 0;
	}
	if (missing) {
		uint64_t now = clock_ms();

		return now < p->pace.not_before ? (int)(p->pace.not_before - now) : 0;
	}
	if (old || p->old_master != 0)
		return 20;
	return c->pm == PM_DYNAMIC ? LOOK_MS : -1;
}
