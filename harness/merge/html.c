/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "base/each.h"
#include "merge/forms.h"
#include "merge/html_maps.h"
#include "report/html_parts.h"

/* ---- Links ---- */

/* From a folder to a file, both absolute. The caller frees it. */
static char *relative(const char *folder, const char *file)
{
	g_auto(GStrv) from = g_strsplit(folder, "/", -1);
	g_auto(GStrv) to = g_strsplit(file, "/", -1);
	g_autoptr(GString) path = g_string_new(NULL);
	guint same = 0;

	while (from[same] != NULL && to[same] != NULL && g_str_equal(from[same], to[same]))
		same++;
	for (guint i = same; from[i] != NULL; i++)
		if (*from[i] != '\0')
			g_string_append(path, "../");
	for (guint i = same; to[i] != NULL; i++)
		g_string_append_printf(path, "%s%s", to[i], to[i + 1] != NULL ? "/" : "");
	return g_uri_escape_string(path->str, "/", FALSE);
}

/* Its page, or where it has none, as it failed, its numbers. */
char *merge_link(const struct merge_sample *sample, const char *base)
{
	g_autofree char *page = NULL;

	if (sample->record == NULL)
		return NULL;
	page = g_build_filename(sample->record, "report.html", NULL);
	if (!g_file_test(page, G_FILE_TEST_EXISTS)) {
		g_free(page);
		page = g_build_filename(sample->record, "record.json", NULL);
	}
	return relative(base, page);
}

/* ---- The table ---- */

static xmlNode *add_heading(xmlNode *row, const char *text, const char *scope)
{
	xmlNode *cell = html_add_class(row, "th", "text", text);

	html_set(cell, "scope", scope);
	return cell;
}

/* The words lead to the first record, numbers behind them to all others. */
static void add_cell(xmlNode *row, const struct merge_table *table, const struct merge_cell *cell,
		     guint note, const char *base)
{
	xmlNode *td = html_add_class(row, "td", "number", NULL);
	g_autofree char *words = merge_cell_words(table, cell);
	guint links = 0;

	each (const struct merge_sample, sample, cell->samples) {
		g_autofree char *link = merge_link(sample, base);
		g_autofree char *number = g_strdup_printf("%u", links + 1);
		g_autofree char *name = NULL;
		xmlNode *a;

		if (link == NULL)
			continue;
		if (links > 0)
			html_add_text(td, " ");
		a = html_add(td, "a", links == 0 ? words : number);
		name = g_path_get_basename(sample->record);
		html_set(a, "href", link);
		html_set(a, "title", name);
		links++;
	}
	if (links == 0)
		html_add_text(td, words);
	if (note > 0)
		html_add_textf(td, " [%u]", note);
}

static void put_table(xmlNode *parent, const struct merge_table *table, const GArray *notes,
		      const char *base)
{
	xmlNode *node = html_add(html_add_scroll(parent, "Table of all cells"), "table", NULL);
	xmlNode *row, *body;

	row = html_add(html_add(node, "thead", NULL), "tr", NULL);
	each (const char, axis, table->row_axes)
		add_heading(row, axis, "col");
	each (const struct merge_line, line, table->columns) {
		g_autofree char *words = merge_line_words(line);

		html_set(add_heading(row, words, "col"), "class", "number");
	}
	body = html_add(node, "tbody", NULL);
	for (guint i = 0; i < table->rows->len; i++) {
		const struct merge_line *line = table->rows->pdata[i];

		row = html_add(body, "tr", NULL);
		each (const char, value, line->values)
			add_heading(row, value, "row");
		for (guint j = 0; j < table->columns->len; j++) {
			const struct merge_cell *cell = merge_table_at(table, i, j);

			add_cell(row, table, cell, merge_note_of(notes, cell), base);
		}
	}
}

static void put_notes(xmlNode *parent, const struct merge_table *table, const GArray *notes)
{
	xmlNode *list;

	if (notes->len == 0 && table->set->notes->len == 0)
		return;
	html_add(parent, "h2", "What is missing, and why");
	list = html_add(parent, "ul", NULL);
	each_value (const struct merge_note, note, notes) {
		g_autofree char *words = merge_note_words(note);

		html_add_textf(html_add(list, "li", NULL), "[%u] %s", note->number, words);
	}
	each (const char, note, table->set->notes)
		html_add(list, "li", note);
}

/* ---- The page ---- */

/* The axes of a table without that of configurations, NULL-terminated. */
static char **without_config(const GPtrArray *axes)
{
	g_autoptr(GPtrArray) left = g_ptr_array_new();

	each (char, axis, axes)
		if (!g_str_equal(axis, MERGE_AXIS_CONFIG))
			g_ptr_array_add(left, axis);
	g_ptr_array_add(left, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&left), FALSE);
}

/* Nested paging is what shadow paging is compared with. */
static GPtrArray *configs_of(const struct merge_set *set)
{
	GPtrArray *configs = merge_set_values(set, MERGE_AXIS_CONFIG);
	guint at;

	if (g_ptr_array_find_with_equal_func(configs, "ept", g_str_equal, &at))
		g_ptr_array_insert(configs, 0, g_ptr_array_steal_index(configs, at));
	return configs;
}

static void put_pictures(xmlDoc *doc, const struct merge_table *table, const char *base)
{
	g_autofree char **rows = without_config(table->row_axes);
	g_autofree char **columns = without_config(table->column_axes);
	g_autoptr(struct_merge_table) apart =
		merge_table_new(table->set, rows, columns, MERGE_AXIS_CONFIG, NULL);
	g_autoptr(GPtrArray) configs = configs_of(table->set);
	const struct merge_map map = { .table = apart, .configs = configs, .base = base };

	merge_html_heat(html_find(doc, "maps"), &map);
	merge_html_multiples(html_find(doc, "multiples"), &map);
}

char *merge_html(const struct merge_table *table, const char *base)
{
	xmlDoc *doc = html_open("merge.html");
	g_autoptr(GArray) notes = merge_notes(table);
	g_autofree char *words = merge_table_words(table);
	const char *value = merge_value_name(table->set->value);

	html_add_textf(html_find(doc, "title"), "eptlab merge: %s", value);
	html_add_textf(html_find(doc, "heading"), "%s of %u records", value, table->set->records);
	html_add_text(html_find(doc, "subject"), words);
	put_pictures(doc, table, base);
	put_table(html_find(doc, "table"), table, notes, base);
	put_notes(html_find(doc, "notes"), table, notes);
	return html_close(doc);
}
