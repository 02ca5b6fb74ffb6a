/* SPDX-License-Identifier: GPL-2.0-only */
#include "l1/holes.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <glib.h>

/* 6.12.88 */
struct number {
	unsigned int major, minor, patch;
};

/*
 * The first kernel of each line that has the fix, ascending: from the CVEs' own records, and
 * for 6.1 from the changelog of Debian's package linux. Lines above the last one were begun with
 * it.
 */
static const struct hole {
	const char *name;
	struct number fixed[6];
	size_t count;
} holes[] = {
	{ "CVE-2026-46113",
	  { { 6, 1, 175 }, { 6, 6, 140 }, { 6, 12, 88 }, { 6, 18, 30 }, { 7, 0, 7 } },
	  5 },
	{ "CVE-2026-64561",
	  { { 6, 1, 183 }, { 6, 6, 148 }, { 6, 12, 101 }, { 6, 18, 42 }, { 7, 1, 6 } },
	  5 },
};

static int compare_lines(const struct number *a, const struct number *b)
{
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	return a->minor < b->minor ? -1 : a->minor > b->minor;
}

/* The fix of that kernel's line; NULL: there is none. */
static const struct number *fix_of(const struct hole *hole, const struct number *kernel)
{
	for (size_t i = 0; i < hole->count; i++) {
		if (compare_lines(&hole->fixed[i], kernel) == 0)
			return &hole->fixed[i];
	}
	return NULL;
}

static bool read_number(const char *text, struct number *out, const char **rest)
{
	int end = 0;

	*out = (struct number){ .patch = 0 };
	if (sscanf(text, "%3u.%3u%n", &out->major, &out->minor, &end) != 2)
		return false;
	*rest = text + end;
	if (sscanf(*rest, ".%5u%n", &out->patch, &end) == 1)
		*rest += end;
	return true;
}

/*
 * "6.12.90+deb13.1-amd64" says it all. "6.1.0-56-amd64" of Debian and "6.8.0-45-generic" of Ubuntu
 * do not: a 0, and a number of the distribution's own behind it. Debian has the kernel's number in
 * the version then, "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-10)".
 */
static bool find_number(const char *release, const char *version, struct number *out)
{
	const char *debian = strstr(version, " Debian ");
	const char *rest;

	if (debian != NULL && read_number(debian + strlen(" Debian "), out, &rest))
		return true;
	return read_number(release, out, &rest) &&
	       !(out->patch == 0 && rest[0] == '-' && g_ascii_isdigit(rest[1]));
}

static void add_hole(GString *list, const struct hole *hole, const struct number *kernel)
{
	const struct number *fix = fix_of(hole, kernel);

	if (fix == NULL && compare_lines(&hole->fixed[hole->count - 1], kernel) < 0)
		return;
	if (fix != NULL && kernel->patch >= fix->patch)
		return;
	g_string_append_printf(list, "%s%s (", list->len > 0 ? ", " : "", hole->name);
	if (fix != NULL)
		g_string_append_printf(list, "fixed in %u.%u.%u)", fix->major, fix->minor,
				       fix->patch);
	else
		g_string_append_printf(list, "no fix of %u.%u is known)", kernel->major,
				       kernel->minor);
}

char *holes_words(const char *release, const char *version)
{
	g_autoptr(GString) list = g_string_new(NULL);
	struct number kernel;

	if (!find_number(release, version, &kernel)) {
		for (size_t i = 0; i < G_N_ELEMENTS(holes); i++)
			g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", holes[i].name);
		return g_strdup_printf("whether the kernel %s has the fixes of shadow paging (%s) "
				       "cannot be told from its name; ask its distribution",
				       release, list->str);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(holes); i++)
		add_hole(list, &holes[i], &kernel);
	if (list->len == 0)
		return NULL;
	return g_strdup_printf(
		"the kernel %u.%u.%u has known holes in shadow paging: %s; with ept=0 "
		"or npt=0 run no guest there that you do not trust, or boot a newer "
		"kernel",
		kernel.major, kernel.minor, kernel.patch, list->str);
}
