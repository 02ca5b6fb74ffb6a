/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations of L2's Linux: from a setting to L2's command line, and from frames to reports. */
#include "collect/probe_result.h"
#include "config/config.h"
#include "config/config_job.h"
#include "record/operations.h"
#include "report/operations.h"
#include "report/report.h"
#include "tests/sample.h"
#include "tests/test.h"
#include "wire/workload_list.h"

/* ---- Settings ---- */

static struct job *job_of(const char *setting, GError **error)
{
	const char *const settings[] = { setting, NULL };
	g_autoptr(struct_config) config = config_load("configs", NULL, settings, error);

	return config != NULL ? job_from_config(config, JOB_EXPERIMENT) : NULL;
}

static const char *append_of(const struct job *job)
{
	return ((const struct job_run *)job->runs->pdata[0])->append;
}

TEST(setting_becomes_an_argument_of_the_kernel)
{
	static const struct {
		const char *setting, *append;
	} rows[] = {
		{ "experiment.operations=none", "" },
		{ "experiment.operations=fork", WORKLOAD_PARAMETER "fork" },
		{ "experiment.operations=fork;switch-16", WORKLOAD_PARAMETER "fork;switch-16" },
		{ "experiment.operations=fork:20; mmap:100,200,400;brk",
		  WORKLOAD_PARAMETER "fork:20;mmap:100,200,400;brk" },
		{ "experiment.workload=dose-cpuid", "" },
		{ "l2.guest=/some/image",
		  WORKLOAD_PARAMETER "getppid;fork;exec;switch-16;mmap;mprotect" },
	};
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_job) all = job_of("experiment.operations=all", &error);

	test_each (row, rows) {
		g_autoptr(struct_job) job = job_of(row->setting, &error);

		assert_no_error(error);
		assert_string_equal(append_of(job), row->append);
	}
	assert_begins(append_of(all), WORKLOAD_PARAMETER "getppid;");
	assert_says(append_of(all), ";compile");
}

TEST(unknown_operation_is_refused)
{
	test_each_of (text, "experiment.operations=forks", "experiment.operations=all;fork",
		      "experiment.operations=none;none", "experiment.operations=") {
		g_autoptr(GError) error = NULL;

		assert_null(job_of(*text, &error));
		assert_error(&error, EPTLAB_ERROR_USAGE, "operations");
	}
}

/* L2 has 128 MiB: 64 for what takes memory, 16,384 pages or 512 processes. */
TEST(points_have_bounds)
{
	static const struct {
		const char *setting, *expected; /* NULL: it is right */
	} rows[] = {
		{ "getppid:1000000,", "'' stands in the points of 'getppid'" },
		{ "getppid:0", "'0' stands in the points of 'getppid'" },
		{ "getppid:20,10", "'10' stands in the points of 'getppid'" },
		{ "getppid:1,2,2", "'2' stands in the points of 'getppid'" },
		{ "getppid:", "'getppid' has ':' and no number behind it" },
		{ "getppid:x", "experiment.operations=getppid:x" },
		{ "getppid:1,2,3,4,5,6,7,8", NULL },
		{ "getppid:1,2,3,4,5,6,7,8,9", "9 points of 'getppid', expected at most 8" },
		{ "getppid:500000,1000000", NULL },
		{ "getppid:500000,1000001", "expected at most 1000000" },
		{ "getppid:333333", NULL },
		{ "getppid:333334", "up to 1000002 of 'getppid' in one piece (n, 2 n, 3 n)" },
		{ "getppid:99999999999999999999", "'99999999999999999999' stands" },
		{ "fault:100,16384", NULL },
		{ "fault:100,16385",
		  "up to 16385 of 'fault' in one piece, expected at most 16384" },
		{ "forkwait:171", "up to 513 of 'forkwait' in one piece (n, 2 n, 3 n), expected at "
				  "most 512 in an L2 of 128 MiB" },
		{ "fork:4;fork:8", "none twice" },
	};

	test_each (row, rows) {
		g_autofree char *setting =
			g_strconcat("experiment.operations=", row->setting, NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(struct_job) job = job_of(setting, &error);

		assert_true((job == NULL) == (row->expected != NULL));
		if (row->expected != NULL)
			assert_error(&error, EPTLAB_ERROR_USAGE, row->expected);
		else
			assert_no_error(error);
	}
}

/* ---- Frames ---- */

/* A set with the frames of one reading, and these behind it: "kind fields|fields" each. */
static probe_result *parse(const char *const *frames, GError **error)
{
	static const char *const reading[] = {
		"iface regs=2,1699567179,1668573560,1953396079",
		"effect regs=1,1,85,1",
		"reading name=boot|n=0|tsc=1",
		"total at=before|regs=1,0,0,0",
		"exit first=0|last=0|live=1,0,0,0|latched=1,0,0,0|cycles=0,0,0,0",
		"total at=after|regs=1,0,0,0",
		"latch regs=1,0,1,0|cpuids=9",
		"cycles regs=0,0,0,0",
		NULL,
	};
	const char *const *const parts[] = { reading, frames };
	g_autoptr(GString) out = g_string_new(NULL);
	uint32_t seq = 1;

	put_begin(out, PROBE_SENDER);
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		for (const char *const *frame = parts[i]; *frame != NULL; frame++) {
			g_auto(GStrv) words = g_strsplit(*frame, " ", 2);

			put_frame(out, seq++, words[0], words[1]);
		}
	}
	put_end(out, seq);
	return probe_result_parse(out->str, out->len, error);
}

TEST(points_of_a_workload_become_one_operation)
{
	static const char *const frames[] = {
		"operation name=fork|n=4|ticks=400|exits=0:40,28:4",
		"operation name=fork|n=8|ticks=800|exits=0:80,28:8",
		"operation name=getppid|n=1000|ticks=9|exits=",
		"failed name=exec|why=no\tspace",
		NULL,
	};
	g_autoptr(GError) error = NULL;
	g_autoptr(probe_result) result = parse(frames, &error);
	g_autoptr(struct_record_run) run = record_run_new("ept");

	assert_no_error(error);
	probe_result_store(result, run);
	assert_run(run, "operations.len=3 operations.0.workload=fork operations.0.error=null");
	assert_run(run, "operations.0.points.len=2 operations.0.points.0.n=4 "
			"operations.0.points.0.ticks=400 operations.0.points.0.exits.28.count=4 "
			"operations.0.points.0.exits.28.name=CR_ACCESS");
	assert_run(run, "operations.1.points.0.exits.len=0");
	assert_run(run, "operations.2.workload=exec operations.2.error=no\\tspace "
			"operations.2.points.len=0");
}

TEST(nonsense_of_an_operation_is_refused)
{
	static const struct {
		const char *frames[4], *says;
	} rows[] = {
		{ { "operation name=fork|n=0|ticks=1|exits=" }, "is a point of nothing" },
		{ { "operation name=fork|n=4|ticks=1|exits=0" }, "REASON:COUNT" },
		{ { "operation name=fork|n=4|ticks=1|exits=0:0" }, "REASON:COUNT" },
		{ { "operation name=fork|n=4|ticks=1|exits=0:1,0:1" }, "REASON:COUNT" },
		{ { "operation name=fork|n=4|ticks=1|exits=28:1,0:1" }, "REASON:COUNT" },
		{ { "operation name=fork|n=4|ticks=1|exits=65536:1" }, "REASON:COUNT" },
		{ { "operation name=fork|n=4|ticks=1|exits=0:18446744073709551616" },
		  "REASON:COUNT" },
		{ { "operation name=fork|n=4|ticks=1|exits=", "failed name=fork|why=x" },
		  "that has points" },
		{ { "failed name=fork|why=x", "operation name=fork|n=4|ticks=1|exits=" },
		  "is a point of nothing" },
		{ { "operation name=foRk|n=4|ticks=1|exits=" }, "whose name is none" },
		{ { "failed name=|why=x" }, "whose name is none" },
		{ { "failed name=fork|why=x", "failed name=exec|why=x", "failed name=fork|why=x" },
		  "that was done before" },
		{ { "failed name=fork|why=x", "reading name=boot|n=0|tsc=1" },
		  "is of another kind" },
	};

	test_each (row, rows) {
		g_autoptr(GError) error = NULL;

		assert_null(parse(row->frames, &error));
		assert_error(&error, EPTLAB_ERROR_L2, row->says);
	}
}

/* ---- Slopes ---- */

static struct record_operation *operation(const char *workload, const uint64_t (*points)[3])
{
	struct record_operation *one = record_operation_new(workload);

	/* n, ticks, exits of reason 0 */
	for (; (*points)[0] != 0; points++) {
		struct record_point *point = record_point_new((*points)[0], (*points)[1]);

		g_ptr_array_add(point->exits, record_exit_new(0, "EXCEPTION_NMI", (*points)[2]));
		g_ptr_array_add(one->points, point);
	}
	return one;
}

static GPtrArray *one_of(struct record_operation *one)
{
	GPtrArray *all = record_operations_new();

	g_ptr_array_add(all, one);
	return all;
}

TEST(what_is_not_the_operation_falls_out)
{
	/* 5 n + 90, and one of the points 3 off: by hand, slope 5 and residual 2. */
	static const struct {
		uint64_t points[4][3];
		double per_op, residual;
		bool known;
	} rows[] = {
		{ { { 4, 1, 110 }, { 8, 1, 130 }, { 12, 1, 150 } }, 5, 0, true },
		{ { { 4, 1, 110 }, { 8, 1, 133 }, { 12, 1, 150 } }, 5, 2, true },
		{ { { 4, 1, 110 }, { 8, 1, 130 } }, 5, 0, true },
		{ { { 4, 1, 110 }, { 4, 1, 130 } }, 0, 0, false },
		{ { { 4, 1, 110 } }, 0, 0, false },
		{ { { 4, 1, 3 }, { 8, 1, 3 }, { 12, 1, 3 } }, 0, 0, true },
	};

	test_each (row, rows) {
		g_autoptr(GPtrArray) all = one_of(operation("fork", row->points));
		const struct operation_fit fit = operation_exits(all->pdata[0], 0);

		assert_int_equal(fit.known, row->known);
		assert_true(fit.per_op > row->per_op - 1e-9 && fit.per_op < row->per_op + 1e-9);
		assert_true(fit.residual > row->residual - 1e-9 &&
			    fit.residual < row->residual + 1e-9);
		assert_true(operation_ticks(all->pdata[0]).per_op == 0);
		assert_true(operation_exits(all->pdata[0], 1).per_op == 0);
	}
}

TEST(slope_that_is_no_line_is_told)
{
	static const uint64_t straight[][3] = { { 4, 1, 40 }, { 8, 1, 83 }, { 12, 1, 120 }, { 0 } };
	static const uint64_t bent[][3] = { { 4, 1, 40 }, { 8, 1, 120 }, { 12, 1, 120 }, { 0 } };
	g_autoptr(GPtrArray) line = one_of(operation("fork", straight));
	g_autoptr(GPtrArray) none = one_of(operation("fork", bent));
	struct operation_fit fit = operation_total(line->pdata[0]);

	assert_true(operation_is_line(line->pdata[0], &fit));
	fit = operation_total(none->pdata[0]);
	assert_false(operation_is_line(none->pdata[0], &fit));
}

/* ---- Reports ---- */

TEST(every_report_has_them)
{
	static const uint64_t few[][3] = { { 4, 400, 8 }, { 8, 800, 16 }, { 12, 1200, 24 }, { 0 } };
	static const uint64_t many[][3] = {
		{ 4, 8000, 400 }, { 8, 16000, 800 }, { 12, 24000, 1200 }, { 0 }
	};
	g_autoptr(struct_record) record = sample_record();
	struct record_run *ept = record->runs->pdata[0], *noept = record->runs->pdata[1];
	g_autoptr(struct_comparison) comparison = NULL;
	struct report report;
	g_autofree char *text = NULL, *markdown = NULL, *html = NULL, *json = NULL;

	ept->operations = one_of(operation("fork", few));
	noept->operations = one_of(operation("fork", many));
	comparison = comparison_new(ept, NULL, noept, NULL);
	report = report_of_record(record, comparison, "title");
	text = report_text(&report, 80, false);
	assert_says(text,
		    "fork               2.00 100.00 50.00       100 2,000 20.00 0 EXCEPTION_NMI");
	markdown = report_markdown(&report);
	assert_says(markdown,
		    "| fork | 2.00 | 100.00 | 50.00 | 100 | 2,000 | 20.00 | 0 EXCEPTION\\_NMI |");
	html = report_html(&report);
	assert_says(html, "<h2>What one operation costs</h2>");
	assert_says(html, "<td class=\"number\">100.00</td>");
	assert_says(html, "<circle class=\"first\"");
	json = report_json(&report);
	assert_says(json, "\"workload\": \"fork\"");
	assert_says(json, "\"per_op\": 100.0");
}

/* Which n there were is only said where it is so. */
TEST(notes_say_what_was_done)
{
	static const uint64_t multiples[][3] = {
		{ 4, 400, 8 }, { 8, 800, 16 }, { 12, 1200, 24 }, { 0 }
	};
	static const uint64_t asked[][3] = {
		{ 4, 400, 8 }, { 8, 800, 16 }, { 16, 1600, 32 }, { 0 }
	};
	static const uint64_t two[][3] = { { 4, 400, 8 }, { 8, 800, 16 }, { 0 } };
	static const struct {
		const uint64_t (*points)[3];
		const char *says;
	} rows[] = {
		{ multiples, "the slope over n, 2 n and 3 n of them" },
		{ asked, "the slope over the numbers that were asked for, so" },
		{ two, "the slope over the numbers that were asked for, so" },
	};

	test_each (row, rows) {
		g_autoptr(struct_record) record = sample_record();
		struct record_run *ept = record->runs->pdata[0];
		g_autoptr(struct_comparison) comparison = NULL;
		g_autofree char *notes = NULL;

		ept->operations = one_of(operation("fork", row->points));
		comparison = comparison_new(ept, NULL, NULL, NULL);
		notes = operation_notes(comparison);
		assert_says(notes, row->says);
	}
}

/* A third run: the first is the base of all. Nothing of it is left out in any format. */
TEST(three_runs_stand_side_by_side)
{
	static const uint64_t few[][3] = { { 4, 400, 8 }, { 8, 800, 16 }, { 12, 1200, 24 }, { 0 } };
	static const uint64_t many[][3] = {
		{ 4, 8000, 400 }, { 8, 16000, 800 }, { 12, 24000, 1200 }, { 0 }
	};
	g_autoptr(struct_record) record = sample_record();
	struct record_run *ept = record->runs->pdata[0], *noept = record->runs->pdata[1], *third;
	g_autoptr(struct_comparison) comparison = NULL;
	struct report report;
	g_autofree char *text = NULL, *markdown = NULL, *html = NULL, *json = NULL, *csv = NULL,
			*operations = NULL;

	ept->operations = one_of(operation("fork", few));
	noept->operations = one_of(operation("fork", many));
	noept->mmu.known = true;
	noept->mmu.vm = record_statistics_new();
	g_ptr_array_add(noept->mmu.vm, record_statistic_new("mmu_flooded", 128));
	third = record_run_copy(noept);
	((struct record_statistic *)third->mmu.vm->pdata[0])->value = 129;
	record_set_string(&third->config, "third");
	sample_exit(third, 48)->count = 12368;
	g_ptr_array_add(record->runs, third);
	comparison = comparison_new(ept, NULL, noept, NULL);
	report = report_of_record(record, comparison, "title");
	text = report_text(&report, 80, false);
	assert_says(text, "exits of one  ept  noept  third noept/ept third/ept\n"
			  "fork         2.00 100.00 100.00     50.00     50.00\n");
	assert_says(text, "48 EPT_VIOLATION      6,184     0 12,368      0.00      2.00\n");
	assert_says(text, "third (EPT off, VPID on)");
	assert_says(text, "mmu_flooded           128   129\n");
	markdown = report_markdown(&report);
	assert_says(markdown, "| 48 | EPT\\_VIOLATION | 6,184 | 0 | 12,368 | 0.00 | 2.00 |");
	assert_says(markdown, "In effect in third");
	assert_says(markdown, "| mmu\\_flooded |  | 128 | 129 | Shadow page tables given up");
	assert_says(markdown, "\n### third beside ept\n\nOf 6 paging-related reasons");
	html = report_html(&report);
	assert_says(html, "<th class=\"number\" scope=\"col\">third</th>");
	assert_says(html, "<td class=\"number\" data-value=\"12368\">12,368</td>");
	assert_says(html, "<td class=\"number\">129</td>");
	json = report_json(&report);
	assert_says(json, "\"further\": [");
	assert_says(json, "\"label\": \"third\"");
	assert_says(json, "\"runs\": [\n            null,\n            129\n          ]");
	csv = report_csv(&report);
	assert_begins(csv, "reason,name,paging,ept,noept,third,difference noept,ratio noept,"
			   "difference third,ratio third\r\n");
	assert_says(csv, "\n48,EPT_VIOLATION,yes,6184,0,12368,-6184,0.000000,6184,2.000000\r\n");
	operations = report_operations_csv(&report);
	assert_begins(operations, "operation,run,what,per_op,residual,points,error\r\n"
				  "fork,ept,exits,2.000000,0.000000,4=8;8=16;12=24,\r\n"
				  "fork,ept,ticks,100.000000,0.000000,4=400;8=800;12=1200,\r\n"
				  "fork,ept,0,2.000000,0.000000,4=8;8=16;12=24,\r\n");
	assert_says(operations, "\nfork,third,exits,100.000000,");
}

TEST(without_operations_there_is_no_table)
{
	g_autoptr(struct_record) record = sample_record();
	g_autoptr(struct_comparison) comparison =
		comparison_new(record->runs->pdata[0], NULL, record->runs->pdata[1], NULL);
	struct report report = report_of_record(record, comparison, "title");
	g_autofree char *text = report_text(&report, 80, false);
	g_autofree char *html = report_html(&report);

	assert_null(strstr(text, "one operation"));
	assert_null(strstr(html, "one operation"));
}
