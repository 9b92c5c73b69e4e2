/*
 * File name extensions that we know, and the types that their bytes may have; the first one is the
 * extension's own. Where bytes alone cannot tell (text, containers) the neutral type stands last.
 */
#include "base/sys.h"

#include "data/type_room.h"

#define OOXML "application/vnd.openxmlformats-officedocument."
#define ODF "application/vnd.oasis.opendocument."
#define PE "application/vnd.microsoft.portable-executable"
#define DOSEXEC ", application/x-dosexec"
#define OLE ", application/x-ole-storage"
#define ZIP ", application/zip"
#define TEXT ", text/plain"
#define XML ", application/xml, text/xml, text/plain"

/* T(extension, its own type, ", others") */
#define T(extension, own, others) \
	{ \
		extension, own, own others \
	}

/* clang-format off */
static const struct {
	const char *extension, *own, *types;
} extensions[] = {
	T("jpg", "image/jpeg", ""),
	T("jpeg", "image/jpeg", ""),
	T("jpe", "image/jpeg", ""),
	T("jfif", "image/jpeg", ""),
	T("png", "image/png", ""),
	T("gif", "image/gif", ""),
	T("webp", "image/webp", ""),
	T("tif", "image/tiff", ""),
	T("tiff", "image/tiff", ""),
	T("heic", "image/heic", ", image/heif"),
	T("heif", "image/heif", ", image/heic, image/avif"),
	T("avif", "image/avif", ", image/heif"),
	T("bmp", "image/bmp", ""),
	T("ico", "image/vnd.microsoft.icon", ", image/x-icon, image/png"),
	T("psd", "image/vnd.adobe.photoshop", ""),
	T("svg", "image/svg+xml", ""),
	T("svgz", "application/gzip", ""),
	T("pdf", "application/pdf", ""),
	T("ps", "application/postscript", ""),
	T("eps", "application/postscript", ", image/x-eps"),
	T("txt", "text/plain", ""),
	T("text", "text/plain", ""),
	T("log", "text/plain", ""),
	T("md", "text/plain", ", text/markdown"),
	T("csv", "text/csv", TEXT),
	T("tsv", "text/tab-separated-values", TEXT),
	T("json", "application/json", TEXT),
	T("js", "text/javascript", TEXT),
	T("mjs", "text/javascript", TEXT),
	T("css", "text/css", TEXT),
	T("html", "text/html", ", application/xhtml+xml, application/xml" TEXT),
	T("htm", "text/html", ", application/xhtml+xml, application/xml" TEXT),
	T("xhtml", "application/xhtml+xml", ", text/html" XML),
	T("xml", "application/xml", ", text/xml, text/html, image/svg+xml" TEXT),
	T("php", "text/x-php", TEXT),
	T("phtml", "text/x-php", ", text/html" TEXT),
	T("sh", "text/x-shellscript", TEXT),
	T("bat", "text/x-msdos-batch", TEXT),
	T("cmd", "text/x-msdos-batch", TEXT),
	T("ps1", "text/x-powershell", TEXT),
	T("vbs", "text/vbscript", TEXT),
	T("py", "text/x-script.python", TEXT),
	T("pl", "text/x-perl", TEXT),
	T("rb", "text/x-ruby", TEXT),
	T("rtf", "application/rtf", ", text/rtf"),
	T("doc", "application/msword", ", application/rtf" OLE),
	T("dot", "application/msword", OLE),
	T("xls", "application/vnd.ms-excel", OLE),
	T("ppt", "application/vnd.ms-powerpoint", OLE),
	T("pps", "application/vnd.ms-powerpoint", OLE),
	T("msg", "application/vnd.ms-outlook", OLE),
	T("msi", "application/x-msi", OLE),
	T("docx", OOXML "wordprocessingml.document", ZIP),
	T("xlsx", OOXML "spreadsheetml.sheet", ZIP),
	T("pptx", OOXML "presentationml.presentation", ZIP),
	T("docm", "application/vnd.ms-word.document.macroenabled.12", ", " OOXML "wordprocessingml.document" ZIP),
	T("xlsm", "application/vnd.ms-excel.sheet.macroenabled.12", ", " OOXML "spreadsheetml.sheet" ZIP),
	T("odt", ODF "text", ZIP),
	T("ods", ODF "spreadsheet", ZIP),
	T("odp", ODF "presentation", ZIP),
	T("odg", ODF "graphics", ZIP),
	T("epub", "application/epub+zip", ZIP),
	T("zip", "application/zip", ", application/java-archive, application/epub+zip"
	    ", " OOXML "wordprocessingml.document, " OOXML "spreadsheetml.sheet"
	    ", " OOXML "presentationml.presentation"
	    ", " ODF "text, " ODF "spreadsheet, " ODF "presentation, " ODF "graphics"),
	T("jar", "application/java-archive", ZIP),
	T("apk", "application/vnd.android.package-archive", ", application/java-archive" ZIP),
	T("gz", "application/gzip", ""),
	T("tgz", "application/gzip", ""),
	T("bz2", "application/x-bzip2", ""),
	T("xz", "application/x-xz", ""),
	T("zst", "application/zstd", ""),
	T("7z", "application/x-7z-compressed", ""),
	T("rar", "application/vnd.rar", ""),
	T("tar", "application/x-tar", ""),
	T("exe", PE, DOSEXEC),
	T("dll", PE, DOSEXEC),
	T("scr", PE, DOSEXEC),
	T("com", PE, DOSEXEC),
	T("so", "application/x-executable", ""),
	T("elf", "application/x-executable", ""),
	T("class", "application/java-vm", ""),
	T("wasm", "application/wasm", ""),
	T("swf", "application/vnd.adobe.flash.movie", ""),
	T("lnk", "application/x-ms-shortcut", ""),
	T("mp4", "video/mp4", ""),
	T("m4v", "video/mp4", ", video/x-m4v"),
	T("mov", "video/quicktime", ", video/mp4"),
	T("webm", "video/webm", ""),
	T("mkv", "video/x-matroska", ", video/webm"),
	T("avi", "video/x-msvideo", ""),
	T("mp3", "audio/mpeg", ""),
	T("m4a", "audio/mp4", ", video/mp4, audio/x-m4a"),
	T("wav", "audio/x-wav", ""),
	T("flac", "audio/flac", ""),
	T("ogg", "audio/ogg", ", video/ogg, application/ogg"),
};
/* clang-format on */

static size_t
find(const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t i = 0;

	if (!dot)
		return ARRAY_LEN(extensions);
	while (i < ARRAY_LEN(extensions) && strcasecmp(dot + 1, extensions[i].extension) != 0)
		i++;
	return i;
}

const char *
type_of_name(const char *name)
{
	size_t i = find(name);

	return i < ARRAY_LEN(extensions) ? extensions[i].types : NULL;
}

/* Types of bytes that say little. */
static bool
neutral(const char *type)
{
	return type_allowed("text/plain, application/zip, application/x-ole-storage, "
			    "application/xml, text/xml",
	    type);
}

const char *
type_refine(const char *sniffed, const char *name)
{
	size_t i = find(name);

	if (i == ARRAY_LEN(extensions) || !neutral(sniffed) ||
	    !type_allowed(extensions[i].types, sniffed))
		return sniffed;
	return extensions[i].own;
}
