/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_KMOD_MODULES_H
#define EPTLAB_KMOD_MODULES_H

#include <stdbool.h>
#include <glib.h>

/* Kernel modules, through libkmod, and what sysfs shows of them. All errors are EPTLAB_ERROR_L1. */

/* Where sysfs is: "/sys", unless a test says otherwise. The string is borrowed. */
void modules_set_sysfs(const char *path);
const char *modules_sysfs(void);

/* Is it loaded, or built in? */
bool modules_is_loaded(const char *name);
bool modules_is_builtin(const char *name);

/*
 * Unload it if it is loaded. The error says who holds it, or that it is built into the kernel.
 */
bool modules_unload(const char *name, GError **error);

/* Does the file that modules_load would load have this parameter? */
bool modules_has_parameter(const char *folder, const char *name, const char *parameter);

/*
 * Load NAME.ko from folder, with options ("ept=0 vpid=1"); NULL: the running kernel's own, from
 * /lib/modules. What modprobe.d says is not applied.
 */
bool modules_load(const char *folder, const char *name, const char *options, GError **error);

/*
 * The value of a parameter of a loaded module that is in effect, as sysfs shows it ("Y", "N"). The
 * caller frees it.
 */
char *modules_parameter(const char *module, const char *name, GError **error);

/* All of them that can be read, name → value; owned strings. Empty if it is not loaded. */
GHashTable *modules_parameters(const char *module);

/*
 * The GNU build-id of a loaded module, from its notes in sysfs, as lower-case hexadecimal digits;
 * the caller frees it.
 */
char *modules_build_id(const char *name, GError **error);

/*
 * The build-id of the file that modules_load would load; the caller frees it. NULL if there is no
 * such file, or if it is compressed.
 */
char *modules_file_build_id(const char *folder, const char *name);

#endif
