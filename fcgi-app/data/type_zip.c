/*
 * What a zip file is, from the entries that lie in its first bytes: office formats put theirs
 * first, OpenDocument and EPUB even say it in plain text.
 */
#include "base/sys.h"

#include "base/strbuf.h"
#include "data/type_room.h"

enum { LOCAL_HEADER = 30 };

static const struct {
	const char *prefix;
	const char *type;
} entries[] = {
	{ "word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ "ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
	{ "META-INF/MANIFEST.MF", "application/java-archive" },
	{ "AndroidManifest.xml", "application/vnd.android.package-archive" },
	{ "classes.dex", "application/vnd.android.package-archive" },
};

static size_t
le16(const unsigned char *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8;
}

/* The name of the entry whose local header is at p: its length, 0 when it is cut or none. */
static size_t
entry_name(const unsigned char *p, size_t n, const char **name)
{
	size_t len;

	if (n < LOCAL_HEADER || memcmp(p, "PK\3\4", 4) != 0)
		return 0;
	len = le16(p + 26);
	if (len > n - LOCAL_HEADER)
		return 0;
	*name = (const char *)p + LOCAL_HEADER;
	return len;
}

/* A stored first entry "mimetype" holds the type; only the families that are such files count. */
static const char *
declared(const unsigned char *p, size_t n, char out[TYPE_MAX])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789/.+-";
	const char *name;
	size_t at, len = entry_name(p, n, &name);

	if (len != 8 || memcmp(name, "mimetype", 8) != 0 || le16(p + 8) != 0)
		return NULL;
	at = LOCAL_HEADER + len + le16(p + 28);
	if (at >= n)
		return NULL;
	for (len = 0; at + len < n && len < TYPE_MAX - 1; len++)
		if (!strchr(letters, p[at + len]) || !p[at + len])
			break; /* the next entry's "PK" in upper case, at the latest */
	memcpy(out, p + at, len);
	out[len] = '\0';
	return type_allowed("application/epub+zip, application/vnd.oasis.opendocument.*", out)
		   ? out
		   : NULL;
}

const char *
type_of_zip(const unsigned char *p, size_t n, char out[TYPE_MAX])
{
	const char *type = declared(p, n, out);
	const unsigned char *at = p;

	while (!type && (at = memmem(at, n - (size_t)(at - p), "PK\3\4", 4))) {
		const char *name = NULL;
		size_t len = entry_name(at, n - (size_t)(at - p), &name);

		for (size_t i = 0; !type && i < ARRAY_LEN(entries); i++) {
			size_t want = strlen(entries[i].prefix);

			if (len >= want && memcmp(name, entries[i].prefix, want) == 0)
				type = entries[i].type;
		}
		at += 4;
	}
	return type ? type : "application/zip";
}
