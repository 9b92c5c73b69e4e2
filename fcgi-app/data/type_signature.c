/*
 * Signatures: all of the default allow-list, and what must never pass as something else.
 */
#include "base/sys.h"

#include "data/type_room.h"

#define SIG(s) (s), sizeof(s) - 1

/* At a fixed offset; the first that fits wins. */
static const struct {
	size_t at;
	const char *bytes;
	size_t n;
	const char *type;
} signatures[] = {
	{ 0, SIG("\xff\xd8\xff"), "image/jpeg" },
	{ 0, SIG("\x89PNG\r\n\x1a\n"), "image/png" },
	{ 0, SIG("GIF87a"), "image/gif" },
	{ 0, SIG("GIF89a"), "image/gif" },
	{ 0, SIG("II*\0"), "image/tiff" },
	{ 0, SIG("MM\0*"), "image/tiff" },
	{ 0, SIG("II+\0"), "image/tiff" },
	{ 0, SIG("MM\0+"), "image/tiff" },
	{ 0, SIG("%PDF-"), "application/pdf" },
	{ 0, SIG("\xef\xbb\xbf%PDF-"), "application/pdf" },
	{ 0, SIG("%!PS"), "application/postscript" },
	{ 0, SIG("\x04%!PS"), "application/postscript" },
	{ 0, SIG("\xc5\xd0\xd3\xc6"), "application/postscript" },
	{ 0, SIG("{\\rtf"), "application/rtf" },
	{ 0, SIG("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "application/x-ole-storage" },
	{ 0, SIG("\x1f\x8b"), "application/gzip" },
	{ 0, SIG("BZh"), "application/x-bzip2" },
	{ 0, SIG("\xfd\x37zXZ\0"), "application/x-xz" },
	{ 0, SIG("\x28\xb5\x2f\xfd"), "application/zstd" },
	{ 0, SIG("7z\xbc\xaf\x27\x1c"), "application/x-7z-compressed" },
	{ 0, SIG("Rar!\x1a\x07"), "application/vnd.rar" },
	{ 257, SIG("ustar"), "application/x-tar" },
	{ 0,
	    SIG("\x7f"
		"ELF"),
	    "application/x-executable" },
	{ 0, SIG("\xfe\xed\xfa\xce"), "application/x-mach-binary" },
	{ 0, SIG("\xfe\xed\xfa\xcf"), "application/x-mach-binary" },
	{ 0, SIG("\xce\xfa\xed\xfe"), "application/x-mach-binary" },
	{ 0, SIG("\xcf\xfa\xed\xfe"), "application/x-mach-binary" },
	{ 0, SIG("\0asm"), "application/wasm" },
	{ 0, SIG("dex\n0"), "application/vnd.android.dex" },
	{ 0, SIG("L\0\0\0\x01\x14\x02\0"), "application/x-ms-shortcut" },
	{ 0, SIG("MSCF\0\0\0\0"), "application/vnd.ms-cab-compressed" },
	{ 0, SIG("SQLite format 3\0"), "application/vnd.sqlite3" },
};

static uint32_t
be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t
le32(const unsigned char *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static bool
in_words(const unsigned char *brand, const char *words)
{
	for (; *words; words += 4)
		if (memcmp(brand, words, 4) == 0)
			return true;
	return false;
}

static const char *
brand_type(const unsigned char *brand)
{
	if (in_words(brand, "avifavis"))
		return "image/avif";
	if (in_words(brand, "heicheixhevchevxheimheishevmhevs"))
		return "image/heic";
	return NULL;
}

/* ISO base media: the major brand, and for the neutral image brands the compatible ones. */
static const char *
ftyp(const unsigned char *p, size_t n)
{
	const char *type;
	size_t end;

	if (n < 12 || memcmp(p + 4, "ftyp", 4) != 0)
		return NULL;
	type = brand_type(p + 8);
	if (type)
		return type;
	if (in_words(p + 8, "qt  "))
		return "video/quicktime";
	if (in_words(p + 8, "M4A M4B "))
		return "audio/mp4";
	if (in_words(p + 8, "isomiso2iso3iso4iso5iso6mp41mp42avc1M4V MSNVdashf4v mmp4"))
		return "video/mp4";
	if (!in_words(p + 8, "mif1msf1miaf"))
		return NULL;
	end = be32(p) < n ? be32(p) : n;
	for (size_t i = 16; i + 4 <= end; i += 4) {
		type = brand_type(p + i);
		if (type)
			return type;
	}
	return "image/heif";
}

/* Two letters are too little: the header's size must be one that exists. */
static bool
is_bmp(const unsigned char *p, size_t n)
{
	if (n < 26 || memcmp(p, "BM", 2) != 0)
		return false;
	switch (le32(p + 14)) {
	case 12:
	case 40:
	case 52:
	case 56:
	case 64:
	case 108:
	case 124:
		return true;
	default:
		return false;
	}
}

/* Java classes and universal Mach-O files share their first four bytes. */
static const char *
cafebabe(const unsigned char *p, size_t n)
{
	if (n < 8 || be32(p) != 0xcafebabe)
		return NULL;
	return be32(p + 4) < 40 ? "application/x-mach-binary" : "application/java-vm";
}

/* "MZ" is also a pair of letters: a header of a program holds control characters. */
static bool
is_dos_program(const unsigned char *p, size_t n)
{
	if (n < 2 || (memcmp(p, "MZ", 2) != 0 && memcmp(p, "ZM", 2) != 0))
		return false;
	for (size_t i = 2; i < n && i < 64; i++)
		if (p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t')
			return true;
	return false;
}

static bool
is_flash(const unsigned char *p, size_t n)
{
	return n >= 8 && (p[0] == 'F' || p[0] == 'C' || p[0] == 'Z') && p[1] == 'W' &&
	       p[2] == 'S' && p[3] < 0x20;
}

const char *
type_by_signature(const unsigned char *p, size_t n)
{
	const char *type;

	for (size_t i = 0; i < ARRAY_LEN(signatures); i++)
		if (n >= signatures[i].at + signatures[i].n &&
		    memcmp(p + signatures[i].at, signatures[i].bytes, signatures[i].n) == 0)
			return signatures[i].type;
	if (n >= 12 && memcmp(p, "RIFF", 4) == 0 && memcmp(p + 8, "WEBP", 4) == 0)
		return "image/webp";
	if (is_bmp(p, n))
		return "image/bmp";
	if (is_dos_program(p, n))
		return "application/vnd.microsoft.portable-executable";
	if (is_flash(p, n))
		return "application/vnd.adobe.flash.movie";
	type = cafebabe(p, n);
	return type ? type : ftyp(p, n);
}
