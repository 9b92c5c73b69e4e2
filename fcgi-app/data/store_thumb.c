/*
 * Derived pictures: as durable as the files, but replaceable.
 */
#include "base/sys.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "data/store_room.h"

enum { NAME_MAX_BYTES = ID_TEXT + 1 + STORE_RENDITION_MAX };

/* "<uuid>.<rendition>"; a rendition is what conf allows, so that no path can be made of it. */
static int
file_name(const struct id *id, const char *rendition, char out[NAME_MAX_BYTES], struct err *e)
{
	size_t n = strlen(rendition);
	char text[ID_TEXT];

	if (n == 0 || n > STORE_RENDITION_MAX ||
	    strspn(rendition, "abcdefghijklmnopqrstuvwxyz0123456789_-") != n)
		return err_set(e, ERR_NOTFOUND, "rendition \"%.40s\": no such name", rendition);
	snprintf(out, NAME_MAX_BYTES, "%s.%s", id_text(id, text), rendition);
	return 0;
}

int
store_put_thumbnail(struct store *st, const struct id *id, const char *rendition, const void *p,
    size_t n, struct err *e)
{
	char name[NAME_MAX_BYTES], incoming[ID_TEXT];
	struct id temporary;
	int fd;

	if (file_name(id, rendition, name, e) < 0)
		return -1;
	id_new(&temporary);
	id_text(&temporary, incoming);
	fd = store_create(st, incoming, e);
	if (fd < 0)
		return -1;
	if (fdio_write(fd, p, n) < 0) {
		err_sys(e, "write(incoming/%s)", incoming);
		unlinkat(st->incoming, incoming, 0);
		fdio_drop(&fd);
		return -1;
	}
	return store_publish(st, &fd, incoming, st->thumbnails, id, name, true, e);
}

int
store_read_thumbnail(
    struct store *st, const struct id *id, const char *rendition, uint64_t *size, struct err *e)
{
	char name[NAME_MAX_BYTES];

	if (file_name(id, rendition, name, e) < 0)
		return -1;
	return store_open_file(st->thumbnails, "thumbnails", id, name, size, e);
}

int
store_remove_thumbnail(struct store *st, const struct id *id, const char *rendition, struct err *e)
{
	char name[NAME_MAX_BYTES];

	if (file_name(id, rendition, name, e) < 0)
		return -1;
	return store_unlink(st->thumbnails, id, name, e);
}
