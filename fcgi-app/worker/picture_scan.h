/*
 * picture_scan.h: the header readers behind picture.c, one per container.
 *
 * Each gets a window of n bytes that begins at r->at of the file.
 */
#ifndef SLUICE_WORKER_PICTURE_SCAN_H
#define SLUICE_WORKER_PICTURE_SCAN_H

#include "worker/picture.h"

static inline uint32_t
scan_be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t
scan_be32(const uint8_t *p)
{
	return scan_be16(p) << 16 | scan_be16(p + 2);
}

static inline uint32_t
scan_le16(const uint8_t *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static inline uint32_t
scan_le24(const uint8_t *p)
{
	return (uint32_t)p[2] << 16 | scan_le16(p);
}

static inline uint32_t
scan_le32(const uint8_t *p)
{
	return scan_le16(p + 2) << 16 | scan_le16(p);
}

/* EXIF orientation out of a TIFF structure of n bytes: 1..8, or 0 when it does not say. */
unsigned scan_orientation(const uint8_t *p, size_t n);

enum picture_step scan_jpeg(struct picture_reader *r, const uint8_t *p, size_t n);
enum picture_step scan_tiff(struct picture_reader *r, const uint8_t *p, size_t n);
enum picture_step scan_heif(struct picture_reader *r, const uint8_t *p, size_t n);

#endif
