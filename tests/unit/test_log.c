#include "base/sys.h"

#include "base/log.h"
#include "tap.h"

#include <fcntl.h>
#include <sys/stat.h>

static char dir[] = "/tmp/sluice-log-XXXXXX";
static char path[64];
static char got[64 * 1024];

static void
start(bool json, enum log_level level)
{
	struct err e;

	unlink(path);
	if (log_open(&(struct log_conf){ "prog", path, json, level }, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
}

/* What the log file holds, and how many lines these are. */
static int
slurp(void)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(got, 1, sizeof got - 1, f) : 0;
	int count = 0;

	if (f)
		fclose(f);
	got[n] = '\0';
	for (size_t i = 0; i < n; i++)
		count += got[i] == '\n';
	return count;
}

/* The line after its time and process. */
static const char *
tail(void)
{
	const char *at = strstr(got, "] ");

	return at ? at + 2 : got;
}

static void
text_form(void)
{
	int year, pid;
	char z;

	start(false, LOG_LEVEL_INFO);
	log_error("rename(%s): %s", "a", "why");
	tap_is(slurp(), 1, "one line");
	tap_ok(sscanf(got, "%d-%*d-%*dT%*d:%*d:%*d.%*dZ prog[%d] error%c", &year, &pid, &z) == 3 &&
		   year >= 2024 && pid == getpid() && z == ':',
	    "time, program, pid, level");
	tap_str(tail(), "error: rename(a): why\n", "text");

	start(false, LOG_LEVEL_INFO);
	log_context("request", "ab12");
	log_context("user", "x y\n");
	log_warn("m");
	slurp();
	tap_str(tail(), "warn request=ab12 user=x\\x20y\\n: m\n", "fields");
	start(false, LOG_LEVEL_INFO);
	log_context("request", "cd");
	log_context("third", "no room");
	log_context("user", NULL);
	log_info("m");
	slurp();
	tap_str(tail(), "info request=cd: m\n", "a field changed, one removed");
	log_context("request", NULL);
}

static void
levels(void)
{
	start(false, LOG_LEVEL_WARN);
	log_error("1");
	log_warn("2");
	log_info("3");
	log_debug("4");
	tap_is(slurp(), 2, "levels");
	tap_ok(log_enabled(LOG_LEVEL_WARN) && !log_enabled(LOG_LEVEL_INFO), "log_enabled");
	errno = EXDEV;
	log_error("x");
	tap_is(errno, EXDEV, "errno is kept");
}

/* Whatever comes, one event is one line. */
static void
escaping(void)
{
	static const char evil[] =
	    "a\nb\r\tc\x1b[31m\x7f\\ \xff\xc2\x9b \xe2\x80\xa8 \xe2\x80\xae \xc3\xa9";

	start(false, LOG_LEVEL_INFO);
	log_error("%s", evil);
	tap_is(slurp(), 1, "control characters make no second line");
	tap_str(tail(),
	    "error: a\\nb\\r\\tc\\x1b[31m\\x7f\\\\ \\xff\\xc2\\x9b \\xe2\\x80\\xa8 \\xe2\\x80\\xae "
	    "\xc3\xa9\n",
	    "text form");

	start(true, LOG_LEVEL_INFO);
	log_context("request", "q\"\n");
	log_error("%s \"quoted\"", evil);
	log_context("request", NULL);
	tap_is(slurp(), 1, "nor in JSON");
	tap_ok(strncmp(got, "{\"time\":\"2", 10) == 0, "it begins as an object");
	tap_ok(strstr(got, "\"level\":\"error\",\"program\":\"prog\",\"pid\":"), "its members");
	tap_ok(strstr(got, ",\"request\":\"q\\\"\\n\",\"message\":\""), "its field");
	tap_str(strstr(got, "\"message\""),
	    "\"message\":\"a\\nb\\r\\tc\\u001b[31m\\u007f\\\\ \\\\xff\\u009b \\u2028 \\u202e "
	    "\xc3\xa9 \\\"quoted\\\"\"}\n",
	    "JSON form");

	for (int json = 0; json < 2; json++) {
		int want = 0;

		start(json, LOG_LEVEL_INFO);
		for (int c = 1; c < 256; c++, want++)
			log_error("x%cy%c%cz", c, c, 256 - c);
		tap_is(slurp(), want, "any byte, still one line each");
	}
}

static void
cutting(void)
{
	char big[10000];

	for (int json = 0; json < 2; json++) {
		const char *end = json ? "...\"}\n" : "...\n";

		start(json, LOG_LEVEL_INFO);
		memset(big, 'x', sizeof big - 1);
		big[sizeof big - 1] = '\0';
		log_error("%s", big);
		tap_is(slurp(), 1, "a long message is one line");
		tap_ok(strlen(got) <= 4096 && strlen(got) > 4000, "of 4 KiB at most");
		tap_str(got + strlen(got) - strlen(end), end, "with its end marked");

		start(json, LOG_LEVEL_INFO);
		memset(big, '\x01', sizeof big - 1);
		log_error("%s", big);
		slurp();
		tap_ok(strlen(got) <= 4096, "escapes count too");
		tap_ok(strcmp(got + strlen(got) - strlen(end) - 2,
			   json ? "01...\"}\n" : "01...\n") == 0,
		    "and are not cut in two");
	}
}

static void
losing(void)
{
	uint64_t before = log_dropped();
	int fd, keep;

	start(false, LOG_LEVEL_INFO);
	keep = fcntl(STDIN_FILENO, F_DUPFD, 200);
	fd = open(path, O_RDONLY); /* one above the log's descriptor, or below if there is a gap */
	for (int i = 3; i < fd + 1; i++)
		close(i);
	errno = EXDEV;
	log_error("lost");
	log_error("lost again");
	tap_is((long long)(log_dropped() - before), 2, "lines to a closed descriptor are counted");
	tap_is(errno, EXDEV, "and harmless");
	close(keep);
	start(false, LOG_LEVEL_INFO);
	log_error("back");
	tap_is(slurp(), 1, "log_open heals it");
	tap_is((long long)(log_dropped() - before), 2, "nothing more is lost");
}

static void
rotating(void)
{
	char old[80];

	start(false, LOG_LEVEL_INFO);
	snprintf(old, sizeof old, "%s.1", path);
	log_error("one");
	tap_is(rename(path, old), 0, "rotate");
	log_error("two");
	log_reopen();
	log_error("three");
	tap_is(slurp(), 1, "after log_reopen lines go to the new file");
	tap_str(tail(), "error: three\n", "from then on");
	log_reopen();
	log_error("again");
	tap_is(slurp(), 2, "opening it again keeps what is there");
	tap_is(truncate(path, 0), 0, "another truncates it");
	log_error("after");
	slurp();
	tap_str(tail(), "error: after\n", "lines are appended, there is no hole");
	unlink(old);
	unlink(path);
	tap_is(mkdir(path, 0700), 0, "a directory stands in the way");
	log_reopen();
	log_error("four");
	tap_is((long long)log_dropped(), 2, "the old descriptor stays in use");
	rmdir(path);
}

static void
targets(void)
{
	struct err e;

	tap_ok(log_open(&(struct log_conf){ "p", "relative", false, LOG_LEVEL_INFO }, &e) == -1 &&
		   e.kind == ERR_INTERNAL,
	    "a relative path is refused");
	tap_ok(
	    log_open(&(struct log_conf){ "p", "/nonexistent/x", false, LOG_LEVEL_INFO }, &e) == -1,
	    "a path that cannot be opened");
	tap_str(e.text, "open(/nonexistent/x): No such file or directory", "says why");
	tap_is(
	    log_open(&(struct log_conf){ "p", "stderr", false, LOG_LEVEL_INFO }, &e), 0, "stderr");
	log_reopen();
}

int
main(void)
{
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	snprintf(path, sizeof path, "%s/log", dir);
	text_form();
	levels();
	escaping();
	cutting();
	losing();
	rotating();
	targets();
	unlink(path);
	tap_is(rmdir(dir), 0, "nothing is left over");
	return tap_done();
}
