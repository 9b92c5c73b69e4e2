/*
 * Stored files: paths, reading, removing, free space.
 */
#include "base/sys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fdio.h"
#include "data/store_room.h"

const char *
store_path(const struct id *id, const char *rendition, char out[STORE_PATH_MAX])
{
	char text[ID_TEXT];

	snprintf(out, STORE_PATH_MAX, "%s/%02x/%02x/%s%s%s", rendition ? "thumbnails" : "files",
	    id->b[0], id->b[1], id_text(id, text), rendition ? "." : "",
	    rendition ? rendition : "");
	return out;
}

int
store_open_file(int tree, const char *tree_name, const struct id *id, const char *name,
    uint64_t *size, struct err *e)
{
	char path[STORE_PATH_MAX];
	struct stat s;
	int fd;

	snprintf(path, sizeof(path), "%02x/%02x/%s", id->b[0], id->b[1], name);
	fd = fdio_openat(tree, path, O_RDONLY, 0);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "%s/%s: not in the store", tree_name, path);
	if (fd < 0)
		return err_sys(e, "open(%s/%s)", tree_name, path);
	if (fstat(fd, &s) < 0) {
		err_sys(e, "fstat(%s/%s)", tree_name, path);
	} else if (!S_ISREG(s.st_mode)) {
		err_set(e, ERR_INTERNAL, "%s/%s: not a regular file", tree_name, path);
	} else {
		*size = (uint64_t)s.st_size;
		return fd;
	}
	fdio_drop(&fd);
	return -1;
}

int
store_read(struct store *st, const struct id *id, uint64_t *size, struct err *e)
{
	char name[ID_TEXT];

	return store_open_file(st->files, "files", id, id_text(id, name), size, e);
}

int
store_unlink(int tree, const struct id *id, const char *name, struct err *e)
{
	int shard = store_shard(tree, id, false);
	int rc = 0;

	if (shard < 0)
		return errno == ENOENT ? 0 : err_sys(e, "directory of %s", name);
	if (unlinkat(shard, name, 0) < 0 && errno != ENOENT)
		rc = err_sys(e, "unlink(%s)", name);
	/* also when it was gone: an earlier try may have died before its sync */
	else if (fdio_sync(shard) < 0)
		rc = err_sys(e, "fsync(directory of %s)", name);
	fdio_drop(&shard);
	return rc;
}

int
store_remove(struct store *st, const struct id *id, struct err *e)
{
	char name[ID_TEXT];

	return store_unlink(st->files, id, id_text(id, name), e);
}

int
store_free_space(struct store *st, uint64_t *bytes, struct err *e)
{
	struct statvfs v;

	if (fstatvfs(st->top, &v) < 0)
		return err_sys(e, "statvfs of the store");
	*bytes = (uint64_t)v.f_bavail * v.f_frsize;
	if (v.f_files > 0 && v.f_favail == 0)
		*bytes = 0; /* no inode is left: not one more file */
	return 0;
}
