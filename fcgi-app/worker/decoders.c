#include "base/sys.h"
#include "worker/decoders.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"

enum { ZYGOTE_JOBS = 1000, FIRST_DELAY = 200, LAST_DELAY = 30000, GOOD_RUN = 60000 };
enum { START_TIMEOUT = 30000 };

struct decoders {
	struct launcher *launcher;
	int sock; /* -1: no zygote */
	bool ready;
	uint64_t jobs; /* given to this zygote */
	uint64_t started, next_start, delay;
};

struct decoders *
decoders_new(struct launcher *launcher)
{
	struct decoders *d = mem_zero(sizeof(*d));

	d->launcher = launcher;
	d->sock = -1;
	return d;
}

void
decoders_free(struct decoders **d)
{
	if (*d == NULL)
		return;
	fdio_drop(&(*d)->sock);
	mem_free(*d);
	*d = NULL;
}

void
decoders_drop(struct decoders *d)
{
	uint64_t now = clock_ms();

	fdio_drop(&d->sock);
	if (now - d->started > GOOD_RUN)
		d->delay = 0;
	d->delay = d->delay ? d->delay * 2 : FIRST_DELAY;
	if (d->delay > LAST_DELAY)
		d->delay = LAST_DELAY;
	d->next_start = now + d->delay;
	d->ready = false;
}

static void
start(struct decoders *d)
{
	struct err e = { 0 };

	d->ready = false;
	d->jobs = 0;
	d->started = clock_ms();
	d->sock = launcher_zygote(d->launcher, &e);
	if (d->sock < 0) {
		log_error("%s", e.text);
		decoders_drop(d);
	}
}

uint64_t
decoders_tick(struct decoders *d, size_t running)
{
	uint64_t now = clock_ms();

	if (d->sock >= 0 && d->jobs >= ZYGOTE_JOBS && running == 0) {
		log_debug(
		    "the decoder zygote is renewed after %llu jobs", (unsigned long long)d->jobs);
		fdio_drop(&d->sock);
		d->next_start = now;
	}
	if (d->sock >= 0 && !d->ready && now - d->started > START_TIMEOUT) {
		log_error("the decoder zygote does not get ready");
		decoders_drop(d);
	}
	if (d->sock < 0 && now >= d->next_start)
		start(d);
	if (d->sock < 0)
		return d->next_start;
	return d->ready ? UINT64_MAX : d->started + START_TIMEOUT + 1;
}

bool
decoders_ready(const struct decoders *d)
{
	return d->sock >= 0 && d->ready && d->jobs < ZYGOTE_JOBS;
}

bool
decoders_orphaned(const struct decoders *d)
{
	return d->launcher->gone;
}

int
decoders_fd(const struct decoders *d)
{
	return d->sock;
}

int
decoders_submit(struct decoders *d, const struct wire_job *job, int in, int out, struct err *e)
{
	uint8_t buf[WIRE_MESSAGE];
	int fds[2] = { in, out };

	if (fdio_send(d->sock, buf, wire_job_write(job, buf), fds, 2) < 0)
		return err_sys(e, "send a job to the decoder zygote");
	d->jobs++;
	return 0;
}

void
decoders_kill(struct decoders *d, uint64_t serial)
{
	struct wire_message m = { .type = WIRE_KILL, .serial = serial };
	uint8_t buf[WIRE_MESSAGE];

	/* A zygote that cannot be told is gone, and its socket says so. */
	if (d->sock >= 0 && fdio_send(d->sock, buf, wire_message_write(&m, buf), NULL, 0) < 0)
		log_debug("kill job %llu: %s", (unsigned long long)serial, strerror(errno));
}

enum decoders_event
decoders_event(struct decoders *d, struct wire_message *m)
{
	uint8_t buf[WIRE_MESSAGE];
	size_t nfds = 0;
	ssize_t n = fdio_recv(d->sock, buf, sizeof(buf), NULL, &nfds);

	if (n <= 0 || wire_message_read(buf, (size_t)n, m) < 0) {
		decoders_drop(d);
		return DECODERS_LOST;
	}
	switch (m->type) {
	case WIRE_READY:
		d->ready = true;
		return DECODERS_READY;
	case WIRE_REFUSED:
		decoders_drop(d);
		return DECODERS_REFUSED;
	case WIRE_END:
		return DECODERS_END;
	default:
		return DECODERS_NONE;
	}
}
