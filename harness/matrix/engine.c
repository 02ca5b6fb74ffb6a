/* SPDX-License-Identifier: GPL-2.0-only */
#include "matrix/engine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <glib/gstdio.h>

#include "base/each.h"

#define KIB_OF_MIB 1024
/* Slurm's MaxArraySize is 1001 if it is not set. */
#define ARRAY_MOST 1000

/* MemAvailable of /proc/meminfo, in MiB; 0: unknown. */
static unsigned long memory_available(void)
{
	g_autofree char *text = NULL;
	unsigned long kib = 0;
	const char *line;

	if (!g_file_get_contents("/proc/meminfo", &text, NULL, NULL))
		return 0;
	line = strstr(text, "MemAvailable:");
	if (line != NULL)
		kib = strtoul(line + strlen("MemAvailable:"), NULL, 10);
	return kib / KIB_OF_MIB;
}

unsigned int matrix_jobs(unsigned int memory_mib)
{
	const unsigned long fit = memory_available() / memory_mib;
	const unsigned int cpus = g_get_num_processors();

	return (unsigned int)CLAMP(fit, 1, cpus);
}

static bool cannot(GError **error, const char *what, const char *cause)
{
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: %s (%s); what is made stays", what,
			   cause);
}

static bool write_text(const char *path, const char *text, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *what = g_strdup_printf("%s cannot be written", path);

	return g_file_set_contents(path, text, -1, &cause) || cannot(error, what, cause->message);
}

/* The ids of the cells, a line each: what parallel and each task of Slurm read. */
static char *write_queue(const struct matrix_engine *engine, const GPtrArray *cells, GError **error)
{
	char *path = g_build_filename(engine->folder, "queue", NULL);
	g_autoptr(GString) text = g_string_new(NULL);

	each (const struct matrix_cell, cell, cells) {
		g_string_append_printf(text, "%s\n", cell->id);
	}
	if (write_text(path, text->str, error))
		return path;
	g_free(path);
	return NULL;
}

/* ---- GNU parallel ---- */

/* A joblog of other cells, or of what make has built anew since, is not gone on with. */
static char *joblog_of(const struct matrix_engine *engine)
{
	g_autofree char *name = g_strconcat("joblog-", engine->key, NULL);
	g_autoptr(GDir) folder = g_dir_open(engine->folder, 0, NULL);
	const char *other;

	while (folder != NULL && (other = g_dir_read_name(folder)) != NULL) {
		g_autofree char *path = g_build_filename(engine->folder, other, NULL);

		if (g_str_has_prefix(other, "joblog-") && !g_str_equal(other, name))
			g_unlink(path);
	}
	return g_build_filename(engine->folder, name, NULL);
}

/* Those that the harness waits for are blocked in it, and would be in all that it starts. */
static void unblock_signals(gpointer data G_GNUC_UNUSED)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void end_parallel(GCancellable *cancellable G_GNUC_UNUSED, gpointer data)
{
	/* It ignores SIGTERM until it has begun, and SIGHUP ends it until then; later that one says
	 * to begin no more, and SIGTERM to end those that run.
	 */
	g_subprocess_send_signal(data, SIGHUP);
	g_subprocess_send_signal(data, SIGTERM);
	g_subprocess_send_signal(data, SIGTERM);
}

static bool wait_for_parallel(const struct matrix_engine *engine, GSubprocess *process,
			      GError **error)
{
	const gulong handler =
		g_cancellable_connect(engine->cancellable, G_CALLBACK(end_parallel), process, NULL);

	g_subprocess_wait(process, NULL, NULL);
	g_cancellable_disconnect(engine->cancellable, handler);
	if (g_cancellable_is_cancelled(engine->cancellable))
		return eptlab_fail(error, EPTLAB_ERROR_INTERRUPTED,
				   "L0: interrupted; what is made stays, and the same command goes "
				   "on with the rest");
	/* Up to 100 is how many cells have failed, 101 more than that: they say so themselves. */
	return (g_subprocess_get_if_exited(process) &&
		g_subprocess_get_exit_status(process) <= 101) ||
	       eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: GNU parallel has gone wrong, as it says above; what is made stays, "
			   "and the same command goes on with the rest");
}

bool matrix_run_parallel(const struct matrix_engine *engine, const GPtrArray *cells, GError **error)
{
	g_autofree char *queue = write_queue(engine, cells, error);
	g_autofree char *joblog = joblog_of(engine);
	g_autofree char *jobs = g_strdup_printf("%u", engine->jobs);
	/* Each worker ends by itself when it is told to, and all that it has started with it. */
	const char *argv[] = { "parallel",
			       "--plain",
			       "--will-cite",
			       "--quote",
			       "--ungroup",
			       "--termseq",
			       "TERM,30000,KILL,100",
			       "--jobs",
			       jobs,
			       "--joblog",
			       joblog,
			       "--resume",
			       "--arg-file",
			       queue,
			       engine->program,
			       "cell",
			       engine->folder,
			       "{}",
			       NULL };
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_INHERIT);
	g_autoptr(GSubprocess) process = NULL;
	g_autoptr(GError) cause = NULL;

	if (queue == NULL)
		return false;
	g_subprocess_launcher_set_child_setup(launcher, unblock_signals, NULL, NULL);
	process = g_subprocess_launcher_spawnv(launcher, argv, &cause);
	if (process == NULL)
		return cannot(error, "GNU parallel, which \"make deps\" installs, does not start",
			      cause->message);
	if (!wait_for_parallel(engine, process, error))
		return false;
	/* All are through: the next time each is looked at again. */
	g_unlink(joblog);
	return true;
}

/* ---- Slurm ---- */

char *matrix_slurm_script(const struct matrix_engine *engine, const char *name)
{
	const unsigned int minutes = (engine->seconds + 59) / 60;

	return g_strdup_printf("#!/bin/bash\n"
			       "# Written by eptlab matrix. Its argument is how many cells are "
			       "before those of this "
			       "array.\n"
			       "#SBATCH --job-name=eptlab-%s\n"
			       "#SBATCH --cpus-per-task=1\n"
			       "#SBATCH --mem=%uM\n"
			       "#SBATCH --time=%u\n"
			       "#SBATCH --requeue\n"
			       "#SBATCH --open-mode=append\n"
			       "id=$(sed -n \"$(($1 + SLURM_ARRAY_TASK_ID + 1))p\" '%s/queue')\n"
			       "exec '%s' cell '%s' \"$id\"\n",
			       name, engine->memory_mib, minutes, engine->folder, engine->program,
			       engine->folder);
}

/* A command of Slurm; what it prints, without the last line's end, or NULL. */
static char *ask_slurm(const char *const *argv, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *output = NULL;
	g_autofree char *errors = NULL;
	g_autofree char *what = g_strdup_printf("Slurm's %s has not done it", *argv);
	int status;

	if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
			  &errors, &status, &cause)) {
		cannot(error, what, cause->message);
		return NULL;
	}
	if (!g_spawn_check_wait_status(status, NULL)) {
		g_strdelimit(g_strchomp(errors), "\n", ' ');
		cannot(error, what, errors);
		return NULL;
	}
	return g_strdup(g_strchomp(output));
}

/* Two that wait for each other's cells would take their places in the queue for nothing. */
static bool is_through(const char *jobs, GError **error)
{
	g_autofree char *before = NULL;
	g_autofree char *list = NULL;
	g_autofree char *left = NULL;

	if (!g_file_get_contents(jobs, &before, NULL, NULL))
		return true;
	list = g_strdelimit(g_strdup(g_strchomp(before)), " ", ',');
	/* One that Slurm does not know any more is through. */
	left = ask_slurm((const char *const[]){ "squeue", "--noheader", "--format=%A", "--jobs",
						list, NULL },
			 NULL);
	return left == NULL || *left == '\0' ||
	       eptlab_fail(error, EPTLAB_ERROR_USAGE,
			   "L0: cells of this matrix are in Slurm's queue as job %s; wait for it, "
			   "or end it by \"scancel %s\"",
			   before, before);
}

static char *submit(const struct matrix_engine *engine, const char *script, guint first,
		    guint count, GError **error)
{
	g_autofree char *array = g_strdup_printf("--array=0-%u%%%u", count - 1, engine->jobs);
	g_autofree char *output = g_strdup_printf("--output=%s/slurm/%%A_%%a.log", engine->folder);
	g_autofree char *before = g_strdup_printf("%u", first);

	return ask_slurm((const char *const[]){ "sbatch", "--parsable", array, output, script,
						before, NULL },
			 error);
}

char *matrix_submit_slurm(const struct matrix_engine *engine, const GPtrArray *cells,
			  GError **error)
{
	g_autofree char *queue = NULL;
	g_autofree char *script = g_build_filename(engine->folder, "slurm.sh", NULL);
	g_autofree char *outputs = g_build_filename(engine->folder, "slurm", NULL);
	g_autofree char *jobs = g_build_filename(engine->folder, "slurm.jobs", NULL);
	g_autofree char *name = g_path_get_basename(engine->folder);
	g_autofree char *text = matrix_slurm_script(engine, name);
	g_autoptr(GString) numbers = g_string_new(NULL);

	if (!is_through(jobs, error))
		return NULL;
	queue = write_queue(engine, cells, error);
	if (queue == NULL || !write_text(script, text, error))
		return NULL;
	if (g_mkdir_with_parents(outputs, 0777) != 0) {
		cannot(error, "the folder slurm of the matrix cannot be made", g_strerror(errno));
		return NULL;
	}
	for (guint first = 0; first < cells->len; first += ARRAY_MOST) {
		g_autofree char *number =
			submit(engine, script, first, MIN(ARRAY_MOST, cells->len - first), error);

		if (number == NULL)
			return NULL;
		g_string_append_printf(numbers, "%s%s", first > 0 ? " " : "", number);
		/* Also if the next one is refused, those before it are in the queue. */
		if (!write_text(jobs, numbers->str, error))
			return NULL;
	}
	return g_string_free(g_steal_pointer(&numbers), FALSE);
}
