#include "base/sys.h"

#include "base/fdio.h"
#include "base/mem.h"
#include "worker/jail.h"
#include "tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#endif
#ifndef ASAN
#define ASAN 0
#endif

enum { FREE = 0, REFUSED = 7, DONE = 11 }; /* exit codes of what is tried */

static bool threads;

/* Runs try in a jail. The wait status; what it wrote is in said. */
static char said[64];

static int
in_jail(int (*try)(void))
{
	struct jail_conf conf = {
		.memory = 512 << 20, .data = 256 << 20, .cpu_s = 1, .threads = threads
	};
	struct err e = { 0 };
	int out[2], in = open("/dev/zero", O_RDONLY), status = -1;
	ssize_t n;
	pid_t pid;

	if (pipe(out) < 0)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (jail_enter(&conf, in, out[1], &e) < 0) {
			(void)!write(1, e.text, strlen(e.text));
			_exit(99);
		}
		_exit(try());
	}
	close(out[1]);
	close(in);
	memset(said, 0, sizeof(said));
	n = fdio_read_full(out[0], said, sizeof(said) - 1);
	close(out[0]);
	if (n < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static int
work(void)
{
	char buf[16];
	void *p;

	if (read(0, buf, sizeof(buf)) != sizeof(buf) || write(1, "hello", 5) != 5)
		return FREE;
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return FREE;
	memset(p, 1, 1 << 20);
	return DONE;
}

static int
open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES ? REFUSED : FREE;
}

static int
open_raw(void)
{
	/* openat2 is not even refused: nobody needs it. */
	return syscall(437, AT_FDCWD, "/etc/passwd", NULL, 0) < 0 ? REFUSED : FREE;
}

static int
make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? REFUSED : FREE;
}

static int
do_fork(void)
{
	pid_t pid = fork();

	return pid < 0 ? REFUSED : FREE;
}

static int
do_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return REFUSED;
}

static int
kill_parent(void)
{
	return kill(getppid(), 0) < 0 ? REFUSED : FREE;
}

static int
trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? REFUSED : FREE;
}

static int
make_code(void)
{
	void *p = mmap(
	    NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? REFUSED : FREE;
}

static int
allow_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0 ? REFUSED : FREE;
}

static long number;

static int
by_number(void)
{
	return syscall(number, 0L, 0L, 0L, 0L, 0L, 0L) < 0 ? REFUSED : FREE;
}

static int
raise_limit(void)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_AS, &r) < 0 ? REFUSED : FREE;
}

static int
other_descriptors(void)
{
	char c;

	for (int fd = 2; fd < 64; fd++)
		if (read(fd, &c, 1) >= 0 || errno != EBADF || lseek(fd, 0, SEEK_CUR) >= 0 ||
		    errno != EBADF)
			return FREE;
	return REFUSED;
}

static int
much_memory(void)
{
	return malloc(4ULL << 30) == NULL ? REFUSED : FREE;
}

/* What is mapped to be read does not make room for more that is written. */
static int
much_data(void)
{
	void *p = mmap(NULL, 384 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || munmap(p, 384 << 20) < 0)
		return FREE;
	p = mmap(NULL, 384 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? REFUSED : FREE;
}

static int
share(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? REFUSED : FREE;
}

static int
burn(void)
{
	volatile uint64_t i = 0;

	while (i < UINT64_MAX)
		i++;
	return FREE;
}

static void *
in_thread(void *arg)
{
	*(int *)arg = DONE;
	return NULL;
}

static int
make_thread(void)
{
	pthread_t t;
	int done = FREE;

	if (pthread_create(&t, NULL, in_thread, &done) != 0)
		return REFUSED;
	pthread_join(t, NULL);
	return done;
}

static int
give_up(void)
{
	abort();
	return FREE;
}

/* Either a clean refusal or the end of the process: but never done. */
static void
blocked(int (*try)(void), int sig, const char *name)
{
	int status = in_jail(try);
	bool ok = sig ? WIFSIGNALED(status) && WTERMSIG(status) == sig
		      : WIFEXITED(status) && WEXITSTATUS(status) == REFUSED;

	if (!tap_ok(ok, "%s", name))
		printf("# status %x %s\n", (unsigned)status, said);
}

/* Ways around the above, old and new. */
static void
by_numbers(void)
{
	static const struct {
		long number;
		const char *name;
	} calls[] = { { SYS_memfd_create, "memfd_create" }, { SYS_userfaultfd, "userfaultfd" },
		{ SYS_personality, "personality" }, { SYS_bpf, "bpf" }, { SYS_unshare, "unshare" },
		{ SYS_process_vm_readv, "process_vm_readv" }, { SYS_io_uring_setup, "io_uring" },
		{ SYS_pidfd_open, "pidfd_open" }, { SYS_shmget, "shmget" }, { SYS_vfork, "vfork" },
		{ SYS_execveat, "execveat" }, { SYS_dup, "dup" }, { SYS_keyctl, "keyctl" },
		{ SYS_perf_event_open, "perf_event_open" }, { SYS_ptrace, "ptrace of others" },
		{ SYS_pkey_mprotect, "pkey_mprotect" }, { SYS_mount, "mount" } };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		number = calls[i].number;
		blocked(by_number, SIGSYS, calls[i].name);
	}
}

int
main(void)
{
	int status = in_jail(work);

	if (!tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == DONE, "what a decoder needs works"))
		printf("# status %x %s\n", (unsigned)status, said);
	tap_str(said, "hello", "it can answer");
	printf("# Landlock %d\n", jail_landlock());
	blocked(open_passwd, 0, "open /etc/passwd");
	blocked(open_raw, SIGSYS, "openat2");
	blocked(make_socket, SIGSYS, "socket");
	blocked(do_fork, SIGSYS, "fork");
	blocked(do_exec, SIGSYS, "execve");
	blocked(kill_parent, SIGSYS, "kill its parent");
	blocked(trace, SIGSYS, "ptrace");
	blocked(make_code, SIGSYS, "memory with code");
	blocked(allow_code, SIGSYS, "memory that becomes code");
	blocked(share, SIGSYS, "shared memory");
	blocked(raise_limit, SIGSYS, "raise a limit");
	blocked(make_thread, SIGSYS, "a thread");
	blocked(other_descriptors, 0, "no other descriptor is open");
	by_numbers();
	blocked(give_up, SIGABRT, "abort is told as such");
	blocked(burn, SIGXCPU, "processor time");
	if (ASAN)
		tap_skip("memory", "the address sanitizer needs all there is");
	else
		blocked(much_memory, 0, "memory");
	if (ASAN)
		tap_skip("data", "the address sanitizer needs all there is");
	else
		blocked(much_data, 0, "memory in the room of a mapped file");
	threads = true;
	status = in_jail(make_thread);
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == DONE, "a thread where it is allowed");
	blocked(do_fork, SIGSYS, "fork where threads are allowed");
	blocked(make_socket, SIGSYS, "socket where threads are allowed");
	return tap_done();
}
