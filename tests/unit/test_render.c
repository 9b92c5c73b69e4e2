#include "base/sys.h"

#include "base/fdio.h"
#include "base/mem.h"
#include "worker/render_magick.h"
#include "picture_file.h"
#include "tap.h"

static struct wire_thumbnail out[CONF_MAX_RENDITIONS];
static char why[WIRE_TEXT + 1];

static struct wire_job
job_of(const struct picture_file *f)
{
	struct wire_job job = { .max_pixels = 50000000,
		.max_side = 16000,
		.memory = 768U << 20,
		.max_output = 1 << 20,
		.picture = f->picture,
		.renditions = 1,
		.rendition = { { 128, 128, false, FORMAT_PNG, 80 } } };

	return job;
}

static enum wire_status
run(const char *name, const struct wire_rendition *r, uint32_t n)
{
	struct picture_file f;
	struct wire_job job;
	enum wire_status status;

	picture_file_read(&f, name);
	job = job_of(&f);
	for (uint32_t i = 0; i < n; i++)
		job.rendition[i] = r[i];
	job.renditions = n ? n : 1;
	status = render_run(&job, f.p, f.n, out, why);
	picture_file_release(&f);
	return status;
}

/* The colour at x, y (in eighths) of a thumbnail: 'r', 'g', 'b', 'w', 'k', or '?'. */
static char
colour(const struct wire_thumbnail *t, unsigned x, unsigned y)
{
	static const struct {
		char name;
		int r, g, b;
	} known[] = { { 'r', 208, 0, 0 }, { 'g', 0, 192, 0 }, { 'b', 0, 0, 208 },
		{ 'w', 240, 240, 240 }, { 'W', 255, 255, 255 } };
	unsigned char p[3] = { 0 };
	MagickWand *w = NewMagickWand();
	char found = '?';

	if (MagickReadImageBlob(w, t->p, t->n))
		MagickExportImagePixels(w, (ssize_t)(t->width * x / 8),
		    (ssize_t)(t->height * y / 8), 1, 1, "RGB", CharPixel, p);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (abs(p[0] - known[i].r) + abs(p[1] - known[i].g) + abs(p[2] - known[i].b) < 36)
			found = known[i].name;
	if (found == '?')
		printf("# colour %u,%u,%u\n", p[0], p[1], p[2]);
	DestroyMagickWand(w);
	return found;
}

/* The four quadrants, clockwise from the upper left. */
static const char *
corners(const struct wire_thumbnail *t)
{
	static char c[5];

	c[0] = colour(t, 2, 2);
	c[1] = colour(t, 6, 2);
	c[2] = colour(t, 6, 6);
	c[3] = colour(t, 2, 6);
	return c;
}

static void
formats(void)
{
	static const struct {
		const char *file, *corners;
	} cases[] = {
		{ "plain.jpg", "rgwb" },
		{ "progressive.jpg", "rgwb" },
		{ "rgb.png", "rgwb" },
		{ "palette.png", "rgwb" },
		{ "deep.png", "rgwb" },
		{ "moving.gif", "rgwb" },
		{ "lossy.webp", "rgwb" },
		{ "lossless.webp", "rgwb" },
		{ "moving.webp", "grwb" }, /* its profile changes red and green */
		{ "lzw.tiff", "rgwb" },
		{ "raw.tiff", "rgwb" },
		{ "plain.bmp", "rgwb" },
		{ "plain.heic", "rgwb" },
		{ "plain.avif", "rgwb" },
		{ "profile.jpg", "grwb" },
	};
	enum wire_status status;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		status = run(cases[i].file, NULL, 0);
		if (!tap_ok(status == WIRE_OK, "%s is read", cases[i].file)) {
			printf("# %d: %s\n", status, why);
			continue;
		}
		tap_ok(out[0].width > 60 && out[0].width <= 128 && out[0].height <= 96 &&
			   out[0].height > 40,
		    "%s: size", cases[i].file);
		tap_str(corners(&out[0]), cases[i].corners, cases[i].file);
		render_release(out, 1);
	}
}

static void
orientation(void)
{
	static const char *const want[] = { "rgwb", "grbw", "wbrg", "bwgr", "rbwg", "brgw", "wgrb",
		"gwbr" };
	char name[32];

	for (unsigned o = 1; o <= 8; o++) {
		snprintf(name, sizeof(name), "turned%u.jpg", o);
		tap_is(run(name, NULL, 0), WIRE_OK, name);
		tap_str(corners(&out[0]), want[o - 1], name);
		tap_ok(out[0].width == (o < 5 ? 128 : 96) && out[0].height == (o < 5 ? 96 : 128),
		    "%s: sides", name);
		render_release(out, 1);
	}
	/* EXIF that the library does not hand on, and a number that means nothing */
	tap_is(run("turned6.png", NULL, 0), WIRE_OK, "turned6.png");
	tap_str(corners(&out[0]), "brgw", "eXIf of a PNG turns it");
	render_release(out, 1);
	tap_is(run("turned6.webp", NULL, 0), WIRE_OK, "turned6.webp");
	tap_str(corners(&out[0]), "brgw", "EXIF of a WebP turns it");
	tap_ok(out[0].width == 96 && out[0].height == 128, "turned6.webp: sides");
	render_release(out, 1);
	tap_is(run("turned9.jpg", NULL, 0), WIRE_OK, "turned9.jpg");
	tap_str(corners(&out[0]), "rgwb", "orientation 9 turns nothing");
	tap_ok(out[0].width == 128 && out[0].height == 96, "and bends nothing");
	render_release(out, 1);
}

static void
renditions(void)
{
	static const struct wire_rendition r[] = {
		{ 32, 32, true, FORMAT_JPEG, 70 },
		{ 500, 500, false, FORMAT_WEBP, 80 },
		{ 300, 100, true, FORMAT_PNG, 80 },
		{ 2000, 2000, false, FORMAT_JPEG, 80 },
		{ 128, 128, false, FORMAT_JPEG, 5 },
		{ 2000, 400, true, FORMAT_JPEG, 80 },
	};
	static const unsigned want[][2] = { { 32, 32 }, { 500, 375 }, { 300, 100 }, { 640, 480 },
		{ 128, 96 }, { 640, 400 } };

	tap_is(run("plain.jpg", r, ARRAY_LEN(r)), WIRE_OK, "six renditions of one picture");
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		tap_ok(out[i].width == want[i][0] && out[i].height == want[i][1],
		    "rendition %zu is %ux%u", i, out[i].width, out[i].height);
	tap_is(picture_sniff(out[0].p, out[0].n), PICTURE_JPEG, "JPEG");
	tap_is(picture_sniff(out[1].p, out[1].n), PICTURE_WEBP, "WebP");
	tap_is(picture_sniff(out[2].p, out[2].n), PICTURE_PNG, "PNG");
	tap_str(corners(&out[3]), "rgwb", "not enlarged");
	render_release(out, ARRAY_LEN(r));
}

/* A component's sampling factors stand after its number in the frame header. */
static bool
chroma_is_halved(const struct wire_thumbnail *t)
{
	const uint8_t *p = memmem(t->p, t->n, "\xff\xc0", 2);

	return p && p[9] == 3 && p[11] == 0x22 && p[14] == 0x11 && p[17] == 0x11;
}

static void
cleaning(void)
{
	static const struct wire_rendition jpeg = { 128, 128, false, FORMAT_JPEG, 80 };

	tap_is(run("turned6.jpg", &jpeg, 1), WIRE_OK, "a JPEG with EXIF");
	tap_ok(memmem(out[0].p, out[0].n, "Exif", 4) == NULL, "EXIF is gone");
	tap_ok(memmem(out[0].p, out[0].n, "Sluice", 6) == NULL, "the camera's name is gone");
	tap_ok(chroma_is_halved(&out[0]), "4:2:0");
	render_release(out, 1);
	tap_is(run("profile.jpg", &jpeg, 1), WIRE_OK, "a JPEG with a profile");
	tap_ok(memmem(out[0].p, out[0].n, "ICC_PROFILE", 11) == NULL, "the profile is gone");
	tap_str(corners(&out[0]), "grwb", "its colours are converted");
	render_release(out, 1);
	tap_is(run("cmyk.jpg", &jpeg, 1), WIRE_OK, "CMYK");
	tap_ok(chroma_is_halved(&out[0]), "CMYK becomes three components");
	tap_str(corners(&out[0]), "rgwb", "CMYK keeps its colours");
	render_release(out, 1);
	tap_is(run("grey.jpg", &jpeg, 1), WIRE_OK, "grey");
	render_release(out, 1);
	tap_is(run("alpha.png", &jpeg, 1), WIRE_OK, "a transparent PNG as JPEG");
	tap_str(corners(&out[0]), "Wgwb", "what was transparent is white");
	render_release(out, 1);
}

static void
refusals(void)
{
	static const struct {
		const char *file;
		enum wire_status status;
	} cases[] = {
		{ "cut.jpg", WIRE_CORRUPT },
		{ "damaged.jpg", WIRE_CORRUPT },
		{ "head.jpg", WIRE_CORRUPT },
		{ "cut.png", WIRE_CORRUPT },
		{ "cut.gif", WIRE_CORRUPT },
		{ "cut.webp", WIRE_CORRUPT },
		{ "cut.tiff", WIRE_CORRUPT },
		{ "cut.avif", WIRE_CORRUPT },
		{ "text.jpg", WIRE_CORRUPT },
		{ "push.jpg", WIRE_CORRUPT },
		{ "bomb.png", WIRE_TOO_LARGE },
	};
	enum wire_status status;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		status = run(cases[i].file, NULL, 0);
		tap_is(status, cases[i].status, cases[i].file);
		printf("# %s\n", why);
		if (status == WIRE_OK)
			render_release(out, 1);
	}
	status = run("bomb-bilevel.png", NULL, 0);
	tap_ok(status == WIRE_TOO_LARGE || status == WIRE_RESOURCE, "128 megapixels are refused");
	printf("# %s\n", why);
}

int
main(int argc, char **argv)
{
	char about[WIRE_TEXT + 1], conf[PATH_MAX];
	struct err e = { 0 };

	/* The library's runtime reads its environment when it is loaded. */
	if (getenv("OMP_NUM_THREADS") == NULL) {
		setenv("OMP_NUM_THREADS", "1", 1);
		snprintf(conf, sizeof(conf), "%s/conf/magick", picture_file_srcdir());
		setenv("MAGICK_CONFIGURE_PATH", conf, 1);
		execv("/proc/self/exe", argv);
		return 99;
	}
	(void)argc;
	if (!tap_ok(render_start(about, &e) == 0, "starts with our policy"))
		printf("# %s\n", e.text);
	printf("# %s\n", about);
	formats();
	orientation();
	renditions();
	cleaning();
	refusals();
	render_stop();
	return tap_done();
}
