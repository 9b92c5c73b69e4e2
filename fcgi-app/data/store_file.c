/*
 * A file being written, and the one way by which it gets its final name.
 */
#include "base/sys.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "data/store_room.h"

/* Writing back starts this often, so that the last fsync has little left to do. */
enum {
	FLUSH_EVERY = 8 * 1024 * 1024,
	KEEP_CACHED =
	    64 * 1024 * 1024, /* of the end of a file: for the worker, and for small files */
	COPY_BUFFER = 64 * 1024,
};

struct store_file {
	struct store *store;
	struct id id;
	char name[ID_TEXT]; /* in incoming/ */
	int fd;
	uint64_t size, flushed; /* flushed: writing back has begun */
	uint64_t dropped;       /* written back and out of the page cache */
	bool failed;            /* a write failed: it can only be aborted */
	pid_t pid;              /* a forked child must not remove its parent's file */
};

int
store_create(struct store *st, const char *name, struct err *e)
{
	int fd = fdio_openat(st->incoming, name, O_RDWR | O_CREAT | O_EXCL, STORE_FILE_MODE);

	if (fd < 0)
		return err_sys(e, "open(incoming/%s)", name);
	if (st->fix_mode && fchmod(fd, STORE_FILE_MODE) < 0) {
		err_sys(e, "fchmod(incoming/%s)", name);
		unlinkat(st->incoming, name, 0);
		fdio_drop(&fd);
	}
	return fd;
}

struct store_file *
store_file_new(struct store *st, const struct id *id, int fd, uint64_t size)
{
	struct store_file *sf = mem_zero(sizeof(*sf));

	sf->store = st;
	sf->id = *id;
	id_text(id, sf->name);
	sf->fd = fd;
	sf->size = size;
	sf->pid = getpid();
	return sf;
}

struct store_file *
store_begin(struct store *st, const struct id *id, struct err *e)
{
	char name[ID_TEXT];
	int fd = store_create(st, id_text(id, name), e);

	return fd < 0 ? NULL : store_file_new(st, id, fd, 0);
}

static int
write_failed(struct store_file *sf, struct err *e)
{
	sf->failed = true;
	return err_sys(e, "write(incoming/%s)", sf->name);
}

/* Tells of an error as fsync would, and like it only once. */
static int
written_back(struct store_file *sf, uint64_t from, uint64_t n)
{
	if (sync_file_range(sf->fd, (off_t)from, (off_t)n,
		SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) <
	    0)
		return -1;
	/* a hint: one large upload need not turn everything else out of the page cache */
	posix_fadvise(sf->fd, (off_t)from, (off_t)n, POSIX_FADV_DONTNEED);
	return 0;
}

/* 0, or -1 with errno: then bytes before the end may be lost, and the file is to be given up. */
static int
grew(struct store_file *sf, uint64_t n)
{
	uint64_t from = sf->flushed;

	sf->size += n;
	if (sf->size - from < FLUSH_EVERY)
		return 0;
	/* a hint: starts the writing without waiting, and leaves errors to fsync */
	sync_file_range(sf->fd, (off_t)from, (off_t)(sf->size - from), SYNC_FILE_RANGE_WRITE);
	sf->flushed = sf->size;
	if (sf->flushed - sf->dropped <= KEEP_CACHED)
		return 0;
	from = sf->dropped;
	sf->dropped = sf->flushed - KEEP_CACHED;
	return written_back(sf, from, sf->dropped - from);
}

int
store_write(struct store_file *sf, const void *p, size_t n, struct err *e)
{
	if (sf->failed)
		return err_set(e, ERR_INTERNAL, "incoming/%s: an earlier write failed", sf->name);
	if (fdio_write(sf->fd, p, n) < 0)
		return write_failed(sf, e);
	return grew(sf, n) < 0 ? write_failed(sf, e) : 0;
}

/* Through a buffer. The count, 0 at end of file, -1 with errno. */
static ssize_t
copy_some(struct store_file *sf, int fd, off_t at, size_t n)
{
	char *buffer = mem_alloc(COPY_BUFFER);
	ssize_t got = fdio_pread_full(fd, buffer, n < COPY_BUFFER ? n : COPY_BUFFER, at);
	int saved;

	if (got > 0 && fdio_write(sf->fd, buffer, (size_t)got) < 0)
		got = -1;
	saved = errno;
	mem_free(buffer);
	errno = saved;
	return got;
}

static bool
cannot_copy(int error)
{
	return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP ||
	       error == EPERM || error == EBADF || error == ETXTBSY;
}

int
store_write_from(struct store_file *sf, int fd, off_t at, uint64_t n, struct err *e)
{
	bool by_kernel = true;

	if (sf->failed)
		return err_set(e, ERR_INTERNAL, "incoming/%s: an earlier write failed", sf->name);
	while (n > 0) {
		size_t want = n < FLUSH_EVERY ? (size_t)n : FLUSH_EVERY;
		off_t from = at;
		ssize_t got;

		if (by_kernel)
			got = copy_file_range(fd, &from, sf->fd, NULL, want, 0);
		else
			got = copy_some(sf, fd, at, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && by_kernel && cannot_copy(errno)) {
			by_kernel = false;
			continue;
		}
		if (got < 0)
			return write_failed(sf, e);
		if (got == 0) {
			sf->failed = true;
			return err_set(e, ERR_INPUT,
			    "incoming/%s: the source ends %llu bytes early", sf->name,
			    (unsigned long long)n);
		}
		at += got;
		n -= (uint64_t)got;
		if (grew(sf, (uint64_t)got) < 0)
			return write_failed(sf, e);
	}
	return 0;
}

int
store_file_fd(const struct store_file *sf)
{
	return sf->fd;
}

uint64_t
store_file_size(const struct store_file *sf)
{
	return sf->size;
}

/* Names in the shard: renameat2(NOREPLACE), or over an earlier derived file. */
static int
give_name(struct store *st, const char *incoming, int shard, const char *name, bool replace)
{
	if (!replace)
		return fdio_rename_noreplace(st->incoming, incoming, shard, name);
	return renameat(st->incoming, incoming, shard, name);
}

int
store_publish(struct store *st, int *fd, const char *incoming, int tree, const struct id *id,
    const char *name, bool replace, struct err *e)
{
	int shard = -1;
	int saved;

	if (fdio_sync(*fd) < 0) {
		err_sys(e, "fsync(incoming/%s)", incoming);
		goto fail;
	}
	if (fdio_close(fd) < 0) {
		err_sys(e, "close(incoming/%s)", incoming);
		goto fail;
	}
	shard = store_shard(tree, id, true);
	if (shard < 0) {
		err_sys(e, "directory of %s", name);
		goto fail;
	}
	if (give_name(st, incoming, shard, name, replace) < 0) {
		saved = errno;
		err_sys(e, "rename(incoming/%s, %s)", incoming, name);
		if (e && saved == EEXIST)
			e->kind = ERR_CONFLICT;
		goto fail;
	}
	if (fdio_sync(shard) < 0) {
		err_sys(e, "fsync(directory of %s)", name);
		unlinkat(shard, name, 0);
		goto fail;
	}
	fdio_drop(&shard);
	return 0;
fail:
	unlinkat(st->incoming, incoming, 0);
	fdio_drop(fd);
	fdio_drop(&shard);
	return -1;
}

/* What was counted is what lies there. */
static int
check_size(const struct store_file *sf, struct err *e)
{
	struct stat s;

	if (sf->failed)
		return err_set(e, ERR_INTERNAL, "incoming/%s: an earlier write failed", sf->name);
	if (fstat(sf->fd, &s) < 0)
		return err_sys(e, "fstat(incoming/%s)", sf->name);
	if ((uint64_t)s.st_size != sf->size)
		return err_set(e, ERR_INTERNAL, "incoming/%s: %lld bytes instead of %llu", sf->name,
		    (long long)s.st_size, (unsigned long long)sf->size);
	return 0;
}

int
store_commit(struct store_file **sfp, struct err *e)
{
	struct store_file *sf = *sfp;
	int rc;

	if (sf->pid != getpid() || check_size(sf, e) < 0) {
		if (sf->pid != getpid())
			err_set(e, ERR_INTERNAL, "incoming/%s: made by process %ld", sf->name,
			    (long)sf->pid);
		store_abort(sfp);
		return -1;
	}
	rc = store_publish(
	    sf->store, &sf->fd, sf->name, sf->store->files, &sf->id, sf->name, false, e);
	mem_free(sf);
	*sfp = NULL;
	return rc;
}

void
store_abort(struct store_file **sfp)
{
	struct store_file *sf = *sfp;
	int saved = errno;

	if (!sf)
		return;
	if (sf->pid == getpid())
		unlinkat(sf->store->incoming, sf->name, 0);
	fdio_drop(&sf->fd);
	mem_free(sf);
	*sfp = NULL;
	errno = saved;
}
