#include "base/sys.h"

#include <poll.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "fcgi/scoreboard.h"
#include "tap.h"

static bool
called(const struct scoreboard *b)
{
	struct pollfd p = { .fd = scoreboard_call_fd(b), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Runs f in a child and waits for it. */
static void
in_child(void (*f)(struct scoreboard *), struct scoreboard *b)
{
	pid_t pid = fork();

	if (pid == 0) {
		f(b);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void
child_works(struct scoreboard *b)
{
	scoreboard_set(b, 1, SLOT_BUSY);
	scoreboard_count(b, 1, 1, 1000);
	scoreboard_count(b, 1, 2, 24);
	scoreboard_promise(b, 1, 5000);
}

static void
child_calls(struct scoreboard *b)
{
	scoreboard_call(b);
}

static void
test_slots(void)
{
	struct scoreboard *b = scoreboard_new(3);
	struct slot_view v;

	tap_is(scoreboard_slots(b), 3, "as many slots as asked for");
	tap_is(scoreboard_in_state(b, SLOT_FREE), 3, "all are free");
	tap_is(scoreboard_take(b), 0, "the first is taken first");
	tap_is(scoreboard_take(b), 1, "then the second");
	scoreboard_assign(b, 1, 4711);
	tap_is(scoreboard_in_state(b, SLOT_STARTING), 2, "a taken slot is starting");
	in_child(child_works, b);
	scoreboard_view(b, 1, &v);
	tap_ok(v.pid == 4711 && v.state == SLOT_BUSY, "a child's state is seen by its parent");
	tap_ok(v.requests == 3 && v.bytes_in == 1024, "counts add up");
	tap_ok(v.since_ms != 0 && v.since_ms <= clock_ms(), "the state has a time");
	scoreboard_promise(b, 0, 7);
	tap_is(scoreboard_promised(b), 5007, "promises are summed");
	scoreboard_promise(b, 0, UINT64_MAX);
	tap_ok(scoreboard_promised(b) == UINT64_MAX, "their sum does not wrap");
	scoreboard_promise(b, 0, 0);
	scoreboard_clear(b, 1);
	tap_is(scoreboard_promised(b), 0, "a dead child's promise is taken back");
	scoreboard_view(b, 1, &v);
	tap_ok(v.pid == 0 && v.state == SLOT_FREE && v.requests == 0, "its slot is clear");
	tap_is(scoreboard_take(b), 1, "and is taken again");
	tap_is(scoreboard_take(b), 2, "the last");
	tap_is(scoreboard_take(b), -1, "no slot is left");
	scoreboard_free(&b);
	tap_ok(b == NULL, "free leaves NULL");
	scoreboard_free(&b);
}

static void
test_once_per(void)
{
	struct scoreboard *b = scoreboard_new(1);

	tap_ok(scoreboard_once_per(b, 30), "once per: the first");
	clock_sleep_ms(5);
	tap_ok(!scoreboard_once_per(b, 10000), "once per: not within the interval");
	clock_sleep_ms(30);
	tap_ok(scoreboard_once_per(b, 30), "once per: again after it");
	tap_ok(!scoreboard_once_per(b, 10000), "once per: and not twice");
	scoreboard_free(&b);
}

static void
test_call(void)
{
	struct scoreboard *b = scoreboard_new(2);

	scoreboard_take(b);
	scoreboard_set(b, 0, SLOT_BUSY);
	in_child(child_calls, b);
	tap_ok(!called(b), "call: not when none is wanted");
	scoreboard_want_call(b, true);
	scoreboard_set(b, 0, SLOT_IDLE);
	in_child(child_calls, b);
	tap_ok(!called(b), "call: not while a child is idle");
	scoreboard_set(b, 0, SLOT_BUSY);
	in_child(child_calls, b);
	tap_ok(called(b), "call: when all are busy");
	scoreboard_want_call(b, true);
	tap_ok(!called(b), "call: re-arming takes the old call away");
	scoreboard_want_call(b, false);
	in_child(child_calls, b);
	tap_ok(!called(b), "call: none after it was stopped");
	scoreboard_free(&b);
}

int
main(void)
{
	test_slots();
	test_once_per();
	test_call();
	return tap_done();
}
