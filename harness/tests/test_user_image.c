/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GUEST=: an image as a distribution's tools make it, booted from its own boot loader on the
 * platform tcg; and images that must be refused.
 */
#include <stdio.h>

#include "l2/digest.h"
#include "lab.h"
#include "record/reasons.h"
#include "tests/test.h"

#define MAKE_GUEST "harness/tests/make-guest"

/* The image, kept in the cache: another recipe makes another image. */
static char *make_debian(void)
{
	g_autofree char *recipe = digest_file(MAKE_GUEST, NULL);
	char *debian = NULL;

	assert_non_null(recipe);
	debian =
		g_strdup_printf("%s/eptlab/test-guest-%.16s.qcow2", g_get_user_cache_dir(), recipe);
	if (!g_file_test(debian, G_FILE_TEST_EXISTS))
		/* L2's clock is the wall clock: it must not wait for what is still to be written.
		 */
		lab_shell(MAKE_GUEST " '%s' && sync -f '%s'", debian, debian);
	return debian;
}

static void run(struct lab *lab, int expected, const char *image)
{
	g_autofree char *guest = g_strdup_printf("l2.guest=%s", image);

	/* Beside another test. One that hangs is ended by L1, so that the console of L2 is kept. */
	lab_run(lab, expected, "run", "--set", guest, "--set", "l2.guest_timeout_seconds=400",
		NULL);
}

static uint64_t count(const struct record *record, const char *config, uint32_t reason)
{
	return record_find_exit(record_find_run(record, config)->exits, reason)->count;
}

/* Both runs boot the same disk: what the first one writes, the second one does not see. */
TEST(debian_boots_and_is_not_changed)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *debian = make_debian();
	g_autofree char *before = digest_file(debian, NULL);
	g_autofree char *after = NULL;
	struct record *record;

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

/* What libguestfs takes for a Linux. */
#define TREE                                                                                       \
	"mkdir -p tree/{bin,boot,etc,usr/bin,var}; cp /bin/busybox tree/bin/ls; "                  \
	"echo > tree/etc/fstab; printf 'ID=debian\\nVERSION_ID=12\\n' > tree/etc/os-release; "     \
	"echo 12.0 > tree/etc/debian_version; "

/* A disk with a file system of 32 MiB from 1 MiB on, with what is in tree. */
#define DISK                                                                                       \
	"truncate -s 80M disk; printf '2048,65536,L\\n67584,65536,L\\n' | sfdisk -q disk; "        \
	"mke2fs -q -t ext4 -d tree -E offset=1048576 disk 8192; "

TEST(disks_that_are_refused)
{
	static const struct {
		const char *commands, *why;
	} cases[] = {
		{ "mkdir tree; " DISK, "has no system that libguestfs knows" },
		{ TREE DISK, "has neither systemd nor" },
		{ TREE DISK "mke2fs -q -F -t ext4 -d tree -E offset=$((67584 * 512)) disk 8192",
		  "has more than one system on it" },
		{ TREE DISK
		  "debugfs -w -R 'feature needs_recovery' 'disk?offset=1048576' 2> /dev/null",
		  "was not shut down cleanly" },
		/* The beginning of a LUKS header: magic and version. */
		{ "truncate -s 80M disk; echo '2048,,L' | sfdisk -q disk; "
		  "printf 'LUKS\\272\\276\\0\\1aes' | "
		  "dd of=disk bs=1 seek=1048576 conv=notrunc status=none",
		  "is encrypted (/dev/sda1)" },
	};

	test_each (row, cases) {
		struct lab *lab = lab_new("tcg");
		g_autofree char *disk = g_build_filename(lab->results, "disk", NULL);

		lab_shell("cd '%s'; %s", lab->results, row->commands);
		run(lab, EPTLAB_ERROR_MACHINE, disk);
		assert_says(lab->errors, row->why);
		lab_assert_nothing_left(lab, 5);
		lab_free(lab);
	}
}

TEST(bochs_cannot_boot_it)
{
	struct lab *lab = lab_new("tcg");

	lab_run(lab, EPTLAB_ERROR_USAGE, "run", "--set", "experiment.platform=bochs", "--set",
		"l2.guest=/nowhere", NULL);
	lab_run(lab, EPTLAB_ERROR_USAGE, "run", "--set", "experiment.platform=tcg", "--set",
		"experiment.workload=dose-cpuid", "--set", "l2.guest=/nowhere", NULL);
	lab_run(lab, EPTLAB_ERROR_MACHINE, "run", "--set", "l2.guest=/nowhere", NULL);
	lab_free(lab);
}
