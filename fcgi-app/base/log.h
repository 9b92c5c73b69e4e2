/*
 * log.h: one line per event.
 *
 *	log_open(&(struct log_conf){ .program = "sluice-fcgi", .target = "stderr", ... }, &e);
 *	log_context("request", id);           until log_context("request", NULL)
 *	log_error("rename(%s, %s): %s", a, b, strerror(errno));
 *	log_reopen();                         after rotation (USR1)
 *
 * Text form:  2026-11-21T17:12:56.123Z sluice-fcgi[123] error request=ab12: rename(a, b): ...
 * JSON form:  {"time":...,"level":"error","program":...,"pid":123,"request":"ab12","message":...}
 * Control characters and invalid UTF-8 are escaped (\n as \\n, others as \\xNN), a line is cut at
 * 4 KiB, and each line is one write(2). A line that cannot be written is counted, never retried.
 * Never pass a secret.
 */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_conf {
	const char *program;
	const char *target; /* "stderr", "syslog" or an absolute path */
	bool json;
	enum log_level level;
};

/* Copies what it needs. 0, or -1 with ERR_INTERNAL; before it, lines go to stderr as text. */
MUST_CHECK int log_open(const struct log_conf *conf, struct err *e);

/* Opens a file target again by its path; on failure goes on with the old descriptor and says so. */
void log_reopen(void);

/* Sets (or, with NULL, removes) one of at most two fields that stand on every line. */
void log_context(const char *key, const char *value);

bool log_enabled(enum log_level level);

/* Lines lost so far because they could not be written. */
uint64_t log_dropped(void);

void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
