/*
 * form.h: an upload whose body is multipart/form-data: files, and text fields as metadata.
 */
#ifndef SLUICE_FCGI_FORM_H
#define SLUICE_FCGI_FORM_H

#include "fcgi/upload.h"
#include "fcgi/upload_head.h"

/*
 * Files go into u->in, text fields into u->metadata (a name that comes again makes an array). A
 * part with an empty file name and no data is a file input in which nothing was chosen. 0, or -1:
 * ERR_INPUT, ERR_TOOBIG for a limit, "no-file", and what receive and the body say.
 */
MUST_CHECK int form_receive(struct upload *u, const struct upload_head *h, struct err *e);

#endif
