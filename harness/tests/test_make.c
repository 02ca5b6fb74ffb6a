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

/* The source is not looked for: a test brings nothing from the network. */
#define KERNEL                                                                                     \
	"env -u MAKEFLAGS make -s --no-print-directory -C kernel BUILD='%s' CACHE='%s' "           \
	"SOURCE='1 nowhere' "

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
	static const char *const variants[] = { "build-stock", "build-faults-no-bounds",
						"build-bench-global-counter" };
	g_autofree char *key =
		output_of(KERNEL "--eval='say: ; @echo $(SERIES_KEY)' say", folder, folder);
	g_autofree char *source =
		output_of(KERNEL "--eval='say: ; @echo $(TREE)' say", folder, folder);
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

/* What a make of the kernels in a copy of their folder has for keys. */
static char *keys_in(const char *folder, const char *kernel)
{
	return output_of("env -u MAKEFLAGS make -s --no-print-directory -C '%s' BUILD='%s' "
			 "CACHE='%s' SOURCE='1 nowhere' KERNEL=6.12 "
			 "--eval='say: ; @echo $(L1_KEY) $(L2_KEY) $(SERIES_KEY)' say",
			 kernel, folder, folder);
}

/* Edits, and whether what they change is built anew. */
static const struct {
	const char *edit;
	bool l1, l2;
} edits[] = {
	{ "sed -i '1a # a comment' Makefile build.mk variants.mk l1.config l2.config", false,
	  false },
	{ "sed -i 's/^Subject: /&better /' lines/6.12/*.patch", false, false },
	{ "echo >> Makefile; echo 'new: ; true' >> Makefile", false, false },
	{ "sed -i '1d' lines/6.1/series-leaves", false, false },
	{ "sed -i 's/bzImage modules/bzImage modules vmlinux/' build.mk", true, true },
	{ "echo CONFIG_SMP=y >> l1.config", true, false },
	{ "echo CONFIG_SMP=y >> lines/6.12/l1.config", true, false },
	{ "echo CONFIG_SMP=y >> l2.config", false, true },
	{ "echo CONFIG_NUMA=y | tee -a l1-smp.config >> l2-smp.config", false, false },
	{ "echo >> common/leaves/arch/x86/kvm/exitcount.c", true, false },
	{ "sed -i 's/exitcount_log/exitcount_lag/' lines/6.12/0005*", true, false },
	{ "sed -i '$d' lines/6.12/series-leaves", true, false },
};

TEST_IN_FOLDER(keys_are_of_what_is_built)
{
	g_autofree char *kernel = g_build_filename(folder, "kernel", NULL);
	g_autofree char *copied = output_of("cp -r kernel '%s' && echo copied", folder);
	g_autofree char *before = keys_in(folder, kernel);
	g_auto(GStrv) keys = g_strsplit(before, " ", -1);

	assert_string_equal(copied, "copied");
	assert_int_equal(g_strv_length(keys), 3);
	test_each (row, edits) {
		g_autofree char *edited =
			output_of("rm -rf '%s' && cp -r kernel '%s' && cd '%s' && { %s; } && "
				  "echo edited",
				  kernel, kernel, kernel, row->edit);
		g_autofree char *after = keys_in(folder, kernel);
		g_auto(GStrv) now = g_strsplit(after, " ", -1);

		assert_string_equal(edited, "edited");
		assert_int_equal(g_strv_length(now), 3);
		assert_int_equal(!g_str_equal(keys[0], now[0]), row->l1);
		assert_int_equal(!g_str_equal(keys[1], now[1]), row->l2);
	}
}

/* What is built waits, but not for ever, until the other make says that it waits. */
#define BUILD_THING                                                                                \
	"--eval='$(BUILD)/kernel/.thing: ; $(call from_cache,thing,thing-1,build-thing)' "         \
	"--eval='build-thing: ; @mkdir -p $(NEW)/thing; echo built >> \"$$T/built\"; "             \
	"for i in $$(seq 100); do grep -q ^waiting \"$$T/\"?.out && break; sleep 0.1; done' "

TEST_IN_FOLDER(two_that_build_the_same_build_it_once)
{
	g_autofree char *said = output_of(
		"export T='%s'; for n in 1 2; do env -u MAKEFLAGS make -s --no-print-directory "
		"-C kernel BUILD=\"$T/$n\" CACHE=\"$T/cache\" SOURCE='1 nowhere' " BUILD_THING
		"\"$T/$n/kernel/.thing\" > \"$T/$n.out\" 2>&1 & done; wait; cat \"$T/built\"; "
		"ls -d \"$T\"/?/kernel/thing | wc -l; ls \"$T/cache\"",
		folder);

	assert_string_equal(said, "built\n2\nthing-1");
}

/* ---- Kernels that cannot be had ---- */

/* $T is the test's folder; $TREE a folder that looks like Linux 6.12, with nothing in its files. */
#define TREE                                                                                       \
	"T='%s'; TREE=$T/tree; mkdir -p $TREE/arch/x86/kvm $TREE/arch/x86/include/asm; "           \
	"printf 'VERSION = 6\nPATCHLEVEL = 12\n' > $TREE/Makefile; touch $TREE/Kbuild "            \
	"$TREE/arch/x86/include/asm/kvm_host.h; "
#define MAKE_KERNEL                                                                                \
	"env -u MAKEFLAGS make -s --no-print-directory kernel BUILD=$T/build CACHE=$T/cache "

static const struct {
	const char *command, *says;
} refused[] = {
	{ MAKE_KERNEL "KERNEL=9.9", "L0: there is no kernel line 9.9; KERNEL= takes 6.1 6.12" },
	{ MAKE_KERNEL "KERNEL=6.12 LINUX=$TREE",
	  "L0: KERNEL=6.12 is a line of our own and LINUX=" },
	{ MAKE_KERNEL "SERIES=all",
	  "L0: SERIES= takes \"none\", which leaves the series out, or \"statistics\"" },
	{ MAKE_KERNEL "LINUX=$T/nowhere", "/nowhere; LINUX= takes a folder or a tarball of" },
	{ MAKE_KERNEL "LINUX=harness", "/harness is not a tree of Linux; LINUX= takes" },
	{ MAKE_KERNEL "LINUX=Makefile", "/Makefile is not a tarball that tar can read" },
	{ "rm -r $TREE/arch/x86/kvm; " MAKE_KERNEL "LINUX=$TREE",
	  "/tree is Linux without arch/x86/kvm, which is what is measured" },
	{ MAKE_KERNEL "LINUX=$TREE",
	  "/tree, which is Linux 6.12 (arch/x86/include/asm/kvm_host.h, hunk 1, of "
	  "0001-KVM-x86-Build-the-statistic-exit_reasons.patch); SERIES=none with "
	  "--set experiment.source=tracepoint measures it without" },
	{ "tar -C $T -cf $T/tar tree; " MAKE_KERNEL "LINUX=$T/tar",
	  "L0: the series of 6.12 does not apply to " },
	/* Nothing listens there; where apt has another way out, Debian has no such kernel. */
	{ "http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 CACHE=$T/cache "
	  "kernel/get-source 9.9",
	  "L0: the source of Linux 9.9 is not here and could not be brought: " },
};

TEST_IN_FOLDER(what_cannot_be_had_is_said_in_one_sentence)
{
	test_each (row, refused) {
		g_autofree char *said = output_of(TREE "{ %s; } 2>&1", folder, row->command);
		g_autofree char *left =
			output_of("cd '%s'; find build/linux cache -type f ! -name .building "
				  "2>/dev/null; find tree "
				  "-name '*.rej' -o -name '*.orig' -o -name '*exitcount*'",
				  folder);
		g_auto(GStrv) sentences = g_strsplit(said, "L0: ", -1);

		if (strstr(said, row->says) == NULL)
			fail_msg("expected \"%s\", saw: %s", row->says, said);
		assert_int_equal(g_strv_length(sentences), 2);
		assert_string_equal(left, "");
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
