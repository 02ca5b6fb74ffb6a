/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_GRADE_SANDBOX_H
#define EPTLAB_GRADE_SANDBOX_H

#include <stdbool.h>
#include <gio/gio.h>

#include "base/error.h"

/*
 * Where foreign code is applied and built: with bubblewrap in namespaces of its own (mounts,
 * processes, network, IPC), as a user without rights if eptlab is run by root, with the folders
 * that it is given and nothing else of this machine but /usr to read. Its work is in memory, in a
 * bounded file system.
 */
struct sandbox {
	bool namespaces;	/* false: only the user without rights, and the limits */
	const char *scripts;	/* kernel/grade */
	const char *tree;	/* tree.tar of kernel/grade.mk */
	const char *repository; /* or NULL */
};

/* Does bubblewrap work here? EPTLAB_ERROR_MACHINE says why not, and what to do. */
bool sandbox_try(const struct sandbox *sandbox, GError **error);

struct sandbox_task {
	const char *input; /* the submission; the changes that apply has made of it */
	const char *out;   /* a folder with the files that it may write, by sandbox_file() */
	const char *work;  /* a new folder, used where there are no namespaces */
	const char *cache; /* a folder for ccache, by sandbox_folder(); or NULL */
};

/*
 * The command line that runs kernel/grade/apply (which makes changes.tar), or build (which makes
 * kvm.ko and others). The caller frees it with g_strfreev().
 */
char **sandbox_apply(const struct sandbox *sandbox, const struct sandbox_task *task);
char **sandbox_build(const struct sandbox *sandbox, const struct sandbox_task *task, guint jobs);

/* The files that they write. */
extern const char *const sandbox_modules[];
#define SANDBOX_CHANGES "changes.tar"

/* An empty file in a folder that the sandbox may write. */
bool sandbox_file(const char *folder, const char *name, GError **error);
/* A folder that it may write; it may be there. */
bool sandbox_folder(const char *path, GError **error);

#endif
