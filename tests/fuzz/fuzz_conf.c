/*
 * A configuration that is accepted can be printed, and the print is read as the same.
 */
#include "base/sys.h"

#include <sys/mman.h>

#include "base/fdio.h"
#include "data/conf.h"
#include "fuzz.h"

static struct conf *
load(const void *p, size_t n)
{
	int fd = memfd_create("sluice.conf", MFD_CLOEXEC);
	char path[40];
	struct conf *c;
	struct err e = { 0 };

	MUST_HOLD(fd >= 0 && fdio_write(fd, p, n) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	c = conf_load(path, NULL, &e);
	MUST_HOLD(c || (e.kind == ERR_INPUT && *e.text));
	close(fd);
	return c;
}

static char *
dump(const struct conf *c, size_t *n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, n);

	MUST_HOLD(f != NULL);
	conf_dump(c, f);
	fclose(f);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *c = load(data, size), *again;
	size_t n, n2;
	char *text, *text2;

	if (!c)
		return 0;
	MUST_HOLD(c->renditions >= 1 && c->renditions <= CONF_MAX_RENDITIONS);
	MUST_HOLD(c->pool.min_spare <= c->pool.max_children);
	text = dump(c, &n);
	again = load(text, n);
	MUST_HOLD(again != NULL);
	text2 = dump(again, &n2);
	MUST_HOLD(n == n2 && memcmp(text, text2, n) == 0);
	free(text);
	free(text2);
	conf_free(&c);
	conf_free(&again);
	return 0;
}
