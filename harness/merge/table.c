/* SPDX-License-Identifier: GPL-2.0-only */
#include "merge/table.h"

#include <math.h>
#include <string.h>

#include "base/each.h"
#include "base/error.h"

/* ---- Cells ---- */

static int compare_numbers(gconstpointer a, gconstpointer b)
{
	const double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* Of an array of double, which is sorted, and has one at least. */
static double median_of(GArray *numbers)
{
	const guint half = numbers->len / 2;

	g_array_sort(numbers, compare_numbers);
	if (numbers->len % 2 == 1)
		return g_array_index(numbers, double, half);
	return (g_array_index(numbers, double, half - 1) + g_array_index(numbers, double, half)) /
	       2;
}

/* What there is to show where nothing was measured: the worst is what is to be looked at. */
static bool is_worse(enum merge_state state, enum merge_state than)
{
	return than == MERGE_MEASURED || state < than;
}

void merge_cell_fill(struct merge_cell *cell, const GPtrArray *samples, const char *axis,
		     const char *value)
{
	g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(double));
	const char *inputs = NULL;
	enum merge_state worst = MERGE_MEASURED;

	*cell = (struct merge_cell){ .samples = g_ptr_array_new() };
	each (struct merge_sample, sample, samples) {
		if (axis != NULL && g_strcmp0(merge_sample_at(sample, axis), value) != 0)
			continue;
		g_ptr_array_add(cell->samples, sample);
		if (sample->state != MERGE_MEASURED) {
			if (is_worse(sample->state, worst)) {
				worst = sample->state;
				cell->why = sample->why;
			}
			cell->others++;
			continue;
		}
		cell->differ = cell->differ || (numbers->len > 0 && inputs != sample->inputs);
		inputs = sample->inputs;
		g_array_append_val(numbers, sample->value);
	}
	cell->measured = numbers->len;
	if (cell->samples->len == 0) {
		cell->state = MERGE_MISSING;
		cell->why = "no record has this";
		return;
	}
	cell->state = numbers->len > 0 ? MERGE_MEASURED : worst;
	if (numbers->len == 0)
		return;
	cell->median = median_of(numbers);
	cell->least = g_array_index(numbers, double, 0);
	cell->most = g_array_index(numbers, double, numbers->len - 1);
}

double merge_cell_reason(const struct merge_cell *cell, const struct merge_reason *reason)
{
	g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(double));

	each (const struct merge_sample, sample, cell->samples) {
		const double count = merge_sample_count(sample, reason->reason);

		if (sample->state == MERGE_MEASURED)
			g_array_append_val(numbers, count);
	}
	return median_of(numbers);
}

char *merge_cell_words(const struct merge_table *table, const struct merge_cell *cell)
{
	const enum merge_value value = table->set->value;
	g_autoptr(GString) words = g_string_new(NULL);
	g_autofree char *median = NULL;

	if (cell->state != MERGE_MEASURED)
		return g_strdup(merge_state_name(cell->state));
	median = merge_number(value, cell->median);
	g_string_append(words, median);
	if (cell->least < cell->most) {
		g_autofree char *least = merge_number(value, cell->least);
		g_autofree char *most = merge_number(value, cell->most);

		g_string_append_printf(words, " (%s-%s)", least, most);
	}
	if (cell->others > 0)
		g_string_append_printf(words, " %u/%u", cell->measured,
				       cell->measured + cell->others);
	return g_string_free(g_steal_pointer(&words), FALSE);
}

/* ---- Lines ---- */

static void line_free(void *data)
{
	struct merge_line *line = data;

	g_ptr_array_unref(line->values);
	g_free(line);
}

char *merge_line_words(const struct merge_line *line)
{
	GString *words = g_string_new(NULL);

	each (const char, value, line->values)
		g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", value);
	return g_string_free(words, FALSE);
}

static int compare_lines(gconstpointer a, gconstpointer b)
{
	const struct merge_line *one = *(struct merge_line *const *)a;
	const struct merge_line *other = *(struct merge_line *const *)b;

	for (guint i = 0; i < one->values->len; i++) {
		const int order = merge_compare(one->values->pdata[i], other->values->pdata[i]);

		if (order != 0)
			return order;
	}
	return 0;
}

static guint line_hash(gconstpointer data)
{
	guint hash = 5381;

	each (const char, value, ((const struct merge_line *)data)->values)
		hash = hash * 33 + g_direct_hash(value);
	return hash;
}

/* Values are interned. */
static gboolean line_equal(gconstpointer a, gconstpointer b)
{
	const GPtrArray *one = ((const struct merge_line *)a)->values;
	const GPtrArray *other = ((const struct merge_line *)b)->values;

	return one->len == other->len &&
	       memcmp(one->pdata, other->pdata, one->len * sizeof(void *)) == 0;
}

/* Where a sample stands that is nowhere on an axis. */
#define NOWHERE "-"

/*
 * The lines of a sample: one, but for what is no measurement and is nowhere on an axis, which is in
 * each place of it. Free with g_ptr_array_unref.
 */
static GPtrArray *lines_of(const struct merge_sample *sample, const GPtrArray *axes,
			   const GPtrArray *places)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(line_free);
	struct merge_line *empty = g_new(struct merge_line, 1);

	empty->values = g_ptr_array_new();
	g_ptr_array_add(lines, empty);
	for (guint i = 0; i < axes->len; i++) {
		const char *value = merge_sample_at(sample, axes->pdata[i]);
		const GPtrArray *all = places->pdata[i];
		const guint before = lines->len;
		const bool spread =
			value == NULL && sample->state != MERGE_MEASURED && all->len > 0;

		for (guint j = 0; j < before; j++) {
			struct merge_line *line = lines->pdata[j];

			for (guint k = 1; spread && k < all->len; k++) {
				struct merge_line *more = g_new(struct merge_line, 1);

				more->values = g_ptr_array_copy(line->values, NULL, NULL);
				g_ptr_array_add(more->values, all->pdata[k]);
				g_ptr_array_add(lines, more);
			}
			g_ptr_array_add(line->values, spread ? all->pdata[0]
						      : value != NULL
							      ? (gpointer)value
							      : (gpointer)g_intern_string(NOWHERE));
		}
	}
	return lines;
}

static GPtrArray *places_of(const struct merge_set *set, const GPtrArray *axes)
{
	GPtrArray *places = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);

	each (const char, axis, axes)
		g_ptr_array_add(places, merge_set_values(set, axis));
	return places;
}

/* All lines that samples are in, sorted. */
static GPtrArray *all_lines(const struct merge_set *set, const GPtrArray *axes)
{
	g_autoptr(GPtrArray) places = places_of(set, axes);
	g_autoptr(GHashTable) seen = g_hash_table_new(line_hash, line_equal);
	GPtrArray *all = g_ptr_array_new_with_free_func(line_free);

	each (const struct merge_sample, sample, set->samples) {
		g_autoptr(GPtrArray) lines = lines_of(sample, axes, places);

		for (guint i = 0; i < lines->len; i++) {
			struct merge_line *line = lines->pdata[i];

			if (g_hash_table_contains(seen, line))
				continue;
			lines->pdata[i] = g_new(struct merge_line, 1);
			((struct merge_line *)lines->pdata[i])->values = g_ptr_array_new();
			g_hash_table_add(seen, line);
			g_ptr_array_add(all, line);
		}
	}
	g_ptr_array_sort(all, compare_lines);
	return all;
}

static GHashTable *index_of(const GPtrArray *lines)
{
	GHashTable *index = g_hash_table_new(line_hash, line_equal);

	for (guint i = 0; i < lines->len; i++)
		g_hash_table_insert(index, lines->pdata[i], GUINT_TO_POINTER(i));
	return index;
}

/* ---- Axes ---- */

static bool has(const GPtrArray *axes, const char *axis)
{
	return g_ptr_array_find_with_equal_func((GPtrArray *)axes, axis, g_str_equal, NULL);
}

/* Does the axis tell samples apart that all those before it do not? */
static bool splits(const struct merge_set *set, const GPtrArray *axes, const char *axis)
{
	g_autoptr(GPtrArray) places =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(line_hash, line_equal, line_free, NULL);

	each (const char, unused, axes) {
		(void)unused;
		g_ptr_array_add(places, g_ptr_array_new());
	}
	each (const struct merge_sample, sample, set->samples) {
		const char *value = merge_sample_at(sample, axis);
		g_autoptr(GPtrArray) lines = lines_of(sample, axes, places);
		gpointer before;

		/* What was not measured is known less well, and must not make an axis. */
		if (sample->record == NULL || value == NULL)
			continue;
		if (!g_hash_table_lookup_extended(seen, lines->pdata[0], NULL, &before))
			g_hash_table_insert(seen, g_ptr_array_steal_index(lines, 0),
					    (gpointer)value);
		else if (before != (gpointer)value)
			return true;
	}
	return false;
}

static bool take_axes(GPtrArray *into, const GPtrArray *others, char **names,
		      const GPtrArray *known, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_copy((GPtrArray *)known, NULL, NULL);
	g_autofree char *list = NULL;

	for (char **name = names; *name != NULL; name++) {
		if (has(into, *name) || has(others, *name))
			return eptlab_fail(error, EPTLAB_ERROR_USAGE,
					   "L0: the axis \"%s\" is named twice in --rows and "
					   "--columns; name it once",
					   *name);
		if (has(known, *name)) {
			g_ptr_array_add(into, (gpointer)g_intern_string(*name));
			continue;
		}
		g_ptr_array_add(all, NULL);
		list = g_strjoinv(", ", (char **)all->pdata);
		return eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: no record here is on an axis \"%s\"; those there are: %s",
				   *name, list);
	}
	return true;
}

static bool choose_axes(struct merge_table *table, char **rows, char **columns, const char *apart,
			GError **error)
{
	g_autoptr(GPtrArray) known = merge_set_axes(table->set);
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	if (!take_axes(table->row_axes, table->column_axes, rows, known, error) ||
	    !take_axes(table->column_axes, table->row_axes, columns, known, error))
		return false;
	g_ptr_array_extend(all, table->row_axes, NULL, NULL);
	g_ptr_array_extend(all, table->column_axes, NULL, NULL);
	if (apart != NULL)
		g_ptr_array_add(all, (gpointer)g_intern_string(apart));
	each (const char, axis, known) {
		if (has(all, axis) || !splits(table->set, all, axis))
			continue;
		g_ptr_array_add(all, (gpointer)axis);
		g_ptr_array_add(table->row_axes, (gpointer)axis);
	}
	return true;
}

/* ---- The table ---- */

static GPtrArray **deal(const struct merge_table *table)
{
	g_autoptr(GPtrArray) row_places = places_of(table->set, table->row_axes);
	g_autoptr(GPtrArray) column_places = places_of(table->set, table->column_axes);
	g_autoptr(GHashTable) rows = index_of(table->rows);
	g_autoptr(GHashTable) columns = index_of(table->columns);
	const gsize count = (gsize)table->rows->len * table->columns->len;
	GPtrArray **heaps = g_new0(GPtrArray *, count + 1);

	for (gsize i = 0; i < count; i++)
		heaps[i] = g_ptr_array_new();
	each (struct merge_sample, sample, table->set->samples) {
		g_autoptr(GPtrArray) down = lines_of(sample, table->row_axes, row_places);
		g_autoptr(GPtrArray) along = lines_of(sample, table->column_axes, column_places);

		each (const struct merge_line, row, down)
			each (const struct merge_line, column, along) {
				const guint at =
					GPOINTER_TO_UINT(g_hash_table_lookup(rows, row)) *
						table->columns->len +
					GPOINTER_TO_UINT(g_hash_table_lookup(columns, column));

				g_ptr_array_add(heaps[at], sample);
			}
	}
	return heaps;
}

struct merge_table *merge_table_new(const struct merge_set *set, char **rows, char **columns,
				    const char *apart, GError **error)
{
	g_autoptr(struct_merge_table) table = g_new0(struct merge_table, 1);
	g_autofree GPtrArray **heaps = NULL;

	table->set = set;
	table->row_axes = g_ptr_array_new();
	table->column_axes = g_ptr_array_new();
	table->rows = g_ptr_array_new_with_free_func(line_free);
	table->columns = g_ptr_array_new_with_free_func(line_free);
	if (!choose_axes(table, rows, columns, apart, error))
		return NULL;
	g_ptr_array_unref(table->rows);
	g_ptr_array_unref(table->columns);
	table->rows = all_lines(set, table->row_axes);
	table->columns = all_lines(set, table->column_axes);
	heaps = deal(table);
	table->cells = g_new0(struct merge_cell, (gsize)table->rows->len * table->columns->len + 1);
	for (gsize i = 0; heaps[i] != NULL; i++) {
		merge_cell_fill(&table->cells[i], heaps[i], NULL, NULL);
		g_ptr_array_unref(heaps[i]);
	}
	return g_steal_pointer(&table);
}

void merge_table_free(struct merge_table *table)
{
	if (table == NULL)
		return;
	for (gsize i = 0; table->cells != NULL && table->cells[i].samples != NULL; i++)
		g_ptr_array_unref(table->cells[i].samples);
	g_free(table->cells);
	g_ptr_array_unref(table->row_axes);
	g_ptr_array_unref(table->column_axes);
	g_ptr_array_unref(table->rows);
	g_ptr_array_unref(table->columns);
	g_free(table);
}

struct merge_cell *merge_table_at(const struct merge_table *table, guint row, guint column)
{
	return &table->cells[(gsize)row * table->columns->len + column];
}

/* ---- Notes ---- */

static struct merge_note *find_note(GArray *notes, const struct merge_sample *sample)
{
	each_value (struct merge_note, note, notes)
		if (note->state == sample->state && note->why == sample->why)
			return note;
	return NULL;
}

GArray *merge_notes(const struct merge_table *table)
{
	GArray *notes = g_array_new(FALSE, FALSE, sizeof(struct merge_note));

	each (const struct merge_sample, sample, table->set->samples) {
		struct merge_note *note;

		if (sample->state == MERGE_MEASURED)
			continue;
		note = find_note(notes, sample);
		if (note == NULL) {
			const struct merge_note new = {
				.state = sample->state,
				.why = sample->why,
				.record = sample->record,
				.number = notes->len + 1,
			};

			g_array_append_val(notes, new);
			note = &g_array_index(notes, struct merge_note, notes->len - 1);
		}
		note->samples++;
	}
	return notes;
}

guint merge_note_of(const GArray *notes, const struct merge_cell *cell)
{
	each_value (const struct merge_note, note, notes)
		if (cell->others > 0 && note->why == cell->why)
			return note->number;
	return 0;
}

char *merge_note_words(const struct merge_note *note)
{
	g_autofree char *record = note->record != NULL ? g_path_get_basename(note->record) : NULL;
	g_autofree char *many =
		note->samples > 1 ? g_strdup_printf(" (%u numbers)", note->samples) : g_strdup("");

	return g_strdup_printf("%s%s%s%s: %s", merge_state_name(note->state), many,
			       record != NULL ? ", " : "", record != NULL ? record : "", note->why);
}

char *merge_table_words(const struct merge_table *table)
{
	static const char *const what[] = {
		[MERGE_EXITS] = "VM exits",
		[MERGE_EXITS_PER_OP] = "VM exits of one operation",
		[MERGE_TICKS] = "Emulated instructions of the run (ticks)",
		[MERGE_TICKS_PER_OP] = "Ticks of one operation",
		[MERGE_SECONDS] = "Seconds of the run",
	};
	GString *words = g_string_new(NULL);
	const gsize cells = (gsize)table->rows->len * table->columns->len;
	guint spread = 0, partly = 0, differ = 0, most = 0, least = G_MAXUINT;

	for (gsize i = 0; i < cells; i++) {
		const struct merge_cell *cell = &table->cells[i];

		if (cell->state != MERGE_MEASURED)
			continue;
		spread += cell->least < cell->most;
		partly += cell->others > 0;
		differ += cell->differ;
		most = MAX(most, cell->measured);
		least = MIN(least, cell->measured);
	}
	g_string_append_printf(words, "%s, of %u record%s.", what[table->set->value],
			       table->set->records, table->set->records == 1 ? "" : "s");
	if (most > 1)
		g_string_append_printf(words, " Medians of %u to %u repeats%s", least, most,
				       spread > 0 ? ", (least-most) where they differ."
						  : ", which are all the same.");
	if (partly > 0)
		g_string_append(words, " 2/3: of three repeats two were measured; the third is in "
				       "no number.");
	if (differ > 0)
		g_string_append_printf(words,
				       " In %u cell%s repeats were made of different inputs.",
				       differ, differ == 1 ? "" : "s");
	return g_string_free(words, FALSE);
}
