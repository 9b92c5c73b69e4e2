#include "base/sys.h"

#include "base/clock.h"
#include "base/fdio.h"
#include "base/strbuf.h"
#include "data/jobs.h"
#include "data/store.h"
#include "picture_file.h"
#include "pg.h"
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

/* The real program against a real database; the pictures go in by store and files. */

static struct db *db;
static struct store *store;
static char dir[] = "/tmp/sluice-worker-XXXXXX";
static char program[PATH_MAX], conf[PATH_MAX], logfile[PATH_MAX];

static void
write_conf(const char *more)
{
	FILE *f = fopen(conf, "w");

	if (f == NULL) {
		printf("Bail out! %s\n", conf);
		exit(99);
	}
	fprintf(f,
	    "[store]\ndir = %s/store\n[database]\nconninfo = user=sluice_worker\n"
	    "[log]\ntarget = %s\nlevel = debug\n"
	    "[worker]\nmagick_dir = %s/conf/magick\nchildren = 2\nlease = 3s\npoll = 1s\n"
	    "max_attempts = 2\n%s",
	    dir, logfile, picture_file_srcdir(), more);
	fclose(f);
}

static pid_t
start(const char *const *args)
{
	const char *argv[16] = { program };
	pid_t pid;
	int n = 1;

	while (args && *args && n < 15)
		argv[n++] = *args++;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		union {
			const char **c;
			char **v;
		} u = { .c = argv };

		int null = open("/dev/null", O_WRONLY);
		if (null >= 0 && dup2(null, 1) >= 0 && dup2(null, 2) >= 0)
			execv(program, u.v);
		_exit(127);
	}
	return pid;
}

static pid_t
start_worker(void)
{
	return start((const char *const[]){ "-c", conf, NULL });
}

/* The exit code, or -1 when it does not end in 30 seconds or is killed. */
static int
ended(pid_t pid)
{
	int status;

	for (int i = 0; i < 600; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		clock_sleep_ms(50);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static int
stop(pid_t pid)
{
	kill(pid, SIGTERM);
	return ended(pid);
}

/* Stores a picture of the tests and makes its job. */
static struct id
add(const char *name, const char *type, bool with_bytes)
{
	struct picture_file p;
	struct file f = { .thumbnail = THUMBNAIL_GENERATING };
	struct store_file *sf = NULL;
	struct err e = { 0 };

	id_new(&f.id);
	picture_file_read(&p, name);
	if (with_bytes && ((sf = store_begin(store, &f.id, &e)) == NULL ||
			      store_write(sf, p.p, p.n, &e) < 0 || store_commit(&sf, &e) < 0))
		printf("Bail out! %s\n", e.text);
	f.size = p.n;
	snprintf(f.name, sizeof(f.name), "%s", name);
	snprintf(f.type, sizeof(f.type), "%s", type);
	snprintf(f.scan, sizeof(f.scan), "off");
	if (files_add(db, &f, 1, &e) < 0)
		printf("Bail out! %s\n", e.text);
	picture_file_release(&p);
	return f.id;
}

/* Waits until a query gives the number. */
static bool
becomes(const char *sql, int64_t want, int seconds)
{
	for (int i = 0; i < seconds * 20; i++) {
		if (pg_int(db, sql) == want)
			return true;
		clock_sleep_ms(50);
	}
	printf("# %s: %lld\n", sql, (long long)pg_int(db, sql));
	return false;
}

static bool
idle(void)
{
	return becomes("select count(*) from sluice.job", 0, 30);
}

static bool
is(const struct id *id, const char *what, const char *want)
{
	char sql[256], text[ID_TEXT];
	struct db_rows *rows = NULL;
	struct err e;
	bool ok = false;

	snprintf(sql, sizeof(sql), "select %s from sluice.file where id = $1", what);
	if (db_read(db, &rows, sql, (const char *const[]){ id_text(id, text) }, 1, &e) == 0) {
		ok = db_count(rows) == 1 && db_text(rows, 0, 0) &&
		     strstr(db_text(rows, 0, 0), want) != NULL;
		if (!ok)
			printf("# %s\n", db_count(rows) ? db_text(rows, 0, 0) : "no row");
	}
	db_rows_free(&rows);
	return ok;
}

static bool
logged(const char *text)
{
	char line[4096];
	FILE *f = fopen(logfile, "r");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, text) != NULL;
	if (f)
		fclose(f);
	return found;
}

/* A process whose parent is the given one, 0 when there is none. */
static pid_t
child_of(pid_t parent)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	pid_t found = 0;

	while (proc && found == 0 && (d = readdir(proc)) != NULL) {
		char path[300], line[128];
		long ppid;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/status", d->d_name);
		f = d->d_name[0] >= '1' && d->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "PPid: %ld", &ppid) == 1 && ppid == parent)
				sscanf(d->d_name, "%d", &found);
		if (f)
			fclose(f);
	}
	closedir(proc);
	return found;
}

static void
options(void)
{
	tap_is(ended(start((const char *const[]){ "-h", NULL })), 0, "-h");
	tap_is(ended(start((const char *const[]){ "--version", NULL })), 0, "--version");
	tap_is(ended(start((const char *const[]){ "-x", NULL })), 2, "unknown option");
	tap_is(ended(start((const char *const[]){ "argument", NULL })), 2, "an argument");
	tap_is(ended(start((const char *const[]){ "-t", "-c", conf, NULL })), 0, "-t");
	tap_is(ended(start((const char *const[]){ "-T", "-c", conf, NULL })), 0, "-T");
	tap_is(ended(start((const char *const[]){ "-t", "-o", "worker.lease=-1", NULL })), 78,
	    "bad value");
	tap_is(ended(start((const char *const[]){ "-c", "/nonexistent", NULL })), 78,
	    "no such configuration");
	tap_is(ended(start((const char *const[]){ "-c", conf, "-o", "worker.magick_dir=/", NULL })),
	    78, "without our policy it does not run");
	tap_is(ended(start((const char *const[]){ "-c", conf, "-o", "store.dir=/proc", NULL })), 78,
	    "without a store it does not run");
	tap_is(ended(start((const char *const[]){
		   "-c", conf, "-o", "database.conninfo=dbname=template1", NULL })),
	    78, "without a schema it does not run");
}

static void
thumbnails(void)
{
	static const struct {
		const char *name, *type;
	} good[] = { { "turned6.jpg", "image/jpeg" }, { "alpha.png", "image/png" },
		{ "moving.gif", "image/gif" }, { "plain.heic", "image/heic" },
		{ "lzw.tiff", "image/tiff" }, { "lossy.webp", "image/webp" } };
	struct id ids[ARRAY_LEN(good)], cut, bomb, text, missing, gone;
	uint64_t size = 0;
	struct err e = { 0 };
	pid_t pid;
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ids[i] = add(good[i].name, good[i].type, true);
	cut = add("cut.jpg", "image/jpeg", true);
	bomb = add("bomb.png", "image/png", true);
	text = add("text.jpg", "image/jpeg", true);
	missing = add("plain.jpg", "image/jpeg", false);
	gone = add("plain.jpg", "image/jpeg", true);
	pg_exec(db, "update sluice.file set state = 'deleting' where id = "
		    "(select id from sluice.file order by created_at desc limit 1)");
	(void)gone;
	pid = start_worker();
	tap_ok(idle(), "all jobs come to an end");
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		tap_ok(is(&ids[i], "thumbnail_status", "ready"), "%s", good[i].name);
		fd = store_read_thumbnail(store, &ids[i], "small", &size, &e);
		tap_ok(fd >= 0 && size > 100, "%s: its thumbnail is stored", good[i].name);
		fdio_drop(&fd);
	}
	tap_ok(is(&cut, "thumbnail_status || ': ' || thumbnail_error", "failed: Premature end"),
	    "a cut JPEG fails with the reason");
	tap_ok(is(&bomb, "thumbnail_status || ': ' || thumbnail_error", "failed: 100000x100000"),
	    "a bomb fails with the reason");
	tap_ok(
	    is(&text, "thumbnail_status || ': ' || thumbnail_error", "failed: the file does not"),
	    "text fails with the reason");
	tap_ok(
	    is(&missing, "thumbnail_status || ': ' || thumbnail_error", "failed: the stored file"),
	    "a missing file fails with the reason");
	tap_is(pg_int(db, "select count(*) from sluice.job_history where state = 'cancelled'"), 1,
	    "the job of a file that is going is cancelled");
	tap_is(pg_int(db, "select max(attempts) from sluice.job_history"), 1,
	    "nothing was tried twice");
	tap_is(stop(pid), 0, "TERM ends it in order");
}

static void
accidents(void)
{
	pid_t pid = start_worker(), launcher, zygote = 0;
	struct id id = add("plain.jpg", "image/jpeg", true);

	tap_ok(idle() && is(&id, "thumbnail_status", "ready"), "a job before the accidents");
	launcher = child_of(pid);
	zygote = launcher ? child_of(launcher) : 0;
	if (tap_ok(zygote > 0, "the zygote is a child of the launcher"))
		kill(zygote, SIGKILL);
	id = add("plain.jpg", "image/jpeg", true);
	tap_ok(idle() && is(&id, "thumbnail_status", "ready"), "after the zygote was killed");
	pg_exec(db, "select pg_terminate_backend(pid) from pg_stat_activity "
		    "where usename = 'sluice_worker'");
	id = add("plain.jpg", "image/jpeg", true);
	tap_ok(idle() && is(&id, "thumbnail_status", "ready"), "after the database cut it off");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 100 && kill(launcher, 0) == 0; i++)
		clock_sleep_ms(50);
	tap_ok(kill(launcher, 0) < 0, "the launcher does not survive the worker");
}

/* Keeps everybody from the queue for some seconds. */
static pid_t
lock_queue(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct db *own = db_new(&(struct db_conf){ .conninfo = "",
		    .program = "sluice-test-lock",
		    .connect_timeout = 2000,
		    .statement_timeout = 20000,
		    .lock_timeout = 5000 });
		struct err e;

		_exit(db_script(own,
			  "lock table sluice.job in access exclusive mode; select pg_sleep(6)",
			  &e) < 0);
	}
	return pid;
}

/* A stopped zygote holds the jobs up. */
static void
stuck(void)
{
	pid_t pid = start((const char *const[]){ "-c", conf, "-o", "worker.wall_time=1s", NULL });
	struct id id = add("plain.jpg", "image/jpeg", true);
	pid_t zygote, lock;

	tap_ok(idle(), "a job before");
	zygote = child_of(child_of(pid));
	kill(zygote, SIGSTOP);
	id = add("plain.jpg", "image/jpeg", true);
	tap_ok(idle() && is(&id, "thumbnail_status", "ready"), "a stopped zygote is replaced");
	tap_is(stop(pid), 0, "ends in order");

	write_conf("[database]\nlock_timeout = 500ms\n");
	pid = start_worker();
	id = add("plain.jpg", "image/jpeg", true);
	tap_ok(idle(), "a job before");
	zygote = child_of(child_of(pid));
	kill(zygote, SIGSTOP);
	id = add("plain.jpg", "image/jpeg", true);
	tap_ok(becomes("select count(*) from sluice.job where state = 'running'", 1, 10),
	    "a job is running");
	lock = lock_queue();
	tap_is(ended(lock), 0, "the queue was out of reach for longer than a lease");
	kill(zygote, SIGCONT);
	tap_ok(idle() && is(&id, "thumbnail_status", "ready"), "the job was done again");
	tap_is(
	    pg_int(db, "select attempts from sluice.job_history order by finished_at desc limit 1"),
	    2, "at the second attempt");
	tap_ok(logged("leases could not be renewed"), "the first attempt was given up");
	tap_is(stop(pid), 0, "ends in order");
}

/* A job whose worker died is done by the next one, when the lease is over. */
static void
leases(void)
{
	struct id id = add("plain.jpg", "image/jpeg", true);
	struct err e = { 0 };
	struct job job;
	size_t n = 0;
	pid_t pid;

	tap_is(jobs_claim(db, "dead:1", 500, 2, &job, 1, &n, &e), 0, "somebody claims the job");
	pid = start_worker();
	tap_ok(idle() && is(&id, "thumbnail_status", "ready"), "and dies; another one does it");
	tap_is(
	    pg_int(db, "select attempts from sluice.job_history order by finished_at desc limit 1"),
	    2, "at the second attempt");
	tap_is(stop(pid), 0, "ends in order");
}

/* A worker that died after it had stored a thumbnail, and whose file was deleted since. */
static void
left_behind(void)
{
	struct id id = add("plain.jpg", "image/jpeg", true);
	struct account owner = { .admin = true };
	struct err e = { 0 };
	struct job job;
	uint64_t size;
	size_t n = 0;
	pid_t pid;
	int fd;

	tap_ok(jobs_claim(db, "dead:1", 500, 2, &job, 1, &n, &e) == 0 && n == 1, "a claim");
	tap_is(store_put_thumbnail(store, &id, "small", "x", 1, &e), 0, "its thumbnail");
	tap_is(files_delete_begin(db, &id, &owner, &e), 0, "the file is deleted");
	pid = start_worker();
	tap_ok(idle(), "the job ends");
	tap_is(stop(pid), 0, "ends in order");
	fd = store_read_thumbnail(store, &id, "small", &size, &e);
	tap_ok(fd < 0 && e.kind == ERR_NOTFOUND, "the thumbnail of the dead worker is gone");
	fdio_drop(&fd);
}

static void
signals(void)
{
	pid_t pid;
	struct id id;
	char old[PATH_MAX + 8];
	struct stat st;

	write_conf("[rendition small]\nfit = 100x100\n");
	pid = start((const char *const[]){ "-c", conf, "-o", "worker.poll=60s", NULL });
	id = add("plain.jpg", "image/jpeg", true);
	tap_ok(idle() && is(&id, "thumbnail_status", "ready"), "a job");
	clock_sleep_ms(300);
	id = add("plain.jpg", "image/jpeg", true);
	tap_is(jobs_notify(db, &(struct err){ 0 }), 0, "a hint");
	tap_ok(becomes("select count(*) from sluice.job", 0, 10), "wakes a worker that rests");
	write_conf("[rendition small]\nfit = 100x100\n[rendition large]\nfit = 400x400\n"
		   "format = webp\n");
	kill(pid, SIGHUP);
	clock_sleep_ms(1500);
	id = add("plain.jpg", "image/jpeg", true);
	tap_is(jobs_notify(db, &(struct err){ 0 }), 0, "a hint");
	tap_ok(idle() &&
		   is(&id,
		       "(select string_agg(name || width, ' ' order by name) from sluice.rendition "
		       "where file_id = file.id)",
		       "large400 small100"),
	    "HUP reads the configuration again");
	write_conf("[worker]\nunknown = 1\n");
	kill(pid, SIGHUP);
	clock_sleep_ms(1500);
	id = add("plain.jpg", "image/jpeg", true);
	tap_is(jobs_notify(db, &(struct err){ 0 }), 0, "a hint");
	tap_ok(idle() && is(&id, "thumbnail_status", "ready"), "a bad one changes nothing");
	snprintf(old, sizeof(old), "%s.old", logfile);
	rename(logfile, old);
	kill(pid, SIGUSR1);
	clock_sleep_ms(300);
	tap_is(stop(pid), 0, "ends in order");
	tap_ok(stat(logfile, &st) == 0 && st.st_size > 0, "USR1 opens the log again");
}

int
main(int argc, char **argv)
{
	const char *build = getenv("SLUICE_BUILDDIR");
	char path[PATH_MAX];
	struct err e = { 0 };

	(void)argc;
	pg_begin(argv);
	snprintf(program, sizeof(program), "%s/sluice-worker", build ? build : ".");
	if (access(program, X_OK) < 0)
		return tap_skip_all("sluice-worker is not built");
	if (mkdtemp(dir) == NULL)
		return 99;
	snprintf(conf, sizeof(conf), "%s/sluice.conf", dir);
	snprintf(logfile, sizeof(logfile), "%s/worker.log", dir);
	snprintf(path, sizeof(path), "%s/store", dir);
	if (store_init(path, &e) < 0 || (store = store_open(path, &e)) == NULL) {
		printf("Bail out! %s\n", e.text);
		return 99;
	}
	db = pg_db(NULL);
	pg_schema(db);
	pg_roles(db);
	write_conf("");
	options();
	thumbnails();
	accidents();
	leases();
	left_behind();
	stuck();
	signals();
	store_free(&store);
	db_free(&db);
	tree_remove(dir);
	return tap_done();
}
