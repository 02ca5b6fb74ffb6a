/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "record/store.h"
#include "judge/rules.h"
#include "tests/sample.h"

#define NAME "20260131T235959Z-bochs-boot"

/* ---- A results folder in a folder of its own ---- */

struct place {
	char *folder;
	char *results;
};

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

static int setup(void **state)
{
	struct place *place = g_new0(struct place, 1);

	place->folder = g_dir_make_tmp("eptlab-store-XXXXXX", NULL);
	assert_non_null(place->folder);
	place->results = g_build_filename(place->folder, "results", NULL);
	*state = place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;

	assert_int_equal(nftw(place->folder, remove_entry, 16, FTW_PHYS | FTW_DEPTH), 0);
	g_free(place->folder);
	g_free(place->results);
	g_free(place);
	return 0;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, hidden ones too, sorted, with blanks between. */
static char *list(const char *folder)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	assert_non_null(dir);
	while ((name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return g_strjoinv(" ", (char **)names->pdata);
}

static void assert_list(const char *folder, const char *expected)
{
	g_autofree char *names = list(folder);

	assert_string_equal(names, expected);
}

static void assert_file(const char *folder, const char *name, const char *expected)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, expected);
}

static record_store *begin(const struct place *place)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601("2026-01-31T23:59:59Z", NULL);
	g_autoptr(GError) error = NULL;
	record_store *store = record_store_begin(place->results, time, "bochs", "boot", &error);

	if (!store)
		fail_msg("%s", error->message);
	return store;
}

static struct record *record_with(enum record_verdict verdict)
{
	struct record *record = sample_record();

	record->verdict = verdict;
	return record;
}

/* Write a whole record. Returns its path. */
static char *commit(const struct place *place, enum record_verdict verdict)
{
	g_autoptr(struct_record) record = record_with(verdict);
	g_autoptr(GError) error = NULL;
	record_store *store = begin(place);
	char *path;

	assert_true(record_store_write(store, "report.txt", "words\n", 6, NULL));
	path = record_store_commit(store, record, &error);
	if (!path)
		fail_msg("%s", error->message);
	return path;
}

static void assert_machine_error(GError **error)
{
	assert_non_null(*error);
	assert_int_equal((*error)->domain, EPTLAB_ERROR);
	assert_int_equal((*error)->code, EPTLAB_ERROR_MACHINE);
	assert_true(g_str_has_prefix((*error)->message, "L0: "));
	g_clear_error(error);
}

/* ---- The way it should be ---- */

static void record_appears_when_it_is_complete(void **state)
{
	const struct place *place = *state;
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	g_autoptr(struct_record) back = NULL;
	g_autofree char *before = NULL;
	g_autofree char *path = NULL;
	g_autofree char *expected = g_build_filename(place->results, NAME, NULL);
	g_autofree char *latest = NULL;
	record_store *store = begin(place);

	assert_true(record_store_write(store, "ept/dmesg.log", "one\n", 4, NULL));
	assert_true(record_store_write(store, "counts.csv", "old and longer", 14, NULL));
	assert_true(record_store_write(store, "counts.csv", "new", 3, NULL));
	before = list(place->results);
	assert_true(g_str_has_prefix(before, ".partial-" NAME "."));
	assert_null(strchr(before, ' '));

	path = record_store_commit(store, record, NULL);
	assert_string_equal(path, expected);
	assert_list(place->results, NAME " latest");
	assert_list(path, "counts.csv ept record.json");
	assert_file(path, "counts.csv", "new");
	assert_file(path, "ept/dmesg.log", "one\n");
	latest = record_find_latest(place->results, NULL);
	assert_string_equal(latest, expected);
	back = record_load(latest, NULL);
	assert_int_equal(back->verdict, RECORD_VALID);
}

static void link_is_relative(void **state)
{
	const struct place *place = *state;
	g_autofree char *link = g_build_filename(place->results, "latest", NULL);
	g_autofree char *target = NULL;

	g_free(commit(place, RECORD_VALID));
	target = g_file_read_link(link, NULL);
	/* So that the whole folder can be moved. */
	assert_string_equal(target, NAME);
}

static void names_that_are_taken(void **state)
{
	const struct place *place = *state;
	g_autofree char *third = NULL;
	g_autofree char *latest = NULL;

	g_free(commit(place, RECORD_VALID));
	g_free(commit(place, RECORD_VALID));
	third = commit(place, RECORD_VALID);
	latest = record_find_latest(place->results, NULL);
	assert_list(place->results, NAME " " NAME "-2 " NAME "-3 latest");
	assert_string_equal(latest, third);
}

static void failed_record_is_never_the_latest(void **state)
{
	const struct place *place = *state;
	g_autofree char *valid = NULL;
	g_autofree char *invalid = NULL;
	g_autofree char *latest = NULL;

	g_free(commit(place, RECORD_FAILED));
	assert_list(place->results, NAME);
	valid = commit(place, RECORD_VALID);
	g_free(commit(place, RECORD_FAILED));
	latest = record_find_latest(place->results, NULL);
	assert_string_equal(latest, valid);
	invalid = commit(place, RECORD_INVALID);
	g_free(latest);
	latest = record_find_latest(place->results, NULL);
	assert_string_equal(latest, invalid);
}

static void abort_leaves_nothing(void **state)
{
	const struct place *place = *state;
	record_store *store = begin(place);

	assert_true(record_store_write(store, "ept/dmesg.log", "one\n", 4, NULL));
	record_store_abort(store);
	record_store_abort(NULL);
	assert_list(place->results, "");
}

static void fill_with_work(record_store *store)
{
	g_autofree char *work = record_store_work(store);
	g_autofree char *file = g_build_filename(work, "l1.iso", NULL);

	assert_true(g_file_set_contents(file, "large", -1, NULL));
}

static void temporary_files_are_no_part_of_a_record(void **state)
{
	const struct place *place = *state;
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	g_autofree char *path = NULL;
	record_store *store = begin(place);

	fill_with_work(store);
	path = record_store_commit(store, record, NULL);
	assert_list(path, "record.json");

	store = begin(place);
	fill_with_work(store);
	record_store_abort(store);
	assert_list(place->results, NAME " latest");
}

static void times_are_utc(void **state)
{
	const struct place *place = *state;
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601("2026-02-01T01:59:59+02:00", NULL);
	g_autoptr(record_store) store =
		record_store_begin(place->results, time, "bochs", "boot", NULL);
	g_autofree char *base = g_path_get_basename(record_store_path(store));

	assert_true(g_str_has_prefix(base, ".partial-20260131T235959Z-bochs-boot."));
}

static void find_latest_says_when_there_is_none(void **state)
{
	const struct place *place = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;

	assert_null(record_find_latest(place->results, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
	g_clear_error(&error);
	path = commit(place, RECORD_VALID);
	assert_int_equal(nftw(path, remove_entry, 16, FTW_PHYS | FTW_DEPTH), 0);
	assert_null(record_find_latest(place->results, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
}

/* ---- What goes wrong on the way ---- */

static void names_that_lead_elsewhere(void **state)
{
	static const char *const bad[] = { "", "/etc/x", "../x", "a/../../x", "a/b/c", ".hidden" };
	const struct place *place = *state;
	g_autoptr(record_store) store = begin(place);
	g_autoptr(GError) error = NULL;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		assert_false(record_store_write(store, bad[i], "x", 1, &error));
		assert_machine_error(&error);
	}
	assert_list(place->folder, "results");
	assert_list(record_store_path(store), "work");
}

/* The earlier record and the link to it are as they were. */
static void assert_earlier_is_untouched(const struct place *place, const char *earlier)
{
	g_autofree char *latest = record_find_latest(place->results, NULL);
	g_autoptr(struct_record) record = record_load(latest, NULL);

	assert_list(place->results, NAME " latest");
	assert_string_equal(latest, earlier);
	assert_list(earlier, "record.json report.txt");
	assert_file(earlier, "report.txt", "words\n");
	assert_int_equal(record->verdict, RECORD_VALID);
}

/* /dev/full takes every open and no byte: ENOSPC for whoever may not mount anything. */
static void put_full_device(const record_store *store, const char *name)
{
	g_autofree char *path = g_build_filename(record_store_path(store), name, NULL);

	assert_int_equal(symlink("/dev/full", path), 0);
}

static void no_space_for_a_file(void **state)
{
	const struct place *place = *state;
	g_autofree char *earlier = commit(place, RECORD_VALID);
	g_autoptr(GError) error = NULL;
	record_store *store = begin(place);

	put_full_device(store, "report.txt");
	assert_false(record_store_write(store, "report.txt", "words", 5, &error));
	assert_non_null(strstr(error->message, g_strerror(ENOSPC)));
	assert_machine_error(&error);
	record_store_abort(store);
	assert_earlier_is_untouched(place, earlier);
}

static void no_space_for_the_record(void **state)
{
	const struct place *place = *state;
	g_autofree char *earlier = commit(place, RECORD_VALID);
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	g_autoptr(GError) error = NULL;
	record_store *store = begin(place);

	put_full_device(store, ".record.json.new");
	assert_false(record_store_save(store, record, &error));
	assert_machine_error(&error);
	record_store_abort(store);
	assert_earlier_is_untouched(place, earlier);
}

/* What was measured stays, the error says where, and the next harness makes a record of it. */
static void commit_that_fails_keeps_what_was_measured(void **state)
{
	const struct place *place = *state;
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	g_autoptr(struct_record) kept = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *partial = NULL;
	g_auto(GStrv) paths = NULL;
	record_store *store = begin(place);

	partial = g_strdup(record_store_path(store));
	assert_true(record_store_write(store, "ept/probe.frames", "counts\n", 7, NULL));
	put_full_device(store, ".record.json.new");
	assert_null(record_store_commit(store, record, &error));
	assert_non_null(strstr(error->message, g_strerror(ENOSPC)));
	assert_non_null(strstr(error->message, partial));
	assert_machine_error(&error);
	assert_file(partial, "ept/probe.frames", "counts\n");

	paths = record_store_recover(place->results, "0.2", NULL);
	assert_int_equal(g_strv_length(paths), 1);
	assert_file(paths[0], "ept/probe.frames", "counts\n");
	kept = record_load(paths[0], NULL);
	assert_int_equal(kept->verdict, RECORD_FAILED);
	assert_list(place->results, NAME);
}

/* A save that fails leaves what was saved before. */
static void older_save_survives(void **state)
{
	const struct place *place = *state;
	g_autoptr(struct_record) record = record_with(RECORD_FAILED);
	g_autoptr(struct_record) back = NULL;
	g_autoptr(record_store) store = begin(place);

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
static bool mount_small_disk(const char *folder)
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
static void fill_the_disk(const struct place *place)
{
	g_autofree char *earlier = NULL;
	g_autofree char *large = g_malloc0(2000000);
	g_autoptr(GError) error = NULL;
	record_store *store;

	if (!mount_small_disk(place->folder)) {
		print_message("no mount possible here: a limit on file sizes stands in\n");
		limit_file_size();
	}
	earlier = commit(place, RECORD_VALID);
	store = begin(place);
	assert_true(record_store_write(store, "a", large, 90000, NULL));
	assert_false(record_store_write(store, "b", large, 2000000, &error));
	assert_machine_error(&error);
	record_store_abort(store);

	/* The next finds the place again that this one took. */
	store = begin(place);
	assert_true(record_store_write(store, "a", large, 90000, NULL));
	assert_false(record_store_write(store, "b", large, 2000000, &error));
	assert_machine_error(&error);
	record_store_abort(store);
	assert_earlier_is_untouched(place, earlier);
}

#define CANNOT_MOUNT 77

/* Whatever has filled the disk meanwhile, there is room for the record, which was taken before. */
static void end_on_a_full_disk(const struct place *place)
{
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	static const char block[4096];
	g_autofree char *fill = g_build_filename(place->folder, "fill", NULL);
	g_autofree char *path = NULL;
	g_autoptr(GError) error = NULL;
	record_store *store;
	int fd;

	if (!mount_small_disk(place->folder))
		_exit(CANNOT_MOUNT);
	store = begin(place);
	fd = open(fill, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	record_store_end_work(store);
	if (!record_store_write(store, "ept/dmesg.log", "one\n", 4, &error))
		fail_msg("%s", error->message);
	path = record_store_commit(store, record, &error);
	if (!path)
		fail_msg("%s", error->message);
	assert_list(path, "ept record.json");
	assert_list(place->results, NAME " latest");
}

static int wait_for(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void in_a_child(const struct place *place, void (*function)(const struct place *place))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		function(place);
		_exit(0);
	}
	status = wait_for(child);
	if (WEXITSTATUS(status) == CANNOT_MOUNT) {
		printf("# a full disk is skipped: this user may not mount anything\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void disk_full(void **state)
{
	in_a_child(*state, fill_the_disk);
}

static void disk_full_at_the_end(void **state)
{
	in_a_child(*state, end_on_a_full_disk);
}

static void latest_of_somebody_else(void **state)
{
	const struct place *place = *state;
	g_autofree char *latest = g_build_filename(place->results, "latest", NULL);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	g_autoptr(GError) error = NULL;
	record_store *store = begin(place);

	/* It came while the experiment ran: the record stays, the error names it. */
	assert_true(g_file_set_contents(latest, "mine", -1, NULL));
	assert_null(record_store_commit(store, record, &error));
	assert_non_null(strstr(error->message, "/" NAME " is complete"));
	assert_machine_error(&error);
	assert_list(place->results, NAME " latest");
	assert_file(place->results, "latest", "mine");
	/* It was there before: said before anything is measured. */
	assert_null(record_store_begin(place->results, now, "bochs", "boot", &error));
	assert_machine_error(&error);
	assert_list(place->results, NAME " latest");
}

static void results_is_no_folder(void **state)
{
	const struct place *place = *state;
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(GError) error = NULL;

	assert_true(g_file_set_contents(place->results, "file", -1, NULL));
	assert_null(record_store_begin(place->results, now, "bochs", "boot", &error));
	assert_machine_error(&error);
	assert_null(record_store_recover(place->results, "0.1", &error));
	assert_machine_error(&error);
	assert_file(place->folder, "results", "file");
}

static void several_at_once(void **state)
{
	const struct place *place = *state;
	pid_t children[8];
	g_autofree char *names = NULL;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(children); i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			g_free(commit(place, RECORD_VALID));
			_exit(0);
		}
	}
	for (i = 0; i < G_N_ELEMENTS(children); i++)
		assert_int_equal(wait_for(children[i]), 0);
	assert_list(place->results, NAME " " NAME "-2 " NAME "-3 " NAME "-4 " NAME "-5 " NAME
					 "-6 " NAME "-7 " NAME "-8 latest");
	names = record_find_latest(place->results, NULL);
	assert_non_null(names);
}

/* ---- Harnesses that were killed ---- */

/*
 * A harness that has begun a record, has written this much of it and waits to be killed. fill does
 * the writing.
 */
static pid_t start_harness(const struct place *place, void (*fill)(record_store *store))
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		fill(begin(place));
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

static char **recover(const struct place *place)
{
	g_autoptr(GError) error = NULL;
	char **paths = record_store_recover(place->results, "0.2", &error);

	if (!paths)
		fail_msg("%s", error->message);
	return paths;
}

static void fill_with_consoles(record_store *store)
{
	assert_true(record_store_write(store, "l1-console.log", "L1 says\n", 8, NULL));
	assert_true(record_store_write(store, "ept/l2-console.log", "L2 says\n", 8, NULL));
}

static void fill_with_a_record(record_store *store)
{
	g_autoptr(struct_record) record = record_with(RECORD_VALID);

	fill_with_consoles(store);
	assert_true(record_store_save(store, record, NULL));
}

static void living_harness_is_left_alone(void **state)
{
	const struct place *place = *state;
	pid_t child = start_harness(place, fill_with_consoles);
	g_auto(GStrv) while_alive = recover(place);
	g_auto(GStrv) after = NULL;

	assert_int_equal(g_strv_length(while_alive), 0);
	kill_harness(child);
	after = recover(place);
	assert_int_equal(g_strv_length(after), 1);
}

static void killed_harness_leaves_a_failed_record(void **state)
{
	const struct place *place = *state;
	g_autofree char *earlier = commit(place, RECORD_VALID);
	g_autofree char *latest = NULL;
	g_auto(GStrv) paths = NULL;
	g_auto(GStrv) again = NULL;
	g_autoptr(struct_record) record = NULL;

	kill_harness(start_harness(place, fill_with_consoles));
	paths = recover(place);
	assert_int_equal(g_strv_length(paths), 1);
	assert_true(g_str_has_suffix(paths[0], "/" NAME "-2"));
	assert_list(paths[0], "ept l1-console.log record.json");
	assert_file(paths[0], "l1-console.log", "L1 says\n");
	assert_file(paths[0], "ept/l2-console.log", "L2 says\n");
	record = record_load(paths[0], NULL);
	assert_non_null(record);
	assert_int_equal(record->verdict, RECORD_FAILED);
	assert_string_equal(record->error,
			    "L0: the harness was killed, or could not store what it had, before "
			    "the experiment was complete");
	assert_string_equal(record->eptlab, "0.2");
	assert_string_equal(record->created, "2026-01-31T23:59:59Z");
	assert_string_equal(record->platform.name, "bochs");
	assert_string_equal(record->workload, "boot");
	assert_int_equal(record->runs->len, 0);
	latest = record_find_latest(place->results, NULL);
	assert_string_equal(latest, earlier);
	assert_list(place->results, NAME " " NAME "-2 latest");
	again = recover(place);
	assert_int_equal(g_strv_length(again), 0);
}

/* Complete but for its name: still not a record that anybody has seen to be valid. */
static void what_was_saved_is_kept(void **state)
{
	const struct place *place = *state;
	g_auto(GStrv) paths = NULL;
	g_autoptr(struct_record) record = NULL;

	kill_harness(start_harness(place, fill_with_a_record));
	paths = recover(place);
	assert_int_equal(g_strv_length(paths), 1);
	record = record_load(paths[0], NULL);
	assert_int_equal(record->verdict, RECORD_FAILED);
	assert_string_equal(record->eptlab, "0.1");
	assert_int_equal(record->runs->len, 2);
	assert_non_null(record->error);
	assert_list(place->results, NAME);
}

static void fill_with_rubbish(record_store *store)
{
	assert_true(record_store_write(store, "record.json", "{\"schema\":", 10, NULL));
}

static void broken_record_is_made_anew(void **state)
{
	const struct place *place = *state;
	g_autofree char *new = NULL;
	g_auto(GStrv) paths = NULL;
	g_autoptr(struct_record) record = NULL;
	g_autofree char *name = NULL;

	kill_harness(start_harness(place, fill_with_rubbish));
	name = list(place->results);
	new = g_build_filename(place->results, name, ".record.json.new", NULL);
	assert_true(g_file_set_contents(new, "half", -1, NULL));
	paths = recover(place);
	record = record_load(paths[0], NULL);
	assert_int_equal(record->verdict, RECORD_FAILED);
	assert_list(paths[0], "record.json");
}

static void temporary_files_of_the_killed_are_removed(void **state)
{
	const struct place *place = *state;
	g_auto(GStrv) paths = NULL;

	kill_harness(start_harness(place, fill_with_work));
	paths = recover(place);
	assert_list(paths[0], "record.json");
}

static void several_were_killed(void **state)
{
	const struct place *place = *state;
	g_auto(GStrv) paths = NULL;
	pid_t alive;

	kill_harness(start_harness(place, fill_with_consoles));
	kill_harness(start_harness(place, fill_with_a_record));
	alive = start_harness(place, fill_with_consoles);
	paths = recover(place);
	assert_int_equal(g_strv_length(paths), 2);
	kill_harness(alive);
}

static void what_is_not_ours_is_left_alone(void **state)
{
	static const char *const names[] = {
		".partial-foo",
		".partial-20260131T235959Z-bochs-boot",
		".partial",
		".partial-20261331T235959Z-bochs-boot.abcdef",
		"20260131T235959Z-other",
	};
	const struct place *place = *state;
	g_autofree char *link = g_build_filename(place->results, ".latest.01234567", NULL);
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;
	g_auto(GStrv) paths = NULL;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(place->results, names[i], NULL);

		assert_int_equal(g_mkdir_with_parents(path, 0700), 0);
	}
	before = list(place->results);
	/* A link that was made and never renamed is ours. */
	assert_int_equal(symlink("nowhere", link), 0);
	paths = recover(place);
	assert_int_equal(g_strv_length(paths), 0);
	after = list(place->results);
	assert_string_equal(before, after);
}

static void nothing_to_recover(void **state)
{
	const struct place *place = *state;
	g_auto(GStrv) paths = recover(place);

	assert_int_equal(g_strv_length(paths), 0);
	assert_list(place->folder, "");
}

/* What cannot be recovered is not thrown away: with room again, the next harness finds it. */
static void recovery_without_space(void **state)
{
	const struct place *place = *state;
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;
	g_auto(GStrv) paths = NULL;
	pid_t child;

	kill_harness(start_harness(place, fill_with_consoles));
	before = list(place->results);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit none = { .rlim_cur = 0, .rlim_max = RLIM_INFINITY };
		g_autoptr(GError) error = NULL;

		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
		assert_null(record_store_recover(place->results, "0.2", &error));
		assert_int_equal(error->code, EPTLAB_ERROR_MACHINE);
		_exit(0);
	}
	assert_int_equal(wait_for(child), 0);
	after = list(place->results);
	assert_string_equal(before, after);
	paths = recover(place);
	assert_int_equal(g_strv_length(paths), 1);
	assert_file(paths[0], "l1-console.log", "L1 says\n");
}

/* Killed at any moment of its life, a harness leaves whole records only. */
static void killed_at_any_moment(void **state)
{
	const struct place *place = *state;
	unsigned int delay;

	for (delay = 0; delay < 40; delay++) {
		g_auto(GStrv) paths = NULL;
		g_autofree char *names = NULL;
		g_auto(GStrv) parts = NULL;
		pid_t child;
		guint i;

		assert_int_equal(g_mkdir_with_parents(place->results, 0700), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			for (;;)
				g_free(commit(place, RECORD_VALID));
		}
		g_usleep(1000 + delay * 700);
		kill_harness(child);
		paths = recover(place);
		assert_true(g_strv_length(paths) <= 1);
		names = list(place->results);
		parts = g_strsplit(names, " ", -1);
		for (i = 0; parts[i] && parts[i][0]; i++) {
			g_autofree char *path = g_build_filename(place->results, parts[i], NULL);
			g_autoptr(struct_record) record = record_load(path, NULL);

			if (!record)
				fail_msg("after %u: %s is no record", delay, parts[i]);
		}
		/* Not more and more of them. */
		assert_int_equal(nftw(place->results, remove_entry, 16, FTW_PHYS | FTW_DEPTH), 0);
	}
}

#define with_place(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* ---- Earlier runs ---- */

/* A record whose run "ept" has count exits of reason 30, and inputs that end with that digit. */
static void commit_run(const struct place *place, uint64_t count, char digit, const char *error)
{
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	struct record_run *run = record_find_run(record, "ept");
	struct record_input *all = run->inputs->pdata[run->inputs->len - 1];
	char *path;

	sample_set_count(run, 30, count);
	all->sha256[63] = digit;
	record_set_string(&run->error, error);
	path = record_store_commit(begin(place), record, NULL);
	assert_non_null(path);
	g_free(path);
}

static void forget_earlier(struct record_run *run)
{
	g_clear_pointer(&run->earlier.record, g_free);
	g_clear_pointer(&run->earlier.exits, g_ptr_array_unref);
	run->earlier.known = false;
}

/* The newest with the same configuration and inputs, and counts; whatever else there is. */
static void earlier_run_is_found(void **state)
{
	const struct place *place = *state;
	g_autoptr(struct_record) record = record_with(RECORD_VALID);
	struct record_run *run = record_find_run(record, "ept");
	g_autofree char *broken = g_build_filename(place->results, NAME "-9", NULL);

	commit_run(place, 700, 'd', NULL);
	commit_run(place, 701, 'd', NULL);
	commit_run(place, 702, 'e', NULL);
	commit_run(place, 703, 'd', "L2: it crashed");
	assert_int_equal(g_mkdir(broken, 0700), 0);
	record_find_earlier(place->results, run);
	assert_true(run->earlier.known);
	assert_string_equal(run->earlier.record, NAME "-2");
	assert_int_equal(record_find_exit(run->earlier.exits, 30)->count, 701);
	/* What never came is left out: 12 reasons of the sample did, with ept 10. */
	assert_int_equal(run->earlier.exits->len, 10);
	forget_earlier(run);

	record_set_string(&run->config, "third");
	record_find_earlier(place->results, run);
	assert_false(run->earlier.known);
	record_set_string(&run->config, "ept");
	record_set_string(&run->platform.name, "tcg");
	record_find_earlier(place->results, run);
	assert_false(run->earlier.known);
	record_set_string(&run->platform.name, "bochs");
	g_clear_pointer(&run->inputs, g_ptr_array_unref);
	record_find_earlier(place->results, run);
	assert_false(run->earlier.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_place(record_appears_when_it_is_complete),
		with_place(link_is_relative),
		with_place(names_that_are_taken),
		with_place(failed_record_is_never_the_latest),
		with_place(abort_leaves_nothing),
		with_place(temporary_files_are_no_part_of_a_record),
		with_place(times_are_utc),
		with_place(find_latest_says_when_there_is_none),
		with_place(names_that_lead_elsewhere),
		with_place(no_space_for_a_file),
		with_place(no_space_for_the_record),
		with_place(commit_that_fails_keeps_what_was_measured),
		with_place(older_save_survives),
		with_place(disk_full),
		with_place(disk_full_at_the_end),
		with_place(latest_of_somebody_else),
		with_place(results_is_no_folder),
		with_place(several_at_once),
		with_place(living_harness_is_left_alone),
		with_place(killed_harness_leaves_a_failed_record),
		with_place(what_was_saved_is_kept),
		with_place(broken_record_is_made_anew),
		with_place(temporary_files_of_the_killed_are_removed),
		with_place(several_were_killed),
		with_place(what_is_not_ours_is_left_alone),
		with_place(nothing_to_recover),
		with_place(recovery_without_space),
		with_place(killed_at_any_moment),
		cmocka_unit_test_setup_teardown(earlier_run_is_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
