/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each way in which an experiment can go wrong must end with its documented exit status and one
 * sentence that names the level; with the consoles kept, nothing left running, no half record, and
 * earlier records untouched.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <cmocka.h>

#include "lab.h"
#include "base/error.h"

/* The platform comes with the test. */
static int make_lab(void **state)
{
	*state = lab_new(*state);
	return 0;
}

static int remove_lab(void **state)
{
	lab_free(*state);
	return 0;
}

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
	assert_non_null(strstr(record->error, part));
	assert_true(g_file_test(console, G_FILE_TEST_IS_REGULAR));
	assert_int_equal(lab_count(lab, "latest"), 0);
	record_free(record);
}

static void assert_clean(const struct lab *lab)
{
	lab_assert_nothing_left(lab, 5);
	assert_int_equal(lab_count(lab, ".partial"), 0);
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
static void cpu_without_ept(void **state)
{
	struct lab *lab = *state;

	lab_run(lab, EPTLAB_ERROR_INVALID, "run", "--set", "bochs.cpu=core2_penryn_t9600", NULL);
	assert_rule_failed(lab, "ept-sysfs");
	assert_rule_failed(lab, "ept-leaf");
	assert_non_null(strstr(lab->output, "INVALID"));
	assert_clean(lab);
}

/* What is asked for is in effect there: neither EPT nor VPID is all that this CPU can do. */
static void cpu_without_ept_asked_for_none(void **state)
{
	struct lab *lab = *state;
	struct record *record;

	lab_run(lab, 0, "run", "--set", "bochs.cpu=core2_penryn_t9600", "--set",
		"experiment.configurations=noept", "--set", "module.noept.vpid=0", NULL);
	record = lab_newest(lab);
	assert_int_equal(record->verdict, RECORD_VALID);
	record_free(record);
	assert_clean(lab);
}

static void stock_module(void **state)
{
	struct lab *lab = *state;
	g_autofree char *stock = lab_built("kernel/stock");
	g_autofree char *setting = g_strdup_printf("l1.modules=%s", stock);

	lab_run(lab, EPTLAB_ERROR_INVALID, "run", "--set", setting, NULL);
	assert_rule_failed(lab, "modules");
	assert_rule_failed(lab, "signature");
	assert_clean(lab);
}

static void probe_that_never_speaks(void **state)
{
	struct lab *lab = *state;
	g_autofree char *probe = lab_built("tests/silent_probe");
	g_autofree char *setting = g_strdup_printf("l2.probe=%s", probe);

	lab_run(lab, EPTLAB_ERROR_TIMEOUT, "run", "--set", setting, "--set",
		"l2.timeout_seconds=20", NULL);
	assert_sentence(lab, "L2", "timeout_seconds");
	assert_failed_record(lab, "timeout_seconds");
	assert_clean(lab);
}

static void l2_panics(void **state)
{
	struct lab *lab = *state;
	g_autofree char *console = NULL;
	g_autofree char *text = NULL;

	lab_run(lab, EPTLAB_ERROR_L2, "run", "--set", "l2.append=init=/nowhere", NULL);
	assert_sentence(lab, "L2", "Kernel panic");
	assert_failed_record(lab, "Kernel panic");
	console = lab_newest_file(lab, "ept/l2-console.log");
	assert_true(g_file_get_contents(console, &text, NULL, NULL));
	assert_non_null(strstr(text, "Kernel panic"));
	assert_clean(lab);
}

static void l1_panics(void **state)
{
	struct lab *lab = *state;
	g_autofree char *console = NULL;
	g_autofree char *text = NULL;

	lab_run(lab, EPTLAB_ERROR_L1, "run", "--set", "l1.append=init=/nowhere", NULL);
	assert_sentence(lab, "L1", "Kernel panic");
	assert_failed_record(lab, "Kernel panic");
	console = lab_newest_file(lab, "l1-console.log");
	assert_true(g_file_get_contents(console, &text, NULL, NULL));
	assert_non_null(strstr(text, "end Kernel panic"));
	assert_clean(lab);
}

/* An L1 that does nothing, in wall time and in virtual time: its init is a program that waits. */
static void l1_is_silent_in_wall_time(void **state)
{
	struct lab *lab = *state;
	g_autofree char *setting = g_strconcat(lab->platform, ".timeout_seconds=1", NULL);

	lab_run(lab, EPTLAB_ERROR_TIMEOUT, "run", "--set", setting, NULL);
	assert_sentence(lab, "L1", "1 s of wall time");
	assert_failed_record(lab, "wall time");
	assert_clean(lab);
}

static void l1_is_silent_in_virtual_time(void **state)
{
	struct lab *lab = *state;

	lab_run(lab, EPTLAB_ERROR_TIMEOUT, "run", "--set", "bochs.timeout_ticks=100000000", NULL);
	assert_sentence(lab, "L1", "100000000 emulated instructions");
	assert_failed_record(lab, "emulated instructions");
	assert_clean(lab);
}

static void emulator_refuses_its_configuration(void **state)
{
	struct lab *lab = *state;

	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "bochs.cpu=no_such_cpu", NULL);
	assert_sentence(lab, "L0", "Bochs");
	assert_clean(lab);
}

static void image_that_is_no_image(void **state)
{
	struct lab *lab = *state;

	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "l2.image=/etc/passwd", NULL);
	assert_sentence(lab, "L0", "/etc/passwd");
	assert_clean(lab);
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
static void disk_is_full_at_once(void **state)
{
	struct lab *lab = *state;

	mount_disk(lab, "size=4k");
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", NULL);
	assert_sentence(lab, "L0", "space");
	assert_int_equal(lab_count(lab, ""), 0);
	unmount_disk(lab);
}

/* Room for the record, but none for what L1 boots. */
static void disk_is_full_at_the_job_medium(void **state)
{
	struct lab *lab = *state;
	struct record *record;

	mount_disk(lab, "size=1536k");
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", NULL);
	assert_sentence(lab, "L0", "space");
	record = lab_newest(lab);
	assert_int_equal(record->verdict, RECORD_FAILED);
	assert_non_null(strstr(record->error, "space"));
	record_free(record);
	assert_int_equal(lab_count(lab, "latest"), 0);
	assert_clean(lab);
	unmount_disk(lab);
}

/* What L1 had said until then stays. */
static void disk_fills_up_while_l1_runs(void **state)
{
	struct lab *lab = *state;

	mount_disk(lab, "size=64m");
	lab_run_and_fill(lab, "l1-console.log");
	assert_int_equal(lab->status, EPTLAB_ERROR_MACHINE);
	assert_sentence(lab, "L0", "space");
	assert_failed_record(lab, "space");
	assert_clean(lab);
	unmount_disk(lab);
}

/* It was measured: the record is complete and the newest, and reports can be made of it. */
static void report_cannot_be_written(void **state)
{
	struct lab *lab = *state;
	struct record *record;
	g_autofree char *json = NULL;

	lab_run_and_block(lab, "report.html");
	assert_int_equal(lab->status, EPTLAB_ERROR_MACHINE);
	assert_non_null(strstr(lab->output, "VALID: "));
	assert_non_null(strstr(lab->errors, "is complete, but its report.html"));
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

static void interrupted_at_any_moment(void **state)
{
	struct lab *lab = *state;

	for (unsigned int i = 0; i < G_N_ELEMENTS(moments); i++) {
		lab_run_and_signal(lab, SIGINT, moments[i]);
		/* Before the first line of main has run, SIGINT ends the program as it ends any. */
		if (lab->status != 128 + SIGINT || moments[i] > 30) {
			assert_int_equal(lab->status, EPTLAB_ERROR_INTERRUPTED);
			assert_sentence(lab, "L0", "interrupted");
		}
		assert_clean(lab);
	}
	assert_int_equal(lab_count(lab, "latest"), 0);
}

/* The next start keeps what it had. */
static void killed_while_l1_runs(void **state)
{
	struct lab *lab = *state;

	lab_run_and_kill(lab, "l1-console.log");
	assert_int_equal(lab->status, 128 + SIGKILL);
	lab_assert_nothing_left(lab, 5);
	assert_int_equal(lab_count(lab, ".partial"), 1);
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "l2.image=/etc/passwd", NULL);
	assert_non_null(strstr(lab->errors, "killed"));
	assert_failed_record(lab, "killed");
	assert_clean(lab);
}

static void killed_at_any_moment(void **state)
{
	struct lab *lab = *state;

	for (unsigned int i = 0; i < G_N_ELEMENTS(moments); i++) {
		lab_run_and_signal(lab, SIGKILL, moments[i]);
		assert_int_equal(lab->status, 128 + SIGKILL);
		lab_assert_nothing_left(lab, 5);
	}
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "l2.image=/etc/passwd", NULL);
	assert_clean(lab);
}

static void usage_errors(void **state)
{
	struct lab *lab = *state;

	lab_run(lab, EPTLAB_ERROR_USAGE, "run", "--set", "bochs.colour=red", NULL);
	assert_non_null(strstr(lab->errors, "colour"));
	lab_run(lab, EPTLAB_ERROR_USAGE, "run", "--set", "experiment.platform=abacus", NULL);
	assert_non_null(strstr(lab->errors, "abacus"));
	lab_run(lab, EPTLAB_ERROR_USAGE, "rerun", "sideways", NULL);
	assert_non_null(strstr(lab->errors, "sideways"));
	lab_run(lab, EPTLAB_ERROR_USAGE, "rerun", "ept;noept", NULL);
	assert_non_null(strstr(lab->errors, "one configuration"));
	assert_int_equal(lab_count(lab, "2"), 0);
}

/* ---- The table ---- */

static const struct {
	const char *name;
	void (*test)(void **state);
	const char *only; /* the one platform that it is about */
} faults[] = {
#define fault(function) .name = #function, .test = function
	{ fault(usage_errors), .only = "bochs" },
	{ fault(cpu_without_ept), .only = "bochs" },
	{ fault(cpu_without_ept_asked_for_none), .only = "bochs" },
	{ fault(l1_is_silent_in_virtual_time), .only = "bochs" },
	{ fault(emulator_refuses_its_configuration), .only = "bochs" },
	{ fault(image_that_is_no_image), .only = "bochs" },
	{ fault(report_cannot_be_written), .only = "tcg" },
	{ fault(stock_module) },
	{ fault(probe_that_never_speaks) },
	{ fault(l2_panics) },
	{ fault(l1_panics) },
	{ fault(l1_is_silent_in_wall_time) },
	{ fault(disk_is_full_at_once) },
	{ fault(disk_is_full_at_the_job_medium) },
	{ fault(disk_fills_up_while_l1_runs) },
	{ fault(interrupted_at_any_moment) },
	{ fault(killed_while_l1_runs) },
	{ fault(killed_at_any_moment) },
};

static const char *const platforms[] = { "bochs", "tcg" };

#define CELLS (G_N_ELEMENTS(faults) * G_N_ELEMENTS(platforms))

/* An argument is a pattern of the tests to run, such as 'disk*' or '*_on_tcg'. */
int main(int argc, char **argv)
{
	struct CMUnitTest tests[CELLS];
	size_t count = 0;
	int failed;

	for (size_t i = 0; i < CELLS; i++) {
		const char *platform = platforms[i / G_N_ELEMENTS(faults)];
		const size_t at = i % G_N_ELEMENTS(faults);

		if (faults[at].only != NULL && strcmp(faults[at].only, platform) != 0)
			continue;
		tests[count++] = (struct CMUnitTest){
			.name = g_strdup_printf("%s_on_%s", faults[at].name, platform),
			.test_func = faults[at].test,
			.setup_func = make_lab,
			.teardown_func = remove_lab,
			.initial_state = (char *)platform,
		};
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = _cmocka_run_group_tests("faults", tests, count, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		g_free((char *)tests[i].name);
	return failed;
}
