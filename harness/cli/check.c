/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/arguments.h"
#include "cli/formats.h"
#include "foreign/diagnosis.h"
#include "foreign/read.h"
#include "report/check.h"

struct options {
	char *baseline;
	char *leaf;
	char *format;
};

static void options_clear(struct options *options)
{
	g_free(options->baseline);
	g_free(options->leaf);
	g_free(options->format);
}

static bool parse_leaf(const char *text, uint32_t *leaf, GError **error)
{
	guint64 value = 0;
	const char *digits = text != NULL && g_str_has_prefix(text, "0x") ? text + 2 : text;

	*leaf = 0;
	if (text == NULL)
		return true;
	if (!g_ascii_string_to_unsigned(digits, 16, 1, UINT32_MAX, &value, NULL))
		return eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: --leaf %s is no CPUID leaf; give it as 0x4FFFFFFE", text);
	*leaf = (uint32_t)value;
	return true;
}

/* All columns of all files; two at most, as more cannot be compared. */
static GPtrArray *read_files(char **paths, uint32_t leaf, GError **error)
{
	g_autoptr(GPtrArray) all = foreign_columns_new();

	for (; *paths != NULL; paths++) {
		GPtrArray *columns = foreign_read(*paths, leaf, error);

		if (columns == NULL)
			return NULL;
		g_ptr_array_extend_and_steal(all, columns);
	}
	if (all->len <= 2)
		return g_steal_pointer(&all);
	return eptlab_null(
		error, EPTLAB_ERROR_USAGE,
		"L0: that is %u columns of counts, and two at most can be checked together; "
		"give files with one or two",
		all->len);
}

/* Without their folders, unless they would be the same then. */
static void shorten_names(GPtrArray *all)
{
	g_auto(GStrv) names = g_new0(char *, all->len + 1);

	for (guint i = 0; i < all->len; i++) {
		const struct foreign_counts *counts = g_ptr_array_index(all, i);

		names[i] = g_path_get_basename(counts->name);
	}
	if (all->len > 1 && g_str_equal(names[0], names[1]))
		return;
	for (guint i = 0; i < all->len; i++)
		record_set_string(&((struct foreign_counts *)g_ptr_array_index(all, i))->name,
				  names[i]);
}

/* Take the baseline off each column. */
static bool take_off(GPtrArray *all, const char *path, uint32_t leaf, GError **error)
{
	g_autoptr(GPtrArray) baseline = NULL;

	if (path == NULL)
		return true;
	baseline = foreign_read(path, leaf, error);
	if (baseline == NULL)
		return false;
	if (baseline->len != 1)
		return eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: %s has %u columns of counts; a baseline has one", path,
				   baseline->len);
	shorten_names(baseline);
	for (guint i = 0; i < all->len; i++) {
		struct foreign_counts *less = foreign_counts_less(
			g_ptr_array_index(all, i), g_ptr_array_index(baseline, 0), error);

		if (less == NULL)
			return false;
		foreign_counts_free(g_ptr_array_index(all, i));
		all->pdata[i] = less;
	}
	return true;
}

static int check(char **paths, const struct options *options, GError **error)
{
	bool as_json;
	g_autoptr(GPtrArray) all = NULL;
	g_autoptr(struct_diagnosis) diagnosis = NULL;
	g_autofree char *text = NULL;
	const struct foreign_counts *first, *second;
	uint32_t leaf;

	if (!format_is_json(options->format, &as_json, error) ||
	    !parse_leaf(options->leaf, &leaf, error))
		return EPTLAB_ERROR_USAGE;
	all = read_files(paths, leaf, error);
	if (all == NULL)
		return EPTLAB_ERROR_USAGE;
	shorten_names(all);
	if (!take_off(all, options->baseline, leaf, error))
		return EPTLAB_ERROR_USAGE;
	first = g_ptr_array_index(all, 0);
	second = all->len > 1 ? g_ptr_array_index(all, 1) : NULL;
	diagnosis = second != NULL ? diagnosis_of_pair(first, second) : diagnosis_of_one(first);
	text = as_json ? report_check_json(diagnosis, first, second)
		       : report_check_text(diagnosis, first, second, terminal_width(),
					   terminal_has_colour());
	fputs(text, stdout);
	return diagnosis->verdict == DIAGNOSIS_SOUND ? 0 : EPTLAB_ERROR_INVALID;
}

/* The help, with each wording that is known. */
static char *description(void)
{
	GString *text = g_string_new(
		"FILE is a kernel log, the output of cpuid -l 0x4FFFFFFE -s N, a table (CSV) "
		"whose\n"
		"first column is the exit reason, or a record; - is standard input. These\n"
		"wordings are known, with anything in front of them, and other lines between:\n");

	for (const char *const *example = wording_examples(); *example != NULL; example++)
		g_string_append_printf(text, "  %s\n", *example);
	g_string_append(
		text, "\nExamples:\n"
		      "  eptlab check with-ept.txt without-ept.txt\n"
		      "  dmesg | eptlab check -\n"
		      "  eptlab check --baseline with-ept.txt without-ept.txt\n"
		      "\nExit status: 0 sound, 1 not readable, 3 not sound, or it cannot be told.");
	return g_string_free(text, FALSE);
}

int command_check(int argc, char **argv, GError **error)
{
	struct options options = { .baseline = NULL };
	const GOptionEntry entries[] = {
		{ "baseline", 'b', 0, G_OPTION_ARG_FILENAME, &options.baseline,
		  "take the counts of FILE off first", "FILE" },
		{ "leaf", 'l', 0, G_OPTION_ARG_STRING, &options.leaf,
		  "only the counts of this leaf (0x4FFFFFFE if the file has it)", "LEAF" },
		{ "format", 'f', 0, G_OPTION_ARG_STRING, &options.format, "text (default) or json",
		  "FORMAT" },
		{ .long_name = NULL },
	};
	g_autofree char *help = description();
	const struct arguments arguments = {
		.entries = entries,
		.names = "FILE [FILE]",
		.summary =
			"Are counts that somebody took by hand right? One file: which paging do\n"
			"they speak for? Two, the first with EPT: are they a sound pair, and if "
			"not,\n"
			"what most probably happened?",
		.description = help,
		.least = 1,
		.most = 2,
		.takes = "check takes one file or two",
	};
	int status = EPTLAB_ERROR_USAGE;

	if (arguments_parse(&arguments, &argc, &argv, error))
		status = check(argv + 1, &options, error);
	options_clear(&options);
	return status;
}
