#include "base/sys.h"

#include "fcgi/handoff.h"

#include <sys/stat.h>

#include "base/fdio.h"

const char *
handoff_path(const struct call *c)
{
	return request_param(c->req, "BODY_FILE");
}

static int
check(const struct call *c, struct err *e)
{
	if (*c->app->conf->store.spool == '\0')
		return err_set(e, ERR_INTERNAL,
		    "the web server sends BODY_FILE, but [store] spool is not set");
	return 0;
}

/* A refusal here is nobody's forbidden file but a wrong configuration. */
static void
blame_configuration(struct err *e)
{
	if (e->kind != ERR_NOSPACE && e->kind != ERR_AWAY)
		e->kind = ERR_INTERNAL;
	err_prefix(e, "handed-off body");
}

struct store_file *
handoff_take(struct call *c, const struct id *id, struct err *e)
{
	const struct app *app = c->app;
	struct store_file *sf = NULL;

	if (check(c, e) == 0)
		sf = store_take(app->store, id, app->conf->store.spool, handoff_path(c),
		    app->spool_owners, app->nspool_owners, e);
	if (!sf)
		blame_configuration(e);
	return sf;
}

int
handoff_open(struct call *c, uint64_t *size, struct err *e)
{
	const struct app *app = c->app;
	struct stat st;
	int fd = -1;

	if (check(c, e) == 0)
		fd = store_spool_open(app->conf->store.spool, handoff_path(c), app->spool_owners,
		    app->nspool_owners, e);
	if (fd >= 0 && fstat(fd, &st) < 0) {
		err_sys(e, "fstat(%s)", handoff_path(c));
		fdio_drop(&fd);
	}
	if (fd < 0) {
		blame_configuration(e);
		return -1;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

int
handoff_size(struct call *c, uint64_t *size, struct err *e)
{
	int fd = handoff_open(c, size, e);

	if (fd < 0)
		return -1;
	fdio_drop(&fd);
	return 0;
}
