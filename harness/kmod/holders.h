/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_KMOD_HOLDERS_H
#define EPTLAB_KMOD_HOLDERS_H

#include <stdbool.h>
#include <glib.h>

/*
 * The processes, but this one, that have a VM of KVM or its device open, below root ("" for this
 * machine), as "qemu-system-x86 (process 1234), ...": they keep KVM from being unloaded. NULL:
 * there are none. The caller frees it.
 */
char *holders_of_kvm(const char *root);

/* Wait until there are none. False when the time is up. */
bool holders_wait(const char *root, unsigned int seconds);

#endif
