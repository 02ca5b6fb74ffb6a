/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_LEAVES_H
#define EPTLAB_FOREIGN_LEAVES_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "foreign/reading.h"

/* Which leaves have what: terms differ in it. 0: what the numbers and words of the file say. */
struct leaf_layout {
	uint32_t count; /* exits by reason */
	uint32_t total;
};

/* "fe", "fd", or "0x4FFFFFFD,0x4FFFFFFF": exits by reason, and the total. False: it is none. */
bool leaf_layout_parse(const char *text, struct leaf_layout *layout);

/* As asked for (may be NULL, or all 0); else a year's, by what its leaf does; else the first there.
 */
struct leaf_layout leaves_choose(const GArray *readings, const struct leaf_layout *asked);

/* Those of other leaves go; what cpuid shows of the total's is one. Returns how many went. */
guint leaves_keep(GArray *readings, struct leaf_layout layout);

#endif
