/*
 * multipart.h: multipart/form-data (RFC 7578, RFC 2046 section 5.1), parsed as the bytes come.
 *
 *	multipart_init(&mp, boundary, len, &multipart_defaults);
 *	for each chunk p..end:
 *		while ((ev = multipart_next(&mp, &p, end, &data, &n)) != MULTIPART_MORE)
 *			MULTIPART_PART      look at mp.part
 *			MULTIPART_DATA      n bytes of the part at data (n > 0)
 *			MULTIPART_PART_END  the part is whole
 *			MULTIPART_END       closing delimiter seen; told once
 *			MULTIPART_ERROR     mp.error tells; told again on every further call
 *	multipart_finish(&mp, &e);
 *
 * Pure: no I/O and no allocation; the events do not depend on how the bytes are cut, but for the
 * cuts in MULTIPART_DATA. Data points into the chunk, or into the parser for bytes that were held
 * back because they might have been a delimiter; it is valid until the next call.
 *
 * Policy. Only CRLF ends a line; a bare CR or LF in a header or in a delimiter line is an error.
 * A line that starts with the delimiter is a delimiter when it goes on with white space, CR, LF or
 * "--" (and then has to be well formed), and data when it goes on with anything else. In a part:
 * one Content-Disposition "form-data" with a name is required; duplicate Content-Disposition,
 * Content-Type or Content-Transfer-Encoding, folded lines, NUL and any transfer encoding but 7bit,
 * 8bit and binary are errors. A nested multipart/mixed is a file like any other, and a field named
 * _charset_ a field like any other. What follows the closing delimiter is ignored, up to a limit.
 *
 * Errors are ERR_INPUT, also where a header, name, preamble or epilogue is over its limit;
 * ERR_TOOBIG is for amounts that a client can split over several requests: parts, and with the
 * consumer the bytes of text fields.
 */
#ifndef SLUICE_FCGI_MULTIPART_H
#define SLUICE_FCGI_MULTIPART_H

#include "base/err.h"
#include "fcgi/disposition.h"

enum {
	MULTIPART_BOUNDARY = 70,            /* longest boundary of RFC 2046 */
	MULTIPART_HEADER_BYTES = 64 * 1024, /* the most that limits may ask for */
	MULTIPART_TYPE = 256,
};

struct multipart_limits {
	size_t header_bytes; /* one part's header block with its line ends, <=
				MULTIPART_HEADER_BYTES */
	size_t headers;      /* header lines in a part */
	size_t parts;
	size_t name;         /* bytes of name= as sent, <= DISPOSITION_NAME */
	size_t filename;     /* bytes of filename= or filename*= as sent, <= DISPOSITION_FILENAME */
	size_t preamble;     /* bytes before the first delimiter */
	size_t epilogue;     /* bytes after the closing delimiter, with its line end */
	size_t lwsp;         /* white space after a delimiter */
	size_t field_bytes;  /* one text field: kept by the consumer, who collects fields */
	size_t fields_bytes; /* all text fields together: likewise */
};

extern const struct multipart_limits multipart_defaults;

enum multipart_event {
	MULTIPART_MORE, /* the chunk is used up */
	MULTIPART_PART,
	MULTIPART_DATA,
	MULTIPART_PART_END,
	MULTIPART_END,
	MULTIPART_ERROR,
};

struct multipart_part {
	size_t index;                      /* 0 for the first part */
	struct disposition disposition;    /* name, has_filename, filename (raw: see filename.h) */
	char content_type[MULTIPART_TYPE]; /* as sent, printable ASCII; "" when there is none */
};

struct multipart {
	struct multipart_part part;
	struct err error;
	/* The rest belongs to multipart.c and multipart_header.c. */
	struct multipart_limits limits;
	int state;
	bool in_part; /* past the preamble */
	size_t parts;
	char delimiter[4 + MULTIPART_BOUNDARY + 1]; /* CR LF "--" boundary, and one "-" */
	size_t delimiter_len;                       /* without that "-" */
	size_t held, held_from; /* delimiter[held_from..held) are bytes of the body held back */
	size_t preamble, epilogue, lwsp;
	size_t line_len, block_len, headers;
	bool has_disposition, has_type, has_encoding;
	char line[MULTIPART_HEADER_BYTES]; /* last: not cleared */
};

/*
 * boundary is what Content-Type says (mime.h). 0, or -1 with mp->error set when it is not 1..70
 * printable ASCII characters or ends with a space, or when a limit is over what its buffer holds.
 * limits NULL means multipart_defaults. After -1 multipart_next tells MULTIPART_ERROR.
 */
MUST_CHECK int multipart_init(
    struct multipart *mp, const char *boundary, size_t len, const struct multipart_limits *limits);

/* The next event of *p..end; moves *p on. */
enum multipart_event multipart_next(struct multipart *mp, const unsigned char **p,
    const unsigned char *end, const unsigned char **data, size_t *len);

/* After the last chunk: 0 when the closing delimiter was seen, or -1 with the error, or ERR_INPUT.
 */
MUST_CHECK int multipart_finish(const struct multipart *mp, struct err *e);

#endif
