/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each way in which an experiment can go wrong must end with its documented exit status and one
 * sentence that names the level; with the consoles kept, nothing left running, no half record, and
 * earlier records untouched.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cli/experiment.h"
#include "lab.h"
#include "record/operations.h"
#include "tests/test.h"

static int make_bochs(void **state)
{
	*state = lab_new("bochs");
	return 0;
}

static int make_tcg(void **state)
{
	*state = lab_new("tcg");
	return 0;
}

static int remove_lab(void **state)
{
	lab_free(*state);
	return 0;
}

/* FAULT_ON is about one platform, FAULT happens on each of them. */
#define FAULT_ON(platform, name)                                                                   \
	TEST_OF(struct lab *lab, make_##platform, remove_lab, name##_on_##platform)

#define FAULT(name)                                                                                \
	static void name(struct lab *lab);                                                         \
	FAULT_ON(bochs, name)                                                                      \
	{                                                                                          \
		name(lab);                                                                         \
	}                                                                                          \
	FAULT_ON(tcg, name)                                                                        \
	{                                                                                          \
		name(lab);                                                                         \
	}                                                                                          \
	static void name(struct lab *lab)

/* The last line on standard error is the sentence: "eptlab: LEVEL: ... ". */
static void assert_sentence(const struct lab *lab, const char *level, const char *part)
{
	g_autofree char *begin = g_strdup_printf("eptlab: %s: ", level);
	const char *sentence = strstr(lab->errors, "eptlab: ");

	if (sentence == NULL || !g_str_has_prefix(sentence, begin) ||
	    strstr(sentence, part) == NULL ||
	    strchr(sentence, '\n') != sentence + strlen(sentence) - 1)
		fail_msg("expected one sentence \"%s...%s...\", saw: %s", begin, part, lab->errors);
}

/* A failed record is complete, has what L1 said, and is not the latest. */
static void assert_failed_record(const struct lab *lab, const char *part)
{
	struct record *record = lab_newest(lab);
	g_autofree char *console = lab_newest_file(lab, "l1-console.log");

	assert_int_equal(record->verdict, RECORD_FAILED);
	assert_non_null(record->error);
	assert_says(record->error, part);
	assert_true(g_file_test(console, G_FILE_TEST_IS_REGULAR));
	assert_int_equal(lab_count(lab, "latest"), 0);
	record_free(record);
}

static void assert_file_says(const struct lab *lab, const char *name, const char *part)
{
	g_autofree char *path = lab_newest_file(lab, name);
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_says(text, part);
}

static void assert_clean(const struct lab *lab)
{
	lab_assert_nothing_left(lab, 5);
	assert_int_equal(lab_count(lab, ".partial"), 0);
}

/* A run with these settings (one may be NULL) ends so, in one sentence that is in its record too.
 */
static void assert_run_fails(struct lab *lab, int status, const char *setting, const char *other,
			     const char *level, const char *part)
{
	lab_run(lab, status, "run", "--set", setting, other != NULL ? "--set" : NULL, other, NULL);
	assert_sentence(lab, level, part);
	assert_failed_record(lab, part);
	assert_clean(lab);
}

static void assert_rule_failed(const struct lab *lab, const char *rule)
{
	struct record *record = lab_newest(lab);
	bool failed = false;

	assert_int_equal(record->verdict, RECORD_INVALID);
	for (unsigned int i = 0; i < record->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(record->checks, i);

		failed = failed ||
			 (g_str_equal(check->rule, rule) && check->verdict == RECORD_CHECK_FAIL);
	}
	if (!failed)
		fail_msg("the rule %s did not fail", rule);
	record_free(record);
}

/* ept=1 cannot take effect there, and KVM says nothing; ept=0 is all that is left. */
FAULT_ON(bochs, cpu_without_ept)
{
	/* Whether something holds is not known of counts that are invalid. */
	lab_run(lab, EXPERIMENT_UNTRIED, "run", "--set", "bochs.cpu=core2_penryn_t9600", "--set",
		"experiment.configurations=ept", "--expect", "ept:48 == 0", NULL);
	assert_null(strstr(lab->output, "ept:48"));
	assert_rule_failed(lab, "ept-sysfs");
	assert_rule_failed(lab, "ept-leaf");
	assert_says(lab->output, "INVALID");
	assert_clean(lab);
}

/* What is asked for is in effect there: neither EPT nor VPID is all that this CPU can do. */
FAULT_ON(bochs, cpu_without_ept_asked_for_none)
{
	struct record *record;

	lab_run(lab, 0, "run", "--set", "bochs.cpu=core2_penryn_t9600", "--set",
		"experiment.configurations=noept", "--set", "module.noept.vpid=0", NULL);
	record = lab_newest(lab);
	assert_int_equal(record->verdict, RECORD_VALID);
	record_free(record);
	assert_clean(lab);
}

FAULT(stock_module)
{
	g_autofree char *stock = lab_built("kernel/stock");
	g_autofree char *setting = g_strdup_printf("l1.modules=%s", stock);

	lab_run(lab, EPTLAB_ERROR_INVALID, "run", "--set", setting, NULL);
	assert_rule_failed(lab, "modules");
	assert_rule_failed(lab, "signature");
	assert_clean(lab);
}

FAULT(probe_that_never_speaks)
{
	g_autofree char *probe = lab_built("tests/silent_probe");
	g_autofree char *setting = g_strdup_printf("l2.probe=%s", probe);

	assert_run_fails(lab, EPTLAB_ERROR_TIMEOUT, setting, "l2.timeout_seconds=20", "L2",
			 "timeout_seconds");
}

/* Operations that go wrong (faulty_workloads.c): each is named, and all others have their numbers.
 */
FAULT_ON(tcg, operations_that_go_wrong)
{
	static const struct {
		const char *name, *why; /* NULL: it does not */
	} rows[] = {
		{ "getppid", NULL },
		{ "mmap", "No space left on device" },
		{ "fault", "no memory left" },
		{ "cow", NULL },
		{ "mprotect", "not at its end after 4 s" },
		{ "segv", "ended by signal 11" },
		{ "pagefault-file", "it printed \\\"@ept1 nonsense" },
		{ "brk", "a child of it exited with status 1" },
		{ "shm", "not at its end after 4 s" },
		{ "stride", "it ended before it was measured" },
		{ "compile", NULL },
	};
	g_autofree char *probe = lab_built("tests/faulty_probe");
	g_autofree char *setting = g_strdup_printf("l2.probe=%s", probe);
	struct record *record;

	lab_run(lab, EXPERIMENT_UNTRIED, "run", "--set", setting, "--set",
		"experiment.operations=all", "--set", "experiment.configurations=noept", "--set",
		"l2.memory_mib=48", "--expect", "noept:0 >= 0", NULL);
	assert_sentence(lab, "L2", "mmap failed (No space left on device)");
	assert_failed_record(lab, "mmap failed");
	assert_clean(lab);
	record = lab_newest(lab);
	test_each (row, rows) {
		const struct record_operation *one =
			operation_find(record_find_run(record, "noept"), row->name);

		assert_non_null(one);
		if (row->why == NULL)
			assert_int_equal(one->points->len, 3);
		else
			assert_says(one->error, row->why);
	}
	assert_non_null(record_find_run(record, "noept")->exits);
	record_free(record);
}

FAULT(l2_panics)
{
	assert_run_fails(lab, EPTLAB_ERROR_L2, "l2.append=init=/nowhere", NULL, "L2",
			 "Kernel panic");
	assert_file_says(lab, "ept/l2-console.log", "Kernel panic");
}

FAULT(l1_panics)
{
	assert_run_fails(lab, EPTLAB_ERROR_L1, "l1.append=init=/nowhere", NULL, "L1",
			 "Kernel panic");
	assert_file_says(lab, "l1-console.log", "end Kernel panic");
}

/* An L1 that does nothing, in wall time and in virtual time: its init is a program that waits. */
FAULT(l1_is_silent_in_wall_time)
{
	g_autofree char *setting = g_strconcat(lab->platform, ".timeout_seconds=1", NULL);

	assert_run_fails(lab, EPTLAB_ERROR_TIMEOUT, setting, NULL, "L1", "1 s of wall time");
}

FAULT_ON(bochs, l1_is_silent_in_virtual_time)
{
	assert_run_fails(lab, EPTLAB_ERROR_TIMEOUT, "bochs.timeout_ticks=100000000", NULL, "L1",
			 "100000000 emulated instructions");
}

FAULT_ON(bochs, emulator_refuses_its_configuration)
{
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "bochs.cpu=no_such_cpu", NULL);
	assert_sentence(lab, "L0", "Bochs");
	assert_clean(lab);
}

FAULT_ON(bochs, image_that_is_no_image)
{
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "l2.image=/etc/passwd", NULL);
	assert_sentence(lab, "L0", "/etc/passwd");
	assert_clean(lab);
	/* git bisect must not take it for a commit's fault. */
	lab_run(lab, 128, "run", "--set", "l2.image=/etc/passwd", "--expect", "noept:0 >= 0", NULL);
	lab_run(lab, 128, "run", "--expect", "noept:0", NULL);
	lab_run(lab, 128, "run", "--expect", "shadow:0 >= 0", NULL);
}

/* ---- A disk that is full ---- */

static void mount_disk(const struct lab *lab, const char *size)
{
	if (geteuid() != 0) {
		printf("# a full disk is skipped: mounting a small tmpfs needs root\n");
		skip();
	}
	assert_int_equal(mount("tmpfs", lab->results, "tmpfs", 0, size), 0);
}

static void unmount_disk(const struct lab *lab)
{
	lab_assert_nothing_left(lab, 5);
	assert_int_equal(umount(lab->results), 0);
}

/* Before anything is measured: there is nothing to be kept. */
FAULT(disk_is_full_at_once)
{
	mount_disk(lab, "size=4k");
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", NULL);
	assert_sentence(lab, "L0", "space");
	assert_int_equal(lab_count(lab, ""), 0);
	unmount_disk(lab);
}

/* Room for the record, but none for what L1 boots. */
FAULT(disk_is_full_at_the_job_medium)
{
	struct record *record;

	mount_disk(lab, "size=1536k");
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", NULL);
	assert_sentence(lab, "L0", "space");
	record = lab_newest(lab);
	assert_int_equal(record->verdict, RECORD_FAILED);
	assert_says(record->error, "space");
	record_free(record);
	assert_int_equal(lab_count(lab, "latest"), 0);
	assert_clean(lab);
	unmount_disk(lab);
}

/* What L1 had said until then stays. */
FAULT(disk_fills_up_while_l1_runs)
{
	mount_disk(lab, "size=64m");
	lab_run_and_fill(lab, "l1-console.log");
	lab_assert_status(lab, EPTLAB_ERROR_MACHINE);
	assert_sentence(lab, "L0", "space");
	assert_failed_record(lab, "space");
	assert_clean(lab);
	unmount_disk(lab);
}

/* It was measured: the record is complete and the newest, and reports can be made of it. */
FAULT_ON(tcg, report_cannot_be_written)
{
	struct record *record;
	g_autofree char *json = NULL;

	lab_run_and_block(lab, "report.html");
	lab_assert_status(lab, EPTLAB_ERROR_MACHINE);
	assert_says(lab->output, "VALID: ");
	assert_says(lab->errors, "is complete, but its report.html");
	record = lab_newest(lab);
	assert_int_equal(record->verdict, RECORD_VALID);
	assert_non_null(record_find_run(record, "noept")->exits);
	record_free(record);
	assert_int_equal(lab_count(lab, "latest"), 1);
	assert_clean(lab);
	json = lab_newest_file(lab, "record.json");
	lab_run(lab, 0, "report", "--format", "html", json, NULL);
	assert_true(g_str_has_prefix(lab->output, "<!DOCTYPE html>"));
}

/* From the first millisecond to the middle of L2's boot. */
static const unsigned int moments[] = { 0, 30, 100, 300, 1000, 3000, 8000 };

FAULT(interrupted_at_any_moment)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(moments); i++) {
		lab_run_and_signal(lab, SIGINT, moments[i]);
		/*
		 * Before the first line of main has run, SIGINT ends the program as it ends any; on
		 * a busy machine its libraries are still being loaded after 100 ms.
		 */
		if (lab->status != 128 + SIGINT || moments[i] > 100 || *lab->errors != '\0') {
			lab_assert_status(lab, EPTLAB_ERROR_INTERRUPTED);
			assert_sentence(lab, "L0", "interrupted");
		}
		assert_clean(lab);
	}
	assert_int_equal(lab_count(lab, "latest"), 0);
}

/* The next start keeps what it had. */
FAULT(killed_while_l1_runs)
{
	lab_run_and_kill(lab, "l1-console.log");
	lab_assert_status(lab, 128 + SIGKILL);
	lab_assert_nothing_left(lab, 5);
	assert_int_equal(lab_count(lab, ".partial"), 1);
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "l2.image=/etc/passwd", NULL);
	assert_says(lab->errors, "killed");
	assert_failed_record(lab, "killed");
	assert_clean(lab);
}

FAULT(killed_at_any_moment)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(moments); i++) {
		lab_run_and_signal(lab, SIGKILL, moments[i]);
		lab_assert_status(lab, 128 + SIGKILL);
		lab_assert_nothing_left(lab, 5);
	}
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "l2.image=/etc/passwd", NULL);
	assert_clean(lab);
}

FAULT_ON(bochs, usage_errors)
{
	static const struct {
		const char *command, *argument, *setting, *says;
	} cases[] = {
		{ "run", "--set", "bochs.colour=red", "colour" },
		{ "run", "--set", "experiment.platform=abacus", "abacus" },
		{ "rerun", "sideways", NULL, "sideways" },
		{ "rerun", "ept;noept", NULL, "one configuration" },
	};

	test_each (row, cases) {
		lab_run(lab, EPTLAB_ERROR_USAGE, row->command, row->argument, row->setting, NULL);
		assert_says(lab->errors, row->says);
	}
	assert_int_equal(lab_count(lab, "2"), 0);
}
