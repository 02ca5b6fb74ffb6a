/* SPDX-License-Identifier: GPL-2.0-only */
#include "kmod/holders.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
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

static GArray *find(const char *root)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(pid_t));
	g_autofree char *path = g_build_filename(root, "/proc", NULL);
	g_autoptr(GDir) proc = g_dir_open(path, 0, NULL);
	const char *name;

	while (proc != NULL && (name = g_dir_read_name(proc)) != NULL) {
		g_autofree char *process = g_build_filename(path, name, NULL);
		pid_t pid = (pid_t)strtol(name, NULL, 10);

		if (pid > 0 && pid != getpid() && has_kvm_file(process))
			g_array_append_val(found, pid);
	}
	return found;
}

char *holders_of_kvm(const char *root)
{
	g_autoptr(GArray) found = find(root);
	g_autoptr(GString) list = g_string_new(NULL);

	for (guint i = 0; i < found->len; i++) {
		pid_t pid = g_array_index(found, pid_t, i);
		g_autofree char *comm = g_strdup_printf("%s/proc/%d/comm", root, pid);
		g_autofree char *called = NULL;

		g_file_get_contents(comm, &called, NULL, NULL);
		g_string_append_printf(list, "%s%s (process %d)", list->len > 0 ? ", " : "",
				       called != NULL ? g_strchomp(called) : "?", pid);
	}
	return list->len > 0 ? g_strdup(list->str) : NULL;
}

bool holders_wait(const char *root, unsigned int seconds)
{
	const gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;

	for (;;) {
		g_autoptr(GArray) found = find(root);
		struct pollfd ended = { .events = POLLIN };
		gint64 left = deadline - g_get_monotonic_time();

		if (found->len == 0)
			return true;
		if (left <= 0)
			return false;
		ended.fd = (int)syscall(SYS_pidfd_open, g_array_index(found, pid_t, 0), 0);
		if (ended.fd < 0)
			continue;
		poll(&ended, 1, (int)(left / 1000));
		close(ended.fd);
	}
}
