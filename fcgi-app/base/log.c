/*
 * A line is put together in one buffer on the stack and handed to one write(2): lines of several
 * processes cannot mix, a fork never doubles buffered text, and nothing is allocated.
 */
#include "base/sys.h"

#include "base/log.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/strbuf.h"

#include <fcntl.h>
#include <syslog.h>

enum { LINE_MAX_LEN = 4096, FIELDS = 2 };

static struct {
	char program[32];
	char path[PATH_MAX]; /* "" unless the target is a file */
	int fd;
	bool syslog;
	bool json;
	enum log_level level;
	uint64_t dropped;
	struct {
		char key[16];
		char value[128];
	} field[FIELDS];
} state = { .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static int
open_file(const char *path)
{
	int fd;

	do
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	while (fd < 0 && errno == EINTR);
	return fd;
}

/* Not when fd has the same number: then somebody closed the old one behind our back. */
static void
replace_fd(int fd)
{
	if (state.path[0] != '\0' && state.fd != fd)
		close(state.fd);
	state.fd = fd;
}

static void
close_target(int next)
{
	replace_fd(next);
	if (state.syslog)
		closelog();
	state.path[0] = '\0';
	state.syslog = false;
}

int
log_open(const struct log_conf *conf, struct err *e)
{
	const char *target = conf->target ? conf->target : "stderr";
	bool is_file = target[0] == '/';
	int fd = STDERR_FILENO;

	if (!is_file && strcmp(target, "stderr") != 0 && strcmp(target, "syslog") != 0)
		return err_set(e, ERR_INTERNAL,
		    "log target \"%s\": neither stderr, syslog nor an absolute path", target);
	if (strlen(target) >= sizeof state.path)
		return err_set(e, ERR_INTERNAL, "log target: path too long");
	if (is_file && (fd = open_file(target)) < 0)
		return err_sys(e, "open(%s)", target);

	close_target(fd);
	state.json = conf->json;
	state.level = conf->level;
	snprintf(state.program, sizeof state.program, "%s", conf->program ? conf->program : "");
	if (is_file)
		memcpy(state.path, target, strlen(target) + 1);
	if (strcmp(target, "syslog") == 0) {
		openlog(state.program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
		state.syslog = true;
	}
	return 0;
}

void
log_reopen(void)
{
	int fd;

	if (state.path[0] == '\0')
		return;
	fd = open_file(state.path);
	if (fd < 0) {
		log_error(
		    "open(%s): %s; going on with the old log file", state.path, strerror(errno));
		return;
	}
	replace_fd(fd);
}

void
log_context(const char *key, const char *value)
{
	int at = -1;

	for (int i = FIELDS - 1; i >= 0; i--) {
		if (strcmp(state.field[i].key, key) == 0) {
			at = i;
			break;
		}
		if (state.field[i].key[0] == '\0')
			at = i;
	}
	if (at < 0)
		return;
	snprintf(state.field[at].key, sizeof state.field[at].key, "%s", value ? key : "");
	snprintf(state.field[at].value, sizeof state.field[at].value, "%s", value ? value : "");
}

bool
log_enabled(enum log_level level)
{
	return level <= state.level;
}

uint64_t
log_dropped(void)
{
	return state.dropped;
}

/* ---- one line ------------------------------------------------------------------------------ */

struct line {
	char s[LINE_MAX_LEN];
	size_t len;
	bool full; /* something did not fit: nothing more is added */
};

/* What is kept free for the mark of a cut and the end of a line. */
static const char cut_mark[] = "...";
static const char json_end[] = "\"}\n";
enum { ROOM = LINE_MAX_LEN - sizeof cut_mark - sizeof json_end };

static void
add(struct line *l, const char *s, size_t n)
{
	if (l->full || n > ROOM - l->len) {
		l->full = true;
		return;
	}
	memcpy(l->s + l->len, s, n);
	l->len += n;
}

static void PRINTF_LIKE(2, 3) addf(struct line *l, const char *fmt, ...)
{
	char piece[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(piece, sizeof piece, fmt, ap);
	va_end(ap);
	add(l, piece, n < 0 ? 0 : (size_t)n < sizeof piece ? (size_t)n : sizeof piece - 1);
}

/* Controls of terminals, line separators of Unicode, and what turns the reading direction. */
static bool
is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x200e || cp == 0x200f ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

/* Bytes that are no character, or one that may not stand in a line of text. */
static void
add_bytes(struct line *l, const char *s, size_t n)
{
	char out[4 * 5 + 1] = "";
	size_t len = 0;

	for (size_t i = 0; i < n && i < 4; i++)
		len += (size_t)snprintf(out + len, sizeof out - len, "%s\\x%02x",
		    state.json ? "\\" : "", (unsigned char)s[i]);
	add(l, out, len);
}

static void
add_control(struct line *l, const char *s, size_t n, uint32_t cp)
{
	static const char letters[][2] = { { '\n', 'n' }, { '\r', 'r' }, { '\t', 't' } };

	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		if (cp == (uint32_t)letters[i][0]) {
			add(l, (const char[]){ '\\', letters[i][1] }, 2);
			return;
		}
	}
	if (state.json)
		addf(l, "\\u%04x", (unsigned)cp);
	else
		add_bytes(l, s, n);
}

/* Outside text. In a field of the text form a space would end the field, so it is escaped too. */
static void
add_escaped(struct line *l, const char *s, bool field)
{
	size_t n = strlen(s);

	while (n > 0 && !l->full) {
		uint32_t cp = 0;
		size_t len = codec_utf8(s, n, &cp);

		if (len == 0)
			add_bytes(l, s, len = 1);
		else if (is_control(cp))
			add_control(l, s, len, cp);
		else if (cp == '\\' || (state.json && cp == '"'))
			add(l, (const char[]){ '\\', (char)cp }, 2);
		else if (field && !state.json && cp == ' ')
			add_bytes(l, s, len);
		else
			add(l, s, len);
		s += len;
		n -= len;
	}
}

static void
add_fields(struct line *l)
{
	for (int i = 0; i < FIELDS; i++) {
		if (state.field[i].key[0] == '\0')
			continue;
		addf(l, state.json ? ",\"%s\":\"" : " %s=", state.field[i].key);
		add_escaped(l, state.field[i].value, true);
		if (state.json)
			add(l, "\"", 1);
	}
}

static void
add_head(struct line *l, enum log_level level)
{
	char when[CLOCK_RFC3339];
	struct timespec now;
	const char *program =
	    state.program[0] != '\0' ? state.program : program_invocation_short_name;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_rfc3339(&now, when);
	if (state.json)
		addf(l, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"pid\":%d", when,
		    level_names[level], program, (int)getpid());
	else if (state.syslog)
		addf(l, "%s", level_names[level]);
	else
		addf(l, "%s %s[%d] %s", when, program, (int)getpid(), level_names[level]);
}

static void
emit(struct line *l, enum log_level level)
{
	static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
	ssize_t n;

	if (l->full) {
		memcpy(l->s + l->len, cut_mark, sizeof cut_mark - 1);
		l->len += sizeof cut_mark - 1;
	}
	if (state.json) {
		memcpy(l->s + l->len, json_end, sizeof json_end - 1);
		l->len += sizeof json_end - 1;
	} else {
		l->s[l->len++] = '\n';
	}
	if (state.syslog) {
		syslog(priorities[level], "%.*s", (int)l->len - 1, l->s);
		return;
	}
	n = write(state.fd, l->s, l->len);
	if (n < 0 || (size_t)n != l->len)
		state.dropped++;
}

static void PRINTF_LIKE(2, 0) log_line(enum log_level level, const char *fmt, va_list ap)
{
	int saved = errno;
	char message[LINE_MAX_LEN];
	struct line l = { .len = 0 };

	if (!log_enabled(level))
		return;
	if (vsnprintf(message, sizeof message, fmt, ap) < 0)
		snprintf(message, sizeof message, "(message that cannot be formatted)");
	add_head(&l, level);
	add_fields(&l);
	if (state.json)
		addf(&l, ",\"message\":\"");
	else
		add(&l, ": ", 2);
	add_escaped(&l, message, false);
	emit(&l, level);
	errno = saved;
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}
