/* The route table, who may, and the endpoints on rows and stored bytes. */
#include "base/sys.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "fake.h"
#include "fcgi/auth.h"
#include "fcgi/reply.h"
#include "tap.h"

#define NOWHERE "6f0d3f43-4f0e-4b83-a6be-0c1a0f3c1f0e"

static char id[ID_TEXT];
static const char *content = "0123456789";

/* {id} stands for the stored file's. */
static void
ask(const char *method, const char *uri, const char *name, const char *value)
{
	const char *at = strstr(uri, "{id}");
	char path[256];

	if (at)
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(at - uri), uri, id, at + 4);
	else
		snprintf(path, sizeof(path), "%s", uri);
	fake_begin(method, path);
	if (name)
		fake_param(name, value);
	fake_serve();
}

static void
store_one(void)
{
	fake_begin("PUT", "/api/upload/digits.txt");
	fake_body(content, 10);
	fake_serve();
	if (str_copy(id, sizeof(id), fake_member("id")) < 0 || fake.status != 201)
		tap_ok(false, "upload: %s", fake.content.s);
}

static void
test_table(void)
{
	ask("GET", "/", NULL, NULL);
	tap_ok(fake.status == 404 && fake_slug("not-found"), "unknown path");
	tap_str(fake_header("Content-Type"), "application/problem+json", "is a problem");
	tap_str(fake_member("requestId"), "0123456789abcdef", "with the request id");
	ask("POST", "/api/files/{id}", NULL, NULL);
	tap_is(fake.status, 405, "wrong method");
	tap_str(fake_header("Allow"), "GET, HEAD, DELETE, OPTIONS", "Allow");
	ask("BREW", "/api/upload", NULL, NULL);
	tap_str(fake_header("Allow"), "POST, OPTIONS", "Allow of an upload");
	ask("OPTIONS", "/api/files", "HTTP_AUTHORIZATION", NULL);
	tap_is(fake.status, 204, "OPTIONS");
	tap_str(fake_header("Allow"), "GET, HEAD, OPTIONS", "Allow");
	tap_ok(fake_header("Content-Length") == NULL, "without Content-Length");
	ask("GET", "/api/files/42", NULL, NULL);
	tap_is(fake.status, 400, "bad identifier");
	ask("DELETE", "/api/download/42", NULL, NULL);
	tap_is(fake.status, 405, "bad identifier and wrong method");
	ask("GET", "/health", "HTTP_AUTHORIZATION", NULL);
	tap_str(fake_member("status"), "ok", "health");
	ask("HEAD", "/health", NULL, NULL);
	tap_ok(fake.status == 200 && fake.content.len == 0, "HEAD has no content");
	tap_str(fake_header("Content-Length"), "15", "but its length");
	fake_begin("GET", "/mount/api/files/" NOWHERE);
	fake_param("SLUICE_PREFIX", "/mount");
	fake_serve();
	tap_is(fake.status, 404, "under a prefix");
	tap_str(fake_member("detail"), "no such file", "the route is found");
}

static void
test_auth(void)
{
	tap_str(auth_bearer("Bearer  slu_x"), "slu_x", "bearer");
	tap_str(auth_bearer("bearer slu_x"), "slu_x", "bearer in lower case");
	tap_str(auth_bearer("Basic eA=="), NULL, "basic");
	tap_str(auth_bearer("Bearerx"), NULL, "another scheme");
	tap_str(auth_bearer(NULL), NULL, "nothing");

	ask("GET", "/api/files", "HTTP_AUTHORIZATION", NULL);
	tap_is(fake.status, 401, "no token");
	tap_str(fake_header("WWW-Authenticate"), "Bearer realm=\"sluice\"", "WWW-Authenticate");
	ask("GET", "/api/files", "HTTP_AUTHORIZATION", "Bearer bad");
	tap_is(fake.status, 401, "a bad token");
	ask("GET", "/api/files/{id}", "HTTP_AUTHORIZATION", "Bearer other");
	tap_is(fake.status, 404, "someone else's file");
	ask("GET", "/api/files", "REDIRECT_HTTP_AUTHORIZATION", "Bearer good");
	tap_is(fake.status, 200, "a good token");

	fake_begin("GET", "/api/files");
	fake_param("HTTP_AUTHORIZATION", NULL);
	fake_param("REMOTE_USER", "alice");
	fake_serve();
	tap_is(fake.status, 401, "REMOTE_USER is not trusted");
	fake.conf.auth.remote_user = REMOTE_USER_EXISTING;
	fake_begin("GET", "/api/files");
	fake_param("HTTP_AUTHORIZATION", NULL);
	fake_param("REMOTE_USER", "alice");
	fake_serve();
	tap_is(fake.status, 200, "REMOTE_USER is trusted");
	fake_begin("GET", "/api/files");
	fake_param("HTTP_AUTHORIZATION", NULL);
	fake_param("REMOTE_USER", "bob");
	fake_serve();
	tap_is(fake.status, 403, "a user without an account");
	fake.conf.auth.remote_user = REMOTE_USER_OFF;
}

static void
test_anonymous(void)
{
	char mine[ID_TEXT];

	memcpy(mine, id, sizeof(mine));
	fake.conf.upload.anonymous = true;
	fake_begin("PUT", "/api/upload/a.txt");
	fake_param("HTTP_AUTHORIZATION", NULL);
	fake_body("abc", 3);
	fake_serve();
	tap_is(fake.status, 201, "anonymous upload");
	tap_is(fake.row[fake.nrows - 1].account, 0, "belongs to nobody");
	if (str_copy(id, sizeof(id), fake_member("id")) < 0)
		return;
	ask("GET", "/api/download/{id}", "HTTP_AUTHORIZATION", NULL);
	tap_is(fake.status, 200, "anonymous download");
	ask("DELETE", "/api/files/{id}", "HTTP_AUTHORIZATION", NULL);
	tap_is(fake.status, 401, "no anonymous deletion");
	ask("GET", "/api/files", "HTTP_AUTHORIZATION", NULL);
	tap_is(fake.status, 401, "no anonymous list");
	ask("GET", "/api/download/{id}", "HTTP_AUTHORIZATION", "Bearer bad");
	tap_is(fake.status, 401, "a bad token is refused even so");
	memcpy(id, mine, sizeof(id));
	ask("GET", "/api/download/{id}", "HTTP_AUTHORIZATION", NULL);
	tap_is(fake.status, 404, "someone's file stays his");
	fake.conf.upload.anonymous = false;
}

static void
test_list(void)
{
	static const char *const bad[] = { "limit=0", "limit=1001", "limit=x", "limit=", "cursor=x",
		"type=x", "type=*/*", "type=image/", "a=%zz", "q=%ff", "limit=1&limit=2" };
	char uri[64];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(uri, sizeof(uri), "/api/files?%s", bad[i]);
		fake_begin("GET", uri);
		fake_serve();
		tap_is(fake.status, 400, bad[i]);
	}
	ask("GET", "/api/files?limit=1", NULL, NULL);
	tap_is(json_array_size(json_object_get(fake_json(), "files")), 1, "a page of one");
	snprintf(uri, sizeof(uri), "/api/files?cursor=%s", fake_member("nextCursor"));
	ask("GET", uri, NULL, NULL);
	tap_is(fake.status, 200, "its cursor is good");
	tap_ok(json_is_null(json_object_get(fake_json(), "nextCursor")), "the last page");
}

static void
test_download(void)
{
	char etag[80];

	ask("GET", "/api/download/{id}", NULL, NULL);
	tap_is(fake.status, 200, "download");
	tap_str(fake.content.s, content, "the bytes");
	tap_str(fake_header("Content-Length"), "10", "Content-Length");
	tap_str(fake_header("Content-Type"), "text/plain", "Content-Type");
	tap_str(fake_header("Content-Disposition"),
	    "attachment; filename=\"digits.txt\"; filename*=UTF-8''digits.txt",
	    "Content-Disposition");
	tap_str(fake_header("Repr-Digest"),
	    "sha-256=:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=:", "Repr-Digest");
	tap_str(fake_header("Last-Modified"), "Sat, 21 Nov 2026 17:12:56 GMT", "Last-Modified");
	tap_str(fake_header("X-Content-Type-Options"), "nosniff", "nosniff");
	tap_str(fake_header("Content-Security-Policy"), "sandbox; default-src 'none'", "CSP");
	snprintf(etag, sizeof(etag), "%s", fake_header("ETag"));
	tap_is(strlen(etag), 66, "ETag is the SHA-256");
	ask("HEAD", "/api/download/{id}", NULL, NULL);
	tap_ok(fake.status == 200 && fake.content.len == 0, "HEAD");
	tap_str(fake_header("Content-Length"), "10", "HEAD has Content-Length");
	ask("GET", "/api/download/{id}", "HTTP_RANGE", "bytes=2-4");
	tap_is(fake.status, 206, "range");
	tap_str(fake.content.s, "234", "its bytes");
	tap_str(fake_header("Content-Range"), "bytes 2-4/10", "Content-Range");
	ask("GET", "/api/download/{id}", "HTTP_RANGE", "bytes=10-");
	tap_is(fake.status, 416, "range outside");
	tap_str(fake_header("Content-Range"), "bytes */10", "Content-Range");
	ask("GET", "/api/download/{id}", "HTTP_IF_NONE_MATCH", etag);
	tap_ok(fake.status == 304 && fake.content.len == 0, "If-None-Match");
	tap_str(fake_header("ETag"), etag, "304 has the ETag");
	ask("GET", "/api/download/{id}", "HTTP_IF_MATCH", "\"other\"");
	tap_is(fake.status, 412, "If-Match");
}

static void
test_server_sends(void)
{
	char want[256];

	fake.conf.download.method = SERVE_ACCEL;
	ask("GET", "/api/download/{id}", NULL, NULL);
	snprintf(want, sizeof(want), "/_sluice/files/%.2s/%.2s/%s", id, id + 2, id);
	tap_str(fake_header("X-Accel-Redirect"), want, "X-Accel-Redirect");
	tap_is(fake.content.len, 0, "nginx sends the bytes");
	ask("GET", "/api/download/{id}", "HTTP_IF_MATCH", "*");
	tap_str(fake.content.s, content, "If-Match is not left to nginx");
	ask("HEAD", "/api/download/{id}", "HTTP_RANGE", "bytes=100-");
	tap_is(fake.status, 200, "nor is HEAD");
	tap_str(fake_header("Content-Length"), "10", "which has no range");
	fake.conf.download.method = SERVE_SENDFILE;
	ask("GET", "/api/download/{id}", NULL, NULL);
	snprintf(want, sizeof(want), "%s/files/%.2s/%.2s/%s", fake.dir, id, id + 2, id);
	tap_str(fake_header("X-Sendfile"), want, "X-Sendfile");
	fake_put("empty.txt", NULL, "", 0);
	snprintf(want, sizeof(want), "/api/download/%s", fake_member("id"));
	ask("GET", want, NULL, NULL);
	tap_ok(!fake_header("X-Sendfile"), "an empty file is not left to the server");
	tap_str(fake_header("Content-Length"), "0", "and has a Content-Length");
	fake_forget(1);
	fake.conf.download.method = SERVE_STREAM;
}

static void
test_thumbnail(void)
{
	struct file *f = &fake.row[0];
	struct err e;

	ask("GET", "/api/files/{id}/thumbnail", NULL, NULL);
	tap_ok(fake.status == 404 && fake_slug("not-found"), "a file without thumbnails");
	f->thumbnail = THUMBNAIL_GENERATING;
	ask("GET", "/api/files/{id}/thumbnail/small", NULL, NULL);
	tap_ok(fake.status == 404 && fake_slug("thumbnail-pending"), "it is being made");
	tap_str(fake_header("Retry-After"), "1", "Retry-After");
	tap_str(fake_member("thumbnailStatus"), "generating", "thumbnailStatus");
	f->thumbnail = THUMBNAIL_FAILED;
	f->thumbnail_error = mem_strdup("corrupt");
	ask("GET", "/api/files/{id}/thumbnail", NULL, NULL);
	tap_ok(fake.status == 404 && fake_slug("thumbnail-failed"), "it failed");
	tap_str(fake_member("detail"), "corrupt", "with the reason");

	f->thumbnail = THUMBNAIL_READY;
	f->renditions = mem_array(1, sizeof(*f->renditions));
	f->nrenditions = 1;
	f->renditions[0] = (struct rendition){ "small", "image/jpeg", 3, 2, 5 };
	if (store_put_thumbnail(fake.app.store, &f->id, "small", "thumb", 5, &e) < 0)
		tap_ok(false, "store: %s", e.text);
	ask("GET", "/api/files/{id}/thumbnail", NULL, NULL);
	tap_str(fake.content.s, "thumb", "the first that there is");
	tap_str(fake_header("Content-Type"), "image/jpeg", "its type");
	tap_str(fake_header("Content-Disposition"), "inline", "inline");
	ask("GET", "/api/files/{id}/thumbnail/small", NULL, NULL);
	tap_is(fake.status, 200, "by name");
	ask("GET", "/api/files/{id}/thumbnail/large", NULL, NULL);
	tap_is(fake.status, 404, "one that there is not");
}

/* 204 says that all is gone, so not when the store cannot remove it. */
static void
test_delete_resisted(void)
{
	char place[STORE_PATH_MAX], path[300], aside[300];
	struct rlimit old, none;

	snprintf(path, sizeof(path), "%s/%s", fake.dir, store_path(&fake.row[0].id, NULL, place));
	snprintf(aside, sizeof(aside), "%s/aside", fake.dir);
	if (rename(path, aside) < 0 || mkdir(path, 0700) < 0)
		tap_ok(false, "%s: %s", path, strerror(errno));
	ask("DELETE", "/api/files/{id}", NULL, NULL);
	tap_ok(fake.status == 500 && fake_slug("internal"), "the file cannot be removed");
	if (rmdir(path) < 0 || rename(aside, path) < 0)
		tap_ok(false, "%s: %s", path, strerror(errno));
	getrlimit(RLIMIT_NOFILE, &old);
	none = (struct rlimit){ 0, old.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	ask("DELETE", "/api/files/{id}", NULL, NULL);
	setrlimit(RLIMIT_NOFILE, &old);
	tap_ok(fake.status == 503 && fake_slug("unavailable"), "the store is away");
	tap_str(fake_header("Retry-After"), "5", "and it may help to wait");
}

static void
test_delete(void)
{
	tap_is(fake_count("thumbnails"), 1, "before: a thumbnail");
	ask("DELETE", "/api/files/" NOWHERE, NULL, NULL);
	tap_is(fake.status, 404, "delete what is not there");
	test_delete_resisted();
	ask("DELETE", "/api/files/{id}", NULL, NULL);
	tap_is(fake.status, 204, "delete");
	tap_is(fake_count("thumbnails"), 0, "the thumbnail is gone");
	ask("GET", "/api/download/{id}", NULL, NULL);
	tap_is(fake.status, 404, "and so is the file");
}

static void
test_ready(void)
{
	ask("GET", "/ready", "HTTP_AUTHORIZATION", NULL);
	tap_is(fake.status, 200, "ready");
	fake.db_error = ERR_AWAY;
	ask("GET", "/ready", "HTTP_AUTHORIZATION", NULL);
	tap_is(fake.status, 503, "not ready");
	tap_str(
	    json_string_value(json_object_get(json_object_get(fake_json(), "checks"), "database")),
	    "away", "because of the database");
	ask("GET", "/health", NULL, NULL);
	tap_is(fake.status, 200, "healthy all the same");
	fake.db_error = ERR_NONE;
}

static void
test_header_injection(void)
{
	struct call c = { .app = &fake.app, .req = (struct request *)&fake };
	struct reply_header h[] = { { "X-A", "a\r\nX-B: b" }, { "X-C", "c" }, { NULL, NULL } };

	fake_begin("GET", "/");
	reply_empty(&c, 200, h);
	tap_ok(strstr(fake.head.s, "X-B") == NULL, "a value cannot make a header of its own");
	tap_str(fake_header("X-C"), "c", "others are sent");
}

int
main(void)
{
	if (!fake_open())
		return tap_skip_all("no store in /tmp");
	store_one();
	test_table();
	test_auth();
	test_download();
	test_server_sends();
	test_thumbnail();
	test_anonymous();
	test_list();
	test_delete();
	test_ready();
	test_header_injection();
	fake_close();
	return tap_done();
}
