/*
 * The first line is the boundary (a leading ! asks for small limits), the rest the body. The events
 * are the same for random cuts, and the data of a part is one piece of the body, between the end
 * of its headers and a delimiter.
 */
#include "base/sys.h"

#include "../support/multipart_events.h"
#include "fuzz.h"

static const struct multipart_limits small = {
	.header_bytes = 256,
	.headers = 3,
	.parts = 3,
	.name = 8,
	.filename = 16,
	.preamble = 16,
	.epilogue = 16,
	.lwsp = 4,
};

struct piece {
	const uint8_t *at; /* where the part's data began, and how much of it has been told */
	size_t len;
};

/* Whether a delimiter for dashes ("--" boundary, m bytes) stands at p. */
static bool
is_delimiter(const uint8_t *p, const uint8_t *end, const char *dashes, size_t m)
{
	if ((size_t)(end - p) <= m || memcmp(p, dashes, m) != 0)
		return false;
	p += m;
	return strchr(" \t\r\n", *p) ? *p != '\0' : end - p > 1 && p[0] == '-' && p[1] == '-';
}

/* The piece is over: a delimiter follows, and there was none in it. */
static void
check_end(const struct piece *piece, const uint8_t *end, const char *dashes)
{
	const uint8_t *p = piece->at, *stop = p + piece->len;
	size_t m = strlen(dashes);

	MUST_HOLD(end - stop >= 2);
	if (piece->len > 0 || !is_delimiter(stop, end, dashes, m))
		MUST_HOLD(memcmp(stop, "\r\n", 2) == 0 && is_delimiter(stop + 2, end, dashes, m));
	MUST_HOLD(piece->len == 0 || !is_delimiter(p, end, dashes, m));
	for (; p < stop && (p = memchr(p, '\r', (size_t)(stop - p))); p++)
		MUST_HOLD(end - p < 2 || p[1] != '\n' || !is_delimiter(p + 2, end, dashes, m));
}

static void
check_pieces(
    const char *boundary, const struct multipart_limits *limits, const uint8_t *body, size_t size)
{
	const uint8_t *p = body, *end = body + size, *data;
	struct piece piece = { NULL, 0 };
	struct multipart mp;
	enum multipart_event ev;
	char dashes[MULTIPART_BOUNDARY + 3];
	size_t len, parts = 0;

	if (multipart_init(&mp, boundary, strlen(boundary), limits) < 0)
		return;
	snprintf(dashes, sizeof(dashes), "--%s", boundary);
	while ((ev = multipart_next(&mp, &p, end, &data, &len)) != MULTIPART_MORE) {
		if (ev == MULTIPART_ERROR)
			break;
		if (ev == MULTIPART_PART) {
			MUST_HOLD(!piece.at && mp.part.index == parts++);
			piece.at = p;
			piece.len = 0;
		} else if (ev == MULTIPART_DATA) {
			MUST_HOLD(
			    piece.at && len > 0 && len <= (size_t)(end - piece.at) - piece.len);
			MUST_HOLD(memcmp(piece.at + piece.len, data, len) == 0);
			piece.len += len;
		} else if (ev == MULTIPART_PART_END) {
			check_end(&piece, end, dashes);
			piece.at = NULL;
		} else {
			MUST_HOLD(ev == MULTIPART_END && !piece.at);
		}
	}
	MUST_HOLD(parts <= mp.limits.parts);
}

static void
run_random_cuts(struct strbuf *b, const char *boundary, const struct multipart_limits *limits,
    const uint8_t *body, size_t size, uint32_t seed)
{
	struct multipart mp;
	bool good = multipart_init(&mp, boundary, strlen(boundary), limits) == 0;

	strbuf_reset(b);
	for (size_t i = 0; good && i < size;) {
		size_t len;

		seed = seed * 1103515245 + 12345;
		len = seed >> 30 ? seed >> 16 & 7 : seed >> 16 & 255;
		if (len > size - i)
			len = size - i;
		good = events_feed(b, &mp, body + i, len);
		i += len;
	}
	events_finish(b, &mp);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = fuzz_line(&data, &size), *boundary = line;
	const struct multipart_limits *limits = NULL;
	struct strbuf whole, cut;

	if (*boundary == '!') {
		limits = &small;
		boundary++;
	}
	strbuf_init(&whole);
	strbuf_init(&cut);
	check_pieces(boundary, limits, data, size);
	events_run(&whole, boundary, limits, (const char *)data, size, 0, SIZE_MAX);
	run_random_cuts(&cut, boundary, limits, data, size, (uint32_t)size * 2654435761U);
	MUST_HOLD(strcmp(whole.s, cut.s) == 0);
	events_run(&cut, boundary, limits, (const char *)data, size, 0, 1);
	MUST_HOLD(strcmp(whole.s, cut.s) == 0);
	strbuf_release(&whole);
	strbuf_release(&cut);
	mem_free(line);
	return 0;
}
