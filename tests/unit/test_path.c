#include "base/sys.h"

#include "fcgi/path.h"
#include "tap.h"

#define UUID "6f0d3f43-4f0e-4b83-a6be-0c1a0f3c1f0e"

static const char *
path(struct path_source src)
{
	static struct strbuf b;

	if (b.s)
		strbuf_release(&b);
	strbuf_init(&b);
	return path_of(&src, &b) < 0 ? NULL : b.s;
}

static void
test_of(void)
{
	tap_str(path((struct path_source){ .request_uri = "/api/files?limit=1" }), "/api/files",
	    "the query is cut off");
	tap_str(path((struct path_source){ .request_uri = "http://host:80/api/files?x" }),
	    "/api/files", "absolute form");
	tap_str(path((struct path_source){ .request_uri = "http://host" }), "/",
	    "absolute form without a path");
	tap_str(path((struct path_source){ .request_uri = "/a?u=http://x/y" }), "/a",
	    "a URL in the query is no absolute form");
	tap_str(path((struct path_source){ .request_uri = "/up/api/files", .prefix = "/up/" }),
	    "/api/files", "the prefix goes");
	tap_str(path((struct path_source){ .request_uri = "/upper/api", .prefix = "/up" }), NULL,
	    "a prefix ends at a slash");
	tap_str(path((struct path_source){ .request_uri = "/other", .prefix = "/up" }), NULL,
	    "outside the prefix");
	tap_str(
	    path((struct path_source){ .script_name = "/api", .path_info = "/upload/a b%.txt" }),
	    "/api/upload/a%20b%25.txt", "decoded parts are encoded again");
	tap_str(path((struct path_source){ .document_uri = "/api/x" }), "/api/x", "DOCUMENT_URI");
	tap_str(path((struct path_source){ .request_uri = "*" }), NULL, "no path at all");
}

static int
match(const char *pattern, const char *p, char *arg, size_t size)
{
	struct id id;
	struct err e = { 0 };

	return path_match(pattern, p, &id, arg, size, &e);
}

static void
test_match(void)
{
	char arg[16] = "";

	tap_is(match("/api/files", "/api/files", arg, sizeof(arg)), 1, "literal");
	tap_is(match("/api/files", "/api/%66iles", arg, sizeof(arg)), 1, "literal, escaped");
	tap_is(match("/api/files", "/api/files/", arg, sizeof(arg)), 0, "a slash too many");
	tap_is(match("/api/files", "/api", arg, sizeof(arg)), 0, "too short");
	tap_is(match("/api/files", "/api//files", arg, sizeof(arg)), 0, "slashes are not merged");
	tap_is(match("/api/files", "/api/files%00", arg, sizeof(arg)), 0, "NUL in a literal");
	tap_is(match("/f/{id}", "/f/" UUID, arg, sizeof(arg)), 1, "identifier");
	tap_is(match("/f/{id}", "/f/42", arg, sizeof(arg)), -1, "bad identifier");
	tap_is(match("/f/{id}", "/f/" UUID "%00", arg, sizeof(arg)), -1, "identifier and NUL");
	tap_is(match("/f/{id}", "/f/", arg, sizeof(arg)), 0, "no identifier");
	tap_is(match("/f/{id}", "/f/42/x", arg, sizeof(arg)), 0, "bad identifier, but other path");
	tap_is(match("/f/{id}/t", "/f/42/t", arg, sizeof(arg)), -1, "bad identifier in the middle");
	tap_is(match("/u/{name}", "/u/a%2Fb%20c", arg, sizeof(arg)), 1, "name");
	tap_str(arg, "a/b c", "decoded once");
	tap_is(match("/u/{name}", "/u/a+b", arg, sizeof(arg)), 1, "name with a plus");
	tap_str(arg, "a+b", "which is no space");
	tap_is(match("/u/{name}", "/u/%252e", arg, sizeof(arg)), 1, "name with an escaped escape");
	tap_str(arg, "%2e", "and no more than once");
	tap_is(match("/u/{name}", "/u/a%00b", arg, sizeof(arg)), -1, "NUL in a name");
	tap_is(match("/u/{name}", "/u/a%zz", arg, sizeof(arg)), -1, "broken escape in a name");
	tap_is(match("/u/{name}", "/u/0123456789abcdef", arg, sizeof(arg)), -1, "name too long");
	tap_is(match("/u/{name}", "/u/0123456789abcde", arg, sizeof(arg)), 1, "longest name");
}

int
main(void)
{
	test_of();
	test_match();
	return tap_done();
}
