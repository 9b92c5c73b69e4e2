/*
 * fake.h: sluice-fcgi's rooms without a web server and without a database: a request made by hand,
 * its answer in memory, and file rows in an array. The store below is the real one.
 *
 *	fake_begin("PUT", "/api/upload/a.txt");
 *	fake_param("CONTENT_TYPE", "text/plain");
 *	fake_body("hello", 5);
 *	fake_serve();
 *	... fake.status, fake_header("Location"), fake.content ...
 */
#ifndef SLUICE_TESTS_FAKE_H
#define SLUICE_TESTS_FAKE_H

#include "base/strbuf.h"
#include "data/files.h"
#include "data/json.h"
#include "fcgi/app.h"

enum { FAKE_PARAMS = 32, FAKE_ROWS = 32 };

struct fake {
	/* request */
	const char *method;
	struct {
		const char *name, *value;
	} param[FAKE_PARAMS];
	size_t nparams;
	const unsigned char *body;
	size_t body_len, body_at;
	size_t cut;           /* bytes of a chunk, 0: all at once */
	bool has_length;      /* CONTENT_LENGTH is sent */
	uint64_t declared;    /* ... as this, or as what it is when 0 */
	void (*at_end)(void); /* called when the body has been read */
	size_t truncate_at;   /* 0, or the client leaves after so many bytes */
	bool peer_gone;       /* writes fail */
	/* answer */
	int status;
	struct strbuf head, content; /* of the last answer */
	bool in_content;
	uint64_t written;
	/* database */
	enum err_kind db_error;  /* of every call */
	enum err_kind add_error; /* of files_add, after its work when ERR_UNCERTAIN */
	bool lost;               /* ... which then has not been done */
	struct file row[FAKE_ROWS];
	size_t nrows;
	unsigned notified;
	/* surroundings */
	struct app app;
	struct conf conf;
	char dir[64];
};

extern struct fake fake;

/* Makes a store in a new directory and a configuration to start from. False: say why and skip. */
bool fake_open(void);
void fake_close(void); /* removes the directory */

void fake_begin(const char *method, const char *uri);
void fake_param(const char *name, const char *value);
void fake_body(const void *p, size_t n);
void fake_serve(void);

/* All of that at once: PUT of a raw body, POST of a text (type NULL: none is declared). */
void fake_put(const char *name, const char *type, const void *p, size_t n);
void fake_post(const char *type, const char *body);

const char *fake_header(const char *name); /* of the answer, or NULL; valid until the next call */
json_t *fake_json(void);                   /* the content, borrowed; NULL when it is none */
const char *fake_member(const char *name); /* string member of it, or "" */
bool fake_slug(const char *slug);          /* is it the problem of this type? */

void fake_forget(size_t rows); /* all rows but the first so many */

/* Is incoming empty, and are there so many files and rows and no more? */
bool fake_unchanged(unsigned files, size_t rows);

/* Regular files under the store's directory sub ("incoming", "files"). */
unsigned fake_count(const char *sub);

#endif
