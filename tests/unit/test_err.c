#include "base/sys.h"

#include "base/err.h"
#include "tap.h"

static void
kinds(void)
{
	static const struct {
		int number;
		enum err_kind kind;
	} cases[] = { { ENOSPC, ERR_NOSPACE }, { EDQUOT, ERR_NOSPACE }, { EFBIG, ERR_NOSPACE },
		{ EMFILE, ERR_AWAY }, { ENFILE, ERR_AWAY }, { ENOMEM, ERR_AWAY },
		{ EAGAIN, ERR_AWAY }, { ETIMEDOUT, ERR_AWAY }, { EIO, ERR_AWAY },
		{ EROFS, ERR_AWAY }, { ENODEV, ERR_AWAY }, { ESTALE, ERR_AWAY },
		{ ENOTCONN, ERR_AWAY }, { EACCES, ERR_INTERNAL }, { ENOENT, ERR_INTERNAL } };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		errno = cases[i].number;
		tap_ok(err_sys(&e, "x") == -1 && e.kind == cases[i].kind, "kind of %s",
		    strerror(cases[i].number));
		tap_is(errno, cases[i].number, "errno is kept");
	}
	for (int k = ERR_NONE; k <= ERR_INTERNAL; k++)
		tap_ok(strcmp(err_kind_name((enum err_kind)k), "unknown") != 0, "%s",
		    err_kind_name((enum err_kind)k));
	tap_str(err_kind_name((enum err_kind)99), "unknown", "a kind that does not exist");
}

static void
texts(void)
{
	struct err e;
	char big[1024];

	tap_is(err_set(&e, ERR_TYPE, "%s is %d", "it", 5), -1, "err_set returns -1");
	tap_str(e.text, "it is 5", "text");
	tap_is(e.kind, ERR_TYPE, "kind");
	err_prefix(&e, "upload %s", "a");
	tap_str(e.text, "upload a: it is 5", "prefix");
	tap_is(e.kind, ERR_TYPE, "prefix keeps the kind");
	err_set(&e, ERR_INPUT, "again: %s", e.text);
	tap_str(e.text, "again: upload a: it is 5", "the old text as an argument");
	errno = ENOSPC;
	err_sys(&e, "fsync(%s)", "f");
	tap_str(e.text, "fsync(f): No space left on device", "err_sys tells errno");

	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	err_set(&e, ERR_INPUT, "%s", big);
	tap_is((long long)strlen(e.text), sizeof e.text - 1, "a long text is cut");
	err_prefix(&e, "%s", big);
	tap_is((long long)strlen(e.text), sizeof e.text - 1, "and with a long prefix");
	err_clear(&e);
	tap_ok(e.kind == ERR_NONE && e.text[0] == '\0', "clear");

	tap_ok(err_set(NULL, ERR_INPUT, "x") == -1 && err_sys(NULL, "x") == -1 &&
		   err_prefix(NULL, "x") == -1,
	    "no struct err is allowed");
	err_clear(NULL);
}

int
main(void)
{
	kinds();
	texts();
	return tap_done();
}
