/*
 * Every system call on the store's path fails once, at each place where it is made: the caller
 * must be told, and nothing may be left in incoming/ or files/. The linker puts the calls through
 * the __wrap functions below (see -Wl,--wrap in include.am).
 */
#include "base/sys.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/strbuf.h"
#include "data/store.h"
#include "tap.h"
#include "tree.h"

static char dir[] = "/tmp/sluice-test-faults.XXXXXX";
static struct err e;
static uid_t self;

/* As under systemd's RestrictSUIDSGID: no mode with setgid. */
static bool setgid_refused;

static struct {
	const char *call; /* NULL: none fails */
	int at;           /* the n-th */
	int error;        /* 0: a short count */
	int seen;
	bool hit;
	struct strbuf trace;
} plan;

/* Is it this one's turn? errno is set. */
static bool
fails(const char *call)
{
	strbuf_addf(&plan.trace, "%s ", call);
	if (!plan.call || strcmp(call, plan.call) != 0 || ++plan.seen != plan.at)
		return false;
	plan.hit = true;
	errno = plan.error;
	return true;
}

/* clang-format off */
int __real_openat(int d, const char *path, int flags, mode_t mode);
int __wrap_openat(int d, const char *path, int flags, mode_t mode);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_sync_file_range(int fd, off64_t at, off64_t n, unsigned flags);
int __wrap_sync_file_range(int fd, off64_t at, off64_t n, unsigned flags);
int __real_fstat(int fd, struct stat *s);
int __wrap_fstat(int fd, struct stat *s);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_mkdirat(int d, const char *path, mode_t mode);
int __wrap_mkdirat(int d, const char *path, mode_t mode);
int __real_renameat(int d, const char *a, int d2, const char *b);
int __wrap_renameat(int d, const char *a, int d2, const char *b);
int __real_renameat2(int d, const char *a, int d2, const char *b, unsigned flags);
int __wrap_renameat2(int d, const char *a, int d2, const char *b, unsigned flags);
int __real_linkat(int d, const char *a, int d2, const char *b, int flags);
int __wrap_linkat(int d, const char *a, int d2, const char *b, int flags);
ssize_t __real_copy_file_range(int a, off_t *x, int b, off_t *y, size_t n, unsigned flags);
ssize_t __wrap_copy_file_range(int a, off_t *x, int b, off_t *y, size_t n, unsigned flags);
/* clang-format on */

int
__wrap_openat(int d, const char *path, int flags, mode_t mode)
{
	return fails("openat") ? -1 : __real_openat(d, path, flags, mode);
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (fd <= 2)
		return __real_write(fd, p, n);
	if (fails("write"))
		return plan.error ? -1 : __real_write(fd, p, n / 2 + 1);
	return __real_write(fd, p, n);
}

int
__wrap_fsync(int fd)
{
	return fails("fsync") ? -1 : __real_fsync(fd);
}

int
__wrap_close(int fd)
{
	bool failing = fails("close");
	int rc = __real_close(fd);

	errno = failing ? plan.error : errno;
	return failing ? -1 : rc;
}

int
__wrap_sync_file_range(int fd, off64_t at, off64_t n, unsigned flags)
{
	if ((flags & SYNC_FILE_RANGE_WAIT_AFTER) && fails("wait"))
		return -1;
	return __real_sync_file_range(fd, at, n, flags);
}

int
__wrap_fstat(int fd, struct stat *s)
{
	return fails("fstat") ? -1 : __real_fstat(fd, s);
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	if (setgid_refused && (mode & S_ISGID)) {
		errno = EPERM;
		return -1;
	}
	return fails("fchmod") ? -1 : __real_fchmod(fd, mode);
}

int
__wrap_mkdirat(int d, const char *path, mode_t mode)
{
	return fails("mkdirat") ? -1 : __real_mkdirat(d, path, mode);
}

int
__wrap_renameat(int d, const char *a, int d2, const char *b)
{
	return fails("renameat") ? -1 : __real_renameat(d, a, d2, b);
}

int
__wrap_renameat2(int d, const char *a, int d2, const char *b, unsigned flags)
{
	return fails("renameat2") ? -1 : __real_renameat2(d, a, d2, b, flags);
}

int
__wrap_linkat(int d, const char *a, int d2, const char *b, int flags)
{
	return fails("linkat") ? -1 : __real_linkat(d, a, d2, b, flags);
}

ssize_t
__wrap_copy_file_range(int a, off_t *x, int b, off_t *y, size_t n, unsigned flags)
{
	if (fails("copy_file_range"))
		return plan.error ? -1 : __real_copy_file_range(a, x, b, y, n / 2, flags);
	return __real_copy_file_range(a, x, b, y, n, flags);
}

static char *
below(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
spool(const char *text)
{
	int fd = open(below("spool/body"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || fdio_write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

static int
finish(struct store_file *sf)
{
	if (!sf)
		return -1;
	if (store_write(sf, "0123456789", 10, &e) < 0 || store_write(sf, "abcdef", 6, &e) < 0) {
		store_abort(&sf);
		return -1;
	}
	return store_commit(&sf, &e);
}

static int
do_write(struct store *st, const struct id *id)
{
	return finish(store_begin(st, id, &e));
}

static int
do_take(struct store *st, const struct id *id)
{
	struct store_file *sf = store_take(st, id, below("spool"), "body", &self, 1, &e);

	return sf ? store_commit(&sf, &e) : -1;
}

static int
do_copy(struct store *st, const struct id *id)
{
	struct store_file *sf = store_begin(st, id, &e);
	int fd = open(below("spool/body"), O_RDONLY);
	int rc = -1;

	if (sf && store_write_from(sf, fd, 0, 16, &e) == 0)
		rc = store_commit(&sf, &e);
	store_abort(&sf);
	close(fd);
	return rc;
}

static int
do_thumbnail(struct store *st, const struct id *id)
{
	return store_put_thumbnail(st, id, "small", "0123456789abcdef", 16, &e);
}

struct scenario {
	const char *name;
	int (*run)(struct store *st, const struct id *id);
	const char *calls; /* those that are failed */
	bool thumbnail;
};

static bool
stored(struct store *st, const struct id *id, bool thumbnail)
{
	char text[20];
	uint64_t size = 0;
	int fd = thumbnail ? store_read_thumbnail(st, id, "small", &size, &e)
			   : store_read(st, id, &size, &e);
	bool ok;

	if (fd < 0)
		return false;
	ok = fdio_read_full(fd, text, sizeof(text)) == 16 && size == 16 &&
	     memcmp(text, "0123456789abcdef", 16) == 0;
	close(fd);
	return ok;
}

/* One failure. 1: it happened and all is well; 0: there is no n-th call; -1: not well. */
static int
once(struct store *st, const struct scenario *s, const char *call, int at, int error)
{
	enum err_kind kind;
	struct id id;
	int rc, left;

	id_new(&id); /* a new shard nearly always: the long way */
	spool("0123456789abcdef");
	err_clear(&e);
	plan.call = call;
	plan.at = at;
	plan.error = error;
	plan.seen = 0;
	plan.hit = false;
	strbuf_reset(&plan.trace);
	rc = s->run(st, &id);
	kind = e.kind;
	plan.call = NULL;
	left = tree_count(below("store/incoming"));
	/* two may fail unseen: the mark of a new directory, and closing a directory */
	if (rc == 0 && stored(st, &id, s->thumbnail) && left == 0 &&
	    (!plan.hit || strcmp(call, "fchmod") == 0 || strcmp(call, "close") == 0))
		return plan.hit;
	if (rc < 0 && plan.hit && !stored(st, &id, s->thumbnail) && left == 0 &&
	    tree_count(below("store/files")) + tree_count(below("store/thumbnails")) == 0 &&
	    kind == (error == ENOSPC   ? ERR_NOSPACE
			: error == EIO ? ERR_AWAY
				       : ERR_INTERNAL))
		return 1;
	printf("# %s: rc %d, %d left, %s: %s\n# %s\n", s->name, rc, left, err_kind_name(kind),
	    e.text, plan.trace.s);
	return -1;
}

/* Removes what a success stored, so that each attempt begins with an empty store. */
static void
empty(struct store **st)
{
	store_free(st);
	tree_remove(below("store"));
	if (store_init(below("store"), &e) < 0)
		abort();
	*st = store_open(below("store"), &e);
	if (!*st)
		abort();
}

static void
sweep(struct store **st, const struct scenario *s, const char *call, int error)
{
	int at = 1, rc;

	do {
		rc = once(*st, s, call, at++, error);
		empty(st);
	} while (rc > 0 && at < 50);
	tap_ok(rc == 0 && (at > 2 || error == 0), "%s: %s with %s, %d places", s->name, call,
	    error ? strerrorname_np(error) : "a short count", at - 2);
}

/* The error does no harm: the operation succeeds. */
static void
survives(struct store **st, const struct scenario *s, const char *call, int error)
{
	struct id id;
	int rc;

	id_new(&id);
	spool("0123456789abcdef");
	plan.call = call;
	plan.at = 1;
	plan.error = error;
	plan.seen = 0;
	plan.hit = false;
	rc = s->run(*st, &id);
	plan.call = NULL;
	tap_ok(rc == 0 && plan.hit && stored(*st, &id, s->thumbnail) &&
		   tree_count(below("store/incoming")) == 0,
	    "%s survives %s of %s: %s", s->name, error ? strerrorname_np(error) : "a short count",
	    call, rc ? e.text : "");
	empty(st);
}

/* The order of the calls is the promise. */
static void
test_order(struct store *st)
{
	struct id id;

	id_new(&id);
	strbuf_reset(&plan.trace);
	tap_is(do_write(st, &id), 0, "a first file in a shard");
	tap_str(plan.trace.s,
	    "openat fchmod write write fstat fsync close openat "
	    "mkdirat openat fstat fsync fchmod mkdirat openat fstat fsync fchmod close "
	    "renameat2 fsync close ",
	    "makes and syncs the directories before the name");
	id.b[15] ^= 1;
	strbuf_reset(&plan.trace);
	tap_is(do_write(st, &id), 0, "a second one");
	tap_str(plan.trace.s,
	    "openat fchmod write write fstat fsync close openat fstat renameat2 fsync close ",
	    "fsync, close, rename, fsync of the directory");
}

/* A process died between making a directory and syncing its parent: the next one syncs. */
static void
test_unmarked(struct store *st)
{
	struct id id;
	char path[STORE_PATH_MAX], full[600];

	id_new(&id);
	tap_is(do_write(st, &id), 0, "a file");
	snprintf(full, sizeof(full), "%s/store/%s", dir, store_path(&id, NULL, path));
	*strrchr(full, '/') = '\0';
	tap_is(chmod(full, 0750), 0, "its directory loses the mark");
	id.b[15] ^= 1;
	strbuf_reset(&plan.trace);
	tap_is(do_write(st, &id), 0, "the next file");
	tap_ok(
	    strstr(plan.trace.s, "mkdirat openat fstat fsync fchmod close renameat2 fsync") != NULL,
	    "syncs the parent again: %s", plan.trace.s);
}

/* The mode of the directory that holds id's file, and of the one above it. */
static void
shard_modes(const struct id *id, mode_t modes[2])
{
	char path[STORE_PATH_MAX], full[600];
	struct stat st;

	snprintf(full, sizeof(full), "%s/store/%s", dir, store_path(id, NULL, path));
	for (int i = 0; i < 2; i++) {
		*strrchr(full, '/') = '\0';
		if (stat(full, &st) < 0)
			abort();
		modes[i] = st.st_mode & 07777;
	}
}

/* A store whose directories give their group to what is made in them. */
static void
test_setgid(struct store *st)
{
	struct id id;
	mode_t modes[2];

	if (chmod(below("store/files"), 02750) < 0)
		abort();
	id_new(&id);
	tap_is(do_write(st, &id), 0, "a file in a setgid store");
	shard_modes(&id, modes);
	tap_ok(modes[0] == 03750 && modes[1] == 03750,
	    "its directories are setgid and marked: %o %o", modes[0], modes[1]);
	setgid_refused = true;
	id.b[0] ^= 1;
	tap_is(do_write(st, &id), 0, "a file where setgid is refused");
	setgid_refused = false;
	shard_modes(&id, modes);
	tap_ok(modes[0] == 01750 && modes[1] == 01750,
	    "its directories are marked all the same: %o %o", modes[0], modes[1]);
}

/* A file whose write failed is lost, even when everything after it goes well. */
static void
test_failed_write(struct store *st)
{
	struct store_file *sf;
	struct id id;

	id_new(&id);
	sf = store_begin(st, &id, &e);
	plan.call = "write";
	plan.at = 1;
	plan.error = ENOSPC;
	plan.seen = 0;
	tap_ok(store_write(sf, "abc", 3, &e) < 0 && e.kind == ERR_NOSPACE, "no space: %s", e.text);
	plan.call = NULL;
	tap_ok(store_write(sf, "abc", 3, &e) < 0, "no write after it");
	tap_ok(store_commit(&sf, &e) < 0 && !sf, "no commit after it: %s", e.text);
	tap_is(tree_count(below("store/incoming")) + tree_count(below("store/files")), 0,
	    "nothing is left");
}

/* close(2) of the file itself is where a network file system tells of what it lost. */
/* An error of writing back is told once: whoever waits for it has to pass it on. */
static void
test_failed_write_back(struct store *st)
{
	static char chunk[1 << 20];
	struct store_file *sf;
	struct id id;
	int n = 0;

	id_new(&id);
	plan.call = "wait";
	plan.at = 2;
	plan.seen = 0;
	plan.hit = false;
	plan.error = EIO;
	sf = store_begin(st, &id, &e);
	while (n < 120 && store_write(sf, chunk, sizeof(chunk), &e) == 0)
		n++;
	tap_ok(plan.hit && n > 64 && n < 120, "a large file is written back as it comes: %d", n);
	tap_is(e.kind, ERR_AWAY, "and the error is told");
	tap_is(store_commit(&sf, &e), -1, "for good");
	plan.call = NULL;
	tap_is(tree_count(below("store/incoming")) + tree_count(below("store/files")), 0,
	    "nothing is left");
}

static void
test_failed_close(struct store *st)
{
	struct id id;

	id_new(&id);
	plan.call = "close";
	plan.at = 1;
	plan.error = EIO;
	plan.seen = 0;
	tap_ok(do_write(st, &id) < 0, "the file's close fails it: %s", e.text);
	plan.call = NULL;
	tap_is(tree_count(below("store/incoming")) + tree_count(below("store/files")), 0,
	    "nothing is left");
}

static void
test_remove(struct store *st)
{
	struct id id;

	id_new(&id);
	tap_is(do_write(st, &id), 0, "a file");
	plan.call = "fsync";
	plan.at = 1;
	plan.error = EIO;
	plan.seen = 0;
	tap_ok(store_remove(st, &id, &e) < 0, "a removal that may come back is told: %s", e.text);
	plan.call = NULL;
	strbuf_reset(&plan.trace);
	tap_is(store_remove(st, &id, &e), 0, "again");
	tap_str(plan.trace.s, "openat fsync close ", "syncs, though the file was gone already");
}

int
main(void)
{
	static const struct scenario scenarios[] = {
		{ "write", do_write, "openat write fsync close fstat mkdirat renameat2 fchmod",
		    false },
		{ "take", do_take, "openat fsync close fstat mkdirat renameat2 linkat fchmod",
		    false },
		{ "copy", do_copy, "openat copy_file_range fsync close mkdirat renameat2", false },
		{ "thumbnail", do_thumbnail, "openat write fsync close mkdirat renameat", true },
	};
	struct store *st;

	self = geteuid();
	umask(077);
	strbuf_init(&plan.trace);
	if (!mkdtemp(dir) || mkdir(below("spool"), 0700) < 0 || store_init(below("store"), &e) < 0)
		abort();
	st = store_open(below("store"), &e);
	if (!st)
		abort();
	test_order(st);
	empty(&st);
	test_unmarked(st);
	empty(&st);
	test_setgid(st);
	empty(&st);
	test_failed_write(st);
	test_failed_write_back(st);
	test_failed_close(st);
	test_remove(st);
	empty(&st);
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		char calls[100], *rest = calls, *call;

		if (str_copy(calls, sizeof(calls), scenarios[i].calls) < 0)
			abort();
		while ((call = strsep(&rest, " "))) {
			sweep(&st, &scenarios[i], call, EIO);
			sweep(&st, &scenarios[i], call, ENOSPC);
		}
		survives(&st, &scenarios[i], "openat", EINTR);
		survives(&st, &scenarios[i], "close", EINTR);
	}
	survives(&st, &scenarios[0], "write", EINTR);
	survives(&st, &scenarios[0], "write", 0);
	survives(&st, &scenarios[0], "renameat2", EINVAL);
	survives(&st, &scenarios[1], "linkat", EXDEV);
	survives(&st, &scenarios[1], "linkat", EPERM);
	survives(&st, &scenarios[2], "copy_file_range", EINTR);
	survives(&st, &scenarios[2], "copy_file_range", EXDEV);
	survives(&st, &scenarios[2], "copy_file_range", 0);
	store_free(&st);
	strbuf_release(&plan.trace);
	tree_remove(dir);
	return tap_done();
}
