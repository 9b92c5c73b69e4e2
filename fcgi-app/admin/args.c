#include "base/sys.h"
#include "admin/admin.h"

const char *
admin_option(const struct admin *a, const char *name)
{
	for (int i = a->options - 1; i >= 0; i--)
		if (a->option[i].len == strlen(name) &&
		    strncmp(a->option[i].name, name, a->option[i].len) == 0)
			return a->option[i].value;
	return NULL;
}

/* Does the table's list know the option of n characters, and does it take a value? */
static bool
known(const char *list, const char *word, size_t n, bool *takes)
{
	for (const char *p = list; *p; p += strspn(p, " ")) {
		size_t m = strcspn(p, " =");

		*takes = p[m] == '=';
		if (m == n && strncmp(p, word, n) == 0)
			return true;
		p += strcspn(p, " ");
	}
	return false;
}

/* The option at argv[*i]; *i moves on when its value is the next word. */
static int
take_option(struct admin *a, const struct command *c, int argc, char **argv, int *i, struct err *e)
{
	const char *word = argv[*i], *value = "";
	size_t n = strcspn(word, "=");
	bool takes;

	if (strcmp(word, "--json") == 0 && c->json) {
		a->json = true;
		return 0;
	}
	if (!known(c->options, word, n, &takes))
		return err_set(e, ERR_INPUT, "%s: unknown option %s", c->name, word);
	if (!takes && word[n] == '=')
		return err_set(e, ERR_INPUT, "%s: %.*s takes no value", c->name, (int)n, word);
	if (takes && word[n] == '=')
		value = word + n + 1;
	else if (takes && *i + 1 < argc)
		value = argv[++*i];
	else if (takes)
		return err_set(e, ERR_INPUT, "%s: %s needs a value", c->name, word);
	if (a->options == ADMIN_MAX_OPTIONS)
		return err_set(e, ERR_INPUT, "%s: too many options", c->name);
	a->option[a->options].name = word;
	a->option[a->options].len = n;
	a->option[a->options++].value = value;
	return 0;
}

int
admin_parse(struct admin *a, const struct command *c, int argc, char **argv, struct err *e)
{
	bool options = true;

	for (int i = 0; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			if (take_option(a, c, argc, argv, &i, e) < 0)
				return -1;
		} else if (a->operands == c->max) {
			return err_set(e, ERR_INPUT, "%s: one word too many: %s", c->name, argv[i]);
		} else {
			a->operand[a->operands++] = argv[i];
		}
	}
	if (a->operands < c->min)
		return err_set(e, ERR_INPUT, "%s: %s is missing", c->name, c->synopsis);
	return 0;
}
