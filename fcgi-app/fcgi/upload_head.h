/*
 * upload_head.h: what an upload's header fields say, before its body is read.
 */
#ifndef SLUICE_FCGI_UPLOAD_HEAD_H
#define SLUICE_FCGI_UPLOAD_HEAD_H

#include "fcgi/app.h"
#include "fcgi/filename.h"
#include "fcgi/mime.h"
#include "fcgi/reply.h"

struct upload_head {
	bool is_form, handed_off, has_length;
	uint64_t length;          /* of the body, 0 when not known */
	struct mime mime;         /* Content-Type; type "" when none was sent */
	char name[FILENAME_SIZE]; /* raw: the file's name, clean */
};

/*
 * 0, or -1 with *why filled as far as the kind is not enough: 400 for malformed fields, 415 for a
 * body that is no upload or is compressed, 417.
 */
MUST_CHECK int upload_head_read(
    struct call *c, struct upload_head *h, struct refusal *why, struct err *e);

#endif
