/*
 * render.h: thumbnails out of picture bytes; all that runs image libraries is behind this.
 *
 *	render_start(...)       once in the zygote: library, policy, coders; no user data
 *	render_run(...)         in a jailed child: one decode, all renditions from it
 *
 * Renditions fit in (or fill and are cut to) their box and are never enlarged (fit.h). They are
 * turned as EXIF says, in sRGB, without metadata; what is transparent becomes white in JPEG.
 * Drawback: with ImageMagick 6 a damaged picture is only recognised by the text of a warning.
 */
#ifndef SLUICE_WORKER_RENDER_H
#define SLUICE_WORKER_RENDER_H

#include "worker/wire.h"

/*
 * Starts the library, proves that our policy is active (-1 ERR_DENIED when a forbidden coder would
 * be used, or a needed one not), and loads and runs the coders once, because later no file can be
 * opened. about gets a line for the log: version, formats that can be read.
 */
MUST_CHECK int render_start(char about[WIRE_TEXT + 1], struct err *e);
void render_stop(void);

/*
 * Makes the job's renditions out of n bytes. WIRE_OK: out[0 .. job->renditions - 1] are filled,
 * render_release them. Else why tells the reason.
 */
enum wire_status render_run(const struct wire_job *job, const void *p, size_t n,
    struct wire_thumbnail *out, char why[WIRE_TEXT + 1]);
void render_release(struct wire_thumbnail *out, uint32_t n);

#endif
