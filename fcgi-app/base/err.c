#include "base/sys.h"

#include "base/err.h"

static void PRINTF_LIKE(4, 0)
    fill(struct err *e, enum err_kind kind, const char *tail, const char *fmt, va_list ap)
{
	char text[sizeof e->text]; /* the arguments may point into e->text */
	int n = vsnprintf(text, sizeof text, fmt, ap);

	if (n < 0)
		n = 0, text[0] = '\0';
	if (tail && (size_t)n < sizeof text)
		snprintf(text + n, sizeof text - (size_t)n, ": %s", tail);
	memcpy(e->text, text, sizeof text);
	e->kind = kind;
}

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	fill(e, kind, NULL, fmt, ap);
	va_end(ap);
	return -1;
}

static enum err_kind
kind_of_errno(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_NOSPACE;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EAGAIN:
	case ETIMEDOUT:
	case EIO:
	case EROFS:
	case ENODEV:
	case ESTALE:
	case ENOTCONN:
		return ERR_AWAY;
	default:
		return ERR_INTERNAL;
	}
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (e) {
		va_start(ap, fmt);
		fill(e, kind_of_errno(saved), strerror(saved), fmt, ap);
		va_end(ap);
	}
	errno = saved;
	return -1;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	char tail[sizeof e->text];
	va_list ap;

	if (!e)
		return -1;
	memcpy(tail, e->text, sizeof tail);
	va_start(ap, fmt);
	fill(e, e->kind, tail, fmt, ap);
	va_end(ap);
	return -1;
}

void
err_clear(struct err *e)
{
	if (!e)
		return;
	e->kind = ERR_NONE;
	e->text[0] = '\0';
}

const char *
err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_INPUT] = "input",
		[ERR_DENIED] = "denied",
		[ERR_NOTFOUND] = "not-found",
		[ERR_CONFLICT] = "conflict",
		[ERR_TOOBIG] = "too-big",
		[ERR_TYPE] = "type",
		[ERR_NOSPACE] = "no-space",
		[ERR_AWAY] = "away",
		[ERR_UNCERTAIN] = "uncertain",
		[ERR_INTERNAL] = "internal",
	};

	return (size_t)kind < ARRAY_LEN(names) ? names[kind] : "unknown";
}
