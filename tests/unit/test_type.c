#include "base/sys.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "data/type_room.h"
#include "tap.h"

#define B(s) (s), sizeof(s) - 1

static struct type *t;

static const struct {
	const char *bytes;
	size_t n;
	const char *type;
} samples[] = {
	{ B(""), "application/x-empty" },
	{ B("\xff\xd8\xff\xe0\0\x10JFIF"), "image/jpeg" },
	{ B("\x89PNG\r\n\x1a\n"), "image/png" },
	{ B("GIF89a<script>alert(1)</script>"), "image/gif" },
	{ B("RIFF\x10\0\0\0WEBPVP8 "), "image/webp" },
	{ B("II*\0\x08\0\0\0"), "image/tiff" },
	{ B("MM\0*\0\0\0\x08"), "image/tiff" },
	{ B("\0\0\0\x18"
	    "ftypheic\0\0\0\0mif1heic"),
	    "image/heic" },
	{ B("\0\0\0\x1c"
	    "ftypavif\0\0\0\0avifmif1miaf"),
	    "image/avif" },
	{ B("\0\0\0\x1c"
	    "ftypmif1\0\0\0\0mif1avifmiaf"),
	    "image/avif" },
	{ B("\0\0\0\x14"
	    "ftypmif1\0\0\0\0mif1heic"),
	    "image/heif" },
	{ B("\0\0\0\x18"
	    "ftypisom\0\0\0\0isomavc1"),
	    "video/mp4" },
	{ B("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0"), "image/bmp" },
	{ B("BMW is not a picture, but 26 bytes of text"), "text/plain" },
	{ B("%PDF-1.7\n"), "application/pdf" },
	{ B("%!PS-Adobe"), "application/postscript" },
	{ B("{\\rtf1 x}"), "application/rtf" },
	{ B("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"), "application/x-ole-storage" },
	{ B("PK\5\6\0\0\0\0"), "application/zip" },
	{ B("\x1f\x8b\x08\0"), "application/gzip" },
	{ B("\x7f"
	    "ELF\2\1\1"),
	    "application/x-executable" },
	{ B("MZ\x90\0\3\0\0\0"), "application/vnd.microsoft.portable-executable" },
	{ B("MZ Wallace and Gromit"), "text/plain" },
	{ B("\xca\xfe\xba\xbe\0\0\0\x34"), "application/java-vm" },
	{ B("\xca\xfe\xba\xbe\0\0\0\x02"), "application/x-mach-binary" },
	{ B("\0asm\1\0\0\0"), "application/wasm" },
	{ B("CWS\x0a\0\0\0\0"), "application/vnd.adobe.flash.movie" },
	{ B("hello\n"), "text/plain" },
	{ B("\xef\xbb\xbfhello\n"), "text/plain" },
	{ B("\xff\xfeh\0i\0"), "text/plain" },
	{ B("\xfe\xff\0h\xd8\x3d\xde\0\0\n"), "text/plain" },
	{ B("\xff\xfe\0\1\2\0\3\4"), "application/octet-stream" },
	{ B("\xff\xfeh\0\0\0"), "application/octet-stream" },
	{ B("\xff\xfeh\0\0\xdci\0"), "application/octet-stream" },
	{ B("gr\xc3\xbc\xc3\x9f"), "text/plain" },
	{ B("gr\xfc\xdf e aus Latin-1, mit Umlauten \xe4\xf6\xfc\n"), "text/plain" },
	{ B("a,b,c\n1,2,3\n4,5,6\n"), "text/plain" },
	{ B("{\"a\": 1}"), "text/plain" },
	{ B("if (a < b) { x->y = 1; } /* <b */\n"), "text/plain" },
	{ B("From: A <a@example.org>\n"), "text/plain" },
	{ B("#!/bin/sh\necho hi\n"), "text/x-shellscript" },
	{ B("\xef\xbb\xbf#!/bin/sh\n"), "text/x-shellscript" },
	{ B("#!/usr/bin/env python3\n"), "text/x-script.python" },
	{ B("@ECHO OFF\r\n"), "text/x-msdos-batch" },
	{ B("<?php phpinfo();"), "text/x-php" },
	{ B("hello <?php phpinfo();"), "text/x-php" },
	{ B("<html><body>"), "text/html" },
	{ B(" \n\t<!DOCTYPE HTML>"), "text/html" },
	{ B("<!-- c --><!-- d --> <ScRiPt>"), "text/html" },
	{ B("<script\nsrc=x>"), "text/html" },
	{ B("<a href=x>"), "text/html" },
	{ B("Dear reader,\n<script>alert(1)</script>"), "text/html" },
	{ B("\xff\xfe<\0s\0c\0r\0i\0p\0t\0>\0"), "text/html" },
	{ B("\xfe\xff\0<\0s\0v\0g\0>"), "image/svg+xml" },
	{ B("gr\xfc\xdf <script>"), "text/html" },
	{ B("<svg xmlns='x'>"), "image/svg+xml" },
	{ B("<?xml version='1.0'?>\n<!-- x -->\n<svg:svg>"), "image/svg+xml" },
	{ B("<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'b'>]>"), "image/svg+xml" },
	{ B("<?xml version='1.0'?><x:svg xmlns:x='http://www.w3.org/2000/svg'/>"),
	    "image/svg+xml" },
	{ B("<?xml version='1.0'?><note/>"), "application/xml" },
	{ B("<?xml version='1.0'?><html xmlns='x'>"), "text/html" },
	{ B("<!-- never ends"), "text/html" },
	{ B("<!-- only comments --> "), "text/html" },
	{ B("<3 is a heart, <- is an arrow"), "text/plain" },
	{ B("<!-- licence -->\n# Title\n\nMarkdown\n"), "text/plain" },
	{ B("<!-- licence -->\n# Title\n<iframe src=x>\n"), "text/html" },
	{ B("\1\2\3\4\5\6\7\0random"), "application/octet-stream" },
};

static void
is_type(const void *p, size_t n, const char *want, const char *name)
{
	char *exact = mem_alloc(n ? n : 1); /* so that the sanitizer sees a read too far */
	char out[TYPE_MAX] = "";
	struct err e;

	memcpy(exact, p, n);
	if (type_sniff(t, exact, n, out, &e) < 0)
		printf("# %s\n", e.text);
	tap_str(out, want, name);
	mem_free(exact);
}

static void
test_samples(void)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		char name[32];

		snprintf(name, sizeof(name), "sample %zu", i);
		is_type(samples[i].bytes, samples[i].n, samples[i].type, name);
	}
}

/* What stands far down is still seen, within the window. */
static void
test_far(void)
{
	struct strbuf b;

	strbuf_init(&b);
	for (int i = 0; i < 2000; i++)
		strbuf_addc(&b, ' ');
	strbuf_adds(&b, "<svg>");
	is_type(b.s, b.len, "image/svg+xml", "2,000 blanks before <svg");
	strbuf_reset(&b);
	while (b.len < TYPE_SNIFF_BYTES - 3)
		strbuf_addc(&b, '\n');
	strbuf_adds(&b, "<svg>");
	is_type(b.s, b.len, "text/html", "a tag that is cut by the window");
	strbuf_reset(&b);
	while (b.len < TYPE_SNIFF_BYTES)
		strbuf_addc(&b, ' ');
	is_type(b.s, b.len - 1, "text/plain", "a file of blanks");
	is_type(b.s, b.len, "application/octet-stream", "a window of blanks tells nothing");
	strbuf_reset(&b);
	strbuf_adds(&b, "<!--");
	for (int i = 0; i < 5000; i++)
		strbuf_addc(&b, 'x');
	strbuf_adds(&b, "--><svg>");
	is_type(b.s, b.len, "text/html", "a comment of 5 KB is not text");
	strbuf_reset(&b);
	for (int i = 0; i < 4090 / 2; i++)
		strbuf_adds(&b, "\xc3\xa9");
	strbuf_adds(&b, "abcde\xc3\xa9");
	is_type(b.s, b.len, "text/plain", "a character cut by the window");
	tap_is(type_text_kind((unsigned char *)b.s, TYPE_SNIFF_BYTES, false), TEXT_UTF8,
	    "is no mistake");
	tap_is(type_text_kind((unsigned char *)b.s, TYPE_SNIFF_BYTES, true), TEXT_8BIT,
	    "unless the file ends there");
	strbuf_release(&b);
}

/* A local header and the first bytes of an entry. */
static void
add_entry(struct strbuf *b, const char *name, const char *data)
{
	char head[30] = "PK\3\4\x14";

	head[18] = head[22] = (char)strlen(data);
	head[26] = (char)strlen(name);
	strbuf_add(b, head, sizeof(head));
	strbuf_adds(b, name);
	strbuf_adds(b, data);
}

static void
zip_is(const char *const *names, const char *data, const char *want)
{
	struct strbuf b;

	strbuf_init(&b);
	for (; *names; names++)
		add_entry(&b, *names, data);
	is_type(b.s, b.len, want, want);
	strbuf_release(&b);
}

#define OOXML "application/vnd.openxmlformats-officedocument."
#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
test_zip(void)
{
	zip_is(LIST("a.txt", "b.txt"), "x", "application/zip");
	zip_is(LIST("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "x",
	    OOXML "wordprocessingml.document");
	zip_is(LIST("[Content_Types].xml", "xl/workbook.xml"), "x", OOXML "spreadsheetml.sheet");
	zip_is(LIST("[Content_Types].xml", "ppt/presentation.xml"), "x",
	    OOXML "presentationml.presentation");
	zip_is(LIST("mimetype", "content.xml"), "application/vnd.oasis.opendocument.text",
	    "application/vnd.oasis.opendocument.text");
	zip_is(LIST("mimetype"), "application/epub+zip", "application/epub+zip");
	zip_is(LIST("mimetype"), "application/pdf", "application/zip");
	zip_is(LIST("META-INF/", "META-INF/MANIFEST.MF"), "x", "application/java-archive");
	zip_is(LIST("AndroidManifest.xml"), "x", "application/vnd.android.package-archive");
	is_type(B("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0abc"),
	    "application/zip", "a name that is cut");
}

static void
test_lists(void)
{
	struct err e;

	tap_ok(type_allowed(" image/png ,text/plain", "text/plain"), "in the list");
	tap_ok(type_allowed("IMAGE/PNG", "image/png"), "letter case does not matter");
	tap_ok(!type_allowed("image/png, text/plain", "image/pn"), "no prefixes");
	tap_ok(type_allowed("image/*", "image/webp"), "wildcard");
	tap_ok(!type_allowed("image/*", "imagery/webp"), "of whole types");
	tap_ok(type_allowed("a/b, */*", "x/y"), "all");
	tap_ok(!type_allowed("", "x/y"), "an empty list allows nothing");
	tap_ok(type_check_list("image/png, text/*,*/*, a/b+c.d-e", &e) == 0, "good list");
	tap_ok(type_check_list("image/png,,a/b", &e) < 0, "empty entry");
	tap_ok(type_check_list("image", &e) < 0 && strstr(e.text, "\"image\""), "no slash");
	tap_ok(type_check_list("*/png", &e) < 0, "*/png");
	tap_ok(type_check_list("image/", &e) < 0, "image/");
	tap_ok(type_check_list("image/p*", &e) < 0, "image/p*");
	tap_ok(type_check_list("a b/c", &e) < 0, "a blank");
	tap_is(e.kind, ERR_INPUT, "kind");
}

static void
test_names(void)
{
	static const struct {
		const char *name, *types;
	} names[] = {
		{ "photo.jpg", "image/jpeg" },
		{ "PHOTO.JPEG", "image/jpeg" },
		{ "a.tar.gz", "application/gzip" },
		{ "data.csv", "text/csv, text/plain" },
		{ "noextension", NULL },
		{ "unknown.xyz", NULL },
		{ "dot.", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		tap_str(type_of_name(names[i].name), names[i].types, names[i].name);
	tap_ok(!type_allowed(type_of_name("photo.jpg"), "text/plain"), "photo.jpg that is text");
	tap_ok(type_allowed(type_of_name("data.csv"), "text/plain"), "data.csv that is text");
	tap_ok(!type_allowed(type_of_name("a.docx"), "application/java-archive"), "a JAR as docx");
	tap_str(type_refine("text/plain", "data.csv"), "text/csv", "text in a .csv");
	tap_str(type_refine("text/plain", "notes.md"), "text/plain", "text in a .md");
	tap_str(type_refine("text/plain", "x.js"), "text/javascript", "text in a .js");
	tap_str(type_refine("text/plain", "x.jpg"), "text/plain", "not what cannot be");
	tap_str(type_refine("text/html", "x.txt"), "text/html", "never harmless by name");
	tap_str(type_refine("image/svg+xml", "x.xml"), "image/svg+xml", "nor by this one");
	tap_str(type_refine("application/x-ole-storage", "a.DOC"), "application/msword", "OLE");
	tap_str(
	    type_refine("application/x-ole-storage", "a.msi"), "application/x-msi", "installer");
	tap_str(type_refine("application/zip", "a.docx"), OOXML "wordprocessingml.document", "zip");
	tap_str(type_refine("text/plain", "unknown.xyz"), "text/plain", "unknown extension");
	tap_ok(type_inline_safe("image/png") && !type_inline_safe("image/svg+xml") &&
		   !type_inline_safe("application/pdf"),
	    "inline");
	tap_ok(type_is_picture("image/tiff") && !type_is_picture("application/pdf"), "pictures");
}

int
main(void)
{
	struct err e;

	t = type_new(&e);
	if (!t) {
		tap_ok(false, "type_new: %s", e.text);
		return tap_done();
	}
	test_samples();
	test_far();
	test_zip();
	test_lists();
	test_names();
	type_free(&t);
	tap_ok(t == NULL, "free leaves NULL");
	return tap_done();
}
