/*
 * conf.h: the configuration of all three programs: one INI file, one table, const after loading.
 *
 *	struct conf *c = conf_load(path, overrides, &e);     exit 78 with e.text when NULL
 *	conf_free(&c);
 *
 * Order: built-in defaults, the file, conf.d/ (*.conf beside it, in name order), credentials of
 * systemd, the environment (SLUICE_SECTION_KEY; SLUICE_SECTION_KEY_FILE reads the value from a
 * file), then overrides ("section.key=value", "rendition.NAME.key=value"). Unknown section or key,
 * bad value, a key twice in one file: "file:line: section.key: reason". A variable of the
 * environment that names no key is ignored.
 */
#ifndef SLUICE_DATA_CONF_H
#define SLUICE_DATA_CONF_H

#include "base/err.h"

enum conf_mismatch { MISMATCH_REJECT, MISMATCH_WARN, MISMATCH_OFF };
enum conf_pm { PM_STATIC, PM_DYNAMIC };
enum conf_serve { SERVE_STREAM, SERVE_ACCEL, SERVE_SENDFILE };
enum conf_remote_user { REMOTE_USER_OFF, REMOTE_USER_EXISTING, REMOTE_USER_CREATE };
enum conf_format { FORMAT_JPEG, FORMAT_PNG, FORMAT_WEBP };

enum { CONF_MAX_RENDITIONS = 16, CONF_NAME_MAX = 32 };

struct conf_rendition {               /* [rendition NAME] */
	char name[CONF_NAME_MAX + 1]; /* [a-z0-9_-]+ */
	unsigned width, height;
	bool crop; /* fill the box and cut, instead of fitting inside it */
	enum conf_format format;
	unsigned quality; /* 1..100 */
};

struct conf_upload {
	char *allow; /* comma-separated media types, or a wildcard for all */
	enum conf_mismatch mismatch;
	uint64_t max_size; /* bytes of one file; 0: no limit */
	bool allow_empty, anonymous;
	uint64_t min_rate; /* bytes a second a body must average once body_grace has passed */
	uint64_t body_grace, read_timeout; /* ms */
};

struct conf_multipart {
	uint64_t max_parts, max_headers, max_header_bytes, max_name, max_filename;
	uint64_t max_field, max_fields, max_preamble, max_padding;
};

struct conf_store {
	char *dir, *spool, *spool_users; /* spool: where handed-off bodies may lie; their owners */
	bool spool_ahead;                /* hash them while they are spooled */
	uint64_t min_free;               /* bytes that uploads must leave free */
};

struct conf_database {
	char *conninfo;
	uint64_t connect_timeout, statement_timeout, lock_timeout; /* ms */
	bool pooled; /* behind PgBouncer in transaction mode */
};

struct conf_pool {
	char *listen;               /* absolute path, or 127.0.0.1:port / [::1]:port */
	unsigned listen_mode;       /* octal, 0660 */
	char *listen_group, *peers; /* who may connect; "" = own user and root */
	enum conf_pm pm;
	uint64_t max_children, min_spare, max_requests, backlog;
	uint64_t stop_timeout; /* ms from TERM until running requests are ended */
};

struct conf_serve_files { /* [download] */
	enum conf_serve method;
	char *accel_prefix; /* internal location, "/_sluice/" */
};

struct conf_auth {
	enum conf_remote_user remote_user;
};

struct conf_worker {
	uint64_t children, batch, max_attempts, max_pixels, max_side;
	uint64_t lease, poll;            /* ms */
	uint64_t memory, total_memory;   /* bytes: of one decoder; predicted, of all at once */
	uint64_t cpu_time, wall_time;    /* ms, one picture */
	uint64_t max_output;             /* bytes of one thumbnail */
	char *decoder_user, *magick_dir; /* uid of the zygote under root; where our policy.xml is */
};

struct conf_process {
	char *user, *group, *pid_file, *worker_pid_file;
};

struct conf_log {
	char *target, *format, *level; /* stderr|syslog|path, text|json, error|warn|info|debug */
};

struct conf {
	struct conf_upload upload;
	struct conf_multipart multipart;
	struct conf_store store;
	struct conf_database database;
	struct conf_pool pool;
	struct conf_serve_files download;
	struct conf_auth auth;
	struct conf_worker worker;
	struct conf_process process;
	struct conf_log log;
	struct conf_rendition rendition[CONF_MAX_RENDITIONS]; /* in the order of the file */
	size_t renditions; /* never 0: without a section "small" = 256x256 jpeg 80 is built in */
};

/*
 * path NULL: $SLUICE_CONF, else the compiled-in path; missing is an error only when it was named.
 * overrides ends with NULL, or is NULL. NULL with e (ERR_INPUT) on a bad configuration.
 */
struct conf *conf_load(const char *path, const char *const *overrides, struct err *e);
void conf_free(struct conf **c);

/* Writes the effective configuration as an INI file (-T); passwords in conninfo are masked. */
void conf_dump(const struct conf *c, FILE *out);

#endif
