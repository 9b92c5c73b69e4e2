#include "base/sys.h"
#include "worker/render_magick.h"
#include "worker/fit.h"

/* The work on one picture: the renditions, largest first, and the picture they are made from. */
struct cascade {
	const struct wire_job *job;
	struct fit fit[CONF_MAX_RENDITIONS];
	uint32_t order[CONF_MAX_RENDITIONS];
	MagickWand *base;  /* as large as the largest rendition needs */
	MagickWand *stage; /* the last one that was made, not yet cut; or base */
};

static uint64_t
area(const struct fit *f)
{
	return (uint64_t)f->scaled_width * f->scaled_height;
}

static void
plan(struct cascade *c, size_t width, size_t height)
{
	const struct wire_rendition *r;
	uint32_t at;

	for (uint32_t i = 0; i < c->job->renditions; i++) {
		r = &c->job->rendition[i];
		fit_box(
		    (unsigned)width, (unsigned)height, r->width, r->height, r->crop, &c->fit[i]);
		for (at = i; at > 0 && area(&c->fit[c->order[at - 1]]) < area(&c->fit[i]); at--)
			c->order[at] = c->order[at - 1];
		c->order[at] = i;
	}
}

/* Brings the decoded picture to the largest size that is needed, upright and in sRGB. */
static enum wire_status
make_base(struct cascade *c, char why[WIRE_TEXT + 1])
{
	size_t width = MagickGetImageWidth(c->base), height = MagickGetImageHeight(c->base);
	bool turned = render_is_turned(c->base), scaled = c->job->picture.format == PICTURE_JPEG;
	const struct fit *largest;

	if (scaled && c->job->picture.width > 0) {
		width = c->job->picture.width;
		height = c->job->picture.height;
	}
	plan(c, turned ? height : width, turned ? width : height);
	largest = &c->fit[c->order[0]];
	width = turned ? largest->scaled_height : largest->scaled_width;
	height = turned ? largest->scaled_width : largest->scaled_height;
	if (!render_reduce(c->base, width, height))
		return render_failure(c->base, "reduce the picture", why);
	if (!render_normalise(c->base))
		return render_failure(c->base, "convert the picture", why);
	c->stage = c->base;
	return WIRE_OK;
}

/* Two passes of a filter soften what is reduced a little: the stage must be twice as large. */
static MagickWand *
source_for(const struct cascade *c, const struct fit *f)
{
	size_t width = MagickGetImageWidth(c->stage);

	return width == f->scaled_width || width >= 2 * (size_t)f->scaled_width ? c->stage
										: c->base;
}

static enum wire_status
make_one(struct cascade *c, uint32_t i, struct wire_thumbnail *out, char why[WIRE_TEXT + 1])
{
	const struct fit *f = &c->fit[i];
	MagickWand *w = CloneMagickWand(source_for(c, f)), *result;
	enum wire_status status = WIRE_OK;

	if (!render_reduce(w, f->scaled_width, f->scaled_height)) {
		status = render_failure(w, "reduce the picture", why);
		DestroyMagickWand(w);
		return status;
	}
	if (c->stage != c->base)
		DestroyMagickWand(c->stage);
	c->stage = w;
	result = CloneMagickWand(w);
	if ((f->width != f->scaled_width || f->height != f->scaled_height) &&
	    (!MagickCropImage(result, f->width, f->height, (ssize_t)f->x, (ssize_t)f->y) ||
		!MagickResetImagePage(result, "")))
		status = render_failure(result, "cut the picture", why);
	else if (!render_encode(result, &c->job->rendition[i], out))
		status = render_failure(result, "encode a thumbnail", why);
	DestroyMagickWand(result);
	return status;
}

enum wire_status
render_run(const struct wire_job *job, const void *p, size_t n, struct wire_thumbnail *out,
    char why[WIRE_TEXT + 1])
{
	struct cascade c = { .job = job };
	enum wire_status status;

	memset(out, 0, job->renditions * sizeof(*out));
	why[0] = '\0';
	c.base = NewMagickWand();
	status = render_read(c.base, job, p, n, why);
	if (status == WIRE_OK)
		status = make_base(&c, why);
	for (uint32_t k = 0; status == WIRE_OK && k < job->renditions; k++)
		status = make_one(&c, c.order[k], &out[c.order[k]], why);
	if (c.stage && c.stage != c.base)
		DestroyMagickWand(c.stage);
	DestroyMagickWand(c.base);
	if (status != WIRE_OK)
		render_release(out, job->renditions);
	return status;
}

void
render_release(struct wire_thumbnail *out, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		/* The library's own memory, const only for our readers. */
		union {
			const void *c;
			void *v;
		} p = { .c = out[i].p };

		if (p.v)
			MagickRelinquishMemory(p.v);
		out[i].p = NULL;
		out[i].n = 0;
	}
}
