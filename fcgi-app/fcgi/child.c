#include "base/sys.h"

#include <signal.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "data/db.h"
#include "fcgi/app.h"
#include "fcgi/child.h"
#include "fcgi/listen.h"
#include "fcgi/route.h"

struct child {
	struct app app;
	struct request *req;
	uid_t *peers, *owners;
	int listen_fd;
};

static void
child_release(struct child *c)
{
	request_free(&c->req);
	db_free(&c->app.db);
	store_free(&c->app.store);
	type_free(&c->app.type);
	mem_free(c->peers);
	mem_free(c->owners);
}

void
child_signals(void)
{
	static const int sigs[] = { SIGTERM, SIGQUIT, SIGINT, SIGUSR1, SIGHUP, SIGUSR2 };

	for (size_t i = 0; i < ARRAY_LEN(sigs); i++) {
		proc_catch(sigs[i]);
		(void)proc_caught(sigs[i]);
	}
	proc_default(SIGCHLD);
	proc_ignore(SIGPIPE);
	proc_block();
}

static int
child_users(struct child *c, const struct conf *conf, size_t *npeers, struct err *e)
{
	size_t n;

	if (listen_users(conf->pool.peers, &c->peers, npeers, e) < 0)
		return err_prefix(e, "[pool] peers");
	if (listen_users(conf->store.spool_users, &c->owners, &n, e) < 0)
		return err_prefix(e, "[store] spool_users");
	c->app.spool_owners = c->owners;
	c->app.nspool_owners = n;
	return 0;
}

static int
child_init(struct child *c, const struct conf *conf, struct err *e)
{
	size_t npeers;

	if (child_users(c, conf, &npeers, e) < 0)
		return -1;
	c->app.type = type_new(e);
	if (c->app.type == NULL)
		return -1;
	c->app.store = store_open(conf->store.dir, e);
	if (c->app.store == NULL)
		return -1;
	c->app.db = db_new(&(struct db_conf){
	    .conninfo = conf->database.conninfo,
	    .program = "sluice-fcgi",
	    .connect_timeout = conf->database.connect_timeout,
	    .statement_timeout = conf->database.statement_timeout,
	    .lock_timeout = conf->database.lock_timeout,
	    .pooled = conf->database.pooled,
	});
	c->req = request_new(&(struct request_conf){
	    .peers = c->peers,
	    .npeers = npeers,
	    .check_peers = listen_has_peers(c->listen_fd),
	    .drain = c->listen_fd == STDIN_FILENO, /* mod_fcgid's way to start us */
	    .read_timeout = conf->upload.read_timeout,
	    .grace = conf->upload.body_grace,
	    .min_rate = conf->upload.min_rate,
	});
	return 0;
}

/* False when it is time to go. HUP and USR2 are the master's business. */
static bool
child_obey(void)
{
	if (proc_caught(SIGUSR1))
		log_reopen();
	(void)proc_caught(SIGHUP);
	(void)proc_caught(SIGUSR2);
	return !proc_pending(SIGTERM) && !proc_pending(SIGQUIT) && !proc_pending(SIGINT);
}

static void
child_serve(struct child *c)
{
	struct scoreboard *board = c->app.board;

	scoreboard_set(board, c->app.slot, SLOT_BUSY);
	scoreboard_call(board);
	log_context("request", request_id(c->req));
	route_serve(&c->app, c->req);
	scoreboard_promise(board, c->app.slot, 0);
	scoreboard_count(board, c->app.slot, 1, request_body_read(c->req));
	request_finish(c->req);
	log_context("request", NULL);
}

static void
child_loop(struct child *c, uint64_t max_requests)
{
	uint64_t served = 0;

	while (max_requests == 0 || served < max_requests) {
		struct err e;

		scoreboard_set(c->app.board, c->app.slot, SLOT_IDLE);
		switch (request_accept(c->req, c->listen_fd, &e)) {
		case 1:
			child_serve(c);
			served++;
			break;
		case 0:
			if (!child_obey())
				return;
			break;
		default:
			log_warn("no request from this connection: %s", e.text);
			break;
		}
	}
	log_debug("retires after %llu requests", (unsigned long long)served);
}

int
child_run(const struct conf *conf, int listen_fd, struct scoreboard *board, struct ahead *ahead,
    unsigned slot)
{
	struct child c = {
		.app = { .conf = conf, .board = board, .slot = slot, .ahead = ahead },
		.listen_fd = listen_fd,
	};
	struct err e;
	int code = 0;

	child_signals();
	if (child_init(&c, conf, &e) < 0) {
		log_error("cannot serve: %s", e.text);
		code = EXIT_TEMPORARY;
	} else {
		child_loop(&c, conf->pool.max_requests);
	}
	scoreboard_set(board, slot, SLOT_STOPPING);
	child_release(&c);
	return code;
}
