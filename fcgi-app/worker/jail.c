#include "base/sys.h"
#include "worker/jail.h"
#include "base/fdio.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__)
#define JAIL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JAIL_ASAN 1
#endif
#endif
#ifndef JAIL_ASAN
#define JAIL_ASAN 0
#endif

/* Numbers and structures of <linux/landlock.h>, which older systems have only in part. */
enum { SYS_LANDLOCK_CREATE = 444, SYS_LANDLOCK_RESTRICT = 446, LANDLOCK_VERSION = 1 };

struct landlock_attr {
	uint64_t fs, net, scoped;
};

int
jail_landlock(void)
{
	long v = syscall(SYS_LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION);

	return v > 0 ? (int)v : 0;
}

/* A rule set that handles every right this kernel knows and grants none. */
static int
enter_landlock(struct err *e)
{
	int version = jail_landlock(), fd;
	struct landlock_attr attr = { 0 };
	size_t size = sizeof(attr.fs);

	if (version == 0)
		return 0;
	attr.fs = (1U << 13) - 1;
	if (version >= 2)
		attr.fs |= 1U << 13;
	if (version >= 3)
		attr.fs |= 1U << 14;
	if (version >= 4) {
		attr.net = 3;
		size = 2 * sizeof(uint64_t);
	}
	if (version >= 5)
		attr.fs |= 1U << 15;
	if (version >= 6) {
		attr.scoped = 3;
		size = sizeof(attr);
	}
	fd = (int)syscall(SYS_LANDLOCK_CREATE, &attr, size, 0);
	if (fd < 0)
		return err_sys(e, "landlock_create_ruleset");
	if (syscall(SYS_LANDLOCK_RESTRICT, fd, 0) < 0)
		return err_sys(e, "landlock_restrict_self");
	fdio_drop(&fd);
	return 0;
}

static int
limit(int resource, uint64_t soft, uint64_t hard, struct err *e)
{
	struct rlimit r = { .rlim_cur = soft, .rlim_max = hard };

	if (setrlimit((__rlimit_resource_t)resource, &r) < 0)
		return err_sys(e, "setrlimit(%d, %llu)", resource, (unsigned long long)soft);
	return 0;
}

static int
enter_limits(const struct jail_conf *conf, struct err *e)
{
	/* The address sanitizer reserves terabytes of address space. */
	if (!JAIL_ASAN && (limit(RLIMIT_AS, conf->memory, conf->memory, e) < 0 ||
			      limit(RLIMIT_DATA, conf->data, conf->data, e) < 0))
		return -1;
	if (!conf->threads && limit(RLIMIT_NPROC, 0, 0, e) < 0)
		return -1;
	if (limit(RLIMIT_CPU, conf->cpu_s, conf->cpu_s + 1, e) < 0 ||
	    limit(RLIMIT_FSIZE, 0, 0, e) < 0 || limit(RLIMIT_NOFILE, 16, 16, e) < 0 ||
	    limit(RLIMIT_CORE, 0, 0, e) < 0 || limit(RLIMIT_MEMLOCK, 0, 0, e) < 0 ||
	    limit(RLIMIT_STACK, 8 << 20, 8 << 20, e) < 0)
		return -1;
	return 0;
}

/* in -> 0, out -> 1, nothing else. The pair may overlap with the numbers it goes to. */
static int
enter_descriptors(int in, int out, struct err *e)
{
	int a = fcntl(in, F_DUPFD, 3), b = fcntl(out, F_DUPFD, 3);

	if (a < 0 || b < 0 || dup2(a, 0) < 0 || dup2(b, 1) < 0)
		return err_sys(e, "dup2");
	if (syscall(SYS_close_range, 2U, ~0U, 0) < 0)
		return err_sys(e, "close_range");
	return 0;
}

/* One processor in sight, the present one: libraries that start a thread for each start none. */
static void
see_one_processor(void)
{
	int cpu = sched_getcpu();
	cpu_set_t one;

	CPU_ZERO(&one);
	if (cpu >= 0) {
		CPU_SET(cpu, &one);
		(void)sched_setaffinity(0, sizeof(one), &one);
	}
}

/* What a decoder does all day, after its code is loaded. */
static const int allowed[] = { SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getrusage), SCMP_SYS(times), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(poll),
	SCMP_SYS(restart_syscall), SCMP_SYS(getrlimit), SCMP_SYS(uname) };

/* What libraries try and can do without: refused, not killed. */
static const int refused[] = { SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(unlink), SCMP_SYS(getcwd),
	SCMP_SYS(ioctl), SCMP_SYS(prctl), SCMP_SYS(sched_setaffinity), SCMP_SYS(fcntl) };

static int
add_threads(scmp_filter_ctx ctx)
{
	const uint64_t thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;

	/* The flags of clone3 lie in memory, where no filter can see them: glibc then uses clone. */
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) |
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		   SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread)) |
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(set_robust_list), 0) |
	       seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(rseq), 0);
}

/* Negative when a rule could not be added. */
static int
add_rules(scmp_filter_ctx ctx, bool threads)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		rc |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), refused[i], 0);
	/* Memory, but never with new code in it, and never shared: that is in no limit of data. */
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0), SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
	rc |= seccomp_rule_add(
	    ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* Reading limits; own death by abort(3). */
	rc |= seccomp_rule_add(
	    ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0, 0));
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	return threads ? rc | add_threads(ctx) : rc;
}

static int
enter_seccomp(bool threads, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (ctx == NULL)
		return err_set(e, ERR_INTERNAL, "seccomp_init failed");
	if (add_rules(ctx, threads) < 0) {
		seccomp_release(ctx);
		return err_set(e, ERR_INTERNAL, "a seccomp rule was refused");
	}
	rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc < 0) {
		errno = -rc;
		return err_sys(e, "seccomp_load");
	}
	return 0;
}

int
jail_enter(const struct jail_conf *conf, int in, int out, struct err *e)
{
	if (enter_descriptors(in, out, e) < 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "prctl(PR_SET_DUMPABLE)");
	if (conf->threads)
		see_one_processor();
	mallopt(M_ARENA_MAX, 1); /* each further arena reserves 64 MiB of address space */
	if (enter_limits(conf, e) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "prctl(PR_SET_NO_NEW_PRIVS)");
	if (enter_landlock(e) < 0)
		return -1;
	return enter_seccomp(conf->threads, e);
}
