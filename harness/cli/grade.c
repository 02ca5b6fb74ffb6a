/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <glib/gstdio.h>

#include "base/each.h"
#include "base/folder.h"
#include "cli/arguments.h"
#include "cli/session.h"
#include "config/paths.h"
#include "grade/one.h"
#include "record/record.h"
#include "virt/supervisor.h"

struct options {
	char *settings, *out, *configs;
	gboolean only_one;
};

/* A class on its way. The lock is for results, failure and the terminal. */
struct class
{
	struct grading grading;
	const char *out;
	char *base; /* a digest of what all depend on */
	GMutex lock;
	GPtrArray
		*results; /* of struct grade_result, by the number of the submission; NULL: none */
	GPtrArray *submissions;
	GError *failure; /* the first */
	guint done;
};

/* ---- One ---- */

static char *digest_of(const struct class *class, const struct submission *submission)
{
	g_autofree char *own = submission_digest(submission);
	g_autofree char *all = g_strconcat(class->base, own, NULL);

	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, all, -1);
}

static bool make_folder(const char *path, GError **error)
{
	folder_remove(path);
	return g_mkdir_with_parents(path, 0755) == 0 ||
	       eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: the folder %s cannot be made (%s); free some disk space", path,
			   g_strerror(errno));
}

static struct grade_result *grade_new(struct class *class, const struct submission *submission,
				      const char *folder, const char *digest, GError **error)
{
	g_autoptr(struct_grade_result) result = NULL;
	g_autofree char *name = g_strconcat(submission->name, ".ccache", NULL);
	g_autofree char *cache =
		class->grading.ccache ? g_build_filename(class->out, ".ccache", name, NULL) : NULL;

	if (!make_folder(folder, error) || (cache != NULL && !sandbox_folder(cache, error)))
		return NULL;
	result = grade_one(&class->grading, submission, folder, cache, error);
	if (result == NULL)
		return NULL;
	record_set_string(&result->digest, digest);
	return grade_result_store(result, folder, error) ? g_steal_pointer(&result) : NULL;
}

/* In a thread of the pool. */
static void grade_number(void *number, void *data)
{
	struct class *class = data;
	const guint index = GPOINTER_TO_UINT(number) - 1;
	const struct submission *submission = class->submissions->pdata[index];
	g_autofree char *folder = g_build_filename(class->out, submission->name, NULL);
	g_autofree char *digest = NULL;
	g_autoptr(GError) error = NULL;
	struct grade_result *result;
	bool known;

	if (g_cancellable_is_cancelled(class->grading.cancellable))
		return;
	digest = digest_of(class, submission);
	result = grade_result_load(folder, submission->name, digest);
	known = result != NULL;
	if (!known)
		result = grade_new(class, submission, folder, digest, &error);
	g_mutex_lock(&class->lock);
	class->results->pdata[index] = result;
	class->done++;
	if (result != NULL)
		printf("%u/%u %s: %g of %g, %s (%s%.0f s)\n", class->done, class->submissions->len,
		       result->name, grade_score(result->tests), grade_most(result->tests),
		       result->summary, known ? "done before, in " : "", result->seconds);
	else
		printf("%u/%u %s: not graded, %s\n", class->done, class->submissions->len,
		       submission->name, error->message);
	fflush(stdout);
	if (error != NULL && class->failure == NULL)
		class->failure = g_steal_pointer(&error);
	g_mutex_unlock(&class->lock);
}

/* ---- All ---- */

static bool write_csv(const struct class *class, GError **error)
{
	g_autoptr(GPtrArray) graded = g_ptr_array_new();
	g_autofree char *path = g_build_filename(class->out, "grades.csv", NULL);
	g_autofree char *csv = NULL;
	g_autoptr(GError) cause = NULL;

	each (struct grade_result, result, class->results) {
		if (result != NULL)
			g_ptr_array_add(graded, result);
	}
	csv = grade_csv(graded);
	if (g_file_set_contents(path, csv, -1, &cause))
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: %s could not be written (%s); free some disk space", path,
			   cause->message);
}

static bool grade_all(struct class *class, GError **error)
{
	const guint at_once = MIN(class->grading.settings->at_once, class->submissions->len);
	/* Its threads stay: what they have started ends with them. */
	GThreadPool *pool = g_thread_pool_new(grade_number, class, (gint)at_once, TRUE, NULL);

	for (guint i = 0; i < class->submissions->len; i++)
		g_thread_pool_push(pool, GUINT_TO_POINTER(i + 1), NULL);
	g_thread_pool_free(pool, FALSE, TRUE);
	if (g_cancellable_is_cancelled(class->grading.cancellable))
		return eptlab_fail(error, EPTLAB_ERROR_INTERRUPTED,
				   "L0: interrupted; the same command goes on with what is left");
	if (!write_csv(class, error))
		return false;
	if (class->failure == NULL)
		return true;
	g_propagate_error(error, g_steal_pointer(&class->failure));
	return false;
}

/* What all grades depend on: the settings, the tree, this program's own kernel. */
static char *base_digest(const struct grade_settings *settings, const struct sandbox *sandbox,
			 const struct paths *paths)
{
	const char *const files[] = { sandbox->tree, paths->l1_kernel, paths->l2_doses };
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	g_checksum_update(sum, (const guchar *)settings->text, -1);
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *words = NULL;
		GStatBuf status = { .st_size = 0 };

		g_stat(files[i], &status);
		words = g_strdup_printf("%lld %lld\n", (long long)status.st_size,
					(long long)status.st_mtime);
		g_checksum_update(sum, (const guchar *)words, -1);
	}
	return g_strdup(g_checksum_get_string(sum));
}

static int grade(const struct options *options, const char *folder, GError **error)
{
	g_autoptr(struct_paths) paths = paths_find(error);
	g_autoptr(GCancellable) cancellable = interrupt_catch();
	g_autofree char *file = NULL;
	g_autofree char *name = NULL;
	g_autofree char *out = NULL;
	g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *ccache = g_find_program_in_path("ccache");
	g_autoptr(struct_grade_settings) settings = NULL;
	g_autoptr(GPtrArray) submissions = NULL;
	g_autofree char *tree = NULL;
	struct sandbox sandbox;
	struct class class = { .done = 0 };
	bool ok;

	if (paths == NULL)
		return (*error)->code;
	file = options->settings != NULL
		       ? g_strdup(options->settings)
		       : g_build_filename(options->configs != NULL ? options->configs
								   : paths->configs,
					  "grade", "assignment.conf", NULL);
	settings = grade_settings_load(file, error);
	submissions = settings != NULL ? submissions_find(folder, options->only_one, error) : NULL;
	if (submissions == NULL || !paths_choose_line(paths, settings->kernel, error) ||
	    !paths_are_built(paths, error))
		return (*error)->code;
	tree = g_build_filename(paths->grade_trees,
				*settings->kernel != '\0' ? settings->kernel : PATHS_DEFAULT_LINE,
				"tree.tar", NULL);
	sandbox = (struct sandbox){
		.namespaces = settings->sandboxed,
		.scripts = paths->grade_scripts,
		.tree = tree,
		.repository = settings->repository,
	};
	name = g_path_get_basename(folder);
	out = options->out != NULL ? g_canonicalize_filename(options->out, NULL)
				   : g_strdup_printf("%s/grade-%s", paths->results, name);
	class = (struct class){
		.grading = { .settings = settings,
			     .sandbox = &sandbox,
			     .program = program,
			     .configs = options->configs,
			     .ccache = ccache != NULL && settings->sandboxed,
			     .jobs = MAX(g_get_num_processors() / settings->at_once, 1),
			     .cancellable = cancellable },
		.out = out,
		.submissions = submissions,
		.results = g_ptr_array_new(),
	};
	g_ptr_array_set_size(class.results, (gint)submissions->len);
	g_mutex_init(&class.lock);
	class.base = base_digest(settings, &sandbox, paths);
	ok = sandbox_try(&sandbox, error) && grade_all(&class, error);
	if (ok)
		printf("grades: %s/grades.csv\n", out);
	each (struct grade_result, result, class.results)
		grade_result_free(result);
	g_ptr_array_unref(class.results);
	g_mutex_clear(&class.lock);
	g_clear_error(&class.failure);
	g_free(class.base);
	return ok ? 0 : (*error)->code;
}

int command_grade(int argc, char **argv, GError **error)
{
	struct options options = { .settings = NULL };
	const GOptionEntry entries[] = {
		{ "year", 'y', 0, G_OPTION_ARG_FILENAME, &options.settings,
		  "the assignment, instead of configs/grade/assignment.conf", "FILE" },
		{ "out", 'O', 0, G_OPTION_ARG_FILENAME, &options.out,
		  "write to FOLDER, instead of results/grade-NAME", "FOLDER" },
		{ "one", '1', 0, G_OPTION_ARG_NONE, &options.only_one,
		  "FOLDER is one submission, not a class", NULL },
		{ "configs", 0, 0, G_OPTION_ARG_FILENAME, &options.configs,
		  "take the configuration from FOLDER", "FOLDER" },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.names = "FOLDER",
		.summary =
			"Grade a class: apply, build, boot and mark each submission in FOLDER, and "
			"check\nthe counts in its README.",
		.description =
			"A submission is a folder with patches, a git bundle, or a tree; or a "
			"patch "
			"alone.\nWhat was graded before, with the same settings, is not graded "
			"again.\n\n"
			"Examples:\n  eptlab grade submissions/\n"
			"  eptlab grade --one submissions/ada\n"
			"  eptlab grade --year 2026.conf --out grades submissions/\n\n"
			"Exit status: 0 all are graded, whatever their marks; 2 this machine could "
			"not\ngrade one; others as for eptlab run.",
		.least = 1,
		.most = 1,
		.takes = "grade takes one folder",
	};
	int status = EPTLAB_ERROR_USAGE;

	if (arguments_parse(&arguments, &argc, &argv, error)) {
		supervise(SUPERVISOR_APART);
		status = grade(&options, argv[1], error);
	}
	g_free(options.settings);
	g_free(options.out);
	g_free(options.configs);
	return status;
}
