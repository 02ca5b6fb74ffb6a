/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/many.h"

#include <string.h>

#include "record/reasons.h"
#include "tests/sample.h"
#include "tests/test.h"

static void add_operation(struct record_run *run, const char *workload, uint64_t per_op)
{
	struct record_operation *operation = record_operation_new(workload);

	for (uint64_t n = 16; n <= 48; n += 16) {
		struct record_point *point = record_point_new(n, 1000 + n * 500);

		g_ptr_array_add(point->exits,
				record_exit_new(REASON_EXCEPTION_NMI, "EXCEPTION_NMI", n * per_op));
		g_ptr_array_add(point->exits, record_exit_new(REASON_CPUID, "CPUID", 70));
		g_ptr_array_add(operation->points, point);
	}
	g_ptr_array_add(run->operations, operation);
}

struct record *many_record(const char *line, const char *platform, uint64_t exceptions)
{
	struct record *record = sample_record();

	record->verdict = RECORD_VALID;
	record_set_string(&record->kernel.line, line);
	record_set_string(&record->platform.name, platform);
	sample_set_count(record_find_run(record, "noept"), REASON_EXCEPTION_NMI, exceptions);
	for (guint i = 0; i < record->runs->len; i++) {
		struct record_run *run = record->runs->pdata[i];
		const bool shadow = g_str_equal(run->config, "noept");

		record_run_describe(run, record);
		run->operations = record_operations_new();
		add_operation(run, "fork", shadow ? exceptions : 1);
		add_operation(run, "mmap", shadow ? exceptions / 2 : 1);
	}
	return record;
}

void many_put(const char *folder, const char *name, const struct record *record)
{
	g_autofree char *file = g_build_filename(name, "record.json", NULL);
	g_autofree char *text = record_to_text(record);

	test_put(folder, file, text, -1);
}

/* Of what is made once: the repeats differ in the time only, which has the same length in all. */
#define SIZES	10
#define CREATED strlen("2026-01-31T23:59:59Z")

void many_records(const char *folder, unsigned int count)
{
	static const char *const lines[] = { "5.10", "6.1", "6.6", "6.12", "7.3" };
	static const char *const platforms[] = { "bochs", "kvm" };
	const unsigned int kinds = G_N_ELEMENTS(lines) * G_N_ELEMENTS(platforms) * SIZES;

	for (unsigned int kind = 0; kind < kinds; kind++) {
		const char *line = lines[kind % G_N_ELEMENTS(lines)];
		const char *platform = platforms[kind / G_N_ELEMENTS(lines) % 2];

		for (unsigned int variant = 0; variant < 3; variant++) {
			struct record *record =
				many_record(line, platform, 7000 + 10 * kind + variant);
			g_autofree char *text = NULL;
			char *created;

			for (guint i = 0; i < record->runs->len; i++)
				((struct record_run *)record->runs->pdata[i])->guest.memory_mib =
					record_u64_from(64 * (1 + (uint64_t)kind / 10));
			text = record_to_text(record);
			created = strstr(text, record->created);
			for (unsigned int i = kind + variant * kinds; i < count; i += 3 * kinds) {
				g_autofree char *time = g_strdup_printf(
					"2026-01-%02uT%02u:%02u:%02uZ", 1 + i / 86400,
					i / 3600 % 24, i / 60 % 60, i % 60);
				g_autofree char *file = g_strdup_printf(
					"202601%02uT%02u%02u%02uZ-%s-boot/record.json",
					1 + i / 86400, i / 3600 % 24, i / 60 % 60, i % 60,
					platform);

				memcpy(created, time, CREATED);
				test_put(folder, file, text, -1);
			}
			record_free(record);
		}
	}
}
