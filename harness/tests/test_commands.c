/* SPDX-License-Identifier: GPL-2.0-only */
/* What commands conclude from what they have seen, without an L1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "commands/commands.h"
#include "model/error.h"

/* ---- KUnit's results ---- */

#define AT "[    2.399485] "

static const struct {
	const char *name;
	const char *log;
	bool good;
} logs[] = {
	{ "one suite, one case with parameters",
	  AT "    1..2\n" AT "        ok 1 vmx\n" AT "        ok 2 svm\n" AT "    ok 1 a\n" AT
	     "    ok 2 b\n" AT "ok 1 suite\n",
	  true },
	{ "nothing", "", false },
	{ "other lines", AT "kvm: loaded\n" AT "ok, this is no result\n", false },
	{ "no plan", AT "    ok 1 a\n" AT "ok 1 suite\n", false },
	{ "a plan of none", AT "    1..0\n" AT "ok 1 suite\n", false },
	{ "cut off before the suite's end", AT "    1..1\n" AT "    ok 1 a\n", false },
	{ "cut off after a suite",
	  AT "    1..1\n" AT "    ok 1 a\n" AT "ok 1 suite\n" AT "    1..2\n" AT "    ok 1 b\n",
	  false },
	{ "fewer than planned", AT "    1..2\n" AT "    ok 1 a\n" AT "ok 1 suite\n", false },
	{ "one is missing", AT "    1..2\n" AT "    ok 2 b\n" AT "ok 1 suite\n", false },
	{ "more than planned",
	  AT "    1..1\n" AT "    ok 1 a\n" AT "    ok 2 b\n" AT "ok 1 suite\n", false },
	{ "a case is not ok",
	  AT "    1..2\n" AT "    ok 1 a\n" AT "    not ok 2 b\n" AT "ok 1 suite\n", false },
	{ "a parameter is not ok",
	  AT "    1..1\n" AT "        not ok 1 vmx\n" AT "    ok 1 a\n" AT "ok 1 suite\n", false },
	{ "a parameter is missing",
	  AT "    1..1\n" AT "        ok 2 svm\n" AT "    ok 1 a\n" AT "ok 1 suite\n", false },
	{ "skipped", AT "    1..1\n" AT "    ok 1 a # SKIP not here\n" AT "ok 1 suite\n", false },
	{ "the suite is not ok", AT "    1..1\n" AT "    ok 1 a\n" AT "not ok 1 suite\n", false },
};

static void all_planned_kunit_tests_must_be_ok(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(logs); i++) {
		g_autoptr(GError) error = NULL;
		unsigned int planned;
		bool good = kunit_judge(logs[i].log, &planned, &error);

		if (good != logs[i].good)
			fail_msg("%s: %s", logs[i].name, good ? "all is well" : error->message);
		if (good)
			assert_int_equal(planned, 2);
		else
			assert_int_equal(error->code, EPTLAB_ERROR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_planned_kunit_tests_must_be_ok),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
