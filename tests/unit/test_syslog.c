/*
 * The log's syslog target. The path /dev/log is fixed, so the test gets a mount namespace with a
 * /dev of its own, and is skipped where it gets none.
 */
#include "base/sys.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"
#include "tap.h"

static int daemon_fd = -1;
static char got[2048];

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* A user namespace in which we are who we were. */
static bool
own_users(void)
{
	char users[64], groups[64];

	snprintf(users, sizeof(users), "%u %u 1\n", (unsigned)geteuid(), (unsigned)geteuid());
	snprintf(groups, sizeof(groups), "%u %u 1\n", (unsigned)getegid(), (unsigned)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/uid_map", users) && write_file("/proc/self/gid_map", groups);
}

/* As root a mount namespace alone will do. */
static bool
own_dev(void)
{
	if (unshare(CLONE_NEWNS) < 0 && !own_users())
		return false;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/dev", "tmpfs", 0, NULL) == 0;
}

static void
daemon_start(void)
{
	static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };

	unlink(address.sun_path);
	daemon_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (daemon_fd < 0 ||
	    bind(daemon_fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		printf("Bail out! /dev/log: %s\n", strerror(errno));
		exit(1);
	}
}

/* The next message without its time: "<priority>" and what follows the time; "" when none came. */
static const char *
receive(void)
{
	ssize_t n = recv(daemon_fd, got, sizeof(got) - 1, 0);
	char *from, *to;

	got[n > 0 ? n : 0] = '\0';
	to = strchr(got, '>');
	from = to ? strstr(to, " prog[") : NULL;
	if (from)
		memmove(to + 1, from + 1, strlen(from + 1) + 1);
	return got;
}

static void
expect(int priority, const char *text, const char *name)
{
	char want[256];

	snprintf(want, sizeof(want), "<%d>prog[%d]: %s", priority, (int)getpid(), text);
	tap_str(receive(), want, name);
}

static void
start(bool json)
{
	struct err e;

	if (log_open(&(struct log_conf){ "prog", "syslog", json, LOG_LEVEL_INFO }, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
}

static void
test_messages(void)
{
	start(false);
	log_error("rename(%s): %s", "a", "why");
	expect(27, "error: rename(a): why", "an error of facility daemon");
	log_warn("100%% of %s", "%s%n");
	expect(28, "warn: 100% of %s%n", "a warning, its text is no format");
	log_info("one\nline\x1b[31m");
	expect(30, "info: one\\nline\\x1b[31m", "control characters are escaped");
	log_debug("too much");
	tap_str(receive(), "", "nothing below the level");
	log_context("request", "abc");
	log_info("x");
	expect(30, "info request=abc: x", "the context");
	log_context("request", NULL);
}

static void
test_json(void)
{
	start(true);
	log_error("broken");
	receive();
	tap_ok(strncmp(got, "<27>prog[", 9) == 0 && strstr(got, "]: {\"time\":\"") &&
		   got[strlen(got) - 1] == '}' && strstr(got, "\"message\":\"broken\""),
	    "JSON: %s", got);
}

/* Nobody is stopped by a log daemon that is away. */
static void
test_restart(void)
{
	start(false);
	close(daemon_fd);
	log_error("lost");
	daemon_start();
	log_error("back");
	expect(27, "error: back", "a daemon that was restarted is found again");
	log_reopen();
	log_error("still there");
	expect(27, "error: still there", "rotation is the daemon's business");
}

int
main(void)
{
	if (!own_dev())
		return tap_skip_all("no mount namespace for a /dev of its own");
	daemon_start();
	test_messages();
	test_json();
	test_restart();
	close(daemon_fd);
	return tap_done();
}
