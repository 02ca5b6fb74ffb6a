/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_HTML_PARTS_H
#define EPTLAB_REPORT_HTML_PARTS_H

#include <libxml/tree.h>

#include "report/compare.h"

/* Internal to html*.c: the larger parts of the page, appended to parent. */

/* Each reason that was seen as bars of both runs: solid and hatched, on a log scale. */
void html_chart(xmlNode *svg, const struct comparison *comparison);

/* The counts, the reasons that were never seen apart. */
void html_table(xmlNode *parent, const struct comparison *comparison);

#endif
