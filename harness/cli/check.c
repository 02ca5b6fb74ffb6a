/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/arguments.h"
#include "cli/formats.h"
#include "foreign/diagnosis.h"
#include "foreign/forms.h"
#include "foreign/read.h"
#include "report/check.h"

struct options {
	char *baseline;
	char *layout;
	char *sweeps;
	char *format;
};

/* What the options say of the files. */
struct choice {
	struct leaf_layout layout;
	guint sweeps[3]; /* from 1; a 0 ends them */
};

static void options_clear(struct options *options)
{
	g_free(options->baseline);
	g_free(options->layout);
	g_free(options->sweeps);
	g_free(options->format);
}

static bool parse_sweeps(const char *text, guint *sweeps, GError **error)
{
	g_auto(GStrv) numbers = g_strsplit(text, ",", -1);

	for (guint i = 0; i < g_strv_length(numbers); i++) {
		guint64 number = 0;

		if (i >= 2 ||
		    !g_ascii_string_to_unsigned(numbers[i], 10, 1, G_MAXUINT, &number, NULL))
			return eptlab_fail(
				error, EPTLAB_ERROR_USAGE,
				"L0: --sweep %s is neither the number of a sweep nor two "
				"(1,3)",
				text);
		sweeps[i] = (guint)number;
	}
	return true;
}

static bool parse_choice(const struct options *options, struct choice *choice, GError **error)
{
	if (options->layout != NULL && !leaf_layout_parse(options->layout, &choice->layout))
		return eptlab_fail(
			error, EPTLAB_ERROR_USAGE,
			"L0: %s is no layout of CPUID leaves; give fe, fd, or the leaf of "
			"the exits by reason, and of the total, as 0x4FFFFFFE,0x4FFFFFFC",
			options->layout);
	return options->sweeps == NULL || parse_sweeps(options->sweeps, choice->sweeps, error);
}

/* One file may hold any number of sweeps; of two files each is one. */
static GPtrArray *read_files(char **paths, const struct choice *choice, GError **error)
{
	g_autoptr(GPtrArray) all = foreign_columns_new();
	const bool alone = paths[1] == NULL;

	for (; *paths != NULL; paths++) {
		g_autoptr(GPtrArray) columns = foreign_read(*paths, &choice->layout, error);
		const guint found = columns != NULL ? columns->len : 0;

		if (columns == NULL || ((alone || found > 1) &&
					!foreign_select(columns, choice->sweeps, *paths, error)))
			return NULL;
		/* What follows each other in one run is no pair. */
		if (alone && choice->sweeps[0] == 0 && foreign_are_one_run(columns))
			foreign_keep_latest(columns);
		if (!alone && !foreign_keep_latest(columns)) {
			eptlab_fail(error, EPTLAB_ERROR_USAGE,
				    "L0: %s has %u sweeps, which are not of one run; check it "
				    "alone, or choose one with --sweep",
				    *paths, found);
			return NULL;
		}
		g_ptr_array_extend_and_steal(all, g_steal_pointer(&columns));
	}
	return g_steal_pointer(&all);
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
static bool take_off(GPtrArray *all, const char *path, const struct leaf_layout *layout,
		     GError **error)
{
	g_autoptr(GPtrArray) baseline = NULL;

	if (path == NULL)
		return true;
	baseline = foreign_read(path, layout, error);
	if (baseline == NULL)
		return false;
	if (!foreign_keep_latest(baseline))
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

static enum diagnosis_verdict judge(const GPtrArray *all, bool as_json)
{
	const struct foreign_counts *first = g_ptr_array_index(all, 0);
	const struct foreign_counts *second = all->len > 1 ? g_ptr_array_index(all, 1) : NULL;
	g_autoptr(struct_diagnosis) diagnosis =
		second != NULL ? diagnosis_of_pair(first, second) : diagnosis_of_one(first);
	g_autofree char *text =
		as_json ? report_check_json(diagnosis, first, second)
			: report_check_text(diagnosis, first, second, terminal_width(),
					    terminal_has_colour());

	fputs(text, stdout);
	return diagnosis->verdict;
}

/* More than two are no pair. */
static enum diagnosis_verdict list_sweeps(const GPtrArray *all, bool as_json)
{
	g_autoptr(GPtrArray) diagnoses =
		g_ptr_array_new_with_free_func((GDestroyNotify)diagnosis_free);
	g_autofree char *text = NULL;
	enum diagnosis_verdict verdict = DIAGNOSIS_UNDECIDED;

	for (guint i = 0; i < all->len; i++) {
		struct diagnosis *diagnosis = diagnosis_of_one(g_ptr_array_index(all, i));

		g_ptr_array_add(diagnoses, diagnosis);
		if (diagnosis->verdict == DIAGNOSIS_UNSOUND)
			verdict = DIAGNOSIS_UNSOUND;
	}
	text = as_json ? report_check_sweeps_json(verdict, diagnoses, all)
		       : report_check_sweeps_text(diagnoses, all, terminal_width(),
						  terminal_has_colour());
	fputs(text, stdout);
	return verdict;
}

static int check(char **paths, const struct options *options, GError **error)
{
	bool as_json;
	g_autoptr(GPtrArray) all = NULL;
	struct choice choice = { .sweeps = { 0 } };
	enum diagnosis_verdict verdict;

	if (!format_is_json(options->format, &as_json, error) ||
	    !parse_choice(options, &choice, error))
		return EPTLAB_ERROR_USAGE;
	all = read_files(paths, &choice, error);
	if (all == NULL)
		return EPTLAB_ERROR_USAGE;
	shorten_names(all);
	if (!take_off(all, options->baseline, &choice.layout, error))
		return EPTLAB_ERROR_USAGE;
	verdict = all->len > 2 ? list_sweeps(all, as_json) : judge(all, as_json);
	return verdict == DIAGNOSIS_SOUND ? 0 : EPTLAB_ERROR_INVALID;
}

/* The help, with each wording that is known. */
static char *description(void)
{
	GString *text = g_string_new(
		"FILE is a kernel log, the output of cpuid -l 0x4FFFFFFE -s N or of a tool that\n"
		"counts exits, a table (CSV, Markdown, by tabs) whose first column is the exit\n"
		"reason or its name, or a record; - is standard input. These forms are known,\n"
		"with the kernel's stamp or marks of a list in front, and other lines between:\n");

	for (const char *const *example = forms_examples(); *example != NULL; example++)
		g_string_append_printf(text, "  %s\n", *example);
	g_string_append(
		text, "\nExamples:\n"
		      "  eptlab check with-ept.txt without-ept.txt\n"
		      "  dmesg | eptlab check -\n"
		      "  eptlab check --baseline with-ept.txt without-ept.txt\n"
		      "  eptlab check --sweep 1,3 README.md\n"
		      "\nExit status: 0 sound, 1 not readable, 3 not sound, or it cannot be told.");
	return g_string_free(text, FALSE);
}

int command_check(int argc, char **argv, GError **error)
{
	struct options options = { .baseline = NULL };
	const GOptionEntry entries[] = {
		{ "baseline", 'b', 0, G_OPTION_ARG_FILENAME, &options.baseline,
		  "take the counts of FILE off first", "FILE" },
		{ "leaf", 'l', 0, G_OPTION_ARG_STRING, &options.layout,
		  "the same as --layout: only the counts of this leaf", "LEAF" },
		{ "layout", 'L', 0, G_OPTION_ARG_STRING, &options.layout,
		  "fe, fd, or LEAF[,TOTAL]: which CPUID leaf has the exits by reason", "LAYOUT" },
		{ "sweep", 's', 0, G_OPTION_ARG_STRING, &options.sweeps,
		  "of several sweeps in a file only this one, or these two (1,3)", "N[,M]" },
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
