/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "wire/frameset.h"
#include "base/folder.h"
#include "base/each.h"

#define PARTIAL_PREFIX ".partial-"
#define RANDOM_SUFFIX  ".XXXXXX"
#define LATEST	       "latest"
#define LATEST_PREFIX  ".latest."
#define RECORD_JSON    "record.json"
#define RECORD_NEW     ".record.json.new"
#define WORK	       "work"
#define ROOM	       (1 << 20) /* several times what a record takes */
#define KILLED                                                                                     \
	"L0: the harness was killed, or could not store what it had, before the "                  \
	"experiment was complete"

struct record_store {
	char *results;
	char *name; /* of the record to be */
	char *path; /* of the partial folder */
	int lock;   /* the partial folder, with its flock; -1: none */
};

static bool fail(GError **error, const char *action, const char *path)
{
	const int saved = errno;

	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: cannot %s %s: %s; earlier records are untouched", action, path,
			   g_strerror(saved));
}

/* ---- Locks ---- */

/*
 * Open a folder and take its flock, as operation says. A lock on the folder itself needs no file
 * that could be left behind, and goes with the last descriptor, however the harness ends.
 */
static int lock_folder(const char *path, int operation)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (flock(fd, operation) != 0) {
		const int saved = errno;

		if (saved == EINTR)
			continue;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/*
 * The lock of the results folder is held for moments only: where a partial folder exists that has
 * no lock yet, where one goes, and where names are chosen.
 */
static int lock_results(const char *results, GError **error)
{
	int fd = lock_folder(results, LOCK_EX);

	if (fd < 0)
		fail(error, "lock", results);
	return fd;
}

/* ---- Begin and end of a store ---- */

static record_store *store_new(const char *results, const char *name, const char *path)
{
	record_store *store = g_new0(record_store, 1);

	store->results = g_strdup(results);
	store->name = g_strdup(name);
	store->path = g_strdup(path);
	store->lock = -1;
	return store;
}

static void store_free(record_store *store)
{
	if (store->lock >= 0)
		close(store->lock);
	g_free(store->results);
	g_free(store->name);
	g_free(store->path);
	g_free(store);
}

/* results is locked by the caller. What cannot be removed has no lock any more: the next harness
 * will find it. */
static void give_up(record_store *store)
{
	folder_remove(store->path);
	store_free(store);
}

void record_store_abort(record_store *store)
{
	int lock;

	if (!store)
		return;
	record_store_end_work(store);
	/* Where there is no lock to be had, the folder goes all the same: nothing may stay. */
	lock = lock_folder(store->results, LOCK_EX);
	give_up(store);
	if (lock >= 0)
		close(lock);
}

char *record_store_work(const record_store *store)
{
	return g_build_filename(store->path, WORK, NULL);
}

void record_store_end_work(record_store *store)
{
	g_autofree char *work = record_store_work(store);

	folder_remove(work);
}

/* A "latest" that is no link was made by somebody else: not ours to replace. */
static bool check_latest(const char *results, GError **error)
{
	g_autofree char *latest = g_build_filename(results, LATEST, NULL);
	struct stat status;

	if (lstat(latest, &status) != 0 || S_ISLNK(status.st_mode))
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE,
		"L0: %s is not a symbolic link, expected the link to the newest record; move it "
		"away",
		latest);
}

/*
 * A file that goes with the temporary ones leaves its place to record.json, logs and reports: a
 * disk that fills up during the experiment cannot cost what was measured.
 */
static bool take_room(const record_store *store, GError **error)
{
	g_autofree char *work = record_store_work(store);
	g_autofree char *path = g_build_filename(work, "room", NULL);
	bool good;
	int fd;

	if (mkdir(work, 0700) != 0)
		return fail(error, "make the folder", work);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(error, "make", path);
	errno = posix_fallocate(fd, 0, ROOM);
	good = errno == 0 || fail(error, "take room for the record in", work);
	close(fd);
	return good;
}

static record_store *begin_locked(const char *results, const char *name, GError **error)
{
	g_autofree char *path =
		g_strconcat(results, G_DIR_SEPARATOR_S PARTIAL_PREFIX, name, RANDOM_SUFFIX, NULL);
	record_store *store;

	if (!g_mkdtemp_full(path, 0777)) {
		fail(error, "make the folder", path);
		return NULL;
	}
	store = store_new(results, name, path);
	store->lock = lock_folder(path, LOCK_EX | LOCK_NB);
	if (store->lock < 0)
		fail(error, "lock", path);
	if (store->lock < 0 || !take_room(store, error))
		g_clear_pointer(&store, give_up);
	return store;
}

record_store *record_store_begin(const char *results, GDateTime *when, const char *platform,
				 const char *workload, GError **error)
{
	g_autoptr(GDateTime) in_utc = g_date_time_to_utc(when);
	g_autofree char *time = g_date_time_format(in_utc, "%Y%m%dT%H%M%SZ");
	g_autofree char *name = g_strjoin("-", time, platform, workload, NULL);
	record_store *store;
	int lock;

	if (g_mkdir_with_parents(results, 0777) != 0) {
		fail(error, "make the folder", results);
		return NULL;
	}
	if (!check_latest(results, error))
		return NULL;
	lock = lock_results(results, error);
	if (lock < 0)
		return NULL;
	store = begin_locked(results, name, error);
	close(lock);
	return store;
}

const char *record_store_path(const record_store *store)
{
	return store->path;
}

const char *record_store_name(const record_store *store)
{
	return store->name;
}

/* ---- Files ---- */

static bool write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		data += written;
		length -= (size_t)written;
	}
	return true;
}

static bool write_file(const char *path, const void *data, size_t length, GError **error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool good;

	if (fd < 0)
		return fail(error, "make", path);
	good = write_all(fd, data, length);
	if (!good)
		fail(error, "write", path);
	if (close(fd) != 0 && good)
		good = fail(error, "write", path);
	return good;
}

/* The path of a file of the record, with the folder that it is in. */
static char *prepare_path(const record_store *store, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(store->path, name, NULL);
	g_autofree char *folder = g_path_get_dirname(path);

	if (!frame_text_name_is_safe(name)) {
		errno = EINVAL;
		fail(error, "use the name", name);
		return NULL;
	}
	if (g_mkdir_with_parents(folder, 0777) != 0) {
		fail(error, "make the folder", folder);
		return NULL;
	}
	return g_steal_pointer(&path);
}

bool record_store_write(record_store *store, const char *name, const void *data, size_t length,
			GError **error)
{
	g_autofree char *path = prepare_path(store, name, error);

	return path && write_file(path, data, length, error);
}

/* Written beside and renamed: who is killed here leaves the older one whole. */
bool record_store_save(record_store *store, const struct record *record, GError **error)
{
	g_autofree char *path = g_build_filename(store->path, RECORD_JSON, NULL);
	g_autofree char *new = g_build_filename(store->path, RECORD_NEW, NULL);
	g_autofree char *text = record_to_text(record);

	if (!write_file(new, text, strlen(text), error))
		return false;
	return rename(new, path) == 0 || fail(error, "rename", new);
}

/* ---- Commit ---- */

/* Of the whole file system, which is what must hold the record and its name. */
static bool sync_disk(const char *folder, GError **error)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = (fd >= 0 && syncfs(fd) == 0) || fail(error, "write", folder);

	if (fd >= 0)
		close(fd);
	return good;
}

/* The first of NAME, NAME-2, NAME-3 ... that is free, as a path. */
static char *choose_path(const record_store *store)
{
	char *path = g_build_filename(store->results, store->name, NULL);
	struct stat status;

	for (unsigned int number = 2; lstat(path, &status) == 0; number++) {
		g_free(path);
		path = g_strdup_printf("%s/%s-%u", store->results, store->name, number);
	}
	return path;
}

/*
 * latest → record, made under another name and renamed. The record is in its place and stays there,
 * whatever happens to the link.
 */
static bool point_latest(const record_store *store, const char *record, GError **error)
{
	g_autofree char *latest = g_build_filename(store->results, LATEST, NULL);
	g_autofree char *link =
		g_strdup_printf("%s/" LATEST_PREFIX "%08x", store->results, g_random_int());
	g_autofree char *target = g_path_get_basename(record);
	g_autoptr(GError) cause = NULL;

	if (check_latest(store->results, &cause)) {
		if (symlink(target, link) == 0 && rename(link, latest) == 0)
			return true;
		fail(&cause, "make", latest);
		unlink(link);
	}
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: the record %s is complete, but %s does not point at it: %s", record,
			   latest, cause->message + strlen("L0: "));
}

/*
 * Everything on the disk, then the name. results is locked by the caller. *moved says whether that
 * was done, also when the link then failed.
 */
static char *settle(const record_store *store, bool is_latest, bool *moved, GError **error)
{
	g_autofree char *path = choose_path(store);

	*moved = false;
	if (!sync_disk(store->path, error))
		return NULL;
	*moved = rename(store->path, path) == 0;
	if (!*moved) {
		fail(error, "rename", store->path);
		return NULL;
	}
	if ((is_latest && !point_latest(store, path, error)) || !sync_disk(store->results, error))
		return NULL;
	return g_steal_pointer(&path);
}

char *record_store_commit(record_store *store, const struct record *record, GError **error)
{
	g_autoptr(GError) cause = NULL;
	bool moved = false;
	char *path = NULL;
	int lock = -1;

	record_store_end_work(store);
	if (record_store_save(store, record, &cause))
		lock = lock_results(store->results, &cause);
	if (lock >= 0) {
		path = settle(store, record->verdict != RECORD_FAILED, &moved, &cause);
		close(lock);
	}
	if (cause && !moved)
		g_set_error(error, cause->domain, cause->code,
			    "%s; what was measured stays in %s, and the next eptlab run makes a "
			    "record of it",
			    cause->message, store->path);
	else if (cause)
		g_propagate_error(error, g_steal_pointer(&cause));
	store_free(store);
	return path;
}

/* ---- Recovery ---- */

/* What the name of a partial folder says: ".partial-20260131T235959Z-bochs-boot.a1B2c3". */
struct partial {
	char *name;
	char *created;
	char *platform;
	char *workload;
};

static void partial_clear(struct partial *partial)
{
	g_free(partial->name);
	g_free(partial->created);
	g_free(partial->platform);
	g_free(partial->workload);
}

static bool partial_parse(const char *folder, struct partial *partial)
{
	g_autoptr(GRegex) regex =
		g_regex_new("^\\" PARTIAL_PREFIX "(([0-9]{8}T[0-9]{6}Z)-([a-z0-9_]+)-([a-z0-9_-]+))"
			    "\\.[A-Za-z0-9]{6}$",
			    0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;
	g_autoptr(GDateTime) time = NULL;
	g_autofree char *stamp = NULL;

	if (!g_regex_match(regex, folder, 0, &match))
		return false;
	stamp = g_match_info_fetch(match, 2);
	time = g_date_time_new_from_iso8601(stamp, NULL);
	if (!time)
		return false;
	partial->name = g_match_info_fetch(match, 1);
	partial->created = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
	partial->platform = g_match_info_fetch(match, 3);
	partial->workload = g_match_info_fetch(match, 4);
	return true;
}

/* The record as it was last saved, or what the folder's name tells; failed in both cases. */
static struct record *record_of_partial(const char *path, const struct partial *partial,
					const char *version)
{
	struct record *record = record_load(path, NULL);

	if (!record)
		record =
			record_new(version, partial->created, partial->platform, partial->workload);
	record->verdict = RECORD_FAILED;
	if (!record->error)
		record_set_string(&record->error, KILLED);
	return record;
}

/* A folder whose lock is ours now. On an error it stays: the consoles in it are all there is. */
static char *recover_store(record_store *store, const struct partial *partial, const char *version,
			   GError **error)
{
	g_autoptr(struct_record) record = record_of_partial(store->path, partial, version);
	g_autofree char *leftover = g_build_filename(store->path, RECORD_NEW, NULL);
	bool moved;

	unlink(leftover);
	record_store_end_work(store);
	if (!record_store_save(store, record, error))
		return NULL;
	return settle(store, false, &moved, error);
}

/* False on an error. Nothing is added to paths for what is not ours or has a living harness. */
static bool recover_folder(const char *results, const char *folder, const char *version,
			   GPtrArray *paths, GError **error)
{
	g_autofree char *partial_path = g_build_filename(results, folder, NULL);
	struct partial partial = { .name = NULL };
	record_store *store;
	char *path = NULL;
	bool good = true;

	if (!partial_parse(folder, &partial))
		return true;
	store = store_new(results, partial.name, partial_path);
	store->lock = lock_folder(partial_path, LOCK_EX | LOCK_NB);
	if (store->lock >= 0) {
		path = recover_store(store, &partial, version, error);
		good = path != NULL;
	} else if (errno != EWOULDBLOCK) {
		good = fail(error, "lock", partial_path);
	}
	if (path)
		g_ptr_array_add(paths, path);
	store_free(store);
	partial_clear(&partial);
	return good;
}

/* Oldest first, as their names begin with the time; links that were never renamed go on the way. */
static bool recover_all(const char *results, const char *version, GPtrArray *paths, GError **error)
{
	g_auto(GStrv) names = folder_names(results, NULL);

	if (!names)
		return fail(error, "read", results);
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(results, *name, NULL);

		if (g_str_has_prefix(*name, LATEST_PREFIX))
			unlink(path);
		else if (g_str_has_prefix(*name, PARTIAL_PREFIX) &&
			 !recover_folder(results, *name, version, paths, error))
			return false;
	}
	return true;
}

char **record_store_recover(const char *results, const char *eptlab_version, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	bool good;
	int lock;

	if (!g_file_test(results, G_FILE_TEST_EXISTS))
		return g_new0(char *, 1);
	lock = lock_results(results, error);
	if (lock < 0)
		return NULL;
	good = recover_all(results, eptlab_version, paths, error);
	close(lock);
	if (!good)
		return NULL;
	g_ptr_array_add(paths, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&paths), FALSE);
}

GPtrArray *record_store_list(const char *results, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_auto(GStrv) all = folder_names(results, &cause);
	GPtrArray *names;

	if (!all)
		return eptlab_null(error, EPTLAB_ERROR_USAGE,
				   "L0: there are no records (%s); make one with \"eptlab run\"",
				   cause->message);
	names = g_ptr_array_new_with_free_func(g_free);
	for (char **name = all; *name; name++) {
		g_autofree char *json = g_build_filename(results, *name, RECORD_JSON, NULL);

		if (**name != '.' && strcmp(*name, LATEST) != 0 &&
		    g_file_test(json, G_FILE_TEST_EXISTS))
			g_ptr_array_add(names, g_strdup(*name));
	}
	return names;
}

/* ---- Earlier runs ---- */

/* As counted since the VM's creation, without the reasons that never came. */
static GPtrArray *counts_of(const struct record_run *run)
{
	GPtrArray *counts = record_exits_new();

	each (const struct record_exit, one, run->exits) {
		const uint64_t count = one->before + one->count;

		if (count > 0)
			g_ptr_array_add(counts, record_exit_new(one->reason, one->name, count));
	}
	return counts;
}

/* Is that digest somewhere in a record? To read it whole takes far longer. */
static bool mentions(const char *path, const char *digest)
{
	g_autofree char *file = g_build_filename(path, RECORD_JSON, NULL);
	g_autofree char *text = NULL;

	return g_file_get_contents(file, &text, NULL, NULL) && strstr(text, digest) != NULL;
}

static bool take_earlier(const char *results, const char *name, struct record_run *run)
{
	g_autofree char *path = g_build_filename(results, name, NULL);
	g_autoptr(struct_record) record =
		mentions(path, record_run_inputs(run)) ? record_load(path, NULL) : NULL;
	const struct record_run *same = record ? record_find_run(record, run->config) : NULL;

	if (!same || !same->exits || same->error ||
	    g_strcmp0(record_run_inputs(same), record_run_inputs(run)) != 0)
		return false;
	run->earlier = (struct record_earlier){ true, g_strdup(name), counts_of(same) };
	return true;
}

void record_find_earlier(const char *results, struct record_run *run)
{
	g_autoptr(GPtrArray) names = NULL;
	g_autofree char *part = NULL;

	if (!record_run_inputs(run) || !run->platform.name || !run->workload)
		return;
	part = g_strdup_printf("Z-%s-%s", run->platform.name, run->workload);
	names = record_store_list(results, NULL);
	for (guint i = names ? names->len : 0; i > 0; i--) {
		const char *name = names->pdata[i - 1];

		if (strstr(name, part) && take_earlier(results, name, run))
			break;
	}
}

static bool is_made_of(const struct record *record, const char *inputs, uint64_t repeat)
{
	const uint64_t its = record->cell.known ? record->cell.repeat : 1;

	if (record->verdict != RECORD_VALID || its != repeat || record->runs->len == 0)
		return false;
	each (const struct record_run, run, record->runs) {
		if (g_strcmp0(record_run_inputs(run), inputs) != 0)
			return false;
	}
	return true;
}

char *record_find_made(const char *results, const struct record *like, uint64_t repeat)
{
	g_autofree char *part = g_strdup_printf("Z-%s-%s", like->platform.name, like->workload);
	g_autoptr(GPtrArray) names = record_store_list(results, NULL);
	const char *inputs = record_run_inputs(like->runs->pdata[0]);

	for (guint i = names ? names->len : 0; i > 0; i--) {
		const char *name = names->pdata[i - 1];
		g_autofree char *path = g_build_filename(results, name, NULL);
		g_autoptr(struct_record) record = strstr(name, part) && mentions(path, inputs)
							  ? record_load(path, NULL)
							  : NULL;

		if (record && is_made_of(record, inputs, repeat))
			return g_steal_pointer(&path);
	}
	return NULL;
}

char *record_find_latest(const char *results, GError **error)
{
	g_autofree char *latest = g_build_filename(results, LATEST, NULL);
	g_autofree char *target = g_file_read_link(latest, NULL);
	g_autofree char *path = target ? g_build_filename(results, target, NULL) : NULL;

	if (path && g_file_test(path, G_FILE_TEST_IS_DIR))
		return g_steal_pointer(&path);
	return eptlab_null(
		error, EPTLAB_ERROR_USAGE,
		"L0: %s does not lead to a record, expected the newest; make one with 'eptlab run'",
		latest);
}
