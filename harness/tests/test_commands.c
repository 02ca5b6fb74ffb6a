/* SPDX-License-Identifier: GPL-2.0-only */
/* What commands conclude from what they have seen, and what they print, without an L1. */

#include <stdlib.h>

#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/progress.h"
#include "record/record.h"
#include "tests/lab.h"
#include "tests/test.h"

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

TEST(all_planned_kunit_tests_must_be_ok)
{
	test_each (row, logs) {
		g_autoptr(GError) error = NULL;
		unsigned int planned;
		bool good = kunit_judge(row->log, &planned, &error);

		if (good != row->good)
			fail_msg("%s: %s", row->name, good ? "all is well" : error->message);
		if (good)
			assert_int_equal(planned, 2);
		else
			assert_error(&error, EPTLAB_ERROR_INVALID, "");
	}
}

/* ---- The time that an experiment will take ---- */

/* A record with these steps, "text=seconds,...". */
static struct record *took(const char *steps, double seconds)
{
	struct record *record = record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
	g_auto(GStrv) parts = g_strsplit(steps, ",", -1);

	record->seconds = seconds;
	for (char **part = parts; *part != NULL; part++) {
		g_auto(GStrv) step = g_strsplit(*part, "=", 2);

		if (record->steps == NULL)
			record->steps = record_steps_new();
		g_ptr_array_add(record->steps,
				record_step_new(step[0], g_ascii_strtod(step[1], NULL)));
	}
	return record;
}

#define RUN(boot, load, first, second)                                                             \
	"L1: boot=" boot ",L1: load=" load ",L2: ept=" first ",L1: load=" load ",L2: "             \
	"noept=" second

static double expected_total(const GPtrArray *expected)
{
	const struct progress_place place = { .expected = expected };

	return progress_place_total(&place, 0);
}

static int no_records(void **state)
{
	*state = g_ptr_array_new_with_free_func((GDestroyNotify)record_free);
	return 0;
}

static int free_records(void **state)
{
	g_ptr_array_unref(*state);
	return 0;
}

#define TEST_TIME(name) TEST_OF(GPtrArray *records, no_records, free_records, name)

/* Each step has a stall in one record, and none of them counts; nor does a rerun's. */
TEST_TIME(expected_time_is_the_median_by_step)
{
	g_autoptr(GPtrArray) both = NULL;
	g_autoptr(GPtrArray) one = NULL;

	g_ptr_array_add(records, took(RUN("85", "1", "9", "10"), 106));
	g_ptr_array_add(records, took("L1: boot=5,L1: load=1,L2: noept=70", 76));
	g_ptr_array_add(records, took(RUN("5", "1", "90", "10"), 107));
	g_ptr_array_add(records, took(RUN("6", "1", "9", "10"), 27));
	both = progress_expect(records, 2);
	assert_true(expected_total(both) == 6 + 1 + 9 + 1 + 10);
	one = progress_expect(records, 1);
	assert_true(expected_total(one) == 76);
}

/* At this time of the clock the step begins; then so much is expected in all. */
static void assert_total(struct progress_place *place, const char *step, double begins, double now,
			 double total)
{
	if (step != NULL)
		progress_place_move(place, step, begins);
	assert_true(progress_place_total(place, now) == total);
}

/* Records of schema 1 know the whole only. */
TEST_TIME(expected_time_without_steps)
{
	g_autoptr(GPtrArray) none = progress_expect(records, 2);
	g_autoptr(GPtrArray) expected = NULL;
	struct progress_place place = { .expected = NULL };

	assert_true(expected_total(none) < 0);
	g_ptr_array_add(records, took("", 106));
	g_ptr_array_add(records, took("", 17));
	g_ptr_array_add(records, took("", -1));
	g_ptr_array_add(records, took("", 18));
	expected = progress_expect(records, 2);
	place.expected = expected;
	assert_total(&place, NULL, 0, 0, 18);
	assert_total(&place, "L1: boot", 4, 5, 18);
	assert_total(&place, NULL, 0, 40, 40);
}

/* What is left of this step and those that follow; what is over moves the end, and no more. */
TEST_TIME(expected_time_follows_the_steps)
{
	g_autoptr(GPtrArray) expected = NULL;
	struct progress_place place = { .expected = NULL };

	g_ptr_array_add(records, took(RUN("5", "1", "9", "10"), 26));
	expected = progress_expect(records, 2);
	place.expected = expected;
	assert_total(&place, "L1: boot", 0, 3, 26);
	assert_total(&place, NULL, 0, 85, 85 + 21);
	/* The one with the same text that comes later is another. */
	assert_total(&place, "L1: load", 85, 85, 85 + 21);
	progress_place_move(&place, "L2: ept", 86);
	assert_total(&place, "L2: something new", 90, 90, 86 + 9 + 11);
	assert_total(&place, "L1: load", 95, 95, 95 + 11);
	assert_total(&place, "L2: noept", 96, 100, 106);
	assert_total(&place, NULL, 0, 120, 120);
}

/* ---- Completion, and the manual pages ---- */

/* What eptlab prints with these arguments, as a shell splits them; the caller frees it. */
static char *said(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
static char *said(int status, const char *format, ...)
{
	g_autofree char *program = lab_built("eptlab");
	g_autofree char *arguments = NULL;
	g_autofree char *line = NULL;
	g_autofree char *errors = NULL;
	g_autoptr(GError) error = NULL;
	char *output = NULL;
	va_list values;
	int ended;

	va_start(values, format);
	arguments = g_strdup_vprintf(format, values);
	va_end(values);
	line = g_strdup_printf("%s %s", program, arguments);
	g_spawn_command_line_sync(line, &output, &errors, &ended, &error);
	assert_no_error(error);
	if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
		fail_msg("%s: status %d\n%s%s", line, ended, output, errors);
	if (status == 0)
		return output;
	g_free(output);
	return g_steal_pointer(&errors);
}

static const struct {
	const char *words; /* the last one is completed */
	const char *become;
} completions[] = {
	{ "--complete re", "rerun\nreport\n" },
	{ "--complete --v", "--version\n" },
	{ "--complete kun", "" },
	{ "run --complete --dry", "--dry-run\n" },
	{ "run --complete --set bochs.m", "bochs.memory_mib=\n" },
	{ "run --complete -s experiment.source=", "experiment.source=leaves\n"
						  "experiment.source=tracepoint\n" },
	{ "run --complete --set=module.noept-novpid.v", "--set=module.noept-novpid.vpid=\n" },
	{ "run --complete -n noep", "noept-novpid\nnoept\n" },
	{ "run --complete --configs \"\"", COMPLETE_FOLDERS "\n" },
	{ "run --complete --expect \"\"", "" },
	{ "matrix --complete x", COMPLETE_FILES "\n" },
	{ "compare --complete -f m", "markdown\n" },
	{ "report --complete --format p", "published\n" },
	{ "doctor --complete -f \"\"", "text\njson\n" },
	{ "merge --complete -o x", COMPLETE_FILES "\n" },
	{ "list --complete -o name,ex", "name,exits\n" },
	{ "compare --complete /nonexistent", COMPLETE_FILES "\n" },
	{ "compare --complete results/reference/tcg:n", "results/reference/tcg:noept\n" },
	{ "doctor --complete \"\"", "" },
};

TEST(words_are_completed)
{
	test_each (row, completions) {
		g_autofree char *become = said(0, "%s", row->words);

		assert_string_equal(become, row->become);
	}
}

/* Each value that completion offers for --format is one that the command takes. */
TEST(formats_that_are_offered_exist)
{
	test_each_of (command, "compare", "report") {
		g_autofree char *all = said(0, "%s --complete --format \"\"", *command);
		g_auto(GStrv) formats = g_strsplit(g_strchomp(all), "\n", -1);

		assert_true(g_strv_length(formats) > 5);
		for (char **format = formats; *format != NULL; format++)
			g_free(said(0, "%s -f %s results/reference/bochs", *command, *format));
	}
}

/* --help is each command's, as eptlab(1) says. */
#define OF_ALL "help"

/* The names behind a mark in a page, "Fl Fl " or ".It Cm ". */
static GPtrArray *names_in(const char *page, const char *mark)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = test_get("man", page);
	const char *at = text;

	while ((at = strstr(at, mark)) != NULL) {
		at += strlen(mark);
		if (g_ascii_islower(*at) || g_ascii_isdigit(*at))
			g_ptr_array_add(names,
					g_strndup(at, strspn(at, "abcdefghijklmnopqrstuvwxyz-")));
	}
	return names;
}

static bool has(GPtrArray *names, const char *name)
{
	return g_str_equal(name, OF_ALL) ||
	       g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL);
}

/* What completion offers, without the dashes: options, or the rest. */
static GPtrArray *offered(const char *words, bool options)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *all = said(0, "%s", words);
	g_auto(GStrv) lines = g_strsplit(g_strchomp(all), "\n", -1);

	for (char **line = lines; *line != NULL; line++)
		if (g_str_has_prefix(*line, "--") == options)
			g_ptr_array_add(names, g_strdup(*line + (options ? 2 : 0)));
	return names;
}

TEST(manual_page_has_every_command)
{
	g_autoptr(GPtrArray) written = names_in("eptlab.1", ".It Cm ");
	g_autoptr(GPtrArray) commands = offered("--complete \"\"", false);

	assert_int_equal(written->len, commands->len);
	assert_true(commands->len >= 12);
	for (guint i = 0; i < commands->len; i++)
		if (!has(written, commands->pdata[i]))
			fail_msg("man/eptlab.1 has no %s", (char *)commands->pdata[i]);
}

/* Those of run may be its page's, where another one refers to that for its options. */
static void assert_options(const char *command, GPtrArray *of_run)
{
	g_autofree char *page = g_strdup_printf("eptlab-%s.1", command);
	g_autofree char *words = g_strdup_printf("%s --complete -", command);
	g_autofree char *text = test_get("man", page);
	g_autoptr(GPtrArray) options = offered(words, true);
	g_autoptr(GPtrArray) written = names_in(page, "Fl Fl ");
	const char *section = strstr(text, "\n.Sh OPTIONS\n");
	const bool refers = section != NULL && strstr(section, "\n.Xr eptlab-run 1") != NULL;

	for (guint i = 0; i < options->len; i++)
		if (!has(written, options->pdata[i]) && !(refers && has(of_run, options->pdata[i])))
			fail_msg("man/%s has no --%s", page, (char *)options->pdata[i]);
	for (guint i = 0; i < written->len; i++)
		if (!has(options, written->pdata[i]))
			fail_msg("eptlab %s has no --%s, which man/%s has", command,
				 (char *)written->pdata[i], page);
}

TEST(manual_pages_have_every_option)
{
	g_autoptr(GPtrArray) commands = offered("--complete \"\"", false);
	g_autoptr(GPtrArray) of_run = names_in("eptlab-run.1", "Fl Fl ");

	for (guint i = 0; i < commands->len; i++)
		assert_options(commands->pdata[i], of_run);
}

/* ---- Records, listed and shown ---- */

TEST(list_has_the_columns_that_are_chosen)
{
	g_autofree char *plain = said(0, "list --results results/reference");
	g_autofree char *chosen = said(0, "list --results results/reference -o seconds,name,name");
	g_autofree char *wrong = said(1, "list -o name,beauty");
	g_autofree char *none = said(1, "list -o \"\"");
	g_auto(GStrv) lines = g_strsplit(chosen, "\n", -1);

	assert_begins(plain, "bochs  valid ept noept\n");
	assert_int_equal(g_strv_length(lines), 3 + 2);
	assert_string_equal(lines[0], "seconds name   name");
	assert_true(g_str_has_suffix(lines[1], " bochs  bochs"));
	assert_says(wrong, "L0: a record has no column \"beauty\"; list has name, verdict, ");
	assert_says(none, "list takes at least one column of name, ");
}

TEST(list_has_all_of_what_a_record_has)
{
	g_autofree char *all = list_columns(",");
	g_autofree char *said_of = said(0, "list --results results/reference -o %s", all);

	assert_says(said_of, "corei7_haswell_4770");
	assert_says(said_of, " boot ");
}

TEST(show_tells_what_the_counts_do_not)
{
	g_autofree char *shown = said(0, "show results/reference/bochs");

	assert_begins(shown, "VALID: results/reference/bochs\n");
	test_each_of (part, "Platform: bochs: Bochs 2.7, CPU corei7_haswell_4770\n",
		      "Run noept, valid: ", "asked for: EPT off, VPID on; L1's sysfs: EPT off",
		      "passed, 0 failed, 0 not known", "input (SHA-256) ept          noept\n",
		      "\nall  ", "\nFiles: counts.csv ")
		assert_says(shown, *part);
}

TEST_IN_FOLDER(what_failed_is_shown_too)
{
	g_autofree char *shown = NULL;
	g_autofree char *text = NULL;
	struct record *record = record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");

	record_set_string(&record->error, "L1: it was silent");
	g_ptr_array_add(record->runs, record_run_new("ept"));
	text = record_to_text(record);
	test_put(folder, "record.json", text, -1);
	record_free(record);
	shown = said(0, "show %s", folder);
	assert_begins(shown, "FAILED:");
	assert_says(shown, "L1: it was silent\n");
	assert_says(shown, "Run ept, failed: no counts; no ticks");
	g_free(said(1, "show %s/nothing", folder));
}

/* ---- Installed ---- */

/* A root with the program and configs/ where the package has them, and nothing else. */
TEST_IN_FOLDER(installed_paths_are_the_systems_and_the_users)
{
	g_autofree char *program = lab_built("eptlab");
	g_autofree char *completed = NULL;
	g_autofree char *run = NULL;
	g_autofree char *latest = NULL;

	lab_shell("mkdir -p %s/usr/lib/eptlab %s/usr/bin %s/etc && cp %s %s/usr/lib/eptlab/ && "
		  "ln -s ../lib/eptlab/eptlab %s/usr/bin/ && cp -r configs %s/etc/eptlab",
		  folder, folder, folder, program, folder, folder, folder);
	lab_shell("%s/usr/bin/eptlab run --complete noe >%s/complete", folder, folder);
	lab_shell("rc=0; %s/usr/bin/eptlab run >%s/run 2>&1 || rc=$?; [ $rc -eq 2 ]", folder,
		  folder);
	lab_shell("mkdir -p %s/state/eptlab && cp -r results/reference/tcg %s/state/eptlab/ && "
		  "ln -s tcg %s/state/eptlab/latest && "
		  "XDG_STATE_HOME=%s/state %s/usr/bin/eptlab show >%s/latest",
		  folder, folder, folder, folder, folder, folder);
	completed = test_get(folder, "complete");
	assert_string_equal(completed, "noept-novpid\nnoept\n");
	run = test_get(folder, "run");
	assert_says(run, "/usr/lib/eptlab/");
	assert_says(run, " is missing; install the packages eptlab and eptlab-kernels again");
	latest = test_get(folder, "latest");
	assert_begins(latest, "VALID: ");
	assert_says(latest, "/state/eptlab/");
}

TEST(package_has_the_programs_version)
{
	g_autofree char *version = said(0, "--version");
	g_autofree char *changelog = test_get("debian", "changelog");
	g_autofree char *expected =
		g_strdup_printf("eptlab (%s) ", g_strchomp(strchr(version, ' ') + 1));

	assert_begins(changelog, expected);
}
