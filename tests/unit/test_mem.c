#include "base/sys.h"

#include "base/mem.h"
#include "tap.h"

#include <fcntl.h>
#include <sys/wait.h>

static void
overflow(void)
{
	void *p = mem_array(SIZE_MAX / 2, 4);

	mem_free(p);
}

static void
overflow_growing(void)
{
	mem_free(mem_grow(NULL, SIZE_MAX / 8 + 2, 8));
}

/* The exit code of a child that runs f with its log closed. */
static int
exit_code(void (*f)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDERR_FILENO);
		f();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
main(void)
{
	char *p, *s;
	bool zero = true;

	p = mem_array(10, 10);
	for (int i = 0; i < 100; i++)
		zero = zero && p[i] == 0;
	tap_ok(zero, "an array is zeroed");
	memset(p, 'x', 100);
	p = mem_grow(p, 50, 10);
	tap_ok(p[0] == 'x' && p[99] == 'x', "growing keeps what is there");
	mem_free(p);
	p = mem_zero(3);
	tap_ok(p[0] == 0 && p[2] == 0, "mem_zero");
	mem_free(p);
	p = mem_alloc(0);
	tap_ok(p, "no bytes are a valid pointer");
	mem_free(p);
	mem_free(NULL);

	s = mem_strdup("abc");
	tap_str(s, "abc", "strdup");
	mem_free(s);
	s = mem_strndup("abcdef", 3);
	tap_str(s, "abc", "strndup cuts");
	mem_free(s);
	s = mem_strndup("ab", 30);
	tap_str(s, "ab", "strndup stops at the end");
	mem_free(s);
	s = mem_printf("%d-%s", 5, "x");
	tap_str(s, "5-x", "printf");
	mem_free(s);

	tap_is(exit_code(overflow), EXIT_TEMPORARY, "an array that overflows ends the process");
	tap_is(exit_code(overflow_growing), EXIT_TEMPORARY, "and so does one that grows");
	return tap_done();
}
