#include "base/sys.h"
#include "worker/render_magick.h"

/* Coders that reach files, the network or other programs, or that read a language. */
static const char *const forbidden[] = { "MVG", "MSL", "SVG", "MSVG", "TEXT", "TXT", "LABEL",
	"CAPTION", "INLINE", "URL", "HTTP", "HTTPS", "FTP", "FILE", "PS", "PS2", "PS3", "EPS",
	"EPI", "PDF", "XPS", "PCL", "EPHEMERAL", "FD", "MPC", "MPR", "X", "XC", "PLASMA", "PANGO",
	"VIDEO", "DOT", "DNG", "PSD", "MIFF" };

/* The library gives up in the middle of something: a jailed child ends, and the worker knows. */
static void NO_RETURN
give_up(const ExceptionType severity, const char *reason, const char *description)
{
	(void)severity;
	(void)reason;
	(void)description;
	_exit(WIRE_EXIT_MEMORY);
}

static bool
readable(const char *coder)
{
	return IsRightsAuthorized(CoderPolicyDomain, ReadPolicyRights, coder);
}

/* Not only what the rules say: one forbidden coder is really tried. */
static bool
can_draw(void)
{
	static const char mvg[] = "viewbox 0 0 8 8 fill red rectangle 0,0 8,8";
	MagickWand *w = NewMagickWand();
	bool ok;

	MagickSetFilename(w, "MVG:");
	ok = MagickReadImageBlob(w, mvg, sizeof(mvg) - 1);
	DestroyMagickWand(w);
	return ok;
}

static int
check_policy(struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
		if (readable(forbidden[i]))
			return err_set(e, ERR_DENIED,
			    "ImageMagick would read %s: our policy.xml is not active, or another "
			    "one "
			    "overrides it",
			    forbidden[i]);
	if (can_draw())
		return err_set(e, ERR_DENIED, "ImageMagick reads MVG in spite of its policy");
	for (unsigned f = PICTURE_UNKNOWN + 1; f < PICTURE_FORMATS; f++)
		if (!readable(picture_name(f)))
			return err_set(
			    e, ERR_DENIED, "ImageMagick's policy forbids %s", picture_name(f));
	if (!IsRightsAuthorized(CoderPolicyDomain, WritePolicyRights, "JPEG"))
		return err_set(e, ERR_DENIED, "ImageMagick's policy forbids writing JPEG");
	if (IsRightsAuthorized(PathPolicyDomain, ReadPolicyRights, "@/etc/passwd"))
		return err_set(e, ERR_DENIED, "ImageMagick's policy allows reading @files");
	return 0;
}

/* Loads the coder's module. */
static bool
has_coder(const char *name)
{
	ExceptionInfo *x = AcquireExceptionInfo();
	const MagickInfo *info = GetMagickInfo(name, x);
	bool ok = info != NULL && info->decoder != NULL;

	DestroyExceptionInfo(x);
	return ok;
}

/* A small picture in the given format, as the library itself writes it. NULL when it cannot. */
static unsigned char *
sample(enum picture_format format, size_t *n)
{
	enum { SIDE = 16 };
	unsigned char pixels[SIDE * SIDE * 3], *blob = NULL;
	char prefix[16];
	MagickWand *w = NewMagickWand();

	for (size_t i = 0; i < sizeof(pixels); i++)
		pixels[i] = (unsigned char)(i * 7);
	snprintf(prefix, sizeof(prefix), "%s:", picture_name(format));
	if (MagickConstituteImage(w, SIDE, SIDE, "RGB", CharPixel, pixels) &&
	    MagickSetFilename(w, prefix) && MagickSetImageFormat(w, picture_name(format)))
		blob = MagickGetImageBlob(w, n);
	DestroyMagickWand(w);
	return blob;
}

/* Goes the whole way once, so that every module, table and configuration file is in memory. */
static bool
warm_up(enum picture_format format)
{
	struct wire_job job = { .max_pixels = 1 << 20,
		.max_side = 1 << 10,
		.memory = 64 << 20,
		.picture = { .format = format },
		.renditions = 3,
		.rendition = { { 8, 8, true, FORMAT_JPEG, 80 }, { 8, 8, false, FORMAT_PNG, 80 },
		    { 4, 4, false, FORMAT_WEBP, 80 } } };
	struct wire_thumbnail out[3];
	char why[WIRE_TEXT + 1];
	size_t n = 0;
	unsigned char *blob = sample(format, &n);
	bool ok = blob && render_run(&job, blob, n, out, why) == WIRE_OK;

	if (ok)
		render_release(out, 3);
	MagickRelinquishMemory(blob);
	return ok;
}

int
render_start(char about[WIRE_TEXT + 1], struct err *e)
{
	size_t version;
	int len;
	bool ok;

	MagickWandGenesis();
	SetFatalErrorHandler(give_up);
	if (check_policy(e) < 0)
		return -1;
	len = snprintf(about, WIRE_TEXT + 1, "%.60s:", MagickGetVersion(&version));
	for (unsigned f = PICTURE_UNKNOWN + 1; f < PICTURE_FORMATS; f++) {
		/* The HEIF libraries start threads when they decode: only their code is loaded. */
		ok = has_coder(picture_name(f));
		if (ok && f != PICTURE_HEIC && f != PICTURE_AVIF)
			ok = warm_up(f);
		if (!ok && f <= PICTURE_PNG)
			return err_set(
			    e, ERR_INTERNAL, "ImageMagick cannot handle %s", picture_name(f));
		if (ok)
			len += snprintf(
			    about + len, (size_t)(WIRE_TEXT + 1 - len), " %s", picture_name(f));
	}
	return 0;
}

void
render_stop(void)
{
	MagickWandTerminus();
}
