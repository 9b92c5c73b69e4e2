#include "base/sys.h"

#include "fcgi/receive.h"

#include <inttypes.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "fcgi/handoff.h"
#include "fcgi/judge.h"

/* A body comes in pieces of 8 KiB and less; so many writes would cost more than the copy. */
enum { GATHER = 128 << 10 };

void
receive_init(struct receive *r, struct call *c)
{
	*r = (struct receive){ .call = c, .digest = digest_new(), .gather = mem_alloc(GATHER) };
}

void
receive_release(struct receive *r)
{
	for (size_t i = 0; i < r->n; i++) {
		store_abort(&r->stored[i]);
		file_release(&r->files[i]);
	}
	mem_free(r->files);
	mem_free(r->stored);
	mem_free(r->gather);
	digest_free(&r->digest);
	json_decref(r->refusal.members);
}

/* A new row at the end; its bytes are still to be begun. */
static struct file *
add_file(struct receive *r, const char *name, const char *declared)
{
	struct file *f;

	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 4;
		r->files = mem_grow(r->files, r->room, sizeof(*r->files));
		r->stored = mem_grow(r->stored, r->room, sizeof(*r->stored));
	}
	f = &r->files[r->n];
	*f = (struct file){ .account = r->call->caller.id, .scan = "off" };
	id_new(&f->id);
	if (str_copy(f->name, sizeof(f->name), name) < 0 ||
	    str_copy(f->declared_type, sizeof(f->declared_type), declared) < 0)
		log_debug("a name or type of %s was cut", f->name);
	r->stored[r->n++] = NULL;
	digest_reset(r->digest);
	r->head_len = r->gathered = 0;
	r->typed = r->taken = false;
	return f;
}

int
receive_begin(struct receive *r, const char *name, const char *declared, struct err *e)
{
	struct file *f = add_file(r, name, declared);

	r->stored[r->n - 1] = store_begin(r->call->app->store, &f->id, e);
	return r->stored[r->n - 1] ? 0 : -1;
}

int
receive_take(struct receive *r, const char *name, const char *declared, int *fd, struct err *e)
{
	struct file *f = add_file(r, name, declared);
	struct store_file *sf = handoff_take(r->call, &f->id, e);

	if (!sf)
		return -1;
	r->stored[r->n - 1] = sf;
	r->taken = true;
	*fd = store_file_fd(sf);
	return 0;
}

int
receive_check_size(struct receive *r, uint64_t size, struct err *e)
{
	uint64_t max = r->call->app->conf->upload.max_size;

	if (max == 0 || size <= max)
		return 0;
	r->refusal.slug = "too-large";
	if (!r->refusal.members)
		r->refusal.members = json_pack("{s:I}", "maxSize", (json_int_t)max);
	return err_set(e, ERR_TOOBIG, "a file may have at most %" PRIu64 " bytes", max);
}

/* Looks at what is in head, once. */
static int
look(struct receive *r, struct err *e)
{
	r->typed = true;
	return judge_type(r->call->app, &r->files[r->n - 1], r->head, r->head_len, &r->refusal, e);
}

static int
flush(struct receive *r, struct err *e)
{
	size_t n = r->gathered;

	r->gathered = 0;
	return n > 0 ? store_write(r->stored[r->n - 1], r->gather, n, e) : 0;
}

static int
write_out(struct receive *r, const unsigned char *p, size_t n, struct err *e)
{
	if (n > GATHER - r->gathered && flush(r, e) < 0)
		return -1;
	if (n >= GATHER)
		return store_write(r->stored[r->n - 1], p, n, e);
	memcpy(r->gather + r->gathered, p, n);
	r->gathered += n;
	return 0;
}

int
receive_data(struct receive *r, const unsigned char *p, size_t n, struct err *e)
{
	struct file *f = &r->files[r->n - 1];

	if (receive_check_size(r, f->size + n, e) < 0)
		return -1;
	f->size += n;
	if (!r->typed) {
		size_t room = sizeof(r->head) - r->head_len;
		size_t part = n < room ? n : room;

		memcpy(r->head + r->head_len, p, part);
		r->head_len += part;
		if (r->head_len == sizeof(r->head) && look(r, e) < 0)
			return -1;
	}
	digest_add(r->digest, p, n);
	return r->taken ? 0 : write_out(r, p, n, e);
}

int
receive_ahead(struct receive *r, int fd, uint64_t *n, struct err *e)
{
	struct file *f = &r->files[r->n - 1];
	ssize_t got;

	*n = ahead_claim(r->call->app->ahead, fd, r->digest);
	if (*n == 0)
		return 0;
	if (receive_check_size(r, *n, e) < 0)
		return -1;
	f->size = *n;
	log_debug("%" PRIu64 " bytes were hashed while they were spooled", *n);
	got = fdio_pread_full(fd, r->head, *n < sizeof(r->head) ? (size_t)*n : sizeof(r->head), 0);
	if (got < 0)
		return err_sys(e, "read the handed-off body");
	r->head_len = (size_t)got;
	return r->head_len == sizeof(r->head) ? look(r, e) : 0;
}

int
receive_end(struct receive *r, struct err *e)
{
	struct file *f = &r->files[r->n - 1];

	if ((!r->typed && look(r, e) < 0) || flush(r, e) < 0)
		return -1;
	digest_final(r->digest, f->sha256);
	return 0;
}

/* Removes the first n files from the store again. */
static void
take_back(struct receive *r, size_t n)
{
	struct err e = { 0 };

	for (size_t i = 0; i < n; i++)
		if (store_remove(r->call->app->store, &r->files[i].id, &e) < 0)
			log_error("take an upload back: %s", e.text);
}

int
receive_commit(struct receive *r, struct err *e)
{
	for (size_t i = 0; i < r->n; i++) {
		if (store_commit(&r->stored[i], e) < 0) {
			take_back(r, i);
			return -1;
		}
	}
	return 0;
}

void
receive_remove(struct receive *r)
{
	take_back(r, r->n);
}
