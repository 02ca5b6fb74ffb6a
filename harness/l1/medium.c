/* SPDX-License-Identifier: GPL-2.0-only */
#include "l1/medium.h"
#include "config/paths.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <glib/gstdio.h>

/* One path of the medium, and the file or folder of L0 that it is made from. */
struct graft {
	const char *target;
	const char *source;
};

static bool write_text(const char *folder, const char *name, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GError) cause = NULL;

	if (g_file_set_contents(path, text, -1, &cause))
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: the job medium could not be prepared (%s); free some disk space",
			   cause->message);
}

/* xorriso's pathspecs separate with '=', and escape it and '\' with '\'. */
static char *pathspec(const struct graft *graft)
{
	GString *spec = g_string_new(graft->target);

	g_string_append_c(spec, '=');
	for (const char *at = graft->source; *at != '\0'; at++) {
		if (*at == '=' || *at == '\\')
			g_string_append_c(spec, '\\');
		g_string_append_c(spec, *at);
	}
	return g_string_free(spec, FALSE);
}

/*
 * Started with what it says going to a file in memory: g_subprocess_communicate() closes its pipe
 * in a thread of a pool, and waits without end where no thread can be made any more.
 */
static GSubprocess *start_xorriso(GPtrArray *arguments, int said, GError **error)
{
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDERR_MERGE);

	g_subprocess_launcher_take_stdout_fd(launcher, said);
	return g_subprocess_launcher_spawnv(launcher, (const char *const *)arguments->pdata, error);
}

static bool run_xorriso(GPtrArray *arguments, GCancellable *cancellable, GError **error)
{
	const int said = memfd_create("xorriso", MFD_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", said);
	g_autoptr(GSubprocess) process = NULL;
	g_autofree char *output = NULL;
	g_autoptr(GError) cause = NULL;
	bool ok;

	process = start_xorriso(arguments, dup(said), &cause);
	ok = process != NULL && g_subprocess_wait(process, cancellable, &cause) &&
	     g_subprocess_get_successful(process);
	if (!ok)
		g_file_get_contents(path, &output, NULL, NULL);
	close(said);
	if (ok)
		return true;
	if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		g_subprocess_force_exit(process);
		g_subprocess_wait(process, NULL, NULL);
		eptlab_fail(error, EPTLAB_ERROR_INTERRUPTED,
			    "L0: interrupted while the job medium was made");
	} else {
		if (output != NULL)
			g_strdelimit(g_strchomp(output), "\n", ' ');
		eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			    "L0: xorriso could not make the job medium (%s); %s, and look for "
			    "free disk space",
			    cause != NULL ? cause->message : output, paths_get_packages());
	}
	return false;
}

/* quiet: each character of the console costs. panic=0: a panicked L1 stays where it is. */
char *medium_cmdline(const char *append)
{
	return g_strdup_printf("console=ttyS0,115200 quiet root=PARTUUID=e97ab000-01 "
			       "rootfstype=erofs ro init=/init panic=0%s%s",
			       *append != '\0' ? " " : "", append);
}

bool medium_make(const struct platform_request *request, const char *cmdline, const char *path,
		 GError **error)
{
	g_autofree char *job = job_to_text(request->job);
	/* isolinux ends a line at '\n' only, and config.c allows none in append. */
	g_autofree char *isolinux = g_strdup_printf(
		"DEFAULT l1\nPROMPT 0\nLABEL l1\n KERNEL bzimage\n APPEND %s\n", cmdline);
	g_autofree char *job_file = g_build_filename(request->work, JOB_FILE, NULL);
	g_autofree char *isolinux_file = g_build_filename(request->work, "isolinux.cfg", NULL);
	const struct graft grafts[] = {
		{ "/isolinux/isolinux.bin", ISOLINUX_BIN },
		{ "/isolinux/ldlinux.c32", LDLINUX_C32 },
		{ "/isolinux/isolinux.cfg", isolinux_file },
		{ "/isolinux/bzimage", request->l1_kernel },
		{ "/" JOB_FILE, job_file },
		{ "/" JOB_MODULES, request->modules },
		{ "/" JOB_EXTRA_MODULES, request->extra_modules },
		{ "/" JOB_L2_KERNEL, request->l2_kernel },
		{ "/" JOB_L2_DOSES, request->l2_doses },
		{ "/" JOB_L2_DOMAIN, request->l2_domain },
		{ "/" JOB_CAPABILITIES_FOLDER, request->capabilities },
		{ "/" JOB_SCRIPT_FOLDER, request->script },
	};
	/*
	 * The dates: bytes that depend on the inputs alone. clang-format off, because it would put
	 * each option on a line of its own, apart from its value.
	 */
	/* clang-format off */
	const char *const options[] = {
		"xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", JOB_VOLUME, "-o", path,
		"-isohybrid-mbr", ISOLINUX_MBR, "-b", "isolinux/isolinux.bin",
		"-c", "isolinux/boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
		"--set_all_file_dates", "2000010100000000", "--modification-date=2000010100000000",
		"-graft-points",
	};
	/* clang-format on */
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);

	if (!write_text(request->work, JOB_FILE, job, error) ||
	    !write_text(request->work, "isolinux.cfg", isolinux, error))
		return false;
	for (unsigned int i = 0; i < G_N_ELEMENTS(options); i++)
		g_ptr_array_add(arguments, g_strdup(options[i]));
	for (unsigned int i = 0; i < G_N_ELEMENTS(grafts); i++) {
		if (grafts[i].source != NULL)
			g_ptr_array_add(arguments, pathspec(&grafts[i]));
	}
	g_ptr_array_add(arguments, NULL);
	return run_xorriso(arguments, request->cancellable, error);
}
