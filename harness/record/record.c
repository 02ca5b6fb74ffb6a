/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/record.h"

#include <string.h>

#include "record/reasons.h"
#include "record/fields.h"
#include "base/each.h"

const char *record_verdict_name(enum record_verdict verdict)
{
	return record_verdict_names[verdict];
}

const char *record_source_name(enum record_source source)
{
	return record_source_names[source];
}

struct record *record_new(const char *eptlab_version, const char *created, const char *platform,
			  const char *workload)
{
	struct record *record = record_object_new(&record_object_record);

	record->eptlab = g_strdup(eptlab_version);
	record->created = g_strdup(created);
	record->platform.name = g_strdup(platform);
	record->workload = g_strdup(workload);
	return record;
}

void record_free(struct record *record)
{
	record_object_free(&record_object_record, record);
}

struct record_run *record_run_new(const char *config)
{
	struct record_run *run = record_object_new(&record_object_run);

	run->config = g_strdup(config);
	return run;
}

void record_run_free(struct record_run *run)
{
	record_object_free(&record_object_run, run);
}

struct record_run *record_run_copy(const struct record_run *run)
{
	return record_object_copy(&record_object_run, run);
}

void record_run_describe(struct record_run *run, const struct record *record)
{
	record_object_assign(&record_object_platform, &run->platform, &record->platform);
	record_set_string(&run->kernel.line, record->kernel.line);
	record_set_string(&run->kernel.release, record->kernel.release);
	record_set_string(&run->kernel.patches_sha256, record->kernel.patches_sha256);
	/* One list for all: a foreign record may have very many of both. */
	g_ptr_array_unref(run->kernel.modules);
	run->kernel.modules = g_ptr_array_ref(record->kernel.modules);
	record_set_string(&run->workload, record->workload);
}

void record_set_cell(struct record *record, const struct record_cell *cell)
{
	record_object_assign(&record_object_cell, &record->cell, cell);
}

const char *record_run_inputs(const struct record_run *run)
{
	const guint count = run->inputs ? run->inputs->len : 0;

	return count > 0 ? ((struct record_input *)run->inputs->pdata[count - 1])->sha256 : NULL;
}

uint32_t record_run_vendor(const struct record_run *run)
{
	const bool svm = run->l2_in_effect.known
				 ? run->l2_in_effect.vendor == KVM_EXITCOUNT_VENDOR_SVM
				 : g_strcmp0(run->platform.vendor, "svm") == 0;

	return svm ? KVM_EXITCOUNT_VENDOR_SVM : KVM_EXITCOUNT_VENDOR_VMX;
}

static bool differs(enum record_bool a, enum record_bool b)
{
	return a != RECORD_UNKNOWN && b != RECORD_UNKNOWN && a != b;
}

unsigned int record_run_changes(const struct record_run *a, const struct record_run *b)
{
	const struct record_parameters *one = &a->requested, *other = &b->requested;
	const bool paging = differs(one->ept, other->ept);

	return paging + differs(one->vpid, other->vpid) +
	       (!paging && (one->unrestricted_guest == RECORD_FALSE) !=
				   (other->unrestricted_guest == RECORD_FALSE)) +
	       ((one->pcid == RECORD_FALSE) != (other->pcid == RECORD_FALSE)) +
	       ((one->thp == RECORD_TRUE) != (other->thp == RECORD_TRUE));
}

enum record_bool record_run_nested(const struct record_run *run)
{
	if (run->l2_in_effect.known)
		return record_bool_from(run->l2_in_effect.ept);
	return run->in_effect.ept;
}

struct record_run *record_find_run(const struct record *record, const char *config)
{
	each (struct record_run, run, record->runs) {
		if (strcmp(run->config, config) == 0)
			return run;
	}
	return NULL;
}

/* By halving, as the exits of a record are ascending. NULL says nothing if they are not. */
static const struct record_exit *find_by_halving(const GPtrArray *exits, uint32_t reason)
{
	guint first = 0, end = exits ? exits->len : 0;

	while (first < end) {
		const guint middle = first + (end - first) / 2;
		const struct record_exit *one = exits->pdata[middle];

		if (one->reason == reason)
			return one;
		if (one->reason < reason)
			first = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

const struct record_exit *record_find_exit(const GPtrArray *exits, uint32_t reason)
{
	const struct record_exit *found = find_by_halving(exits, reason);

	/* A foreign record may have very many, and each of them is looked for. */
	if (found)
		return found;
	each (const struct record_exit, one, exits) {
		if (one->reason == reason)
			return one;
	}
	return NULL;
}

const struct record_statistic *record_find_statistic(const GPtrArray *list, const char *name)
{
	each (const struct record_statistic, one, list) {
		if (strcmp(one->name, name) == 0)
			return one;
	}
	return NULL;
}

struct record_exit *record_exit_new(uint32_t reason, const char *name, uint64_t count)
{
	struct record_exit *one = record_object_new(&record_object_exit);

	one->reason = reason;
	one->name = g_strdup(name);
	one->count = count;
	return one;
}

struct record_operation *record_operation_new(const char *workload)
{
	struct record_operation *operation = record_object_new(&record_object_operation);

	operation->workload = g_strdup(workload);
	return operation;
}

struct record_point *record_point_new(uint64_t n, uint64_t ticks)
{
	struct record_point *point = record_object_new(&record_object_point);

	point->n = n;
	point->ticks = ticks;
	return point;
}

struct record_module *record_module_new(const char *name, const char *build_id)
{
	struct record_module *module = record_object_new(&record_object_module);

	module->name = g_strdup(name);
	module->build_id = g_strdup(build_id);
	return module;
}

struct record_input *record_input_new(const char *name, const char *sha256)
{
	struct record_input *input = record_object_new(&record_object_input);

	input->name = g_strdup(name);
	input->sha256 = g_strdup(sha256);
	return input;
}

struct record_statistic *record_statistic_new(const char *name, uint64_t value)
{
	struct record_statistic *statistic = record_object_new(&record_object_statistic);

	statistic->name = g_strdup(name);
	statistic->value = value;
	return statistic;
}

struct record_cpuid *record_cpuid_new(uint32_t leaf, uint32_t index, uint32_t eax, uint32_t ebx,
				      uint32_t ecx, uint32_t edx)
{
	struct record_cpuid *one = record_object_new(&record_object_cpuid);

	*one = (struct record_cpuid){ leaf, index, eax, ebx, ecx, edx };
	return one;
}

struct record_step *record_step_new(const char *text, double seconds)
{
	struct record_step *step = record_object_new(&record_object_step);

	step->text = g_strdup(text);
	step->seconds = seconds;
	return step;
}

GPtrArray *record_steps_new(void)
{
	return record_object_list(&record_object_step);
}

struct record_axis *record_axis_new(const char *axis, const char *value)
{
	struct record_axis *one = record_object_new(&record_object_axis);

	one->axis = g_strdup(axis);
	one->value = g_strdup(value);
	return one;
}

GPtrArray *record_axes_new(void)
{
	return record_object_list(&record_object_axis);
}

struct record_check *record_check_new(void)
{
	return record_object_new(&record_object_check);
}

GPtrArray *record_cpuid_list(void)
{
	return record_object_list(&record_object_cpuid);
}

GPtrArray *record_exits_new(void)
{
	return record_object_list(&record_object_exit);
}

GPtrArray *record_operations_new(void)
{
	return record_object_list(&record_object_operation);
}

GPtrArray *record_modules_new(void)
{
	return record_object_list(&record_object_module);
}

GPtrArray *record_inputs_new(void)
{
	return record_object_list(&record_object_input);
}

GPtrArray *record_statistics_new(void)
{
	return record_object_list(&record_object_statistic);
}

GPtrArray *record_checks_new(void)
{
	return record_object_list(&record_object_check);
}

GArray *record_reasons_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

void record_kernel_log_clear(struct record_kernel_log *log)
{
	g_ptr_array_set_size(log->findings, 0);
	log->lines = 0;
	log->lost = false;
	log->known = false;
}

void record_set_string(char **field, const char *value)
{
	char *copy = g_strdup(value); /* value may be *field */

	g_free(*field);
	*field = copy;
}

bool exits_add(GPtrArray *exits, uint32_t reason, const char *name, uint64_t count)
{
	struct record_exit *one = (struct record_exit *)record_find_exit(exits, reason);
	guint place = exits->len;

	if (one == NULL) {
		/* Most come in their order. */
		while (place > 0 &&
		       ((const struct record_exit *)exits->pdata[place - 1])->reason > reason)
			place--;
		one = record_exit_new(reason, name, 0);
		g_ptr_array_insert(exits, (int)place, one);
	}
	return !__builtin_add_overflow(one->count, count, &one->count);
}

uint64_t exits_count(const GPtrArray *exits, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(exits, reason);

	return one != NULL ? one->count : 0;
}

struct record_u64 exits_sum(const GPtrArray *exits)
{
	struct record_u64 sum = record_u64_from(0);

	each (const struct record_exit, one, exits) {
		if (__builtin_add_overflow(sum.value, one->count, &sum.value))
			return (struct record_u64){ .known = false };
	}
	return sum;
}
