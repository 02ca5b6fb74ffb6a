/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One table of tests, on every platform that this machine has, as eptlab doctor says; the others
 * are skipped, and it is said why. The bounds are those of the experiment's purpose, not measured
 * values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "lab.h"
#include "record/reasons.h"

static json_t *doctor;

static int ask_doctor(void **state)
{
	struct lab *lab = lab_new(NULL);

	(void)state;
	lab_run(lab, 0, "doctor", "--format", "json", NULL);
	doctor = json_loads(lab->output, 0, NULL);
	assert_non_null(doctor);
	lab_free(lab);
	return 0;
}

static int forget_doctor(void **state)
{
	(void)state;
	json_decref(doctor);
	return 0;
}

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

static uint64_t count(const struct record *record, const char *config, uint32_t reason)
{
	const struct record_run *run = record_find_run(record, config);
	const struct record_exit *entry = record_find_exit(run->exits, reason);

	assert_non_null(entry);
	return entry->count;
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

/* Each rule holds, those of the witness included, and paging shows in the counts. */
static void boot(struct lab *lab, const char *platform)
{
	struct record *record = run(lab, platform, "boot", "1");

	assert_int_equal(record->verdict, RECORD_VALID);
	assert_all_known(record);
	assert_true(count(record, "ept", roles(record)->violation) > 1000);
	assert_true(count(record, "noept", roles(record)->violation) == 0);
	assert_true(count(record, "noept", roles(record)->page_fault) > 1000);
	assert_true(count(record, "ept", roles(record)->invlpg) == 0);
	assert_true(count(record, "noept", roles(record)->invlpg) > 0);
	record_free(record);
}

/* docs/doses.md: each new page is one exit, of the one kind or the other, with VPID or without. */
static void dose(struct lab *lab, const char *platform)
{
	struct record *record = run(lab, platform, "dose-pages", "0");

	assert_int_equal(record->verdict, RECORD_VALID);
	assert_true(count(record, "ept", roles(record)->violation) == 1000);
	assert_true(count(record, "noept", roles(record)->page_fault) == 1000);
	record_free(record);
}

/* ---- The table ---- */

static const struct {
	const char *name;
	void (*test)(struct lab *lab, const char *platform);
} tests[] = {
	{ "boot", boot },
	{ "dose", dose },
};

static const char *const platforms[] = { "bochs", "tcg", "kvm", "local" };

#define CELLS (G_N_ELEMENTS(tests) * G_N_ELEMENTS(platforms))

static void one_cell(void **state)
{
	const size_t cell = GPOINTER_TO_SIZE(*state);
	const char *platform = platforms[cell % G_N_ELEMENTS(platforms)];
	struct lab *lab;

	need(platform);
	lab = lab_new(platform);
	tests[cell / G_N_ELEMENTS(platforms)].test(lab, platform);
	lab_assert_nothing_left(lab, 5);
	lab_free(lab);
}

int main(void)
{
	struct CMUnitTest cells[CELLS];
	int failed;

	for (size_t i = 0; i < CELLS; i++)
		cells[i] = (struct CMUnitTest){
			.name = g_strdup_printf("%s_on_%s", tests[i / G_N_ELEMENTS(platforms)].name,
						platforms[i % G_N_ELEMENTS(platforms)]),
			.test_func = one_cell,
			.initial_state = GSIZE_TO_POINTER(i),
		};
	failed = cmocka_run_group_tests(cells, ask_doctor, forget_doctor);
	for (size_t i = 0; i < CELLS; i++)
		g_free((char *)cells[i].name);
	return failed;
}
