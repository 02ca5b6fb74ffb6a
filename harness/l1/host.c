/* SPDX-License-Identifier: GPL-2.0-only */
#include "l1/host.h"

#include <string.h>
#include <unistd.h>

#include "l1/platform.h"

/* What follows "KEY :" in its first line; the caller frees it. NULL: no such line. */
static char *first_value(const char *cpuinfo, const char *key)
{
	g_autofree char *pattern = g_strdup_printf("^%s\\s*:\\s*(.*)$", key);
	g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;

	return g_regex_match(regex, cpuinfo, 0, &match) ? g_match_info_fetch(match, 1) : NULL;
}

static bool has_word(const char *words, const char *word)
{
	g_auto(GStrv) list = g_strsplit(words != NULL ? words : "", " ", -1);

	return g_strv_contains((const char *const *)list, word);
}

static void read_cpu(const char *root, struct host *host)
{
	g_autofree char *path = g_build_filename(root, "/proc/cpuinfo", NULL);
	g_autofree char *text = NULL;
	g_autofree char *flags = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	host->cpu = first_value(text, "model name");
	flags = first_value(text, "flags");
	if (has_word(flags, "vmx")) {
		host->vendor = "vmx";
		host->module = "kvm_intel";
	} else if (has_word(flags, "svm")) {
		host->vendor = "svm";
		host->module = "kvm_amd";
	}
}

/* kvm_intel shows Y or N, older kernels and kvm_amd 1 or 0. */
static bool parameter_is_on(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, "parameters", name, NULL);
	g_autofree char *value = NULL;

	return g_file_get_contents(path, &value, NULL, NULL) && (*value == 'Y' || *value == '1');
}

void host_read(const char *root, struct host *host)
{
	g_autofree char *device = g_build_filename(root, "/dev/kvm", NULL);

	*host = (struct host){ .cpu = NULL };
	read_cpu(root, host);
	host->device = access(device, F_OK) == 0;
	host->usable = access(device, R_OK | W_OK) == 0;
	if (host->module != NULL) {
		g_autofree char *folder = g_build_filename(root, "/sys/module", host->module, NULL);

		host->loaded = g_file_test(folder, G_FILE_TEST_IS_DIR);
		host->nested = parameter_is_on(folder, "nested");
	}
}

void host_clear(struct host *host)
{
	g_clear_pointer(&host->cpu, g_free);
}

bool host_can_nest(const struct host *host, GError **error)
{
	if (host->vendor == NULL)
		return platform_refuse(
			error,
			"this CPU has neither vmx nor svm in /proc/cpuinfo%s; take another "
			"platform, or switch virtualization on in the firmware, or nested "
			"virtualization in the hypervisor that this machine is a VM of",
			host->device ? ", so its /dev/kvm cannot nest" : "");
	if (!host->loaded)
		return platform_refuse(
			error,
			"the module %s is not loaded; run \"modprobe %s nested=1\" as "
			"root",
			host->module, host->module);
	if (!host->device)
		return platform_refuse(
			error,
			"there is no /dev/kvm although %s is loaded; read the kernel "
			"log",
			host->module);
	if (!host->usable)
		return platform_refuse(
			error, "this user may not open /dev/kvm; run \"adduser $USER kvm\" as "
			       "root and log in again");
	if (!host->nested)
		return platform_refuse(
			error,
			"%s does not let VMs have VMs (its parameter nested is off); end all "
			"VMs and run \"modprobe -r %s && modprobe %s nested=1\" as root",
			host->module, host->module, host->module);
	return true;
}
