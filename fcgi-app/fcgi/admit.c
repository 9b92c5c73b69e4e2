#include "base/sys.h"

#include "fcgi/admit.h"

#include <inttypes.h>

/* An upload of unknown length has the space looked at again each time this much has come. */
#define LOOK_AGAIN ((uint64_t)64 << 20)

static int
look(const struct admit *a, struct err *e)
{
	const struct app *app = a->call->app;
	uint64_t space, promised = scoreboard_promised(app->board);
	uint64_t keep = app->conf->store.min_free;

	if (store_free_space(app->store, &space, e) < 0)
		return -1;
	if (space < keep || space - keep < promised)
		return err_set(e, ERR_NOSPACE,
		    "no room in the store: %" PRIu64 " bytes free, %" PRIu64
		    " promised to uploads, %" PRIu64 " to be kept free",
		    space, promised, keep);
	return 0;
}

int
admit_begin(struct admit *a, struct call *c, bool known, uint64_t bytes, struct err *e)
{
	*a = (struct admit){ .call = c, .known = known, .bytes = known ? bytes : 0 };
	scoreboard_promise(c->app->board, c->app->slot, a->bytes);
	if (look(a, e) == 0)
		return 0;
	admit_end(a);
	return -1;
}

int
admit_progress(struct admit *a, uint64_t arrived, struct err *e)
{
	const struct app *app = a->call->app;

	if (a->known) {
		uint64_t left = arrived < a->bytes ? a->bytes - arrived : 0;

		scoreboard_promise(app->board, app->slot, left);
		return 0;
	}
	if (arrived - a->looked < LOOK_AGAIN)
		return 0;
	a->looked = arrived;
	return look(a, e);
}

void
admit_end(struct admit *a)
{
	if (!a->call)
		return;
	scoreboard_promise(a->call->app->board, a->call->app->slot, 0);
	a->call = NULL;
}
