/*
 * The one table of options. A setting is one row here, one in conf/sluice.conf.in and one in
 * doc/sluice.conf.5.in (scripts/check-options compares the three).
 */
#include "base/sys.h"

#include "base/num.h"
#include "data/conf_room.h"
#include "data/type.h"

#define AT(member) offsetof(struct conf, member)
#define RANGE(low, high) .min = (low), .max = (high)
#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define SECOND UINT64_C(1000)
#define HOUR (3600 * SECOND)
#define NO_MAX ((uint64_t)INT64_MAX)

#define OOXML "application/vnd.openxmlformats-officedocument."
#define ODF "application/vnd.oasis.opendocument."

static const char default_allow[] =
    "image/jpeg, image/png, image/gif, image/webp, image/tiff, image/heic, image/heif, image/avif,"
    " image/bmp, application/pdf, text/plain, text/csv, application/zip, application/rtf,"
    " application/msword, application/vnd.ms-excel, application/vnd.ms-powerpoint, " OOXML
    "wordprocessingml.document, " OOXML "spreadsheetml.sheet, " OOXML
    "presentationml.presentation, " ODF "text, " ODF "spreadsheet, " ODF "presentation";

static int
check_listen(const char *value, struct err *e)
{
	const char *port = strrchr(value, ':');

	if (value[0] == '/') {
		if (strlen(value) < 108) /* sun_path */
			return 0;
		return err_set(e, ERR_INPUT, "a socket's path must be shorter than 108 bytes");
	}
	if (port && (strncmp(value, "127.0.0.1:", 10) == 0 || strncmp(value, "[::1]:", 6) == 0)) {
		uint64_t n;

		if (num_u64(port + 1, 1, 65535, &n) == 0)
			return 0;
	}
	return err_set(e, ERR_INPUT,
	    "\"%s\" is neither an absolute path nor 127.0.0.1:PORT nor [::1]:PORT", value);
}

static int
check_prefix(const char *value, struct err *e)
{
	size_t n = strlen(value);

	if (n >= 2 && value[0] == '/' && value[n - 1] == '/' &&
	    strspn(value, "/_-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
		n)
		return 0;
	return err_set(
	    e, ERR_INPUT, "\"%s\" must begin and end with '/' and be plain in between", value);
}

static int
check_target(const char *value, struct err *e)
{
	if (value[0] == '/' || strcmp(value, "stderr") == 0 || strcmp(value, "syslog") == 0)
		return 0;
	return err_set(e, ERR_INPUT, "\"%s\" is not stderr, syslog or an absolute path", value);
}

/* clang-format off */
const struct conf_option conf_options[] = {
	{ "upload", "allow", CONF_TEXT, AT(upload.allow), .def = default_allow, .check = type_check_list },
	{ "upload", "mismatch", CONF_CHOICE, AT(upload.mismatch), .def = "reject", .words = "reject|warn|off" },
	{ "upload", "max_size", CONF_SIZE, AT(upload.max_size), .def = "10G", RANGE(0, NO_MAX) },
	{ "upload", "allow_empty", CONF_BOOL, AT(upload.allow_empty), .def = "yes" },
	{ "upload", "anonymous", CONF_BOOL, AT(upload.anonymous), .def = "no" },
	{ "upload", "min_rate", CONF_SIZE, AT(upload.min_rate), .def = "1K", RANGE(0, GIB) },
	{ "upload", "body_grace", CONF_DURATION, AT(upload.body_grace), .def = "60s", RANGE(SECOND, 24 * HOUR) },
	{ "upload", "read_timeout", CONF_DURATION, AT(upload.read_timeout), .def = "60s", RANGE(SECOND, HOUR) },

	{ "multipart", "max_parts", CONF_COUNT, AT(multipart.max_parts), .def = "100", RANGE(1, 10000) },
	{ "multipart", "max_headers", CONF_COUNT, AT(multipart.max_headers), .def = "16", RANGE(1, 100) },
	{ "multipart", "max_header_bytes", CONF_SIZE, AT(multipart.max_header_bytes), .def = "8K", RANGE(256, 64 * KIB) },
	{ "multipart", "max_name", CONF_SIZE, AT(multipart.max_name), .def = "256", RANGE(1, KIB) },
	{ "multipart", "max_filename", CONF_SIZE, AT(multipart.max_filename), .def = "1K", RANGE(1, 4 * KIB) },
	{ "multipart", "max_field", CONF_SIZE, AT(multipart.max_field), .def = "64K", RANGE(0, 16 * MIB) },
	{ "multipart", "max_fields", CONF_SIZE, AT(multipart.max_fields), .def = "1M", RANGE(0, 16 * MIB) },
	{ "multipart", "max_preamble", CONF_SIZE, AT(multipart.max_preamble), .def = "1K", RANGE(0, 64 * KIB) },
	{ "multipart", "max_padding", CONF_SIZE, AT(multipart.max_padding), .def = "64", RANGE(0, 1024) },

	{ "store", "dir", CONF_PATH, AT(store.dir), .def = SLUICE_LOCALSTATEDIR "/lib/sluice", .min = 1 },
	{ "store", "min_free", CONF_SIZE, AT(store.min_free), .def = "256M", RANGE(0, NO_MAX) },
	{ "store", "spool", CONF_PATH, AT(store.spool), .def = "" },
	{ "store", "spool_users", CONF_TEXT, AT(store.spool_users), .def = "" },
	{ "store", "spool_ahead", CONF_BOOL, AT(store.spool_ahead), .def = "yes" },

	{ "database", "conninfo", CONF_TEXT, AT(database.conninfo), .def = "dbname=sluice", .secret = true },
	{ "database", "connect_timeout", CONF_DURATION, AT(database.connect_timeout), .def = "5s", RANGE(SECOND, HOUR) },
	{ "database", "statement_timeout", CONF_DURATION, AT(database.statement_timeout), .def = "10s", RANGE(100, HOUR) },
	{ "database", "lock_timeout", CONF_DURATION, AT(database.lock_timeout), .def = "2s", RANGE(100, HOUR) },
	{ "database", "pooled", CONF_BOOL, AT(database.pooled), .def = "no" },

	{ "pool", "listen", CONF_TEXT, AT(pool.listen), .def = SLUICE_RUNSTATEDIR "/sluice/sluice.sock", .check = check_listen },
	{ "pool", "listen_mode", CONF_MODE, AT(pool.listen_mode), .def = "0660", RANGE(0, 0777) },
	{ "pool", "listen_group", CONF_TEXT, AT(pool.listen_group), .def = "" },
	{ "pool", "peers", CONF_TEXT, AT(pool.peers), .def = "" },
	{ "pool", "pm", CONF_CHOICE, AT(pool.pm), .def = "dynamic", .words = "static|dynamic" },
	{ "pool", "max_children", CONF_COUNT, AT(pool.max_children), .def = "16", RANGE(1, 4096) },
	{ "pool", "min_spare", CONF_COUNT, AT(pool.min_spare), .def = "2", RANGE(1, 4096) },
	{ "pool", "max_requests", CONF_COUNT, AT(pool.max_requests), .def = "10000", RANGE(0, NO_MAX) },
	{ "pool", "backlog", CONF_COUNT, AT(pool.backlog), .def = "4096", RANGE(1, 65535) },
	{ "pool", "stop_timeout", CONF_DURATION, AT(pool.stop_timeout), .def = "30s", RANGE(0, 24 * HOUR) },

	{ "download", "method", CONF_CHOICE, AT(download.method), .def = "stream", .words = "stream|accel|sendfile" },
	{ "download", "accel_prefix", CONF_TEXT, AT(download.accel_prefix), .def = "/_sluice/", .check = check_prefix },

	{ "auth", "remote_user", CONF_CHOICE, AT(auth.remote_user), .def = "off", .words = "off|existing|create" },

	{ "worker", "children", CONF_COUNT, AT(worker.children), .def = "0", RANGE(0, 1024) },
	{ "worker", "batch", CONF_COUNT, AT(worker.batch), .def = "0", RANGE(0, 1024) },
	{ "worker", "max_attempts", CONF_COUNT, AT(worker.max_attempts), .def = "3", RANGE(1, 100) },
	{ "worker", "lease", CONF_DURATION, AT(worker.lease), .def = "30s", RANGE(3 * SECOND, 24 * HOUR) },
	{ "worker", "poll", CONF_DURATION, AT(worker.poll), .def = "1s", RANGE(10, HOUR) },
	{ "worker", "max_pixels", CONF_COUNT, AT(worker.max_pixels), .def = "50000000", RANGE(1, 4000000000) },
	{ "worker", "max_side", CONF_COUNT, AT(worker.max_side), .def = "16000", RANGE(16, 65500) },
	{ "worker", "memory", CONF_SIZE, AT(worker.memory), .def = "768M", RANGE(64 * MIB, NO_MAX) },
	{ "worker", "total_memory", CONF_SIZE, AT(worker.total_memory), .def = "0", RANGE(0, NO_MAX) },
	{ "worker", "cpu_time", CONF_DURATION, AT(worker.cpu_time), .def = "10s", RANGE(SECOND, HOUR) },
	{ "worker", "wall_time", CONF_DURATION, AT(worker.wall_time), .def = "20s", RANGE(SECOND, HOUR) },
	{ "worker", "max_output", CONF_SIZE, AT(worker.max_output), .def = "8M", RANGE(KIB, GIB) },
	{ "worker", "decoder_user", CONF_TEXT, AT(worker.decoder_user), .def = "nobody" },
	{ "worker", "magick_dir", CONF_PATH, AT(worker.magick_dir), .def = SLUICE_MAGICKDIR, .min = 1 },

	{ "process", "user", CONF_TEXT, AT(process.user), .def = "" },
	{ "process", "group", CONF_TEXT, AT(process.group), .def = "" },
	{ "process", "pid_file", CONF_PATH, AT(process.pid_file), .def = "" },
	{ "process", "worker_pid_file", CONF_PATH, AT(process.worker_pid_file), .def = "" },

	{ "log", "target", CONF_TEXT, AT(log.target), .def = "stderr", .check = check_target },
	{ "log", "format", CONF_WORD, AT(log.format), .def = "text", .words = "text|json" },
	{ "log", "level", CONF_WORD, AT(log.level), .def = "info", .words = "error|warn|info|debug" },
};
/* clang-format on */

const size_t conf_option_count = ARRAY_LEN(conf_options);

const struct conf_option *
conf_find(const char *section, const char *key)
{
	for (size_t i = 0; i < conf_option_count; i++)
		if (strcmp(conf_options[i].section, section) == 0 &&
		    strcmp(conf_options[i].key, key) == 0)
			return &conf_options[i];
	return NULL;
}

bool
conf_has_section(const char *section)
{
	for (size_t i = 0; i < conf_option_count; i++)
		if (strcmp(conf_options[i].section, section) == 0)
			return true;
	return false;
}
