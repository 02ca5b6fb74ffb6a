/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/reload.h"

#include <string.h>

#include "kmod/modules.h"

/* The leaves and the table in the kernel log: a KVM without the parameter is not asked for it. */
static char *options_of_kvm(const char *folder, bool cycles)
{
	static const char *const parameters[] = { "exitcount", "exitcount_log",
						  "exitcount_cycles" };
	GString *options = g_string_new(NULL);

	for (unsigned int i = 0; i < G_N_ELEMENTS(parameters) - (cycles ? 0 : 1); i++) {
		if (modules_has_parameter(folder, VENDOR_KVM, parameters[i]))
			g_string_append_printf(options, "%s%s=1", options->len > 0 ? " " : "",
					       parameters[i]);
	}
	return g_string_free(options, FALSE);
}

static char *options_of(const struct vendor *vendor, const char *folder, unsigned int i,
			const struct job_run *run, bool cycles)
{
	if (i + 1 == VENDOR_MODULES)
		return vendor_options(vendor, run);
	if (strcmp(vendor->names[i], VENDOR_KVM) == 0)
		return options_of_kvm(folder, cycles);
	return g_strdup("");
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
		g_autofree char *options = options_of(vendor, folder, i, run, cycles);

		if (i == 0 && modules_is_loaded(vendor->names[i]))
			continue;
		if (!modules_load(folder, vendor->names[i], options, error))
			return false;
	}
	return true;
}
