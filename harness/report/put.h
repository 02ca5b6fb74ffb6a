/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_PUT_H
#define EPTLAB_REPORT_PUT_H

#include <stdbool.h>
#include <glib.h>

/* A cell of a CSV file (RFC 4180, section 2), and the comma or the line's end behind it. */
void csv_put(GString *out, const char *text, bool last);

/* Foreign text in Markdown, in which nothing is markup. */
void markdown_put(GString *out, const char *foreign);

#endif
