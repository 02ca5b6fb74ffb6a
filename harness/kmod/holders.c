/* SPDX-License-Identifier: GPL-2.0-only */
#include "kmod/holders.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What /proc/PID/fd shows of KVM's files (kvm_dev_ioctl_create_vm() in kvm_main.c). */
static const char *const kvm_files[] = { "anon_inode:kvm-vm", "/dev/kvm", NULL };

static bool has_kvm_file(const char *process)
{
	g_autofree char *path = g_build_filename(process, "fd", NULL);
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *link = g_build_filename(path, name, NULL);
		g_autofree char *target = g_file_read_link(link, NULL);

		if (target != NULL && g_strv_contains(kvm_files, target))
			return true;
	}
	return false;
}

char *holders_of_kvm(const char *root)
{
	g_autofree char *path = g_build_filename(root, "/proc", NULL);
	g_autoptr(GDir) proc = g_dir_open(path, 0, NULL);
	g_autoptr(GString) list = g_string_new(NULL);
	const char *name;

	while (proc != NULL && (name = g_dir_read_name(proc)) != NULL) {
		g_autofree char *process = g_build_filename(path, name, NULL);
		g_autofree char *comm = g_build_filename(process, "comm", NULL);
		g_autofree char *called = NULL;

		if (!g_ascii_isdigit(*name) || strtol(name, NULL, 10) == getpid() ||
		    !has_kvm_file(process))
			continue;
		g_file_get_contents(comm, &called, NULL, NULL);
		g_string_append_printf(list, "%s%s (process %s)", list->len > 0 ? ", " : "",
				       called != NULL ? g_strchomp(called) : "?", name);
	}
	return list->len > 0 ? g_strdup(list->str) : NULL;
}
