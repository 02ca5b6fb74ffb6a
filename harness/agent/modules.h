/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_MODULES_H
#define EPTLAB_AGENT_MODULES_H

#include <stdbool.h>
#include <glib.h>

#include "model/job.h"

/* The KVM modules, in the order in which they are loaded. */
extern const char *const modules_names[];
extern const unsigned int modules_count;

/* The module whose parameters an experiment sets. */
#define MODULES_VENDOR "kvm_intel"
/* The one that holds the counters. */
#define MODULES_KVM "kvm"

/*
 * Unload KVM and load it again from the .ko files in folder, the vendor module with ept= and vpid=
 * as the run says, kvm.ko with exitcount_cycles=1 if cycles are to be counted. EPTLAB_ERROR_L1 says
 * which module, and whether it was to be unloaded (who holds it) or loaded.
 */
bool modules_reload(const char *folder, const struct job_run *run, bool cycles, GError **error);

/* Load one more module from folder. EPTLAB_ERROR_L1. */
bool modules_load(const char *folder, const char *name, GError **error);

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
