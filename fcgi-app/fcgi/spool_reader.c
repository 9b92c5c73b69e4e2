/*
 * Only what fstat(2) tells is read, one window of each file in turn. The web server appends to its
 * files and does nothing else to them until it hands them over; one that shrinks is begun anew.
 * Nothing here decides anything: a file that is not followed is hashed by the child that gets it.
 */
#include "base/sys.h"

#include "fcgi/spool_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "data/store.h"
#include "fcgi/listen.h"

enum {
	WINDOW = 256 << 10,
	START_AT = 1 << 20, /* a smaller file is not worth it */
	FLUSH_EVERY = 8 << 20,
	TICK_MS = 5,          /* after an event, so that many become one */
	ABANDONED_MS = 60000, /* without growing: its place may be given away */
	FORM_HEAD = 512,
	EVENTS = 64 << 10,
};

struct followed {
	char name[NAME_MAX + 1]; /* in the spool; "": free */
	int fd;                  /* -1: nothing to be done for this name */
	int slot;
	struct ahead_key key;
	uint64_t hashed, flushed, grown; /* grown: clock_ms */
	struct digest *digest;
};

struct reader {
	const char *dir;
	struct ahead *ahead;
	uid_t *owners;
	size_t nowners;
	int notify, dir_fd;
	bool gone; /* the directory */
	sigset_t wait_mask;
	struct followed file[AHEAD_SLOTS];
	unsigned char *window;
	char *events;
};

/* ---- the files ---- */

static struct followed *
find(struct reader *r, const char *name)
{
	for (size_t i = 0; i < AHEAD_SLOTS; i++)
		if (strcmp(r->file[i].name, name) == 0)
			return &r->file[i];
	return NULL;
}

/* The name is remembered, so that it is not begun again. */
static void
stop_following(struct reader *r, struct followed *f)
{
	if (f->fd < 0)
		return;
	fdio_drop(&f->fd);
	ahead_drop(r->ahead, f->slot);
}

static void
forget(struct reader *r, struct followed *f)
{
	stop_following(r, f);
	f->name[0] = '\0';
}

/* A place for another name: a free one, one that is only remembered, one that was abandoned. */
static struct followed *
find_place(struct reader *r)
{
	struct followed *f = find(r, "");

	for (size_t i = 0; !f && i < AHEAD_SLOTS; i++)
		if (r->file[i].fd < 0)
			f = &r->file[i];
	for (size_t i = 0; !f && i < AHEAD_SLOTS; i++)
		if (clock_ms() - r->file[i].grown > ABANDONED_MS)
			f = &r->file[i];
	if (f)
		forget(r, f);
	return f;
}

/* A form: its files are parts of the body, so that their hashes and bytes are not these. */
static bool
looks_like_form(int fd)
{
	char head[FORM_HEAD + 1];
	ssize_t n = fdio_pread_full(fd, head, FORM_HEAD, 0);

	if (n < 0)
		return true;
	head[n] = '\0';
	return strncmp(head, "--", 2) == 0 && strcasestr(head, "\nContent-Disposition:") != NULL;
}

static int
open_spooled(const struct reader *r, const char *name)
{
	struct err e = { 0 };
	int fd = store_spool_open(r->dir, name, r->owners, r->nowners, &e);

	if (fd < 0)
		log_debug("spool: %s", e.text);
	return fd;
}

/* Begins with a file that has become large enough. */
static void
follow(struct reader *r, const char *name)
{
	struct followed *f;
	struct stat st;
	uint64_t size;

	if (find(r, name) != NULL || fstatat(r->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_size < START_AT)
		return;
	f = find_place(r);
	if (!f || str_copy(f->name, sizeof(f->name), name) < 0)
		return;
	f->hashed = f->flushed = 0;
	f->grown = clock_ms();
	digest_reset(f->digest);
	f->fd = open_spooled(r, name);
	if (f->fd < 0)
		return;
	if (!looks_like_form(f->fd) && ahead_identify(f->fd, &f->key, &size))
		f->slot = ahead_follow(r->ahead, &f->key);
	else
		f->slot = -1;
	if (f->slot < 0)
		fdio_drop(&f->fd);
}

/* The disk gets to work. Its errors are left to the fsync of the child. */
static void
flush(struct followed *f)
{
	if (f->hashed - f->flushed < FLUSH_EVERY)
		return;
	sync_file_range(
	    f->fd, (off_t)f->flushed, (off_t)(f->hashed - f->flushed), SYNC_FILE_RANGE_WRITE);
	f->flushed = f->hashed;
}

/* Hashes one window. False when there is none yet. */
static bool
step(struct reader *r, struct followed *f)
{
	struct stat st;

	if (ahead_claimed(r->ahead, f->slot)) {
		stop_following(r, f);
		return false;
	}
	if (fstat(f->fd, &st) < 0 || st.st_nlink == 0 || (uint64_t)st.st_size < f->hashed) {
		forget(r, f);
		return false;
	}
	if ((uint64_t)st.st_size - f->hashed < WINDOW)
		return false;
	if (fdio_pread_full(f->fd, r->window, WINDOW, (off_t)f->hashed) != WINDOW) {
		forget(r, f);
		return false;
	}
	digest_add(f->digest, r->window, WINDOW);
	f->hashed += WINDOW;
	f->grown = clock_ms();
	ahead_publish(r->ahead, f->slot, &f->key, f->hashed, f->digest);
	flush(f);
	return true;
}

/* False when no file had a window. */
static bool
step_all(struct reader *r)
{
	bool any = false;

	for (size_t i = 0; i < AHEAD_SLOTS; i++)
		if (r->file[i].name[0] && r->file[i].fd >= 0)
			any |= step(r, &r->file[i]);
	return any;
}

/* ---- the directory ---- */

static void
forget_all(struct reader *r)
{
	for (size_t i = 0; i < AHEAD_SLOTS; i++)
		forget(r, &r->file[i]);
}

static void
take_event(struct reader *r, const struct inotify_event *ev)
{
	struct followed *f;

	if (ev->mask & IN_Q_OVERFLOW)
		forget_all(r); /* a name may have become another file's */
	if (ev->mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF))
		r->gone = true;
	if (ev->len == 0 || ev->mask & IN_ISDIR)
		return;
	if (ev->mask & IN_MODIFY) {
		follow(r, ev->name);
		return;
	}
	f = find(r, ev->name);
	if (f)
		forget(r, f);
}

static void
take_events(struct reader *r)
{
	ssize_t n;

	while ((n = read(r->notify, r->events, EVENTS)) > 0) {
		const char *p = r->events, *end = p + n;

		while (p < end) {
			const struct inotify_event *ev = (const void *)p;

			take_event(r, ev);
			p += sizeof(*ev) + ev->len;
		}
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		log_error("read(inotify): %s", strerror(errno));
		r->gone = true;
	}
}

/* ---- the process ---- */

/* Signals come in here only. True when there are events. */
static bool
wait_event(const struct reader *r, bool forever)
{
	static const struct timespec at_once;
	struct pollfd p = { .fd = r->notify, .events = POLLIN };

	return ppoll(&p, 1, forever ? NULL : &at_once, &r->wait_mask) > 0;
}

static bool
time_to_go(void)
{
	if (proc_caught(SIGUSR1))
		log_reopen();
	return proc_pending(SIGTERM) || proc_pending(SIGQUIT) || proc_pending(SIGINT);
}

static void
reader_loop(struct reader *r)
{
	uint64_t looked = 0;
	bool busy = false;

	while (!time_to_go() && !r->gone) {
		bool events = wait_event(r, !busy);
		uint64_t now;

		if (events && !busy)
			clock_sleep_ms(TICK_MS);
		now = clock_ms();
		if (events && now - looked >= TICK_MS) {
			take_events(r);
			looked = now;
		}
		busy = step_all(r);
	}
}

static int
reader_init(struct reader *r, struct err *e)
{
	const uint32_t mask = IN_CREATE | IN_MODIFY | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
			      IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

	r->dir_fd = open(r->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->dir_fd < 0)
		return err_sys(e, "open(%s)", r->dir);
	r->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (r->notify < 0)
		return err_sys(e, "inotify_init1");
	if (inotify_add_watch(r->notify, r->dir, mask) < 0)
		return err_sys(e, "inotify_add_watch(%s)", r->dir);
	return 0;
}

static void
reader_release(struct reader *r)
{
	for (size_t i = 0; i < AHEAD_SLOTS; i++) {
		forget(r, &r->file[i]);
		digest_free(&r->file[i].digest);
	}
	fdio_drop(&r->notify);
	fdio_drop(&r->dir_fd);
	mem_free(r->owners);
	mem_free(r->window);
	mem_free(r->events);
	mem_free(r);
}

static struct reader *
reader_new(const struct conf *conf, struct ahead *ahead)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 };
	struct reader *r = mem_zero(sizeof(*r));

	r->dir = conf->store.spool;
	r->ahead = ahead;
	r->notify = r->dir_fd = -1;
	r->window = mem_alloc(WINDOW);
	r->events = mem_alloc(EVENTS);
	for (size_t i = 0; i < AHEAD_SLOTS; i++) {
		r->file[i].fd = -1;
		r->file[i].digest = digest_new();
	}
	sigprocmask(SIG_SETMASK, NULL, &r->wait_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigdelset(&r->wait_mask, signals[i]);
	return r;
}

int
spool_reader_run(const struct conf *conf, struct ahead *ahead)
{
	struct reader *r = reader_new(conf, ahead);
	struct err e = { 0 };
	int code = 0;

	ahead_clear(ahead);
	if (listen_users(conf->store.spool_users, &r->owners, &r->nowners, &e) < 0 ||
	    reader_init(r, &e) < 0) {
		log_warn("cannot read bodies while they are spooled: %s", e.text);
		code = EXIT_TEMPORARY;
	} else {
		reader_loop(r);
		if (r->gone)
			code = EXIT_TEMPORARY;
	}
	reader_release(r);
	return code;
}
