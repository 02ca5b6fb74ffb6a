/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The platform kvm in an emulated machine: L1 is a machine of its own here, whose KVM nests. The
 * script harness/tests/nested/run is what happens there. `make test-nested` installs what that
 * machine has; it takes too long for `make test`.
 */
#include <stdio.h>

#include "lab.h"
#include "tests/test.h"

/* What was seen there. */
static void show(const struct lab *lab)
{
	g_auto(GStrv) lines = g_strsplit(lab->output, "\n", -1);

	for (char **line = lines; *line != NULL; line++)
		printf("# %s\n", *line);
	fflush(stdout);
}

/* Of the machine. */
struct settings {
	const char *memory, *timeout, *clock, *ticks;
};

/*
 * plan: what the script is to do. On a busy L0 an emulated machine sees too few ticks while its
 * kernel tries the timer, and panics ("IO-APIC + timer doesn't work!"): it is told not to try.
 */
static struct lab *run_in_machine(const char *platform, const char *plan,
				  const struct settings *settings)
{
	struct lab *lab = lab_new(platform);
	g_autofree char *build = lab_built("");
	g_autofree char *folder = g_build_filename(lab->results, "script", NULL);
	g_autofree char *out = g_build_filename(lab->results, "out", NULL);
	g_autofree char *answers = lab_answers(lab);

	lab_shell("mkdir '%s'; cp -a '%s/nested' '%s/root'; cp -r '%s' '%s/libvirt'", folder, build,
		  folder, answers, folder);
	lab_l1_host(folder);
	/* Most of the reading, which the machine does by itself. */
	lab_shell("strip '%s'/root/usr/lib/eptlab/{eptlab,eptlab-agent}; "
		  "cp harness/tests/nested/run '%s'; echo '%s' > '%s/plan'",
		  folder, folder, plan, folder);
	lab_run(lab, 0, "in-l1", "--set", settings->memory, "--set", settings->timeout, "--set",
		settings->clock, "--set", settings->ticks, "--set", "l1.append=no_timer_check",
		folder, out, NULL);
	show(lab);
	return lab;
}

static void assert_refused(const struct lab *lab, const char *name, const char *sentence)
{
	g_autofree char *chosen = g_strdup_printf("%s-chosen: tcg\n", name);
	g_autofree char *taken = g_strdup_printf("%s-auto: tcg (", name);
	g_autofree char *status = g_strdup_printf("%s-status: 2\n", name);
	g_autofree char *doctor = g_strdup_printf("%s-doctor: %s", name, sentence);
	g_autofree char *said = g_strdup_printf("%s-said: eptlab: L0: %s", name, sentence);

	test_each_of (line, chosen, taken, status, doctor, said)
		lab_assert_line(lab, *line);
}

/* In each of these cases auto takes another platform, and kvm says why not. */
TEST(kvm_is_taken_where_it_nests)
{
	static const struct settings settings = {
		"tcg.memory_mib=2048",
		"tcg.timeout_seconds=1200",
		"bochs.ips=20000000",
		"bochs.timeout_ticks=20000000000",
	};
	struct lab *lab = run_in_machine("tcg", "refusals", &settings);

	assert_refused(lab, "module", "the module kvm_amd is not loaded; run \"modprobe kvm_amd");
	assert_refused(lab, "nested",
		       "kvm_amd does not let VMs have VMs (its parameter nested is off)");
	assert_refused(lab, "user", "this user may not open /dev/kvm; run \"adduser");
	lab_assert_line(lab, "eptlab run takes kvm: ");
	lab_assert_line(lab, "other: alive\n");
	lab_free(lab);
}

/*
 * Three levels deep: L1 is a VM of that machine, and L2 one of L1's. An exit of L2 costs the
 * machine some hundred thousand instructions: with its usual clock nothing would be done between
 * two ticks of L2's timer.
 */
TEST(kvm_counts_three_levels_deep)
{
	static const struct settings settings = {
		"bochs.memory_mib=2048",
		"bochs.timeout_seconds=3600",
		"bochs.ips=400000000",
		"bochs.timeout_ticks=200000000000",
	};
	struct lab *lab =
		run_in_machine("bochs",
			       "set -- --set kvm.memory_mib=512 --set kvm.timeout_seconds=7200 "
			       "--set l2.timeout_seconds=3600\n"
			       "load nested=1\n"
			       "experiment boot \"$@\" --set experiment.operations=none "
			       "--set experiment.witness=1\n"
			       "experiment dose \"$@\" --set experiment.workload=dose-pages",
			       &settings);

	test_each_of (line, "boot: VALID: ", "boot-check: witness-leaves ept pass",
		      "boot-check: witness-leaves noept pass", "boot-check: witness-end ept pass",
		      "boot-check: witness-end noept pass",
		      "dose: VALID: ", "dose-check: dose ept pass", "dose-check: dose noept pass")
		lab_assert_line(lab, *line);
	lab_free(lab);
}
