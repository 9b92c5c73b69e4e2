/*
 * The layout of a store: made once, checked at every start.
 *
 * The marker .sluice-store tells a store from the empty directory that is left when its file
 * system is not mounted.
 */
#include "base/sys.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "data/store_room.h"

#define MARKER ".sluice-store"

static const char *const trees[] = { "incoming", "files", "thumbnails" };

static int
open_top(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "store %s", dir) : fd;
}

/* A directory of ours: the mode that we want whatever the umask, setgid as inherited. */
static int
make_dir(int at, const char *name, mode_t mode)
{
	struct stat s;
	int fd, rc, saved;

	if (mkdirat(at, name, mode) < 0)
		return errno == EEXIST ? 0 : -1;
	fd = fdio_openat(at, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return -1;
	rc = fstat(fd, &s);
	if (rc == 0 && (s.st_mode & 0777) != mode)
		rc = fchmod(fd, (s.st_mode & S_ISGID) | mode);
	saved = errno;
	fdio_drop(&fd);
	errno = saved;
	return rc;
}

static int
make_marker(int top, const char *dir, struct err *e)
{
	char text[ID_TEXT];
	struct id id;
	int fd = fdio_openat(top, MARKER ".new", O_WRONLY | O_CREAT | O_TRUNC, STORE_FILE_MODE);

	if (fd < 0)
		return err_sys(e, "store %s: open(" MARKER ".new)", dir);
	id_new(&id);
	id_text(&id, text);
	text[ID_TEXT - 1] = '\n';
	if (fdio_write(fd, text, ID_TEXT) < 0 || fdio_sync(fd) < 0 || fdio_close(&fd) < 0) {
		err_sys(e, "store %s: write(" MARKER ".new)", dir);
		fdio_drop(&fd);
		return -1;
	}
	if (renameat(top, MARKER ".new", top, MARKER) < 0)
		return err_sys(e, "store %s: rename(" MARKER ")", dir);
	return 0;
}

/* dir itself, and its entry in its parent. */
static int
make_top(const char *dir, struct err *e)
{
	char *parent = mem_strdup(dir);
	char *slash;
	int fd, rc = -1;

	for (size_t n = strlen(parent); n > 1 && parent[n - 1] == '/'; n--)
		parent[n - 1] = '\0';
	slash = strrchr(parent, '/');
	if (make_dir(AT_FDCWD, parent, STORE_DIR_MODE) < 0) {
		err_sys(e, "mkdir(%s)", dir);
		goto out;
	}
	if (slash)
		slash[slash == parent] = '\0';
	fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES) {
		rc = 0; /* made by someone else, who may look into its parent */
		goto out;
	}
	if (fd < 0 || fdio_sync(fd) < 0)
		err_sys(e, "fsync(%s)", parent);
	else
		rc = 0;
	fdio_drop(&fd);
out:
	mem_free(parent);
	return rc;
}

int
store_init(const char *dir, struct err *e)
{
	int top, rc = -1;

	if (make_top(dir, e) < 0)
		return -1;
	top = open_top(dir, e);
	if (top < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(trees); i++)
		if (make_dir(top, trees[i], i == 0 ? 0700 : STORE_DIR_MODE) < 0) {
			err_sys(e, "mkdir(%s/%s)", dir, trees[i]);
			goto out;
		}
	if (faccessat(top, MARKER, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && make_marker(top, dir, e) < 0)
		goto out;
	if (fdio_sync(top) < 0) {
		err_sys(e, "fsync(%s)", dir);
		goto out;
	}
	rc = 0;
out:
	fdio_drop(&top);
	return rc;
}

static int
check_marker(int top, const char *dir, struct err *e)
{
	char text[ID_TEXT] = "";
	struct id id;
	int fd = fdio_openat(top, MARKER, O_RDONLY, 0);
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_INTERNAL,
		    "store %s: no " MARKER " in it: not mounted, or not yet made with "
		    "`sluice-admin store init`",
		    dir);
	if (fd < 0)
		return err_sys(e, "store %s: open(" MARKER ")", dir);
	n = fdio_read_full(fd, text, ID_TEXT - 1);
	fdio_drop(&fd);
	if (n != ID_TEXT - 1 || id_parse(text, &id) < 0)
		return err_set(e, ERR_INTERNAL, "store %s: " MARKER " is damaged", dir);
	return 0;
}

/* Ours, on the store's file system, closed to others. */
static int
check_dir(int fd, dev_t dev, const char *dir, const char *name, struct err *e)
{
	struct stat s;

	if (fstat(fd, &s) < 0)
		return err_sys(e, "store %s/%s: fstat", dir, name);
	if (s.st_dev != dev)
		return err_set(e, ERR_INTERNAL,
		    "store %s/%s: on another file system than the store itself", dir, name);
	if (s.st_uid != geteuid() && geteuid() != 0)
		return err_set(e, ERR_INTERNAL, "store %s/%s: belongs to uid %ld, we are uid %ld",
		    dir, name, (long)s.st_uid, (long)geteuid());
	if (s.st_mode & 0027)
		return err_set(e, ERR_INTERNAL, "store %s/%s: mode %04o is too open: at most 0750",
		    dir, name, (unsigned)s.st_mode & 0777);
	return 0;
}

static int
open_tree(int top, dev_t dev, const char *dir, const char *name, struct err *e)
{
	int fd = fdio_openat(top, name, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return err_sys(e, "store %s/%s", dir, name);
	if (check_dir(fd, dev, dir, name, e) < 0)
		fdio_drop(&fd);
	return fd;
}

struct store *
store_open(const char *dir, struct err *e)
{
	struct store *st = mem_alloc(sizeof(*st));
	mode_t mask = umask(0);
	struct stat s;

	umask(mask);
	*st = (struct store){ .incoming = -1, .files = -1, .thumbnails = -1 };
	st->fix_mode = (mask & STORE_FILE_MODE) != 0;
	st->top = open_top(dir, e);
	if (st->top < 0)
		goto fail;
	if (fstat(st->top, &s) < 0) {
		err_sys(e, "store %s: fstat", dir);
		goto fail;
	}
	if (check_marker(st->top, dir, e) < 0 || check_dir(st->top, s.st_dev, dir, ".", e) < 0)
		goto fail;
	st->incoming = open_tree(st->top, s.st_dev, dir, trees[0], e);
	if (st->incoming < 0)
		goto fail;
	st->files = open_tree(st->top, s.st_dev, dir, trees[1], e);
	if (st->files < 0)
		goto fail;
	st->thumbnails = open_tree(st->top, s.st_dev, dir, trees[2], e);
	if (st->thumbnails >= 0)
		return st;
fail:
	store_free(&st);
	return NULL;
}

void
store_free(struct store **stp)
{
	struct store *st = *stp;

	if (!st)
		return;
	fdio_drop(&st->top);
	fdio_drop(&st->incoming);
	fdio_drop(&st->files);
	fdio_drop(&st->thumbnails);
	mem_free(st);
	*stp = NULL;
}
