/*
 * wire.h: what the worker, the zygote and a decoder say to each other.
 *
 *	worker -> zygote    job (with two descriptors: the picture, the pipe for the reply), kill
 *	zygote -> worker    ready or refused once; end, when a decoder is gone
 *	decoder -> worker   one reply through the pipe, then end of file
 *
 * A decoder handles hostile bytes and may have been taken over: wire_reply_read believes nothing.
 * All numbers are little-endian and of fixed width; every reader checks every length.
 */
#ifndef SLUICE_WORKER_WIRE_H
#define SLUICE_WORKER_WIRE_H

#include "data/conf.h"
#include "worker/picture.h"

enum { WIRE_TEXT = 200, WIRE_MESSAGE = 1024, WIRE_REPLY_HEAD = 256, WIRE_RECORD = 28 };

struct wire_rendition {
	uint32_t width, height; /* the box */
	bool crop;
	enum conf_format format;
	uint32_t quality;
};

struct wire_job {
	uint64_t serial; /* names the job between worker and zygote */
	uint64_t file_size, max_pixels, memory, max_output;
	uint32_t max_side, cpu_ms, wall_ms;
	struct picture picture;
	uint32_t renditions;
	struct wire_rendition rendition[CONF_MAX_RENDITIONS];
};

enum wire_type { WIRE_JOB = 1, WIRE_KILL, WIRE_READY, WIRE_REFUSED, WIRE_END };

/* How a decoder ended. */
enum wire_end {
	WIRE_EXITED,  /* value: exit status */
	WIRE_SIGNAL,  /* value: signal */
	WIRE_TIMEOUT, /* the zygote killed it: wall-clock time was over */
	WIRE_KILLED,  /* the zygote killed it: the worker asked for it */
	WIRE_NOFORK,  /* there never was one; value: errno */
	WIRE_ENDS
};

struct wire_message {
	enum wire_type type;
	uint64_t serial;          /* KILL, END */
	enum wire_end end;        /* END */
	uint32_t value;           /* END; READY: version of Landlock, 0 = none */
	char text[WIRE_TEXT + 1]; /* REFUSED: why; READY: what the pictures are decoded with */
};

/* What became of a picture. The first is success, the next three are for good. */
enum wire_status {
	WIRE_OK,
	WIRE_CORRUPT,
	WIRE_TOO_LARGE,
	WIRE_UNSUPPORTED,
	WIRE_RESOURCE,
	WIRE_INTERNAL,
	WIRE_STATUSES
};

struct wire_thumbnail {
	uint32_t width, height;
	const uint8_t *p; /* into the buffer that was read */
	size_t n;
};

struct wire_reply {
	enum wire_status status;
	char text[WIRE_TEXT + 1];                             /* why, unless WIRE_OK; printable */
	struct wire_thumbnail thumbnail[CONF_MAX_RENDITIONS]; /* as many as the job asked for */
};

/* Exit status of a decoder whose library gave up for want of memory. */
enum { WIRE_EXIT_MEMORY = 70 };

/* Each writes at most WIRE_MESSAGE bytes and returns the length. */
size_t wire_job_write(const struct wire_job *job, uint8_t out[WIRE_MESSAGE]);
size_t wire_message_write(const struct wire_message *m, uint8_t out[WIRE_MESSAGE]);

/* The type of a message, 0 when it has none. */
unsigned wire_type(const void *p, size_t n);

/* 0, or -1 when the bytes are not exactly such a message with sensible values. */
MUST_CHECK int wire_job_read(const void *p, size_t n, struct wire_job *job);
MUST_CHECK int wire_message_read(const void *p, size_t n, struct wire_message *m);

/* The decoder's side: 0, or -1 when the pipe is closed. */
MUST_CHECK int wire_reply_fail(int fd, enum wire_status status, const char *text);
MUST_CHECK int wire_reply_send(int fd, const struct wire_thumbnail *t, uint32_t n);

/* More than this is no valid reply to the job. */
uint64_t wire_reply_max(const struct wire_job *job);

/*
 * The worker's side, with the whole reply in memory: 0, or -1 with ERR_INPUT. Checked are lengths,
 * the magic and the dimensions of each thumbnail, and that it keeps within its box and max_output.
 */
MUST_CHECK int wire_reply_read(
    const void *p, size_t n, const struct wire_job *job, struct wire_reply *out, struct err *e);

#endif
