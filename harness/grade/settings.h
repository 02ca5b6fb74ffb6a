/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_GRADE_SETTINGS_H
#define EPTLAB_GRADE_SETTINGS_H

#include <stdbool.h>
#include <glib.h>

#include "base/error.h"

/* Marks that are not conform's. */
#define GRADE_APPLIES "applies"
#define GRADE_CLEAN   "clean"
#define GRADE_BUILDS  "builds"
#define GRADE_README  "readme"

/* What a mark, or all that begin like it, is worth. */
struct grade_points {
	char *name; /* ends in '*' for all that begin so */
	double points;
};

/* A year's assignment: configs/grade/assignment.conf, where each key is explained. */
struct grade_settings {
	char *kernel; /* "": the default line */
	char *platform;
	guint at_once; /* at least 1 */
	guint build_seconds, boot_seconds;
	bool sandboxed;
	char *repository;   /* or NULL */
	GPtrArray *conform; /* of char *: "conform.KEY=VALUE" */
	GArray *points;	    /* of struct grade_points, in the file's order */
	char *text;	    /* of the file: what grades depend on */
};

/* EPTLAB_ERROR_USAGE names the key that is wrong. */
struct grade_settings *grade_settings_load(const char *path, GError **error);
void grade_settings_free(struct grade_settings *settings);
typedef struct grade_settings struct_grade_settings;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_grade_settings, grade_settings_free)

/* Does the name of points fit that of a mark? */
bool grade_points_fit(const struct grade_points *points, const char *mark);

#endif
