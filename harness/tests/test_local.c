/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The platform local for real: in the emulators, where L1 is a machine of its own. The script
 * harness/tests/local/run is what happens there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lab.h"
#include "base/error.h"

/* What L1 gets: paths below the build folder or the project's, and where they go. */
static const struct {
	const char *from;
	const char *to;
} files[] = {
	{ "/bin/busybox", "busybox" },
	{ "../harness/tests/local/run", "run" },
	{ "eptlab", "build/" },
	{ "eptlab-agent", "build/" },
	{ "probe", "build/" },
	{ "doses.elf", "build/" },
	{ "l2-base.img", "build/" },
	{ "bochs-time.so", "build/" },
	{ "kernel/l1/kernel.conf", "build/kernel/l1/" },
	{ "kernel/l1/modules", "build/kernel/l1/" },
	{ "kernel/l2/vmlinux", "build/kernel/l2/" },
	{ "kernel/stock", "stock" },
	{ "../configs", "" },
	{ "../guest-image/domain.xml", "guest-image/" },
	{ "../guest-image/l1-domain.xml", "guest-image/" },
	{ "../guest-image/workloads", "guest-image/" },
	{ "../guest-image/appliance/root/etc/libvirt-embed/qemu.conf",
	  "guest-image/appliance/root/etc/libvirt-embed/" },
};

/* What is looked for before L1 is booted, and not needed where none is. */
static const char *const empty[] = {
	"build/appliance.img",	   "build/eptlab-guestfs",	    "build/eptlab-own-image",
	"build/kernel/l1/bzImage", "build/kernel/l1/extra-modules",
};

/* Copies, so that nothing in L1 leads out of it. The strip saves L1 most of the reading. */
static char *make_folder(const struct lab *lab, const char *platform)
{
	g_autofree char *build = lab_built("");
	const char *cache = g_get_user_cache_dir();
	char *folder = g_build_filename(lab->results, "script", NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		lab_shell("to='%s/%s'; mkdir -p \"$(dirname \"$to.\")\"; cd '%s'; cp -rL '%s' "
			  "\"$to\"",
			  folder, files[i].to, build, files[i].from);
	for (size_t i = 0; i < G_N_ELEMENTS(empty); i++)
		lab_shell("touch '%s/%s'", folder, empty[i]);
	lab_shell("strip '%s'/build/eptlab '%s'/build/eptlab-agent", folder, folder);
	/* L1's appliance has the libraries of its agent only. */
	lab_shell("libraries() { ldd \"$1\" | awk '$2 == \"=>\" { print $3 }' | sort; }; "
		  "cd '%s'; mkdir lib; comm -23 <(libraries build/eptlab) "
		  "<(libraries build/eptlab-agent) | xargs cp -L -t lib",
		  folder);
	lab_shell("mkdir -p '%s/cache/eptlab/guest' '%s/cache/eptlab/libvirt'", folder, folder);
	lab_shell("cp '%s'/eptlab/guest/l2-* '%s/cache/eptlab/guest'", cache, folder);
	/* The newest, which the run before this has used; NAME.PID is of one that did not come to
	 * its end. */
	lab_shell("cp \"$(ls -td '%s'/capabilities/%s-*/ | grep -v '[.][0-9]*/$' | head -n 1)\"* "
		  "'%s/cache/eptlab/libvirt'",
		  build, platform, folder);
	return folder;
}

static void assert_says(const struct lab *lab, const char *line)
{
	g_auto(GStrv) lines = g_strsplit(lab->output, "\n", -1);

	for (char **at = lines; *at != NULL; at++) {
		if (g_str_has_prefix(*at, line))
			return;
	}
	fail_msg("expected a line \"%s\", saw:\n%s", line, lab->output);
}

/* parameters: as the kernel shows them by default. */
static void reload_measure_restore(const char *platform, const char *parameters)
{
	struct lab *lab = lab_new(platform);
	g_autofree char *out = g_build_filename(lab->results, "out", NULL);
	g_autofree char *folder = NULL;
	static const char *const marks[] = { "before", "after-run", "after-interrupt", "after-next",
					     "after-all" };

	/* Makes sure of the image with the probe, and of QEMU's capabilities. */
	lab_run(lab, 0, "run", NULL);
	folder = make_folder(lab, platform);
	lab_run(lab, 0, "in-l1", folder, out, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		g_autofree char *line = g_strdup_printf("%s: %s", marks[i], parameters);

		assert_says(lab, line);
	}
	assert_says(lab, "run-status: 0");
	assert_says(lab, "VALID: ");
	assert_null(strstr(lab->output, "left behind"));
	assert_says(lab, "witness: armed");
	assert_says(lab, "interrupted-status: 130");
	assert_says(lab, "between: unloaded");
	assert_says(lab, "An earlier eptlab was killed while KVM was reloaded; restored: ");
	assert_says(lab, "next-status: 0");
	assert_says(lab, "held-status: 2");
	/* By the shell, and not by the processes above eptlab, which inherit it. */
	assert_null(strstr(lab->output, ", eptlab (process"));
	assert_says(lab, "eptlab: L0: KVM is in use by busybox");
	assert_says(lab, "foreign-status: 2");
	assert_says(lab, "eptlab: L0: the module kvm of /job/script/stock has the build-id");
	lab_free(lab);
}

static void local_on_vmx(void **state)
{
	(void)state;
	reload_measure_restore("bochs", "ept=Y vpid=Y");
}

static void local_on_svm(void **state)
{
	(void)state;
	reload_measure_restore("tcg", "npt=Y");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_on_vmx),
		cmocka_unit_test(local_on_svm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
