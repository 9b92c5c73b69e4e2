/*
 * store_room.h: what the files behind store.h share. Nobody else includes it.
 */
#ifndef SLUICE_DATA_STORE_ROOM_H
#define SLUICE_DATA_STORE_ROOM_H

#include "data/store.h"

enum {
	STORE_DIR_MODE = 0750, /* the web server may read by its group */
	STORE_FILE_MODE = 0640,
};

struct store {
	int top, incoming, files, thumbnails;
	bool fix_mode; /* the umask takes away bits that stored files need */
};

/*
 * Shards. The directory that id belongs to below tree, for fsync(2) and as a place for names:
 * made, and known to survive a power cut, when create; else -1 with errno ENOENT. -1 with errno.
 */
MUST_CHECK int store_shard(int tree, const struct id *id, bool create);

/* Unlinks name in id's shard below tree and syncs the shard. 0, or -1 with e. */
MUST_CHECK int store_unlink(int tree, const struct id *id, const char *name, struct err *e);

/* Opens name in id's shard for reading; tree_name is for messages. fd, or -1 as store_read. */
MUST_CHECK int store_open_file(int tree, const char *tree_name, const struct id *id,
    const char *name, uint64_t *size, struct err *e);

/* A file of incoming/ under its final name: fsync, close, rename, fsync of the directory. replace:
 * over an earlier one. *fd is closed. On failure neither name is left. 0, or -1 with e. */
MUST_CHECK int store_publish(struct store *st, int *fd, const char *incoming, int tree,
    const struct id *id, const char *name, bool replace, struct err *e);

/* A new file in incoming/. fd, or -1 with e. */
MUST_CHECK int store_create(struct store *st, const char *name, struct err *e);

/* An object around fd, which is incoming/<id>; for store_take. */
struct store_file *store_file_new(struct store *st, const struct id *id, int fd, uint64_t size);

#endif
