#include "base/sys.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "fcgi/scoreboard.h"

/* A cache line each, so that children do not slow each other down. */
struct slot {
	_Alignas(64) _Atomic int pid;
	_Atomic int state;
	_Atomic uint64_t requests, bytes_in, since_ms, promised;
};

struct shared {
	_Atomic uint64_t last_once; /* clock_ms of the last scoreboard_once_per that said yes */
	_Atomic bool want_call;
	_Atomic unsigned top; /* slots ever taken are below this */
	struct slot slot[];
};

struct scoreboard {
	struct shared *m;
	size_t size;
	unsigned slots;
	int call_fd;
};

struct scoreboard *
scoreboard_new(unsigned slots)
{
	struct scoreboard *b = mem_zero(sizeof(*b));

	b->slots = slots;
	b->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->size = sizeof(struct shared) + slots * sizeof(struct slot);
	b->m = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->m == MAP_FAILED) {
		log_error("mmap(scoreboard, %zu bytes): %s", b->size, strerror(errno));
		exit(EXIT_TEMPORARY);
	}
	return b;
}

void
scoreboard_free(struct scoreboard **b)
{
	if (*b == NULL)
		return;
	fdio_drop(&(*b)->call_fd);
	munmap((*b)->m, (*b)->size);
	mem_free(*b);
	*b = NULL;
}

unsigned
scoreboard_slots(const struct scoreboard *b)
{
	return b->slots;
}

int
scoreboard_take(struct scoreboard *b)
{
	for (unsigned i = 0; i < b->slots; i++) {
		if (b->m->slot[i].state != SLOT_FREE)
			continue;
		scoreboard_set(b, i, SLOT_STARTING);
		if (b->m->top <= i)
			b->m->top = i + 1;
		return (int)i;
	}
	return -1;
}

void
scoreboard_assign(struct scoreboard *b, unsigned slot, pid_t pid)
{
	b->m->slot[slot].pid = pid;
}

void
scoreboard_clear(struct scoreboard *b, unsigned slot)
{
	struct slot *s = &b->m->slot[slot];

	s->promised = 0;
	s->requests = 0;
	s->bytes_in = 0;
	s->since_ms = 0;
	s->pid = 0;
	s->state = SLOT_FREE;
}

int
scoreboard_call_fd(const struct scoreboard *b)
{
	return b->call_fd;
}

void
scoreboard_want_call(struct scoreboard *b, bool wanted)
{
	uint64_t calls;

	if (read(b->call_fd, &calls, sizeof(calls)) < 0 && errno != EAGAIN)
		log_warn("read(eventfd): %s", strerror(errno));
	b->m->want_call = wanted;
}

void
scoreboard_call(struct scoreboard *b)
{
	uint64_t one = 1;

	if (!b->m->want_call || scoreboard_in_state(b, SLOT_IDLE) > 0)
		return;
	if (atomic_exchange(&b->m->want_call, false) && write(b->call_fd, &one, sizeof(one)) < 0)
		log_warn("write(eventfd): %s", strerror(errno));
}

void
scoreboard_set(struct scoreboard *b, unsigned slot, enum slot_state state)
{
	b->m->slot[slot].since_ms = clock_ms();
	b->m->slot[slot].state = (int)state;
}

void
scoreboard_count(struct scoreboard *b, unsigned slot, uint64_t requests, uint64_t bytes_in)
{
	b->m->slot[slot].requests += requests;
	b->m->slot[slot].bytes_in += bytes_in;
}

void
scoreboard_promise(struct scoreboard *b, unsigned slot, uint64_t bytes)
{
	b->m->slot[slot].promised = bytes;
}

uint64_t
scoreboard_promised(const struct scoreboard *b)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < b->m->top; i++) {
		uint64_t n = b->m->slot[i].promised;

		sum = n > UINT64_MAX - sum ? UINT64_MAX : sum + n;
	}
	return sum;
}

bool
scoreboard_once_per(struct scoreboard *b, uint64_t ms)
{
	uint64_t now = clock_ms(), last = b->m->last_once;

	/* A child may have stored a later time than ours: that one has just said yes. */
	if (last != 0 && (now <= last || now - last < ms))
		return false;
	return atomic_compare_exchange_strong(&b->m->last_once, &last, now);
}

void
scoreboard_view(const struct scoreboard *b, unsigned slot, struct slot_view *out)
{
	const struct slot *s = &b->m->slot[slot];

	*out = (struct slot_view){
		.pid = s->pid,
		.state = (enum slot_state)s->state,
		.requests = s->requests,
		.bytes_in = s->bytes_in,
		.since_ms = s->since_ms,
		.promised = s->promised,
	};
}

unsigned
scoreboard_in_state(const struct scoreboard *b, enum slot_state state)
{
	unsigned n = 0, end = state == SLOT_FREE ? b->slots : b->m->top;

	for (unsigned i = 0; i < end; i++)
		n += b->m->slot[i].state == (int)state;
	return n;
}
