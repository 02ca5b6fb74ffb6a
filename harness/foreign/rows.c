/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/rows.h"

#include <csv.h>
#include <string.h>

#include "foreign/forms.h"
#include "foreign/number.h"
#include "record/reasons.h"
#include "record/words.h"

/* What a column is. */
enum role {
	ROLE_COUNT,
	ROLE_REASON,
	ROLE_NAME,
	ROLE_PART,    /* a thread: its counts are a part */
	ROLE_DERIVED, /* from the counts, or something else */
};

/* By its heading; the first that fits. What fits none is counts. */
static const struct {
	const char *pattern;
	enum role role;
} headings[] = {
	{ "^(?:pid|tid|vcpu|cpu)$", ROLE_PART },
	{ "^(?:basic )?(?:(?:kvm|vm)[ _-]?)?(?:exit[ "
	  "_-]?)?(?:reason|number|no|num|type|code|id|#)\\.?"
	  "(?:[ _-]?(?:number|no|code|id|#))?\\.?$|^(?:vm[ _-]?)?exit$",
	  ROLE_REASON },
	{ "name|description|meaning", ROLE_NAME },
	{ "%|diff|change|delta|increase|decrease|ratio|^share "
	  "|cycle|\\btime\\b|latency|\\bavg|average|"
	  "\\bmin\\b|\\bmax\\b|^paging$|factor|<|comment|note|remark",
	  ROLE_DERIVED },
};

/* More columns than these are no table of counts. */
#define COLUMNS_MAX 64

#define TOTAL "^(?:grand |over)?(?:total|sum|all|totals)(?:[ _]exits| number of exits)?:?$"
/* What is no count, and does not want to be one: "+35%", "2.5x", "5.49us". */
#define DERIVED "^\\+|^[<>~+-]*[\\d.,]+\\s*(?:%|x|times|[num]?s|sec)$|^[^\\d-]*$|^-*$"
#define RULER	"^:?-+:?$|^=+$"

void rows_init(struct rows *rows)
{
	*rows = (struct rows){
		.roles = g_array_new(FALSE, FALSE, sizeof(int)),
		.headings = g_ptr_array_new_with_free_func(g_free),
	};
}

void rows_clear(struct rows *rows)
{
	g_array_unref(rows->roles);
	g_ptr_array_unref(rows->headings);
}

/* ---- Cells ---- */

static void on_cell(void *bytes, size_t length, void *data)
{
	char *cell = g_strndup(bytes != NULL ? bytes : "", length);

	g_ptr_array_add(data, g_strstrip(cell));
}

/* The cells of a line; NULL if a quotation mark is where none may be. */
static GPtrArray *split(const char *text, char delimiter)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	struct csv_parser parser;
	bool ok;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0)
		g_error("libcsv cannot be initialized"); /* never: it allocates nothing here */
	csv_set_delim(&parser, (unsigned char)delimiter);
	/* Markdown has no quotation marks. */
	if (delimiter == '|')
		csv_set_quote(&parser, '\1');
	ok = csv_parse(&parser, text, strlen(text), on_cell, NULL, cells) == strlen(text) &&
	     csv_fini(&parser, on_cell, NULL, cells) == 0;
	csv_free(&parser);
	if (!ok)
		return NULL;
	/* The outer pipes. */
	if (delimiter == '|' && cells->len > 1 && *text == '|')
		g_ptr_array_remove_index(cells, 0);
	while (delimiter == '|' && cells->len > 1 &&
	       *(const char *)g_ptr_array_index(cells, cells->len - 1) == '\0')
		g_ptr_array_set_size(cells, (int)cells->len - 1);
	return g_steal_pointer(&cells);
}

/* Two blanks or more are as good as a tab. */
static char *with_tabs(const char *text)
{
	g_autofree char *stripped = g_strstrip(g_strdup(text));
	GString *line = g_string_new(NULL);

	for (const char *at = stripped; *at != '\0'; at++) {
		if (*at == ' ' && at[1] == ' ')
			continue;
		g_string_append_c(line, *at == ' ' && at[-1] == ' ' ? '\t' : *at);
	}
	return g_string_free(line, FALSE);
}

static GPtrArray *cells_of(const char *text, char delimiter)
{
	g_autofree char *line = delimiter == '\t' ? with_tabs(text) : g_strstrip(g_strdup(text));

	return strchr(line, delimiter) != NULL ? split(line, delimiter) : NULL;
}

/* ---- Headings ---- */

static enum role role_of(const char *heading)
{
	for (size_t i = 0; i < G_N_ELEMENTS(headings); i++)
		if (number_fits(headings[i].pattern, heading))
			return headings[i].role;
	return ROLE_COUNT;
}

/* A heading has a column of reasons or names, one more, and no number. */
static bool take_headings(struct rows *rows, GPtrArray *cells, char delimiter)
{
	bool reasons = false;
	guint others = 0;

	for (guint i = 0; i < cells->len; i++) {
		const char *text = g_ptr_array_index(cells, i);
		const enum role role = role_of(text);

		if (number_fits("^[\\d.,]+$|[=:].", text))
			return false;
		reasons |= role == ROLE_REASON || (role == ROLE_NAME && i == 0);
		others += *text != '\0' && role != ROLE_REASON;
	}
	if (!reasons || others == 0)
		return false;
	rows->delimiter = delimiter;
	g_array_set_size(rows->roles, 0);
	g_ptr_array_set_size(rows->headings, 0);
	for (guint i = 0; i < cells->len; i++) {
		const char *text = g_ptr_array_index(cells, i);
		int role = (int)role_of(text);

		g_array_append_val(rows->roles, role);
		g_ptr_array_add(rows->headings, g_strdup(text));
	}
	return true;
}

static bool is_ruler(const GPtrArray *cells)
{
	for (guint i = 0; i < cells->len; i++)
		if (!number_fits(RULER, g_ptr_array_index(cells, i)))
			return false;
	return true;
}

/* ---- Rows ---- */

static enum role role_at(const struct rows *rows, guint column)
{
	if (rows->delimiter == 0)
		return column == 0 ? ROLE_REASON : ROLE_COUNT;
	return column < rows->roles->len ? (enum role)g_array_index(rows->roles, int, column)
					 : ROLE_DERIVED;
}

/* The reason that a row is about: a number comes before a name. False: it is about none. */
static bool reason_of(const struct rows *rows, const GPtrArray *cells, struct reading *reading)
{
	static const enum role order[] = { ROLE_REASON, ROLE_NAME };
	struct reading by_name = { .line = 0 };
	bool named = false;

	for (size_t o = 0; o < G_N_ELEMENTS(order); o++)
		for (guint i = 0; i < cells->len; i++) {
			struct reading one = *reading;
			const char *text = g_ptr_array_index(cells, i);

			if (role_at(rows, i) != order[o])
				continue;
			if (number_fits(TOTAL, text)) {
				reading->kind = READING_TOTAL;
				return true;
			}
			if (*text == '\0' || !forms_reason(text, &one))
				continue;
			if (one.wrong != NULL ||
			    (one.reason != REASON_NONE && one.svm_reason == REASON_NONE &&
			     strpbrk(text, "0123456789") != NULL)) {
				*reading = one;
				return true;
			}
			if (!named)
				by_name = one;
			named = true;
		}
	if (named)
		*reading = by_name;
	return named;
}

/* Below a heading of reasons "0-5" and "70+" are meant to be some. */
static char *wrong_reason(const struct rows *rows, const GPtrArray *cells)
{
	for (guint i = 0; rows->delimiter != 0 && i < cells->len; i++) {
		const char *text = g_ptr_array_index(cells, i);
		g_autofree char *shown = words_printable(text);

		if (role_at(rows, i) == ROLE_REASON && g_ascii_isdigit(*text))
			return g_strdup_printf("\"%.40s\" is no exit reason, but more or less than "
					       "one",
					       shown);
	}
	return NULL;
}

static char *too_many(const struct rows *rows, const GPtrArray *cells)
{
	if (rows->delimiter == 0 || rows->delimiter == '\t')
		return NULL;
	for (guint i = rows->roles->len; i < cells->len; i++)
		if (*(const char *)g_ptr_array_index(cells, i) != '\0')
			return g_strdup("this row has more cells than there are headings; a number "
					"with commas needs quotation marks");
	return NULL;
}

static void add_counts(const struct rows *rows, const GPtrArray *cells, struct reading base,
		       GArray *readings)
{
	guint column = 0;

	for (guint i = 0; i < cells->len; i++) {
		struct reading one = base;
		const char *text = g_ptr_array_index(cells, i);
		const bool bare_name = rows->delimiter == 0 && *text != '\0' &&
				       strpbrk(text, "0123456789") == NULL;

		if (role_at(rows, i) != ROLE_COUNT || (i == 1 && bare_name))
			continue;
		one.column = column++;
		if (number_fits(DERIVED, text))
			continue;
		one.wrong = base.wrong != NULL ? g_strdup(base.wrong) : too_many(rows, cells);
		if (rows->delimiter != 0)
			one.heading = g_strdup(g_ptr_array_index(rows->headings, i));
		forms_count(text, &one);
		g_array_append_val(readings, one);
	}
}

static uint32_t part_of(const struct rows *rows, const GPtrArray *cells)
{
	uint32_t part = 0;

	for (guint i = 0; i < cells->len; i++)
		if (role_at(rows, i) == ROLE_PART)
			part = MAX(part * 31 + g_str_hash(g_ptr_array_index(cells, i)), 1);
	return part;
}

static enum rows_found read_row(struct rows *rows, const GPtrArray *cells, uint64_t line,
				const char *tool, GArray *readings)
{
	struct reading base = { .class = READING_CELLS,
				.line = line,
				.seconds = -1,
				.tool = tool,
				.svm_reason = REASON_NONE };
	const guint before = readings->len;

	if (cells->len > COLUMNS_MAX)
		return ROWS_NOTHING;
	base.part = part_of(rows, cells);
	if (!reason_of(rows, cells, &base)) {
		base.wrong = wrong_reason(rows, cells);
		if (base.wrong == NULL)
			return ROWS_NOTHING;
	}
	add_counts(rows, cells, base, readings);
	g_free(base.wrong);
	return readings->len > before ? ROWS_READINGS : ROWS_NOTHING;
}

enum rows_found rows_read(struct rows *rows, const char *text, uint64_t line, const char *tool,
			  GArray *readings)
{
	static const char delimiters[] = "|\t;,";
	g_autoptr(GPtrArray) cells = NULL;

	/* A blank line ends no CSV, nor does the frame of a table. */
	if (!number_fits("[a-z0-9]", text))
		return ROWS_BLANK;
	for (const char *delimiter = delimiters; *delimiter != '\0'; delimiter++) {
		g_clear_pointer(&cells, g_ptr_array_unref);
		cells = cells_of(text, *delimiter);
		if (cells != NULL && cells->len > 1 && take_headings(rows, cells, *delimiter))
			return ROWS_HEADING;
	}
	g_clear_pointer(&cells, g_ptr_array_unref);
	if (rows->delimiter != 0) {
		const bool open = strchr(text, rows->delimiter) != NULL;

		cells = cells_of(text, rows->delimiter);
		if (cells == NULL && open) {
			struct reading wrong = {
				.class = READING_CELLS,
				.line = line,
				.wrong = g_strdup("a quotation mark is where none may be"),
			};

			g_array_append_val(readings, wrong);
			return ROWS_READINGS;
		}
	}
	if (cells == NULL || cells->len < 2) {
		rows->delimiter = 0;
		g_clear_pointer(&cells, g_ptr_array_unref);
		if (strchr(text, '|') == NULL)
			return ROWS_NOTHING;
		cells = cells_of(text, '|');
		if (cells == NULL || cells->len < 2)
			return ROWS_NOTHING;
	}
	return is_ruler(cells) ? ROWS_BLANK : read_row(rows, cells, line, tool, readings);
}

/* ---- Numbers alone ---- */

bool rows_read_bare(struct rows *rows, const char *text, uint64_t line, GArray *readings)
{
	struct rows none = { .delimiter = 0 };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	const char *rest;
	g_auto(GStrv) parts = NULL;
	uint64_t value;
	bool rounded;
	g_autofree char *one_number = NULL;
	struct reading *last;

	/* "48 EPT_VIOLATION 7 0" as well. */
	if (!number_fits("^\\s*(?:\\d+(?:(?:[ \\t]+|\\s*[,;]\\s*)[a-z]\\w*)?|[a-z]\\w+)"
			 "(?:(?:[ \\t]+|\\s*[,;]\\s*)\\d[\\d,'_]*){2,}\\s*$",
			 text))
		return false;
	text += strspn(text, " \t");
	rest = text + strspn(text, "0123456789");
	rest += strspn(rest, " \t,;");
	one_number = number_read(rest, &value, &rounded);
	if (one_number == NULL)
		return false;
	parts = g_regex_split_simple("[ \\t]+|\\s*[,;]\\s+|\\s*;\\s*", text, G_REGEX_RAW, 0);
	if (g_strv_length(parts) < 3) {
		g_strfreev(parts);
		parts = g_regex_split_simple("\\s*,\\s*", text, G_REGEX_RAW, 0);
	}
	for (char **part = parts; *part != NULL; part++)
		if (**part != '\0')
			g_ptr_array_add(cells, g_strdup(*part));
	if (cells->len < 3 || read_row(&none, cells, line, NULL, readings) != ROWS_READINGS)
		return false;
	last = &g_array_index(readings, struct reading, readings->len - 1);
	if (rows->bare != 0 && rows->bare != cells->len && last->wrong == NULL)
		last->wrong = g_strdup_printf("there are %u numbers, and %u in the lines before; "
					      "separators in a number stand in threes",
					      cells->len, rows->bare);
	rows->bare = cells->len;
	return true;
}

void rows_part_bare(const struct rows *rows, GArray *readings)
{
	for (guint i = 0; rows->bare != 0 && i < readings->len; i++) {
		struct reading *one = &g_array_index(readings, struct reading, i);
		struct reading other = *one;

		if (!one->spaced || one->count >= 1000000)
			continue;
		one->class = other.class = READING_CELLS;
		one->spaced = other.spaced = false;
		one->count /= 1000;
		other.count %= 1000;
		other.column = 1;
		other.title = other.wrong = NULL;
		g_array_insert_val(readings, i + 1, other);
		one = &g_array_index(readings, struct reading, i);
		one[1].title = g_strdup(one->title);
		one[1].wrong = g_strdup(one->wrong);
	}
}
