/* SPDX-License-Identifier: GPL-2.0-only */
/* probe.frames: what the probe in L2 has said of the counts. */
#include "fuzz/check.h"
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"
#include "collect/probe_result.h"

/* Each reason that a reading asked for was answered in one of the forms. */
static void check_answers(const struct probe_reading *reading, const struct record_run *run)
{
	g_autoptr(GPtrArray) live =
		probe_reading_exits(reading, PROBE_LIVE, record_run_vendor(run), true);

	check_ascending(live);
	g_assert_cmpuint(run->undefined->len, <=, probe_reading_asked(reading));
	g_assert_cmpuint(live->len + run->undefined->len, <=, probe_reading_asked(reading));
	g_assert_cmpuint(live->len + run->undefined->len + run->malformed->len, >=,
			 probe_reading_asked(reading));
}

/* No counter goes down, so nothing is less at the end than it was before the workload. */
static void check_differences(const struct probe_reading *last, const struct record_run *run)
{
	g_autoptr(GPtrArray) end = probe_reading_exits(
		last,
		run->interface.eax >= 2 && run->l2_in_effect.known ? PROBE_LATCHED : PROBE_LIVE,
		record_run_vendor(run), true);

	g_assert_cmpuint(end->len, ==, run->exits->len);
	for (guint i = 0; i < end->len; i++) {
		const struct record_exit *whole = g_ptr_array_index(end, i);
		const struct record_exit *one = g_ptr_array_index(run->exits, i);

		g_assert_true(one->before + one->count == whole->count);
		g_assert_true(!one->cycles.known || one->cycles.value <= whole->cycles.value);
	}
}

static struct record *new_record(void)
{
	struct record *record = record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "dose-cpuid");
	struct record_run *run = record_run_new("ept");

	run->requested.ept = RECORD_TRUE;
	run->requested.vpid = RECORD_TRUE;
	g_ptr_array_add(record->runs, run);
	return record;
}

static void store(const probe_result *result)
{
	g_autoptr(struct_record) record = new_record();
	struct record_run *run = g_ptr_array_index(record->runs, 0);
	const GPtrArray *readings = probe_result_readings(result);
	g_autofree char *once = NULL, *twice = NULL;

	g_assert_true(probe_result_is_complete(result));
	probe_result_store(result, run);
	if (check_is_long(record)) {
		check_judged(record, NULL);
		return;
	}
	once = record_to_text(record);
	probe_result_store(result, run);
	twice = record_to_text(record);
	g_assert_cmpstr(once, ==, twice);
	if (readings->len == 0) {
		g_assert_null(run->exits);
		check_judged(record, NULL);
		return;
	}
	check_ascending(run->exits);
	check_answers(g_ptr_array_index(readings, readings->len - 1), run);
	check_differences(g_ptr_array_index(readings, readings->len - 1), run);
	check_judged(record, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(probe_result) result = probe_result_parse(data, size, &error);

	check_outcome(result != NULL, error, EPTLAB_ERROR_L2);
	if (result != NULL)
		store(result);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return mutate_frames(data, size, max, seed);
}
