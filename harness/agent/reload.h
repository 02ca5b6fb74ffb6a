/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_RELOAD_H
#define EPTLAB_AGENT_RELOAD_H

#include <stdbool.h>
#include <glib.h>

#include "kmod/vendor.h"
#include "wire/job.h"

/*
 * Unload KVM as far as the run says, and load it again from the .ko files in folder (NULL: the
 * running kernel's), the vendor's module with the parameters that the run asks for, and kvm.ko with
 * those of the series that it has: exitcount=1, exitcount_log=1, and exitcount_cycles=1 if cycles
 * are to be counted. EPTLAB_ERROR_L1 says which module, and whether it was to be unloaded (who
 * holds it) or loaded.
 */
bool reload_for_run(const struct vendor *vendor, const char *folder, const struct job_run *run,
		    bool cycles, GError **error);

#endif
