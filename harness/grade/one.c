/* SPDX-License-Identifier: GPL-2.0-only */
#include "grade/one.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/folder.h"
#include "grade/step.h"
#include "record/record.h"
#include "record/words.h"

/* Of what a step says. */
#define KEEP_MAX (1ul << 20)

#define CHECK_SECONDS 60
/* What libguestfs may take before L1 boots, over its own time. */
#define CONFORM_MORE 300

/* kernel/grade/apply. */
enum { APPLIED = 0, APPLIED_WITH_FUZZ = 10, NOT_APPLIED = 11, NOTHING = 12 };

#define MODULE_MAX (64l << 20)

struct one {
	const struct grading *grading;
	const struct submission *submission;
	const char *folder, *cache;
	char *work; /* for the sandbox */
	char *out;
	GArray *marks;
	GString *remarks;
	char *summary; /* where it ended; NULL: at its end */
};

/* ---- Texts ---- */

static bool keep(const struct one *one, const char *name, const GString *text, GError **error)
{
	g_autofree char *path = g_build_filename(one->folder, name, NULL);
	g_autoptr(GError) cause = NULL;

	return g_file_set_contents(path, text->str, (gssize)text->len, &cause) ||
	       eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: %s could not be written (%s); free some disk space", path,
			   cause->message);
}

/* Up to so many lines with the word, or, if there is none, the last ones. */
static char *lines_with(const char *text, const char *word, guint most)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const guint all = g_strv_length(lines);
	GString *found = g_string_new(NULL);
	guint kept = 0;

	for (guint i = 0; i < all && kept < most; i++)
		if (strstr(lines[i], word) != NULL) {
			g_string_append_printf(found, "%.300s\n", lines[i]);
			kept++;
		}
	for (guint i = all > most ? all - most : 0; kept == 0 && i < all; i++)
		g_string_append_printf(found, "%.300s\n", lines[i]);
	g_strchomp(found->str);
	return g_string_free(found, FALSE);
}

static void remark(struct one *one, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", 40);

	for (char **line = lines; *line != NULL; line++) {
		g_autofree char *clean = g_strndup(*line, 300);
		g_autofree char *shown = words_printable(clean);

		if (*shown != '\0')
			g_string_append_printf(one->remarks, "%s%s",
					       one->remarks->len > 0 ? "\n" : "", shown);
	}
}

/* How it ended, if not with a status; NULL else. */
static char *end_of(const struct step_result *result, guint seconds)
{
	if (result->end == STEP_TIMEOUT)
		return g_strdup_printf("not done after %u s", seconds);
	return result->end == STEP_KILLED ? g_strdup_printf("ended by signal %d", result->status)
					  : NULL;
}

static void stop(struct one *one, const char *mark, const char *summary, const char *said)
{
	grade_mark_add(one->marks, mark, GRADE_FAILED, said);
	record_set_string(&one->summary, summary);
}

/* ---- In the sandbox ---- */

/* A regular file that the sandbox has written, copied to where nobody can change it any more. */
static bool take(const char *from, const char *to)
{
	const int fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	g_autofree char *bytes = NULL;
	struct stat status;
	bool ok;

	if (fd < 0)
		return false;
	ok = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
	     status.st_size <= MODULE_MAX;
	if (ok) {
		bytes = g_malloc((gsize)status.st_size);
		ok = pread(fd, bytes, (size_t)status.st_size, 0) == status.st_size &&
		     g_file_set_contents(to, bytes, status.st_size, NULL);
	}
	close(fd);
	return ok;
}

/* A new folder for one step, and the files that it may write in it. */
static bool make_work(struct one *one, const char *const *files, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (one->work != NULL)
		folder_remove(one->work);
	g_free(one->work);
	g_free(one->out);
	one->out = NULL;
	one->work = g_dir_make_tmp("eptlab-grade-XXXXXX", &cause);
	if (one->work == NULL || g_chmod(one->work, 0755) != 0)
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				   "L0: no folder could be made for a submission (%s)",
				   cause != NULL ? cause->message : g_strerror(errno));
	one->out = g_build_filename(one->work, "out", NULL);
	if (!sandbox_folder(one->out, error))
		return false;
	for (; *files != NULL; files++)
		if (!sandbox_file(one->out, *files, error))
			return false;
	return true;
}

static char *path_of(const struct one *one, const char *name)
{
	return g_build_filename(one->folder, name, NULL);
}

static bool apply(struct one *one, GError **error)
{
	static const char *const files[] = { SANDBOX_CHANGES, NULL };
	const guint seconds = one->grading->settings->build_seconds;
	g_auto(GStrv) argv = NULL;
	struct step step = { .seconds = seconds, .keep = KEEP_MAX };
	struct step_result result = { .output = NULL };
	g_autofree char *ended = NULL;
	g_autofree char *from = NULL;
	g_autofree char *to = path_of(one, SANDBOX_CHANGES);
	bool ok;

	if (!make_work(one, files, error))
		return false;
	argv = sandbox_apply(one->grading->sandbox,
			     &(struct sandbox_task){ .input = one->submission->path,
						     .out = one->out,
						     .work = one->work });
	step.argv = argv;
	ok = step_run(&step, one->grading->cancellable, &result, error) &&
	     keep(one, "apply.log", result.output, error);
	ended = ok ? end_of(&result, seconds) : NULL;
	if (ok && ended == NULL && result.status != NOT_APPLIED && result.status != NOTHING)
		remark(one, result.output->str);
	if (!ok) {
		/* the error is there */
	} else if (ended != NULL) {
		stop(one, GRADE_APPLIES, "it could not be applied in time", ended);
	} else if (result.status == NOT_APPLIED) {
		stop(one, GRADE_APPLIES, "does not apply", result.output->str);
	} else if (result.status == NOTHING) {
		stop(one, GRADE_APPLIES, "there is nothing to apply", result.output->str);
	} else if (result.status != APPLIED && result.status != APPLIED_WITH_FUZZ) {
		g_autofree char *said = lines_with(result.output->str, ": ", 2);

		ok = eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				 "L0: %s could not be applied on this machine (%s)",
				 one->submission->name, g_strdelimit(said, "\n", ' '));
	} else {
		grade_mark_add(one->marks, GRADE_APPLIES, GRADE_PASSED, NULL);
		grade_mark_add(one->marks, GRADE_CLEAN,
			       result.status == APPLIED ? GRADE_PASSED : GRADE_FAILED,
			       result.status == APPLIED ? NULL : result.output->str);
		from = g_build_filename(one->out, SANDBOX_CHANGES, NULL);
		ok = take(from, to) ||
		     eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: %s could not be written", to);
	}
	step_result_clear(&result);
	return ok;
}

static bool take_modules(const struct one *one)
{
	g_autofree char *modules = path_of(one, "modules");

	g_mkdir(modules, 0755);
	for (const char *const *name = sandbox_modules; *name != NULL; name++) {
		g_autofree char *from = g_build_filename(one->out, *name, NULL);
		g_autofree char *to = g_build_filename(modules, *name, NULL);

		if (!take(from, to))
			return false;
	}
	return true;
}

static bool build(struct one *one, GError **error)
{
	const guint seconds = one->grading->settings->build_seconds;
	g_autofree char *changes = path_of(one, SANDBOX_CHANGES);
	g_auto(GStrv) argv = NULL;
	struct step step = { .seconds = seconds, .keep = KEEP_MAX };
	struct step_result result = { .output = NULL };
	g_autofree char *ended = NULL;
	g_autofree char *errors = NULL;

	if (!make_work(one, sandbox_modules, error))
		return false;
	argv = sandbox_build(
		one->grading->sandbox,
		&(struct sandbox_task){
			.input = changes, .out = one->out, .work = one->work, .cache = one->cache },
		one->grading->jobs);
	step.argv = argv;
	if (!step_run(&step, one->grading->cancellable, &result, error) ||
	    !keep(one, "build.log", result.output, error)) {
		step_result_clear(&result);
		return false;
	}
	ended = end_of(&result, seconds);
	errors = lines_with(result.output->str, "rror", 12);
	if (ended != NULL) {
		stop(one, GRADE_BUILDS, "the build does not end", ended);
	} else if (result.status != 0 || !take_modules(one)) {
		stop(one, GRADE_BUILDS, "does not compile", errors);
	} else {
		grade_mark_add(one->marks, GRADE_BUILDS, GRADE_PASSED, NULL);
		remark(one, result.output->str);
	}
	step_result_clear(&result);
	return true;
}

/* ---- In L1 ---- */

/* The consoles that conform has kept, in a hidden folder. */
static void show_consoles(const struct one *one)
{
	g_auto(GStrv) names = folder_names(one->folder, NULL);
	g_autofree char *to = path_of(one, "consoles");

	for (char **name = names; name != NULL && *name != NULL; name++) {
		g_autofree char *from = path_of(one, *name);

		if (g_str_has_prefix(*name, ".conform-"))
			rename(from, to);
	}
}

static char **conform_argv(const struct one *one)
{
	const struct grade_settings *settings = one->grading->settings;
	g_autofree char *modules = path_of(one, "modules");
	GPtrArray *argv = g_ptr_array_new();

	g_ptr_array_add(argv, g_strdup(one->grading->program));
	g_ptr_array_add(argv, g_strdup("conform"));
	g_ptr_array_add(argv, g_strconcat("--results=", one->folder, NULL));
	if (one->grading->configs != NULL)
		g_ptr_array_add(argv, g_strconcat("--configs=", one->grading->configs, NULL));
	for (guint i = 0; i < settings->conform->len; i++)
		g_ptr_array_add(argv, g_strconcat("--set=", settings->conform->pdata[i], NULL));
	g_ptr_array_add(argv, g_strconcat("--set=conform.modules=", modules, NULL));
	g_ptr_array_add(argv, g_strconcat("--set=experiment.platform=", settings->platform, NULL));
	g_ptr_array_add(argv, g_strconcat("--set=experiment.kernel=", settings->kernel, NULL));
	g_ptr_array_add(argv, g_strdup_printf("--set=%s.timeout_seconds=%u", settings->platform,
					      settings->boot_seconds));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

/* The sentence that eptlab ends with, if it does; NULL else. */
static char *sentence_of(const char *errors)
{
	const char *found = g_strrstr(errors, "eptlab: ");
	const char *text = found != NULL ? found + strlen("eptlab: ") : NULL;
	g_autofree char *line = text != NULL ? g_strndup(text, strcspn(text, "\n")) : NULL;

	return line != NULL ? words_printable(line) : NULL;
}

static guint count_failed(const GArray *marks, guint from)
{
	guint failed = 0;

	for (guint i = from; i < marks->len; i++)
		failed += g_array_index(marks, struct grade_mark, i).verdict == GRADE_FAILED;
	return failed;
}

static bool judge_conform(struct one *one, const struct step_result *result, GError **error)
{
	const guint seconds = one->grading->settings->boot_seconds + CONFORM_MORE;
	g_autofree char *ended = end_of(result, seconds);
	g_autofree char *sentence = sentence_of(result->errors->str);
	const guint before = one->marks->len;
	bool whole;

	if (ended == NULL &&
	    (result->status == EPTLAB_ERROR_USAGE || result->status == EPTLAB_ERROR_MACHINE))
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "%s",
				   sentence != NULL ? sentence : "L0: eptlab conform has failed");
	whole = grade_marks_parse(one->marks, result->output->str);
	if (ended != NULL || !whole) {
		stop(one, "conform", "L1 does not end", ended != NULL ? ended : "it has no marks");
	} else if (sentence != NULL) {
		remark(one, sentence);
		one->summary = g_strdup(sentence);
	} else if (count_failed(one->marks, before) > 0) {
		one->summary =
			g_strdup_printf("%u marks are not ok", count_failed(one->marks, before));
	}
	return true;
}

static bool conform(struct one *one, GError **error)
{
	g_auto(GStrv) argv = conform_argv(one);
	const struct step step = {
		.argv = argv,
		.seconds = one->grading->settings->boot_seconds + CONFORM_MORE,
		.gentle = true,
		.keep = KEEP_MAX,
	};
	struct step_result result = { .output = NULL };
	const bool ok = step_run(&step, one->grading->cancellable, &result, error) &&
			keep(one, "conform.tap", result.output, error) &&
			keep(one, "conform.log", result.errors, error) &&
			judge_conform(one, &result, error);

	show_consoles(one);
	step_result_clear(&result);
	return ok;
}

/* ---- The README ---- */

static void judge_readme(struct one *one, const struct step_result *result)
{
	json_t *root = json_loads(result->output->str, 0, NULL);
	const char *verdict = json_string_value(json_object_get(root, "verdict"));
	const char *headline = json_string_value(json_object_get(root, "headline"));
	g_autofree char *ended = end_of(result, CHECK_SECONDS);
	g_autofree char *sentence = sentence_of(result->errors->str);
	const bool sound = ended == NULL && result->status == 0 && g_strcmp0(verdict, "sound") == 0;

	grade_mark_add(one->marks, GRADE_README, sound ? GRADE_PASSED : GRADE_FAILED,
		       ended != NULL	  ? ended
		       : headline != NULL ? headline
		       : sentence != NULL ? sentence
					  : "more than two sweeps, and not all are sound");
	json_decref(root);
}

static bool check_readme(struct one *one, GError **error)
{
	const char *argv[] = { one->grading->program,	"check", "-f", "json", "--",
			       one->submission->readme, NULL };
	const struct step step = {
		.argv = (char **)(uintptr_t)argv,
		.seconds = CHECK_SECONDS,
		.keep = KEEP_MAX,
	};
	struct step_result result = { .output = NULL };
	bool ok;

	if (one->submission->readme == NULL) {
		grade_mark_add(one->marks, GRADE_README, GRADE_FAILED, "there is no README");
		return true;
	}
	ok = step_run(&step, one->grading->cancellable, &result, error) &&
	     keep(one, "check.json", result.output, error);
	if (ok)
		judge_readme(one, &result);
	step_result_clear(&result);
	return ok;
}

/* ---- All of it ---- */

static bool run(struct one *one, GError **error)
{
	return apply(one, error) && (one->summary != NULL || build(one, error)) &&
	       (one->summary != NULL || conform(one, error)) && check_readme(one, error);
}

struct grade_result *grade_one(const struct grading *grading, const struct submission *submission,
			       const char *folder, const char *cache, GError **error)
{
	const gint64 begun = g_get_monotonic_time();
	struct one one = {
		.grading = grading,
		.submission = submission,
		.folder = folder,
		.cache = cache,
		.marks = grade_marks_new(),
		.remarks = g_string_new(NULL),
	};
	g_autofree char *name = words_printable(submission->name);
	struct grade_result *result = NULL;

	if (run(&one, error)) {
		result = grade_result_new(name);
		g_array_unref(result->tests);
		result->tests = grade_tests_of(one.marks, grading->settings);
		result->seconds = (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC;
		record_set_string(&result->remarks, one.remarks->str);
		record_set_string(&result->summary,
				  one.summary != NULL ? one.summary : "all marks are ok");
	}
	if (one.work != NULL)
		folder_remove(one.work);
	g_free(one.work);
	g_free(one.out);
	g_free(one.summary);
	g_array_unref(one.marks);
	g_string_free(one.remarks, TRUE);
	return result;
}
