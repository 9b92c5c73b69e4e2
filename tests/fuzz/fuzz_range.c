/*
 * One field a line: size, Range, If-Range, If-Match, If-None-Match, If-Modified-Since,
 * If-Unmodified-Since. A range that is to be sent lies inside the file.
 */
#include "base/sys.h"

#include "base/num.h"
#include "fcgi/range.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct range_entity ent = { "\"a\"", 784111777, 0 };
	struct range_request rq = { .is_get = true };
	struct range r;
	enum range_outcome outcome;
	char *line[7];

	for (size_t i = 0; i < ARRAY_LEN(line); i++)
		line[i] = fuzz_line(&data, &size);
	if (num_u64(line[0], 0, UINT64_MAX, &ent.size) < 0)
		ent.size = 1000;
	rq.range = line[1];
	rq.if_range = line[2];
	rq.if_match = line[3];
	rq.if_none_match = line[4];
	rq.if_modified_since = line[5];
	rq.if_unmodified_since = line[6];
	outcome = range_evaluate(&rq, &ent, &r);
	if (outcome == RANGE_PART)
		MUST_HOLD(r.first <= r.last && r.last < ent.size);
	else
		MUST_HOLD(r.first == 0 && r.last == (ent.size ? ent.size - 1 : 0));
	MUST_HOLD(outcome <= RANGE_MALFORMED);
	MUST_HOLD(outcome != RANGE_FAILED || *line[3] || *line[6]);
	MUST_HOLD(outcome != RANGE_NOT_MODIFIED || *line[4] || *line[5]);
	rq.is_get = false;
	rq.is_head = true;
	MUST_HOLD(range_evaluate(&rq, &ent, &r) <= RANGE_FAILED);
	for (size_t i = 0; i < ARRAY_LEN(line); i++)
		mem_free(line[i]);
	return 0;
}
