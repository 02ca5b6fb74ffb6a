/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One table of tests, on every platform that this machine has, as eptlab doctor says; the others
 * are skipped, and it is said why. The bounds are those of the experiment's purpose, not measured
 * values.
 */
#include <glob.h>
#include <jansson.h>
#include <unistd.h>

#include "lab.h"
#include "record/reasons.h"
#include "tests/sample.h"
#include "tests/test.h"

static json_t *doctor;

static int ask_doctor(void **state G_GNUC_UNUSED)
{
	struct lab *lab = lab_new(NULL);

	lab_run(lab, 0, "doctor", "--format", "json", NULL);
	doctor = json_loads(lab->output, 0, NULL);
	assert_non_null(doctor);
	lab_free(lab);
	return 0;
}

static int forget_doctor(void **state G_GNUC_UNUSED)
{
	json_decref(doctor);
	return 0;
}

TEST_GROUP(ask_doctor, forget_doctor)

/* Skips the test if the platform is not there. */
static void need(const char *platform)
{
	size_t i;
	json_t *one;

	json_array_foreach (json_object_get(doctor, "platforms"), i, one) {
		if (strcmp(json_string_value(json_object_get(one, "name")), platform) != 0)
			continue;
		if (json_is_true(json_object_get(one, "good")))
			return;
		printf("# %s is skipped: %s\n", platform,
		       json_string_value(json_object_get(one, "problem")));
		skip();
	}
	fail_msg("doctor does not know the platform %s", platform);
}

/* vpid: of both configurations, "0" or "1". */
static struct record *run(struct lab *lab, const char *platform, const char *workload,
			  const char *vpid)
{
	g_autofree char *where = g_strdup_printf("experiment.platform=%s", platform);
	g_autofree char *what = g_strdup_printf("experiment.workload=%s", workload);
	g_autofree char *ept = g_strdup_printf("module.ept.vpid=%s", vpid);
	g_autofree char *noept = g_strdup_printf("module.noept.vpid=%s", vpid);

	lab_run(lab, 0, "run", "--set", where, "--set", "experiment.witness=1", "--set", what,
		"--set", ept, "--set", noept, NULL);
	return lab_newest(lab);
}

static const struct reason_roles *roles(const struct record *record)
{
	return reason_roles(record_run_vendor(record->runs->pdata[0]));
}

/* The fingerprint of a boot is known for VMX only. */
static void assert_all_known(const struct record *record)
{
	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];

		if (check->verdict == RECORD_CHECK_UNKNOWN &&
		    strcmp(check->rule, "boot-fingerprint") != 0)
			fail_msg("%s: %s", check->rule, check->saw);
	}
}

/*
 * docs/workloads.md: what KVM itself has counted. With nested paging L2's page tables are its own,
 * and those of KVM's TDP MMU no shadow.
 */
static void assert_statistics(const struct record *record)
{
	const struct record_mmu *ept = &record_find_run(record, "ept")->mmu;
	const struct record_mmu *noept = &record_find_run(record, "noept")->mmu;
	uint64_t ends = 0;

	test_each_of (name, "mmu_pte_write", "mmu_cache_miss", "mmu_shadow_zapped") {
		assert_true(record_find_statistic(ept->vm, *name)->value == 0);
		assert_true(record_find_statistic(noept->vm, *name)->value > 0);
	}
	test_each_of (name, "pf_guest", "invlpg") {
		assert_true(record_find_statistic(ept->vcpu, *name)->value == 0);
		assert_true(record_find_statistic(noept->vcpu, *name)->value > 0);
	}
	assert_true(record_find_statistic(ept->vcpu, "pf_taken")->value > 1000);
	assert_true(record_find_statistic(noept->vcpu, "pf_taken")->value > 1000);
	test_each_of (name, "pf_fixed", "pf_guest", "pf_emulate")
		ends += record_find_statistic(noept->vcpu, *name)->value;
	assert_true(ends > record_find_statistic(noept->vcpu, "pf_taken")->value / 2);
}

/* Each rule holds, those of the witness included, and paging shows in the counts. */
static void boot(struct lab *lab, const char *platform)
{
	g_autoptr(struct_record) record = run(lab, platform, "boot", "1");

	assert_int_equal(record->verdict, RECORD_VALID);
	assert_all_known(record);
	assert_true(count_of(record, "ept", roles(record)->violation) > 1000);
	assert_true(count_of(record, "noept", roles(record)->violation) == 0);
	assert_true(count_of(record, "noept", roles(record)->page_fault) > 1000);
	assert_true(count_of(record, "ept", roles(record)->invlpg) == 0);
	assert_true(count_of(record, "noept", roles(record)->invlpg) > 0);
	assert_statistics(record);
}

/* docs/doses.md: each new page is one exit, of the one kind or the other, with VPID or without. */
static void dose(struct lab *lab, const char *platform)
{
	g_autoptr(struct_record) record = run(lab, platform, "dose-pages", "0");

	assert_int_equal(record->verdict, RECORD_VALID);
	assert_true(count_of(record, "ept", roles(record)->violation) == 1000);
	assert_true(count_of(record, "noept", roles(record)->page_fault) == 1000);
}

/*
 * docs/security.md: while an experiment runs nobody can connect to it, neither by the network nor
 * by a socket without a file. It has a network of its own, so that whatever is there is its own.
 * That the look finds something is shown on a program that does listen.
 */
static void listens_nowhere(struct lab *lab, const char *platform)
{
	g_autofree char *eptlab = lab_built("eptlab");

	if (geteuid() != 0) {
		printf("# %s is skipped: only root can give a program a network of its own\n",
		       platform);
		skip();
	}
	lab_shell("doors() {\n"
		  "  for kind in tcp tcp6 udp udp6 raw raw6; do\n"
		  "    tail -n +2 /proc/$1/net/$kind 2>/dev/null\n"
		  "  done\n"
		  "  awk '$4 == \"00010000\" && $8 ~ /^@/' /proc/$1/net/unix 2>/dev/null\n"
		  "}\n"
		  "apart() {\n"
		  "  own=$(readlink /proc/self/ns/net)\n"
		  "  until its=$(readlink /proc/$1/ns/net) && [ \"$its\" != \"$own\" ]; do\n"
		  "    kill -0 $1; sleep 0.02\n"
		  "  done\n"
		  "}\n"
		  "unshare --net busybox nc -l -p 1 & pid=$!\n"
		  "apart $pid\n"
		  "while kill -0 $pid && ! doors $pid | grep .; do sleep 0.02; done\n"
		  "kill $pid\n"
		  "unshare --net '%s' run --results '%s' --set experiment.platform=%s "
		  "--set experiment.operations=none >/dev/null 2>&1 & pid=$!\n"
		  "apart $pid\n"
		  "looks=0\n"
		  "while [ -e /proc/$pid/net/tcp ]; do\n"
		  "  if doors $pid | grep .; then kill $pid; wait $pid; exit 1; fi\n"
		  "  looks=$((looks + 1)); sleep 0.05\n"
		  "done\n"
		  "wait $pid && echo \"# looked $looks times\" && [ $looks -gt 50 ]",
		  eptlab, lab->results, platform);
}

/* ---- The table ---- */

static void one_cell(void (*test)(struct lab *lab, const char *platform), const char *platform)
{
	struct lab *lab;

	need(platform);
	lab = lab_new(platform);
	test(lab, platform);
	lab_assert_nothing_left(lab, 5);
	lab_free(lab);
}

#define TEST_CELL(test, platform)                                                                  \
	TEST(test##_on_##platform)                                                                 \
	{                                                                                          \
		one_cell(test, #platform);                                                         \
	}

/* On a distribution whose packages have no names here, and an experiment runs all the same. */
TEST(doctor_elsewhere_lists_what_is_needed)
{
	struct lab *lab = lab_new(NULL);
	g_autofree char *release = g_build_filename(lab->results, "os-release", NULL);

	assert_true(g_file_set_contents(
		release, "ID=fedora\nVERSION_ID=41\nPRETTY_NAME=\"Fedora Linux 41\"\n", -1, NULL));
	g_setenv("OS_RELEASE", release, TRUE);
	lab_run(lab, 0, "doctor", NULL);
	g_unsetenv("OS_RELEASE");
	assert_non_null(strstr(lab->output, "packages   no "));
	assert_non_null(strstr(lab->output, "\n                  what Linux is built with:\n"));
	lab_free(lab);
}

TEST_CELL(boot, bochs)
TEST_CELL(boot, tcg)
TEST_CELL(boot, kvm)
TEST_CELL(boot, local)
TEST_CELL(listens_nowhere, bochs)
TEST_CELL(listens_nowhere, tcg)
TEST_CELL(listens_nowhere, kvm)
TEST_CELL(dose, bochs)
TEST_CELL(dose, tcg)
TEST_CELL(dose, kvm)
TEST_CELL(dose, local)

/* A command of the user's own, with a file that is put in for it. */
TEST(command_is_counted_on_tcg)
{
	struct lab *lab = lab_new("tcg");
	struct record *record;

	lab_run(lab, 0, "run", "--put", "harness/tests/make-guest", "--", "busybox", "grep", "-c",
		"mke2fs -q", "make-guest", NULL);
	assert_says(lab->output, "counted with ept: busybox grep -c");
	record = lab_newest(lab);
	assert_int_equal(record->verdict, RECORD_VALID);
	assert_string_equal(record->workload, "command");
	test_each_of (config, "ept", "noept") {
		g_autofree char *name = g_strconcat(*config, "/output.txt", NULL);
		g_autofree char *path = lab_newest_file(lab, name);
		g_autofree char *output = NULL;

		assert_true(g_file_get_contents(path, &output, NULL, NULL));
		assert_string_equal(output, "1\n");
	}
	assert_true(count_of(record, "noept", REASON_SVM_EXCP_PF) > 100);
	assert_true(count_of(record, "ept", REASON_SVM_EXCP_PF) == 0);
	record_free(record);
	lab_free(lab);
}

/*
 * A command that hangs, and one that prints without end: it is said at which level, and what was
 * counted and printed until then is kept. harness/tests/test_command.c has each end; this is where
 * one of them ends an experiment.
 */
TEST(command_that_hangs_or_floods_is_named_on_tcg)
{
	static const struct {
		const char *script;
		const char *says; /* a regular expression */
		bool full;
		const char *output; /* what it begins with */
	} rows[] = {
		{ "echo begun; while :; do :; done", "L2.*had not ended after 40 s", false,
		  "begun\n" },
		/* Nobody reads before it ends, so that it waits for room. */
		{ "yes again", "L2.*had not ended after 40 s.*more than a pipe holds", true,
		  "again\nagain\n" },
	};

	test_each (row, rows) {
		struct lab *lab = lab_new("tcg");
		struct record *record;
		const struct record_run *ept;
		g_autofree char *path = NULL, *output = NULL;

		lab_run(lab, EPTLAB_ERROR_TIMEOUT, "run", "--set", "l2.timeout_seconds=80", "--",
			"busybox", "sh", "-c", row->script, NULL);
		if (!g_regex_match_simple(row->says, lab->errors, 0, 0))
			fail_msg("\"%s\" does not match: %s", row->says, lab->errors);
		record = lab_newest(lab);
		assert_int_equal(record->verdict, RECORD_FAILED);
		ept = record_find_run(record, "ept");
		assert_true(ept->command.known);
		assert_int_equal(ept->command.end, RECORD_TIMED_OUT);
		assert_int_equal(ept->command.full, row->full);
		/* Its latches: the CPUIDs of the reading at least. */
		assert_true(count_of(record, "ept", REASON_SVM_CPUID) > 0);
		path = lab_newest_file(lab, "ept/output.txt");
		assert_true(g_file_get_contents(path, &output, NULL, NULL));
		assert_begins(output, row->output);
		assert_int_equal(strlen(output), ept->command.output);
		lab_assert_nothing_left(lab, 10);
		record_free(record);
		lab_free(lab);
	}
}

static guint files_in(const char *pattern)
{
	glob_t found = { .gl_pathc = 0 };
	guint count;

	glob(pattern, 0, NULL, &found);
	count = (guint)found.gl_pathc;
	globfree(&found);
	return count;
}

/*
 * Nobody has to boot L1 once more so that libvirt in it finds out about QEMU: the first
 * experiment's L1 asks, and the next one's is told. They are no part of what was measured.
 */
TEST(first_experiment_on_tcg_asks_qemu)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *tree = g_build_filename(lab->results, "tree", NULL);
	g_autofree char *built = g_build_filename(tree, "build", NULL);
	g_autofree char *answers = g_build_filename(built, "capabilities/tcg-*/*.xml", NULL);
	g_autofree char *kept = g_build_filename(built, "capabilities/*", NULL);
	g_autofree char *before = g_strdup(g_getenv("EPTLAB_BUILD"));
	g_autofree char *in_record = NULL;
	g_autofree char *modules = NULL;

	lab_tree(tree);
	g_setenv("EPTLAB_BUILD", built, TRUE);
	lab_run(lab, 0, "run", "--set", "experiment.operations=none", NULL);
	assert_says(lab->errors, "L1: libvirt finds out about QEMU");
	assert_null(strstr(lab->errors, "booting once"));
	in_record = lab_newest_file(lab, "capabilities");
	assert_false(g_file_test(in_record, G_FILE_TEST_EXISTS));
	assert_true(files_in(answers) > 0);
	assert_int_equal(files_in(kept), 1);
	/* Another run beside the one that it was not told in. */
	lab_run(lab, 0, "rerun", "--set", "experiment.operations=none", "noept", NULL);
	assert_null(strstr(lab->errors, "finds out"));
	/* docs/security.md: a KVM that may be anybody's is not asked for what others are told. */
	modules = g_strdup_printf("l1.modules=%s/modules", lab->results);
	lab_shell("rm -r '%s'/capabilities/*; cp -r '%s/kernel/l1/default/modules' '%s/modules'",
		  built, built, lab->results);
	lab_run(lab, 0, "run", "--set", "experiment.operations=none", "--set", modules, "ept",
		NULL);
	assert_says(lab->errors, "booting once");
	assert_int_equal(files_in(kept), 1);
	g_setenv("EPTLAB_BUILD", before, TRUE);
	lab_free(lab);
}

/* It would boot as well, on one CPU: nobody would know. */
TEST(cpus_that_a_kernel_cannot_use_are_refused)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *tree = g_build_filename(lab->results, "tree", NULL);
	g_autofree char *built = g_build_filename(tree, "build", NULL);
	g_autofree char *before = g_strdup(g_getenv("EPTLAB_BUILD"));

	lab_run(lab, EPTLAB_ERROR_USAGE, "run", "--set", "tcg.cpus=2", NULL);
	assert_says(lab->errors, "eptlab: L0: L1 is to have 2 CPUs, but the kernel of the line ");
	lab_tree(tree);
	lab_shell("rm '%s/kernel'; mkdir '%s/kernel'; ln -s '%s/kernel/l1' '%s/kernel/l2' "
		  "'%s/kernel'",
		  built, built, before, before, built);
	g_setenv("EPTLAB_BUILD", built, TRUE);
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "l2.vcpus=2", NULL);
	assert_says(lab->errors, "eptlab: L0: L2 is to have 2 vCPUs, and a Linux that uses more ");
	assert_int_equal(lab_count(lab, "2"), 0);
	g_setenv("EPTLAB_BUILD", before, TRUE);
	lab_free(lab);
}

/* One of three, and the others stay what and where they were. */
TEST(rerun_keeps_all_other_runs)
{
	static const char *const configs[] = { "ept", "thp", "noept" };
	struct lab *lab = lab_new("tcg");
	struct record *first, *record;

	lab_run(lab, 0, "run", "--set", "experiment.operations=none", "ept", "thp", "noept", NULL);
	first = lab_newest(lab);
	lab_run(lab, 0, "rerun", "--set", "experiment.operations=none", "thp", NULL);
	record = lab_newest(lab);
	assert_int_equal(record->verdict, RECORD_VALID);
	assert_int_equal(record->runs->len, G_N_ELEMENTS(configs));
	for (guint i = 0; i < G_N_ELEMENTS(configs); i++) {
		const struct record_run *run = record->runs->pdata[i];
		const struct record_run *before = record_find_run(first, configs[i]);

		assert_string_equal(run->config, configs[i]);
		/* That run alone was made by another job: one of one run. */
		assert_int_equal(g_str_equal(record_run_inputs(run), record_run_inputs(before)),
				 i != 1);
		if (i != 1)
			assert_true(run->total.value == before->total.value);
	}
	record_free(first);
	record_free(record);
	lab_free(lab);
}
