/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_BASE_TREE_H
#define EPTLAB_BASE_TREE_H

/* Remove a file, or a folder with all that is in it; links are not followed. What cannot be removed
 * stays.
 */
void tree_remove(const char *path);

#endif
