/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MERGE_HTML_MAPS_H
#define EPTLAB_MERGE_HTML_MAPS_H

#include <libxml/tree.h>

#include "merge/table.h"

/* Internal to merge/html*.c: the pictures of the page. */

/* A table in which the configurations of a cell are apart, as pictures have them. */
struct merge_map {
	struct merge_table *table;
	GPtrArray *configs; /* of char *: the first is what the others are divided by */
	const char *base;   /* the folder that links start from */
};

/* The link to the record of a sample, relative to base. The caller frees it; NULL: it has none. */
char *merge_link(const struct merge_sample *sample, const char *base);

/* How many times the base each of the others is, for each cell. */
void merge_html_heat(xmlNode *parent, const struct merge_map *map);

/* A picture for each reason, all on one scale; nothing where no reasons are known. */
void merge_html_multiples(xmlNode *parent, const struct merge_map *map);

#endif
