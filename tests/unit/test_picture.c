#include "base/sys.h"

#include "worker/picture.h"
#include "picture_file.h"
#include "tap.h"

static void
pictures(void)
{
	static const struct {
		const char *file;
		enum picture_format format;
		unsigned width, height;
	} cases[] = {
		{ "plain.jpg", PICTURE_JPEG, 640, 480 },
		{ "rgb.png", PICTURE_PNG, 640, 480 },
		{ "moving.gif", PICTURE_GIF, 640, 480 },
		{ "lossy.webp", PICTURE_WEBP, 640, 480 },
		{ "lossless.webp", PICTURE_WEBP, 640, 480 },
		{ "lzw.tiff", PICTURE_TIFF, 640, 480 },
		{ "raw.tiff", PICTURE_TIFF, 64, 48 },
		{ "plain.bmp", PICTURE_BMP, 64, 48 },
		{ "plain.heic", PICTURE_HEIC, 640, 480 },
		{ "plain.avif", PICTURE_AVIF, 640, 480 },
		{ "bomb.png", PICTURE_PNG, 100000, 100000 },
		{ "cut.jpg", PICTURE_JPEG, 320, 240 },
		{ "head.jpg", PICTURE_JPEG, 0, 0 },
		{ "cut.tiff", PICTURE_TIFF, 0, 0 },
	};
	struct picture_file f;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		picture_file_read(&f, cases[i].file);
		tap_is(picture_sniff(f.p, f.n), cases[i].format, cases[i].file);
		if (!tap_ok(
			f.picture.width == cases[i].width && f.picture.height == cases[i].height,
			"%s: dimensions", cases[i].file))
			printf("# %ux%u\n", f.picture.width, f.picture.height);
		picture_file_release(&f);
	}
}

static void
details(void)
{
	struct picture_file f;
	char name[32];

	for (unsigned o = 1; o <= 8; o++) {
		snprintf(name, sizeof(name), "turned%u.jpg", o);
		picture_file_read(&f, name);
		tap_is(f.picture.orientation, o, name);
		picture_file_release(&f);
	}
	picture_file_read(&f, "progressive.jpg");
	tap_ok(f.picture.progressive && f.picture.components == 3, "progressive, 3 components");
	picture_file_release(&f);
	picture_file_read(&f, "cmyk.jpg");
	tap_ok(!f.picture.progressive && f.picture.components == 4, "baseline, 4 components");
	picture_file_release(&f);
}

/* No prefix of a picture is read beyond its end (the sanitizer looks), or is something else. */
static void
prefixes(void)
{
	static const char *const files[] = { "turned6.jpg", "rgb.png", "moving.gif", "lossy.webp",
		"lzw.tiff", "plain.bmp", "plain.heic", "plain.avif" };
	struct picture_file f;
	struct picture_reader r;
	enum picture_step step;
	uint8_t *copy;
	bool good = true;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		picture_file_read(&f, files[i]);
		for (size_t n = 0; n < f.n && n < 1500; n++) {
			copy = mem_alloc(n ? n : 1);
			memcpy(copy, f.p, n);
			picture_begin(&r, f.picture.format);
			step = picture_step(&r, copy, n);
			good = good &&
			       (step != PICTURE_DONE || (r.found.width == f.picture.width &&
							    r.found.height == f.picture.height));
			mem_free(copy);
		}
		picture_file_release(&f);
	}
	tap_ok(good, "a prefix tells the same or nothing");
}

static int
temporary(const void *p, size_t n)
{
	FILE *file = tmpfile();
	int fd = file ? dup(fileno(file)) : -1;

	if (file)
		fclose(file);
	if (fd < 0 || fdio_write(fd, p, n) < 0)
		printf("Bail out! temporary file: %s\n", strerror(errno));
	return fd;
}

/* Three full segments of 65 KiB stand before the frame header: it is in the third window. */
static void
far_header(void)
{
	enum { SEGMENT = 65535 + 2, COUNT = 3 };
	static const uint8_t sof[] = { 0xff, 0xff, 0xc2, 0, 11, 8, 0x01, 0x02, 0x03, 0x04, 1, 1,
		0x11, 0 };
	uint8_t *p = mem_zero(2 + SEGMENT * COUNT + sizeof(sof));
	struct picture found;
	struct err e = { 0 };
	size_t n = 2;
	int fd;

	memcpy(p, "\xff\xd8", 2);
	for (int i = 0; i < COUNT; i++, n += SEGMENT)
		memcpy(p + n, "\xff\xe2\xff\xff", 4);
	memcpy(p + n, sof, sizeof(sof));
	fd = temporary(p, n + sizeof(sof));
	tap_is(picture_probe(fd, PICTURE_JPEG, &found, &e), 0, "JPEG with large profiles");
	tap_ok(found.width == 0x304 && found.height == 0x102 && found.progressive,
	    "its header is found");
	fdio_drop(&fd);
	mem_free(p);
}

/* A file of segments without end is given up. */
static void
endless(void)
{
	enum { COUNT = 40000 };
	uint8_t *p = mem_zero(2 + (size_t)COUNT * 1000);
	struct picture found;
	struct err e = { 0 };
	size_t n = 2;
	int fd;

	memcpy(p, "\xff\xd8", 2);
	for (int i = 0; i < COUNT; i++, n += 1000)
		memcpy(p + n, "\xff\xe2\x03\xe6", 4);
	fd = temporary(p, n);
	tap_is(picture_probe(fd, PICTURE_JPEG, &found, &e), 0, "JPEG of segments only");
	tap_is(found.width, 0, "it is given up");
	fdio_drop(&fd);
	mem_free(p);
}

static void
types(void)
{
	struct picture found;
	struct err e = { 0 };
	int fd = picture_file_open("text.jpg");

	tap_is(picture_probe(fd, PICTURE_JPEG, &found, &e), -1, "text is no JPEG");
	tap_is(e.kind, ERR_TYPE, "that is an error of the type");
	fdio_drop(&fd);
	fd = picture_file_open("rgb.png");
	tap_is(picture_probe(fd, PICTURE_JPEG, &found, &e), -1, "a PNG is no JPEG");
	fdio_drop(&fd);
	fd = picture_file_open("plain.avif");
	tap_is(picture_probe(fd, PICTURE_HEIC, &found, &e), 0, "image/heif may be either kind");
	fdio_drop(&fd);
	tap_is(picture_of_type("image/heif"), PICTURE_HEIC, "image/heif");
	tap_is(picture_of_type("application/pdf"), PICTURE_UNKNOWN, "PDF is none of ours");
	tap_str(picture_name(PICTURE_WEBP), "WEBP", "name for the library");
}

static void
memory(void)
{
	struct picture jpeg = {
		.format = PICTURE_JPEG, .width = 8000, .height = 6000, .components = 3
	};
	struct picture png = { .format = PICTURE_PNG, .width = 8000, .height = 6000 };

	tap_ok(picture_memory(&jpeg, 8, 0) < 32 << 20, "a JPEG scaled by 8 is small");
	tap_ok(picture_memory(&png, 1, 0) > 384 << 20, "a PNG is not");
	jpeg.progressive = true;
	tap_ok(picture_memory(&jpeg, 8, 0) > 288 << 20, "a progressive JPEG keeps coefficients");
}

int
main(void)
{
	pictures();
	details();
	prefixes();
	far_header();
	endless();
	types();
	memory();
	return tap_done();
}
