/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/csv_counts.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "foreign/counts.h"
#include "record/words.h"

/* More columns than these are no table of counts. */
#define COLUMNS_MAX 64

struct table {
	const char *name;
	GPtrArray *columns; /* of struct foreign_counts; NULL for a column that is none */
	guint column;	    /* the next cell's, from 0 */
	uint64_t row;	    /* from 1, the header */
	bool is_total;	    /* of the current row: no reason, but the sum of all */
	bool skip;	    /* the current row has no reason */
	uint32_t reason;
	GError *error; /* the first */
};

bool csv_counts_is_header(const char *line)
{
	const char *first = *line == '"' ? line + 1 : line;
	size_t cell = strcspn(line, ",;");

	/* "exit number=0, exits=5" is a line of a log. */
	if (line[cell] == '\0' || strcspn(line, "=:0123456789") < cell)
		return false;
	return g_ascii_strncasecmp(first, "reason", 6) == 0 ||
	       g_ascii_strncasecmp(first, "exit", 4) == 0;
}

/* eptlab's own table derives these from the counts. */
static bool is_derived(const char *heading)
{
	static const char *const words[] = { "name", "paging", "difference", "ratio" };

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_ascii_strcasecmp(heading, words[i]) == 0)
			return true;
	return g_str_has_prefix(heading, "share ") || g_str_has_prefix(heading, "cycles ");
}

static bool fail(struct table *table, const char *what)
{
	return eptlab_fail(&table->error, EPTLAB_ERROR_USAGE,
			   "L0: %s, row %" PRIu64 ", column %u: %s", table->name, table->row,
			   table->column + 1, what);
}

/* A number is digits and nothing else. */
static bool number(struct table *table, const char *cell, uint64_t most, uint64_t *value)
{
	g_autofree char *shown = words_printable(cell);
	g_autofree char *message = NULL;

	if (g_ascii_string_to_unsigned(cell, 10, 0, most, value, NULL))
		return true;
	message = g_strdup_printf("\"%.40s\" is no number from 0 to %" PRIu64, shown, most);
	return fail(table, message);
}

static void take_heading(struct table *table, const char *cell)
{
	g_autofree char *shown = words_printable(cell);
	g_autofree char *name = g_strdup_printf("%s:%s", table->name, shown);

	if (table->column > COLUMNS_MAX)
		fail(table, "there are more columns than a table of counts has");
	else if (table->column > 0)
		g_ptr_array_add(table->columns, is_derived(cell) ? NULL : foreign_counts_new(name));
}

/* The first cell of a row: a reason, "total", or nothing. */
static void begin_row(struct table *table, const char *cell)
{
	uint64_t reason = 0;

	table->is_total = g_ascii_strcasecmp(cell, "total") == 0;
	table->skip = !table->is_total && *cell == '\0';
	if (!table->is_total && !table->skip && number(table, cell, UINT32_MAX, &reason))
		table->reason = (uint32_t)reason;
}

static void take_count(struct table *table, const char *cell)
{
	struct foreign_counts *counts =
		table->column <= table->columns->len
			? g_ptr_array_index(table->columns, table->column - 1)
			: NULL;
	uint64_t count;

	if (counts == NULL || *cell == '\0' || table->skip ||
	    !number(table, cell, UINT64_MAX, &count))
		return;
	if (table->is_total)
		counts->stated_total = record_u64_from(count);
	else
		foreign_counts_set(counts, table->reason, count);
}

static void on_cell(void *bytes, size_t length, void *data)
{
	struct table *table = data;
	g_autofree char *cell = g_strndup(bytes != NULL ? bytes : "", length);

	if (table->error != NULL)
		return;
	if (strlen(cell) != length)
		fail(table, "there is a NUL byte in it");
	else if (table->row == 1)
		take_heading(table, cell);
	else if (table->column == 0)
		begin_row(table, cell);
	else
		take_count(table, cell);
	table->column++;
}

static void on_row(int end G_GNUC_UNUSED, void *data)
{
	struct table *table = data;

	table->row++;
	table->column = 0;
}

/* What ends the first cell. */
static unsigned char delimiter_of(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == ',' || text[i] == ';')
			return (unsigned char)text[i];
	return ',';
}

static bool parse(struct table *table, const char *text, size_t length)
{
	struct csv_parser parser;
	bool ok;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		g_error("libcsv cannot be initialized"); /* never: it allocates nothing here */
	csv_set_delim(&parser, delimiter_of(text, length));
	ok = csv_parse(&parser, text, length, on_cell, on_row, table) == length &&
	     csv_fini(&parser, on_cell, on_row, table) == 0;
	if (!ok && table->error == NULL)
		fail(table, "a quotation mark is where none may be");
	csv_free(&parser);
	return table->error == NULL;
}

/* Those that are counts, finished. */
static GPtrArray *collect(GPtrArray *columns, const char *name)
{
	GPtrArray *found = foreign_columns_new();

	for (guint i = 0; i < columns->len; i++) {
		struct foreign_counts *counts = g_ptr_array_index(columns, i);

		if (counts == NULL || counts->run->exits->len == 0)
			continue;
		foreign_counts_finish(counts);
		g_ptr_array_add(found, counts);
		columns->pdata[i] = NULL;
	}
	if (found->len == 1)
		record_set_string(&((struct foreign_counts *)found->pdata[0])->name, name);
	return found;
}

GPtrArray *csv_counts_read(const char *text, size_t length, const char *name, GError **error)
{
	g_autoptr(GPtrArray) columns = foreign_columns_new();
	struct table table = { .name = name, .columns = columns, .row = 1 };
	g_autoptr(GPtrArray) found = NULL;

	if (!parse(&table, text, length)) {
		g_propagate_error(error, table.error);
		return NULL;
	}
	found = collect(columns, name);
	if (found->len > 0)
		return g_steal_pointer(&found);
	eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s has no column of exit counts", name);
	return NULL;
}
