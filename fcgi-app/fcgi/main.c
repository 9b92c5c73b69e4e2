#include "base/sys.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/proc.h"
#include "data/conf.h"
#include "data/schema.h"
#include "data/store.h"
#include "fcgi/child.h"
#include "fcgi/listen.h"
#include "fcgi/pool.h"

struct options {
	int argc;
	char **argv;
	const char *conf_path;
	const char **overrides; /* ends with NULL */
	size_t noverrides;
	bool test, dump;
};

static const char usage[] =
    "usage: sluice-fcgi [-tThV] [-c file] [-o section.key=value]...\n"
    "  -c, --config FILE    configuration file\n"
    "  -o, --option S.K=V   overrides one key of the configuration; may be repeated\n"
    "  -t, --test           checks the configuration and exits\n"
    "  -T, --dump           writes the effective configuration and exits\n"
    "  -h, --help           this text\n"
    "  -V, --version        the version\n"
    "It stays in the foreground. See sluice-fcgi(8).\n";

static int
complain(int code, const struct err *e)
{
	log_error("%s", e->text);
	return code;
}

/* 0 go on, -1 usage error, 1 done. */
static int
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "option", required_argument, NULL, 'o' },
		{ "test", no_argument, NULL, 't' },
		{ "dump", no_argument, NULL, 'T' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	o->overrides = mem_array((size_t)argc + 1, sizeof(char *));
	while ((c = getopt_long(argc, argv, "c:o:tThV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->conf_path = optarg;
			break;
		case 'o':
			o->overrides[o->noverrides++] = optarg;
			break;
		case 't':
			o->test = true;
			break;
		case 'T':
			o->dump = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		case 'V':
			puts("sluice-fcgi " PACKAGE_VERSION);
			return 1;
		default:
			fputs(usage, stderr);
			return -1;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sluice-fcgi: unexpected argument %s\n%s", argv[optind], usage);
		return -1;
	}
	return 0;
}

/* A copy for USR2: proc_title writes over the original. */
static char **
argv_copy(int argc, char **argv)
{
	char **copy = mem_array((size_t)argc + 1, sizeof(char *));

	for (int i = 0; i < argc; i++)
		copy[i] = mem_strdup(argv[i]);
	return copy;
}

/* 0, 1 and 2 must be open, or a file of the store would get one of these numbers. */
static void
standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* The master that executed us (USR2), which is our parent; else 0. */
static pid_t
old_master(void)
{
	const char *s = getenv("SLUICE_OLD_MASTER");
	uint64_t pid = 0;
	bool ours = s != NULL && num_u64(s, 2, INT_MAX, &pid) == 0 && (pid_t)pid == getppid();

	unsetenv("SLUICE_OLD_MASTER");
	return ours ? (pid_t)pid : 0;
}

/* Was the socket that the old master passed made by it (and not by systemd)? */
static bool
socket_was_own(void)
{
	bool own = getenv("SLUICE_OWN_SOCKET") != NULL;

	unsetenv("SLUICE_OWN_SOCKET");
	return own;
}

/* An old schema is refused; a database that is away is not: the children wait for it. */
static int
check_database(const struct conf *conf)
{
	struct db *db = db_new(&(struct db_conf){
	    .conninfo = conf->database.conninfo,
	    .program = "sluice-fcgi",
	    .connect_timeout = conf->database.connect_timeout,
	    .statement_timeout = conf->database.statement_timeout,
	    .lock_timeout = conf->database.lock_timeout,
	    .pooled = conf->database.pooled,
	});
	struct err e;
	int code = 0;

	if (schema_check(db, &e) < 0) {
		if (e.kind == ERR_CONFLICT)
			code = complain(EXIT_CONFIG, &e);
		else
			log_warn("the database is not ready yet: %s", e.text);
	}
	db_free(&db);
	return code;
}

static int
check_store(const struct conf *conf)
{
	struct err e;
	struct store *store = store_open(conf->store.dir, &e);

	if (store == NULL)
		return complain(e.kind == ERR_AWAY ? EXIT_TEMPORARY : EXIT_CONFIG, &e);
	store_free(&store);
	return 0;
}

/*
 * Under mod_fcgid or spawn-fcgi: they fork, count and end us. One that retired by itself would lose
 * the connections that wait on its socket.
 */
static int
run_alone(struct conf *conf, int listen_fd)
{
	struct scoreboard *board = scoreboard_new(1);
	int slot = scoreboard_take(board), code;

	scoreboard_assign(board, (unsigned)slot, getpid());
	conf->pool.max_requests = 0;
	code = child_run(conf, listen_fd, board, NULL, (unsigned)slot);
	scoreboard_free(&board);
	return code;
}

/* With the socket open: becomes the service's user, checks what it needs, and serves. */
static int
serve(struct conf **conf, struct pool_start *start, enum listen_kind kind)
{
	struct err e;
	int code;

	if (proc_drop((*conf)->process.user, (*conf)->process.group, &e) < 0)
		return complain(EXIT_CONFIG, &e);
	if (pool_open_log(*conf, &e) < 0)
		return complain(EXIT_CONFIG, &e);
	code = check_store(*conf);
	if (code == 0)
		code = check_database(*conf);
	if (code != 0)
		return code;
	return kind == LISTEN_FD0 ? run_alone(*conf, start->listen_fd) : pool_run(conf, start);
}

static int
run(struct conf **conf, struct pool_start *start, const struct options *o)
{
	bool alone;
	enum listen_kind kind;
	struct err e;
	int code;

	start->old_master = old_master();
	start->listen_fd = listen_open(*conf, &kind, &e);
	if (start->listen_fd < 0)
		return complain(e.kind == ERR_INPUT ? EXIT_CONFIG : EXIT_TEMPORARY, &e);
	start->own_socket = kind == LISTEN_OWN || (start->old_master != 0 && socket_was_own());
	proc_title_init(o->argc, o->argv); /* copies the environment: after what is taken from it */
	alone = kind == LISTEN_FD0;
	if (!alone && proc_pidfile((*conf)->process.pid_file, &e) < 0)
		code = complain(EXIT_CONFIG, &e);
	else
		code = serve(conf, start, kind);
	if (!alone)
		proc_pidfile_remove((*conf)->process.pid_file);
	if (start->own_socket && start->old_master == 0 && code != 0)
		listen_unlink(*conf); /* the old master still serves on the one that it passed */
	return code;
}

int
main(int argc, char **argv)
{
	struct options o = { .argc = argc, .argv = argv };
	struct pool_start start = { .argv = argv_copy(argc, argv) };
	struct conf *conf;
	struct err e;
	int rc, code = 0;

	standard_fds();
	proc_ignore(SIGPIPE);
	rc = options_parse(&o, argc, start.argv);
	if (rc != 0)
		return rc > 0 ? 0 : EXIT_USAGE;
	start.conf_path = o.conf_path;
	start.overrides = o.overrides;
	conf = conf_load(o.conf_path, o.overrides, &e);
	if (conf == NULL || listen_check_users(conf, &e) < 0)
		code = complain(EXIT_CONFIG, &e);
	else if (o.dump)
		conf_dump(conf, stdout);
	else if (o.test)
		fputs("sluice-fcgi: the configuration is valid\n", stderr);
	else
		code = run(&conf, &start, &o);
	conf_free(&conf);
	mem_free(o.overrides);
	for (char **a = start.argv; *a != NULL; a++)
		mem_free(*a);
	mem_free(start.argv);
	return code;
}
