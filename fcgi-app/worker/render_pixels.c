#include "base/sys.h"
#include "worker/render_magick.h"
#include "worker/srgb.h"

static bool
resize(MagickWand *w, size_t width, size_t height)
{
#if SLUICE_MAGICK_MAJOR == 6
	return MagickResizeImage(w, width, height, LanczosFilter, 1.0);
#else
	return MagickResizeImage(w, width, height, LanczosFilter);
#endif
}

bool
render_reduce(MagickWand *w, size_t width, size_t height)
{
	enum { COARSE = 3, FACTOR = 4 };
	size_t have_width = MagickGetImageWidth(w), have_height = MagickGetImageHeight(w);

	if (have_width == width && have_height == height)
		return true;
	if (have_width >= FACTOR * width && have_height >= FACTOR * height &&
	    !MagickScaleImage(w, COARSE * width, COARSE * height))
		return false;
	return resize(w, width, height);
}

bool
render_is_turned(MagickWand *w)
{
	OrientationType o = MagickGetImageOrientation(w);

	/* any number may stand there */
	return o >= LeftTopOrientation && o <= LeftBottomOrientation;
}

/* A profile that cannot be used is left out of account: the numbers then count as sRGB. */
static void
apply_profile(MagickWand *w)
{
	uint8_t srgb[SRGB_MAX];
	size_t n = 0;
	unsigned char *profile = MagickGetImageProfile(w, "icc", &n);

	if (profile && n > 0 && !srgb_is(profile, n))
		(void)MagickProfileImage(w, "icc", srgb, srgb_profile(srgb));
	MagickRelinquishMemory(profile);
}

bool
render_normalise(MagickWand *w)
{
	ColorspaceType space;

	if (!MagickAutoOrientImage(w) || !MagickResetImagePage(w, ""))
		return false;
	apply_profile(w);
	space = MagickGetImageColorspace(w);
	if (space != sRGBColorspace && space != GRAYColorspace &&
	    !MagickTransformImageColorspace(w, sRGBColorspace))
		return false;
	return MagickStripImage(w) && MagickSetImageDepth(w, 8);
}

static bool
flatten(MagickWand *w)
{
	PixelWand *white = NewPixelWand();
	bool ok = PixelSetColor(white, "#ffffff") && MagickSetImageBackgroundColor(w, white) &&
		  MagickSetImageAlphaChannel(w, RemoveAlphaChannel);

	DestroyPixelWand(white);
	return ok;
}

bool
render_encode(MagickWand *w, const struct wire_rendition *r, struct wire_thumbnail *out)
{
	static const struct {
		const char *name, *prefix;
	} coders[] = {
		[FORMAT_JPEG] = { "JPEG", "JPEG:" },
		[FORMAT_PNG] = { "PNG", "PNG:" },
		[FORMAT_WEBP] = { "WEBP", "WEBP:" },
	};
	static const double chroma_halved[] = { 2, 1, 1 };
	enum { PNG_LEVEL_AND_FILTER = 75 }; /* zlib level 7, adaptive filter */

	if (r->format == FORMAT_JPEG &&
	    (!flatten(w) || !MagickSetSamplingFactors(w, 3, chroma_halved)))
		return false;
	/* The prefix of the file name that was read would also win on output. */
	if (!MagickSetFilename(w, coders[r->format].prefix) ||
	    !MagickSetImageFormat(w, coders[r->format].name) ||
	    !MagickSetImageCompressionQuality(
		w, r->format == FORMAT_PNG ? PNG_LEVEL_AND_FILTER : r->quality))
		return false;
	out->width = (uint32_t)MagickGetImageWidth(w);
	out->height = (uint32_t)MagickGetImageHeight(w);
	out->p = MagickGetImageBlob(w, &out->n);
	return out->p != NULL && out->n > 0;
}
