/*
 * srgb.h: an ICC profile of the sRGB colour space (IEC 61966-2-1), as the target of conversions.
 *
 * Made here from the standard's numbers, so that it depends on no file of the machine.
 */
#ifndef SLUICE_WORKER_SRGB_H
#define SLUICE_WORKER_SRGB_H

#include "base/sys.h"

enum { SRGB_MAX = 640 };

/* Writes the profile (ICC version 4, matrix and parametric curve). Returns its length. */
size_t srgb_profile(uint8_t out[SRGB_MAX]);

/* Does such a profile of n bytes say that it is sRGB itself? Then nothing needs conversion. */
bool srgb_is(const void *profile, size_t n);

#endif
