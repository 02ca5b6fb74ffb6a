/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/test.h"

#include <signal.h>
#include <glib/gstdio.h>

#include "base/folder.h"

struct entry {
	struct CMUnitTest test;
	int line;
};

static GArray *entries;
static CMFixtureFunction before_all, after_all;

/* ---- Rows ---- */

static const char *current;
static size_t current_row;

bool test_row(const char *name, size_t row)
{
	current = name;
	current_row = row;
	return true;
}

/* cmocka leaves a test that fails by longjmp(), and calls this all the same. */
int test_end(void **state, CMFixtureFunction tear_down)
{
	g_autofree char *shown = g_strescape(current != NULL ? current : "", NULL);

	if (current != NULL && current_row == TEST_TEXT)
		print_message("# it was at \"%s\"\n", shown);
	else if (current != NULL)
		print_message("# it was at row %zu of %s\n", current_row, current);
	test_row(NULL, 0);
	return tear_down != NULL ? tear_down(state) : 0;
}

/* ---- Files ---- */

int test_folder_new(void **state)
{
	*state = g_dir_make_tmp("eptlab-test-XXXXXX", NULL);
	return *state != NULL ? 0 : -1;
}

int test_folder_remove(void **state)
{
	folder_remove(*state);
	g_free(*state);
	return 0;
}

void test_put(const char *folder, const char *name, const char *text, gssize length)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *above = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(above, 0755), 0);
	assert_true(g_file_set_contents(path, text, length, NULL));
}

char *test_get(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		fail_msg("%s cannot be read", path);
	return text;
}

/* ---- Messages ---- */

void assert_says(const char *text, const char *part)
{
	if (text == NULL || strstr(text, part) == NULL)
		fail_msg("expected \"%s\", saw: %s", part, text != NULL ? text : "nothing");
}

void assert_begins(const char *text, const char *beginning)
{
	if (text == NULL || !g_str_has_prefix(text, beginning))
		fail_msg("expected \"%s...\", saw: %s", beginning, text != NULL ? text : "nothing");
}

void assert_error(GError **error, enum eptlab_error code, const char *part)
{
	if (!g_error_matches(*error, EPTLAB_ERROR, code))
		fail_msg("expected error %u \"%s\", saw: %s", code, part,
			 *error != NULL ? (*error)->message : "none");
	else
		assert_says((*error)->message, part);
	g_clear_error(error);
}

void assert_no_error(const GError *error)
{
	if (error != NULL)
		fail_msg("%s", error->message);
}

/* ---- All tests ---- */

static void add(const struct entry *entry)
{
	if (entries == NULL)
		entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	g_array_append_vals(entries, entry, 1);
}

void test_add(const char *name, CMUnitTestFunction run, CMFixtureFunction set_up,
	      CMFixtureFunction end, int line)
{
	add(&(const struct entry){ { name, run, set_up, end, NULL }, line });
}

void test_add_row(const char *name, CMUnitTestFunction run, void *row, int line)
{
	add(&(const struct entry){ { name, run, NULL, NULL, row }, line });
}

void test_group(CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
	before_all = set_up;
	after_all = tear_down;
}

static gint by_line(gconstpointer a, gconstpointer b)
{
	return ((const struct entry *)a)->line - ((const struct entry *)b)->line;
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
	g_autofree struct CMUnitTest *tests = g_new0(struct CMUnitTest, entries->len);

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	g_array_sort(entries, by_line);
	for (guint i = 0; i < entries->len; i++)
		tests[i] = g_array_index(entries, struct entry, i).test;
	return _cmocka_run_group_tests("tests", tests, entries->len, before_all, after_all);
}
