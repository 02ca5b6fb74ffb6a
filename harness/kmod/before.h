/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_KMOD_BEFORE_H
#define EPTLAB_KMOD_BEFORE_H

#include <stdbool.h>
#include <glib.h>

#include "kmod/vendor.h"

/*
 * KVM's modules as they were before an experiment on this machine: which were loaded, which ones
 * (build-id), with which parameters in effect; and how to have that again.
 */
struct before;

/* As they are now. folder is where else than in /lib/modules they may be found again, or NULL. */
struct before *before_read(const struct vendor *vendor, const char *folder);
void before_free(struct before *before);

typedef struct before struct_before;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_before, before_free)

/*
 * A file that outlives this process: written whole or not at all, and good for this boot of the
 * machine only. EPTLAB_ERROR_MACHINE. before_load: NULL without an error if there is none, or one
 * of another boot, which is removed.
 */
bool before_save(const struct before *before, const char *path, GError **error);
struct before *before_load(const char *path, GError **error);

/*
 * Make it so again, if it is not: take away what a witness has left (kmod/triggers.h), unload, and
 * load the file with the same build-id, which is the running kernel's or in the folder, with the
 * parameters that are others by default. Then all of it is read back. EPTLAB_ERROR_L1 says what
 * could not be restored, and how to do it by hand.
 */
bool before_restore(const struct before *before, GError **error);

/* "kvm_intel ept=Y vpid=Y, kvm" for a message: what was loaded. The caller frees it. */
char *before_words(const struct before *before);

#endif
