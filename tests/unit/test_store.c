#include "base/sys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "data/store.h"
#include "tap.h"
#include "tree.h"

static char dir[] = "/tmp/sluice-test-store.XXXXXX";
static struct err e;
static uid_t self;

static char *
below(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	if (fd < 0 || fdio_write(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		abort();
	close(fd);
}

/* What is stored under id, or NULL. */
static char *
get(struct store *st, const struct id *id, const char *rendition)
{
	static char text[100];
	uint64_t size;
	int fd = rendition ? store_read_thumbnail(st, id, rendition, &size, &e)
			   : store_read(st, id, &size, &e);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = fdio_read_full(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0 || (uint64_t)n != size)
		return NULL;
	text[n] = '\0';
	return text;
}

static mode_t
mode_of(const char *path)
{
	struct stat s;

	return lstat(path, &s) < 0 ? 0 : s.st_mode & 07777;
}

static void
test_init(void)
{
	struct store *st = store_open(below("store"), &e);

	tap_ok(!st && e.kind == ERR_INTERNAL, "no directory, no store");
	tap_is(mkdir(below("store"), 0750), 0, "an empty directory (nothing mounted)");
	st = store_open(below("store"), &e);
	tap_ok(!st && strstr(e.text, ".sluice-store"), "is not a store: %s", e.text);
	tap_is(rmdir(below("store")), 0, "nothing was put into it");
	tap_is(store_init(below("store"), &e), 0, "init makes it");
	tap_is(store_init(below("store/"), &e), 0, "and may be repeated");
	tap_is(mode_of(below("store")), 0750, "mode of the store, whatever the umask");
	tap_is(mode_of(below("store/files")), 0750, "of files");
	tap_is(mode_of(below("store/incoming")), 0700, "of incoming");
	tap_ok(chmod(below("store/files"), 0755) == 0 && !store_open(below("store"), &e) &&
		   strstr(e.text, "too open"),
	    "open to others: %s", e.text);
	tap_ok(chmod(below("store"), 0770) == 0 && chmod(below("store/files"), 0750) == 0 &&
		   !store_open(below("store"), &e),
	    "writable by the group");
	tap_is(chmod(below("store"), 0750), 0, "repaired");
	put(below("store/.sluice-store"), "not an id", 0640);
	tap_ok(!store_open(below("store"), &e) && strstr(e.text, "damaged"), "damaged marker");
	unlink(below("store/.sluice-store"));
	tap_is(store_init(below("store"), &e), 0, "made again");
	tap_ok(store_init(below("no/such/store"), &e) < 0, "no parent");
}

static void
test_write(struct store *st)
{
	struct store_file *sf, *twin;
	char path[STORE_PATH_MAX], full[600];
	struct id id;
	int count;

	id_new(&id);
	sf = store_begin(st, &id, &e);
	tap_ok(sf != NULL, "begin");
	tap_ok(!store_begin(st, &id, &e), "not twice under one id");
	tap_is(store_write(sf, "hello ", 6, &e), 0, "write");
	tap_is(store_write(sf, "world", 5, &e), 0, "write");
	tap_is((long long)store_file_size(sf), 11, "size");
	tap_ok(!get(st, &id, NULL) && e.kind == ERR_NOTFOUND, "not to be seen before the commit");
	tap_is(store_commit(&sf, &e), 0, "commit");
	tap_ok(sf == NULL, "ends it");
	tap_str(get(st, &id, NULL), "hello world", "then it can be read");
	snprintf(full, sizeof(full), "%s/store/%s", dir, store_path(&id, NULL, path));
	tap_is(mode_of(full), 0640, "mode, whatever the umask");
	full[strlen(full) - 37] = '\0';
	tap_is(mode_of(full), 01750, "its directory is marked as durable");
	count = tree_count(below("store/incoming"));
	tap_is(count, 0, "nothing is left in incoming");

	twin = store_begin(st, &id, &e);
	tap_ok(twin && store_write(twin, "other", 5, &e) == 0, "the same id again");
	tap_ok(store_commit(&twin, &e) < 0 && e.kind == ERR_CONFLICT, "is a conflict: %s", e.text);
	tap_str(get(st, &id, NULL), "hello world", "nothing was overwritten");
	tap_is(tree_count(below("store/incoming")), 0, "nothing is left");

	tap_is(store_remove(st, &id, &e), 0, "remove");
	tap_ok(!get(st, &id, NULL) && e.kind == ERR_NOTFOUND, "is gone");
	tap_is(store_remove(st, &id, &e), 0, "removing it again is success");
	id_new(&id);
	tap_is(store_remove(st, &id, &e), 0, "so is what never was");
}

static void
test_abort(struct store *st)
{
	struct store_file *sf;
	struct id id;
	int status;
	pid_t pid;

	id_new(&id);
	sf = store_begin(st, &id, &e);
	tap_ok(sf && store_write(sf, "x", 1, &e) == 0, "another");
	pid = fork();
	if (pid == 0) {
		store_abort(&sf);
		_exit(sf ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	tap_is(status, 0, "a child may abort");
	tap_is(tree_count(below("store/incoming")), 1, "but the file is its parent's");
	pid = fork();
	if (pid == 0)
		_exit(store_commit(&sf, &e) < 0 && !sf ? 0 : 1);
	waitpid(pid, &status, 0);
	tap_is(status, 0, "nor can it commit");
	store_abort(&sf);
	tap_ok(!sf, "abort ends it");
	tap_is(tree_count(below("store/incoming")), 0, "and leaves nothing");
	store_abort(&sf);
	sf = store_begin(st, &id, &e);
	tap_is(store_commit(&sf, &e), 0, "an empty file");
	tap_str(get(st, &id, NULL), "", "is stored");
}

static void
test_big(struct store *st)
{
	size_t n = 20 * 1024 * 1024 + 7;
	char *p = mem_alloc(n), *q = mem_alloc(n);
	struct store_file *sf, *copy;
	struct id id, id2;
	uint64_t size;
	int fd;

	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 31 >> 7);
	id_new(&id);
	id_new(&id2);
	sf = store_begin(st, &id, &e);
	tap_is(store_write(sf, p, n, &e), 0, "20 MiB");
	copy = store_begin(st, &id2, &e);
	tap_is(store_write(copy, "head", 4, &e), 0, "a copy with a head");
	tap_is(store_write_from(copy, store_file_fd(sf), 100, n - 100, &e), 0, "from a descriptor");
	tap_is((long long)store_file_size(copy), (long long)n - 96, "its size");
	tap_ok(store_write_from(copy, store_file_fd(sf), (off_t)n - 5, 6, &e) < 0 &&
		   e.kind == ERR_INPUT,
	    "a source that ends early: %s", e.text);
	tap_ok(store_commit(&copy, &e) < 0, "fails the file for good");
	tap_is(store_commit(&sf, &e), 0, "commit");
	fd = store_read(st, &id, &size, &e);
	tap_ok(
	    fd >= 0 && size == n && fdio_read_full(fd, q, n) == (ssize_t)n && memcmp(p, q, n) == 0,
	    "byte for byte");
	close(fd);
	copy = store_begin(st, &id2, &e);
	fd = store_read(st, &id, &size, &e);
	tap_is(store_write_from(copy, fd, 1, n - 1, &e), 0, "copied");
	close(fd);
	tap_is(store_commit(&copy, &e), 0, "committed");
	fd = store_read(st, &id2, &size, &e);
	tap_ok(fdio_read_full(fd, q, n) == (ssize_t)n - 1 && memcmp(p + 1, q, n - 1) == 0,
	    "the copy is right");
	close(fd);
	tap_is(tree_count(below("store/incoming")), 0, "nothing is left in incoming");
	mem_free(p);
	mem_free(q);
}

static void
test_thumbnails(struct store *st)
{
	struct id id;
	char path[STORE_PATH_MAX];

	id_new(&id);
	tap_is(store_put_thumbnail(st, &id, "small", "one", 3, &e), 0, "thumbnail");
	tap_is(store_put_thumbnail(st, &id, "small", "two!", 4, &e), 0, "made again");
	tap_str(get(st, &id, "small"), "two!", "the later one stands");
	tap_ok(!get(st, &id, "large") && e.kind == ERR_NOTFOUND, "another rendition");
	tap_ok(store_put_thumbnail(st, &id, "../x", "y", 1, &e) < 0, "no paths in names");
	tap_ok(store_put_thumbnail(st, &id, "", "y", 1, &e) < 0, "nor empty ones");
	tap_ok(!get(st, &id, "a/../small") && e.kind == ERR_NOTFOUND, "nor when reading");
	store_path(&id, "small", path);
	tap_ok(strncmp(path, "thumbnails/", 11) == 0 && strstr(path, ".small"), "path %s", path);
	tap_is(store_remove_thumbnail(st, &id, "small", &e), 0, "remove");
	tap_ok(!get(st, &id, "small"), "is gone");
	tap_is(tree_count(below("store/incoming")), 0, "nothing is left in incoming");
}

static void
refuse(struct store *st, const char *path, enum err_kind kind, const char *what)
{
	struct id id;
	struct store_file *sf;

	id_new(&id);
	sf = store_take(st, &id, below("spool"), path, &self, 1, &e);
	tap_ok(!sf && e.kind == kind, "not taken: %s (%s)", what, e.text);
	store_abort(&sf);
	tap_is(tree_count(below("store/incoming")), 0, "nothing is left");
}

static void
test_take_refused(struct store *st)
{
	char spool[400], path[600];
	uid_t other = self + 1;
	struct id id;

	snprintf(spool, sizeof(spool), "%s", below("spool"));
	snprintf(path, sizeof(path), "%s/../secret", spool);
	put(below("secret"), "secret", 0600);
	refuse(st, path, ERR_DENIED, "..");
	refuse(st, "../secret", ERR_DENIED, "relative ..");
	refuse(st, below("secret"), ERR_DENIED, "elsewhere");
	snprintf(path, sizeof(path), "%s-not/x", spool);
	refuse(st, path, ERR_DENIED, "a longer directory name");
	refuse(st, spool, ERR_DENIED, "the spool itself");
	refuse(st, "none", ERR_NOTFOUND, "no such file");
	tap_is(symlink("../secret", below("spool/link")), 0, "a link");
	refuse(st, "link", ERR_DENIED, "symbolic link");
	tap_is(symlink("..", below("spool/up")), 0, "a linked directory");
	refuse(st, "up/secret", ERR_DENIED, "through a symbolic link");
	tap_is(mkdir(below("spool/real"), 0700), 0, "a directory");
	put(below("spool/real/body"), "body", 0600);
	tap_is(symlink("real", below("spool/alias")), 0, "another name of it");
	refuse(st, "alias/body", ERR_DENIED, "a link that stays within");
	tap_is(mkfifo(below("spool/fifo"), 0600), 0, "a fifo");
	refuse(st, "fifo", ERR_DENIED, "fifo");
	tap_is(mkdir(below("spool/sub"), 0700), 0, "a directory");
	refuse(st, "sub", ERR_DENIED, "directory");
	put(below("spool/two"), "two", 0600);
	snprintf(path, sizeof(path), "%s/other", spool);
	tap_is(link(below("spool/two"), path), 0, "a second name");
	refuse(st, "two", ERR_DENIED, "two names");
	unlink(path);
	id_new(&id);
	tap_ok(!store_take(st, &id, spool, "two", &other, 1, &e) && e.kind == ERR_DENIED,
	    "not taken: of somebody else (%s)", e.text);
	tap_ok(store_spool_open(spool, "two", &other, 1, &e) < 0 && e.kind == ERR_DENIED,
	    "nor opened");
	tree_remove(below("spool"));
}

static void
test_take(struct store *st)
{
	struct store_file *sf;
	struct stat before, after;
	struct id id;
	char path[600], spool[400];
	int fd;

	tap_is(mkdir(below("spool"), 0700), 0, "a spool");
	snprintf(spool, sizeof(spool), "%s", below("spool"));
	test_take_refused(st);
	tap_is(mkdir(spool, 0700), 0, "a spool");
	tap_is(mkdir(below("spool/07"), 0700), 0, "with a level");
	put(below("spool/07/0000000007"), "handed off", 0600);
	snprintf(path, sizeof(path), "%s/07/0000000007", spool);
	tap_is(stat(path, &before), 0, "a body");
	fd = store_spool_open(spool, path, &self, 1, &e);
	tap_ok(fd >= 0, "can be opened");
	close(fd);
	id_new(&id);
	sf = store_take(st, &id, spool, path, &self, 1, &e);
	tap_ok(sf && store_file_size(sf) == 10, "can be taken: %s", e.text);
	if (!sf)
		return;
	tap_ok(fstat(store_file_fd(sf), &after) == 0 && after.st_ino == before.st_ino,
	    "and is the same file, not a copy");
	tap_is(unlink(path), 0, "the web server removes its name");
	tap_is(store_commit(&sf, &e), 0, "commit");
	tap_str(get(st, &id, NULL), "handed off", "stored");
	store_path(&id, NULL, path + 300);
	snprintf(path, 300, "%.200s/store/%.90s", dir, path + 300);
	tap_is(mode_of(path), 0640, "with our mode");
	put(below("spool/b"), "again", 0600);
	id_new(&id);
	sf = store_take(st, &id, spool, "b", &self, 1, &e);
	tap_ok(sf != NULL, "a relative path");
	put(below("spool/b"), "again and again", 0600);
	tap_ok(store_commit(&sf, &e) < 0 && !sf, "a file that grew behind our back: %s", e.text);
	id_new(&id);
	sf = store_take(st, &id, spool, "b", &self, 1, &e);
	tap_ok(sf != NULL, "taken once more");
	store_abort(&sf);
	tap_is(access(below("spool/b"), F_OK), 0, "abort leaves the web server's name alone");
	tap_is(tree_count(below("store/incoming")), 0, "and nothing of ours");
}

/* Taking from another file system copies. */
static void
test_take_far(struct store *st)
{
	char spool[] = "/dev/shm/sluice-test.XXXXXX", path[100];
	struct store_file *sf;
	struct stat a, b;
	struct id id;

	if (!mkdtemp(spool) || stat(spool, &a) < 0 || stat(dir, &b) < 0 || a.st_dev == b.st_dev) {
		tap_skip("another file system", "there is none");
		return;
	}
	snprintf(path, sizeof(path), "%s/b", spool);
	put(path, "far away", 0600);
	id_new(&id);
	sf = store_take(st, &id, spool, path, &self, 1, &e);
	tap_ok(sf && store_file_size(sf) == 8, "taken from another file system: %s", e.text);
	tap_ok(sf && store_commit(&sf, &e) == 0, "commit");
	tap_str(get(st, &id, NULL), "far away", "copied");
	tree_remove(spool);
}

int
main(void)
{
	struct store *st;
	uint64_t space = 0;

	self = geteuid();
	umask(077);
	if (!mkdtemp(dir))
		abort();
	test_init();
	st = store_open(below("store"), &e);
	tap_ok(st != NULL, "open: %s", e.text);
	if (!st)
		return tap_done();
	test_write(st);
	test_abort(st);
	test_big(st);
	test_thumbnails(st);
	test_take(st);
	test_take_far(st);
	tap_ok(store_free_space(st, &space, &e) == 0 && space > 0, "free space");
	store_free(&st);
	tap_ok(!st, "free leaves NULL");
	tree_remove(dir);
	return tap_done();
}
