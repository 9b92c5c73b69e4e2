#include "base/sys.h"
#include "admin/admin.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/schema.h"

static const struct command commands[] = {
	{ "schema apply", "[--sql DIR]", "bring the database schema up to date", "--sql=", 0, 0,
	    false, cmd_schema_apply },
	{ "schema status", "", "tell the version of the schema; exit 1 when it does not fit", "", 0,
	    0, true, cmd_schema_status },
	{ "account add", "NAME [--admin]", "make an account", "--admin", 1, 1, false,
	    cmd_account_add },
	{ "account list", "", "list all accounts", "", 0, 0, true, cmd_account_list },
	{ "account disable", "NAME", "refuse the account and its tokens from now on", "", 1, 1,
	    false, cmd_account_disable },
	{ "account enable", "NAME", "take a disabled account back", "", 1, 1, false,
	    cmd_account_enable },
	{ "token add", "ACCOUNT [--label TEXT] [--ttl DURATION]",
	    "make a token and print it, this once", "--label= --ttl=", 1, 1, false, cmd_token_add },
	{ "token list", "[ACCOUNT]", "list tokens by their key id", "", 0, 1, true,
	    cmd_token_list },
	{ "token revoke", "KEYID", "refuse a token from now on", "", 1, 1, false,
	    cmd_token_revoke },
	{ "jobs stat", "", "count jobs by state", "", 0, 0, true, cmd_jobs_stat },
	{ "jobs dead", "[--limit N]", "list jobs that were given up, with the reason",
	    "--limit=", 0, 0, true, cmd_jobs_dead },
	{ "jobs retry", "ID|all", "queue dead jobs again", "", 1, 1, false, cmd_jobs_retry },
	{ "store init", "", "create the directories of the store", "", 0, 0, false,
	    cmd_store_init },
	{ "doctor", "", "check configuration, database and store", "", 0, 0, true, cmd_doctor },
};

static void
usage(FILE *out)
{
	fputs("usage: sluice-admin [-c FILE] [-o SECTION.KEY=VALUE]... COMMAND ...\n"
	      "       sluice-admin --help | --version\n\n",
	    out);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];

		fprintf(out, "  %s%s%s%s\n        %s\n", c->name, *c->synopsis ? " " : "",
		    c->synopsis, c->json ? " [--json]" : "", c->summary);
	}
}

static void
command_usage(FILE *out, const struct command *c)
{
	fprintf(out, "usage: sluice-admin %s%s%s%s\n%s\n", c->name, *c->synopsis ? " " : "",
	    c->synopsis, c->json ? " [--json]" : "", c->summary);
}

struct db *
admin_db_raw(struct admin *a)
{
	const struct conf_database *d = &a->conf->database;

	if (!a->db)
		a->db = db_new(&(struct db_conf){ .conninfo = d->conninfo,
		    .program = "sluice-admin",
		    .connect_timeout = d->connect_timeout,
		    .statement_timeout = d->statement_timeout,
		    .lock_timeout = d->lock_timeout,
		    .pooled = d->pooled });
	return a->db;
}

struct db *
admin_db(struct admin *a, struct err *e)
{
	struct db *db = admin_db_raw(a);

	return schema_check(db, e) < 0 ? NULL : db;
}

/* Does the command's name stand at argv? The number of its words, or 0. */
static int
name_matches(const char *name, int argc, char **argv)
{
	int words = 0;

	for (;;) {
		size_t n = strcspn(name, " ");

		if (words == argc || strlen(argv[words]) != n || strncmp(argv[words], name, n) != 0)
			return 0;
		words++;
		if (!name[n])
			return words;
		name += n + 1;
	}
}

static const struct command *
find_command(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if ((*words = name_matches(commands[i].name, argc, argv)) > 0)
			return &commands[i];
	return NULL;
}

static int
exit_code(enum err_kind kind)
{
	switch (kind) {
	case ERR_INPUT:
		return EXIT_USAGE;
	case ERR_AWAY:
	case ERR_UNCERTAIN:
		return EXIT_TEMPORARY;
	default:
		return EXIT_FAILURE;
	}
}

static int
run_command(const struct command *c, struct admin *a, const char *path, const char *const *set)
{
	struct conf *conf;
	struct err e, why;
	int rc;

	err_clear(&e);
	conf = conf_load(path, set, &why);
	a->conf = conf;
	a->conf_error = why.text;
	if (!conf && c->run != cmd_doctor) {
		fprintf(stderr, "sluice-admin: %s\n", why.text);
		return EXIT_CONFIG;
	}
	rc = c->run(a, &e);
	if (rc < 0) {
		fprintf(stderr, "sluice-admin: %s\n", e.text);
		rc = exit_code(e.kind);
	}
	db_free(&a->db);
	conf_free(&conf);
	return rc;
}

static int
bad_usage(const char *text, const char *word)
{
	fprintf(stderr, "sluice-admin: %s%s; see sluice-admin --help\n", text, word);
	return EXIT_USAGE;
}

static int
dispatch(int argc, char **argv, const char *path, const char *const *set)
{
	struct admin a = { 0 };
	struct err e;
	int words = 0;
	const struct command *c = find_command(argc, argv, &words);

	if (!c)
		return bad_usage(argc ? "no such command: " : "no command", argc ? argv[0] : "");
	for (int i = words; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			command_usage(stdout, c);
			return 0;
		}
	if (admin_parse(&a, c, argc - words, argv + words, &e) < 0) {
		fprintf(stderr, "sluice-admin: %s\n", e.text);
		command_usage(stderr, c);
		return EXIT_USAGE;
	}
	return run_command(c, &a, path, set);
}

/* Reads the options before the command; *i stands at the command then. -1, or an exit code. */
static int
global_options(int argc, char **argv, int *i, const char **path, const char **set)
{
	size_t n = 0;

	for (*i = 1; *i < argc && argv[*i][0] == '-'; ++*i) {
		const char *word = argv[*i];

		if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			usage(stdout);
			return 0;
		}
		if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
			puts("sluice-admin " PACKAGE_VERSION);
			return 0;
		}
		if (strcmp(word, "-c") != 0 && strcmp(word, "-o") != 0)
			return bad_usage("unknown option ", word);
		if (*i + 1 == argc)
			return bad_usage("a value is missing after ", word);
		if (word[1] == 'c')
			*path = argv[++*i];
		else
			set[n++] = argv[++*i];
	}
	return -1;
}

int
main(int argc, char **argv)
{
	const char *path = NULL;
	const char **set = mem_array((size_t)argc + 1, sizeof *set);
	struct err e;
	int first, rc;

	if (log_open(
		&(struct log_conf){
		    .program = "sluice-admin", .target = "stderr", .level = LOG_LEVEL_WARN },
		&e) < 0)
		return EXIT_FAILURE;
	rc = global_options(argc, argv, &first, &path, set);
	if (rc < 0)
		rc = dispatch(argc - first, argv + first, path, set);
	mem_free(set);
	return rc;
}
