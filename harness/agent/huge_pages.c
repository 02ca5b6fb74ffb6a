/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/huge_pages.h"

#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"

#define ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"

static bool put(const char *word)
{
	int fd = open(ENABLED, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, word, strlen(word)) == (ssize_t)strlen(word);

	if (fd >= 0)
		close(fd);
	return ok;
}

bool huge_pages_set(bool on, bool *in_effect, GError **error)
{
	g_autofree char *text = NULL;

	*in_effect = false;
	if (!on && !g_file_test(ENABLED, G_FILE_TEST_EXISTS))
		return true;
	if (!put(on ? "always" : "never") || !g_file_get_contents(ENABLED, &text, NULL, NULL))
		return eptlab_fail(
			error, EPTLAB_ERROR_L1,
			"L1: its kernel cannot switch transparent huge pages %s (" ENABLED
			"); build it with CONFIG_TRANSPARENT_HUGEPAGE",
			on ? "on" : "off");
	*in_effect = strstr(text, "[never]") == NULL;
	return true;
}
