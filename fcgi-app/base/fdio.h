/*
 * fdio.h: the one place that knows EINTR, short writes, close-on-exec and what fsync means.
 *
 * All return 0 (or a count) and -1 with errno set, unless said otherwise.
 */
#ifndef SLUICE_BASE_FDIO_H
#define SLUICE_BASE_FDIO_H

#include "base/sys.h"

/* openat(2) with O_CLOEXEC | O_NOFOLLOW added, EINTR retried. A descriptor, or -1. */
MUST_CHECK int fdio_openat(int dirfd, const char *path, int flags, mode_t mode);

/* Writes all n bytes. */
MUST_CHECK int fdio_write(int fd, const void *p, size_t n);

/* Reads up to n bytes once: the count, 0 at end of file. */
MUST_CHECK ssize_t fdio_read(int fd, void *p, size_t n);

/* Reads until n bytes or end of file: the count. */
MUST_CHECK ssize_t fdio_read_full(int fd, void *p, size_t n);
MUST_CHECK ssize_t fdio_pread_full(int fd, void *p, size_t n, off_t at);

/* fsync(2), once: after an error the pages may be gone, so the caller must give the file up. */
MUST_CHECK int fdio_sync(int fd);

/* Closes *fd and sets it to -1; tells the error of close(2) (EINTR counts as closed). */
MUST_CHECK int fdio_close(int *fd);

/* Closes *fd if it is open, keeps errno; for clean-up paths. */
void fdio_drop(int *fd);

/* renameat2(RENAME_NOREPLACE); falls back to link + unlink where the file system lacks it. */
MUST_CHECK int fdio_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to);

MUST_CHECK int fdio_nonblock(int fd, bool on);
MUST_CHECK int fdio_cloexec(int fd, bool on);

enum { FDIO_MAX_FDS = 4 };

/*
 * One message with up to FDIO_MAX_FDS descriptors over a SOCK_SEQPACKET unix socket (SCM_RIGHTS).
 * Received descriptors are close-on-exec; *nfds goes in as room and comes out as count; surplus
 * ones are closed and the call fails with EMSGSIZE. recv returns the length, 0 when the peer
 * closed.
 */
MUST_CHECK int fdio_send(int sock, const void *p, size_t n, const int *fds, size_t nfds);
MUST_CHECK ssize_t fdio_recv(int sock, void *p, size_t n, int *fds, size_t *nfds);

#endif
