#include "base/sys.h"

#include "fcgi/raw.h"

#include "base/codec.h"
#include "fcgi/handoff.h"

bool
raw_digest_agrees(const char *field, const unsigned char sha256[DIGEST_SIZE])
{
	static const char key[] = "sha-256=:";
	struct strbuf want;
	bool agrees = true;

	if (!field)
		return true;
	strbuf_init(&want);
	codec_base64(&want, sha256, DIGEST_SIZE);
	strbuf_addc(&want, ':');
	while (*field) {
		size_t n;

		field += strspn(field, ", \t");
		n = strcspn(field, ", \t;");
		if (n >= sizeof(key) - 1 && strncmp(field, key, sizeof(key) - 1) == 0) {
			const char *sent = field + sizeof(key) - 1;
			size_t len = n - (sizeof(key) - 1);

			agrees &= len == want.len && memcmp(sent, want.s, len) == 0;
		}
		field += n;
		field += strcspn(field, ",");
	}
	strbuf_release(&want);
	return agrees;
}

static int
check_digest(struct upload *u, struct err *e)
{
	static const char *const fields[] = { "HTTP_REPR_DIGEST", "HTTP_CONTENT_DIGEST" };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *field = request_param(u->call->req, fields[i]);

		if (raw_digest_agrees(field, u->in.files[0].sha256))
			continue;
		u->in.refusal.slug = "digest-mismatch";
		return err_set(e, ERR_INPUT, "the SHA-256 of what arrived is not the one sent");
	}
	return 0;
}

static int
begin(struct upload *u, const struct upload_head *h, struct err *e)
{
	uint64_t hashed;
	int fd;

	if (!h->handed_off) {
		body_stream(&u->body, u->call->req);
		return receive_begin(&u->in, h->name, h->mime.type, e);
	}
	if (receive_take(&u->in, h->name, h->mime.type, &fd, e) < 0)
		return -1;
	body_file(&u->body, fd, h->length, false);
	if (receive_ahead(&u->in, fd, &hashed, e) < 0)
		return -1;
	body_skip(&u->body, hashed);
	return 0;
}

int
raw_receive(struct upload *u, const struct upload_head *h, struct err *e)
{
	const unsigned char *p;
	ssize_t n;

	if (begin(u, h, e) < 0)
		return -1;
	while ((n = upload_read(u, &p, e)) > 0)
		if (receive_data(&u->in, p, (size_t)n, e) < 0)
			return -1;
	if (n < 0 || receive_end(&u->in, e) < 0)
		return -1;
	return check_digest(u, e);
}
