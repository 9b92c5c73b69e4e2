/*
 * First byte: the format; the rest is the file, read in windows as picture_probe does.
 */
#include "base/sys.h"

#include "worker/container.h"
#include "worker/picture.h"
#include "fuzz.h"

/* The whole file: EXIF, and the first frame, which is a file without animation. */
static void
whole(enum picture_format format, const uint8_t *data, size_t size)
{
	size_t len = 0, again = 0;
	uint8_t *first;

	MUST_HOLD(container_orientation(format, data, size) <= 8);
	first = container_first_frame(data, size, &len);
	if (first) {
		MUST_HOLD(len > 30 && len <= size + 30);
		MUST_HOLD(picture_sniff(first, len) == PICTURE_WEBP);
		MUST_HOLD(container_first_frame(first, len, &again) == NULL);
	}
	mem_free(first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct picture_reader r;
	enum picture_step step;
	unsigned steps = 0;
	size_t n;

	if (size == 0)
		return 0;
	picture_begin(&r, (enum picture_format)(data[0] % (PICTURE_FORMATS + 1)));
	data++;
	size--;
	(void)picture_sniff(data, size);
	whole(r.found.format, data, size);
	do {
		uint64_t at = r.at < size ? r.at : size;
		uint8_t *window;

		n = size - at < PICTURE_WINDOW ? (size_t)(size - at) : PICTURE_WINDOW;
		window = mem_alloc(n ? n : 1);
		memcpy(window, data + at, n);
		step = picture_step(&r, window, n);
		mem_free(window);
		MUST_HOLD(++steps <= PICTURE_MAX_STEPS + 1);
	} while (step == PICTURE_MORE);
	if (step == PICTURE_DONE) {
		MUST_HOLD(r.found.width > 0 && r.found.height > 0);
		MUST_HOLD(r.found.orientation >= 1 && r.found.orientation <= 8);
		MUST_HOLD(picture_memory(&r.found, 8, size) >= size);
	}
	return 0;
}
