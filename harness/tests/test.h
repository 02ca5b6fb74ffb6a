/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_TESTS_TEST_H
#define EPTLAB_TESTS_TEST_H

/* What every unit test needs: cmocka with what it wants before it, tests, rows, and messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "base/error.h"

/*
 * TEST(name) { ... } is a test. There is no list to write it into, so none can be forgotten: it
 * adds itself, and main() in test.c runs all of the program in the order of their lines. TEST_OF is
 * one with a set-up and a tear-down; what the set-up leaves in *state is its argument.
 */
#define TEST(name) TEST_OF(void *no_state G_GNUC_UNUSED, NULL, NULL, name)

#define TEST_OF(argument, set_up, tear_down, name)                                                 \
	static void name(argument);                                                                \
	static void name##_run(void **state)                                                       \
	{                                                                                          \
		name(*state);                                                                      \
		test_row(NULL, 0);                                                                 \
	}                                                                                          \
	static int name##_end(void **state)                                                        \
	{                                                                                          \
		return test_end(state, tear_down);                                                 \
	}                                                                                          \
	static void __attribute__((constructor)) name##_add(void)                                  \
	{                                                                                          \
		test_add(#name, name##_run, set_up, name##_end, __LINE__);                         \
	}                                                                                          \
	static void name(argument)

/* What is done once, before the first test of the program and after its last. */
#define TEST_GROUP(set_up, tear_down)                                                              \
	static void __attribute__((constructor)) test_group_add(void)                              \
	{                                                                                          \
		test_group(set_up, tear_down);                                                     \
	}

void test_group(CMFixtureFunction set_up, CMFixtureFunction tear_down);

void test_add(const char *name, CMUnitTestFunction run, CMFixtureFunction set_up,
	      CMFixtureFunction end, int line);
int test_end(void **state, CMFixtureFunction tear_down);

/* A test that is a row of a table which is known to the program only when it runs. */
void test_add_row(const char *name, CMUnitTestFunction run, void *row, int line);

/* Each row of a table in turn. A test that fails tells which row it was at, from 0. */
#define test_each(row, table)                                                                      \
	for (__typeof__ (&(table)[0])(row) = (table);                                              \
	     (row) < (table) + G_N_ELEMENTS(table) && test_row(#table, (size_t)((row) - (table))); \
	     (row)++)

/* Each of these texts in turn; *text is the text, which a test that fails tells. */
#define test_each_of(text, ...)                                                                    \
	for (const char *const *text = (const char *const[]){ __VA_ARGS__, NULL };                 \
	     *text != NULL && test_row(*text, TEST_TEXT); text++)

#define TEST_TEXT SIZE_MAX

/* From now on the test is at this row of a table, or at this text (TEST_TEXT); NULL: at none.
 * Returns true. */
bool test_row(const char *name, size_t row);

/* The argument of such a test is a new folder, which is removed with all that is in it. */
#define TEST_IN_FOLDER(name)                                                                       \
	TEST_OF(const char *folder G_GNUC_UNUSED, test_folder_new, test_folder_remove, name)

int test_folder_new(void **state);
int test_folder_remove(void **state);

/* A file in a folder; length is -1 if text ends with a NUL. Folders on the way to it are made. */
void test_put(const char *folder, const char *name, const char *text, gssize length);

/* What is in it, which the caller frees. The test fails if there is none. */
char *test_get(const char *folder, const char *name);

/* text says part, or the test fails and shows both. */
void assert_says(const char *text, const char *part);

/* text begins so. */
void assert_begins(const char *text, const char *beginning);

/* There is an error of ours with this code that says part. It is freed and set to NULL. */
void assert_error(GError **error, enum eptlab_error code, const char *part);

/* There is none; if there is, its message is shown. */
void assert_no_error(const GError *error);

#endif
