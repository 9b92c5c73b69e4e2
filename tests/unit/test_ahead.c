#include "base/sys.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/fdio.h"
#include "fcgi/ahead.h"
#include "tap.h"

enum { SIZE = 3 << 20, SPINS = 20000 };

static unsigned char bytes[SIZE], expected[DIGEST_SIZE];

/* A file of SIZE bytes without a name. */
static int
new_file(void)
{
	char path[] = "/tmp/sluice-ahead-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path) < 0 || fdio_write(fd, bytes, SIZE) < 0) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

/* A slot that says the first n bytes of fd's file are hashed. */
static int
publish(struct ahead *a, int fd, size_t n, struct ahead_key *key)
{
	struct digest *d = digest_new();
	uint64_t size;
	int slot;

	if (!ahead_identify(fd, key, &size))
		return -1;
	slot = ahead_follow(a, key);
	digest_add(d, bytes, n);
	if (slot >= 0)
		ahead_publish(a, slot, key, n, d);
	digest_free(&d);
	return slot;
}

/* Does the digest that a claim gives, and the rest, make the file's? */
static bool
right(struct digest *d, uint64_t n)
{
	unsigned char out[DIGEST_SIZE];

	digest_add(d, bytes + n, SIZE - n);
	digest_final(d, out);
	digest_reset(d);
	return digest_equal(out, expected, DIGEST_SIZE);
}

static void
test_claims(void)
{
	struct ahead *a = ahead_new();
	struct digest *d = digest_new();
	struct ahead_key key;
	int fd = new_file(), other = new_file(), slot;

	tap_is(ahead_claim(NULL, fd, d), 0, "no table: nothing is hashed");
	tap_is(ahead_claim(a, fd, d), 0, "an empty table: nothing is hashed");
	slot = publish(a, fd, 1 << 20, &key);
	tap_is(slot, 0, "the first slot");
	tap_is(ahead_claim(a, other, d), 0, "another file has no entry");
	tap_ok(right(d, 0), "and its digest is untouched");
	tap_ok(!ahead_claimed(a, slot), "not claimed yet");
	tap_is(ahead_claim(a, fd, d), 1 << 20, "a megabyte was hashed");
	tap_ok(right(d, 1 << 20), "its digest goes on from there");
	tap_ok(ahead_claimed(a, slot), "claimed");
	tap_is(ahead_claim(a, fd, d), 0, "an entry is claimed once");
	ahead_drop(a, slot);
	tap_is(publish(a, fd, 0, &key), 0, "a dropped slot is taken again");
	tap_is(ahead_claim(a, fd, d), 0, "followed, nothing hashed yet");
	digest_free(&d);
	ahead_free(&a);
	tap_ok(a == NULL, "free leaves NULL");
	ahead_free(&a);
	close(fd);
	close(other);
}

static void
test_stale(void)
{
	struct ahead *a = ahead_new();
	struct digest *d = digest_new();
	struct ahead_key key;
	int fd = new_file(), slot = publish(a, fd, 2 << 20, &key);

	if (ftruncate(fd, 1 << 20) < 0)
		tap_ok(false, "ftruncate: %s", strerror(errno));
	tap_is(ahead_claim(a, fd, d), 0, "more hashed than there is: not used");
	ahead_drop(a, slot);
	slot = publish(a, fd, 1 << 20, &key);
	key.born_ns++;
	ahead_publish(a, slot, &key, 1 << 20, d);
	tap_is(ahead_claim(a, fd, d), 0, "the same inode, born at another time: another file");
	key.born_ns--;
	key.device++;
	ahead_publish(a, slot, &key, 1 << 20, d);
	tap_is(ahead_claim(a, fd, d), 0, "on another device: another file");
	key.device--;
	ahead_publish(a, slot, &key, 1 << 20, d);
	ahead_clear(a);
	tap_is(ahead_claim(a, fd, d), 0, "nothing is left by an earlier reader");
	for (int i = 0; i < AHEAD_SLOTS; i++)
		slot = ahead_follow(a, &key);
	tap_is(slot, AHEAD_SLOTS - 1, "all slots can be taken");
	tap_is(ahead_follow(a, &key), -1, "and no more");
	digest_free(&d);
	ahead_free(&a);
	close(fd);
}

static NO_RETURN void
write_forever(struct ahead *a, int slot, const struct ahead_key *key)
{
	struct digest *d = digest_new(), *start = digest_new();
	struct digest_state state;

	digest_save(start, &state);
	for (size_t n = 0;; n = n < SIZE ? n + 64 : 0) {
		if (n == 0)
			digest_load(d, &state);
		else
			digest_add(d, bytes + n - 64, 64);
		ahead_publish(a, slot, key, n, d);
	}
}

/* The reader is killed while it writes, again and again: what is claimed is right or nothing. */
static void
test_sequence(void)
{
	struct ahead *a = ahead_new();
	struct digest *d = digest_new();
	struct ahead_key key;
	int fd = new_file(), bad = 0, used = 0;

	for (int round = 0; round < 200; round++) {
		int slot = publish(a, fd, 4096, &key);
		pid_t pid = fork();
		uint64_t n;

		if (pid == 0)
			write_forever(a, slot, &key);
		usleep((useconds_t)(round * 37 % 3000));
		if (round % 2) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		n = ahead_claim(a, fd, d);
		used += n > 0;
		bad += !right(d, n);
		if (round % 2 == 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		ahead_clear(a);
	}
	tap_is(bad, 0, "written and killed at any moment: never a wrong digest");
	tap_ok(used > 50, "and mostly one that saves work (%d of 200)", used);
	digest_free(&d);
	ahead_free(&a);
	close(fd);
}

int
main(void)
{
	struct ahead_key key;
	uint64_t size;
	int fd;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (unsigned char)(i * 2654435761u >> 13);
	digest_once(bytes, SIZE, expected);
	fd = new_file();
	if (!ahead_identify(fd, &key, &size)) {
		tap_ok(true, "all # SKIP /tmp tells no time of birth");
		return tap_done();
	}
	tap_is((long)size, SIZE, "the size is told");
	close(fd);
	test_claims();
	test_stale();
	test_sequence();
	return tap_done();
}
