/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_KMOD_KVM_STATE_H
#define EPTLAB_KMOD_KVM_STATE_H

#include <stdbool.h>
#include <glib.h>

#include "kmod/vendor.h"

/*
 * KVM's modules as they were before an experiment on this machine: which were loaded, which ones
 * (build-id), with which parameters in effect; and how to have that again.
 */
struct kvm_state;

/* As they are now. folder is where else than in /lib/modules they may be found again, or NULL. */
struct kvm_state *kvm_state_read(const struct vendor *vendor, const char *folder);
void kvm_state_free(struct kvm_state *before);

typedef struct kvm_state struct_kvm_state;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_kvm_state, kvm_state_free)

/*
 * A file that outlives this process: written whole or not at all, and good for this boot of the
 * machine only. EPTLAB_ERROR_MACHINE. kvm_state_load: NULL without an error if there is none, or
 * one of another boot, which is removed.
 */
bool kvm_state_save(const struct kvm_state *before, const char *path, GError **error);
struct kvm_state *kvm_state_load(const char *path, GError **error);

/*
 * Make it so again, if it is not: take away what a witness has left (kmod/triggers.h), unload, and
 * load the file with the same build-id, which is the running kernel's or in the folder, with the
 * parameters that are others by default. Then all of it is read back. EPTLAB_ERROR_L1 says what
 * could not be restored, and how to do it by hand.
 */
bool kvm_state_restore(const struct kvm_state *before, GError **error);

/* "kvm_intel ept=Y vpid=Y, kvm" for a message: what was loaded. The caller frees it. */
char *kvm_state_words(const struct kvm_state *before);

#endif
