/*
 * ahead.h: SHA-256 of bodies that the web server is still spooling, in shared memory (anonymous
 * mmap, made by the master before it forks).
 *
 * The spool reader is the only one that writes entries:
 *	slot = ahead_follow(a, &key)
 *	ahead_publish(a, slot, &key, hashed, digest) ...   until ahead_claimed(a, slot)
 *	ahead_drop(a, slot)
 * A child that has taken the file over:
 *	n = ahead_claim(a, fd, digest)                     and it adds the bytes from n on itself
 *
 * An entry is found by device, inode and time of birth, so that a later file that gets the same
 * inode is another file. Whatever is not certain (no time of birth, a reader that died or stands
 * still in the middle of an update) gives 0, and the child hashes everything.
 */
#ifndef SLUICE_FCGI_AHEAD_H
#define SLUICE_FCGI_AHEAD_H

#include "data/digest.h"

enum { AHEAD_SLOTS = 64 };

struct ahead;

struct ahead_key {
	uint64_t device, inode;
	uint64_t born_s, born_ns;
};

struct ahead *ahead_new(void);
void ahead_free(struct ahead **a);

/* What the file is known by, and its size. False when the file system tells no time of birth. */
MUST_CHECK bool ahead_identify(int fd, struct ahead_key *key, uint64_t *size);

/* Reader, when it starts: what an earlier one left is gone. */
void ahead_clear(struct ahead *a);

/* Reader. A free slot, or -1. */
int ahead_follow(struct ahead *a, const struct ahead_key *key);

/* Reader: digest holds the first hashed bytes of the slot's file. */
void ahead_publish(struct ahead *a, int slot, const struct ahead_key *key, uint64_t hashed,
    const struct digest *digest);
bool ahead_claimed(const struct ahead *a, int slot); /* by a child: nobody needs more of it */
void ahead_drop(struct ahead *a, int slot);

/*
 * Child: how many bytes of fd's file have been hashed, with digest set to them. 0, with digest left
 * alone, when there are none or a is NULL.
 */
MUST_CHECK uint64_t ahead_claim(struct ahead *a, int fd, struct digest *digest);

#endif
