/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting the probe into the L2 image, without a VM: the helper is a shell script here, that does
 * to its arguments what a test wants done. Real libguestfs is part of every real experiment.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>
#include <glib/gstdio.h>

#include "l2/digest.h"
#include "l2/inject.h"
#include "l2/l2_image.h"
#include "tests/test.h"

/* A disk of 32 sectors whose partition starts at sector 8; its blocks are 4 KiB. */
#define DISK_SIZE   ((size_t)32 * 512)
#define PART_OFFSET (8 * 512)
#define SUPER	    (PART_OFFSET + 1024)

struct place {
	GStringChunk *paths;
	char *root;
	const char *base, *probe, *workloads, *boot, *cache, *helper;
	const char *log; /* a line for each start of the helper */
	GString *steps;
	struct guest_inject_request request;
};

/* A path below the place, which owns it. */
static const char *at(const struct place *place, const char *name)
{
	g_autofree char *path = g_build_filename(place->root, name, NULL);

	return g_string_chunk_insert(place->paths, path);
}

static char *read_file(const char *path)
{
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return g_strdup("");
	return text;
}

static void put_le32(uint8_t *bytes, uint32_t value)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
}

/* Written by hand from the UEFI specification and from the kernel's ext4 documentation; the byte at
 * offset, unless that is 0, has another value. */
static void write_disk(const struct place *place, uint32_t free_blocks, size_t offset,
		       uint8_t value)
{
	uint8_t disk[DISK_SIZE] = { 0 };

	disk[446 + 4] = 0x83;
	put_le32(disk + 446 + 8, 8);
	put_le32(disk + 446 + 12, 24);
	disk[510] = 0x55;
	disk[511] = 0xaa;
	put_le32(disk + SUPER + 0x04, 149);
	put_le32(disk + SUPER + 0x0c, free_blocks);
	put_le32(disk + SUPER + 0x18, 2);
	disk[SUPER + 0x38] = 0x53;
	disk[SUPER + 0x39] = 0xef;
	disk[SUPER + 0x3a] = 1;
	memcpy(disk + SUPER + 0x78, "eptlab-l2", sizeof("eptlab-l2"));
	assert_true(offset < DISK_SIZE);
	disk[offset] = offset > 0 ? value : 0;
	test_put(place->root, "base.img", (const char *)disk, DISK_SIZE);
}

/* $1 is the image, $5 the first file. The log tells how often it was started. */
static void write_helper(const struct place *place, const char *body)
{
	g_autofree char *script =
		g_strdup_printf("#!/bin/sh\necho started >>%s\n%s\n", place->log, body);

	test_put(place->root, "helper", script, -1);
	assert_int_equal(g_chmod(place->helper, 0755), 0);
}

#define PUT_PROBE "dd if=\"$5\" of=\"$1\" bs=512 seek=31 conv=notrunc status=none"

static unsigned int count_starts(const struct place *place)
{
	g_autofree char *text = read_file(place->log);
	unsigned int starts = 0;

	for (const char *c = text; *c; c++)
		starts += *c == '\n';
	return starts;
}

static void note_step(const char *step, void *data)
{
	g_string_append_printf(data, "%s\n", step);
}

static int set_up(void **state)
{
	struct place *place = g_new0(struct place, 1);

	assert_int_equal(test_folder_new(state), 0);
	place->paths = g_string_chunk_new(256);
	place->root = *state;
	place->base = at(place, "base.img");
	place->probe = at(place, "probe");
	place->workloads = at(place, "workloads");
	place->boot = at(place, "workloads/boot");
	place->cache = at(place, "cache");
	place->helper = at(place, "helper");
	place->log = at(place, "log");
	place->steps = g_string_new(NULL);
	write_disk(place, 20, 0, 0);
	test_put(place->root, "probe", "I am a probe\n", -1);
	test_put(place->root, "workloads/boot", "", 0);
	write_helper(place, PUT_PROBE);
	place->request = (struct guest_inject_request){
		.base_image = place->base,
		.probe = place->probe,
		.workloads = place->workloads,
		.cache = place->cache,
		.helper = place->helper,
		.seconds = 60,
		.progress = note_step,
		.progress_data = place->steps,
	};
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	*state = place->root;
	g_string_chunk_free(place->paths);
	g_string_free(place->steps, TRUE);
	g_free(place);
	return test_folder_remove(state);
}

#define TEST_PLACE(name) TEST_OF(struct place *place G_GNUC_UNUSED, set_up, tear_down, name)

static void inject_well(const struct place *place, struct guest_injected *out)
{
	GError *error = NULL;

	if (!guest_inject(&place->request, out, &error))
		fail_msg("%s", error->message);
}

/* The same, where only this matters. */
static void inject_again(const struct place *place, bool from_cache)
{
	struct guest_injected out;

	inject_well(place, &out);
	assert_int_equal(out.from_cache, from_cache);
	guest_injected_clear(&out);
}

static void inject_badly(const struct place *place, int code, const char *part)
{
	struct guest_injected out;
	GError *error = NULL;

	assert_false(guest_inject(&place->request, &out, &error));
	assert_null(out.image);
	assert_null(out.image_sha256);
	assert_begins(error->message, "L0: ");
	assert_error(&error, code, part);
}

/* Nothing in the cache but, perhaps, the lock. */
static void assert_cache_empty(const struct place *place)
{
	g_autoptr(GDir) folder = g_dir_open(place->cache, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder)))
		assert_string_equal(name, "lock");
}

/* The digests of FIPS 180-4's examples. */
TEST_PLACE(digest_is_sha256)
{
	static const struct {
		const char *text, *digest;
	} cases[] = {
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	};

	test_each (row, cases) {
		g_autofree char *digest = NULL;

		test_put(place->root, "probe", row->text, -1);
		digest = digest_file(place->probe, NULL);
		assert_string_equal(digest, row->digest);
	}
}

TEST_PLACE(digest_needs_a_file)
{
	const struct {
		const char *path, *says;
	} cases[] = {
		{ place->cache, "No such file" },
		{ place->workloads, "directory" },
		{ at(place, "fifo"), "readable file" },
	};
	GError *error = NULL;

	assert_int_equal(mkfifo(cases[2].path, 0600), 0);
	test_each (row, cases) {
		assert_null(digest_file(row->path, &error));
		assert_error(&error, EPTLAB_ERROR_MACHINE, row->says);
	}
}

/* That of the lines "a e3b0…" and "b ba78…", by sha256sum; whichever was made first. */
TEST_PLACE(digest_of_a_folder)
{
	const char *folder = at(place, "folder");
	g_autofree char *sha256 = NULL;
	GError *error = NULL;

	test_put(folder, "b", "abc", 3);
	test_put(folder, "a", "", 0);
	sha256 = digest_folder(folder, NULL);
	assert_string_equal(sha256,
			    "11729458051c372bee7bd9506c12943ee6598b16f1ac895b1da46fea4b7dc72a");
	assert_int_equal(g_mkdir(at(place, "folder/c"), 0700), 0);
	assert_null(digest_folder(folder, &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, "directory");
	assert_null(digest_folder(at(place, "folder/a"), &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, "readable folder");
}

/* 20 blocks are free; 2 % of 149 blocks, which is 2.98, and 16 are not for files: 20 - 2 - 16. */
TEST_PLACE(image_is_read)
{
	struct l2_image image;

	assert_true(l2_image_read(place->base, &image, NULL));
	assert_int_equal(image.size, 16384);
	assert_int_equal(image.start, 4096);
	assert_int_equal(image.block, 4096);
	assert_int_equal(image.unused, 8192);
	write_disk(place, 17, 0, 0);
	assert_true(l2_image_read(place->base, &image, NULL));
	assert_int_equal(image.unused, 0);
}

TEST_PLACE(flawed_images_are_refused)
{
	static const struct {
		size_t offset;
		uint8_t value;
		const char *says;
	} flaws[] = {
		{ 511, 0, "not a raw disk image" },
		{ 446 + 4, 0, "no Linux partition" },
		{ 446 + 8, 0, "no Linux partition" },
		{ 446 + 12, 25, "cut off" },
		{ 446 + 15, 0xff, "cut off" },
		{ SUPER + 0x38, 0, "no ext4 file system" },
		{ SUPER + 0x18, 0xff, "no ext4 file system" },
		{ SUPER + 0x78, 'E', "label eptlab-l2" },
		{ SUPER + 0x78 + 9, '2', "label eptlab-l2" },
		{ SUPER + 0x3a, 0, "not unmounted cleanly" },
	};

	test_each (row, flaws) {
		write_disk(place, 20, row->offset, row->value);
		inject_badly(place, EPTLAB_ERROR_MACHINE, row->says);
	}
	assert_int_equal(count_starts(place), 0);
	assert_cache_empty(place);
}

TEST_PLACE(what_is_no_image_is_refused)
{
	test_put(place->root, "base.img", "", 0);
	inject_badly(place, EPTLAB_ERROR_MACHINE, "less than one sector");
	/* Which would take half an hour to read. */
	write_disk(place, 20, 0, 0);
	assert_int_equal(truncate(place->base, (off_t)1 << 40), 0);
	inject_badly(place, EPTLAB_ERROR_MACHINE, "larger than 1 GiB");
	place->request.base_image = place->workloads;
	inject_badly(place, EPTLAB_ERROR_MACHINE, "not a regular file");
	place->request.base_image = "/nonexistent/l2.img";
	inject_badly(place, EPTLAB_ERROR_MACHINE, "No such file");
}

/* The probe takes one block of 4096 bytes and is put into the last sector by PUT_PROBE. */
TEST_PLACE(probe_is_put_into_a_copy)
{
	g_autofree char *before = digest_file(place->base, NULL);
	g_autofree char *after = NULL;
	g_autofree char *image = NULL;
	g_autofree char *sha256 = NULL;
	g_autofree char *probe = digest_file(place->probe, NULL);
	struct guest_injected out;
	gsize length;

	inject_well(place, &out);
	assert_false(out.from_cache);
	assert_begins(out.image, place->cache);
	assert_true(g_file_get_contents(out.image, &image, &length, NULL));
	assert_int_equal(length, DISK_SIZE);
	assert_string_equal(image + 31 * (size_t)512, "I am a probe\n");
	sha256 = digest_file(out.image, NULL);
	assert_string_equal(out.image_sha256, sha256);
	assert_string_equal(out.probe_sha256, probe);
	assert_string_equal(out.base_sha256, before);
	after = digest_file(place->base, NULL);
	assert_string_equal(before, after);
	guest_injected_clear(&out);
}

TEST_PLACE(second_time_starts_nothing)
{
	struct guest_injected first, second;

	inject_well(place, &first);
	inject_well(place, &second);
	assert_true(second.from_cache);
	assert_int_equal(count_starts(place), 1);
	assert_string_equal(first.image, second.image);
	assert_string_equal(first.image_sha256, second.image_sha256);
	guest_injected_clear(&first);
	guest_injected_clear(&second);
}

/* As installed: nothing is started, and nothing written; one that is not whole is not taken. */
TEST_PLACE(image_that_was_made_before_is_taken)
{
	struct guest_injected made, taken;

	inject_well(place, &made);
	place->request.made = place->cache;
	place->request.cache = at(place, "other");
	inject_well(place, &taken);
	assert_true(taken.from_cache);
	assert_string_equal(taken.image, made.image);
	assert_string_equal(taken.image_sha256, made.image_sha256);
	assert_string_equal(taken.probe_sha256, made.probe_sha256);
	assert_int_equal(count_starts(place), 1);
	assert_false(g_file_test(place->request.cache, G_FILE_TEST_EXISTS));
	guest_injected_clear(&taken);
	assert_int_equal(g_chmod(made.image, 0644), 0);
	assert_true(g_file_set_contents(made.image, "damaged", -1, NULL));
	inject_well(place, &taken);
	assert_false(taken.from_cache);
	assert_begins(taken.image, place->request.cache);
	assert_int_equal(count_starts(place), 2);
	guest_injected_clear(&taken);
	guest_injected_clear(&made);
}

TEST_PLACE(each_input_counts)
{
	const char *boat = at(place, "workloads/boat");

	inject_again(place, false);
	test_put(place->root, "probe", "I am another\n", -1);
	inject_again(place, false);
	assert_int_equal(g_rename(place->boot, boat), 0);
	inject_again(place, false);
	test_put(place->root, "workloads/boat", "#!/bin/sh\n", -1);
	inject_again(place, false);
	write_disk(place, 21, 0, 0);
	inject_again(place, false);
	assert_int_equal(count_starts(place), 5);
}

TEST_PLACE(damaged_image_is_made_again)
{
	struct guest_injected first, second;
	g_autofree char *sha256 = NULL;

	inject_well(place, &first);
	test_put("", first.image, "damaged", -1);
	g_string_truncate(place->steps, 0);
	inject_well(place, &second);
	assert_false(second.from_cache);
	assert_says(place->steps->str, "damaged");
	sha256 = digest_file(second.image, NULL);
	assert_string_equal(sha256, first.image_sha256);
	guest_injected_clear(&first);
	guest_injected_clear(&second);
}

TEST_PLACE(image_without_its_sum_is_made_again)
{
	struct guest_injected out;
	g_autoptr(GString) sum = NULL;

	inject_well(place, &out);
	sum = g_string_new(out.image);
	g_string_truncate(sum, sum->len - strlen(".img"));
	g_string_append(sum, ".sha256");
	assert_int_equal(g_unlink(sum->str), 0);
	guest_injected_clear(&out);
	inject_again(place, false);
}

/* Two blocks for files: one for the probe and one for a workload of 4096 bytes, not of 4097. */
TEST_PLACE(full_image_is_refused)
{
	g_autofree char *bytes = g_malloc0(4097);

	test_put(place->root, "workloads/big", bytes, 4097);
	inject_badly(place, EPTLAB_ERROR_MACHINE, "need 12 KiB, 8 KiB are free");
	assert_int_equal(count_starts(place), 0);
	test_put(place->root, "workloads/big", bytes, 4096);
	inject_again(place, false);
}

TEST_PLACE(what_is_larger_than_the_image_is_not_read)
{
	test_put(place->root, "probe", "", 0);
	assert_int_equal(truncate(place->probe, (off_t)1 << 40), 0);
	inject_badly(place, EPTLAB_ERROR_MACHINE, "larger than the whole L2 image");
	assert_int_equal(count_starts(place), 0);
}

TEST_PLACE(missing_inputs_are_said)
{
	place->request.probe = "/nonexistent/probe";
	inject_badly(place, EPTLAB_ERROR_MACHINE, "/nonexistent/probe");
	place->request.probe = place->probe;
	assert_int_equal(g_unlink(place->boot), 0);
	inject_badly(place, EPTLAB_ERROR_MACHINE, "is empty");
	place->request.workloads = "/nonexistent/workloads";
	inject_badly(place, EPTLAB_ERROR_MACHINE, "folder of workloads");
	place->request.workloads = place->workloads;
	test_put(place->root, "workloads/boot", "", 0);
	place->request.helper = "/nonexistent/helper";
	inject_badly(place, EPTLAB_ERROR_MACHINE, "/nonexistent/helper");
	assert_cache_empty(place);
}

TEST_PLACE(helpers_words_are_passed_on)
{
	write_helper(place, "echo step one; echo noise; echo 'error 2 L0: it is raining'; exit 2");
	inject_badly(place, EPTLAB_ERROR_MACHINE, "it is raining");
	assert_string_equal(place->steps->str, "one\n");
	assert_cache_empty(place);
}

TEST_PLACE(helper_that_dies_is_an_error)
{
	write_helper(place, "echo step working; kill -SEGV $$");
	inject_badly(place, EPTLAB_ERROR_MACHINE, "signal 11");
	write_helper(place, "exit 3");
	inject_badly(place, EPTLAB_ERROR_MACHINE, "status 3");
	/* As the dynamic loader does where a library is missing. */
	write_helper(place, "exit 127");
	inject_badly(place, EPTLAB_ERROR_MACHINE,
		     "L0: libguestfs, which puts files into disk images, is not installed; ");
	/* An error that it reports counts, whatever its status. */
	write_helper(place, "echo 'error 2 L0: hidden'; exit 0");
	inject_badly(place, EPTLAB_ERROR_MACHINE, "hidden");
	assert_cache_empty(place);
}

/* The child of the helper must be gone too. It writes its number where the test finds it. */
static void assert_child_gone(const struct place *place)
{
	g_autofree char *text = read_file(at(place, "child"));
	pid_t pid = atoi(text);
	int tries;

	assert_true(pid > 1);
	/* An orphan may stay a zombie until init reaps it. */
	for (tries = 0; tries < 500 && kill(pid, 0) == 0; tries++) {
		g_autofree char *stat_path = g_strdup_printf("/proc/%d/stat", pid);
		g_autofree char *stat = read_file(stat_path);

		if (strstr(stat, ") Z "))
			return;
		g_usleep(10 * 1000ul);
	}
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void write_hanging_helper(const struct place *place)
{
	g_autofree char *body = g_strdup_printf(
		"trap '' TERM; sleep 1000 & echo $! >%s/child; echo step hanging; wait",
		place->root);

	write_helper(place, body);
}

TEST_PLACE(hanging_helper_is_ended)
{
	write_hanging_helper(place);
	place->request.seconds = 1;
	inject_badly(place, EPTLAB_ERROR_TIMEOUT, "hanging");
	assert_child_gone(place);
	assert_cache_empty(place);
}

static void cancel_at_step(const char *step, void *data)
{
	if (strcmp(step, "hanging") == 0)
		g_cancellable_cancel(data);
}

TEST_PLACE(cancelling_ends_the_helper)
{
	g_autoptr(GCancellable) cancellable = g_cancellable_new();

	write_hanging_helper(place);
	place->request.cancellable = cancellable;
	place->request.progress = cancel_at_step;
	place->request.progress_data = cancellable;
	inject_badly(place, EPTLAB_ERROR_INTERRUPTED, "interrupted");
	assert_child_gone(place);
	assert_cache_empty(place);
}

/* What kill -9 leaves: half-done files in the cache. */
TEST_PLACE(leftovers_are_removed)
{
	test_put(place->root, "cache/tmp-1/deep/l2.img", "half", -1);
	assert_int_equal(symlink(place->workloads, at(place, "cache/tmp-1/deep/link")), 0);
	inject_again(place, false);
	assert_false(g_file_test(at(place, "cache/tmp-1"), G_FILE_TEST_EXISTS));
	/* A link is removed, not followed. */
	assert_true(g_file_test(place->workloads, G_FILE_TEST_IS_DIR));
}
