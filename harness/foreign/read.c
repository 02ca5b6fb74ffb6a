/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/read.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "foreign/forms.h"
#include "foreign/reading.h"
#include "foreign/rows.h"
#include "judge/fingerprint.h"

/* ---- Lines ---- */

/* What a line of a kernel log never has: longer ones are passed over, in no memory. */
#define LINES_LONGEST 4096

/* What editors of Windows put in front of UTF-8. */
#define BOM "\xef\xbb\xbf"

/* Lines of a file that may hold anything, in bounded memory. */
struct lines {
	FILE *file;
	const char *name;
	uint64_t number; /* of the line that was read last, from 1 */
	uint64_t passed; /* lines that were too long, or had NUL bytes in them */
	char text[LINES_LONGEST + 1];
};

/* One line, whatever it is. False at the end of the file. *whole: it has been kept. */
static bool read_line(struct lines *lines, bool *whole)
{
	size_t length = 0;
	int byte = getc_unlocked(lines->file);

	if (byte == EOF)
		return false;
	*whole = true;
	for (; byte != EOF && byte != '\n'; byte = getc_unlocked(lines->file)) {
		if (byte == '\0' || length == LINES_LONGEST)
			*whole = false;
		else
			lines->text[length++] = (char)byte;
	}
	while (length > 0 && lines->text[length - 1] == '\r')
		length--;
	lines->text[length] = '\0';
	lines->number++;
	if (lines->number == 1 && g_str_has_prefix(lines->text, BOM))
		memmove(lines->text, lines->text + strlen(BOM), length + 1 - strlen(BOM));
	return true;
}

/* The next line that is none of those, without its end. False at the end of the file. */
static bool lines_next(struct lines *lines, GError **error)
{
	bool whole;

	while (read_line(lines, &whole)) {
		if (whole)
			return true;
		lines->passed++;
	}
	if (ferror_unlocked(lines->file))
		eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s cannot be read to its end (%s)",
			    lines->name, g_strerror(errno));
	return false;
}

/* ---- Records ---- */

static GPtrArray *columns_of_record(const struct record *record, const char *name, GError **error)
{
	g_autoptr(GPtrArray) columns = foreign_columns_new();

	for (guint i = 0; i < record->runs->len; i++) {
		const struct record_run *run = g_ptr_array_index(record->runs, i);
		g_autofree char *label = g_strdup_printf("%s:%s", name, run->config);
		struct foreign_counts *counts;

		if (run->exits == NULL)
			continue;
		counts = foreign_counts_new(label);
		record_run_free(counts->run);
		counts->run = record_run_copy(run);
		/* What the VM had before the workload belongs to the counter as well. */
		for (guint j = 0; j < counts->run->exits->len; j++) {
			struct record_exit *one = g_ptr_array_index(counts->run->exits, j);

			one->count += one->before;
			one->before = 0;
		}
		foreign_counts_finish(counts);
		foreign_counts_note(counts,
				    g_strdup("this is a record: eptlab compare judges it by all "
					     "rules, not by its counts alone"));
		g_ptr_array_add(columns, counts);
	}
	if (columns->len > 0)
		return g_steal_pointer(&columns);
	eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s is a record without counts (%s)", name,
		    record->error != NULL ? record->error : "it is empty");
	return NULL;
}

static GPtrArray *read_json(const char *text, size_t length, const char *name, GError **error)
{
	json_error_t wrong;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong);
	g_autoptr(struct_record) record = NULL;

	if (root == NULL) {
		eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s, line %d: no JSON (%s)", name,
			    wrong.line, wrong.text);
		return NULL;
	}
	record = record_from_json(root, name, error);
	json_decref(root);
	return record != NULL ? columns_of_record(record, name, error) : NULL;
}

/* ---- Streams ---- */

/* Everything that is left, after what was read already. */
static GString *read_whole(FILE *file, const char *begin, const char *name, GError **error)
{
	GString *whole = g_string_new(begin);
	char block[16384];
	size_t got;

	while ((got = fread(block, 1, sizeof(block), file)) > 0) {
		g_string_append_len(whole, block, (gssize)got);
		if (whole->len > FOREIGN_WHOLE_MAX)
			break;
	}
	if (whole->len <= FOREIGN_WHOLE_MAX && !ferror(file))
		return whole;
	eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s %s", name,
		    ferror(file) ? "cannot be read to its end"
				 : "begins like a record, but is longer than any");
	g_string_free(whole, TRUE);
	return NULL;
}

/* More lines of words than these, and a line speaks for what follows no more. */
#define TITLE_REACHES 5

/* What stands between two readings. */
struct between {
	char *title;	  /* words */
	guint age;	  /* lines of words since then */
	const char *tool; /* static: that was named last */
	bool headings;	  /* of a table */
	char *held; /* the line before, if it said nothing: an answer may begin in it; or NULL */
	bool held_logged;
	guint others; /* lines that said nothing */
};

/* The last words that say which run it is, else the last ones; in a log, the first. */
static void keep_title(struct between *between, const char *text, bool logged)
{
	const bool told = foreign_claim(between->title) != CLAIM_NONE;
	bool words = false;

	for (const char *at = text; *at != '\0'; at++)
		words |= g_ascii_isalpha(*at);
	between->age += words;
	if (!words || ((told || (logged && between->title != NULL)) &&
		       foreign_claim(text) == CLAIM_NONE && between->age <= TITLE_REACHES))
		return;
	record_set_string(&between->title, text);
	between->age = 0;
}

/* Does the answer end here that the line before began? If not, that one was words. */
static bool read_second(struct between *between, const char *text, uint64_t line, GArray *readings)
{
	g_autofree char *held = g_steal_pointer(&between->held);
	g_autofree char *both = NULL;

	if (held == NULL)
		return false;
	both = g_strconcat(held, "\n", text, NULL);
	if (forms_read(both, line, &between->tool, readings))
		return true;
	keep_title(between, held, between->held_logged);
	between->others++;
	return false;
}

static void read_any(struct rows *rows, struct between *between, const char *text, uint64_t line,
		     GArray *readings, bool logged)
{
	if (read_second(between, text, line, readings))
		return;
	switch (rows_read(rows, text, line, between->tool, readings)) {
	case ROWS_READINGS:
	case ROWS_BLANK:
		return;
	case ROWS_HEADING:
		between->tool = NULL;
		forms_mark(text, &between->tool);
		between->headings = true;
		return;
	case ROWS_NOTHING:
		break;
	}
	if (rows_read_bare(rows, text, line, readings) ||
	    forms_read(text, line, &between->tool, readings))
		return;
	between->held = g_strdup(text);
	between->held_logged = logged;
}

/* All that the lines say. *others: those that say nothing. */
static bool collect(struct lines *lines, GArray *readings, guint *others, GError **error)
{
	struct between between = { .title = NULL };
	g_autoptr(GError) wrong = NULL;
	struct rows rows;

	rows_init(&rows);
	do {
		g_autofree char *text = forms_tidy(lines->text);
		const double seconds = forms_seconds(lines->text);
		const guint before = readings->len;
		struct reading *first;

		read_any(&rows, &between, text, lines->number, readings, seconds >= 0);
		if (readings->len == before)
			continue;
		first = &g_array_index(readings, struct reading, before);
		first->seconds = seconds;
		/* However wordy a kernel is. */
		if (seconds >= 0 && first->class == READING_SENTENCE)
			first->class = READING_WORDS;
		first->begins = between.headings;
		between.headings = false;
		/* Of several answers in a line only the first of each column stands below them. */
		for (guint i = before; i < readings->len; i++)
			if (i == before || first[i - before].column != first->column)
				first[i - before].title = g_strdup(between.title);
		/* A total may stand between the words and the list that they are about. */
		if (first->kind != READING_TOTAL)
			g_clear_pointer(&between.title, g_free);
	} while (readings->len <= FOREIGN_READINGS_MAX && lines_next(lines, &wrong));
	g_free(between.title);
	*others = between.others + (between.held != NULL);
	g_free(between.held);
	rows_part_bare(&rows, readings);
	rows_clear(&rows);
	if (readings->len > FOREIGN_READINGS_MAX)
		return eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: %s has more than %d answers; give the part of the log "
				   "that one run has written",
				   lines->name, FOREIGN_READINGS_MAX);
	if (wrong == NULL)
		return true;
	g_propagate_error(error, g_steal_pointer(&wrong));
	return false;
}

static GPtrArray *read_log(struct lines *lines, const struct leaf_layout *layout, GError **error)
{
	g_autoptr(GArray) readings = readings_new();
	g_autoptr(GPtrArray) columns = NULL;
	struct foreign_counts *last;
	guint others = 0;

	if (!collect(lines, readings, &others, error))
		return NULL;
	columns = columns_find(readings, layout, lines->name, error);
	if (columns == NULL)
		return NULL;
	last = g_ptr_array_index(columns, columns->len - 1);
	if (others > 0)
		foreign_counts_note(last, g_strdup_printf("%u line%s of something else", others,
							  others == 1 ? " is" : "s are"));
	if (lines->passed > 0)
		foreign_counts_note(last, g_strdup_printf("%" PRIu64 " line%s too long, or "
							  "have NUL bytes in them",
							  lines->passed,
							  lines->passed == 1 ? " is" : "s are"));
	return g_steal_pointer(&columns);
}

static const char *skip_blank(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static GPtrArray *read_stream(struct lines *lines, const struct leaf_layout *layout, GError **error)
{
	g_autofree char *begin = NULL;
	GPtrArray *columns = NULL;
	GString *whole;

	/* The first line that is not empty says what the file is. */
	do {
		if (!lines_next(lines, error))
			return NULL;
	} while (*skip_blank(lines->text) == '\0');
	/* As does tracefs' "{ exit_reason: 48 }". */
	if (*skip_blank(lines->text) != '{' || strstr(lines->text, "exit_reason") != NULL)
		return read_log(lines, layout, error);
	begin = g_strconcat(lines->text, "\n", NULL);
	whole = read_whole(lines->file, begin, lines->name, error);
	if (whole == NULL)
		return NULL;
	columns = read_json(whole->str, whole->len, lines->name, error);
	g_string_free(whole, TRUE);
	return columns;
}

GPtrArray *foreign_read_stream(FILE *file, const char *name, const struct leaf_layout *layout,
			       GError **error)
{
	g_autofree struct lines *lines = g_new0(struct lines, 1);
	g_autoptr(GError) wrong = NULL;
	GPtrArray *columns;

	lines->file = file;
	lines->name = name;
	columns = read_stream(lines, layout, &wrong);
	if (columns == NULL && wrong == NULL)
		return columns_none(name, error);
	if (columns == NULL)
		g_propagate_error(error, g_steal_pointer(&wrong));
	return columns;
}

static GPtrArray *read_record(const char *path, GError **error)
{
	g_autoptr(struct_record) record = record_load(path, error);

	return record != NULL ? columns_of_record(record, path, error) : NULL;
}

GPtrArray *foreign_read(const char *path, const struct leaf_layout *layout, GError **error)
{
	GPtrArray *columns;
	FILE *file;

	if (g_str_equal(path, "-"))
		return foreign_read_stream(stdin, "standard input", layout, error);
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return read_record(path, error);
	file = fopen(path, "re");
	if (file == NULL) {
		eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s cannot be read (%s)", path,
			    g_strerror(errno));
		return NULL;
	}
	columns = foreign_read_stream(file, path, layout, error);
	fclose(file);
	return columns;
}

/* ---- Which of them ---- */

/* As they say themselves; if none says anything, as the counts say. */
static bool is_turned(const struct foreign_counts *first, const struct foreign_counts *second)
{
	const enum foreign_claim one = foreign_counts_claim(first);
	const enum foreign_claim other = foreign_counts_claim(second);

	if (one == CLAIM_NONE && other == CLAIM_NONE)
		return foreign_counts_paging(first) == PAGING_SHADOW &&
		       foreign_counts_paging(second) == PAGING_NESTED;
	return one != CLAIM_NESTED && other != CLAIM_SHADOW;
}

bool foreign_select(GPtrArray *columns, const guint *numbers, const char *name, GError **error)
{
	g_autoptr(GPtrArray) chosen = g_ptr_array_new();

	for (; *numbers > 0; numbers++) {
		if (*numbers > columns->len ||
		    g_ptr_array_find(chosen, g_ptr_array_index(columns, *numbers - 1), NULL))
			return eptlab_fail(error, EPTLAB_ERROR_USAGE,
					   "L0: %s has no sweep %u that is not taken: it has %u",
					   name, *numbers, columns->len);
		g_ptr_array_add(chosen, g_ptr_array_index(columns, *numbers - 1));
	}
	for (guint i = columns->len; chosen->len > 0 && i-- > 0;)
		if (!g_ptr_array_find(chosen, g_ptr_array_index(columns, i), NULL))
			g_ptr_array_remove_index(columns, i);
	if (columns->len == 2 &&
	    is_turned(g_ptr_array_index(columns, 0), g_ptr_array_index(columns, 1)))
		g_ptr_array_add(columns, g_ptr_array_steal_index(columns, 0));
	return true;
}

static bool grows(const struct foreign_counts *one, const struct foreign_counts *next)
{
	return (one->tool != NULL && one->tool == next->tool) || foreign_counts_may_grow(one, next);
}

bool foreign_are_one_run(const GPtrArray *columns)
{
	for (guint i = 0; i < columns->len; i++) {
		const struct foreign_counts *one = g_ptr_array_index(columns, i);
		const struct foreign_counts *next =
			g_ptr_array_index(columns, MIN(i + 1, columns->len - 1));
		const struct fingerprint fingerprint = fingerprint_compare(
			record_run_vendor(one->run), one->run->exits, next->run->exits);

		if (foreign_counts_claim(one) != CLAIM_NONE || !grows(one, next) ||
		    one->column != next->column ||
		    (one->tool == NULL && columns->len == 2 &&
		     fingerprint.verdict != FINGERPRINT_SAME))
			return false;
	}
	return true;
}

bool foreign_keep_latest(GPtrArray *columns)
{
	const guint others = columns->len - 1;
	struct foreign_counts *latest = g_ptr_array_index(columns, others);

	for (guint i = 0; i < others; i++) {
		const struct foreign_counts *one = g_ptr_array_index(columns, i);

		if (foreign_counts_paging(one) != foreign_counts_paging(latest) ||
		    foreign_counts_claim(one) != foreign_counts_claim(latest) ||
		    !grows(one, g_ptr_array_index(columns, i + 1)))
			return false;
	}
	if (others == 0)
		return true;
	foreign_counts_note(latest, g_strdup_printf("%u earlier %s of the same run: left aside",
						    others, others == 1 ? "reading" : "readings"));
	g_ptr_array_remove_range(columns, 0, others);
	return true;
}
