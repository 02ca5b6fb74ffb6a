/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/folder.h"
#include "record/store.h"
#include "tests/sample.h"
#include "tests/test.h"

#define NAME "20260131T235959Z-bochs-boot"

/* ---- A results folder in a folder of its own ---- */

static const char *folder;
static char *results;
static GPtrArray *texts;

/* This text stays until the test's end. */
static const char *keep(char *text)
{
	g_ptr_array_add(texts, text);
	return text;
}

static int make_results(void **state)
{
	test_folder_new(state);
	folder = *state;
	results = g_build_filename(folder, "results", NULL);
	texts = g_ptr_array_new_with_free_func(g_free);
	return 0;
}

static int remove_results(void **state)
{
	g_ptr_array_unref(texts);
	g_free(results);
	return test_folder_remove(state);
}

#define TEST_STORE(name) TEST_OF(void *no_state G_GNUC_UNUSED, make_results, remove_results, name)

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, hidden ones too, sorted, with blanks between. */
static const char *list(const char *where)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(where, 0, NULL);
	const char *name;

	assert_non_null(dir);
	while ((name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return keep(g_strjoinv(" ", (char **)names->pdata));
}

static void assert_list(const char *where, const char *expected)
{
	assert_string_equal(list(where), expected);
}

static void assert_file(const char *where, const char *name, const char *expected)
{
	g_autofree char *path = g_build_filename(where, name, NULL);
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, expected);
}

static record_store *begin(void)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601("2026-01-31T23:59:59Z", NULL);
	g_autoptr(GError) error = NULL;
	record_store *store = record_store_begin(results, time, "bochs", "boot", &error);

	assert_no_error(error);
	return store;
}

static struct record *record_with(enum record_verdict verdict)
{
	struct record *record = sample_record();

	record->verdict = verdict;
	return record;
}

static void put(record_store *store, const char *name, const char *text)
{
	assert_true(record_store_write(store, name, text, strlen(text), NULL));
}

static void assert_no_place(record_store *store, const char *name, const char *text, size_t length)
{
	g_autoptr(GError) error = NULL;

	assert_false(record_store_write(store, name, text, length, &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, "L0: ");
}

static void assert_verdict(const char *path, enum record_verdict verdict)
{
	g_autoptr(struct_record) record = record_load(path, NULL);

	assert_non_null(record);
	assert_int_equal(record->verdict, verdict);
}

static void assert_latest(const char *expected)
{
	assert_string_equal(keep(record_find_latest(results, NULL)), expected);
}

/* Write a whole record. Returns its path. */
static const char *commit(enum record_verdict verdict)
{
	g_autoptr(struct_record) record = record_with(verdict);
	g_autoptr(GError) error = NULL;
	record_store *store = begin();
	char *path;

	put(store, "report.txt", "words\n");
	path = record_store_commit(store, record, &error);
	assert_no_error(error);
	return keep(path);
}

/* ---- The way it should be ---- */

TEST_STORE(record_appears_when_it_is_complete)
{
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	const char *expected = keep(g_build_filename(results, NAME, NULL));
	record_store *store = begin();
	const char *path;

	put(store, "ept/dmesg.log", "one\n");
	put(store, "counts.csv", "old and longer");
	put(store, "counts.csv", "new");
	assert_begins(list(results), ".partial-" NAME ".");
	assert_null(strchr(list(results), ' '));

	path = keep(record_store_commit(store, record, NULL));
	assert_string_equal(path, expected);
	assert_list(results, NAME " latest");
	assert_list(path, "counts.csv ept record.json");
	assert_file(path, "counts.csv", "new");
	assert_file(path, "ept/dmesg.log", "one\n");
	assert_latest(expected);
	assert_verdict(path, RECORD_VALID);
}

/* So that the whole folder can be moved. */
TEST_STORE(link_is_relative)
{
	const char *link = keep(g_build_filename(results, "latest", NULL));

	commit(RECORD_VALID);
	assert_string_equal(keep(g_file_read_link(link, NULL)), NAME);
}

TEST_STORE(names_that_are_taken)
{
	commit(RECORD_VALID);
	commit(RECORD_VALID);
	assert_latest(commit(RECORD_VALID));
	assert_list(results, NAME " " NAME "-2 " NAME "-3 latest");
}

TEST_STORE(failed_record_is_never_the_latest)
{
	const char *valid;

	commit(RECORD_FAILED);
	assert_list(results, NAME);
	valid = commit(RECORD_VALID);
	commit(RECORD_FAILED);
	assert_latest(valid);
	assert_latest(commit(RECORD_INVALID));
}

TEST_STORE(abort_leaves_nothing)
{
	record_store *store = begin();

	put(store, "ept/dmesg.log", "one\n");
	record_store_abort(store);
	record_store_abort(NULL);
	assert_list(results, "");
}

static void fill_with_work(record_store *store)
{
	g_autofree char *work = record_store_work(store);
	g_autofree char *file = g_build_filename(work, "l1.iso", NULL);

	assert_true(g_file_set_contents(file, "large", -1, NULL));
}

TEST_STORE(temporary_files_are_no_part_of_a_record)
{
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	record_store *store = begin();

	fill_with_work(store);
	assert_list(keep(record_store_commit(store, record, NULL)), "record.json");
	store = begin();
	fill_with_work(store);
	record_store_abort(store);
	assert_list(results, NAME " latest");
}

TEST_STORE(times_are_utc)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601("2026-02-01T01:59:59+02:00", NULL);
	g_autoptr(record_store) store = record_store_begin(results, time, "bochs", "boot", NULL);
	g_autofree char *base = g_path_get_basename(record_store_path(store));

	assert_begins(base, ".partial-20260131T235959Z-bochs-boot.");
}

TEST_STORE(find_latest_says_when_there_is_none)
{
	g_autoptr(GError) error = NULL;

	assert_null(record_find_latest(results, &error));
	assert_error(&error, EPTLAB_ERROR_USAGE, "");
	folder_remove(commit(RECORD_VALID));
	assert_null(record_find_latest(results, &error));
	assert_error(&error, EPTLAB_ERROR_USAGE, "");
}

/* ---- What goes wrong on the way ---- */

TEST_STORE(names_that_lead_elsewhere)
{
	g_autoptr(record_store) store = begin();

	test_each_of (name, "", "/etc/x", "../x", "a/../../x", "a/b/c", ".hidden")
		assert_no_place(store, *name, "x", 1);
	assert_list(folder, "results");
	assert_list(record_store_path(store), "work");
}

/* The earlier record and the link to it are as they were. */
static void assert_earlier_is_untouched(const char *earlier)
{
	assert_list(results, NAME " latest");
	assert_latest(earlier);
	assert_list(earlier, "record.json report.txt");
	assert_file(earlier, "report.txt", "words\n");
	assert_verdict(earlier, RECORD_VALID);
}

/* /dev/full takes every open and no byte: ENOSPC for whoever may not mount anything. */
static void put_full_device(const record_store *store, const char *name)
{
	g_autofree char *path = g_build_filename(record_store_path(store), name, NULL);

	assert_int_equal(symlink("/dev/full", path), 0);
}

TEST_STORE(no_space)
{
	const char *earlier = commit(RECORD_VALID);
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	g_autoptr(GError) error = NULL;
	record_store *store = begin();

	put_full_device(store, "report.txt");
	assert_false(record_store_write(store, "report.txt", "words", 5, &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, g_strerror(ENOSPC));
	put_full_device(store, ".record.json.new");
	assert_false(record_store_save(store, record, &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, g_strerror(ENOSPC));
	record_store_abort(store);
	assert_earlier_is_untouched(earlier);
}

/* So many records are recovered. Returns the path of the first. */
static const char *recover(unsigned int count)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) paths = record_store_recover(results, "0.2", &error);

	assert_no_error(error);
	assert_int_equal(g_strv_length(paths), count);
	return keep(g_strdup(paths[0]));
}

/* What was measured stays, the error says where, and the next harness makes a record of it. */
TEST_STORE(commit_that_fails_keeps_what_was_measured)
{
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	g_autoptr(GError) error = NULL;
	record_store *store = begin();
	const char *partial = keep(g_strdup(record_store_path(store)));
	const char *path;

	put(store, "ept/probe.frames", "counts\n");
	put_full_device(store, ".record.json.new");
	assert_null(record_store_commit(store, record, &error));
	assert_says(error->message, partial);
	assert_error(&error, EPTLAB_ERROR_MACHINE, g_strerror(ENOSPC));
	assert_file(partial, "ept/probe.frames", "counts\n");

	path = recover(1);
	assert_file(path, "ept/probe.frames", "counts\n");
	assert_verdict(path, RECORD_FAILED);
	assert_list(results, NAME);
}

/* A save that fails leaves what was saved before. */
TEST_STORE(older_save_survives)
{
	g_autoptr(struct_record) record = record_with(RECORD_FAILED);
	g_autoptr(struct_record) back = NULL;
	g_autoptr(record_store) store = begin();

	assert_true(record_store_save(store, record, NULL));
	put_full_device(store, ".record.json.new");
	record_set_string(&record->error, "later");
	assert_false(record_store_save(store, record, NULL));
	back = record_load(record_store_path(store), NULL);
	assert_non_null(back);
	assert_null(back->error);
}

/* Files of /proc want to be written in one go. */
static bool write_once(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* A user namespace in which this user is root. */
static bool become_root(void)
{
	g_autofree char *uids = g_strdup_printf("0 %u 1", getuid());
	g_autofree char *gids = g_strdup_printf("0 %u 1", getgid());

	return unshare(CLONE_NEWUSER) == 0 && write_once("/proc/self/setgroups", "deny") &&
	       write_once("/proc/self/uid_map", uids) && write_once("/proc/self/gid_map", gids);
}

/*
 * A disk that is really full: a small tmpfs in a mount namespace of its own, which ends with this
 * process. Returns false where the kernel does not let this user have one.
 */
static bool mount_small_disk(void)
{
	if (unshare(CLONE_NEWNS) != 0 && (!become_root() || unshare(CLONE_NEWNS) != 0))
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", folder, "tmpfs", 0, "size=2m") == 0;
}

/* Where nothing can be mounted, files that may not grow stop the writer at the same place. */
static void limit_file_size(void)
{
	const struct rlimit limit = { .rlim_cur = 1500000, .rlim_max = RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* In a process of its own, which takes mounts and limits with it. */
static void fill_the_disk(void)
{
	g_autofree char *large = g_malloc0(2000000);
	const char *earlier;

	if (!mount_small_disk()) {
		print_message("no mount possible here: a limit on file sizes stands in\n");
		limit_file_size();
	}
	earlier = commit(RECORD_VALID);
	/* The next finds the place again that this one took. */
	for (int i = 0; i < 2; i++) {
		record_store *store = begin();

		assert_true(record_store_write(store, "a", large, 90000, NULL));
		assert_no_place(store, "b", large, 2000000);
		record_store_abort(store);
	}
	assert_earlier_is_untouched(earlier);
}

#define CANNOT_MOUNT 77

/* Whatever has filled the disk meanwhile, there is room for the record, which was taken before. */
static void end_on_a_full_disk(void)
{
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	static const char block[4096];
	g_autofree char *fill = g_build_filename(folder, "fill", NULL);
	g_autoptr(GError) error = NULL;
	record_store *store;
	const char *path;
	int fd;

	if (!mount_small_disk())
		_exit(CANNOT_MOUNT);
	store = begin();
	fd = open(fill, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	record_store_end_work(store);
	put(store, "ept/dmesg.log", "one\n");
	path = keep(record_store_commit(store, record, &error));
	assert_no_error(error);
	assert_list(path, "ept record.json");
	assert_list(results, NAME " latest");
}

static int wait_for(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static pid_t start(void (*function)(void))
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		function();
		_exit(0);
	}
	return child;
}

static void in_a_child(void (*function)(void))
{
	int status = wait_for(start(function));

	if (WEXITSTATUS(status) == CANNOT_MOUNT) {
		printf("# a full disk is skipped: this user may not mount anything\n");
		skip();
	}
	assert_int_equal(status, 0);
}

TEST_STORE(disk_full)
{
	in_a_child(fill_the_disk);
}

TEST_STORE(disk_full_at_the_end)
{
	in_a_child(end_on_a_full_disk);
}

TEST_STORE(latest_of_somebody_else)
{
	g_autofree char *latest = g_build_filename(results, "latest", NULL);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	g_autoptr(GError) error = NULL;
	record_store *store = begin();

	/* It came while the experiment ran: the record stays, the error names it. */
	assert_true(g_file_set_contents(latest, "mine", -1, NULL));
	assert_null(record_store_commit(store, record, &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, "/" NAME " is complete");
	assert_list(results, NAME " latest");
	assert_file(results, "latest", "mine");
	/* It was there before: said before anything is measured. */
	assert_null(record_store_begin(results, now, "bochs", "boot", &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, "L0: ");
	assert_list(results, NAME " latest");
}

TEST_STORE(results_is_no_folder)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(GError) error = NULL;

	assert_true(g_file_set_contents(results, "file", -1, NULL));
	assert_null(record_store_begin(results, now, "bochs", "boot", &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, "L0: ");
	assert_null(record_store_recover(results, "0.1", &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, "L0: ");
	assert_file(folder, "results", "file");
}

static void commit_one(void)
{
	commit(RECORD_VALID);
}

TEST_STORE(several_at_once)
{
	pid_t children[8];

	for (size_t i = 0; i < G_N_ELEMENTS(children); i++)
		children[i] = start(commit_one);
	for (size_t i = 0; i < G_N_ELEMENTS(children); i++)
		assert_int_equal(wait_for(children[i]), 0);
	assert_list(results, NAME " " NAME "-2 " NAME "-3 " NAME "-4 " NAME "-5 " NAME "-6 " NAME
				  "-7 " NAME "-8 latest");
	assert_non_null(keep(record_find_latest(results, NULL)));
}

/* ---- Harnesses that were killed ---- */

/*
 * A harness that has begun a record, has written this much of it and waits to be killed. fill does
 * the writing.
 */
static pid_t start_harness(void (*fill)(record_store *store))
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		fill(begin());
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void kill_harness(pid_t child)
{
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_true(WIFSIGNALED(wait_for(child)));
}

static void start_and_kill(void (*fill)(record_store *store))
{
	kill_harness(start_harness(fill));
}

static void fill_with_consoles(record_store *store)
{
	put(store, "l1-console.log", "L1 says\n");
	put(store, "ept/l2-console.log", "L2 says\n");
}

static void fill_with_a_record(record_store *store)
{
	g_autoptr(struct_record) record = record_with(RECORD_VALID);

	fill_with_consoles(store);
	assert_true(record_store_save(store, record, NULL));
}

TEST_STORE(living_harness_is_left_alone)
{
	pid_t child = start_harness(fill_with_consoles);

	recover(0);
	kill_harness(child);
	recover(1);
}

TEST_STORE(killed_harness_leaves_a_failed_record)
{
	const char *earlier = commit(RECORD_VALID);
	g_autoptr(struct_record) record = NULL;
	const char *path;

	start_and_kill(fill_with_consoles);
	path = recover(1);
	assert_true(g_str_has_suffix(path, "/" NAME "-2"));
	assert_list(path, "ept l1-console.log record.json");
	assert_file(path, "l1-console.log", "L1 says\n");
	assert_file(path, "ept/l2-console.log", "L2 says\n");
	assert_verdict(path, RECORD_FAILED);
	record = record_load(path, NULL);
	assert_string_equal(record->error,
			    "L0: the harness was killed, or could not store what it had, before "
			    "the experiment was complete");
	assert_string_equal(record->eptlab, "0.2");
	assert_string_equal(record->created, "2026-01-31T23:59:59Z");
	assert_string_equal(record->platform.name, "bochs");
	assert_string_equal(record->workload, "boot");
	assert_int_equal(record->runs->len, 0);
	assert_latest(earlier);
	assert_list(results, NAME " " NAME "-2 latest");
	recover(0);
}

/* Complete but for its name: still not a record that anybody has seen to be valid. */
TEST_STORE(what_was_saved_is_kept)
{
	g_autoptr(struct_record) record = NULL;

	start_and_kill(fill_with_a_record);
	record = record_load(recover(1), NULL);
	assert_int_equal(record->verdict, RECORD_FAILED);
	assert_string_equal(record->eptlab, "0.1");
	assert_int_equal(record->runs->len, 2);
	assert_non_null(record->error);
	assert_list(results, NAME);
}

static void fill_with_rubbish(record_store *store)
{
	put(store, "record.json", "{\"schema\":");
}

TEST_STORE(broken_record_is_made_anew)
{
	const char *new, *path;

	start_and_kill(fill_with_rubbish);
	new = keep(g_build_filename(results, list(results), ".record.json.new", NULL));
	assert_true(g_file_set_contents(new, "half", -1, NULL));
	path = recover(1);
	assert_verdict(path, RECORD_FAILED);
	assert_list(path, "record.json");
}

TEST_STORE(temporary_files_of_the_killed_are_removed)
{
	start_and_kill(fill_with_work);
	assert_list(recover(1), "record.json");
}

TEST_STORE(several_were_killed)
{
	pid_t alive;

	start_and_kill(fill_with_consoles);
	start_and_kill(fill_with_a_record);
	alive = start_harness(fill_with_consoles);
	recover(2);
	kill_harness(alive);
}

TEST_STORE(what_is_not_ours_is_left_alone)
{
	g_autofree char *link = g_build_filename(results, ".latest.01234567", NULL);
	const char *before;

	test_each_of (name, ".partial-foo", ".partial-20260131T235959Z-bochs-boot", ".partial",
		      ".partial-20261331T235959Z-bochs-boot.abcdef", "20260131T235959Z-other")
		assert_int_equal(
			g_mkdir_with_parents(keep(g_build_filename(results, *name, NULL)), 0700),
			0);
	before = list(results);
	/* A link that was made and never renamed is ours. */
	assert_int_equal(symlink("nowhere", link), 0);
	recover(0);
	assert_list(results, before);
}

TEST_STORE(nothing_to_recover)
{
	recover(0);
	assert_list(folder, "");
}

static void recover_without_space(void)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = RLIM_INFINITY };
	g_autoptr(GError) error = NULL;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_null(record_store_recover(results, "0.2", &error));
	assert_int_equal(error->code, EPTLAB_ERROR_MACHINE);
}

/* What cannot be recovered is not thrown away: with room again, the next harness finds it. */
TEST_STORE(recovery_without_space)
{
	const char *before, *path;

	start_and_kill(fill_with_consoles);
	before = list(results);
	in_a_child(recover_without_space);
	assert_list(results, before);
	path = recover(1);
	assert_file(path, "l1-console.log", "L1 says\n");
}

static void commit_for_ever(void)
{
	for (;;)
		commit(RECORD_VALID);
}

/* Killed at any moment of its life, a harness leaves whole records only. */
TEST_STORE(killed_at_any_moment)
{
	for (unsigned int delay = 0; delay < 40; delay++) {
		g_auto(GStrv) paths = NULL;
		g_auto(GStrv) names = NULL;
		pid_t child;

		assert_int_equal(g_mkdir_with_parents(results, 0700), 0);
		child = start(commit_for_ever);
		g_usleep(1000 + delay * 700);
		kill_harness(child);
		paths = record_store_recover(results, "0.2", NULL);
		assert_non_null(paths);
		assert_true(g_strv_length(paths) <= 1);
		names = g_strsplit(list(results), " ", -1);
		for (char **name = names; *name != NULL && **name != '\0'; name++) {
			g_autofree char *path = g_build_filename(results, *name, NULL);
			g_autoptr(struct_record) record = record_load(path, NULL);

			if (!record)
				fail_msg("after %u: %s is no record", delay, *name);
		}
		/* Not more and more of them. */
		folder_remove(results);
	}
}

static void abort_for_ever(void)
{
	for (;;)
		record_store_abort(begin());
}

/* Names that are read before the one that goes make it likely that it goes in between. */
TEST_STORE(recovery_while_another_gives_up)
{
	g_autoptr(GError) error = NULL;
	bool good = true;
	pid_t child;

	for (unsigned int i = 0; i < 100; i++) {
		g_autofree char *path = g_strdup_printf("%s/.partial-%u", results, i);

		assert_int_equal(g_mkdir_with_parents(path, 0700), 0);
	}
	child = start(abort_for_ever);
	for (unsigned int times = 0; good && times < 200; times++) {
		g_auto(GStrv) paths = record_store_recover(results, "0.2", &error);

		good = paths != NULL && paths[0] == NULL;
	}
	kill_harness(child);
	if (!good)
		fail_msg("%s", error != NULL ? error->message : "a record was made of nothing");
}

/* ---- Earlier runs ---- */

/* A record whose run "ept" has count exits of reason 30, and inputs that end with that digit. */
static void commit_run(uint64_t count, char digit, const char *error)
{
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	struct record_run *run = record_find_run(record, "ept");
	struct record_input *all = run->inputs->pdata[run->inputs->len - 1];

	sample_set_count(run, 30, count);
	all->sha256[63] = digit;
	record_set_string(&run->error, error);
	assert_non_null(keep(record_store_commit(begin(), record, NULL)));
}

/* The newest with the same configuration and inputs, and counts; whatever else there is. */
TEST_STORE(earlier_run_is_found)
{
	g_autofree char *broken = g_build_filename(results, NAME "-9", NULL);
	g_autoptr(struct_record) record = sample_record();
	struct record_run *run = record_find_run(record, "ept");

	commit_run(700, 'd', NULL);
	commit_run(701, 'd', NULL);
	commit_run(702, 'e', NULL);
	commit_run(703, 'd', "L2: it crashed");
	assert_int_equal(g_mkdir(broken, 0700), 0);
	record_find_earlier(results, run);
	/* What never came is left out: 12 reasons of the sample did, with ept 10. */
	assert_run(run, "earlier.record=" NAME "-2 .exits.30.count=701 .exits.len=10");

	test_each_of (change, "ept.config=third", "ept.platform.name=tcg", "ept.inputs=null") {
		g_autoptr(struct_record) other = sample_record();

		sample_change(&other, "", *change);
		record_find_earlier(results, other->runs->pdata[0]);
		assert_false(((struct record_run *)other->runs->pdata[0])->earlier.known);
	}
}
