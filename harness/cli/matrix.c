/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/matrix.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/each.h"
#include "base/folder.h"
#include "cli/commands.h"
#include "matrix/cells.h"
#include "matrix/cost.h"
#include "matrix/engine.h"
#include "report/grid.h"

/* What a cell takes beside the memory of L1 or L2: the harness, and libguestfs now and then. */
#define HARNESS_MIB 512
/* A cell that takes longer than that many times what is expected has gone wrong. */
#define PATIENCE 4
/* Nodes, and cells, of the outlook. */
#define OUTLOOK_CELLS 1000
#define OUTLOOK_NODES 100

/* A matrix on its way. */
struct master {
	struct session *session;
	struct matrix *matrix;
	char *folder;
	GArray *expected; /* of double: seconds of each cell, in their order; negative: unknown */
	unsigned int memory_mib; /* of the largest cell */
	unsigned int seconds;	 /* after which a cell has gone wrong */
	bool alone;		 /* there must be one at a time */
};

/* ---- What cells need ---- */

struct need {
	unsigned int memory_mib, timeout_seconds;
};

static struct need need_of(const struct config *config)
{
	const char *platform = config->experiment.platform;

	if (g_str_equal(platform, "tcg"))
		return (struct need){ config->tcg.memory_mib, config->tcg.timeout_seconds };
	if (g_str_equal(platform, "local"))
		return (struct need){ config_l2_memory(config), config->local.timeout_seconds };
	if (g_str_equal(platform, "bochs"))
		return (struct need){ config->bochs.memory_mib, config->bochs.timeout_seconds };
	/* auto takes bochs or kvm */
	return (struct need){
		MAX(config->kvm.memory_mib,
		    g_str_equal(platform, "kvm") ? 0 : config->bochs.memory_mib),
		MAX(config->kvm.timeout_seconds,
		    g_str_equal(platform, "kvm") ? 0 : config->bochs.timeout_seconds),
	};
}

/* What the configuration says of a cell that an experiment can be made of. */
static void look_at(struct master *master, const struct matrix_cell *cell, const GPtrArray *records)
{
	const struct config *config = master->session->config;
	const struct need need = need_of(config);
	const struct matrix_kind kind = {
		.id = cell->id,
		.platform = config->experiment.platform,
		.kernel = config->experiment.kernel,
		.workload = config->experiment.workload,
		.operations = config->experiment.operations,
		.runs = g_strv_length(config->experiment.configurations),
	};
	const double expected = matrix_expect(records, &kind);
	const unsigned int patient =
		expected < 0 ? need.timeout_seconds : (unsigned int)(expected * PATIENCE);

	g_array_append_val(master->expected, expected);
	master->memory_mib = MAX(master->memory_mib, need.memory_mib + HARNESS_MIB);
	master->seconds = MAX(master->seconds, 60 + MIN(patient, need.timeout_seconds));
	/* It reloads this machine's own KVM. */
	master->alone |= g_str_equal(config->experiment.platform, "local");
}

/* Before anything is made: can it be made at all? */
static bool look_at_all(struct master *master, GError **error)
{
	struct session *session = master->session;
	g_autoptr(GPtrArray) records = matrix_cost_records(session->paths->results);
	const double none = 0;

	each (struct matrix_cell, cell, master->matrix->cells) {
		matrix_read_outcome(master->folder, cell);
		if (cell->excluded != NULL) {
			g_array_append_val(master->expected, none);
			continue;
		}
		if (!session_configure(session, (const char *const *)cell->settings, error))
			return false;
		look_at(master, cell, records);
	}
	return true;
}

static char **absolute(char **paths)
{
	GPtrArray *all = g_ptr_array_new();

	for (; paths != NULL && *paths != NULL; paths++)
		g_ptr_array_add(all, g_canonicalize_filename(*paths, NULL));
	g_ptr_array_add(all, NULL);
	return (char **)g_ptr_array_free(all, FALSE);
}

static bool plan(struct master *master, const char *file, GError **error)
{
	struct session *session = master->session;

	if (!session_find_paths(session, error))
		return false;
	master->matrix = matrix_plan(file, (const char *const *)session->settings, error);
	if (master->matrix == NULL)
		return false;
	if (session->configs != NULL)
		master->matrix->configs = g_strdup(session->paths->configs);
	g_strfreev(master->matrix->overrides);
	master->matrix->overrides = absolute(session->overrides);
	master->folder = matrix_folder(session->paths->results, master->matrix->name);
	return look_at_all(master, error);
}

static void master_clear(struct master *master)
{
	matrix_free(master->matrix);
	g_free(master->folder);
	g_array_unref(master->expected);
}

/* ---- Which are to be made ---- */

static bool has_failed(const struct matrix_cell *cell)
{
	return cell->outcome.state == MATRIX_FAILED || cell->outcome.state == MATRIX_INVALID;
}

/* Also those that are valid: whether their record is still one of the same, the worker sees. */
static GPtrArray *cells_to_make(const struct master *master)
{
	GPtrArray *cells = g_ptr_array_new();

	each (struct matrix_cell, cell, master->matrix->cells) {
		if (cell->excluded == NULL && !has_failed(cell))
			g_ptr_array_add(cells, cell);
	}
	return cells;
}

static bool forget_failed(struct master *master, GError **error)
{
	g_auto(GStrv) names = folder_names(master->folder, NULL);

	each (struct matrix_cell, cell, master->matrix->cells) {
		if (!has_failed(cell))
			continue;
		if (!matrix_forget(master->folder, cell, error))
			return false;
		matrix_outcome_clear(&cell->outcome);
	}
	/* There the failed ones are among those that are through. */
	for (char **name = names; name != NULL && *name != NULL; name++) {
		g_autofree char *path = g_build_filename(master->folder, *name, NULL);

		if (g_str_has_prefix(*name, "joblog-"))
			g_unlink(path);
	}
	return true;
}

/* ---- Dry run ---- */

static const char *state_of(const struct matrix_cell *cell)
{
	return cell->excluded != NULL ? "excluded" : matrix_state_name(cell->outcome.state);
}

static const char *remark_on(const struct matrix_cell *cell)
{
	if (cell->excluded != NULL)
		return cell->excluded;
	return cell->outcome.state == MATRIX_VALID ? cell->outcome.record : cell->outcome.reason;
}

static int print_plan(const struct master *master, unsigned int jobs)
{
	static const struct grid_column columns[] = {
		{ .left = true }, { .left = true }, { .left = false }, { .left = true }
	};
	g_autoptr(struct_grid) grid = grid_new(columns, G_N_ELEMENTS(columns));
	g_autoptr(GString) out = g_string_new(NULL);
	unsigned int left = 0, unknown = 0;
	double seconds = 0;

	for (guint i = 0; i < master->matrix->cells->len; i++) {
		const struct matrix_cell *cell = master->matrix->cells->pdata[i];
		const double expected = g_array_index(master->expected, double, i);
		const bool is_left =
			cell->excluded == NULL && cell->outcome.state == MATRIX_MISSING;
		g_autofree char *text = matrix_cell_text(cell);
		g_autofree char *cost = !is_left       ? g_strdup("")
					: expected < 0 ? g_strdup("?")
						       : g_strdup_printf("%.0f s", expected);
		const char *cells[] = { text, state_of(cell), cost, remark_on(cell) };

		grid_add(grid, cells);
		left += is_left ? 1 : 0;
		unknown += is_left && expected < 0 ? 1 : 0;
		seconds += is_left && expected >= 0 ? expected : 0;
	}
	grid_put(grid, out, SIZE_MAX);
	fputs(out->str, stdout);
	printf("\n%u cells, %u to be made: %.0f s one after the other, %.0f s with %u at once, by "
	       "the "
	       "earlier records most like each",
	       master->matrix->cells->len, left, seconds, seconds / jobs, jobs);
	printf(unknown > 0 ? "; without %u of a platform that no record is of.\n" : ".\n", unknown);
	return 0;
}

/* ---- What it was made of ---- */

/* A file as make knows it: by its size and the time of its last change. */
static void add_stamp(GChecksum *all, const char *path)
{
	g_autofree char *stamp = NULL;
	GStatBuf status;

	if (g_stat(path, &status) != 0)
		return;
	stamp = g_strdup_printf("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%ld\n", path,
				(gint64)status.st_size, (gint64)status.st_mtim.tv_sec,
				status.st_mtim.tv_nsec);
	g_checksum_update(all, (const guchar *)stamp, -1);
}

static void add_stamps(GChecksum *all, const char *folder, const char *below)
{
	g_auto(GStrv) names = folder_names(folder, NULL);

	for (char **name = names; name != NULL && *name != NULL; name++) {
		g_autofree char *path = g_build_filename(folder, *name, below, NULL);

		add_stamp(all, path);
	}
}

/* The same as long as the same cells are to be made, of the same: an interrupted engine goes on. */
static char *key_of(const struct master *master, const char *program, const GPtrArray *cells)
{
	const struct paths *paths = master->session->paths;
	const char *built[] = { program,	  paths->agent,
				paths->appliance, paths->l2_kernel,
				paths->l2_doses,  paths->l2_base_image,
				paths->l2_domain, paths->l1_domain,
				paths->probe,	  paths->l2_kernel_smp };
	g_autoptr(GChecksum) all = g_checksum_new(G_CHECKSUM_SHA256);

	for (size_t i = 0; i < G_N_ELEMENTS(built); i++)
		add_stamp(all, built[i]);
	add_stamps(all, paths->lines, "bzImage");
	add_stamps(all, paths->configs, NULL);
	for (char **path = master->matrix->overrides; *path != NULL; path++)
		add_stamp(all, *path);
	each (const struct matrix_cell, cell, cells) {
		g_autofree char *settings = g_strjoinv("\n", cell->settings);

		g_checksum_update(all, (const guchar *)cell->id, -1);
		g_checksum_update(all, (const guchar *)settings, -1);
	}
	return g_strndup(g_checksum_get_string(all), 16);
}

/* ---- What became of it ---- */

/* When the cell's outcome was written, by the clock of the file; 0: there is none. */
static gint64 written(const struct master *master, const struct matrix_cell *cell)
{
	g_autofree char *path = matrix_cell_file(master->folder, cell->id, "json");
	GStatBuf status;

	return g_stat(path, &status) == 0 ? (gint64)status.st_mtim.tv_sec * G_TIME_SPAN_SECOND +
						    status.st_mtim.tv_nsec / 1000
					  : 0;
}

/* What a cell took beside its experiment, or negative. */
static double beside(const struct master *master, const struct matrix_cell *cell)
{
	g_autofree char *path =
		g_build_filename(master->session->paths->results, cell->outcome.record, NULL);
	g_autoptr(struct_record) record = record_load(path, NULL);

	return record != NULL && record->seconds >= 0 ? cell->outcome.seconds - record->seconds
						      : -1;
}

/* What was measured of those that were made now, and what many would cost. */
static void print_cost(const struct master *master, gint64 begin, double wall, unsigned int jobs)
{
	g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));
	g_autoptr(GArray) overheads = g_array_new(FALSE, FALSE, sizeof(double));
	unsigned int rounds;
	double busy = 0, each_cell, outside;

	each (const struct matrix_cell, cell, master->matrix->cells) {
		const struct matrix_outcome *outcome = &cell->outcome;
		double overhead;

		if (outcome->state != MATRIX_VALID || outcome->taken ||
		    written(master, cell) < begin)
			continue;
		overhead = beside(master, cell);
		busy += outcome->seconds;
		g_array_append_val(seconds, outcome->seconds);
		if (overhead >= 0)
			g_array_append_val(overheads, overhead);
	}
	if (overheads->len == 0)
		return;
	/* A core for which there was no cell is no cost of one. */
	jobs = MIN(jobs, seconds->len);
	rounds = (OUTLOOK_CELLS + OUTLOOK_NODES * jobs - 1) / (OUTLOOK_NODES * jobs);
	each_cell = matrix_median(seconds);
	/* What a worker takes to begin and to end, and the engine to start the next one; and cores
	 * that had nothing left to do at the end.
	 */
	outside = MAX(wall * jobs - busy, 0) / seconds->len;
	printf("%u made now in %.1f s, %u at once: %.1f s each (median), %.2f s of it beside the "
	       "experiment, and %.2f s of a core outside.\n",
	       seconds->len, wall, jobs, each_cell, matrix_median(overheads), outside);
	printf("At that, %d such cells on %d nodes like this one take %.0f s: %u one after the "
	       "other on "
	       "each of %u cores.\n",
	       OUTLOOK_CELLS, OUTLOOK_NODES, rounds * (each_cell + outside), rounds,
	       OUTLOOK_NODES * jobs);
}

static int print_outcomes(struct master *master)
{
	unsigned int counts[MATRIX_FAILED + 1] = { 0 }, excluded = 0, taken = 0;

	each (struct matrix_cell, cell, master->matrix->cells) {
		g_autofree char *text = matrix_cell_text(cell);

		if (cell->excluded != NULL) {
			excluded++;
			continue;
		}
		matrix_read_outcome(master->folder, cell);
		counts[cell->outcome.state]++;
		taken += cell->outcome.taken ? 1 : 0;
		if (cell->outcome.state != MATRIX_VALID)
			printf("%s %s: %s\n", matrix_state_name(cell->outcome.state), text,
			       cell->outcome.reason != NULL ? cell->outcome.reason : "not made");
	}
	printf("%s: %u cells: %u valid (%u were there already), %u invalid, %u failed, %u missing, "
	       "%u excluded: %s\n",
	       master->matrix->name, master->matrix->cells->len, counts[MATRIX_VALID], taken,
	       counts[MATRIX_INVALID], counts[MATRIX_FAILED], counts[MATRIX_MISSING], excluded,
	       master->folder);
	return counts[MATRIX_VALID] + excluded == master->matrix->cells->len ? 0
									     : EPTLAB_ERROR_INVALID;
}

/* ---- The command ---- */

static int make_here(struct master *master, const struct matrix_engine *engine,
		     const GPtrArray *cells, GError **error)
{
	const gint64 begin = g_get_real_time();
	const gint64 clock = g_get_monotonic_time();
	int status;

	if (cells->len > 0 && !matrix_run_parallel(engine, cells, error))
		return (*error)->code;
	status = print_outcomes(master);
	print_cost(master, begin, (double)(g_get_monotonic_time() - clock) / G_TIME_SPAN_SECOND,
		   engine->jobs);
	return status;
}

static int submit(const struct matrix_engine *engine, const GPtrArray *cells, GError **error)
{
	g_autofree char *jobs = NULL;

	if (cells->len == 0) {
		puts("There is nothing to be made.");
		return 0;
	}
	jobs = matrix_submit_slurm(engine, cells, error);
	if (jobs == NULL)
		return (*error)->code;
	printf("%u cells are in Slurm's queue, job %s: %s\n", cells->len, jobs, engine->folder);
	puts("squeue shows them, and the same command with --dry-run what is made.");
	return 0;
}

struct options {
	gboolean dry_run, retry, slurm;
	int jobs; /* 0: as many as fit */
};

/* The lock is held. */
static int make_all(struct master *master, const struct options *options, unsigned int jobs,
		    GError **error)
{
	g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
	g_autoptr(GPtrArray) cells = NULL;
	g_autofree char *key = NULL;
	struct matrix_engine engine;

	if ((options->retry && !forget_failed(master, error)) ||
	    !matrix_save(master->matrix, master->folder, error))
		return (*error)->code;
	cells = cells_to_make(master);
	key = key_of(master, program, cells);
	engine = (struct matrix_engine){
		.program = program,
		.folder = master->folder,
		.jobs = jobs,
		.memory_mib = master->memory_mib,
		.seconds = master->seconds,
		.key = key,
		.cancellable = master->session->cancellable,
	};
	if (options->slurm) {
		engine.jobs = options->jobs > 0 ? (unsigned int)options->jobs : MAX(cells->len, 1);
		return submit(&engine, cells, error);
	}
	return make_here(master, &engine, cells, error);
}

static int matrix(struct master *master, const char *file, const struct options *options,
		  GError **error)
{
	unsigned int jobs;
	int lock, status;

	if (!plan(master, file, error))
		return (*error)->code;
	jobs = options->jobs > 0 ? (unsigned int)options->jobs
				 : matrix_jobs(MAX(master->memory_mib, HARNESS_MIB));
	if (master->alone && !options->slurm)
		jobs = 1;
	if (options->dry_run)
		return print_plan(master, jobs);
	lock = matrix_lock(master->folder, error);
	if (lock < 0)
		return (*error)->code;
	status = make_all(master, options, jobs, error);
	close(lock);
	return status;
}

int command_matrix(int argc, char **argv, GError **error)
{
	struct options options = { .jobs = 0 };
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &options.dry_run,
		  "make nothing; list the cells, and what they will cost", NULL },
		{ "retry", 0, 0, G_OPTION_ARG_NONE, &options.retry,
		  "make again what has failed or was invalid", NULL },
		{ "slurm", 0, 0, G_OPTION_ARG_NONE, &options.slurm,
		  "have Slurm make the cells, as a job array", NULL },
		{ "jobs", 'j', 0, G_OPTION_ARG_INT, &options.jobs,
		  "so many cells at once, not as many as fit", "N" },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.names = "FILE",
		.summary = "Make the experiments of a matrix: workloads, kernels, platforms, "
			   "settings,\n"
			   "each with all configurations. What is made already is not made again.",
		.description = "Example:\n  eptlab matrix configs/matrix/lines.ini",
		.least = 1,
		.most = 1,
		.takes = "matrix takes one file, which asks for the matrix",
	};
	g_autoptr(struct_session) session = session_open(&argc, &argv, &arguments, error);
	struct master master = {
		.session = session,
		.expected = g_array_new(FALSE, FALSE, sizeof(double)),
	};
	int status = session != NULL ? matrix(&master, argv[1], &options, error) : (*error)->code;

	master_clear(&master);
	return status;
}
