/*
 * Taking over bodies that the web server has spooled.
 *
 * The path comes from the web server's configuration, but is treated as if a client had sent it:
 * it must stay below the spool directory without any symbolic link, and what was checked through
 * the descriptor is what is linked.
 */
#include "base/sys.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fdio.h"
#include "data/store_room.h"

/* The part of path below dir, or NULL. */
static const char *
below(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	if (path[0] != '/')
		return path;
	if (strncmp(path, dir, n) != 0 || path[n] != '/')
		return NULL;
	return path + n + strspn(path + n, "/");
}

static int
open_beneath(const char *dir, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int spool = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (spool < 0)
		return -1;
	do
		fd = (int)syscall(SYS_openat2, spool, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	fdio_drop(&spool);
	return fd;
}

static bool
owned(uid_t uid, const uid_t *owners, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (owners[i] == uid)
			return true;
	return false;
}

static int
check_spooled(const struct stat *s, const char *path, const uid_t *owners, size_t n, struct err *e)
{
	if (!S_ISREG(s->st_mode))
		return err_set(e, ERR_DENIED, "%s: not a regular file", path);
	if (!owned(s->st_uid, owners, n))
		return err_set(e, ERR_DENIED,
		    "%s: belongs to uid %ld, which may not hand off files", path, (long)s->st_uid);
	if (s->st_nlink != 1)
		return err_set(e, ERR_DENIED, "%s: has %ld names", path, (long)s->st_nlink);
	return 0;
}

static int
spool_open(
    const char *dir, const char *path, const uid_t *owners, size_t n, struct stat *s, struct err *e)
{
	const char *name = below(dir, path);
	int fd;

	if (!name || !*name)
		return err_set(e, ERR_DENIED, "%s: not below %s", path, dir);
	fd = open_beneath(dir, name);
	if (fd < 0) {
		int saved = errno;

		err_sys(e, "open(%s)", path);
		if (e && saved == ENOENT)
			e->kind = ERR_NOTFOUND;
		else if (e && (saved == ELOOP || saved == EXDEV || saved == EACCES ||
				  saved == ENOTDIR || saved == ENXIO))
			e->kind = ERR_DENIED;
		return -1;
	}
	if (fstat(fd, s) < 0)
		err_sys(e, "fstat(%s)", path);
	else if (check_spooled(s, path, owners, n, e) == 0)
		return fd;
	fdio_drop(&fd);
	return -1;
}

int
store_spool_open(
    const char *spool_dir, const char *path, const uid_t *owners, size_t n, struct err *e)
{
	struct stat s;

	return spool_open(spool_dir, path, owners, n, &s, e);
}

/* Another name for fd's file, which then is wholly ours. 0, or -1 with errno. */
static int
adopt(struct store *st, int fd, const struct stat *s, const char *name)
{
	char self[32];
	int saved;

	/* a file that stays someone else's could be changed by them after it was stored */
	if (s->st_uid != geteuid() && geteuid() != 0) {
		errno = EPERM;
		return -1;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, st->incoming, name, AT_SYMLINK_FOLLOW) < 0)
		return -1;
	if ((s->st_uid == geteuid() || fchown(fd, geteuid(), getegid()) == 0) &&
	    fchmod(fd, STORE_FILE_MODE) == 0)
		return 0;
	saved = errno;
	unlinkat(st->incoming, name, 0);
	errno = saved;
	return -1;
}

static struct store_file *
copy(struct store *st, const struct id *id, int fd, const struct stat *s, struct err *e)
{
	struct store_file *sf = store_begin(st, id, e);

	if (sf && store_write_from(sf, fd, 0, (uint64_t)s->st_size, e) < 0)
		store_abort(&sf);
	return sf;
}

struct store_file *
store_take(struct store *st, const struct id *id, const char *spool_dir, const char *path,
    const uid_t *owners, size_t n, struct err *e)
{
	struct store_file *sf = NULL;
	char name[ID_TEXT];
	struct stat s;
	int fd = spool_open(spool_dir, path, owners, n, &s, e);

	if (fd < 0)
		return NULL;
	if (adopt(st, fd, &s, id_text(id, name)) == 0) {
		/* the disk gets to work while the bytes are hashed */
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		return store_file_new(st, id, fd, (uint64_t)s.st_size);
	}
	if (errno == EXDEV || errno == EPERM || errno == EACCES || errno == ENOENT ||
	    errno == EMLINK || errno == EOPNOTSUPP)
		sf = copy(st, id, fd, &s, e);
	else
		err_sys(e, "link(%s, incoming/%s)", path, name);
	fdio_drop(&fd);
	return sf;
}
