/* SPDX-License-Identifier: GPL-2.0-only */
#include "merge/forms.h"

#include <stdlib.h>
#include <jansson.h>

#include "base/each.h"
#include "record/record.h"
#include "record/words.h"
#include "report/grid.h"
#include "report/put.h"
#include "report/report.h"
#include "report/screen.h"

/* ---- Text and Markdown ---- */

/* Cells of a line of the table, row G_MAXUINT being the headings. Free with g_ptr_array_unref. */
static GPtrArray *cells_of(const struct merge_table *table, const GArray *notes, guint row)
{
	GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);
	const struct merge_line *line = row != G_MAXUINT ? table->rows->pdata[row] : NULL;

	for (guint i = 0; i < table->row_axes->len; i++)
		g_ptr_array_add(cells, g_strdup(line != NULL ? line->values->pdata[i]
							     : table->row_axes->pdata[i]));
	for (guint i = 0; i < table->columns->len; i++) {
		const struct merge_cell *cell = line != NULL ? merge_table_at(table, row, i) : NULL;
		g_autofree char *words = cell != NULL ? merge_cell_words(table, cell)
						      : merge_line_words(table->columns->pdata[i]);
		const guint note = cell != NULL ? merge_note_of(notes, cell) : 0;

		g_ptr_array_add(cells, note > 0 ? g_strdup_printf("%s [%u]", words, note)
						: g_steal_pointer(&words));
	}
	g_ptr_array_add(cells, NULL);
	return cells;
}

char *merge_text(const struct merge_table *table, const char *base G_GNUC_UNUSED)
{
	g_autoptr(GArray) notes = merge_notes(table);
	g_autoptr(GPtrArray) headings = cells_of(table, notes, G_MAXUINT);
	g_autofree struct grid_column *columns = g_new0(struct grid_column, headings->len);
	g_autoptr(struct_grid) grid = NULL;
	g_autofree char *words = merge_table_words(table);
	struct screen screen = { .out = g_string_new(NULL), .width = REPORT_WIDTH };

	for (guint i = 0; i + 1 < headings->len; i++)
		columns[i] = (struct grid_column){
			.heading = headings->pdata[i],
			.left = i < table->row_axes->len,
		};
	grid = grid_new(columns, headings->len - 1);
	for (guint i = 0; i < table->rows->len; i++) {
		g_autoptr(GPtrArray) cells = cells_of(table, notes, i);

		grid_add(grid, (const char *const *)cells->pdata);
	}
	grid_put(grid, screen.out, SIZE_MAX);
	g_string_append_c(screen.out, '\n');
	screen_paragraph(&screen, 0, 0, words);
	each_value (const struct merge_note, note, notes) {
		g_autofree char *said = merge_note_words(note);
		g_autofree char *numbered = g_strdup_printf("[%u] %s", note->number, said);

		screen_paragraph(&screen, 0, 4, numbered);
	}
	each (const char, note, table->set->notes)
		screen_paragraph(&screen, 0, 4, note);
	return g_string_free(screen.out, FALSE);
}

static void put_row(GString *out, const GPtrArray *cells)
{
	for (guint i = 0; i + 1 < cells->len; i++) {
		g_string_append(out, i == 0 ? "| " : " | ");
		markdown_put(out, cells->pdata[i]);
	}
	g_string_append(out, " |\n");
}

static void put_item(GString *out, const char *text)
{
	g_string_append(out, "- ");
	markdown_put(out, text);
	g_string_append_c(out, '\n');
}

char *merge_markdown(const struct merge_table *table, const char *base G_GNUC_UNUSED)
{
	g_autoptr(GArray) notes = merge_notes(table);
	g_autoptr(GPtrArray) headings = cells_of(table, notes, G_MAXUINT);
	g_autofree char *words = merge_table_words(table);
	GString *out = g_string_new(NULL);

	put_row(out, headings);
	for (guint i = 0; i + 1 < headings->len; i++)
		g_string_append(out, i < table->row_axes->len ? "|---" : "|---:");
	g_string_append(out, "|\n");
	for (guint i = 0; i < table->rows->len; i++) {
		g_autoptr(GPtrArray) cells = cells_of(table, notes, i);

		put_row(out, cells);
	}
	g_string_append_c(out, '\n');
	markdown_put(out, words);
	g_string_append(out, "\n\n");
	each_value (const struct merge_note, note, notes) {
		g_autofree char *said = merge_note_words(note);
		g_autofree char *numbered = g_strdup_printf("[%u] %s", note->number, said);

		put_item(out, numbered);
	}
	each (const char, note, table->set->notes)
		put_item(out, note);
	return g_string_free(out, FALSE);
}

/* ---- For programs: a line or an object for each cell ---- */

/* Whole numbers as such, and nothing that a count does not have. */
static char *digits(double number)
{
	return words_double("%.15g", number);
}

static void csv_put_number(GString *out, bool known, double number)
{
	g_autofree char *text = known ? digits(number) : g_strdup("");

	csv_put(out, text, false);
}

static char *records_of(const struct merge_cell *cell)
{
	GString *records = g_string_new(NULL);

	each (const struct merge_sample, sample, cell->samples) {
		g_autofree char *name =
			sample->record != NULL ? g_path_get_basename(sample->record) : NULL;

		if (name != NULL)
			g_string_append_printf(records, "%s%s", records->len > 0 ? " " : "", name);
	}
	return g_string_free(records, FALSE);
}

static void csv_put_values(GString *out, const GPtrArray *values)
{
	each (const char, value, values)
		csv_put(out, value, false);
}

char *merge_csv(const struct merge_table *table, const char *base G_GNUC_UNUSED)
{
	GString *out = g_string_new(NULL);

	csv_put_values(out, table->row_axes);
	csv_put_values(out, table->column_axes);
	g_string_append_printf(out, "state,%s,least,most,measured,others,why,records\r\n",
			       merge_value_name(table->set->value));
	for (guint i = 0; i < table->rows->len; i++) {
		for (guint j = 0; j < table->columns->len; j++) {
			const struct merge_cell *cell = merge_table_at(table, i, j);
			const bool known = cell->state == MERGE_MEASURED;
			g_autofree char *records = records_of(cell);

			csv_put_values(out, ((struct merge_line *)table->rows->pdata[i])->values);
			csv_put_values(out,
				       ((struct merge_line *)table->columns->pdata[j])->values);
			csv_put(out, merge_state_name(cell->state), false);
			csv_put_number(out, known, cell->median);
			csv_put_number(out, known, cell->least);
			csv_put_number(out, known, cell->most);
			csv_put_number(out, true, cell->measured);
			csv_put_number(out, true, cell->others);
			csv_put(out, cell->why != NULL ? cell->why : "", false);
			csv_put(out, records, true);
		}
	}
	return g_string_free(out, FALSE);
}

static json_t *text_to_json(const char *text)
{
	g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;

	return valid != NULL ? json_string(valid) : json_null();
}

static json_t *number_to_json(bool known, double number)
{
	if (!known)
		return json_null();
	return number == (double)(json_int_t)number ? json_integer((json_int_t)number)
						    : json_real(number);
}

static json_t *list_to_json(const GPtrArray *texts)
{
	json_t *list = json_array();

	each (const char, text, texts)
		json_array_append_new(list, text_to_json(text));
	return list;
}

static void place_to_json(json_t *json, const GPtrArray *axes, const struct merge_line *line)
{
	for (guint i = 0; i < axes->len; i++)
		json_object_set_new(json, axes->pdata[i], text_to_json(line->values->pdata[i]));
}

static json_t *samples_to_json(const struct merge_cell *cell)
{
	json_t *list = json_array();

	each (const struct merge_sample, sample, cell->samples) {
		const bool measured =
			sample->state == MERGE_MEASURED || sample->state == MERGE_INVALID;
		json_t *json = json_object();

		json_object_set_new(json, "record", text_to_json(sample->record));
		json_object_set_new(json, "state", json_string(merge_state_name(sample->state)));
		json_object_set_new(json, "value", number_to_json(measured, sample->value));
		json_object_set_new(json, "why", text_to_json(sample->why));
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *cell_to_json(const struct merge_table *table, guint row, guint column)
{
	const struct merge_cell *cell = merge_table_at(table, row, column);
	const bool known = cell->state == MERGE_MEASURED;
	json_t *json = json_object(), *axes = json_object();

	place_to_json(axes, table->row_axes, table->rows->pdata[row]);
	place_to_json(axes, table->column_axes, table->columns->pdata[column]);
	json_object_set_new(json, "axes", axes);
	json_object_set_new(json, "state", json_string(merge_state_name(cell->state)));
	json_object_set_new(json, "median", number_to_json(known, cell->median));
	json_object_set_new(json, "least", number_to_json(known, cell->least));
	json_object_set_new(json, "most", number_to_json(known, cell->most));
	json_object_set_new(json, "inputs_differ", json_boolean(cell->differ));
	json_object_set_new(json, "why", text_to_json(cell->why));
	json_object_set_new(json, "samples", samples_to_json(cell));
	return json;
}

char *merge_json(const struct merge_table *table, const char *base G_GNUC_UNUSED)
{
	json_t *json = json_object(), *cells = json_array();
	char *dump, *text;

	json_object_set_new(json, "value", json_string(merge_value_name(table->set->value)));
	json_object_set_new(json, "records", json_integer(table->set->records));
	json_object_set_new(json, "rows", list_to_json(table->row_axes));
	json_object_set_new(json, "columns", list_to_json(table->column_axes));
	for (guint i = 0; i < table->rows->len; i++)
		for (guint j = 0; j < table->columns->len; j++)
			json_array_append_new(cells, cell_to_json(table, i, j));
	json_object_set_new(json, "cells", cells);
	json_object_set_new(json, "notes", list_to_json(table->set->notes));
	dump = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	text = g_strconcat(dump, "\n", NULL);
	free(dump);
	json_decref(json);
	return text;
}
