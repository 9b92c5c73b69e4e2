#include "base/sys.h"
#include "worker/decode.h"
#include "worker/jail.h"
#include "worker/render.h"
#include "base/fdio.h"
#include "base/num.h"
#include "base/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { IN = 0, OUT = 1 };

/* Address space that code and libraries take already, which is not the picture's. */
static uint64_t
address_space(void)
{
	char buf[64];
	uint64_t pages = 0;
	size_t len;
	ssize_t n;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	n = read(fd, buf, sizeof(buf));
	close(fd);
	for (len = 0; n > 0 && len < (size_t)n && buf[len] != ' '; len++)
		continue;
	if (num_u64n(buf, len, 1, UINT64_MAX >> 16, &pages) < 0)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
take_default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, sig == SIGPIPE ? SIG_IGN : SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The whole file as memory: nothing is copied, and files of the store never change. */
static const void *
map_picture(uint64_t size)
{
	struct stat st;
	void *p;

	if (fstat(IN, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size != size)
		return NULL;
	p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, IN, 0);
	return p == MAP_FAILED ? NULL : p;
}

void
decode_main(const struct wire_job *job, int in, int out, pid_t parent)
{
	uint64_t code = address_space();
	struct jail_conf conf = {
		.memory = job->memory + job->file_size + code,
		.data = job->memory + code, /* whatever the size of the file */
		.cpu_s = (job->cpu_ms + 999) / 1000,
		.threads =
		    job->picture.format == PICTURE_HEIC || job->picture.format == PICTURE_AVIF,
	};
	struct wire_thumbnail made[CONF_MAX_RENDITIONS];
	char why[WIRE_TEXT + 1];
	enum wire_status status;
	struct err e = { 0 };
	const void *p;
	int rc;

	proc_die_with_parent(SIGKILL, parent);
	take_default_signals();
	if (jail_enter(&conf, in, out, &e) < 0) {
		snprintf(why, sizeof(why), "the sandbox cannot be set up: %.150s", e.text);
		_exit(wire_reply_fail(OUT, WIRE_INTERNAL, why) < 0 ? 1 : 0);
	}
	p = map_picture(job->file_size);
	if (p == NULL) {
		rc = wire_reply_fail(OUT, WIRE_INTERNAL, "the picture cannot be mapped");
		_exit(rc < 0 ? 1 : 0);
	}
	status = render_run(job, p, (size_t)job->file_size, made, why);
	rc = status == WIRE_OK ? wire_reply_send(OUT, made, job->renditions)
			       : wire_reply_fail(OUT, status, why);
	_exit(rc < 0 ? 1 : 0);
}

static void NO_RETURN
try_jail(int out)
{
	uint64_t memory = (64ULL << 20) + address_space();
	struct jail_conf conf = { .memory = memory, .data = memory, .cpu_s = 1 };
	struct err e = { 0 };
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (jail_enter(&conf, in, out, &e) < 0)
		_exit(fdio_write(OUT, e.text, strlen(e.text)) < 0 ? 2 : 1);
	_exit(0);
}

int
decode_check(struct err *e)
{
	char text[256] = "";
	int out[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, "pipe to try the sandbox");
	pid = fork();
	if (pid == 0)
		try_jail(out[1]);
	fdio_drop(&out[1]);
	n = fdio_read_full(out[0], text, sizeof(text) - 1);
	fdio_drop(&out[0]);
	if (pid < 0)
		return err_sys(e, "fork to try the sandbox");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (status == 0 && n == 0)
		return 0;
	return err_set(e, ERR_DENIED, "the sandbox cannot be set up on this machine: %s",
	    n > 0 ? text : "the child that tried died");
}
