/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MERGE_FORMS_H
#define EPTLAB_MERGE_FORMS_H

#include "merge/table.h"

/*
 * A table in each format. The caller frees the text. base is the folder that a page's links start
 * from, absolute; the others ignore it. Foreign text is made harmless.
 */
char *merge_text(const struct merge_table *table, const char *base);
char *merge_csv(const struct merge_table *table, const char *base);
char *merge_markdown(const struct merge_table *table, const char *base);
char *merge_json(const struct merge_table *table, const char *base);
char *merge_html(const struct merge_table *table, const char *base);

#endif
