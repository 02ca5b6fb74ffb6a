/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/output.h"
#include "config/paths.h"
#include "merge/forms.h"

#define MERGE_FORMATS "text, csv, json, markdown or html"

static const struct {
	const char *name;
	char *(*make)(const struct merge_table *table, const char *base);
} forms[] = {
	{ "text", merge_text },		{ "csv", merge_csv },	{ "json", merge_json },
	{ "markdown", merge_markdown }, { "html", merge_html },
};

struct asked {
	char *format, *output, *value, *rows, *columns;
	char **where;
};

static bool choose(struct merge_set *set, char **where, GError **error)
{
	for (char **one = where; one != NULL && *one != NULL; one++) {
		char *equals = strchr(*one, '=');
		g_autofree char *axis = equals != NULL ? g_strndup(*one, equals - *one) : NULL;
		g_autoptr(GPtrArray) values = axis != NULL ? merge_set_values(set, axis) : NULL;

		if (axis == NULL)
			return eptlab_fail(error, EPTLAB_ERROR_USAGE,
					   "L0: --where=%s is no AXIS=VALUE; give one such as "
					   "kernel=6.12",
					   *one);
		if (values->len > 0)
			merge_set_choose(set, axis, equals + 1);
		if (values->len == 0 || set->samples->len == 0)
			return eptlab_fail(error, EPTLAB_ERROR_USAGE,
					   "L0: no record here has %s; eptlab merge -f csv shows "
					   "what there is",
					   *one);
	}
	return true;
}

/* Names between commas; "" is none. */
static char **axes(const char *given, const char *usual)
{
	return g_strsplit(given != NULL ? given : usual, ",", -1);
}

static bool names_reason(const struct asked *asked, char **rows, char **columns)
{
	bool where = false;

	for (char **one = asked->where; one != NULL && *one != NULL; one++)
		where = where || g_str_has_prefix(*one, MERGE_AXIS_REASON "=");
	return where || g_strv_contains((const char *const *)rows, MERGE_AXIS_REASON) ||
	       g_strv_contains((const char *const *)columns, MERGE_AXIS_REASON);
}

static char *make(char **folders, const struct asked *asked, size_t form,
		  const enum merge_value *value, GError **error)
{
	g_autoptr(struct_merge_set) set = merge_set_read(folders, value, error);
	g_autoptr(struct_merge_table) table = NULL;
	g_auto(GStrv) rows = NULL;
	g_auto(GStrv) columns = NULL;
	g_autofree char *file = NULL;
	g_autofree char *base = NULL;
	bool per_op;

	if (set == NULL)
		return NULL;
	per_op = set->value == MERGE_EXITS_PER_OP || set->value == MERGE_TICKS_PER_OP;
	rows = axes(asked->rows, per_op ? MERGE_AXIS_OPERATION : MERGE_AXIS_WORKLOAD);
	columns = axes(asked->columns, MERGE_AXIS_KERNEL "," MERGE_AXIS_CONFIG);
	if (names_reason(asked, rows, columns)) {
		if (!merge_value_has_reasons(set->value))
			return eptlab_null(error, EPTLAB_ERROR_USAGE,
					   "L0: %s have no reasons; take --value=exits or "
					   "exits-per-op",
					   merge_value_name(set->value));
		merge_set_split_reasons(set);
	}
	if (!choose(set, asked->where, error))
		return NULL;
	table = merge_table_new(set, rows, columns, NULL, error);
	if (table == NULL)
		return NULL;
	file = g_canonicalize_filename(asked->output != NULL ? asked->output : "page.html", NULL);
	base = g_path_get_dirname(file);
	return forms[form].make(table, base);
}

static int merge(char **folders, const struct asked *asked, GError **error)
{
	const char *format = asked->format != NULL ? asked->format : "text";
	g_autofree char *text = NULL;
	enum merge_value value;
	size_t form = 0;

	while (form < G_N_ELEMENTS(forms) && !g_str_equal(format, forms[form].name))
		form++;
	if (form == G_N_ELEMENTS(forms))
		return eptlab_status(error, EPTLAB_ERROR_USAGE,
				     "L0: there is no format \"%s\"; take " MERGE_FORMATS, format);
	if (asked->value != NULL && !merge_value_find(asked->value, &value))
		return eptlab_status(error, EPTLAB_ERROR_USAGE,
				     "L0: there is no value \"%s\"; take " MERGE_VALUE_NAMES,
				     asked->value);
	text = make(folders, asked, form, asked->value != NULL ? &value : NULL, error);
	return text != NULL && output_write(asked->output, text, error) ? 0 : (*error)->code;
}

int command_merge(int argc, char **argv, GError **error)
{
	struct asked asked = { .format = NULL };
	const GOptionEntry entries[] = {
		{ "rows", 'r', 0, G_OPTION_ARG_STRING, &asked.rows,
		  "axes of the rows (operation, or workload)", "AXIS,..." },
		{ "columns", 'c', 0, G_OPTION_ARG_STRING, &asked.columns,
		  "axes of the columns (kernel,config)", "AXIS,..." },
		{ "value", 'v', 0, G_OPTION_ARG_STRING, &asked.value, MERGE_VALUE_NAMES, "VALUE" },
		{ "where", 'w', 0, G_OPTION_ARG_STRING_ARRAY, &asked.where,
		  "only those with that value on an axis", "AXIS=VALUE" },
		{ "format", 'f', 0, G_OPTION_ARG_STRING, &asked.format,
		  "text (default), csv, json, markdown or html", "FORMAT" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &asked.output,
		  "write to FILE, not to standard output", "FILE" },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.names = "FOLDER...",
		.summary = "One table of many records: those of folders, or of a matrix.",
		.description = "Axes: platform, kernel, workload, operation, config, reason, cpu, "
			       "source, vpid,\nmemory_mib, vcpus, and those of a matrix.\n\n"
			       "Examples:\n  eptlab merge results\n"
			       "  eptlab merge -r reason -w operation=fork results/reference\n"
			       "  eptlab merge -f html -o table.html results/matrix/lines",
		.least = 1,
		.most = G_MAXINT - 1,
		.takes = "merge takes one folder at least",
	};
	int status = EPTLAB_ERROR_USAGE;

	if (arguments_parse(&arguments, &argc, &argv, error))
		status = merge(argv + 1, &asked, error);
	g_free(asked.format);
	g_free(asked.output);
	g_free(asked.value);
	g_free(asked.rows);
	g_free(asked.columns);
	g_strfreev(asked.where);
	return status;
}
