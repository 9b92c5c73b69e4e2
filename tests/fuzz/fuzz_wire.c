/*
 * What a decoder answers, and what goes over the zygote's socket: hostile bytes in every place.
 */
#include "base/sys.h"

#include "worker/wire.h"
#include "fuzz.h"

static void
reply(const uint8_t *data, size_t size)
{
	static const struct wire_job job = { .max_output = 4096,
		.renditions = 2,
		.rendition = {
		    { 64, 64, false, FORMAT_JPEG, 80 }, { 64, 64, true, FORMAT_PNG, 80 } } };
	struct wire_reply r;
	struct err e = { 0 };

	if (wire_reply_read(data, size, &job, &r, &e) < 0) {
		MUST_HOLD(e.kind == ERR_INPUT && e.text[0] != '\0');
		return;
	}
	MUST_HOLD(r.status < WIRE_STATUSES && strlen(r.text) <= WIRE_TEXT);
	for (size_t i = 0; r.status == WIRE_OK && i < 2; i++) {
		MUST_HOLD(r.thumbnail[i].width <= 64 && r.thumbnail[i].height <= 64);
		MUST_HOLD(r.thumbnail[i].n <= job.max_output);
		MUST_HOLD(
		    r.thumbnail[i].p >= data && r.thumbnail[i].p + r.thumbnail[i].n <= data + size);
	}
	for (const char *s = r.text; *s; s++)
		MUST_HOLD(*s >= 0x20 && *s < 0x7f);
}

/* What is read and written again is the same. */
static void
messages(const uint8_t *data, size_t size)
{
	uint8_t buf[WIRE_MESSAGE];
	struct wire_job job;
	struct wire_message m;

	(void)wire_type(data, size);
	if (wire_job_read(data, size, &job) == 0) {
		MUST_HOLD(job.renditions > 0 && job.renditions <= CONF_MAX_RENDITIONS);
		MUST_HOLD(wire_job_write(&job, buf) == size && memcmp(buf, data, size) == 0);
	}
	if (wire_message_read(data, size, &m) == 0)
		MUST_HOLD(wire_message_write(&m, buf) == size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	reply(data, size);
	messages(data, size);
	return 0;
}
