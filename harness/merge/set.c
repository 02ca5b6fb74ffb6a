/* SPDX-License-Identifier: GPL-2.0-only */
#include "merge/set.h"

#include <math.h>
#include <string.h>

#include "base/each.h"
#include "base/error.h"
#include "base/folder.h"
#include "judge/rules.h"
#include "merge/plan.h"
#include "record/operations.h"
#include "record/reasons.h"
#include "record/record.h"
#include "record/words.h"

/* ---- Values ---- */

static const char *const value_names[] = {
	[MERGE_EXITS] = "exits",     [MERGE_EXITS_PER_OP] = "exits-per-op",
	[MERGE_TICKS] = "ticks",     [MERGE_TICKS_PER_OP] = "ticks-per-op",
	[MERGE_SECONDS] = "seconds",
};

bool merge_value_find(const char *name, enum merge_value *value)
{
	for (size_t i = 0; i < G_N_ELEMENTS(value_names); i++) {
		if (!g_str_equal(name, value_names[i]))
			continue;
		*value = (enum merge_value)i;
		return true;
	}
	return false;
}

const char *merge_value_name(enum merge_value value)
{
	return value_names[value];
}

bool merge_value_has_reasons(enum merge_value value)
{
	return value == MERGE_EXITS || value == MERGE_EXITS_PER_OP;
}

static bool is_per_op(enum merge_value value)
{
	return value == MERGE_EXITS_PER_OP || value == MERGE_TICKS_PER_OP;
}

double merge_value_least(enum merge_value value)
{
	return value == MERGE_EXITS_PER_OP ? 0.5 : 1;
}

char *merge_number(enum merge_value value, double number)
{
	const bool decimals = is_per_op(value) || value == MERGE_SECONDS;

	if (decimals ? number < 1000 : number != floor(number))
		return words_double("%.2f", number);
	return words_count((uint64_t)(number + 0.5));
}

const char *merge_state_name(enum merge_state state)
{
	static const char *const names[] = {
		[MERGE_MEASURED] = "measured", [MERGE_INVALID] = "invalid",
		[MERGE_FAILED] = "failed",     [MERGE_MISSING] = "missing",
		[MERGE_EXCLUDED] = "excluded",
	};

	return names[state];
}

/* ---- Samples ---- */

static void sample_free(void *data)
{
	struct merge_sample *sample = data;

	g_array_unref(sample->coordinates);
	g_clear_pointer(&sample->reasons, g_array_unref);
	g_free(sample);
}

static struct merge_sample *sample_new(enum merge_state state)
{
	struct merge_sample *sample = g_new0(struct merge_sample, 1);

	sample->state = state;
	sample->coordinates = g_array_new(FALSE, FALSE, sizeof(struct merge_coordinate));
	return sample;
}

const char *merge_sample_at(const struct merge_sample *sample, const char *axis)
{
	each_value (const struct merge_coordinate, one, sample->coordinates)
		if (one->axis == axis || g_str_equal(one->axis, axis))
			return one->value;
	return NULL;
}

void merge_sample_place(struct merge_sample *sample, const char *axis, const char *value)
{
	const struct merge_coordinate coordinate = {
		.axis = g_intern_string(axis),
		.value = g_intern_string(value),
	};

	if (value != NULL && merge_sample_at(sample, axis) == NULL)
		g_array_append_val(sample->coordinates, coordinate);
}

struct merge_sample *merge_set_add(struct merge_set *set, enum merge_state state, const char *why)
{
	struct merge_sample *sample = sample_new(state);

	sample->why = g_intern_string(why);
	g_ptr_array_add(set->samples, sample);
	return sample;
}

struct merge_sample *merge_set_add_copy(struct merge_set *set, const struct merge_sample *sample)
{
	struct merge_sample *copy = g_new(struct merge_sample, 1);

	*copy = *sample;
	copy->coordinates = g_array_copy(sample->coordinates);
	copy->reasons = sample->reasons != NULL ? g_array_ref(sample->reasons) : NULL;
	g_ptr_array_add(set->samples, copy);
	return copy;
}

const char *merge_cell_name(const char *matrix, const char *id)
{
	g_autofree char *name = g_strconcat(matrix, "/", id, NULL);

	return g_intern_string(name);
}

/* ---- From records ---- */

/* What one record has given: read by a thread, put into the set by the first one. */
struct taken {
	const char *path;
	GPtrArray *samples;
	char *note; /* nothing could be taken from it: why */
	bool mixed; /* it has a run of another record */
	enum merge_value value;
};

static void place_number(struct merge_sample *sample, const char *axis,
			 const struct record_u64 *number)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number->value);

	if (number->known)
		merge_sample_place(sample, axis, text);
}

/* A kernel of the user's has no line that tells it from another: its release does. */
static const char *kernel_of(const struct record_kernel *kernel)
{
	return kernel->line != NULL && !g_str_equal(kernel->line, "own") ? kernel->line
									 : kernel->release;
}

/* The cell of a matrix comes first: what it calls an axis is what its author means. */
static void place(struct merge_sample *sample, const struct record *record,
		  const struct record_run *run)
{
	if (record->cell.known)
		each (const struct record_axis, one, record->cell.axes)
			merge_sample_place(sample, one->axis, one->value);
	merge_sample_place(sample, MERGE_AXIS_PLATFORM,
			   run->platform.name != NULL ? run->platform.name : record->platform.name);
	merge_sample_place(
		sample, MERGE_AXIS_KERNEL,
		kernel_of(kernel_of(&run->kernel) != NULL ? &run->kernel : &record->kernel));
	merge_sample_place(sample, MERGE_AXIS_WORKLOAD,
			   run->workload != NULL ? run->workload : record->workload);
	merge_sample_place(sample, MERGE_AXIS_CONFIG, run->config);
	merge_sample_place(sample, "cpu", run->platform.cpu);
	merge_sample_place(sample, "source", record_source_name(run->source));
	if (run->requested.vpid != RECORD_UNKNOWN)
		merge_sample_place(sample, "vpid", words_on_off(run->requested.vpid));
	place_number(sample, "memory_mib", &run->guest.memory_mib);
	place_number(sample, "vcpus", &run->guest.vcpus);
}

/* The first thing that is wrong, in one line. */
static const char *why_of(const struct record *record, const struct record_run *run)
{
	g_autofree char *why = NULL;

	if (record->verdict == RECORD_FAILED)
		return g_intern_string(run != NULL && run->error != NULL ? run->error
				       : record->error != NULL		 ? record->error
							       : "it was not measured to the end");
	each (const struct record_check, check, record->checks) {
		if (!check->decisive)
			continue;
		why = g_strdup_printf("%s%s%s: saw %s, expected %s", check->rule,
				      check->run != NULL ? " of " : "",
				      check->run != NULL ? check->run : "", check->saw,
				      check->expected);
		break;
	}
	return g_intern_string(why);
}

/*
 * What no two runs have in common but a run and its copy. inputs of all runs of an experiment are
 * the same: a record of rerun, which has a run of an older one in it, is known by that.
 */
static const char *measurement_of(const struct record_run *run)
{
	const char *inputs = record_run_inputs(run);
	g_autofree char *text =
		g_strdup_printf("%s %.3f %" G_GUINT64_FORMAT " %s", run->config, run->seconds,
				run->total.value, inputs != NULL ? inputs : "");

	return g_intern_string(text);
}

static struct merge_sample *add_sample(struct taken *taken, const struct record *record,
				       const struct record_run *run, const char *operation)
{
	static const enum merge_state states[] = {
		[RECORD_VALID] = MERGE_MEASURED,
		[RECORD_INVALID] = MERGE_INVALID,
		[RECORD_FAILED] = MERGE_FAILED,
	};
	struct merge_sample *sample = sample_new(states[record->verdict]);

	if (operation != NULL)
		merge_sample_place(sample, MERGE_AXIS_OPERATION, operation);
	place(sample, record, run);
	sample->record = taken->path;
	sample->vendor = record_run_vendor(run);
	sample->inputs = g_intern_string(record_run_inputs(run));
	sample->measurement = measurement_of(run);
	if (record->cell.known)
		sample->cell = merge_cell_name(record->cell.matrix, record->cell.id);
	if (sample->state != MERGE_MEASURED)
		sample->why = why_of(record, run);
	g_ptr_array_add(taken->samples, sample);
	return sample;
}

/* Valid, but this was not measured in it. */
static void lacks(struct merge_sample *sample, const char *why)
{
	if (sample->state != MERGE_MEASURED)
		return;
	sample->state = MERGE_MISSING;
	sample->why = why;
}

static void take_value(struct merge_sample *sample, bool known, double value)
{
	sample->value = value;
	if (!known)
		lacks(sample, "the record has no such number");
}

static void take_operation(struct taken *taken, struct merge_sample *sample,
			   const struct record_operation *operation)
{
	const bool exits = taken->value == MERGE_EXITS_PER_OP;
	const struct operation_fit fit =
		exits ? operation_total(operation) : operation_ticks(operation);
	g_autoptr(GArray) reasons = operation_reasons(operation);

	/* No count goes down: what is below 0 is as far off as it is. */
	take_value(sample, fit.known, fmax(fit.per_op, 0));
	if (!fit.known && operation->error != NULL && sample->state == MERGE_MISSING) {
		sample->state = MERGE_FAILED;
		sample->why = g_intern_string(operation->error);
	}
	if (!exits || !fit.known)
		return;
	sample->reasons = g_array_new(FALSE, FALSE, sizeof(struct merge_count));
	each_value (const uint32_t, reason, reasons) {
		const struct merge_count count = {
			.reason = *reason,
			.value = fmax(operation_exits(operation, *reason).per_op, 0),
		};

		g_array_append_val(sample->reasons, count);
	}
}

static void take_run(struct taken *taken, const struct record *record, const struct record_run *run)
{
	struct merge_sample *sample = add_sample(taken, record, run, NULL);

	if (taken->value == MERGE_SECONDS)
		take_value(sample, run->seconds >= 0, fmax(run->seconds, 0));
	else if (taken->value == MERGE_TICKS)
		take_value(sample, run->ticks.known, (double)run->ticks.value);
	else
		take_value(sample, run->total.known, (double)run->total.value);
	if (taken->value != MERGE_EXITS || run->exits == NULL)
		return;
	sample->reasons = g_array_new(FALSE, FALSE, sizeof(struct merge_count));
	each (const struct record_exit, one, run->exits) {
		const struct merge_count count = { one->reason, (double)one->count };

		if (one->count > 0)
			g_array_append_val(sample->reasons, count);
	}
}

static void take_operations(struct taken *taken, const struct record *record,
			    const struct record_run *run)
{
	if (run->operations == NULL || run->operations->len == 0) {
		lacks(add_sample(taken, record, run, NULL),
		      "no operations were asked for (experiment.operations)");
		return;
	}
	each (const struct record_operation, operation, run->operations)
		take_operation(taken, add_sample(taken, record, run, operation->workload),
			       operation);
}

static bool is_mixed(const struct record *record)
{
	const struct record_run *first = record->runs->len > 0 ? record->runs->pdata[0] : NULL;

	each (const struct record_run, run, record->runs)
		if (g_strcmp0(record_run_inputs(first), record_run_inputs(run)) != 0)
			return true;
	return false;
}

static void take(void *data, void *unused G_GNUC_UNUSED)
{
	struct taken *taken = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_record) record = record_load(taken->path, &error);

	if (record == NULL) {
		taken->note = g_strdup(error->message);
		return;
	}
	if (record->verdict != RECORD_FAILED)
		rules_judge(record);
	taken->mixed = is_mixed(record);
	each (const struct record_run, run, record->runs)
		if (is_per_op(taken->value))
			take_operations(taken, record, run);
		else
			take_run(taken, record, run);
	if (record->runs->len == 0)
		taken->note = g_strdup_printf("L0: %s: %s", taken->path, why_of(record, NULL));
}

/* ---- Folders ---- */

struct walk {
	GPtrArray *records; /* of char *: folders with a record.json */
	GPtrArray *plans;   /* of char *: folders with a cells.json */
};

/* Links are not followed: results/latest is a record that is there anyway. */
static bool walk(struct walk *into, const char *folder, GError **error)
{
	g_autofree char *record = g_build_filename(folder, "record.json", NULL);
	g_autofree char *plan = g_build_filename(folder, MERGE_PLAN, NULL);
	g_autoptr(GError) cause = NULL;
	g_auto(GStrv) names = NULL;

	if (g_file_test(record, G_FILE_TEST_EXISTS)) {
		g_ptr_array_add(into->records, g_strdup(folder));
		return true;
	}
	if (g_file_test(plan, G_FILE_TEST_EXISTS)) {
		g_ptr_array_add(into->plans, g_strdup(folder));
		return merge_plan_records(folder, into->records, error);
	}
	names = folder_names(folder, &cause);
	if (names == NULL)
		return eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: the records in %s cannot be read (%s); give folders of "
				   "records",
				   folder, cause->message);
	for (char **name = names; *name != NULL; name++) {
		g_autofree char *path = g_build_filename(folder, *name, NULL);

		if (**name == '.' || !g_file_test(path, G_FILE_TEST_IS_DIR) ||
		    g_file_test(path, G_FILE_TEST_IS_SYMLINK))
			continue;
		if (!walk(into, path, error))
			return false;
	}
	return true;
}

/* Once each, whatever was named twice. */
static void forget_twins(GPtrArray *paths)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < paths->len;) {
		if (g_hash_table_add(seen, paths->pdata[i]))
			i++;
		else
			g_ptr_array_remove_index(paths, i);
	}
}

static bool find(struct walk *into, char **folders, GError **error)
{
	for (char **folder = folders; *folder != NULL; folder++) {
		g_autofree char *path = g_canonicalize_filename(*folder, NULL);

		if (!walk(into, path, error))
			return false;
	}
	forget_twins(into->records);
	forget_twins(into->plans);
	if (into->records->len > 0 || into->plans->len > 0)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_USAGE,
			   "L0: there is no record in %s; give folders of records, such as results",
			   folders[0]);
}

/* ---- The set ---- */

/* What the first record that can be read has to show. */
static enum merge_value usual_value(const GPtrArray *paths)
{
	each (const char, path, paths) {
		g_autoptr(struct_record) record = record_load(path, NULL);

		if (record == NULL || record->verdict == RECORD_FAILED)
			continue;
		each (const struct record_run, run, record->runs)
			if (run->operations != NULL && run->operations->len > 0)
				return MERGE_EXITS_PER_OP;
		break;
	}
	return MERGE_EXITS;
}

/* On all CPUs; what came of it is in the records' order, whoever was first. */
static void take_all(struct merge_set *set, const GPtrArray *paths)
{
	g_autofree struct taken *all = g_new0(struct taken, paths->len);
	GThreadPool *pool = g_thread_pool_new(take, NULL, (int)g_get_num_processors(), FALSE, NULL);
	g_autoptr(GHashTable) own = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < paths->len; i++) {
		all[i] = (struct taken){
			.path = g_intern_string(paths->pdata[i]),
			.samples = g_ptr_array_new(),
			.value = set->value,
		};
		g_thread_pool_push(pool, &all[i], NULL);
	}
	g_thread_pool_free(pool, FALSE, TRUE);
	for (guint i = 0; i < paths->len; i++)
		each (struct merge_sample, sample, all[i].samples)
			if (!all[i].mixed)
				g_hash_table_add(own, (gpointer)sample->measurement);
	for (guint i = 0; i < paths->len; i++) {
		each (struct merge_sample, sample, all[i].samples) {
			if (all[i].mixed && g_hash_table_contains(own, sample->measurement))
				sample_free(sample);
			else
				g_ptr_array_add(set->samples, sample);
		}
		g_ptr_array_unref(all[i].samples);
		if (all[i].note != NULL)
			g_ptr_array_add(set->notes, all[i].note);
		else
			set->records++;
	}
}

struct merge_set *merge_set_read(char **folders, const enum merge_value *value, GError **error)
{
	g_autoptr(struct_merge_set) set = g_new0(struct merge_set, 1);
	g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) plans = g_ptr_array_new_with_free_func(g_free);
	struct walk walk = { .records = records, .plans = plans };

	set->samples = g_ptr_array_new_with_free_func(sample_free);
	set->notes = g_ptr_array_new_with_free_func(g_free);
	if (!find(&walk, folders, error))
		return NULL;
	set->value = value != NULL ? *value : usual_value(records);
	take_all(set, records);
	each (const char, plan, plans)
		if (!merge_plan_apply(set, plan, error))
			return NULL;
	return g_steal_pointer(&set);
}

void merge_set_free(struct merge_set *set)
{
	if (set == NULL)
		return;
	g_ptr_array_unref(set->samples);
	g_ptr_array_unref(set->notes);
	g_free(set);
}

/* ---- Axes ---- */

int merge_compare(const char *a, const char *b)
{
	return strverscmp(a, b);
}

static int compare_values(gconstpointer a, gconstpointer b)
{
	return merge_compare(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *merge_set_values(const struct merge_set *set, const char *axis)
{
	GPtrArray *values = g_ptr_array_new();

	each (const struct merge_sample, sample, set->samples) {
		const char *value = merge_sample_at(sample, axis);

		if (value != NULL && !g_ptr_array_find(values, value, NULL))
			g_ptr_array_add(values, (gpointer)value);
	}
	g_ptr_array_sort(values, compare_values);
	return values;
}

GPtrArray *merge_set_axes(const struct merge_set *set)
{
	GPtrArray *axes = g_ptr_array_new();

	each (const struct merge_sample, sample, set->samples)
		each_value (const struct merge_coordinate, one, sample->coordinates)
			if (!g_ptr_array_find(axes, one->axis, NULL))
				g_ptr_array_add(axes, (gpointer)one->axis);
	return axes;
}

static bool is_chosen(const char *axis, const char *has, const char *value)
{
	const size_t length = strlen(value);

	return g_str_equal(has, value) || (g_str_equal(axis, MERGE_AXIS_REASON) &&
					   strncmp(has, value, length) == 0 && has[length] == ' ');
}

struct choice {
	const char *axis, *value;
};

/* What is nowhere on the axis, such as a record that failed, may belong there. */
static bool keep_chosen(const struct merge_sample *sample, const void *data)
{
	const struct choice *choice = data;
	const char *has = merge_sample_at(sample, choice->axis);

	return has == NULL || is_chosen(choice->axis, has, choice->value);
}

void merge_set_choose(struct merge_set *set, const char *axis, const char *value)
{
	const struct choice choice = { axis, value };

	merge_set_filter(set, keep_chosen, &choice);
}

guint merge_set_filter(struct merge_set *set,
		       bool (*keep)(const struct merge_sample *sample, const void *data),
		       const void *data)
{
	g_autoptr(GPtrArray) all = set->samples;

	set->samples = g_ptr_array_new_with_free_func(sample_free);
	g_ptr_array_set_free_func(all, NULL);
	each (struct merge_sample, sample, all) {
		if (keep(sample, data))
			g_ptr_array_add(set->samples, sample);
		else
			sample_free(sample);
	}
	return all->len - set->samples->len;
}

const char *merge_reason(uint32_t vendor, uint32_t reason)
{
	const char *name = reason_name(vendor, reason);
	g_autofree char *text = g_strdup_printf("%u %s", reason, name != NULL ? name : "");

	return g_intern_string(g_strchomp(text));
}

double merge_sample_count(const struct merge_sample *sample, uint32_t reason)
{
	each_value (const struct merge_count, one, sample->reasons)
		if (one->reason == reason)
			return one->value;
	return 0;
}

GArray *merge_reasons(const GPtrArray *samples)
{
	GArray *reasons = g_array_new(FALSE, FALSE, sizeof(struct merge_reason));
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

	each (const struct merge_sample, sample, samples)
		each_value (const struct merge_count, one, sample->reasons) {
			const struct merge_reason reason = {
				.reason = one->reason,
				.name = merge_reason(sample->vendor, one->reason),
			};

			if (one->value > 0 && g_hash_table_add(seen, (gpointer)reason.name))
				g_array_append_val(reasons, reason);
		}
	return reasons;
}

void merge_set_split_reasons(struct merge_set *set)
{
	g_autoptr(GPtrArray) whole = set->samples;
	g_autoptr(GArray) reasons = merge_reasons(whole);

	set->samples = g_ptr_array_new_with_free_func(sample_free);
	each (const struct merge_sample, sample, whole) {
		if (sample->reasons == NULL) {
			merge_set_add_copy(set, sample);
			continue;
		}
		each_value (const struct merge_reason, reason, reasons) {
			struct merge_sample *one;

			if (merge_reason(sample->vendor, reason->reason) != reason->name)
				continue;
			one = merge_set_add_copy(set, sample);
			one->value = merge_sample_count(sample, reason->reason);
			g_clear_pointer(&one->reasons, g_array_unref);
			merge_sample_place(one, MERGE_AXIS_REASON, reason->name);
		}
	}
}
