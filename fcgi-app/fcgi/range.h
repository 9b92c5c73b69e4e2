/*
 * range.h: conditional and range requests (RFC 9110 sections 13 and 14), evaluated.
 *
 * One range is answered 206. Of a list, the only satisfiable one is; with several satisfiable ones
 * the whole file is sent, as section 14.2 allows. A range unit other than bytes is ignored; a range
 * in bytes that cannot be parsed is RANGE_MALFORMED, to be answered 416 with what is wrong.
 */
#ifndef SLUICE_FCGI_RANGE_H
#define SLUICE_FCGI_RANGE_H

#include "base/sys.h"

/* The request's fields; NULL or "" when absent. */
struct range_request {
	bool is_get, is_head; /* the method; Range counts for GET only */
	const char *range, *if_range;
	const char *if_match, *if_none_match;
	const char *if_modified_since, *if_unmodified_since;
};

/* What there is to send. */
struct range_entity {
	const char *etag; /* strong, with its quotes */
	time_t modified;  /* Last-Modified */
	uint64_t size;
};

enum range_outcome {
	RANGE_WHOLE,         /* 200 */
	RANGE_PART,          /* 206: *r is set, Content-Range: bytes first-last/size */
	RANGE_NOT_MODIFIED,  /* 304 */
	RANGE_FAILED,        /* 412 */
	RANGE_UNSATISFIABLE, /* 416, Content-Range: bytes * /size (without the space) */
	RANGE_MALFORMED,     /* 416 likewise */
};

struct range {
	uint64_t first, last; /* inclusive */
};

/* In the order of section 13.2.2. r is set to the whole file unless RANGE_PART. */
enum range_outcome range_evaluate(
    const struct range_request *rq, const struct range_entity *ent, struct range *r);

#endif
