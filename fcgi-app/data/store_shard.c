/*
 * Shard directories ab/cd, made on first use.
 *
 * A name is worth nothing before the directory that holds it survives a power cut, and a directory
 * that another process has just made may not. So each carries a mark, the sticky bit, that is set
 * only after its parent was synced: an unmarked one is synced again by whoever meets it. The mark
 * needs no lock, outlives the process, and costs a finished shard one fstat(2).
 */
#include "base/sys.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "data/store_room.h"

static int
open_dir(int at, const char *name)
{
	return fdio_openat(at, name, O_RDONLY | O_DIRECTORY, 0);
}

/* 1 marked, 0 not yet, -1 with errno. */
static int
is_marked(int fd, mode_t *mode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	*mode = st.st_mode;
	return (st.st_mode & S_ISVTX) != 0;
}

/*
 * The modes are ours whatever the umask was. setgid is kept as inherited where that is allowed:
 * under systemd's RestrictSUIDSGID asking for it is EPERM, and the mark matters more.
 */
static int
set_mark(int fd, mode_t mode)
{
	const mode_t ours = S_ISVTX | STORE_DIR_MODE;
	int rc = fchmod(fd, (mode & S_ISGID) | ours);

	if (rc < 0 && errno == EPERM && (mode & S_ISGID))
		rc = fchmod(fd, ours);
	return rc;
}

/* Opens name below at, making it where it is missing, and makes sure that it will stay. */
static int
durable_dir(int at, const char *name)
{
	mode_t mode;
	int marked, fd;

	if (mkdirat(at, name, STORE_DIR_MODE) < 0 && errno != EEXIST)
		return -1;
	fd = open_dir(at, name);
	if (fd < 0)
		return -1;
	marked = is_marked(fd, &mode);
	if (marked < 0 || (marked == 0 && fdio_sync(at) < 0)) {
		fdio_drop(&fd);
		return -1;
	}
	/* Without the mark it is only slower. */
	if (marked == 0 && set_mark(fd, mode) < 0)
		return fd;
	return fd;
}

static int
make_shard(int tree, const struct id *id)
{
	char name[3];
	int upper, fd = -1;
	int saved;

	snprintf(name, sizeof(name), "%02x", id->b[0]);
	upper = durable_dir(tree, name);
	if (upper < 0)
		return -1;
	snprintf(name, sizeof(name), "%02x", id->b[1]);
	fd = durable_dir(upper, name);
	saved = errno;
	fdio_drop(&upper);
	errno = saved;
	return fd;
}

int
store_shard(int tree, const struct id *id, bool create)
{
	char path[6];
	mode_t mode;
	int fd;

	snprintf(path, sizeof(path), "%02x/%02x", id->b[0], id->b[1]);
	fd = open_dir(tree, path);
	if (!create || (fd < 0 && errno != ENOENT))
		return fd;
	if (fd >= 0 && is_marked(fd, &mode) == 1)
		return fd;
	fdio_drop(&fd);
	return make_shard(tree, id);
}
