/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/fields.h"

#include <string.h>

#include "base/each.h"
#include "record/record.h"
#include "wire/command.h"

const char *const record_verdict_names[] = {
	[RECORD_VALID] = "valid",
	[RECORD_INVALID] = "invalid",
	[RECORD_FAILED] = "failed",
	NULL,
};

const char *const record_check_verdict_names[] = {
	[RECORD_CHECK_PASS] = "pass",
	[RECORD_CHECK_FAIL] = "fail",
	[RECORD_CHECK_NOT_APPLICABLE] = "not applicable",
	[RECORD_CHECK_UNKNOWN] = "unknown",
	NULL,
};

const char *const record_source_names[] = {
	[RECORD_LEAVES] = "leaves",
	[RECORD_TRACEPOINT] = "tracepoint",
	NULL,
};

const char *const record_end_names[] = {
#define WORD(name, word) word,
	COMMAND_ENDS(WORD) NULL,
};

/* ---- The tables ---- */

#define OF(type) .size = sizeof(struct type)
#define FIELDS(...)                                                                                \
	.fields = (const struct record_field[]){ __VA_ARGS__ },                                    \
	.count =                                                                                   \
		sizeof((const struct record_field[]){ __VA_ARGS__ }) / sizeof(struct record_field)
#define FIELD(type, member, field_kind)                                                            \
	.key = #member, .kind = (field_kind), .offset = offsetof(struct type, member)

static void run_prepare(void *base)
{
	struct record_run *run = base;

	run->verdict = RECORD_FAILED;
	run->seconds = -1;
	run->kernel.modules = record_object_list(&record_object_module);
	run->kernel_log.findings = g_ptr_array_new_with_free_func(g_free);
	run->l2_log.findings = g_ptr_array_new_with_free_func(g_free);
}

static void point_prepare(void *base)
{
	((struct record_point *)base)->exits = record_object_list(&record_object_exit);
}

static void operation_prepare(void *base)
{
	((struct record_operation *)base)->points = record_object_list(&record_object_point);
}

#define RELEASE(type)                                                                              \
	static void type##_release(void *base)                                                     \
	{                                                                                          \
		record_object_free(&record_object_##type, base);                                   \
	}

RELEASE(exit)
RELEASE(cpuid)
RELEASE(point)
RELEASE(operation)
RELEASE(module)
RELEASE(input)
RELEASE(statistic)
RELEASE(run)
RELEASE(check)
RELEASE(step)
RELEASE(axis)

const struct record_object record_object_platform = {
	OF(record_platform),
	FIELDS({ FIELD(record_platform, name, FIELD_OPT_NAME) },
	       { FIELD(record_platform, emulator, FIELD_STRING) },
	       { FIELD(record_platform, version, FIELD_STRING) },
	       { FIELD(record_platform, cpu, FIELD_STRING) },
	       { FIELD(record_platform, vendor, FIELD_STRING) },
	       { FIELD(record_platform, cpus, FIELD_OPT_U64), .since = SINCE_LATE_2 },
	       { FIELD(record_platform, deterministic, FIELD_BOOL3) }),
};

const struct record_object record_object_module = {
	OF(record_module),
	.release = module_release,
	FIELDS({ FIELD(record_module, name, FIELD_TEXT) },
	       { FIELD(record_module, build_id, FIELD_STRING) }),
};

static const struct record_object object_kernel = {
	OF(record_kernel),
	FIELDS({ FIELD(record_kernel, line, FIELD_STRING), .since = SINCE_2 },
	       { FIELD(record_kernel, release, FIELD_STRING) },
	       { FIELD(record_kernel, patches_sha256, FIELD_STRING) },
	       { FIELD(record_kernel, modules, FIELD_LIST), .object = &record_object_module }),
};

static const struct record_object object_guest = {
	OF(record_guest),
	FIELDS({ FIELD(record_guest, image_sha256, FIELD_STRING) },
	       { FIELD(record_guest, kernel_sha256, FIELD_STRING) },
	       { FIELD(record_guest, probe_sha256, FIELD_STRING) },
	       { FIELD(record_guest, memory_mib, FIELD_OPT_U64) },
	       { FIELD(record_guest, vcpus, FIELD_OPT_U64) }),
};

static const struct record_object object_parameters = {
	OF(record_parameters),
	FIELDS({ FIELD(record_parameters, ept, FIELD_BOOL3) },
	       { FIELD(record_parameters, vpid, FIELD_BOOL3) },
	       { FIELD(record_parameters, unrestricted_guest, FIELD_BOOL3) },
	       { FIELD(record_parameters, pcid, FIELD_BOOL3), .since = SINCE_LATE_2 },
	       { FIELD(record_parameters, thp, FIELD_BOOL3), .since = SINCE_LATE_2 },
	       { FIELD(record_parameters, pti, FIELD_BOOL3), .since = SINCE_LATE_2 }),
};

static const struct record_object object_interface = {
	OF(record_interface),
	FIELDS({ FIELD(record_interface, eax, FIELD_U32) },
	       { FIELD(record_interface, ebx, FIELD_U32) },
	       { FIELD(record_interface, ecx, FIELD_U32) },
	       { FIELD(record_interface, edx, FIELD_U32) }),
};

const struct record_object record_object_cpuid = {
	OF(record_cpuid),
	.release = cpuid_release,
	FIELDS({ FIELD(record_cpuid, leaf, FIELD_U32) }, { FIELD(record_cpuid, index, FIELD_U32) },
	       { FIELD(record_cpuid, eax, FIELD_U32) }, { FIELD(record_cpuid, ebx, FIELD_U32) },
	       { FIELD(record_cpuid, ecx, FIELD_U32) }, { FIELD(record_cpuid, edx, FIELD_U32) }),
};

static const struct record_object object_l2_effect = {
	OF(record_l2_effect),
	FIELDS({ FIELD(record_l2_effect, ept, FIELD_BOOL) },
	       { FIELD(record_l2_effect, vpid, FIELD_BOOL) },
	       { FIELD(record_l2_effect, unrestricted_guest, FIELD_BOOL) },
	       { FIELD(record_l2_effect, cycles, FIELD_BOOL) },
	       { FIELD(record_l2_effect, vendor, FIELD_U32) },
	       { FIELD(record_l2_effect, highest_reason, FIELD_U32) },
	       { FIELD(record_l2_effect, vcpus, FIELD_U32) }),
};

static const struct record_object object_leaf_total = {
	OF(record_leaf_total),
	FIELDS({ FIELD(record_leaf_total, before, FIELD_U64) },
	       { FIELD(record_leaf_total, after, FIELD_U64) },
	       { FIELD(record_leaf_total, reads, FIELD_U32) },
	       { FIELD(record_leaf_total, cpuid_read, FIELD_U32) },
	       { FIELD(record_leaf_total, sum, FIELD_OPT_U64) }),
};

static const struct record_object object_latch = {
	OF(record_latch),
	FIELDS({ FIELD(record_latch, total, FIELD_U64) },
	       { FIELD(record_latch, serial, FIELD_U32) },
	       { FIELD(record_latch, sum, FIELD_OPT_U64) }),
};

const struct record_object record_object_exit = {
	OF(record_exit),
	.release = exit_release,
	FIELDS({ FIELD(record_exit, reason, FIELD_U32) },
	       { FIELD(record_exit, name, FIELD_STRING) },
	       { FIELD(record_exit, before, FIELD_U64) }, { FIELD(record_exit, count, FIELD_U64) },
	       { FIELD(record_exit, cycles, FIELD_OPT_U64) }),
};

static const struct record_object object_dose = {
	OF(record_dose),
	FIELDS({ FIELD(record_dose, n, FIELD_U64) }, { FIELD(record_dose, cpuids, FIELD_U64) }),
};

static const struct record_object object_cost = {
	OF(record_cost),
	FIELDS({ FIELD(record_cost, exits, FIELD_U64) }, { FIELD(record_cost, ticks, FIELD_U64) }),
};

static const struct record_object object_command = {
	OF(record_command),
	FIELDS({ FIELD(record_command, line, FIELD_STRING) },
	       { FIELD(record_command, end, FIELD_CHOICE), .names = record_end_names },
	       { FIELD(record_command, value, FIELD_U64) },
	       { FIELD(record_command, output, FIELD_U64) },
	       { FIELD(record_command, full, FIELD_BOOL) }),
};

/* Of KVM's debugfs, which is read no more: runs[].mmu has the same. */
static const char *const witness_former[] = { "debugfs", "vcpu_exits", NULL };

static const struct record_object object_witness = {
	OF(record_witness),
	FIELDS({ FIELD(record_witness, at_latch, FIELD_OPT_LIST), .object = &record_object_exit },
	       { FIELD(record_witness, at_end, FIELD_OPT_LIST), .object = &record_object_exit }),
	.former = witness_former,
};

static const struct record_object object_earlier = {
	OF(record_earlier),
	FIELDS({ FIELD(record_earlier, record, FIELD_TEXT) },
	       { FIELD(record_earlier, exits, FIELD_LIST), .object = &record_object_exit }),
};

/* In JSON it is one field: its name is the input's, and its value the digest. */
const struct record_object record_object_input = {
	OF(record_input),
	.release = input_release,
	FIELDS({ FIELD(record_input, name, FIELD_NAME) },
	       { FIELD(record_input, sha256, FIELD_TEXT) }),
};

/* The same, with the value. */
const struct record_object record_object_statistic = {
	OF(record_statistic),
	.release = statistic_release,
	FIELDS({ FIELD(record_statistic, name, FIELD_NAME) },
	       { FIELD(record_statistic, value, FIELD_U64) }),
};

static const struct record_object object_mmu = {
	OF(record_mmu),
	FIELDS({ FIELD(record_mmu, error, FIELD_STRING) },
	       { FIELD(record_mmu, vm, FIELD_STATISTICS), .object = &record_object_statistic },
	       { FIELD(record_mmu, vcpu, FIELD_STATISTICS), .object = &record_object_statistic },
	       { FIELD(record_mmu, reasons, FIELD_OPT_LIST), .object = &record_object_exit,
		 .since = SINCE_LATE_2 }),
};

static const struct record_object object_kernel_log = {
	OF(record_kernel_log),
	FIELDS({ FIELD(record_kernel_log, lines, FIELD_U64) },
	       { FIELD(record_kernel_log, lost, FIELD_BOOL) },
	       { FIELD(record_kernel_log, findings, FIELD_LINES) }),
};

const struct record_object record_object_point = {
	OF(record_point),
	.prepare = point_prepare,
	.release = point_release,
	FIELDS({ FIELD(record_point, n, FIELD_U64) }, { FIELD(record_point, ticks, FIELD_U64) },
	       { FIELD(record_point, exits, FIELD_LIST), .object = &record_object_exit }),
};

const struct record_object record_object_operation = {
	OF(record_operation),
	.prepare = operation_prepare,
	.release = operation_release,
	FIELDS({ FIELD(record_operation, workload, FIELD_NAME) },
	       { FIELD(record_operation, error, FIELD_STRING) },
	       { FIELD(record_operation, points, FIELD_LIST), .object = &record_object_point }),
};

const struct record_object record_object_run = {
	OF(record_run),
	.prepare = run_prepare,
	.release = run_release,
	FIELDS({ FIELD(record_run, config, FIELD_NAME) },
	       { FIELD(record_run, verdict, FIELD_CHOICE), .names = record_verdict_names },
	       { FIELD(record_run, error, FIELD_STRING) },
	       { FIELD(record_run, platform, FIELD_OBJECT), .object = &record_object_platform,
		 .since = SINCE_2 },
	       { FIELD(record_run, kernel, FIELD_OBJECT), .object = &object_kernel,
		 .since = SINCE_2 },
	       { FIELD(record_run, source, FIELD_CHOICE), .names = record_source_names,
		 .since = SINCE_2 },
	       { FIELD(record_run, workload, FIELD_OPT_NAME), .since = SINCE_2 },
	       { FIELD(record_run, inputs, FIELD_INPUTS), .object = &record_object_input,
		 .since = SINCE_2 },
	       { FIELD(record_run, earlier, FIELD_OPT_OBJECT), .object = &object_earlier,
		 .since = SINCE_2 },
	       { FIELD(record_run, requested, FIELD_OBJECT), .object = &object_parameters },
	       { FIELD(record_run, in_effect, FIELD_OBJECT), .object = &object_parameters },
	       { FIELD(record_run, l2_in_effect, FIELD_OPT_OBJECT), .object = &object_l2_effect },
	       { FIELD(record_run, interface, FIELD_OPT_OBJECT), .object = &object_interface },
	       { FIELD(record_run, cpuid, FIELD_OPT_LIST), .object = &record_object_cpuid,
		 .since = SINCE_LATE_2 },
	       { FIELD(record_run, module_ids, FIELD_OPT_LIST), .object = &record_object_module },
	       { FIELD(record_run, guest, FIELD_OBJECT), .object = &object_guest },
	       { FIELD(record_run, seconds, FIELD_SECONDS) },
	       { FIELD(record_run, ticks, FIELD_OPT_U64) },
	       { FIELD(record_run, kernel_log, FIELD_OPT_OBJECT), .object = &object_kernel_log },
	       { FIELD(record_run, l2_log, FIELD_OPT_OBJECT), .object = &object_kernel_log,
		 .since = SINCE_LATE_1 },
	       { FIELD(record_run, leaf_total, FIELD_OPT_OBJECT), .object = &object_leaf_total },
	       { FIELD(record_run, latch, FIELD_OPT_OBJECT), .object = &object_latch },
	       { FIELD(record_run, total, FIELD_OPT_U64) },
	       { FIELD(record_run, exits, FIELD_OPT_LIST), .object = &record_object_exit },
	       { FIELD(record_run, undefined, FIELD_REASONS) },
	       { FIELD(record_run, malformed, FIELD_REASONS) },
	       { FIELD(record_run, l1_exits, FIELD_OPT_LIST), .object = &record_object_exit },
	       { FIELD(record_run, l1_total, FIELD_OPT_U64) },
	       { FIELD(record_run, witness, FIELD_OPT_OBJECT), .object = &object_witness },
	       { FIELD(record_run, mmu, FIELD_OPT_OBJECT), .object = &object_mmu,
		 .since = SINCE_LATE_2 },
	       { FIELD(record_run, cost, FIELD_OPT_OBJECT), .object = &object_cost },
	       { FIELD(record_run, dose, FIELD_OPT_OBJECT), .object = &object_dose },
	       { FIELD(record_run, operations, FIELD_OPT_LIST), .object = &record_object_operation,
		 .since = SINCE_LATE_2 },
	       { FIELD(record_run, command, FIELD_OPT_OBJECT), .object = &object_command,
		 .since = SINCE_LATE_2 }),
};

const struct record_object record_object_check = {
	OF(record_check),
	.release = check_release,
	FIELDS({ FIELD(record_check, rule, FIELD_TEXT) },
	       { FIELD(record_check, run, FIELD_STRING) },
	       { FIELD(record_check, verdict, FIELD_CHOICE), .names = record_check_verdict_names },
	       { FIELD(record_check, decisive, FIELD_BOOL) },
	       { FIELD(record_check, saw, FIELD_STRING) },
	       { FIELD(record_check, expected, FIELD_STRING) },
	       { FIELD(record_check, why, FIELD_STRING) },
	       { FIELD(record_check, advice, FIELD_STRING) }),
};

const struct record_object record_object_step = {
	OF(record_step),
	.release = step_release,
	FIELDS({ FIELD(record_step, text, FIELD_TEXT) },
	       { FIELD(record_step, seconds, FIELD_SECONDS) }),
};

const struct record_object record_object_axis = {
	OF(record_axis),
	.release = axis_release,
	FIELDS({ FIELD(record_axis, axis, FIELD_TEXT) }, { FIELD(record_axis, value, FIELD_TEXT) }),
};

const struct record_object record_object_cell = {
	OF(record_cell),
	FIELDS({ FIELD(record_cell, matrix, FIELD_NAME) }, { FIELD(record_cell, id, FIELD_NAME) },
	       { FIELD(record_cell, repeat, FIELD_U64) },
	       { FIELD(record_cell, axes, FIELD_LIST), .object = &record_object_axis }),
};

static void record_prepare(void *base)
{
	struct record *record = base;

	record->verdict = RECORD_FAILED;
	record->seconds = -1;
	record->kernel.modules = record_object_list(&record_object_module);
	record->runs = record_object_list(&record_object_run);
	record->checks = record_object_list(&record_object_check);
}

const struct record_object record_object_record = {
	OF(record),
	.prepare = record_prepare,
	FIELDS({ FIELD(record, verdict, FIELD_CHOICE), .names = record_verdict_names },
	       { FIELD(record, error, FIELD_STRING) }, { FIELD(record, eptlab, FIELD_TEXT) },
	       { FIELD(record, created, FIELD_TEXT) }, { FIELD(record, seconds, FIELD_SECONDS) },
	       { FIELD(record, ticks, FIELD_OPT_U64) },
	       { FIELD(record, platform, FIELD_OBJECT), .object = &record_object_platform },
	       { FIELD(record, kernel, FIELD_OBJECT), .object = &object_kernel },
	       { FIELD(record, guest, FIELD_OBJECT), .object = &object_guest },
	       { FIELD(record, workload, FIELD_NAME) },
	       { FIELD(record, cell, FIELD_OPT_OBJECT), .object = &record_object_cell,
		 .since = SINCE_LATE_2 },
	       { FIELD(record, steps, FIELD_OPT_LIST), .object = &record_object_step,
		 .since = SINCE_2 },
	       { FIELD(record, runs, FIELD_LIST), .object = &record_object_run },
	       { FIELD(record, checks, FIELD_LIST), .object = &record_object_check }),
};

/* ---- What can be done with any structure ---- */

static void object_clear(const struct record_object *object, void *base);

static void field_clear(const struct record_field *field, void *member)
{
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_OPT_NAME:
	case FIELD_STRING:
		g_clear_pointer((char **)member, g_free);
		break;
	case FIELD_OBJECT:
	case FIELD_OPT_OBJECT:
		object_clear(field->object, member);
		break;
	case FIELD_LIST:
	case FIELD_OPT_LIST:
	case FIELD_INPUTS:
	case FIELD_STATISTICS:
	case FIELD_LINES:
		g_clear_pointer((GPtrArray **)member, g_ptr_array_unref);
		break;
	case FIELD_REASONS:
		g_clear_pointer((GArray **)member, g_array_unref);
		break;
	default:
		break;
	}
}

static void object_clear(const struct record_object *object, void *base)
{
	each_field (field, object)
		field_clear(field, (char *)base + field->offset);
}

void record_object_free(const struct record_object *object, void *base)
{
	if (!base)
		return;
	object_clear(object, base);
	g_free(base);
}

void *record_object_new(const struct record_object *object)
{
	void *base = g_malloc0(object->size);

	if (object->prepare)
		object->prepare(base);
	return base;
}

GPtrArray *record_object_list(const struct record_object *object)
{
	return g_ptr_array_new_with_free_func(object->release);
}

static void object_own(const struct record_object *object, void *base);

static gpointer copy_line(gconstpointer line, gpointer data)
{
	(void)data;
	return g_strdup(line);
}

static GPtrArray *copy_list(const struct record_object *object, const GPtrArray *from)
{
	GPtrArray *to = record_object_list(object);

	each (const void, one, from)
		g_ptr_array_add(to, record_object_copy(object, one));
	return to;
}

static void field_own(const struct record_field *field, void *member)
{
	GPtrArray **list = member;
	GArray **reasons = member;
	char **text = member;

	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_OPT_NAME:
	case FIELD_STRING:
		*text = g_strdup(*text);
		break;
	case FIELD_OBJECT:
	case FIELD_OPT_OBJECT:
		object_own(field->object, member);
		break;
	case FIELD_LIST:
	case FIELD_OPT_LIST:
	case FIELD_INPUTS:
	case FIELD_STATISTICS:
		*list = *list ? copy_list(field->object, *list) : NULL;
		break;
	case FIELD_LINES:
		*list = g_ptr_array_copy(*list, copy_line, NULL);
		break;
	case FIELD_REASONS:
		*reasons = *reasons ? g_array_copy(*reasons) : NULL;
		break;
	default:
		break;
	}
}

/* The pointers in a structure belong to another one: replace them by copies. */
static void object_own(const struct record_object *object, void *base)
{
	each_field (field, object)
		field_own(field, (char *)base + field->offset);
}

void *record_object_copy(const struct record_object *object, const void *from)
{
	void *to = g_memdup2(from, object->size);

	object_own(object, to);
	return to;
}

void record_object_assign(const struct record_object *object, void *to, const void *from)
{
	object_clear(object, to);
	memcpy(to, from, object->size);
	object_own(object, to);
}
