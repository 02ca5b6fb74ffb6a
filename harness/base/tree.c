/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/tree.h"

#include <ftw.h>
#include <stdio.h>

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

void tree_remove(const char *path)
{
	nftw(path, remove_entry, 16, FTW_PHYS | FTW_DEPTH);
}
