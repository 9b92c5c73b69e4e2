#include "base/sys.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "data/jobs.h"
#include "pg.h"

enum { LEASE = 30000 };

static struct db *owner, *fcgi, *worker;
static struct account alice;

static void
set(char *dst, size_t size, const char *text)
{
	if (str_copy(dst, size, text) < 0)
		abort();
}

/* An empty queue. */
static void
reset(void)
{
	pg_exec(owner, "truncate sluice.job, sluice.job_history, sluice.file cascade");
}

static struct id
add(unsigned count)
{
	struct file f[8];
	struct err e;

	memset(f, 0, sizeof f);
	for (unsigned i = 0; i < count; i++) {
		id_new(&f[i].id);
		f[i].account = alice.id;
		f[i].size = 77;
		f[i].thumbnail = THUMBNAIL_GENERATING;
		set(f[i].name, sizeof f[i].name, "x.jpg");
		set(f[i].type, sizeof f[i].type, "image/jpeg");
	}
	if (files_add(fcgi, f, count, &e) < 0)
		printf("Bail out! %s\n", e.text);
	return f[0].id;
}

static size_t
claim(struct job *out, size_t max, uint64_t lease)
{
	struct err e;
	size_t n = 0;

	if (jobs_claim(worker, "host:1", lease, 9, out, max, &n, &e) < 0) {
		printf("# %s\n", e.text);
		return 999;
	}
	return n;
}

/* The thumbnail status of a file, its error and number of renditions in one line. */
static void
status(const struct id *id, const char *want, const char *name)
{
	struct file f;
	struct err e;
	char got[256];

	if (files_get(fcgi, id, &alice, false, &f, &e) < 0) {
		tap_str(e.text, want, name);
		return;
	}
	(void)snprintf(got, sizeof got, "%s %s %zu", thumbnail_status_name(f.thumbnail),
	    f.thumbnail_error ? f.thumbnail_error : "-", f.nrenditions);
	tap_str(got, want, name);
	file_release(&f);
}

static int64_t
history(const char *state)
{
	struct db_rows *rows;
	struct err e;
	int64_t n;

	if (db_read(owner, &rows, "select count(*) from sluice.job_history where state = $1",
		&state, 1, &e) < 0)
		return -1;
	n = db_int(rows, 0, 0);
	db_rows_free(&rows);
	return n;
}

static void
test_done(void)
{
	struct rendition r[2] = { { .name = "small", .width = 256, .height = 171, .size = 9000 },
		{ .name = "big", .width = 1024, .height = 683, .size = 90000 } };
	struct id id;
	struct job j[4];
	struct err e;

	reset();
	set(r[0].type, TYPE_MAX, "image/jpeg");
	set(r[1].type, TYPE_MAX, "image/webp");
	id = add(1);
	tap_is(claim(j, 4, LEASE), 1, "claim");
	tap_str(j[0].kind, "thumbnail", "  kind");
	tap_ok(j[0].attempt == 1 && j[0].max_attempts == 5, "  first attempt of five");
	tap_ok(j[0].has_file && id_equal(&j[0].file, &id) && j[0].file_size == 77, "  file");
	tap_str(j[0].file_type, "image/jpeg", "  its type");
	tap_is(claim(j + 1, 3, LEASE), 0, "a claimed job is not claimed again");
	tap_is(jobs_done_thumbnail(worker, &j[0], r, 2, &e), 1, "done");
	status(&id, "ready - 2", "  the file shows it");
	tap_is(pg_int(owner, "select count(*) from sluice.job"), 0, "  off the queue");
	tap_is(history("done"), 1, "  in the history");
	tap_is(jobs_done_thumbnail(worker, &j[0], r, 2, &e), 0, "done again is fenced out");
	tap_is(pg_int(owner, "select width from sluice.rendition where name = 'big'"), 1024,
	    "a rendition");
}

static void
test_dead(void)
{
	struct id id;
	struct job j;
	struct err e;

	reset();
	id = add(1);
	claim(&j, 1, LEASE);
	tap_is(jobs_dead(worker, &j, "not a\nJPEG \xff\xe2\x82\xac", &e), 1, "dead");
	status(&id, "failed not a JPEG ?\xe2\x82\xac 0", "  with a clean reason");
	tap_is(history("dead"), 1, "  in the history");
	tap_is(jobs_dead(worker, &j, "again", &e), 0, "dead again is fenced out");
	status(&id, "failed not a JPEG ?\xe2\x82\xac 0", "  and changes nothing");
}

static void
test_retry(void)
{
	uint64_t ms = 0;
	struct id id;
	struct job j;
	struct err e;

	reset();
	tap_is(jobs_next_due(worker, &ms, &e), 0, "next due of an empty queue");
	tap_ok(ms == UINT64_MAX, "  never");
	id = add(1);
	tap_is(jobs_next_due(worker, &ms, &e), 0, "next due");
	tap_is((long long)ms, 0, "  now");
	claim(&j, 1, LEASE);
	tap_is(jobs_next_due(worker, &ms, &e), 0, "next due of a running one");
	tap_ok(ms > LEASE - 5000 && ms <= LEASE, "  when its lease ends");
	tap_is(jobs_retry(worker, &j, 0, "busy", &e), 1, "give back");
	status(&id, "generating - 0", "  still to come");
	tap_is(jobs_done_thumbnail(worker, &j, NULL, 0, &e), 0, "  no longer ours to end");
	tap_is(claim(&j, 1, LEASE), 0, "  not due yet");
	tap_is(jobs_next_due(worker, &ms, &e), 0, "next due");
	tap_ok(ms > 500 && ms <= 2500, "  after the first delay: %llu", (unsigned long long)ms);
	pg_exec(owner, "update sluice.job set run_at = clock_timestamp()");
	tap_is(claim(&j, 1, LEASE), 1, "second attempt");
	tap_is(j.attempt, 2, "  is counted");
	tap_is(jobs_retry(worker, &j, 60000, "busy", &e), 1, "give back with a delay");
	tap_is(jobs_next_due(worker, &ms, &e), 0, "next due");
	tap_ok(ms > 55000 && ms <= 60000, "  after that: %llu", (unsigned long long)ms);
	pg_exec(owner, "update sluice.job set run_at = clock_timestamp(), attempt = 4");
	tap_is(claim(&j, 1, LEASE), 1, "last attempt");
	tap_is(jobs_retry(worker, &j, 0, "still busy", &e), 1, "give back");
	status(&id, "failed still busy 0", "  is the end");
	tap_is(history("dead"), 1, "  dead");
	tap_is(jobs_retry(worker, &j, 0, "again", &e), 0, "give back again is fenced out");
}

static void
test_leases(void)
{
	struct id id;
	struct job old, now, two[2];
	struct err e;

	reset();
	id = add(1);
	claim(&old, 1, 0);
	clock_sleep_ms(10);
	tap_is(claim(&now, 1, LEASE), 1, "a job whose lease is over");
	tap_is(now.attempt, 2, "  is another attempt");
	tap_is(jobs_done_thumbnail(worker, &old, NULL, 0, &e), 0, "the old worker is fenced out");
	tap_is(jobs_dead(worker, &old, "x", &e) + jobs_retry(worker, &old, 0, "x", &e) +
		   jobs_release(worker, &old, &e),
	    0, "in every way");
	status(&id, "generating - 0", "  nothing has changed");
	two[0] = old;
	two[1] = now;
	tap_is(jobs_renew(worker, two, 2, LEASE, &e), 0, "renew");
	tap_ok(two[0].attempt == 0 && two[1].attempt == 2, "  tells the lost one");
	pg_exec(owner, "update sluice.job set lease_until = clock_timestamp(), attempt = 5");
	tap_is(claim(&now, 1, LEASE), 0, "lost in the last attempt");
	status(&id, "failed the worker was lost in each of 5 attempts 0", "  is dead");
	tap_is(history("dead"), 1, "  in the history");
}

static void
test_release(void)
{
	struct job j, again;
	struct err e;
	size_t n;

	reset();
	add(1);
	claim(&j, 1, LEASE);
	tap_is(jobs_release(worker, &j, &e), 1, "release");
	tap_is(claim(&again, 1, LEASE), 1, "claim at once");
	tap_is(again.max_attempts - again.attempt, j.max_attempts - j.attempt,
	    "  it has cost no attempt");
	tap_is(jobs_done_thumbnail(worker, &j, NULL, 0, &e), 0, "  the old claim is fenced out");
	reset();
	add(1);
	for (unsigned i = 1; i <= 4; i++) {
		tap_is(jobs_claim(worker, "host:1", LEASE, 2, &j, 1, &n, &e), 0, "claim for two");
		tap_ok(n == 1 && j.attempt == i && j.max_attempts == i + 1,
		    "  the worker's limit counts attempts without releases");
		tap_is(jobs_release(worker, &j, &e), 1, "  release");
	}
}

static void
test_deleted(void)
{
	struct rendition r = { .name = "small", .width = 1, .height = 1, .size = 1 };
	struct id id;
	struct job j[2];
	struct err e;

	reset();
	set(r.type, TYPE_MAX, "image/jpeg");
	id = add(1);
	claim(j, 1, LEASE);
	tap_is(files_delete_begin(fcgi, &id, &alice, &e), 0, "a file deleted while its job runs");
	tap_is(
	    pg_int(owner, "select count(*) from sluice.job"), 1, "  leaves the job to its worker");
	tap_is(jobs_done_thumbnail(worker, &j[0], &r, 1, &e), 0, "done tells");
	tap_is(history("cancelled"), 1, "  cancelled");
	tap_is(pg_int(owner, "select count(*) from sluice.rendition"), 0, "  no rendition");
	reset();
	id = add(1);
	claim(j, 1, 0);
	tap_is(files_delete_begin(fcgi, &id, &alice, &e), 0, "delete");
	tap_is(files_delete_end(fcgi, &id, &e), 0, "to the end");
	clock_sleep_ms(10);
	tap_is(claim(j, 1, LEASE), 1, "its job is claimed again");
	tap_ok(!j[0].has_file, "  without a file");
	tap_is(jobs_done_thumbnail(worker, &j[0], NULL, 0, &e), 0, "  and cancelled");
	tap_is(history("cancelled"), 1, "  in the history");
}

static void
test_order(void)
{
	struct job j[8];
	struct err e;

	reset();
	add(6);
	pg_exec(owner,
	    "update sluice.job set priority = case when id = (select max(id) from sluice.job)"
	    " then 2 when id = (select min(id) from sluice.job) then 0 else 1 end");
	tap_is(claim(j, 4, LEASE), 4, "claim a batch");
	tap_ok(
	    j[0].id == pg_int(owner, "select max(id) from sluice.job"), "  the first in priority");
	tap_ok(j[1].id < j[2].id && j[2].id < j[3].id, "  then by age");
	tap_is(claim(j, 8, LEASE), 2, "claim the rest");
	tap_ok(
	    j[1].id == pg_int(owner, "select min(id) from sluice.job"), "  the last in priority");
	tap_is(claim(j, 0, LEASE), 0, "claim none");
	tap_is(jobs_notify(worker, &e), 0, "notify");
}

/* A row that somebody holds is passed over, not waited for. */
static void
test_locked(void)
{
	uint64_t start;
	struct job j[4];
	pid_t child;

	reset();
	add(2);
	child = fork();
	if (child == 0) {
		struct db *db = pg_db(NULL);
		struct err e;

		_exit(db_script(db,
			  "select from sluice.job order by id limit 1 for update;"
			  "select pg_sleep(1.5)",
			  &e) < 0);
	}
	clock_sleep_ms(400);
	start = clock_ms();
	tap_is(claim(j, 4, LEASE), 1, "one of two is held by somebody");
	tap_ok(clock_ms() - start < 250, "  which takes no time");
	waitpid(child, NULL, 0);
	tap_is(claim(j, 4, LEASE), 1, "  and is claimed later");
}

/* Many workers at once: every job once. */
static void
test_side_by_side(void)
{
	enum { WORKERS = 6 };
	pid_t pid[WORKERS];
	int failed = 0;

	reset();
	for (int i = 0; i < 25; i++)
		add(8);
	for (int i = 0; i < WORKERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct db *db = pg_db("user=sluice_worker");
			struct job j[7];
			struct err e;
			size_t n;

			do {
				if (jobs_claim(db, "w", LEASE, 9, j, 7, &n, &e) < 0)
					_exit(1);
				for (size_t k = 0; k < n; k++)
					if (jobs_done_thumbnail(db, &j[k], NULL, 0, &e) != 1)
						_exit(2);
			} while (n > 0);
			_exit(0);
		}
	}
	for (int i = 0; i < WORKERS; i++) {
		int code = -1;

		waitpid(pid[i], &code, 0);
		failed += code != 0;
	}
	tap_is(failed, 0, "six workers side by side");
	tap_is(history("done"), 200, "  all jobs are done, each once");
	tap_is(pg_int(owner, "select max(attempts) from sluice.job_history"), 1, "  at first try");
}

static void
test_admin(void)
{
	struct db *admin = pg_db("user=sluice_admin");
	struct db_rows *rows;
	uint64_t count = 9;
	struct id id;
	struct job j[3];
	int64_t dead;
	struct err e;

	reset();
	id = add(3);
	claim(j, 2, LEASE);
	tap_is(jobs_dead(worker, &j[0], "broken", &e), 1, "one is dead");
	tap_is(jobs_stat(admin, &rows, &e), 0, "stat");
	tap_str(db_text(rows, 0, 0), "queued", "  states in order");
	tap_ok(db_int(rows, 0, 1) == 1 && db_int(rows, 1, 1) == 1 && db_int(rows, 2, 1) == 0 &&
		   db_int(rows, 3, 1) == 1,
	    "  counts");
	db_rows_free(&rows);
	tap_is(jobs_dead_list(admin, 10, &rows, &e), 0, "list the dead");
	tap_is(db_count(rows), 1, "  one");
	tap_str(db_text(rows, 0, 4), "broken", "  its reason");
	dead = db_int(rows, 0, 0);
	db_rows_free(&rows);
	tap_is(jobs_retry_dead(admin, dead + 1000, &count, &e), 0, "retry another");
	tap_is((long long)count, 0, "  none");
	tap_is(jobs_retry_dead(admin, dead, &count, &e), 0, "retry it");
	tap_is((long long)count, 1, "  one");
	status(&id, "generating - 0", "  on its way again");
	tap_is(claim(j, 3, LEASE), 2, "  and claimed");
	tap_is(history("dead"), 0, "  no longer dead");
	tap_is(
	    jobs_dead(worker, &j[0], "x", &e) + jobs_dead(worker, &j[1], "x", &e), 2, "two dead");
	tap_is(jobs_retry_dead(admin, 0, &count, &e), 0, "retry all");
	tap_is((long long)count, 2, "  both");
	db_free(&admin);
}

/* A file may have died more than once. */
static void
test_admin_twice_dead(void)
{
	struct db *admin = pg_db("user=sluice_admin");
	uint64_t count = 9;
	struct job j;
	struct err e;

	reset();
	add(1);
	claim(&j, 1, LEASE);
	tap_is(jobs_dead(worker, &j, "now", &e), 1, "one is dead");
	pg_exec(owner, "insert into sluice.job_history (id, kind, file_id, state, attempts,"
		       " last_error, created_at, finished_at) select id + 1000, kind, file_id,"
		       " state, attempts, 'before', created_at, finished_at - interval '1 hour'"
		       " from sluice.job_history");
	tap_is(jobs_retry_dead(admin, 0, &count, &e), 0, "twice; retry all");
	tap_is((long long)count, 1, "  one job");
	tap_is(pg_int(owner, "select count(*) from sluice.job where last_error = 'now'"), 1,
	    "  which knows the last reason");
	tap_is(pg_int(owner, "select count(*) from sluice.job"), 1, "  and no other");
	tap_is(history("dead"), 0, "  nothing is dead");
	db_free(&admin);
}

int
main(int argc, char **argv)
{
	struct err e;
	int64_t id;

	(void)argc;
	pg_begin(argv);
	owner = pg_db(NULL);
	pg_schema(owner);
	pg_roles(owner);
	if (account_add(owner, "alice", false, &id, &e) < 0 ||
	    account_by_name(owner, "alice", false, &alice, &e) < 0)
		return 1;
	fcgi = pg_db("user=sluice_fcgi");
	worker = pg_db("user=sluice_worker");
	test_done();
	test_dead();
	test_retry();
	test_leases();
	test_release();
	test_deleted();
	test_order();
	test_locked();
	test_side_by_side();
	test_admin();
	test_admin_twice_dead();
	db_free(&owner);
	db_free(&fcgi);
	db_free(&worker);
	return tap_done();
}
