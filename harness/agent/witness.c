/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kmod/triggers.h"
#include "base/error.h"

#define DEBUGFS	    "/sys/kernel/debug"
#define TRACEFS	    "/sys/kernel/tracing"
#define LATCHED	    TRACEFS
#define ENDLESS	    TRACEFS TRIGGERS_ENDLESS
#define KVM_EXIT    "/events/kvm/kvm_exit"
#define KVM_DEBUGFS DEBUGFS "/kvm"

static char *get(const char *path, GError **error)
{
	g_autoptr(GError) cause = NULL;
	char *text;

	if (g_file_get_contents(path, &text, NULL, &cause))
		return text;
	return eptlab_null(error, EPTLAB_ERROR_L1, "L1: the witness cannot be read (%s)",
			   cause->message);
}

static bool mount_one(const char *type, const char *where, GError **error)
{
	return mount(type, where, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 ||
	       errno == EBUSY || triggers_fail("mounted", where, error);
}

bool witness_mount(GError **error)
{
	return mount_one("debugfs", DEBUGFS, error) && mount_one("tracefs", TRACEFS, error);
}

bool witness_trace(const char *tracepoints, GError **error)
{
	g_auto(GStrv) events = g_strsplit(tracepoints, ";", -1);

	for (char **event = events; *event != NULL; event++) {
		if (**event != '\0' && !triggers_put(TRACEFS "/set_event", *event, error))
			return false;
	}
	return true;
}

/* An empty write with truncation turns all events off (Documentation/trace/events.rst). */
bool witness_untrace(GError **error)
{
	int fd = open(TRACEFS "/set_event", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return triggers_fail("emptied", TRACEFS "/set_event", error);
	close(fd);
	return true;
}

char *witness_at_latch(GError **error)
{
	return get(LATCHED KVM_EXIT "/hist", error);
}

char *witness_at_end(GError **error)
{
	return get(ENDLESS KVM_EXIT "/hist", error);
}

/* Each VM has a folder <pid>-<fd> there (kvm_create_vm_debugfs() in kvm_main.c). */
static char *folder_of_vm(GError **error)
{
	g_autoptr(GDir) folder = g_dir_open(KVM_DEBUGFS, 0, NULL);
	g_autofree char *found = NULL;
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *path = g_build_filename(KVM_DEBUGFS, name, NULL);

		if (!g_ascii_isdigit(*name) || !g_file_test(path, G_FILE_TEST_IS_DIR))
			continue;
		if (found != NULL)
			return eptlab_null(error, EPTLAB_ERROR_L1,
					   "L1: there are two VMs in " KVM_DEBUGFS
					   ", and the witness is of one; end the other");
		found = g_steal_pointer(&path);
	}
	if (found == NULL)
		eptlab_fail(error, EPTLAB_ERROR_L1,
			    "L1: there is no VM in " KVM_DEBUGFS "; L1's kernel needs "
			    "CONFIG_DEBUG_FS");
	return g_steal_pointer(&found);
}

char *witness_of_vm(const char *file, GError **error)
{
	g_autofree char *folder = folder_of_vm(error);
	g_autofree char *path = folder != NULL ? g_build_filename(folder, file, NULL) : NULL;

	return path != NULL ? get(path, error) : NULL;
}
