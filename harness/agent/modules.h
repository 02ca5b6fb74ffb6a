/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_MODULES_H
#define EPTLAB_AGENT_MODULES_H

#include <stdbool.h>
#include <glib.h>

/* The KVM modules, in the order in which they are loaded. */
extern const char *const modules_names[];
extern const unsigned int modules_count;

/* The module whose parameters an experiment sets. */
#define MODULES_VENDOR "kvm_intel"

/*
 * Unload KVM and load it again from the .ko files in folder, the vendor module with ept=EPT
 * vpid=VPID. All of KVM is reloaded, kvm.ko too: counters kept there would survive a reload of
 * kvm_intel alone. EPTLAB_ERROR_L1 says which module, and whether it was to be unloaded (who holds
 * it) or loaded.
 */
bool modules_reload(const char *folder, bool ept, bool vpid, GError **error);

/*
 * The value of a parameter of the vendor module that is in effect, as /sys/module shows it ("Y",
 * "N"). The caller frees it. EPTLAB_ERROR_L1 if it cannot be read.
 */
char *modules_parameter(const char *name, GError **error);

/*
 * The GNU build-id of a loaded module, from /sys/module/NAME/notes, as lower-case hexadecimal
 * digits; the caller frees it. EPTLAB_ERROR_L1 if there is none.
 */
char *modules_build_id(const char *name, GError **error);

#endif
