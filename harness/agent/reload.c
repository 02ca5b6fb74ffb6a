/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/reload.h"

#include <string.h>

#include "kmod/modules.h"

static char *options_of(const struct vendor *vendor, unsigned int i, const struct job_run *run,
			bool cycles)
{
	const char *name = vendor->names[i];

	if (i + 1 == VENDOR_MODULES)
		return vendor_options(vendor, run);
	/* A kernel without the parameter is not asked for it. */
	return g_strdup(cycles && strcmp(name, VENDOR_KVM) == 0 ? "exitcount_cycles=1" : "");
}

/* The first of the modules that a run reloads. */
static unsigned int first_of(enum job_reload reload)
{
	switch (reload) {
	case JOB_RELOAD_ALL:
		return 0;
	case JOB_RELOAD_VENDOR:
		return VENDOR_MODULES - 1;
	case JOB_RELOAD_NONE:
		break;
	}
	return VENDOR_MODULES;
}

bool reload_for_run(const struct vendor *vendor, const char *folder, const struct job_run *run,
		    bool cycles, GError **error)
{
	unsigned int first = first_of(run->reload);

	/* irqbypass counts nothing, has no parameters, and others may hold it: it stays. */
	for (unsigned int i = VENDOR_MODULES; i > MAX(first, 1); i--) {
		if (!modules_unload(vendor->names[i - 1], error))
			return false;
	}
	for (unsigned int i = first; i < VENDOR_MODULES; i++) {
		g_autofree char *options = options_of(vendor, i, run, cycles);

		if (i == 0 && modules_is_loaded(vendor->names[i]))
			continue;
		if (!modules_load(folder, vendor->names[i], options, error))
			return false;
	}
	return true;
}
