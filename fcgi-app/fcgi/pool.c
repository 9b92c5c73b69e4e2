#include "base/sys.h"

#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "fcgi/listen.h"
#include "fcgi/pool_room.h"

static const int signals[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };

static void
pool_init(struct pool *p, struct conf **conf, const struct pool_start *start)
{
	*p = (struct pool){
		.conf = conf,
		.start = start,
		.board = scoreboard_new(POOL_SLOTS),
		.ahead = ahead_new(),
		.child = mem_array(POOL_SLOTS, sizeof(struct pool_child)),
		.old_master = start->old_master,
	};
	sigprocmask(SIG_SETMASK, NULL, &p->wait_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		proc_catch(signals[i]);
		sigdelset(&p->wait_mask, signals[i]);
	}
	proc_ignore(SIGPIPE);
	proc_block();
}

int
pool_open_log(const struct conf *conf, struct err *e)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = { { "error", LOG_LEVEL_ERROR }, { "warn", LOG_LEVEL_WARN },
		{ "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG } };
	struct log_conf l = {
		.program = "sluice-fcgi",
		.target = conf->log.target,
		.json = strcmp(conf->log.format, "json") == 0,
		.level = LOG_LEVEL_INFO,
	};

	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcmp(conf->log.level, levels[i].name) == 0)
			l.level = levels[i].level;
	}
	return log_open(&l, e);
}

static void
notify_reloading(void)
{
	struct timespec t;
	char *text;

	clock_gettime(CLOCK_MONOTONIC, &t);
	text = mem_printf(
	    "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	proc_notify(text);
	mem_free(text);
}

static void
pool_reload(struct pool *p)
{
	struct err e;
	struct conf *c;

	notify_reloading();
	c = conf_load(p->start->conf_path, p->start->overrides, &e);
	if (c == NULL || listen_check_users(c, &e) < 0) {
		conf_free(&c);
		log_error("reload: %s; the old configuration stays", e.text);
	} else {
		if (strcmp(c->pool.listen, (*p->conf)->pool.listen) != 0 ||
		    c->pool.listen_mode != (*p->conf)->pool.listen_mode ||
		    strcmp(c->pool.listen_group, (*p->conf)->pool.listen_group) != 0)
			log_warn("reload: a change of [pool] listen needs a restart");
		conf_free(p->conf);
		*p->conf = c;
		p->generation++;
		p->pace = (struct pool_pace){ 0 };
		pool_reader_tell(p);
		if (pool_open_log(c, &e) < 0)
			log_error("reload: %s", e.text);
		log_info("reload: new children start, the old finish");
	}
	proc_notify("READY=1");
}

/* quit: as long as it takes; otherwise what still runs after stop_timeout is killed. */
static void
pool_stop(struct pool *p, bool quit)
{
	if (!p->stopping) {
		char *text = p->next_master != 0 ? mem_printf("MAINPID=%d", (int)p->next_master)
						 : mem_strdup("STOPPING=1");

		proc_notify(text);
		mem_free(text);
		/* New connections are refused at once instead of waiting for nobody. */
		if (p->start->own_socket && p->next_master == 0 && p->old_master == 0)
			listen_unlink(*p->conf);
		log_info("stops: %u children finish", pool_count(p, false));
	}
	p->stopping = true;
	pool_reader_tell(p);
	if (!quit && p->kill_at == 0)
		p->kill_at = clock_ms() + (*p->conf)->pool.stop_timeout;
	for (unsigned i = 0; i < POOL_SLOTS; i++)
		pool_tell(p, i);
}

static void
pool_obey(struct pool *p)
{
	if (proc_caught(SIGUSR1)) {
		log_reopen();
		pool_signal_all(p, SIGUSR1);
		if (p->reader.pid != 0)
			kill(p->reader.pid, SIGUSR1);
	}
	if (proc_caught(SIGTERM) || proc_caught(SIGINT))
		pool_stop(p, false);
	if (proc_caught(SIGQUIT))
		pool_stop(p, true);
	if (proc_caught(SIGHUP) && !p->stopping)
		pool_reload(p);
	if (proc_caught(SIGUSR2) && !p->stopping)
		pool_upgrade(p);
}

/* Milliseconds until the running requests are ended by force, -1: never. */
static int
pool_stopping(struct pool *p)
{
	uint64_t now = clock_ms();

	if (p->kill_at == 0)
		return -1;
	if (now < p->kill_at)
		return (int)(p->kill_at - now);
	log_error("%u children did not finish in time: killed", pool_count(p, false));
	pool_signal_all(p, SIGKILL);
	p->kill_at = now + 1000;
	return 1000;
}

/* Milliseconds until it wants to look again, -1: never. */
static int
pool_start_missing(struct pool *p)
{
	int children = pool_size(p), reader = pool_reader(p);

	if (children < 0 || reader < 0)
		return children > reader ? children : reader;
	return children < reader ? children : reader;
}

static void
pool_wait(struct pool *p, int ms)
{
	struct pollfd fd = { .fd = scoreboard_call_fd(p->board), .events = POLLIN };
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	if (ppoll(&fd, 1, ms < 0 ? NULL : &t, &p->wait_mask) < 0 && errno != EINTR) {
		log_error("ppoll: %s", strerror(errno));
		clock_sleep_ms(100);
	}
}

int
pool_run(struct conf **conf, const struct pool_start *start)
{
	struct pool p;

	pool_init(&p, conf, start);
	log_info("master listens on %s", (*conf)->pool.listen);
	proc_notify("READY=1");
	for (;;) {
		(void)proc_caught(SIGCHLD);
		pool_reap(&p);
		pool_obey(&p);
		if (p.stopping && pool_count(&p, false) == 0)
			break;
		pool_wait(&p, p.stopping ? pool_stopping(&p) : pool_start_missing(&p));
	}
	pool_reader_end(&p);
	log_info("master ends");
	ahead_free(&p.ahead);
	scoreboard_free(&p.board);
	mem_free(p.child);
	return 0;
}
