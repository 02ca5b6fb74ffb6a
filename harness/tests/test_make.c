/* SPDX-License-Identifier: GPL-2.0-only */
/* The Makefiles: what runs at once, and what a make that was ended leaves behind. */
#include "tests/test.h"

#include <glib/gstdio.h>

/* What a make of ours prints; format is a command of the shell, which runs in the project's folder.
 */
static char *output_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *output_of(const char *format, ...)
{
	g_autofree char *command = NULL;
	const char *argv[] = { "sh", "-c", NULL, NULL };
	char *output = NULL;
	va_list arguments;

	va_start(arguments, format);
	command = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	argv[2] = command;
	assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
				 &output, NULL, NULL, NULL));
	return g_strchomp(output);
}

#define KERNEL "env -u MAKEFLAGS make -s --no-print-directory -C kernel BUILD='%s' CACHE='%s' "

/* Kbuild must not get a compiler that is not in the key of what it builds. */
TEST_IN_FOLDER(kbuild_has_the_compiler_of_its_key)
{
	g_autofree char *said =
		output_of(KERNEL "CC=clang --eval='say: ; @echo $(KBUILD)' say", folder, folder);

	assert_says(said, " CC=gcc");
	assert_null(strstr(said, "clang"));
}

/* A variant changes the source for a moment. If its build ends there, no stamp may call it patched.
 */
TEST_IN_FOLDER(a_variant_that_ends_early_leaves_no_stamp)
{
	static const char *const variants[] = { "build-stock", "build-fault-no-bounds",
						"build-bench-global-counter" };
	g_autofree char *key =
		output_of(KERNEL "--eval='say: ; @echo $(SOURCE_KEY)' say", folder, folder);
	g_autofree char *source = g_build_filename(folder, "linux/linux-source-6.1", NULL);
	g_autofree char *stamp = g_strdup_printf("%s/.%s", source, key);

	assert_int_equal(g_mkdir_with_parents(source, 0700), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(variants); i++) {
		g_autofree char *said = NULL;

		assert_true(g_file_set_contents(stamp, "", 0, NULL));
		/* Nothing is patched or built, and Kbuild fails. */
		said = output_of(KERNEL "-o build-l1 PATCH=true KBUILD=false %s 2>&1", folder,
				 folder, variants[i]);
		assert_says(said, "Error");
		if (g_file_test(stamp, G_FILE_TEST_EXISTS))
			fail_msg("%s was ended, and left its source as patched", variants[i]);
	}
}

/* The second goal would answer the first one through the FIFO, if it ran beside it. */
TEST_IN_FOLDER(goals_are_made_one_after_the_other)
{
	g_autofree char *said =
		output_of("mkfifo '%s/fifo'; exec 3<>'%s/fifo'; env -u MAKEFLAGS make -j4 "
			  "--no-print-directory "
			  "--eval='one: ; @timeout 2 head -n 1 %s/fifo; echo one' "
			  "--eval='two: ; @echo together > %s/fifo; echo two' one two",
			  folder, folder, folder, folder);

	assert_string_equal(said, "one\ntwo");
}

/* A line of the file packages for a release must not repeat what stands there for all. */
TEST_IN_FOLDER(each_release_has_every_package_once)
{
	static const char *const releases[] = { "12", "13" };

	for (size_t i = 0; i < G_N_ELEMENTS(releases); i++) {
		g_autofree char *twice = output_of(
			"printf 'ID=debian\\nVERSION_ID=\"%s\"\\n' > '%s/release'; "
			"OS_RELEASE='%s/release' harness/deps names > '%s/names' || echo failed; "
			"sort '%s/names' | uniq -d; grep -c ^linux-source- '%s/names'; "
			"grep -v '^[a-z0-9.+-]*$' '%s/names'",
			releases[i], folder, folder, folder, folder, folder, folder);

		assert_string_equal(twice, "1");
	}
}

/* Not an error of apt's, which knows other names or is not there at all. */
TEST_IN_FOLDER(deps_elsewhere_are_a_list_by_purpose)
{
	g_autofree char *said = output_of(
		"printf 'ID=fedora\\nVERSION_ID=41\\nPRETTY_NAME=\"Fedora Linux 41 (A)\"\\n' > "
		"'%s/release'; env -u MAKEFLAGS make --no-print-directory deps "
		"OS_RELEASE='%s/release' 2>&1; echo $?",
		folder, folder);

	assert_non_null(strstr(said, "L0: this is Fedora Linux 41 (A), and "));
	assert_non_null(strstr(said, "\n  what Linux is built with:\n    bc bison "));
	assert_non_null(strstr(said, "    debian13: linux-source-6.12\n"));
	assert_null(strstr(said, "E: "));
	assert_true(g_str_has_suffix(said, "\n2"));
}
