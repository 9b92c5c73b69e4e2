/*
 * What the bytes are; the one place that knows libmagic.
 *
 * Order: our signatures, our own judgement of text, libmagic for the rest. Text is not shown to
 * libmagic (4 ms for 4 KiB), except where it is not UTF-8.
 */
#include "base/sys.h"

#include <magic.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "data/type_room.h"

#define UNKNOWN "application/octet-stream"

struct type {
	magic_t magic;
};

struct type *
type_new(struct err *e)
{
	int flags = MAGIC_MIME_TYPE | MAGIC_ERROR | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |
		    MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF;
	size_t bytes_max = TYPE_SNIFF_BYTES;
	struct type *t = mem_zero(sizeof(*t));

	t->magic = magic_open(flags);
	if (!t->magic) {
		err_sys(e, "magic_open");
		mem_free(t);
		return NULL;
	}
	if (magic_load(t->magic, NULL) != 0 ||
	    magic_setparam(t->magic, MAGIC_PARAM_BYTES_MAX, &bytes_max) != 0) {
		const char *why = magic_error(t->magic);

		err_set(e, ERR_INTERNAL, "libmagic: %s", why ? why : "unknown error");
		type_free(&t);
	}
	return t;
}

void
type_free(struct type **t)
{
	if (!*t)
		return;
	magic_close((*t)->magic);
	mem_free(*t);
	*t = NULL;
}

/* Text that is not harmless, by libmagic's names. */
static bool
is_active(const char *type)
{
	return type_allowed("text/html, text/x-php, text/x-shellscript, text/javascript, "
			    "application/javascript, image/svg+xml, text/xml, application/xml, "
			    "text/x-msdos-batch, text/x-perl, text/x-ruby, text/x-script.python",
	    type);
}

static const char *
ask_magic(struct type *t, const void *p, size_t n, bool text)
{
	const char *type = magic_buffer(t->magic, p, n);

	if (!type || !strchr(type, '/'))
		return text ? "text/plain" : UNKNOWN; /* bytes that libmagic chokes on */
	if (text)
		return is_active(type) ? type : "text/plain";
	if (strncmp(type, "text/", 5) == 0 && !is_active(type))
		return UNKNOWN; /* with control characters it is no text that we vouch for */
	return type;
}

static bool
is_blank(const char *p, size_t n)
{
	while (n > 0 && strchr(" \t\r\n\f\v", p[n - 1]))
		n--;
	return n == 0;
}

int
type_sniff(struct type *t, const void *p, size_t n, char out[TYPE_MAX], struct err *e)
{
	bool whole = n < TYPE_SNIFF_BYTES;
	enum type_text kind;
	char zip[TYPE_MAX];
	const char *type;

	if (n > TYPE_SNIFF_BYTES)
		n = TYPE_SNIFF_BYTES;
	if (n == 0)
		type = "application/x-empty";
	else if (n >= 4 && (memcmp(p, "PK\3\4", 4) == 0 || memcmp(p, "PK\5\6", 4) == 0 ||
			       memcmp(p, "PK\7\10", 4) == 0))
		type = type_of_zip(p, n, zip);
	else
		type = type_by_signature(p, n);
	if (!type) {
		kind = type_text_kind(p, n, whole);
		if (kind != TEXT_NO)
			type = type_of_markup(p, n, kind);
		if (!type && !whole && is_blank(p, n))
			type = UNKNOWN; /* what matters stands behind what we see */
		if (!type && (kind == TEXT_UTF8 || kind == TEXT_UTF16))
			type = "text/plain";
		if (!type)
			type = ask_magic(t, p, n, kind == TEXT_8BIT);
	}
	if (str_copy(out, TYPE_MAX, type) < 0)
		return err_set(e, ERR_INTERNAL, "media type too long");
	for (char *c = out; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	return 0;
}

bool
type_inline_safe(const char *media_type)
{
	return type_allowed("image/jpeg, image/png, image/gif, image/webp, image/avif", media_type);
}

bool
type_is_picture(const char *media_type)
{
	return type_allowed("image/jpeg, image/png, image/gif, image/webp, image/tiff, image/bmp, "
			    "image/heic, image/heif, image/avif",
	    media_type);
}
