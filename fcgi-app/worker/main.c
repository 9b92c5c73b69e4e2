#include "base/sys.h"
#include "worker/runner.h"
#include "worker/zygote.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "data/schema.h"

#include <getopt.h>
#include <signal.h>

enum { MAX_OVERRIDES = 64, START_PATIENCE = 30000, DATABASE_DELAY = 1000 };

struct options {
	const char *path;
	const char *overrides[MAX_OVERRIDES + 1];
	size_t noverrides;
	bool test, dump;
};

static void
usage(FILE *out)
{
	fputs("usage: sluice-worker [-c file] [-o section.key=value] [-t | -T]\n"
	      "\n"
	      "Makes thumbnails of uploaded pictures; stays in the foreground.\n"
	      "\n"
	      "  -c file               configuration (default $SLUICE_CONF, " SLUICE_CONF ")\n"
	      "  -o section.key=value  overrides one setting; may be repeated\n"
	      "  -t                    tests the configuration and ends\n"
	      "  -T                    prints the effective configuration and ends\n"
	      "  -h, --help            prints this\n"
	      "  -V, --version         prints the version\n",
	    out);
}

static void
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "c:o:tThV", longs, NULL)) != -1)
		switch (c) {
		case 'c':
			o->path = optarg;
			break;
		case 'o':
			if (o->noverrides == MAX_OVERRIDES) {
				fprintf(stderr, "sluice-worker: more than %d times -o\n",
				    MAX_OVERRIDES);
				exit(EXIT_USAGE);
			}
			o->overrides[o->noverrides++] = optarg;
			break;
		case 't':
			o->test = true;
			break;
		case 'T':
			o->dump = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		case 'V':
			puts("sluice-worker " PACKAGE_VERSION);
			exit(0);
		default:
			usage(stderr);
			exit(EXIT_USAGE);
		}
	if (optind < argc) {
		usage(stderr);
		exit(EXIT_USAGE);
	}
}

static int
open_log(const struct conf *conf, struct err *e)
{
	static const char *const levels[] = { [LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARN] = "warn",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug" };
	struct log_conf log = { .program = "sluice-worker",
		.target = conf->log.target,
		.json = strcmp(conf->log.format, "json") == 0,
		.level = LOG_LEVEL_INFO };

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcmp(conf->log.level, levels[i]) == 0)
			log.level = (enum log_level)i;
	return log_open(&log, e);
}

static struct db *
open_database(const struct conf *conf)
{
	return db_new(&(struct db_conf){ .conninfo = conf->database.conninfo,
	    .program = "sluice-worker",
	    .connect_timeout = conf->database.connect_timeout,
	    .statement_timeout = conf->database.statement_timeout,
	    .lock_timeout = conf->database.lock_timeout,
	    .pooled = conf->database.pooled });
}

/* Waits while the database is away. 0; -1 when it is unfit or we are told to stop. */
static int
check_database(struct db *db, struct err *e)
{
	bool told = false;

	while (schema_check(db, e) < 0) {
		if (e->kind != ERR_AWAY || proc_pending(SIGTERM) || proc_pending(SIGINT))
			return -1;
		if (!told)
			log_warn("waiting for the database: %s", e->text);
		told = true;
		clock_sleep_ms(DATABASE_DELAY);
	}
	return 0;
}

/* The first zygote proves the policy: without it nothing is decoded. */
static int
check_decoders(struct decoders *d, struct err *e)
{
	uint64_t end = clock_ms() + START_PATIENCE;
	struct wire_message m;

	while (clock_ms() < end) {
		(void)decoders_tick(d, 0);
		if (decoders_fd(d) < 0) {
			clock_sleep_ms(50);
			continue;
		}
		switch (decoders_event(d, &m)) {
		case DECODERS_READY:
			log_info("decoders are ready: %s, Landlock %u", m.text, m.value);
			return 0;
		case DECODERS_REFUSED:
			return err_set(e, ERR_DENIED, "decoders refuse to start: %s", m.text);
		default:
			break;
		}
	}
	return err_set(e, ERR_INTERNAL, "decoders do not start");
}

/* One life of a configuration. *code is the exit code after RUNNER_STOP. */
static enum runner_end
serve(const struct conf *conf, struct launcher *launcher, int *code)
{
	struct slot_env env = { .conf = conf };
	enum runner_end end = RUNNER_STOP;
	struct err e = { 0 };
	char host[64] = "", name[96];

	gethostname(host, sizeof(host) - 1);
	snprintf(name, sizeof(name), "%s:%ld", host, (long)getpid());
	*code = EXIT_CONFIG;
	env.db = open_database(conf);
	env.decoders = decoders_new(launcher);
	env.store = store_open(conf->store.dir, &e);
	if (env.store == NULL || check_decoders(env.decoders, &e) < 0) {
		if (e.kind == ERR_AWAY)
			*code = EXIT_TEMPORARY;
		log_error("%s", e.text);
		goto out;
	}
	if (check_database(env.db, &e) < 0) {
		if (e.kind == ERR_AWAY)
			*code = 0;
		else
			log_error("%s", e.text);
		goto out;
	}
	proc_notify("READY=1");
	log_info(
	    "started with %llu decoders side by side", (unsigned long long)conf->worker.children);
	end = runner_run(&env, name);
	*code = end == RUNNER_LOST ? EXIT_TEMPORARY : 0;
out:
	decoders_free(&env.decoders);
	store_free(&env.store);
	db_free(&env.db);
	return end;
}

static void
catch_signals(void)
{
	proc_catch(SIGTERM);
	proc_catch(SIGINT);
	proc_catch(SIGHUP);
	proc_catch(SIGUSR1);
	proc_ignore(SIGPIPE);
}

/* HUP: the new configuration if it is good, else the old one again. */
static void
reload(struct conf **conf, const struct options *o)
{
	struct err e = { 0 };
	struct conf *fresh = conf_load(o->path, o->overrides, &e);

	if (fresh && open_log(fresh, &e) == 0) {
		conf_free(conf);
		*conf = fresh;
		log_info("configuration read again");
		return;
	}
	log_error("the configuration stays as it is: %s", e.text);
	conf_free(&fresh);
}

static int
run(struct conf **conf, const struct options *o)
{
	struct launcher launcher;
	struct err e = { 0 };
	int code = EXIT_CONFIG;
	enum runner_end end;

	if (open_log(*conf, &e) < 0 || launcher_start(&launcher, (*conf)->worker.decoder_user,
					   (*conf)->worker.magick_dir, &e) < 0) {
		log_error("%s", e.text);
		return EXIT_CONFIG;
	}
	if (proc_pidfile((*conf)->process.worker_pid_file, &e) < 0 ||
	    (geteuid() == 0 && proc_drop((*conf)->process.user, (*conf)->process.group, &e) < 0)) {
		log_error("%s", e.text);
		launcher_stop(&launcher);
		return EXIT_CONFIG;
	}
	catch_signals();
	while ((end = serve(*conf, &launcher, &code)) == RUNNER_RELOAD)
		reload(conf, o);
	launcher_stop(&launcher);
	proc_pidfile_remove((*conf)->process.worker_pid_file);
	log_info("stopped");
	return code;
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };
	struct err e = { 0 };
	struct conf *conf;
	int code;

	if (zygote_wanted(argc, argv))
		return zygote_main();
	parse_options(argc, argv, &o);
	conf = conf_load(o.path, o.overrides, &e);
	if (conf == NULL) {
		fprintf(stderr, "sluice-worker: %s\n", e.text);
		return EXIT_CONFIG;
	}
	if (o.dump)
		conf_dump(conf, stdout);
	if (o.dump || o.test) {
		if (o.test)
			puts("configuration is good");
		conf_free(&conf);
		return 0;
	}
	proc_title_init(argc, argv);
	code = run(&conf, &o);
	conf_free(&conf);
	return code;
}
