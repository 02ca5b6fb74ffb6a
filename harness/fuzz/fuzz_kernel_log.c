/* SPDX-License-Identifier: GPL-2.0-only */
/* L1's kernel log: what tells of trouble in it, and what a report shows of it. */
#include "fuzz/check.h"
#include "fuzz/fuzz.h"

#include <string.h>

#include "collect/kernel_log.h"
#include "judge/rules.h"
#include "report/prose.h"

static uint64_t lines_of(const char *text, size_t size)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n' || i == size - 1;
	return lines;
}

static void check_findings(const struct record_kernel_log *log)
{
	g_assert_cmpuint(log->findings->len, <=, MIN(log->lines, KERNEL_LOG_FINDINGS_MAX));
	for (guint i = 0; i < log->findings->len; i++) {
		const char *line = g_ptr_array_index(log->findings, i);

		g_assert_true(*line != '\0' && strchr(line, '\n') == NULL);
	}
}

static void check_excerpt(const char *text, size_t size)
{
	g_autofree char *copy = g_strndup(text, size);
	g_autofree char *excerpt = report_excerpt(copy);

	g_assert_true((excerpt != NULL) == (strstr(copy, "kvm: exitcount: VM ") != NULL));
	if (excerpt != NULL)
		check_printable(excerpt, "\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	g_autoptr(struct_record) record =
		record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
	struct record_run *run = record_run_new("ept");
	struct rule_result result;

	g_ptr_array_add(record->runs, run);
	/* What a log held before is replaced. */
	kernel_log_scan("WARNING: \n", 10, &run->kernel_log);
	kernel_log_scan(text, size, &run->kernel_log);
	g_assert_true(run->kernel_log.known);
	g_assert_cmpuint(run->kernel_log.lines, ==, lines_of(text, size));
	check_findings(&run->kernel_log);
	check_round_trip(record);
	result = rules_find("kernel-log")->of_run(run);
	g_assert_true((result.verdict == RECORD_CHECK_FAIL) == (run->kernel_log.findings->len > 0));
	g_free(result.saw);
	g_free(result.expected);
	check_excerpt(text, size);
	return 0;
}
