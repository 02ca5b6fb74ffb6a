/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_HUGE_PAGES_H
#define EPTLAB_AGENT_HUGE_PAGES_H

#include <stdbool.h>
#include <glib.h>

/*
 * L1's transparent huge pages, for all memory or for none
 * (Documentation/admin-guide/mm/transhuge.rst). *in_effect is what the kernel then says; a kernel
 * that has none has them off. EPTLAB_ERROR_L1.
 */
bool huge_pages_set(bool on, bool *in_effect, GError **error);

#endif
