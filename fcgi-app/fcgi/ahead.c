#include "base/sys.h"

#include "fcgi/ahead.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"

enum { FREE, FOLLOWED, CLAIMED };

/* How often a child looks again at an entry that is being written, which takes the reader 0.1 us. */
enum { LOOKS = 100 };

struct record {
	struct ahead_key key;
	uint64_t hashed;
	struct digest_state state;
};

enum { WORDS = sizeof(struct record) / sizeof(uint64_t) };

/*
 * A sequence lock without waiting: the reader makes sequence odd, writes the words, makes it even
 * again. A child uses only what it has read between two looks at the same even number; so a reader
 * that is killed in between leaves an entry that nobody uses.
 */
struct entry {
	_Alignas(64) _Atomic int state; /* FOLLOWED to CLAIMED by a child, all else by the reader */
	_Atomic unsigned sequence;
	_Atomic uint64_t word[WORDS]; /* a struct record */
};

struct ahead {
	struct entry entry[AHEAD_SLOTS];
};

struct ahead *
ahead_new(void)
{
	struct ahead *a =
	    mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (a == MAP_FAILED) {
		log_error("mmap(hashes of the spool, %zu bytes): %s", sizeof(*a), strerror(errno));
		exit(EXIT_TEMPORARY);
	}
	return a;
}

void
ahead_free(struct ahead **a)
{
	if (*a == NULL)
		return;
	munmap(*a, sizeof(**a));
	*a = NULL;
}

bool
ahead_identify(int fd, struct ahead_key *key, uint64_t *size)
{
	struct statx s;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_SIZE | STATX_BTIME, &s) < 0 ||
	    !(s.stx_mask & STATX_BTIME))
		return false;
	*key = (struct ahead_key){
		.device = (uint64_t)s.stx_dev_major << 32 | s.stx_dev_minor,
		.inode = s.stx_ino,
		.born_s = (uint64_t)s.stx_btime.tv_sec,
		.born_ns = s.stx_btime.tv_nsec,
	};
	*size = s.stx_size;
	return true;
}

/* Reader. */
static void
record_write(struct entry *t, const struct record *r)
{
	/* odd already when the reader before us died while it wrote */
	unsigned odd = atomic_load_explicit(&t->sequence, memory_order_relaxed) | 1;
	uint64_t word[WORDS];

	memcpy(word, r, sizeof(word));
	atomic_store_explicit(&t->sequence, odd, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < WORDS; i++)
		atomic_store_explicit(&t->word[i], word[i], memory_order_relaxed);
	atomic_store_explicit(&t->sequence, odd + 1, memory_order_release);
}

/* Child. False when it is being written. */
static bool
record_read(struct entry *t, struct record *r)
{
	uint64_t word[WORDS];

	for (int i = 0; i < LOOKS; i++) {
		unsigned before = atomic_load_explicit(&t->sequence, memory_order_acquire), after;

		for (size_t w = 0; w < WORDS; w++)
			word[w] = atomic_load_explicit(&t->word[w], memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&t->sequence, memory_order_relaxed);
		if (before == after && before % 2 == 0) {
			memcpy(r, word, sizeof(*r));
			return true;
		}
		sched_yield();
	}
	return false;
}

void
ahead_clear(struct ahead *a)
{
	for (int i = 0; i < AHEAD_SLOTS; i++)
		ahead_drop(a, i);
}

int
ahead_follow(struct ahead *a, const struct ahead_key *key)
{
	for (int i = 0; i < AHEAD_SLOTS; i++) {
		if (a->entry[i].state != FREE)
			continue;
		record_write(&a->entry[i], &(struct record){ .key = *key });
		a->entry[i].state = FOLLOWED;
		return i;
	}
	return -1;
}

void
ahead_publish(struct ahead *a, int slot, const struct ahead_key *key, uint64_t hashed,
    const struct digest *digest)
{
	struct record r = { .key = *key, .hashed = hashed };

	digest_save(digest, &r.state);
	record_write(&a->entry[slot], &r);
}

bool
ahead_claimed(const struct ahead *a, int slot)
{
	return a->entry[slot].state == CLAIMED;
}

void
ahead_drop(struct ahead *a, int slot)
{
	record_write(&a->entry[slot], &(struct record){ .hashed = 0 });
	a->entry[slot].state = FREE;
}

static bool
same_file(const struct ahead_key *a, const struct ahead_key *b)
{
	return a->device == b->device && a->inode == b->inode && a->born_s == b->born_s &&
	       a->born_ns == b->born_ns;
}

uint64_t
ahead_claim(struct ahead *a, int fd, struct digest *digest)
{
	struct ahead_key key;
	uint64_t size;

	if (a == NULL || !ahead_identify(fd, &key, &size))
		return 0;
	for (int i = 0; i < AHEAD_SLOTS; i++) {
		struct entry *t = &a->entry[i];
		int followed = FOLLOWED;
		struct record r;

		if (t->state != FOLLOWED || !record_read(t, &r) || !same_file(&r.key, &key))
			continue;
		/* The slot may be another file's by now: that one is only hashed by its child. */
		if (!atomic_compare_exchange_strong(&t->state, &followed, CLAIMED))
			return 0;
		if (r.hashed == 0 || r.hashed > size)
			return 0;
		digest_load(digest, &r.state);
		return r.hashed;
	}
	return 0;
}
