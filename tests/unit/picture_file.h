/*
 * picture_file.h: a picture of tests/data/pictures in memory, for the tests of the worker.
 */
#ifndef SLUICE_TESTS_PICTURE_FILE_H
#define SLUICE_TESTS_PICTURE_FILE_H

#include "base/fdio.h"
#include "base/mem.h"
#include "worker/picture.h"

#include <fcntl.h>

struct picture_file {
	uint8_t *p;
	size_t n;
	int fd;
	struct picture picture; /* as the worker's own reader sees it */
};

static inline const char *
picture_file_srcdir(void)
{
	const char *dir = getenv("SLUICE_SRCDIR");

	return dir ? dir : ".";
}

/* Ends the test when the file is not there. */
static inline int
picture_file_open(const char *name)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/tests/data/pictures/%s", picture_file_srcdir(), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(99);
	}
	return fd;
}

static inline void
picture_file_read(struct picture_file *f, const char *name)
{
	enum { LIMIT = 1 << 20 };
	enum picture_format format;
	struct err e = { 0 };
	ssize_t n;

	memset(f, 0, sizeof(*f));
	f->fd = picture_file_open(name);
	f->p = mem_alloc(LIMIT);
	n = fdio_read_full(f->fd, f->p, LIMIT);
	f->n = n > 0 ? (size_t)n : 0;
	format = picture_sniff(f->p, f->n);
	if (format == PICTURE_UNKNOWN) /* named .jpg, and taken for one */
		f->picture = (struct picture){ .format = PICTURE_JPEG };
	else if (picture_probe(f->fd, format, &f->picture, &e) < 0)
		printf("# %s: %s\n", name, e.text);
}

static inline void
picture_file_release(struct picture_file *f)
{
	fdio_drop(&f->fd);
	mem_free(f->p);
	f->p = NULL;
}

#endif
