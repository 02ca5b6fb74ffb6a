/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L1_HOLES_H
#define EPTLAB_L1_HOLES_H

/*
 * Holes in KVM's shadow paging that are known, by which a guest can reach L1's memory: with ept=0
 * every guest has them. release and version are those of uname(2); a distribution may have the
 * number of the stable kernel in either.
 *
 * One sentence that says which ones this kernel has, or that it cannot be told; NULL if all are
 * mended. The caller frees it.
 */
char *holes_words(const char *release, const char *version);

#endif
