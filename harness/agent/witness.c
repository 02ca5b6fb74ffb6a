/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kmod/triggers.h"
#include "base/error.h"

#define TRACEFS	 "/sys/kernel/tracing"
#define LATCHED	 TRACEFS
#define ENDLESS	 TRACEFS TRIGGERS_ENDLESS
#define KVM_EXIT "/events/kvm/kvm_exit"

static char *get(const char *path, GError **error)
{
	g_autoptr(GError) cause = NULL;
	char *text;

	if (g_file_get_contents(path, &text, NULL, &cause))
		return text;
	return eptlab_null(error, EPTLAB_ERROR_L1, "L1: the witness cannot be read (%s)",
			   cause->message);
}

bool witness_mount(GError **error)
{
	return mount("tracefs", TRACEFS, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 ||
	       errno == EBUSY || triggers_fail("mounted", TRACEFS, error);
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
