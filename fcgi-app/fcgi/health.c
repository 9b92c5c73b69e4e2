#include "base/sys.h"

#include "fcgi/health.h"

#include "base/log.h"
#include "data/jobs.h"
#include "fcgi/reply.h"

void
health_serve(struct call *c)
{
	reply_json(c, 200, NULL, json_pack("{s:s}", "status", "ok"));
}

/* Each check gives one public word; what is behind it is for the log. */
static const char *
check_database(const struct app *app)
{
	struct err e = { 0 };

	if (db_read(app->db, NULL, "SELECT 1", NULL, 0, &e) == 0)
		return "ok";
	log_warn("not ready: database: %s", e.text);
	return "away";
}

static const char *
check_store(const struct app *app)
{
	struct err e = { 0 };
	uint64_t space;

	if (store_free_space(app->store, &space, &e) < 0) {
		log_warn("not ready: store: %s", e.text);
		return "away";
	}
	return space > app->conf->store.min_free ? "ok" : "full";
}

static const char *
check_queue(const struct app *app)
{
	struct err e = { 0 };
	uint64_t ms;

	if (jobs_next_due(app->db, &ms, &e) == 0)
		return "ok";
	log_warn("not ready: queue: %s", e.text);
	return "away";
}

void
health_serve_ready(struct call *c)
{
	const char *database = check_database(c->app);
	const char *store = check_store(c->app);
	const char *queue = strcmp(database, "ok") == 0 ? check_queue(c->app) : "away";
	json_t *checks =
	    json_pack("{s:s, s:s, s:s}", "database", database, "store", store, "queue", queue);
	bool ok = strcmp(store, "ok") == 0 && strcmp(queue, "ok") == 0;

	if (ok)
		reply_json(c, 200, NULL, json_pack("{s:s, s:o}", "status", "ok", "checks", checks));
	else
		reply_problem(c, "unavailable", "not ready to take an upload", NULL,
		    json_pack("{s:o}", "checks", checks));
}
