#include "base/sys.h"
#include "worker/render_magick.h"
#include "base/mem.h"
#include "worker/container.h"
#include "worker/fit.h"

/* Texts of warnings after which part of the picture is missing or invented. */
static const char *const damage[] = { "premature end", "unexpected end", "unexpectedend",
	"bad huffman", "corrupt jpeg data", "truncated", "insufficient", "not enough", "read error",
	"idat: crc", "incomplete", "inconsistent data", "zip decode error", "bad adaptive filter" };

static const char *const harmless[] = { "extraneous bytes before marker" };

static bool
contains(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasestr(text, list[i]))
			return true;
	return false;
}

/* "reason `file' @ error/png.c/ReadPNGImage/1" without file and place. */
static void
set_why(char why[WIRE_TEXT + 1], const char *what, const char *reason)
{
	const char *end = strstr(reason, " `");
	int len;

	if (end == NULL)
		end = strstr(reason, " @ ");
	len = end ? (int)(end - reason) : (int)strlen(reason);
	snprintf(why, WIRE_TEXT + 1, "%s%s%.*s", what, *what ? ": " : "", len, reason);
}

static enum wire_status
judge(ExceptionType severity, const char *text)
{
	if (strcasestr(text, "exceeds limit") || strcasestr(text, "ExceedsLimit"))
		return WIRE_TOO_LARGE;
	if (severity >= FatalErrorException)
		return WIRE_RESOURCE;
	switch ((int)severity) {
	case ResourceLimitError:
	case CacheError:
		return WIRE_RESOURCE;
	case MissingDelegateError:
	case PolicyError:
	case ModuleError:
		return WIRE_UNSUPPORTED;
	default:
		return WIRE_CORRUPT;
	}
}

/* One message of the library: WIRE_OK when the picture is whole all the same. */
static enum wire_status
judge_message(ExceptionType severity, const char *reason, char why[WIRE_TEXT + 1])
{
	if (severity == UndefinedException)
		return WIRE_OK;
	if (severity < ErrorException && (!contains(reason, damage, ARRAY_LEN(damage)) ||
					     contains(reason, harmless, ARRAY_LEN(harmless))))
		return WIRE_OK;
	set_why(why, "", reason);
	return judge(severity, reason);
}

/* The first bad one of a list of messages. */
static enum wire_status
judge_exception(ExceptionInfo *x, char why[WIRE_TEXT + 1])
{
	LinkedListInfo *list = (LinkedListInfo *)x->exceptions;
	const ExceptionInfo *one;
	enum wire_status status = WIRE_OK;

	if (x->severity == UndefinedException)
		return WIRE_OK;
	if (list) {
		ResetLinkedListIterator(list);
		while (status == WIRE_OK && (one = GetNextValueInLinkedList(list)) != NULL)
			status = judge_message(one->severity, one->reason ? one->reason : "", why);
	}
	if (status == WIRE_OK)
		status = judge_message(x->severity, x->reason ? x->reason : "", why);
	return status;
}

/* Version 6 leaves what the coder said with the image, version 7 with the wand. */
static enum wire_status
judge_image(MagickWand *w, char why[WIRE_TEXT + 1])
{
#if SLUICE_MAGICK_MAJOR == 6
	Image *image = GetImageFromMagickWand(w);

	return image ? judge_exception(&image->exception, why) : WIRE_OK;
#else
	(void)w;
	(void)why;
	return WIRE_OK;
#endif
}

static enum wire_status
judge_wand(MagickWand *w, char why[WIRE_TEXT + 1])
{
	ExceptionType severity = UndefinedException;
	char *text = MagickGetException(w, &severity);
	enum wire_status status = judge_message(severity, text ? text : "", why);

	MagickRelinquishMemory(text);
	return status;
}

enum wire_status
render_failure(MagickWand *w, const char *what, char why[WIRE_TEXT + 1])
{
	ExceptionType severity = UndefinedException;
	char *text = MagickGetException(w, &severity);
	enum wire_status status = judge(severity, text ? text : "");

	/* After a failure even a warning is the reason. */
	if (text && *text)
		set_why(why, what, text);
	else if (judge_image(w, why) == WIRE_OK)
		snprintf(why, WIRE_TEXT + 1, "the library could not %s", what);
	MagickRelinquishMemory(text);
	return status;
}

static void
set_limits(const struct wire_job *job)
{
	MagickSetResourceLimit(WidthResource, job->max_side);
	MagickSetResourceLimit(HeightResource, job->max_side);
	MagickSetResourceLimit(AreaResource, job->max_pixels);
	MagickSetResourceLimit(MemoryResource, job->memory);
	MagickSetResourceLimit(MapResource, 0);
	MagickSetResourceLimit(DiskResource, 0);
	MagickSetResourceLimit(ThreadResource, 1);
	MagickSetResourceLimit(ListLengthResource, 16);
}

static enum wire_status
check_size(const struct wire_job *job, size_t width, size_t height, char why[WIRE_TEXT + 1])
{
	if (width == 0 || height == 0) {
		set_why(why, "", "the picture has no pixels");
		return WIRE_CORRUPT;
	}
	if (width > job->max_side || height > job->max_side || width * height > job->max_pixels) {
		snprintf(why, WIRE_TEXT + 1, "%zux%zu pixels exceed the limit", width, height);
		return WIRE_TOO_LARGE;
	}
	return WIRE_OK;
}

/* Looks at the header before pixels are decoded, where the worker could not tell the size. */
static enum wire_status
ping(const struct wire_job *job, const char *name, const void *p, size_t n, char why[WIRE_TEXT + 1])
{
	MagickWand *w = NewMagickWand();
	enum wire_status status;

	MagickSetFilename(w, name);
	if (!MagickPingImageBlob(w, p, n))
		status = render_failure(w, "read the header", why);
	else
		status = check_size(job, MagickGetImageWidth(w), MagickGetImageHeight(w), why);
	DestroyMagickWand(w);
	return status;
}

/* The part of the picture (in its stored orientation) that the largest rendition needs. */
static void
hint_jpeg(MagickWand *w, const struct wire_job *job)
{
	const struct picture *p = &job->picture;
	bool turned = p->orientation >= 5;
	unsigned width = turned ? p->height : p->width, height = turned ? p->width : p->height;
	unsigned d = 8, own;
	struct fit fit;
	char hint[32];

	for (uint32_t i = 0; i < job->renditions; i++) {
		fit_box(width, height, job->rendition[i].width, job->rendition[i].height,
		    job->rendition[i].crop, &fit);
		own = fit_denominator(width, height, fit.scaled_width, fit.scaled_height);
		d = own < d ? own : d;
	}
	if (d == 1)
		return;
	/* The coder takes the whole part of width / hint: exactly d. */
	snprintf(hint, sizeof(hint), "%ux%u", p->width / d, p->height / d);
	MagickSetOption(w, "jpeg:size", hint);
}

static enum wire_status
read_blob(
    MagickWand *w, const struct wire_job *job, const void *p, size_t n, char why[WIRE_TEXT + 1])
{
	enum wire_status status;
	char name[16];

	set_limits(job);
	snprintf(name, sizeof(name), "%s:[0]", picture_name(job->picture.format));
	if (job->picture.width == 0)
		status = ping(job, name, p, n, why);
	else
		status = check_size(job, job->picture.width, job->picture.height, why);
	if (status != WIRE_OK)
		return status;
	if (job->picture.format == PICTURE_JPEG && job->picture.width > 0)
		hint_jpeg(w, job);
	MagickSetFilename(w, name);
	if (!MagickReadImageBlob(w, p, n))
		return render_failure(w, "decode the picture", why);
	status = judge_wand(w, why);
	if (status == WIRE_OK)
		status = judge_image(w, why);
	if (status == WIRE_OK)
		status = check_size(job, MagickGetImageWidth(w), MagickGetImageHeight(w), why);
	return status;
}

enum wire_status
render_read(
    MagickWand *w, const struct wire_job *job, const void *p, size_t n, char why[WIRE_TEXT + 1])
{
	unsigned turned = container_orientation(job->picture.format, p, n);
	enum wire_status status;
	uint8_t *first = NULL;
	size_t len = n;

	/* "[0]" does not keep the coder from decoding every frame. */
	if (job->picture.format == PICTURE_WEBP)
		first = container_first_frame(p, n, &len);
	status = read_blob(w, job, first ? first : p, len, why);
	mem_free(first);
	if (status == WIRE_OK && turned && !MagickSetImageOrientation(w, (OrientationType)turned))
		status = render_failure(w, "turn the picture", why);
	return status;
}
