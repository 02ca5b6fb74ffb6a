/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GUEST=: an image as a distribution's tools make it, booted from its own boot loader on the
 * platform tcg; and images that must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "l2/digest.h"
#include "lab.h"
#include "base/error.h"
#include "record/reasons.h"

#define MAKE_GUEST "harness/tests/make-guest"

static char *debian; /* the image, kept in the cache */

/* Another recipe makes another image. */
static int make_debian(void **state)
{
	g_autofree char *recipe = digest_file(MAKE_GUEST, NULL);

	(void)state;
	assert_non_null(recipe);
	debian =
		g_strdup_printf("%s/eptlab/test-guest-%.16s.qcow2", g_get_user_cache_dir(), recipe);
	if (!g_file_test(debian, G_FILE_TEST_EXISTS))
		lab_shell(MAKE_GUEST " '%s'", debian);
	return 0;
}

static int forget_debian(void **state)
{
	(void)state;
	g_free(debian);
	return 0;
}

static void run(struct lab *lab, int expected, const char *image)
{
	g_autofree char *guest = g_strdup_printf("l2.guest=%s", image);

	lab_run(lab, expected, "run", "--set", guest, NULL);
}

static uint64_t count(const struct record *record, const char *config, uint32_t reason)
{
	return record_find_exit(record_find_run(record, config)->exits, reason)->count;
}

/* Both runs boot the same disk: what the first one writes, the second one does not see. */
static void debian_boots_and_is_not_changed(void **state)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *before = digest_file(debian, NULL);
	g_autofree char *after = NULL;
	struct record *record;

	(void)state;
	run(lab, 0, debian);
	record = lab_newest(lab);
	assert_int_equal(record->verdict, RECORD_VALID);
	assert_string_equal(record->guest.image_sha256, before);
	assert_true(count(record, "ept", REASON_SVM_NPF) > 10000);
	assert_true(count(record, "noept", REASON_SVM_NPF) == 0);
	assert_true(count(record, "noept", REASON_SVM_EXCP_PF) > 10000);
	after = digest_file(debian, NULL);
	assert_string_equal(before, after);
	lab_assert_nothing_left(lab, 5);
	record_free(record);
	lab_free(lab);
}

/* ---- What is refused ---- */

#define AT "1048576"

/* A disk with a file system of 32 MiB from 1 MiB on, with what is in tree. */
static char *make_disk(const struct lab *lab, const char *tree)
{
	char *disk = g_build_filename(lab->results, "disk", NULL);

	lab_shell("truncate -s 80M '%s'", disk);
	lab_shell("printf '2048,65536,L\\n67584,65536,L\\n' | sfdisk -q '%s'", disk);
	lab_shell("mkdir -p '%s'; mke2fs -q -t ext4 -d '%s' -E offset=" AT " '%s' 8192", tree, tree,
		  disk);
	return disk;
}

/* What libguestfs takes for a Linux. */
static char *make_tree(const struct lab *lab)
{
	char *tree = g_build_filename(lab->results, "tree", NULL);

	lab_shell(
		"mkdir -p '%s'/{bin,boot,etc,usr/bin,var}; cp /bin/busybox '%s/bin/ls'; echo > "
		"'%s/etc/fstab'; printf 'ID=debian\\nVERSION_ID=12\\n' > '%s/etc/os-release'; echo "
		"12.0 > '%s/etc/debian_version'",
		tree, tree, tree, tree, tree);
	return tree;
}

static void assert_refused(struct lab *lab, const char *disk, const char *why)
{
	run(lab, EPTLAB_ERROR_MACHINE, disk);
	if (strstr(lab->errors, why) == NULL)
		fail_msg("expected \"%s\", saw: %s", why, lab->errors);
	lab_assert_nothing_left(lab, 5);
}

static void empty_disk_is_refused(void **state)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *tree = g_build_filename(lab->results, "tree", NULL);
	g_autofree char *disk = make_disk(lab, tree);

	(void)state;
	assert_refused(lab, disk, "has no system that libguestfs knows");
	lab_free(lab);
}

static void encrypted_disk_is_refused(void **state)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *disk = g_build_filename(lab->results, "disk", NULL);

	(void)state;
	lab_shell("truncate -s 80M '%s'; echo '2048,,L' | sfdisk -q '%s'", disk, disk);
	/* The beginning of a LUKS header: magic and version. */
	lab_shell("printf 'LUKS\\272\\276\\0\\1aes' | dd of='%s' bs=1 seek=" AT
		  " conv=notrunc status=none",
		  disk);
	assert_refused(lab, disk, "is encrypted (/dev/sda1)");
	lab_free(lab);
}

static void two_systems_are_refused(void **state)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *tree = make_tree(lab);
	g_autofree char *disk = make_disk(lab, tree);

	(void)state;
	lab_shell("mke2fs -q -F -t ext4 -d '%s' -E offset=$((67584 * 512)) '%s' 8192", tree, disk);
	assert_refused(lab, disk, "has more than one system on it");
	lab_free(lab);
}

static void dirty_disk_is_refused(void **state)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *tree = make_tree(lab);
	g_autofree char *disk = make_disk(lab, tree);

	(void)state;
	lab_shell("debugfs -w -R 'feature needs_recovery' '%s?offset=" AT "' 2> /dev/null", disk);
	assert_refused(lab, disk, "was not shut down cleanly");
	lab_free(lab);
}

static void system_without_known_init_is_refused(void **state)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *tree = make_tree(lab);
	g_autofree char *disk = make_disk(lab, tree);

	(void)state;
	assert_refused(lab, disk, "has neither systemd nor");
	lab_free(lab);
}

static void bochs_cannot_boot_it(void **state)
{
	struct lab *lab = lab_new("tcg");

	(void)state;
	lab_run(lab, EPTLAB_ERROR_USAGE, "run", "--set", "experiment.platform=bochs", "--set",
		"l2.guest=/nowhere", NULL);
	lab_run(lab, EPTLAB_ERROR_USAGE, "run", "--set", "experiment.platform=tcg", "--set",
		"experiment.workload=dose-cpuid", "--set", "l2.guest=/nowhere", NULL);
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "l2.guest=/nowhere", NULL);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debian_boots_and_is_not_changed),
		cmocka_unit_test(empty_disk_is_refused),
		cmocka_unit_test(encrypted_disk_is_refused),
		cmocka_unit_test(two_systems_are_refused),
		cmocka_unit_test(dirty_disk_is_refused),
		cmocka_unit_test(system_without_known_init_is_refused),
		cmocka_unit_test(bochs_cannot_boot_it),
	};

	return cmocka_run_group_tests(tests, make_debian, forget_debian);
}
