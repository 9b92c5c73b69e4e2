/*
 * One option: its text to its value and back.
 */
#include "base/sys.h"

#include "base/mem.h"
#include "base/num.h"
#include "data/conf_room.h"

static void *
place(const struct conf *c, const struct conf_option *o)
{
	return (char *)(uintptr_t)c + o->offset;
}

/* The index of value in "a|b|c", or -1. */
static int
word_index(const char *words, const char *value)
{
	size_t n = strlen(value);

	for (int i = 0;; i++) {
		size_t len = strcspn(words, "|");

		if (len == n && strncmp(words, value, n) == 0)
			return i;
		if (!words[len])
			return -1;
		words += len + 1;
	}
}

static const char *
word_at(const char *words, unsigned index, size_t *len)
{
	while (index-- > 0)
		words += strcspn(words, "|") + 1;
	*len = strcspn(words, "|");
	return words;
}

static int
set_text(struct conf *c, const struct conf_option *o, const char *value, struct err *e)
{
	char **p = place(c, o);

	if (o->type == CONF_PATH && value[0] != '/' && (o->min || value[0]))
		return err_set(e, ERR_INPUT, "\"%s\" is not an absolute path", value);
	if (o->type == CONF_WORD && word_index(o->words, value) < 0)
		return err_set(e, ERR_INPUT, "\"%s\" is not one of %s", value, o->words);
	if (o->check && o->check(value, e) < 0)
		return -1;
	mem_free(*p);
	*p = mem_strdup(value);
	return 0;
}

static int
set_choice(struct conf *c, const struct conf_option *o, const char *value, struct err *e)
{
	int i = word_index(o->words, value);
	unsigned v;

	if (i < 0)
		return err_set(e, ERR_INPUT, "\"%s\" is not one of %s", value, o->words);
	v = (unsigned)i;
	_Static_assert(sizeof(enum conf_pm) == sizeof(v), "enums are stored as unsigned");
	memcpy(place(c, o), &v, sizeof(v));
	return 0;
}

static int
set_mode(struct conf *c, const struct conf_option *o, const char *value, struct err *e)
{
	unsigned v = 0;
	size_t n = strlen(value);

	if (n == 0 || n > 4 || strspn(value, "01234567") != n)
		return err_set(e, ERR_INPUT, "\"%s\" is not an octal mode such as 0660", value);
	for (; *value; value++)
		v = v * 8 + (unsigned)(*value - '0');
	if (v > o->max)
		return err_set(e, ERR_INPUT, "%04o is over %04o", v, (unsigned)o->max);
	memcpy(place(c, o), &v, sizeof(v));
	return 0;
}

static void
add_size(struct strbuf *b, uint64_t v)
{
	static const char units[] = "\0KMGT";
	size_t u = 0;

	for (; v && v % 1024 == 0 && u + 1 < sizeof(units) - 1; u++)
		v /= 1024;
	strbuf_addf(b, "%llu", (unsigned long long)v);
	if (u)
		strbuf_addc(b, units[u]);
}

static void
add_duration(struct strbuf *b, uint64_t v)
{
	static const struct {
		unsigned ms;
		const char *unit;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };

	for (size_t i = 0; v && i < ARRAY_LEN(units); i++)
		if (v % units[i].ms == 0) {
			strbuf_addf(
			    b, "%llu%s", (unsigned long long)(v / units[i].ms), units[i].unit);
			return;
		}
	strbuf_addf(b, v ? "%llums" : "%llus", (unsigned long long)v);
}

static void
add_number(struct strbuf *b, enum conf_type type, uint64_t v)
{
	if (type == CONF_SIZE)
		add_size(b, v);
	else if (type == CONF_DURATION)
		add_duration(b, v);
	else
		strbuf_addf(b, "%llu", (unsigned long long)v);
}

static int
range_error(const struct conf_option *o, const char *value, struct err *e)
{
	static const char *const what[] = {
		[CONF_COUNT] = "number",
		[CONF_SIZE] = "size (bytes, or with K, M, G, T)",
		[CONF_DURATION] = "duration (seconds, or with ms, s, m, h, d)",
	};
	struct strbuf b;

	strbuf_init(&b);
	add_number(&b, o->type, o->min);
	if (o->max < (uint64_t)INT64_MAX) {
		strbuf_adds(&b, " to ");
		add_number(&b, o->type, o->max);
	} else {
		strbuf_adds(&b, " or more");
	}
	err_set(e, ERR_INPUT, "\"%s\" is not a %s of %s", value, what[o->type], b.s);
	strbuf_release(&b);
	return -1;
}

static int
set_number(struct conf *c, const struct conf_option *o, const char *value, struct err *e)
{
	uint64_t v;
	int rc;

	if (o->type == CONF_SIZE)
		rc = num_size(value, o->min, o->max, &v);
	else if (o->type == CONF_DURATION)
		rc = num_duration(value, o->min, o->max, &v);
	else
		rc = num_u64(value, o->min, o->max, &v);
	if (rc < 0)
		return range_error(o, value, e);
	memcpy(place(c, o), &v, sizeof(v));
	return 0;
}

int
conf_value_set(struct conf *c, const struct conf_option *o, const char *value, struct err *e)
{
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(e, ERR_INPUT, "control character in the value");
	switch (o->type) {
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_WORD:
		return set_text(c, o, value, e);
	case CONF_CHOICE:
		return set_choice(c, o, value, e);
	case CONF_BOOL:
		if (num_bool(value, place(c, o)) < 0)
			return err_set(e, ERR_INPUT, "\"%s\" is not yes or no", value);
		return 0;
	case CONF_MODE:
		return set_mode(c, o, value, e);
	case CONF_COUNT:
	case CONF_SIZE:
	case CONF_DURATION:
		break;
	}
	return set_number(c, o, value, e);
}

void
conf_value_text(const struct conf *c, const struct conf_option *o, struct strbuf *out)
{
	unsigned u;
	uint64_t v;
	size_t len;
	const char *word;

	switch (o->type) {
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_WORD:
		strbuf_adds(out, *(char **)place(c, o));
		return;
	case CONF_CHOICE:
		memcpy(&u, place(c, o), sizeof(u));
		word = word_at(o->words, u, &len);
		strbuf_add(out, word, len);
		return;
	case CONF_BOOL:
		strbuf_adds(out, *(bool *)place(c, o) ? "yes" : "no");
		return;
	case CONF_MODE:
		memcpy(&u, place(c, o), sizeof(u));
		strbuf_addf(out, "%04o", u);
		return;
	case CONF_COUNT:
	case CONF_SIZE:
	case CONF_DURATION:
		break;
	}
	memcpy(&v, place(c, o), sizeof(v));
	add_number(out, o->type, v);
}
