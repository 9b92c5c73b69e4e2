#include "base/sys.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "fcgi/listen.h"
#include "tap.h"

static char dir[] = "/tmp/sluice-listen-XXXXXX";
static char *path;
static struct conf conf;

static int
connects(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), rc;

	if (str_copy(sa.sun_path, sizeof(sa.sun_path), path) < 0)
		return -1;
	rc = connect(fd, (const struct sockaddr *)&sa, sizeof(sa));
	close(fd);
	return rc;
}

static void
test_own(void)
{
	enum listen_kind kind;
	struct stat st = { 0 };
	struct err e;
	int fd, other;

	umask(077);
	fd = listen_open(&conf, &kind, &e);
	tap_ok(fd >= 0 && kind == LISTEN_OWN, "a socket of our own");
	tap_ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0620, "its mode is as asked for");
	tap_ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "close-on-exec");
	tap_ok(fcntl(fd, F_GETFL) & O_NONBLOCK, "non-blocking");
	tap_ok(listen_has_peers(fd), "it knows its peers");
	tap_is(connects(), 0, "one can connect");
	other = listen_open(&conf, &kind, &e);
	tap_ok(other < 0 && e.kind == ERR_CONFLICT, "a second one is refused");
	tap_is(connects(), 0, "and the first still listens");
	fdio_drop(&fd);
	fd = listen_open(&conf, &kind, &e);
	tap_ok(fd >= 0, "a stale socket is replaced");
	listen_unlink(&conf);
	tap_ok(stat(path, &st) < 0, "the file is removed");
	fdio_drop(&fd);
}

static void
test_in_the_way(void)
{
	enum listen_kind kind;
	struct stat st = { 0 };
	struct err e;
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	fdio_drop(&fd);
	fd = listen_open(&conf, &kind, &e);
	tap_ok(fd < 0 && e.kind == ERR_CONFLICT, "a file in the way is an error");
	tap_ok(stat(path, &st) == 0 && S_ISREG(st.st_mode), "and stays");
	unlink(path);
	conf.pool.listen_group = mem_strdup("no-such-group-here");
	fd = listen_open(&conf, &kind, &e);
	tap_ok(fd < 0 && e.kind == ERR_INPUT, "an unknown group is an error");
	tap_ok(stat(path, &st) < 0, "and leaves no socket behind");
	mem_free(conf.pool.listen_group);
	conf.pool.listen_group = NULL;
}

static void
test_tcp(void)
{
	static const char *const bad[] = { "10.0.0.1:8000", "0.0.0.0:8000", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+1", "[::]:8000",
		"localhost:8000", "relative/path" };
	char *saved = conf.pool.listen;
	enum listen_kind kind;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		conf.pool.listen = mem_strdup(bad[i]);
		tap_ok(listen_open(&conf, &kind, &e) < 0 && e.kind == ERR_INPUT, "not %s", bad[i]);
		mem_free(conf.pool.listen);
	}
	conf.pool.listen = saved;
}

/* In a child: fd becomes descriptor `as`, LISTEN_PID names us or not. The exit code is the kind. */
static int
inherit(int fd, int as, bool mine, const char *count)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		enum listen_kind kind;
		struct err e;
		char text[32];

		snprintf(text, sizeof(text), "%d", mine ? (int)getpid() : 1);
		if (count != NULL) {
			setenv("LISTEN_PID", text, 1);
			setenv("LISTEN_FDS", count, 1);
		}
		if (dup2(fd, as) < 0)
			_exit(100);
		if (listen_open(&conf, &kind, &e) < 0)
			_exit(101);
		_exit(getenv("LISTEN_FDS") == NULL ? (int)kind : 102);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_inherited(void)
{
	enum listen_kind kind;
	struct err e;
	int fd = listen_open(&conf, &kind, &e), null = open("/dev/null", O_RDWR);

	listen_unlink(&conf);
	tap_is(inherit(fd, 3, true, "1"), LISTEN_INHERITED, "LISTEN_FDS is taken");
	tap_is(inherit(fd, 3, false, "1"), LISTEN_OWN, "LISTEN_FDS for another process is not");
	listen_unlink(&conf);
	tap_is(inherit(fd, 3, true, "2"), 101, "two sockets are an error");
	tap_is(inherit(null, 3, true, "1"), 101, "what does not listen is an error");
	tap_is(inherit(fd, 0, true, NULL), LISTEN_FD0, "a listening socket on descriptor 0");
	listen_unlink(&conf);
	fdio_drop(&fd);
	fdio_drop(&null);
}

static void
test_users(void)
{
	uid_t *uids = NULL;
	size_t n;
	struct err e;

	tap_ok(
	    listen_users("", &uids, &n, &e) == 0 && n == 2 && uids[0] == geteuid() && uids[1] == 0,
	    "no names: ourselves and root");
	mem_free(uids);
	tap_ok(listen_users(" root,4711 ,root", &uids, &n, &e) == 0 && n == 3 && uids[0] == 0 &&
		   uids[1] == 4711,
	    "names and numbers");
	mem_free(uids);
	tap_ok(listen_users("root,no-such-user-here", &uids, &n, &e) < 0 && e.kind == ERR_INPUT &&
		   strstr(e.text, "no-such-user-here") != NULL,
	    "an unknown name is an error");
	tap_ok(listen_users("-1", &uids, &n, &e) < 0, "a negative number is an error");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	path = mem_printf("%s/s.sock", dir);
	conf.pool.listen = path;
	conf.pool.listen_mode = 0620;
	conf.pool.backlog = 5;
	test_own();
	test_in_the_way();
	test_tcp();
	test_inherited();
	test_users();
	rmdir(dir);
	mem_free(path);
	return tap_done();
}
