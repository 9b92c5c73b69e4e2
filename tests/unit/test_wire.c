#include "base/sys.h"

#include "worker/wire.h"
#include "picture_file.h"
#include "tap.h"

static const struct wire_job job = {
	.serial = 0x1122334455667788,
	.file_size = 1 << 30,
	.max_pixels = 50000000,
	.memory = 768 << 20,
	.max_output = 8 << 20,
	.max_side = 16000,
	.cpu_ms = 10000,
	.wall_ms = 20000,
	.picture = { .format = PICTURE_JPEG, .width = 4000, .height = 3000, .orientation = 6 },
	.renditions = 2,
	.rendition = { { 640, 640, false, FORMAT_JPEG, 80 }, { 640, 480, true, FORMAT_PNG, 1 } },
};

static void
jobs(void)
{
	uint8_t buf[WIRE_MESSAGE];
	struct wire_job got, full = job;
	size_t n = wire_job_write(&job, buf);
	bool refused = true;

	tap_is(wire_type(buf, n), WIRE_JOB, "a job is known by its type");
	tap_is(wire_job_read(buf, n, &got), 0, "a job arrives");
	tap_ok(memcmp(&got, &job, sizeof(job)) == 0, "as it was sent");
	for (size_t k = 0; k < n; k++)
		refused = refused && wire_job_read(buf, k, &got) < 0;
	tap_ok(refused, "no part of it is a job");
	tap_is(wire_job_read(buf, n + 1, &got), -1, "nor is more than it");
	full.renditions = CONF_MAX_RENDITIONS;
	for (uint32_t i = 0; i < full.renditions; i++)
		full.rendition[i] = job.rendition[0];
	n = wire_job_write(&full, buf);
	tap_is(wire_job_read(buf, n, &got), 0, "the largest job fits in a message");
	full = job;
	full.rendition[1].quality = 101;
	n = wire_job_write(&full, buf);
	tap_is(wire_job_read(buf, n, &got), -1, "quality 101");
	full = job;
	full.rendition[0].height = 0;
	n = wire_job_write(&full, buf);
	tap_is(wire_job_read(buf, n, &got), -1, "no height");
	full = job;
	full.picture.format = PICTURE_FORMATS;
	n = wire_job_write(&full, buf);
	tap_is(wire_job_read(buf, n, &got), -1, "unknown format");
	full = job;
	full.renditions = 0;
	n = wire_job_write(&full, buf);
	tap_is(wire_job_read(buf, n, &got), -1, "no renditions");
}

static void
messages(void)
{
	struct wire_message m = { .type = WIRE_END, .serial = 7, .end = WIRE_SIGNAL, .value = 31 },
			    got;
	uint8_t buf[WIRE_MESSAGE];
	size_t n = wire_message_write(&m, buf);
	bool refused = true;

	tap_is(wire_message_read(buf, n, &got), 0, "a message arrives");
	tap_ok(memcmp(&got, &m, sizeof(m)) == 0, "as it was sent");
	for (size_t k = 0; k < n; k++)
		refused = refused && wire_message_read(buf, k, &got) < 0;
	tap_ok(refused, "no part of it is a message");
	m.end = WIRE_ENDS;
	n = wire_message_write(&m, buf);
	tap_is(wire_message_read(buf, n, &got), -1, "unknown end");
	m = (struct wire_message){ .type = WIRE_REFUSED, .text = "policy\n\033[31m\xff" };
	n = wire_message_write(&m, buf);
	tap_is(wire_message_read(buf, n, &got), 0, "a refusal arrives");
	tap_str(got.text, "policy__[31m_", "its text is made printable");
	tap_is(wire_job_read(buf, n, &(struct wire_job){ 0 }), -1, "it is no job");
}

/* What a decoder writes into its pipe. */
static size_t
collect(int fd, uint8_t *buf, size_t size)
{
	ssize_t n = fdio_read_full(fd, buf, size);

	return n > 0 ? (size_t)n : 0;
}

struct pipes {
	int r, w;
};

static struct pipes
open_pipe(void)
{
	int fd[2];

	if (pipe(fd) < 0) {
		printf("Bail out! pipe: %s\n", strerror(errno));
		exit(99);
	}
	return (struct pipes){ fd[0], fd[1] };
}

static size_t
good_reply(uint8_t *buf, size_t size)
{
	struct wire_thumbnail t[2] = { { .width = 640, .height = 480 },
		{ .width = 640, .height = 480 } };
	struct picture_file jpeg, png;
	struct pipes p = open_pipe();
	size_t n;

	picture_file_read(&jpeg, "plain.jpg");
	picture_file_read(&png, "rgb.png");
	t[0].p = jpeg.p;
	t[0].n = jpeg.n;
	t[1].p = png.p;
	t[1].n = png.n;
	if (wire_reply_send(p.w, t, 2) < 0)
		printf("Bail out! reply\n");
	close(p.w);
	n = collect(p.r, buf, size);
	close(p.r);
	picture_file_release(&jpeg);
	picture_file_release(&png);
	return n;
}

enum { FIRST = 12 }; /* where the first thumbnail's record begins */

/* A reply in which one byte is changed. */
static void
spoilt(const uint8_t *good, size_t n, size_t at, uint8_t value, const char *name)
{
	uint8_t *copy = mem_alloc(n);
	struct wire_reply reply;
	struct err e = { 0 };

	memcpy(copy, good, n);
	copy[at] = value;
	tap_is(wire_reply_read(copy, n, &job, &reply, &e), -1, name);
	printf("# %s\n", e.text);
	mem_free(copy);
}

static void
replies(void)
{
	static uint8_t buf[1 << 16], other[1 << 16];
	struct wire_job small = job;
	struct wire_reply reply;
	struct err e = { 0 };
	bool refused = true;
	size_t n = good_reply(buf, sizeof(buf) - 1);

	tap_is(wire_reply_read(buf, n, &job, &reply, &e), 0, "a reply is read");
	tap_ok(reply.status == WIRE_OK && reply.thumbnail[1].width == 640 &&
		   reply.thumbnail[1].n > 1000,
	    "with its thumbnails");
	for (size_t k = 0; k < n; k++)
		refused = refused && wire_reply_read(buf, k, &job, &reply, &e) < 0;
	tap_ok(refused, "no part of it is a reply");
	tap_is(wire_reply_read(buf, n + 1, &job, &reply, &e), -1, "nor is more than it");
	spoilt(buf, n, 0, 'X', "wrong magic");
	spoilt(buf, n, 4, 99, "unknown status");
	spoilt(buf, n, 8, 1, "one thumbnail of two");
	spoilt(buf, n, FIRST, 1, "out of order");
	spoilt(buf, n, FIRST + 4, 1, "another width than the picture's own");
	spoilt(buf, n, FIRST + 18, 1, "longer than the reply");
	spoilt(buf, n, FIRST + 20, '<', "HTML instead of a picture");
	small.max_output = 1000;
	tap_is(wire_reply_read(buf, n, &small, &reply, &e), -1, "over max_output");
	small = job;
	small.rendition[1].width = 639;
	tap_is(wire_reply_read(buf, n, &small, &reply, &e), -1, "larger than its box");
	small = job;
	small.rendition[0].format = FORMAT_WEBP;
	tap_is(wire_reply_read(buf, n, &small, &reply, &e), -1, "of another format");
	tap_ok(wire_reply_max(&job) >= n + 2 * 8 * 1024, "the limit leaves room for it");
	memset(other, 0, sizeof(other));
	tap_is(wire_reply_read(other, sizeof(other), &job, &reply, &e), -1, "zeros");
	tap_is(wire_reply_read(other, 0, &job, &reply, &e), -1, "nothing");
	tap_str(e.text, "no reply", "says that there was nothing");
}

static void
failures(void)
{
	struct pipes p = open_pipe();
	uint8_t buf[1024];
	struct wire_reply reply;
	struct err e = { 0 };
	char text[400];
	size_t n;

	memset(text, 'a', sizeof(text));
	text[399] = '\0';
	text[3] = '\n';
	tap_is(wire_reply_fail(p.w, WIRE_CORRUPT, text), 0, "a failure is sent");
	close(p.w);
	n = collect(p.r, buf, sizeof(buf));
	close(p.r);
	tap_is(wire_reply_read(buf, n, &job, &reply, &e), 0, "and read");
	tap_is(reply.status, WIRE_CORRUPT, "with its status");
	tap_ok(
	    strlen(reply.text) == WIRE_TEXT && reply.text[3] == '_', "text is cut and printable");
	buf[8] = 255;
	tap_is(wire_reply_read(buf, n, &job, &reply, &e), -1, "text longer than allowed");
}

int
main(void)
{
	jobs();
	messages();
	replies();
	failures();
	return tap_done();
}
