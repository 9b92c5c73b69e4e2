/* Uploads by form, handed off, and against a database that fails; the store is real. */
#include "base/sys.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/codec.h"
#include "base/mem.h"
#include "fake.h"
#include "tap.h"

#define FORM "multipart/form-data; boundary=XX"
#define PART(disposition, data) \
	"--XX\r\nContent-Disposition: form-data; " disposition "\r\n\r\n" data "\r\n"
#define END "--XX--\r\n"

static const char two[] =
    PART("name=f; filename=a.txt", "a\n") PART("name=f; filename=b.txt", "bb\n") END;

static const char *
file_member(size_t i, const char *name)
{
	json_t *f = json_array_get(json_object_get(fake_json(), "files"), i);
	const char *s = json_string_value(json_object_get(f, name));

	return s ? s : "";
}

static void
test_form(void)
{
	static const char body[] = PART("name=f; filename=\"a.txt\"", "first\n")
	    PART("name=tag", "x\r\ny") PART("name=none; filename=\"\"", "") PART("name=tag", "z")
		PART("name=g; filename=\"\"", "nameless\n") PART("name=once", "1") END;
	unsigned before = fake_count("files");
	size_t rows = fake.nrows;
	json_t *metadata;

	for (size_t cut = 0; cut < 3; cut++) {
		fake.cut = cut;
		fake_post(FORM, body);
		tap_is(fake.status, 201, "a form");
		tap_is(json_array_size(json_object_get(fake_json(), "files")), 2, "two files");
		tap_str(file_member(0, "name"), "a.txt", "the first");
		tap_str(file_member(1, "name"), "unnamed", "one that has data but no name");
		metadata = json_object_get(
		    json_array_get(json_object_get(fake_json(), "files"), 0), "metadata");
		tap_str(json_string_value(json_object_get(metadata, "once")), "1", "a field");
		tap_str(json_string_value(json_array_get(json_object_get(metadata, "tag"), 0)),
		    "x\r\ny", "a field that came twice, first");
		tap_str(json_string_value(json_array_get(json_object_get(metadata, "tag"), 1)), "z",
		    "a field that came twice, second");
		tap_is(json_object_size(metadata), 2, "no other fields");
		fake_forget(rows);
	}
	fake.cut = 0;
	tap_is(fake_count("files"), before + 6, "all stored");
	before += 6;

	fake_post(FORM, PART("name=tag", "z") END);
	tap_ok(fake.status == 400 && fake_slug("no-file"), "a form without a file");
	fake_post(FORM, PART("name=f; filename=a.txt", "x"));
	tap_is(fake.status, 400, "a form without its end");
	fake_post(FORM,
	    PART("name=f; filename=a.txt", "text\n") PART("name=f; filename=b.png", "text\n") END);
	tap_is(fake.status, 415, "the second file is refused");
	tap_str(fake_member("filename"), "b.png", "and named");
	fake.conf.multipart.max_field = 3;
	fake_post(FORM, PART("name=f; filename=a.txt", "text\n") PART("name=t", "1234") END);
	tap_is(fake.status, 413, "a field too long");
	fake.conf.multipart.max_field = 65536;
	fake.conf.multipart.max_fields = 5;
	fake_post(FORM,
	    PART("name=t", "123") PART("name=t", "123") PART("name=f; filename=a.txt", "x\n") END);
	tap_is(fake.status, 413, "fields too long together");
	fake.conf.multipart.max_fields = 1 << 20;
	tap_ok(fake_unchanged(before, rows), "refused forms: nothing stored");
}

static void
test_database(void)
{
	unsigned before = fake_count("files");
	size_t rows = fake.nrows;

	fake.db_error = ERR_AWAY;
	fake_put("a.txt", NULL, "text\n", 5);
	tap_is(fake.status, 503, "the database is away");
	tap_str(fake_header("Retry-After"), "5", "Retry-After");
	tap_is(fake.body_at, 0, "refused unread");
	fake.db_error = ERR_NONE;

	fake.add_error = ERR_AWAY;
	fake_post(FORM, two);
	tap_is(fake.status, 503, "the database refuses the rows");
	tap_ok(fake_unchanged(before, rows), "refused rows: nothing stored");

	fake.add_error = ERR_UNCERTAIN;
	fake_put("a.txt", NULL, "text\n", 5);
	tap_is(fake.status, 201, "an uncertain commit that was made");
	fake.lost = true;
	fake_put("a.txt", NULL, "text\n", 5);
	tap_is(fake.status, 503, "an uncertain commit that is not found");
	tap_ok(fake_slug("uncertain"), "uncertain");
	tap_is(fake_count("files"), before + 2, "the bytes are kept");
	tap_is(fake.nrows, rows + 1, "without a row");
	fake.add_error = ERR_NONE;
	fake.lost = false;
}

/* Removes the incoming file of three bytes, so that it cannot be committed. */
static int
remove_three(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	return type == FTW_F && st->st_size == 3 ? unlink(path) : 0;
}

static void
lose_second(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/incoming", fake.dir);
	if (nftw(path, remove_three, 16, FTW_PHYS) < 0)
		tap_ok(false, "%s: %s", path, strerror(errno));
}

static void
test_commit_fails(void)
{
	unsigned before = fake_count("files");
	size_t rows = fake.nrows;

	fake_begin("POST", "/api/upload");
	fake_param("CONTENT_TYPE", FORM);
	fake_body(two, sizeof(two) - 1);
	fake.at_end = lose_second;
	fake_serve();
	tap_is(fake.status, 500, "the second file cannot be committed");
	tap_str(
	    fake_member("detail"), "the log tells more under this request id", "no inner detail");
	tap_ok(fake_unchanged(before, rows), "of the first: nothing stored");
}

static char *
spool(const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", fake.conf.store.spool, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		tap_ok(false, "%s: %s", path, strerror(errno));
	close(fd);
	return path;
}

static void
handed_off(const char *method, const char *uri, const char *type, const char *path)
{
	fake_begin(method, uri);
	fake_param("CONTENT_TYPE", type);
	fake_param("BODY_FILE", path);
	fake.has_length = false;
	fake_serve();
}

static void
test_handoff(void)
{
	static uid_t owners[1];
	char *path;

	handed_off("PUT", "/api/upload/a.txt", "text/plain", "/etc/passwd");
	tap_is(fake.status, 500, "BODY_FILE without [store] spool");

	mem_free(fake.conf.store.spool);
	fake.conf.store.spool = mem_printf("%s/spool", fake.dir);
	if (mkdir(fake.conf.store.spool, 0700) < 0)
		tap_ok(false, "mkdir: %s", strerror(errno));
	owners[0] = getuid();
	fake.app.spool_owners = owners;
	fake.app.nspool_owners = 1;

	path = spool("1", "hello, world\n");
	handed_off("PUT", "/api/upload/a.txt", "text/plain", path);
	tap_is(fake.status, 201, "PUT, handed off");
	tap_str(fake_member("sha256"),
	    "853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020", "sha256");
	mem_free(path);

	path = spool("2", PART("name=f; filename=a.txt", "hello, world\n") PART("name=t", "v") END);
	handed_off("POST", "/api/upload", FORM, path);
	tap_is(fake.status, 201, "a form, handed off");
	tap_str(file_member(0, "sha256"),
	    "853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020", "sha256");
	mem_free(path);

	path = spool("3", "<!DOCTYPE html><html></html>");
	handed_off("PUT", "/api/upload/a.txt", "text/plain", path);
	tap_is(fake.status, 415, "handed off and refused");
	fake.conf.upload.max_size = 5;
	handed_off("PUT", "/api/upload/a.txt", "text/plain", path);
	tap_is(fake.status, 413, "handed off and too large");
	fake.conf.upload.max_size = 1 << 20;
	tap_is(fake_count("incoming"), 0, "nothing left in incoming");
	mem_free(path);

	handed_off("PUT", "/api/upload/a.txt", "text/plain", "/etc/passwd");
	tap_is(fake.status, 500, "BODY_FILE outside the spool");
}

/* As the spool reader: the first n bytes of the file are hashed. The slot. */
static int
hash_ahead(const char *path, const char *text, size_t n)
{
	struct digest *d = digest_new();
	struct ahead_key key;
	uint64_t size;
	int fd = open(path, O_RDONLY), slot = -1;

	digest_add(d, text, n);
	if (fd >= 0 && ahead_identify(fd, &key, &size))
		slot = ahead_follow(fake.app.ahead, &key);
	if (slot >= 0)
		ahead_publish(fake.app.ahead, slot, &key, n, d);
	close(fd);
	digest_free(&d);
	return slot;
}

/* test_handoff has set the spool up. */
static void
test_hashed_ahead(void)
{
	unsigned char digest[DIGEST_SIZE];
	char text[10001], want[DIGEST_HEX];
	char *path;

	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "<!DOCTYPE html><html>", 21);
	text[sizeof(text) - 1] = '\0';
	fake.app.ahead = ahead_new();

	path = spool("4", text);
	if (hash_ahead(path, text, 8192) < 0) {
		tap_ok(true, "hashed ahead # SKIP /tmp tells no time of birth");
		return;
	}
	handed_off("PUT", "/api/upload/a.txt", "text/plain", path);
	tap_is(fake.status, 415, "hashed ahead and refused for its first bytes");
	mem_free(path);

	for (size_t n = 1; n < sizeof(text); n += 3333) {
		int slot;

		memset(text, 'b', 21);
		digest_once(text, sizeof(text) - 1, digest);
		codec_hex(digest, DIGEST_SIZE, want);
		path = spool("5", text);
		slot = hash_ahead(path, text, n);
		handed_off("PUT", "/api/upload/a.txt", "text/plain", path);
		tap_is(fake.status, 201, "hashed ahead");
		tap_str(fake_member("sha256"), want, "the digest is that of all bytes");
		tap_ok(ahead_claimed(fake.app.ahead, slot), "the entry was used");
		unlink(path);
		mem_free(path);
	}
	path = spool("6", text);
	hash_ahead(path, text, 8192);
	fake.conf.upload.max_size = 8000;
	handed_off("PUT", "/api/upload/a.txt", "text/plain", path);
	tap_is(fake.status, 413, "hashed ahead and too large");
	fake.conf.upload.max_size = 1 << 20;
	tap_is(fake_count("incoming"), 0, "nothing left in incoming");
	mem_free(path);
	ahead_free(&fake.app.ahead);
}

int
main(void)
{
	if (!fake_open())
		return tap_skip_all("no store in /tmp");
	test_form();
	test_database();
	test_commit_fails();
	test_handoff();
	test_hashed_ahead();
	fake_close();
	return tap_done();
}
