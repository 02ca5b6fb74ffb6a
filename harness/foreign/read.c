/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/read.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "foreign/csv_counts.h"
#include "foreign/sweep.h"
#include "foreign/wording.h"

/* ---- Lines ---- */

/* What a line of a kernel log never has: longer ones are passed over, in no memory. */
#define LINES_LONGEST 4096

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
	if (length > 0 && lines->text[length - 1] == '\r')
		length--;
	lines->text[length] = '\0';
	lines->number++;
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
				 : "begins like a table or a record, but is longer than any");
	g_string_free(whole, TRUE);
	return NULL;
}

static bool collect(struct lines *lines, GArray *readings, guint *others, GError **error)
{
	g_autoptr(GError) wrong = NULL;

	do {
		struct reading reading = { .line = lines->number };

		if (wording_read(lines->text, lines->name, &reading, &wrong)) {
			g_array_append_val(readings, reading);
		} else if (wrong != NULL) {
			g_propagate_error(error, g_steal_pointer(&wrong));
			return false;
		} else if (*lines->text != '\0') {
			(*others)++;
		}
		if (readings->len > FOREIGN_READINGS_MAX)
			return eptlab_fail(
				error, EPTLAB_ERROR_USAGE,
				"L0: %s has more than %d answers; give the part of the log "
				"that one run has written",
				lines->name, FOREIGN_READINGS_MAX);
	} while (lines_next(lines, &wrong));
	if (wrong == NULL)
		return true;
	g_propagate_error(error, g_steal_pointer(&wrong));
	return false;
}

static GPtrArray *read_log(struct lines *lines, uint32_t leaf, GError **error)
{
	g_autoptr(GArray) readings = g_array_new(FALSE, FALSE, sizeof(struct reading));
	g_autoptr(struct_foreign_counts) counts = foreign_counts_new(lines->name);
	g_autoptr(GPtrArray) columns = NULL;
	guint others = 0;

	if (!collect(lines, readings, &others, error) ||
	    !sweep_choose(readings, leaf, counts, error))
		return NULL;
	if (others > 0)
		foreign_counts_note(counts, g_strdup_printf("%u line%s of something else", others,
							    others == 1 ? " is" : "s are"));
	if (lines->passed > 0)
		foreign_counts_note(counts, g_strdup_printf("%" PRIu64 " lines are too long, or "
							    "have NUL bytes in them",
							    lines->passed));
	columns = foreign_columns_new();
	g_ptr_array_add(columns, g_steal_pointer(&counts));
	return g_steal_pointer(&columns);
}

static const char *skip_blank(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

GPtrArray *foreign_read_stream(FILE *file, const char *name, uint32_t leaf, GError **error)
{
	g_autofree struct lines *lines = g_new0(struct lines, 1);
	g_autofree char *begin = NULL;
	g_autoptr(GError) wrong = NULL;
	GPtrArray *columns = NULL;
	GString *whole;
	bool is_json;

	lines->file = file;
	lines->name = name;
	/* The first line that is not empty says what the file is. */
	do {
		if (!lines_next(lines, &wrong)) {
			if (wrong != NULL)
				g_propagate_error(error, g_steal_pointer(&wrong));
			else
				sweep_nothing(name, error);
			return NULL;
		}
	} while (*skip_blank(lines->text) == '\0');
	is_json = *skip_blank(lines->text) == '{';
	if (!is_json && !csv_counts_is_header(lines->text))
		return read_log(lines, leaf, error);
	begin = g_strconcat(lines->text, "\n", NULL);
	whole = read_whole(file, begin, name, error);
	if (whole == NULL)
		return NULL;
	columns = is_json ? read_json(whole->str, whole->len, name, error)
			  : csv_counts_read(whole->str, whole->len, name, error);
	g_string_free(whole, TRUE);
	return columns;
}

static GPtrArray *read_record(const char *path, GError **error)
{
	g_autoptr(struct_record) record = record_load(path, error);

	return record != NULL ? columns_of_record(record, path, error) : NULL;
}

GPtrArray *foreign_read(const char *path, uint32_t leaf, GError **error)
{
	GPtrArray *columns;
	FILE *file;

	if (g_str_equal(path, "-"))
		return foreign_read_stream(stdin, "standard input", leaf, error);
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return read_record(path, error);
	file = fopen(path, "re");
	if (file == NULL) {
		eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s cannot be read (%s)", path,
			    g_strerror(errno));
		return NULL;
	}
	columns = foreign_read_stream(file, path, leaf, error);
	fclose(file);
	return columns;
}
