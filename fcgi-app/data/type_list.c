/*
 * Comma-separated lists of media types.
 */
#include "base/sys.h"

#include "data/type_room.h"

/* The next entry of *list without blanks around it: its length; false at the end. */
static bool
next_entry(const char **list, const char **entry, size_t *n)
{
	const char *s = *list;

	if (!s)
		return false;
	*n = strcspn(s, ",");
	*list = s[*n] ? s + *n + 1 : NULL;
	while (*n > 0 && (*s == ' ' || *s == '\t')) {
		s++;
		(*n)--;
	}
	while (*n > 0 && (s[*n - 1] == ' ' || s[*n - 1] == '\t'))
		(*n)--;
	*entry = s;
	return true;
}

static bool
matches(const char *entry, size_t n, const char *type)
{
	size_t len = strlen(type);

	if (n == 3 && memcmp(entry, "*/*", 3) == 0)
		return true;
	if (n > 0 && entry[n - 1] == '*')
		return len > n - 1 && strncasecmp(entry, type, n - 1) == 0;
	return len == n && strncasecmp(entry, type, n) == 0;
}

bool
type_allowed(const char *list, const char *media_type)
{
	const char *entry;
	size_t n;

	while (next_entry(&list, &entry, &n))
		if (matches(entry, n, media_type))
			return true;
	return false;
}

static size_t
token(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && ((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
			    (s[i] >= '0' && s[i] <= '9') || (s[i] && strchr("!#$&-^_.+", s[i]))))
		i++;
	return i;
}

static bool
valid_entry(const char *s, size_t n)
{
	size_t type, subtype;

	if (n >= TYPE_MAX)
		return false;
	if (n == 3 && memcmp(s, "*/*", 3) == 0)
		return true;
	type = token(s, n);
	if (type == 0 || type + 1 >= n || s[type] != '/')
		return false;
	subtype = token(s + type + 1, n - type - 1);
	return type + 1 + subtype == n || (subtype == 0 && n == type + 2 && s[type + 1] == '*');
}

int
type_check_list(const char *list, struct err *e)
{
	const char *entry;
	size_t n;

	while (next_entry(&list, &entry, &n))
		if (!valid_entry(entry, n))
			return err_set(e, ERR_INPUT,
			    "\"%.*s\" is not a media type such as image/png, image/* or */*",
			    (int)n, entry);
	return 0;
}
