/*
 * judge.h: may a file of this content and name come in? The allow-list and the mismatch rule.
 */
#ifndef SLUICE_FCGI_JUDGE_H
#define SLUICE_FCGI_JUDGE_H

#include "data/files.h"
#include "fcgi/app.h"
#include "fcgi/reply.h"

/*
 * head: the first bytes of the file, all of it when it is shorter than TYPE_SNIFF_BYTES; n = 0: the
 * file is empty. Sets f->type and f->thumbnail. 0, or -1 with *why filled: ERR_TYPE (type-refused,
 * type-mismatch), ERR_INPUT (empty-file), ERR_INTERNAL.
 */
MUST_CHECK int judge_type(const struct app *app, struct file *f, const unsigned char *head,
    size_t n, struct refusal *why, struct err *e);

#endif
