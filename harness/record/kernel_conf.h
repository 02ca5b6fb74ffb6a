/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_RECORD_KERNEL_CONF_H
#define EPTLAB_RECORD_KERNEL_CONF_H

#include <stdbool.h>
#include <glib.h>

/* kernel.conf, which kernel/Makefile writes: what was built. */
struct kernel_conf {
	char *release; /* uname -r */
	char *line;    /* whose patch series it has, "6.1"; "own": a tree of the user's */
	char *patches_sha256;
	guint64 cpus;	    /* the most that it can use */
	GPtrArray *modules; /* of struct record_module: both vendors' */
};

/* EPTLAB_ERROR_MACHINE. Free with kernel_conf_free. */
struct kernel_conf *kernel_conf_load(const char *path, GError **error);
void kernel_conf_free(struct kernel_conf *conf);

typedef struct kernel_conf struct_kernel_conf;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_kernel_conf, kernel_conf_free)

/* The build-id of that module, or NULL. */
const char *kernel_conf_build_id(const struct kernel_conf *conf, const char *module);

#endif
