/* SPDX-License-Identifier: GPL-2.0-only */
#include "kmod/triggers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <asm/kvm_exitcount.h>

#include "kmod/modules.h"
#include "base/error.h"

#define HISTOGRAM "hist:keys=exit_reason"
#define STOPPER	  "disable_hist:kvm:kvm_exit"

/* In the order in which they are set. The last one stops the first when L2 executes the latch. */
static const struct {
	const char *file;  /* below tracefs */
	const char *begin; /* of what the file then shows */
} triggers[] = {
	{ "/events/kvm/kvm_exit/trigger", HISTOGRAM },
	{ TRIGGERS_ENDLESS "/events/kvm/kvm_exit/trigger", HISTOGRAM },
	{ "/events/kvm/kvm_cpuid/trigger", STOPPER },
};

static char *text_of(unsigned int i, const char *before)
{
	if (strcmp(triggers[i].begin, HISTOGRAM) == 0)
		return g_strconcat(before, HISTOGRAM ":size=2048", NULL);
	return g_strdup_printf("%s" STOPPER " if function==%u && index==0", before,
			       KVM_EXITCOUNT_CPUID_LATCH);
}

static char *in_tracefs(const char *path)
{
	return g_build_filename(modules_sysfs(), "kernel/tracing", path, NULL);
}

bool triggers_fail(const char *what, const char *path, GError **error)
{
	g_set_error(
		error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		"L1: %s could not be %s (%s); counting by tracepoint needs a kernel with tracing "
		"(CONFIG_HIST_TRIGGERS, CONFIG_DEBUG_FS)",
		path, what, g_strerror(errno));
	return false;
}

bool triggers_put(const char *path, const char *text, GError **error)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	ssize_t length = (ssize_t)strlen(text);
	bool ok = fd >= 0 && write(fd, text, (size_t)length) == length;

	if (!ok)
		triggers_fail("written", path, error);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool is_set(const char *path, const char *begin)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		if (g_str_has_prefix(*line, begin))
			return true;
	}
	return false;
}

bool triggers_arm(bool endless, GError **error)
{
	g_autofree char *instance = in_tracefs(TRIGGERS_ENDLESS);
	bool ok = !endless || mkdir(instance, 0755) == 0 || errno == EEXIST ||
		  triggers_fail("made", instance, error);

	for (unsigned int i = 0; ok && i < G_N_ELEMENTS(triggers); i++) {
		g_autofree char *path = in_tracefs(triggers[i].file);
		g_autofree char *text = text_of(i, "");

		if (endless || !g_str_has_prefix(triggers[i].file, TRIGGERS_ENDLESS))
			ok = triggers_put(path, text, error);
	}
	if (!ok)
		triggers_disarm(NULL);
	return ok;
}

bool triggers_disarm(GError **error)
{
	g_autofree char *endless = in_tracefs(TRIGGERS_ENDLESS);
	bool ok = true;

	for (unsigned int i = G_N_ELEMENTS(triggers); i > 0; i--) {
		g_autofree char *path = in_tracefs(triggers[i - 1].file);
		g_autofree char *text = text_of(i - 1, "!");

		if (is_set(path, triggers[i - 1].begin))
			ok = triggers_put(path, text, ok ? error : NULL) && ok;
	}
	rmdir(endless);
	return ok;
}
