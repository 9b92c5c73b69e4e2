/*
 * tree.h: directories of tests.
 */
#ifndef SLUICE_TESTS_TREE_H
#define SLUICE_TESTS_TREE_H

#include "base/sys.h"

#include <ftw.h>
#include <sys/stat.h>

static int tree_files;

static inline int
tree_count_one(const char *path, const struct stat *s, int type, struct FTW *f)
{
	(void)path;
	(void)s;
	(void)f;
	tree_files += type != FTW_D;
	return 0;
}

static inline int
tree_remove_one(const char *path, const struct stat *s, int type, struct FTW *f)
{
	(void)s;
	(void)type;
	(void)f;
	return remove(path);
}

/* How many files there are below path; -1 when it cannot be read. */
static inline int
tree_count(const char *path)
{
	tree_files = 0;
	return nftw(path, tree_count_one, 8, FTW_PHYS) == 0 ? tree_files : -1;
}

static inline void
tree_remove(const char *path)
{
	nftw(path, tree_remove_one, 8, FTW_PHYS | FTW_DEPTH);
}

#endif
