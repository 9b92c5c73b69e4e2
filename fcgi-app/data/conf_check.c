/*
 * After all sources: automatic values become numbers, and keys are checked against each other.
 */
#include "base/sys.h"

#include "data/conf_room.h"

static uint64_t
sysconf_or(int name, uint64_t otherwise)
{
	long n = sysconf(name);

	return n > 0 ? (uint64_t)n : otherwise;
}

/* Half of the machine's memory, but room for one decoder at least. */
static uint64_t
automatic_memory(uint64_t one)
{
	uint64_t half = sysconf_or(_SC_PHYS_PAGES, 0) / 2 * sysconf_or(_SC_PAGESIZE, 4096);

	return half > one ? half : one;
}

int
conf_settle(struct conf *c, struct err *e)
{
	struct conf_worker *w = &c->worker;
	struct conf_rendition *r;

	if (c->renditions == 0 && conf_rendition_open(c, "small", &r, e) < 0)
		return -1;
	if (w->children == 0)
		w->children = sysconf_or(_SC_NPROCESSORS_ONLN, 1);
	if (w->batch == 0)
		w->batch = w->children;
	if (w->total_memory == 0)
		w->total_memory = automatic_memory(w->memory);
	if (w->total_memory < w->memory)
		return err_set(e, ERR_INPUT,
		    "worker.total_memory: less than worker.memory, so that no job could ever run");
	if (c->pool.min_spare > c->pool.max_children)
		c->pool.min_spare = c->pool.max_children; /* max_children = 1 needs no second key */
	if (c->multipart.max_field > c->multipart.max_fields)
		return err_set(e, ERR_INPUT, "multipart.max_field: more than multipart.max_fields");
	return 0;
}
