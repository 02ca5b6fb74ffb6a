/* SPDX-License-Identifier: GPL-2.0-only */
#include "grade/submission.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/folder.h"

static const char *const ends[] = { ".patch", ".diff", ".bundle" };

/* Folders deeper than this are not looked into. */
#define DEPTH_MAX 64

static void submission_free(void *data)
{
	struct submission *submission = data;

	g_free(submission->name);
	g_free(submission->path);
	g_free(submission->readme);
	g_free(submission);
}

static bool is_regular(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* README.md before README.txt, and whatever else is called so. */
static char *find_readme(const char *path)
{
	g_auto(GStrv) names = folder_names(path, NULL);

	for (char **name = names; name != NULL && *name != NULL; name++) {
		g_autofree char *file = g_build_filename(path, *name, NULL);

		if (g_ascii_strncasecmp(*name, "readme", strlen("readme")) == 0 && is_regular(file))
			return g_steal_pointer(&file);
	}
	return NULL;
}

/* A folder's name, or a file's without its end; NULL: it is no submission. Hidden ones are none. */
static char *name_of(const char *path, const char *name)
{
	if (*name == '.')
		return NULL;
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return g_strdup(name);
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
		if (g_str_has_suffix(name, ends[i]) && is_regular(path))
			return g_strndup(name, strlen(name) - strlen(ends[i]));
	return NULL;
}

static void add(GPtrArray *all, const char *path, const char *name)
{
	g_autofree char *known = name_of(path, name);
	struct submission *one;

	if (known == NULL)
		return;
	one = g_new0(struct submission, 1);
	one->name = g_steal_pointer(&known);
	one->path = g_strdup(path);
	one->readme = find_readme(path);
	g_ptr_array_add(all, one);
}

static bool are_distinct(const GPtrArray *all, GError **error)
{
	for (guint i = 1; i < all->len; i++) {
		const struct submission *one = g_ptr_array_index(all, i);
		const struct submission *before = g_ptr_array_index(all, i - 1);

		if (g_str_equal(one->name, before->name))
			return eptlab_fail(
				error, EPTLAB_ERROR_USAGE,
				"L0: two submissions are called %s (%s and %s); rename one",
				one->name, before->path, one->path);
	}
	return true;
}

static gint compare(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const struct submission *const *)a)->name,
		      (*(const struct submission *const *)b)->name);
}

GPtrArray *submissions_find(const char *folder, bool only_one, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(submission_free);
	g_autofree char *whole = g_canonicalize_filename(folder, NULL);
	g_autofree char *base = g_path_get_basename(whole);
	g_autoptr(GError) cause = NULL;
	g_auto(GStrv) names = NULL;

	if (only_one) {
		add(all, whole, base);
	} else {
		names = folder_names(whole, &cause);
		for (char **name = names; name != NULL && *name != NULL; name++) {
			g_autofree char *path = g_build_filename(whole, *name, NULL);

			add(all, path, *name);
		}
	}
	g_ptr_array_sort(all, compare);
	if (cause != NULL)
		return eptlab_null(error, EPTLAB_ERROR_USAGE, "L0: %s cannot be read (%s)", folder,
				   cause->message);
	if (all->len == 0)
		return eptlab_null(error, EPTLAB_ERROR_USAGE,
				   "L0: there is no submission in %s: a folder for each, or a "
				   "patch or git bundle",
				   folder);
	return are_distinct(all, error) ? g_steal_pointer(&all) : NULL;
}

/* Names, sizes and times, as make would look at them; the contents of a tree are a gigabyte. */
static void digest(GChecksum *sum, const char *path, guint depth)
{
	g_autofree char *words = NULL;
	g_auto(GStrv) names = NULL;
	struct stat status;

	if (lstat(path, &status) != 0)
		return;
	words = g_strdup_printf("%s %o %lld %lld.%ld\n", path, status.st_mode,
				(long long)status.st_size,
				S_ISDIR(status.st_mode) ? 0ll : (long long)status.st_mtim.tv_sec,
				S_ISDIR(status.st_mode) ? 0l : status.st_mtim.tv_nsec);
	g_checksum_update(sum, (const guchar *)words, -1);
	if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX)
		names = folder_names(path, NULL);
	for (char **name = names; name != NULL && *name != NULL; name++) {
		g_autofree char *file = g_build_filename(path, *name, NULL);

		digest(sum, file, depth + 1);
	}
}

char *submission_digest(const struct submission *submission)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	digest(sum, submission->path, 0);
	return g_strdup(g_checksum_get_string(sum));
}
