/*
 * disposition.h: Content-Disposition, read (RFC 7578, 6266, 8187) and written (RFC 6266).
 */
#ifndef SLUICE_FCGI_DISPOSITION_H
#define SLUICE_FCGI_DISPOSITION_H

#include "base/err.h"
#include "base/strbuf.h"

/* The most that limits may ask for. */
enum { DISPOSITION_NAME = 1024, DISPOSITION_FILENAME = 4096 };

struct disposition {
	char type[32]; /* lower case: "form-data", "attachment" ... */
	bool has_name, has_filename;
	bool extended; /* the file name came from filename*, which wins over filename */
	char name[DISPOSITION_NAME + 1];         /* valid UTF-8 without NUL, not empty */
	char filename[DISPOSITION_FILENAME + 1]; /* raw bytes, NUL possible: filename_clean it */
	size_t name_len, filename_len;
};

/*
 * Parses the field value. In quoted strings only \" and \\ and the browsers' %22 %0D %0A are
 * decoded, so that a path of Windows stays what it is. filename*= must be UTF-8 in RFC 8187 form.
 * 0, or -1 and ERR_INPUT: broken syntax, name=, filename= or filename*= twice, an empty or
 * non-UTF-8 name=, name*= or an RFC 2231 continuation, or more bytes sent than name_max (at most
 * DISPOSITION_NAME) or filename_max (DISPOSITION_FILENAME). Other parameters are passed over.
 */
MUST_CHECK int disposition_parse(const char *s, size_t len, size_t name_max, size_t filename_max,
    struct disposition *d, struct err *e);

/*
 * Appends a download's field value: kind ("attachment" or "inline"), the name in ASCII with _ for
 * everything that is not safe in a quoted string, and the name itself as filename*=UTF-8''...
 * name must have been through filename_clean; whatever it is, the result is printable ASCII.
 */
void disposition_format(struct strbuf *b, const char *kind, const char *name);

#endif
