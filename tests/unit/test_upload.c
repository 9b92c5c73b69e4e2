/* An upload whose body is the file, from its first header field to its row; the store is real. */
#include "base/sys.h"

#include "base/codec.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "fake.h"
#include "fcgi/raw.h"
#include "tap.h"

#define FORM "multipart/form-data; boundary=XX"

static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\2\0\0\0\x90wS\xde";

static void
test_raw(void)
{
	char where[128];

	fake_put("notes.txt", "text/plain; charset=utf-8", "hello, world\n", 13);
	tap_is(fake.status, 201, "PUT");
	tap_str(fake_member("name"), "notes.txt", "name");
	tap_str(fake_member("contentType"), "text/plain", "contentType");
	tap_str(fake_member("declaredType"), "text/plain", "declaredType");
	tap_str(fake_member("sha256"),
	    "853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020", "sha256");
	snprintf(where, sizeof(where), "/api/files/%s", fake_member("id"));
	tap_str(fake_header("Location"), where, "Location");
	tap_str(fake_header("X-Request-Id"), "0123456789abcdef", "X-Request-Id");
	tap_is(fake_count("files"), 1, "one file is stored");
	tap_is(fake_count("incoming"), 0, "incoming is empty");
	tap_is(fake.nrows, 1, "one row");
	tap_is(fake.row[0].account, 1, "of the caller");

	fake.cut = 5;
	fake_put("%2E%2E%2Fetc%2Fa%0Ab.csv", NULL, "a,b\n1,2\n", 8);
	tap_is(fake.status, 201, "in small chunks");
	tap_str(fake_member("name"), "a_b.csv", "the name is clean");
	tap_str(fake_member("contentType"), "text/csv", "the extension refines text/plain");
	fake.cut = 0;

	fake_put("empty.txt", NULL, "", 0);
	tap_is(fake.status, 201, "an empty file");
	fake.conf.upload.allow_empty = false;
	fake_put("empty.txt", NULL, "", 0);
	tap_is(fake.status, 400, "an empty file that is not wanted");
	tap_ok(fake_slug("empty-file"), "empty-file");
	fake.conf.upload.allow_empty = true;

	fake_put("p.png", NULL, png, sizeof(png) - 1);
	tap_is(fake.status, 201, "a picture");
	tap_str(fake_member("thumbnailStatus"), "generating", "gets thumbnails");
	tap_is(fake.notified, 1, "the worker is woken");
	tap_ok(fake_unchanged(4, 4), "so far: nothing stored");
}

static void
test_post_raw(void)
{
	fake_post("text/plain", "abc");
	tap_is(fake.status, 201, "POST of a raw body");
	tap_str(fake_member("name"), "upload", "without a name");
	fake_begin("POST", "/api/upload");
	fake_param("CONTENT_TYPE", "text/plain");
	fake_param("HTTP_CONTENT_DISPOSITION", "attachment; filename*=UTF-8''%e2%82%ac.txt");
	fake_body("abc", 3);
	fake_serve();
	tap_str(fake_member("name"), "\xe2\x82\xac.txt", "named by Content-Disposition");
	fake_post("application/x-www-form-urlencoded", "a=b");
	tap_is(fake.status, 415, "a form of another kind");
	tap_ok(fake_slug("not-a-form"), "not-a-form");
	fake_post("multipart/mixed; boundary=XX", "a=b");
	tap_is(fake.status, 415, "multipart, but no form");
	fake_post("multipart/form-data", "a=b");
	tap_is(fake.status, 400, "a form without a boundary");
	fake_post("text", "a=b");
	tap_is(fake.status, 400, "Content-Type malformed");
	tap_ok(fake_unchanged(6, 6), "refused: nothing stored");
}

static void
test_refusals(void)
{
	json_t *expected;

	fake_put("photo.png", "image/png", "just text, no picture\n", 22);
	tap_is(fake.status, 415, "text named .png");
	tap_ok(fake_slug("type-mismatch"), "type-mismatch");
	tap_str(fake_member("detectedType"), "text/plain", "detectedType");
	expected = json_object_get(fake_json(), "expectedTypes");
	tap_str(json_string_value(json_array_get(expected, 0)), "image/png", "expectedTypes");
	fake.conf.upload.mismatch = MISMATCH_WARN;
	fake_put("photo.png", "image/png", "just text, no picture\n", 22);
	tap_is(fake.status, 201, "mismatch = warn");
	fake.conf.upload.mismatch = MISMATCH_REJECT;

	fake_put("page.html", NULL, "<!DOCTYPE html><html><script>x</script></html>", 46);
	tap_is(fake.status, 415, "HTML");
	tap_ok(fake_slug("type-refused"), "type-refused");
	fake_put("notes.txt", NULL, "<!DOCTYPE html><html><script>x</script></html>", 46);
	tap_is(fake.status, 415, "HTML under another name");

	fake.conf.upload.max_size = 10;
	fake_put("big.txt", NULL, "0123456789a", 11);
	tap_is(fake.status, 413, "over the limit");
	tap_is(json_integer_value(json_object_get(fake_json(), "maxSize")), 10, "maxSize");
	tap_is(fake.body_at, 0, "refused unread");
	fake_begin("PUT", "/api/upload/big.txt");
	fake.has_length = false;
	fake.cut = 4;
	fake_body("0123456789abcdef", 16);
	fake_serve();
	tap_is(fake.status, 413, "over the limit, length unknown");
	tap_is(fake.body_at, 12, "refused when it is known");
	fake_put("fits.txt", NULL, "0123456789", 10);
	tap_is(fake.status, 201, "exactly the limit");
	fake.cut = 0;
	tap_ok(fake_unchanged(8, 8), "refused: nothing stored");
	fake.conf.upload.max_size = 0;
	fake_put("big.txt", NULL, "0123456789a", 11);
	tap_is(fake.status, 201, "0 is no limit");
	fake.conf.upload.max_size = 1 << 20;
}

static void
field(const char *name, const char *value, int status, const char *what)
{
	fake_begin("PUT", "/api/upload/a.txt");
	fake_param(name, value);
	fake_body("hello, world\n", 13);
	fake_serve();
	tap_is(fake.status, status, what);
}

static void
test_fields(void)
{
	unsigned before = fake_count("files");

	field("HTTP_CONTENT_ENCODING", "gzip", 415, "Content-Encoding");
	tap_str(fake_header("Accept-Encoding"), "identity", "Accept-Encoding");
	field("HTTP_EXPECT", "a miracle", 417, "Expect");
	field("HTTP_CONTENT_RANGE", "bytes 0-1/2", 400, "Content-Range");
	field("CONTENT_TYPE", FORM, 415, "PUT of a form");
	field("HTTP_REPR_DIGEST", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", 400,
	    "wrong digest");
	tap_ok(fake_slug("digest-mismatch"), "digest-mismatch");
	tap_is(fake_count("files"), before, "refused: nothing stored");
	tap_is(fake_count("incoming"), 0, "refused: nothing left");
	field("HTTP_CONTENT_DIGEST",
	    "md5=:xx:, sha-256=:hT/5N2Kgbdv3IsTr6d3WbY9j3a6pf1IcPswg2nyXYCA=:", 201,
	    "right digest");
	field("HTTP_EXPECT", "100-Continue", 201, "Expect: 100-continue");
}

/* What is stored under the answer's id, compared with what was sent. */
static bool
stored_is(const char *want, size_t n)
{
	char *got = mem_alloc(n + 1);
	uint64_t size = 0;
	struct id id;
	struct err e;
	int fd = -1;
	bool same;

	if (id_parse(fake_member("id"), &id) == 0)
		fd = store_read(fake.app.store, &id, &size, &e);
	same = fd >= 0 && size == n && fdio_read_full(fd, got, n + 1) == (ssize_t)n &&
	       memcmp(got, want, n) == 0;
	fdio_drop(&fd);
	mem_free(got);
	return same;
}

/* Pieces are gathered before they are written: every way through that must keep the bytes. */
static void
test_pieces(void)
{
	static const size_t cuts[] = { 0, 1000, 6500, 65536, 131072, 200000 };
	size_t n = 500003;
	char *text = mem_alloc(n);

	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + (i * 7 + i / 1000) % 26);
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		fake.cut = cuts[i];
		fake_put("long.txt", NULL, text, n);
		tap_ok(stored_is(text, n), "in pieces of %zu", cuts[i]);
	}
	fake.cut = 0;
	mem_free(text);
}

static void
test_cut(void)
{
	unsigned before = fake_count("files");
	size_t rows = fake.nrows;

	fake_begin("PUT", "/api/upload/a.txt");
	fake_body("hello, world\n", 13);
	fake.cut = 4;
	fake.truncate_at = 8;
	fake_serve();
	fake.cut = 0;
	tap_is(fake.status, 400, "the client leaves in the body");
	tap_ok(fake_unchanged(before, rows), "cut: nothing stored");
	fake_begin("PUT", "/api/upload/a.txt");
	fake_body("hello, world\n", 13);
	fake.peer_gone = true;
	fake_serve();
	tap_is(fake.status, 0, "the client leaves after the body");
	tap_ok(fake_unchanged(before + 1, rows + 1), "but the stored file: nothing stored");
}

static void
test_space(void)
{
	uint64_t space = 0;
	struct err e;

	if (store_free_space(fake.app.store, &space, &e) < 0)
		tap_ok(false, "free space: %s", e.text);
	fake.conf.store.min_free = space + ((uint64_t)1 << 40);
	fake_put("a.txt", NULL, "text\n", 5);
	tap_is(fake.status, 507, "no space");
	tap_is(fake.body_at, 0, "refused unread");
	fake.conf.store.min_free = 0;
	fake.conf.upload.max_size = INT64_MAX;
	fake_begin("PUT", "/api/upload/a.txt");
	fake.declared = (uint64_t)1 << 60;
	fake_body("text\n", 5);
	fake_serve();
	tap_is(fake.status, 507, "no space for the declared length");
	fake.conf.upload.max_size = 1 << 20;
	scoreboard_promise(fake.app.board, 1, UINT64_MAX / 2);
	fake_put("a.txt", NULL, "text\n", 5);
	tap_is(fake.status, 507, "the space is promised to another");
	scoreboard_promise(fake.app.board, 1, 0);
	tap_is(scoreboard_promised(fake.app.board), 0, "no promise is left behind");
	fake_put("a.txt", NULL, "text\n", 5);
	tap_is(fake.status, 201, "and it goes on");
}

static void
test_digest_field(void)
{
	unsigned char d[DIGEST_SIZE] = { 0 };

	tap_ok(raw_digest_agrees(NULL, d), "no field");
	tap_ok(raw_digest_agrees("md5=:AAAA:", d), "another algorithm");
	tap_ok(raw_digest_agrees("sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", d),
	    "the right one");
	tap_ok(!raw_digest_agrees("a=1, sha-256=:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", d),
	    "a wrong one");
	tap_ok(!raw_digest_agrees("sha-256=:AAAA", d), "a cut one");
	tap_ok(raw_digest_agrees("sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:;p=1", d),
	    "with a parameter");
}

int
main(void)
{
	if (!fake_open())
		return tap_skip_all("no store in /tmp");
	test_raw();
	test_post_raw();
	test_refusals();
	test_fields();
	test_pieces();
	test_cut();
	test_space();
	test_digest_field();
	fake_close();
	return tap_done();
}
