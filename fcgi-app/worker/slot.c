#include "base/sys.h"
#include "worker/slot.h"
#include "worker/fit.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"

#include <fcntl.h>
#include <signal.h>

/* What a zygote that is stopped or stuck is given beyond the wall-clock time of a picture. */
enum { ZYGOTE_GRACE = 5000 };

/* Ends the work on the picture; what remains is to tell the database. */
static void PRINTF_LIKE(3, 4) settle(struct slot *s, enum outcome outcome, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->reason, sizeof(s->reason), fmt, ap);
	va_end(ap);
	fdio_drop(&s->pipe);
	s->state = SLOT_REPORTING;
	s->outcome = outcome;
	s->report_at = 0;
	s->report_delay = 0;
}

/* An error of our own machine: the picture may be well. */
static void
settle_error(struct slot *s, const struct err *e)
{
	enum { FULL_DISK_DELAY = 30000 };

	s->delay = e->kind == ERR_NOSPACE ? FULL_DISK_DELAY : 0;
	settle(s, OUTCOME_RETRY, "%.250s", e->text);
}

static void
describe(struct slot *s, const struct conf *conf)
{
	struct wire_job *w = &s->wire;
	const struct conf_rendition *r;

	memset(w, 0, sizeof(*w));
	w->file_size = s->job.file_size;
	w->max_pixels = conf->worker.max_pixels;
	w->max_side = (uint32_t)conf->worker.max_side;
	w->memory = conf->worker.memory;
	w->max_output = conf->worker.max_output;
	w->cpu_ms = (uint32_t)conf->worker.cpu_time;
	w->wall_ms = (uint32_t)conf->worker.wall_time;
	w->renditions = (uint32_t)conf->renditions;
	for (size_t i = 0; i < conf->renditions; i++) {
		r = &conf->rendition[i];
		w->rendition[i] = (struct wire_rendition){ .width = r->width,
			.height = r->height,
			.crop = r->crop,
			.format = r->format,
			.quality = r->quality };
	}
}

/* By how much the decoder will scale a JPEG down: the rule of its own hint, for the forecast. */
static unsigned
denominator(const struct wire_job *w)
{
	unsigned d = w->picture.format == PICTURE_JPEG && w->picture.width ? 8 : 1, own;
	struct fit fit;

	for (uint32_t i = 0; i < w->renditions; i++) {
		fit_box(w->picture.width, w->picture.height, w->rendition[i].width,
		    w->rendition[i].height, w->rendition[i].crop, &fit);
		own = fit_denominator(
		    w->picture.width, w->picture.height, fit.scaled_width, fit.scaled_height);
		d = own < d ? own : d;
	}
	return d;
}

static void
examine(struct slot *s, const struct conf_worker *conf, int fd)
{
	struct wire_job *w = &s->wire;
	enum picture_format format = picture_of_type(s->job.file_type);
	struct err e = { 0 };

	if (format == PICTURE_UNKNOWN) {
		settle(s, OUTCOME_DEAD, "no thumbnails are made of %.127s", s->job.file_type);
		return;
	}
	if (picture_probe(fd, format, &w->picture, &e) < 0) {
		if (e.kind == ERR_TYPE)
			settle(s, OUTCOME_DEAD, "%.250s", e.text);
		else
			settle_error(s, &e);
		return;
	}
	if (w->picture.width > conf->max_side || w->picture.height > conf->max_side ||
	    (uint64_t)w->picture.width * w->picture.height > conf->max_pixels) {
		settle(s, OUTCOME_DEAD, "%ux%u pixels exceed the limit", w->picture.width,
		    w->picture.height);
		return;
	}
	s->memory = w->picture.width ? picture_memory(&w->picture, denominator(w), w->file_size)
				     : conf->memory;
	if (s->memory > conf->memory)
		s->memory = conf->memory; /* the decoder's limit holds */
}

/* Opens the file; -1 when the job is settled without it. */
static int
open_file(struct slot *s, const struct slot_env *env)
{
	struct err e = { 0 };
	uint64_t size = 0;
	int fd = store_read(env->store, &s->job.file, &size, &e);

	if (fd >= 0 && size != s->job.file_size)
		settle(s, OUTCOME_DEAD, "the stored file has %llu bytes instead of %llu",
		    (unsigned long long)size, (unsigned long long)s->job.file_size);
	else if (fd < 0 && e.kind == ERR_NOTFOUND)
		settle(s, OUTCOME_DEAD, "the stored file is missing");
	else if (fd < 0)
		settle_error(s, &e);
	if (s->state == SLOT_REPORTING)
		fdio_drop(&fd);
	return fd;
}

void
slot_prepare(struct slot *s, const struct slot_env *env, const struct job *job)
{
	int fd;

	strbuf_init(&s->bytes);
	s->job = *job;
	s->pipe = -1;
	s->ended = s->overflow = s->stored = false;
	s->memory = s->delay = 0;
	s->started = clock_ms();
	s->deadline = UINT64_MAX;
	s->state = SLOT_WAITING;
	describe(s, env->conf);
	if (!job->has_file) {
		s->stored = job->attempt > 1; /* by an earlier attempt that did not end well */
		settle(s, OUTCOME_CANCELLED, "the file is gone");
		return;
	}
	if (strcmp(job->kind, "thumbnail") != 0) {
		settle(s, OUTCOME_DEAD, "no worker knows jobs of kind %s", job->kind);
		return;
	}
	if (job->file_size == 0) {
		settle(s, OUTCOME_DEAD, "the file is empty");
		return;
	}
	fd = open_file(s, env);
	if (fd < 0)
		return;
	examine(s, &env->conf->worker, fd);
	fdio_drop(&fd);
}

void
slot_start(struct slot *s, const struct slot_env *env, uint64_t serial)
{
	struct err e = { 0 };
	int fd = open_file(s, env), out[2] = { -1, -1 };

	if (fd < 0)
		return;
	s->wire.serial = serial;
	if (pipe2(out, O_CLOEXEC) < 0)
		err_sys(&e, "pipe for a decoder");
	else if (fdio_nonblock(out[0], true) < 0)
		err_sys(&e, "fcntl(O_NONBLOCK)");
	else if (decoders_submit(env->decoders, &s->wire, fd, out[1], &e) == 0) {
		s->pipe = out[0];
		out[0] = -1;
		s->state = SLOT_RUNNING;
		s->started = clock_ms();
		s->deadline = s->started + env->conf->worker.wall_time + ZYGOTE_GRACE;
	}
	if (s->pipe < 0)
		settle_error(s, &e);
	fdio_drop(&out[0]);
	fdio_drop(&out[1]);
	fdio_drop(&fd);
}

/* How a decoder ended that did not give a valid reply. */
static void
settle_end(struct slot *s, const struct conf_worker *conf, const char *bad_output)
{
	const struct wire_message *m = &s->end;

	switch (m->end) {
	case WIRE_TIMEOUT:
		settle(s, OUTCOME_RETRY, "decoding took longer than %llu s",
		    (unsigned long long)conf->wall_time / 1000);
		return;
	case WIRE_KILLED:
		settle(s, OUTCOME_RETRY, "the decoder was stopped");
		return;
	case WIRE_NOFORK:
		settle(
		    s, OUTCOME_RETRY, "no decoder could be started: %s", strerror((int)m->value));
		return;
	case WIRE_SIGNAL:
		if (m->value == SIGSYS)
			settle(s, OUTCOME_RETRY, "the decoder made a forbidden system call");
		else if (m->value == SIGXCPU)
			settle(s, OUTCOME_RETRY, "decoding took more than %llu s of processor time",
			    (unsigned long long)conf->cpu_time / 1000);
		else if (m->value == SIGKILL)
			settle(s, OUTCOME_RETRY, "the decoder was killed (out of memory?)");
		else
			settle(
			    s, OUTCOME_RETRY, "the decoder crashed (%s)", strsignal((int)m->value));
		return;
	default:
		if (m->value == WIRE_EXIT_MEMORY)
			settle(s, OUTCOME_RETRY, "the decoder ran out of memory");
		else if (m->value != 0)
			settle(s, OUTCOME_RETRY, "the decoder gave up (exit %u)", m->value);
		else
			settle(s, OUTCOME_RETRY, "bad output of the decoder: %.200s", bad_output);
	}
}

/* Durable before the database hears of it. */
static void
store_thumbnails(struct slot *s, const struct slot_env *env, const struct wire_reply *reply)
{
	static const char *const types[] = { [FORMAT_JPEG] = "image/jpeg",
		[FORMAT_PNG] = "image/png",
		[FORMAT_WEBP] = "image/webp" };
	const struct wire_thumbnail *t;
	const struct conf_rendition *r;
	struct err e = { 0 };

	for (uint32_t i = 0; i < s->wire.renditions; i++) {
		t = &reply->thumbnail[i];
		r = &env->conf->rendition[i];
		s->stored = true;
		if (store_put_thumbnail(env->store, &s->job.file, r->name, t->p, t->n, &e) < 0) {
			settle_error(s, &e);
			return;
		}
		memset(&s->made[i], 0, sizeof(s->made[i]));
		snprintf(s->made[i].name, sizeof(s->made[i].name), "%s", r->name);
		snprintf(s->made[i].type, sizeof(s->made[i].type), "%s", types[r->format]);
		s->made[i].width = t->width;
		s->made[i].height = t->height;
		s->made[i].size = t->n;
	}
	settle(s, OUTCOME_DONE, "%s", "");
}

static void
judge(struct slot *s, const struct slot_env *env)
{
	bool clean = s->end.end == WIRE_EXITED && s->end.value == 0;
	struct wire_reply reply;
	struct err e = { 0 };

	if (s->overflow)
		settle(s, OUTCOME_RETRY, "bad output of the decoder: more than %llu bytes",
		    (unsigned long long)wire_reply_max(&s->wire));
	else if (!clean)
		settle_end(s, &env->conf->worker, "");
	else if (wire_reply_read(s->bytes.s, s->bytes.len, &s->wire, &reply, &e) < 0)
		settle_end(s, &env->conf->worker, e.text);
	else if (reply.status == WIRE_OK)
		store_thumbnails(s, env, &reply);
	else
		settle(s, reply.status < WIRE_RESOURCE ? OUTCOME_DEAD : OUTCOME_RETRY, "%s",
		    reply.text);
	strbuf_reset(&s->bytes);
}

void
slot_read(struct slot *s, const struct slot_env *env)
{
	char buf[65536];
	ssize_t n = fdio_read(s->pipe, buf, sizeof(buf));

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0 && s->bytes.len + (size_t)n <= wire_reply_max(&s->wire)) {
		strbuf_add(&s->bytes, buf, (size_t)n);
		return;
	}
	if (n > 0) {
		s->overflow = true;
		decoders_kill(env->decoders, s->wire.serial);
	}
	fdio_drop(&s->pipe);
	if (s->ended)
		judge(s, env);
}

void
slot_ended(struct slot *s, const struct slot_env *env, const struct wire_message *m)
{
	s->ended = true;
	s->end = *m;
	if (s->pipe < 0)
		judge(s, env);
}

void
slot_abandon(struct slot *s, const struct slot_env *env, enum outcome outcome, const char *reason)
{
	if (s->state == SLOT_RUNNING && !s->ended)
		decoders_kill(env->decoders, s->wire.serial);
	settle(s, outcome, "%s", reason);
}
