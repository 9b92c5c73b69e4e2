#include "base/sys.h"

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "worker/decoders.h"
#include "worker/zygote.h"
#include "picture_file.h"
#include "tap.h"

#include <signal.h>
#include <sys/stat.h>

static struct launcher launcher;
static struct decoders *decoders;
static uint64_t serial;

/* The next event, within ten seconds. */
static enum decoders_event
next(struct wire_message *m)
{
	uint64_t end = clock_ms() + 10000;

	while (clock_ms() < end) {
		(void)decoders_tick(decoders, 0);
		if (decoders_fd(decoders) >= 0)
			return decoders_event(decoders, m);
		clock_sleep_ms(20);
	}
	return DECODERS_NONE;
}

static struct wire_job
job_of(const struct picture *p, uint64_t size)
{
	return (struct wire_job){ .serial = ++serial,
		.file_size = size,
		.max_pixels = 50000000,
		.memory = 256 << 20,
		.max_output = 1 << 20,
		.max_side = 16000,
		.cpu_ms = 5000,
		.wall_ms = 20000,
		.picture = *p,
		.renditions = 1,
		.rendition = { { 64, 64, false, FORMAT_JPEG, 80 } } };
}

struct result {
	struct wire_message end;
	struct wire_reply reply;
	int valid;
	struct err e;
};

static uint8_t bytes[2 << 20];

/* Has fd decoded and takes in what comes back. */
static void
decode(const struct wire_job *job, int fd, struct result *r)
{
	int out[2];
	ssize_t n;

	memset(r, 0, sizeof(*r));
	if (pipe(out) < 0 || decoders_submit(decoders, job, fd, out[1], &r->e) < 0) {
		printf("Bail out! %s\n", r->e.text);
		exit(99);
	}
	close(out[1]);
	n = fdio_read_full(out[0], bytes, sizeof(bytes));
	close(out[0]);
	if (next(&r->end) != DECODERS_END || r->end.serial != job->serial)
		r->end.end = WIRE_ENDS;
	r->valid = wire_reply_read(bytes, n > 0 ? (size_t)n : 0, job, &r->reply, &r->e);
}

static void
decode_file(const char *name, struct result *r)
{
	struct picture_file f;
	struct wire_job job;

	picture_file_read(&f, name);
	job = job_of(&f.picture, f.n);
	decode(&job, f.fd, r);
	picture_file_release(&f);
}

static void
pictures(void)
{
	static const char *const good[] = { "plain.jpg", "progressive.jpg", "cmyk.jpg", "alpha.png",
		"palette.png", "moving.gif", "lossy.webp", "lzw.tiff", "plain.bmp", "plain.heic",
		"plain.avif", "profile.jpg" };
	static const char *const bad[] = { "cut.jpg", "cut.png", "cut.avif", "text.jpg",
		"push.jpg" };
	struct result r;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		decode_file(good[i], &r);
		if (!tap_ok(r.valid == 0 && r.reply.status == WIRE_OK && r.end.end == WIRE_EXITED &&
				r.end.value == 0,
			"in the sandbox: %s", good[i]))
			printf("# %d %s, end %d %u\n", r.reply.status, r.reply.text, r.end.end,
			    r.end.value);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		decode_file(bad[i], &r);
		tap_ok(r.valid == 0 && r.reply.status == WIRE_CORRUPT && r.reply.text[0],
		    "refused in the sandbox: %s", bad[i]);
	}
}

/* 20,000 frames of one pixel on a canvas of 4000 x 4000: only the first one may be decoded. */
static void
many_frames(void)
{
	enum { FRAMES = 20000 };
	static const char head[] = "GIF89a\xa0\x0f\xa0\x0f\x80\0\0\xff\0\0\0\xff\0",
			  frame[] = "\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0";
	struct picture p = {
		.format = PICTURE_GIF, .width = 4000, .height = 4000, .orientation = 1
	};
	FILE *f = tmpfile();
	uint64_t start = clock_ms();
	struct wire_job job;
	struct result r;

	fwrite(head, 1, sizeof(head) - 1, f);
	for (int i = 0; i < FRAMES; i++)
		fwrite(frame, 1, sizeof(frame) - 1, f);
	fputc(';', f);
	fflush(f);
	job = job_of(&p, (uint64_t)ftell(f));
	decode(&job, fileno(f), &r);
	if (!tap_ok(r.valid == 0 && r.reply.status == WIRE_OK, "GIF of 20,000 frames"))
		printf("# %s\n", r.reply.text);
	tap_ok(clock_ms() - start < 3000, "only the first frame costs time");
	fclose(f);
}

/* The header lies to the worker (or was not found); the limits hold in the decoder too. */
static void
bombs(void)
{
	struct picture_file f;
	struct wire_job job;
	struct result r;

	picture_file_read(&f, "bomb-bilevel.png");
	f.picture.width = f.picture.height = 0;
	job = job_of(&f.picture, f.n);
	decode(&job, f.fd, &r);
	tap_ok(r.valid == 0 && r.reply.status != WIRE_OK, "128 megapixels of unknown size");
	printf("# %d: %s\n", r.reply.status, r.reply.text);
	f.picture.width = f.picture.height = 100;
	job = job_of(&f.picture, f.n);
	decode(&job, f.fd, &r);
	tap_ok(r.valid < 0 || r.reply.status != WIRE_OK, "128 megapixels that said 100x100");
	printf("# %d %d: %s\n", r.end.end, r.reply.status, r.reply.text);
	job.max_pixels = 500000000;
	job.memory = 64 << 20;
	decode(&job, f.fd, &r);
	tap_ok(r.valid < 0 || r.reply.status != WIRE_OK, "1 GB of pixels in 64 MiB");
	printf("# %d %u %d: %s\n", r.end.end, r.end.value, r.reply.status, r.reply.text);
	job.file_size++;
	decode(&job, f.fd, &r);
	tap_ok(r.valid == 0 && r.reply.status == WIRE_INTERNAL, "a file of another size");
	picture_file_release(&f);
	decode_file("plain.jpg", &r);
	tap_ok(r.valid == 0 && r.reply.status == WIRE_OK, "the next picture is well");
}

static void
killing(void)
{
	struct picture_file f;
	struct wire_message m;
	struct wire_job job;
	struct result r;
	int out[2];
	ssize_t n;

	picture_file_read(&f, "plain.jpg");
	job = job_of(&f.picture, f.n);
	job.wall_ms = 0;
	decode(&job, f.fd, &r);
	tap_is(r.end.end, WIRE_TIMEOUT, "over its wall-clock time");
	tap_ok(r.valid < 0, "no valid reply then");
	job = job_of(&f.picture, f.n);
	if (pipe(out) < 0 || decoders_submit(decoders, &job, f.fd, out[1], &r.e) < 0)
		printf("Bail out! submit\n");
	close(out[1]);
	decoders_kill(decoders, job.serial);
	n = fdio_read_full(out[0], bytes, sizeof(bytes));
	close(out[0]);
	tap_is(next(&m), DECODERS_END, "killed on demand: told");
	tap_ok(m.end == WIRE_KILLED || (m.end == WIRE_EXITED && n > 0),
	    "killed on demand, or too late");
	decoders_kill(decoders, 999999);
	decode_file("plain.jpg", &r);
	tap_ok(r.valid == 0, "killing what is not there does nothing");
	picture_file_release(&f);
}

static void
death(void)
{
	struct wire_message m;
	struct result r;

	decoders_drop(decoders);
	tap_ok(!decoders_ready(decoders), "a zygote that was dropped is not ready");
	tap_is(next(&m), DECODERS_READY, "another one is started");
	decode_file("plain.jpg", &r);
	tap_ok(r.valid == 0 && r.reply.status == WIRE_OK, "it works");
}

/* Another directory, without our policy: nothing may be decoded. */
static void
without_policy(void)
{
	char dir[] = "/tmp/sluice-policy.XXXXXX", conf[PATH_MAX];
	static const char open_policy[] =
	    "<policymap><policy domain=\"coder\" rights=\"read|write\" pattern=\"*\"/></policymap>";
	struct wire_message m = { 0 };
	struct launcher other;
	struct err e = { 0 };
	int fd;

	if (mkdtemp(dir) == NULL || chmod(dir, 0755) < 0 ||
	    launcher_start(&other, NULL, dir, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		return;
	}
	decoders_free(&decoders);
	decoders = decoders_new(&other);
	tap_is(next(&m), DECODERS_REFUSED, "no policy: refused");
	printf("# %s\n", m.text);
	snprintf(conf, sizeof(conf), "%s/policy.xml", dir);
	fd = open(conf, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	tap_is(fdio_write(fd, open_policy, sizeof(open_policy) - 1), 0, "a policy that allows all");
	fdio_drop(&fd);
	tap_is(next(&m), DECODERS_REFUSED, "is refused");
	decoders_free(&decoders);
	launcher_stop(&other);
	tap_is(launcher_start(&other, NULL, "/nonexistent", &e), -1, "no directory: no start");
	unlink(conf);
	rmdir(dir);
}

int
main(int argc, char **argv)
{
	char dir[PATH_MAX];
	struct wire_message m;
	struct err e = { 0 };

	if (zygote_wanted(argc, argv))
		return zygote_main();
	signal(SIGPIPE, SIG_IGN);
	snprintf(dir, sizeof(dir), "%s/conf/magick", picture_file_srcdir());
	if (launcher_start(&launcher, "nobody", dir, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		return 99;
	}
	decoders = decoders_new(&launcher);
	if (!tap_ok(next(&m) == DECODERS_READY, "the zygote gets ready"))
		printf("# %s\n", m.text);
	printf("# %s, Landlock %u\n", m.text, m.value);
	pictures();
	many_frames();
	bombs();
	killing();
	death();
	without_policy();
	launcher_stop(&launcher);
	return tap_done();
}
