/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/formats.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"

bool terminal_has_colour(void)
{
	const char *refused = g_getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) != 0 && (refused == NULL || *refused == '\0');
}

size_t terminal_width(void)
{
	struct winsize size = { .ws_col = 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return REPORT_WIDTH;
	return MAX(size.ws_col, REPORT_WIDTH);
}

static char *text_for_terminal(const struct report *report)
{
	return report_text(report, terminal_width(), terminal_has_colour());
}

static char *text_for_file(const struct report *report)
{
	return report_text(report, REPORT_WIDTH, false);
}

static const struct format formats[] = {
	{ .name = "text", .make = text_for_terminal },
	{ .name = "csv", .make = report_csv },
	{ .name = "operations", .make = report_operations_csv },
	{ .name = "statistics", .make = report_statistics_csv },
	{ .name = "json", .make = report_json },
	{ .name = "markdown", .make = report_markdown },
	{ .name = "html", .make = report_html },
	{ .name = "published", .make = report_published },
};

static const struct format files[] = {
	{ .name = "csv", .make = report_csv, .file = "counts.csv" },
	{ .name = "statistics", .make = report_statistics_csv, .file = "statistics.csv" },
	{ .name = "text", .make = text_for_file, .file = "report.txt" },
	{ .name = "markdown", .make = report_markdown, .file = "report.md" },
	{ .name = "html", .make = report_html, .file = "report.html" },
	{ .name = NULL },
};

const struct format *formats_find(const char *name, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (g_str_equal(name, formats[i].name))
			return &formats[i];
	return eptlab_null(error, EPTLAB_ERROR_USAGE,
			   "L0: there is no format \"%s\"; take " FORMATS_NAMES, name);
}

bool format_is_json(const char *name, bool *json, GError **error)
{
	*json = g_strcmp0(name, "json") == 0;
	return *json || name == NULL || g_str_equal(name, "text") ||
	       eptlab_fail(error, EPTLAB_ERROR_USAGE,
			   "L0: there is no format \"%s\"; take text or json", name);
}

const struct format *formats_of_record(void)
{
	return files;
}
