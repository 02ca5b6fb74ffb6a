/* SPDX-License-Identifier: GPL-2.0-only */
/* A worker of a matrix: one cell. */
#include "cli/matrix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/each.h"
#include "cli/commands.h"
#include "matrix/cells.h"
#include "record/store.h"

static const struct arguments cell_arguments = {
	.names = "FOLDER ID",
	.summary = "Make one cell of a matrix.",
	.least = 2,
	.most = 2,
	.takes = "cell takes the folder of a matrix, and the id of a cell",
};

/* All that an experiment prints, into a file of its own. Returns where standard output was. */
static int write_log(const char *folder, const char *id, GError **error)
{
	g_autofree char *path = matrix_cell_file(folder, id, "log");
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	int before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (log < 0 || before < 0) {
		eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: %s cannot be written (%s)", path,
			    g_strerror(errno));
		return -1;
	}
	fflush(stdout);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close(log);
	return before;
}

/* The first rule that says so; a sentence. The caller frees it. */
static char *why_invalid(const struct record *record)
{
	each (const struct record_check, check, record->checks) {
		if (check->decisive)
			return g_strdup_printf("the rule %s%s%s does not hold: %s, expected %s",
					       check->rule, check->run != NULL ? " of " : "",
					       check->run != NULL ? check->run : "",
					       check->saw != NULL ? check->saw : "nothing",
					       check->expected != NULL ? check->expected
								       : "something");
	}
	return g_strdup("it says no reason");
}

/* By its record, if there is one, else by the error. */
static void judge(struct matrix_outcome *outcome, const struct experiment_made *made,
		  const GError *failure)
{
	g_autoptr(struct_record) record =
		made->record != NULL ? record_load(made->record, NULL) : NULL;

	outcome->state = MATRIX_FAILED;
	if (record != NULL) {
		outcome->record = g_path_get_basename(made->record);
		outcome->taken = made->taken;
		outcome->state = record->verdict == RECORD_VALID     ? MATRIX_VALID
				 : record->verdict == RECORD_INVALID ? MATRIX_INVALID
								     : MATRIX_FAILED;
		if (record->runs->len > 0)
			outcome->inputs = g_strdup(record_run_inputs(record->runs->pdata[0]));
	}
	if (outcome->state == MATRIX_INVALID)
		outcome->reason = why_invalid(record);
	else if (outcome->state == MATRIX_FAILED)
		outcome->reason =
			g_strdup(failure != NULL ? failure->message : "no record is there");
}

static void use(struct session *session, const struct matrix *matrix,
		const struct matrix_cell *cell, const char *folder)
{
	g_autofree char *above = g_path_get_dirname(folder);

	session->configs = g_strdup(matrix->configs);
	session->overrides = g_strdupv(matrix->overrides);
	session->settings = g_strdupv(cell->settings);
	session->results = g_path_get_dirname(above);
}

static void tell(int output, const struct matrix_cell *cell)
{
	g_autofree char *text = matrix_cell_text(cell);
	const struct matrix_outcome *outcome = &cell->outcome;
	const char *rest = outcome->state == MATRIX_VALID ? outcome->record : outcome->reason;

	dprintf(output, "%-7s %s  %.1f s%s  %s\n", matrix_state_name(outcome->state), text,
		outcome->seconds, outcome->taken ? ", was there already" : "",
		rest != NULL ? rest : "");
}

/* Make it. An interrupted one is as if nobody had begun it. */
static int make_cell(struct session *session, const struct matrix *matrix, struct matrix_cell *cell,
		     const char *folder, cell_maker make, GError **error)
{
	const struct record_cell coordinates = {
		.known = true,
		.matrix = matrix->name,
		.id = cell->id,
		.repeat = cell->repeat,
		.axes = cell->axes,
	};
	const gint64 begin = g_get_monotonic_time();
	struct experiment_made made = { .record = NULL };
	g_autoptr(GError) failure = NULL;
	g_autofree char *before = g_strdup(cell->outcome.record);
	int status = make(session, &coordinates, &made, &failure);
	bool good = true;

	if (status == EPTLAB_ERROR_INTERRUPTED) {
		g_propagate_error(error, g_steal_pointer(&failure));
		g_free(made.record);
		return status;
	}
	/* What is as it was is not written anew. */
	if (!made.taken || cell->outcome.state != MATRIX_VALID ||
	    !g_str_has_suffix(made.record, before)) {
		matrix_outcome_clear(&cell->outcome);
		judge(&cell->outcome, &made, failure);
		cell->outcome.seconds =
			(double)(g_get_monotonic_time() - begin) / G_TIME_SPAN_SECOND;
		good = matrix_write_outcome(folder, cell, error);
	}
	g_free(made.record);
	if (!good)
		return (*error)->code;
	if (failure != NULL)
		g_propagate_error(error, g_steal_pointer(&failure));
	return status;
}

static int work(struct session *session, const struct matrix *matrix, struct matrix_cell *cell,
		const char *folder, cell_maker make, GError **error)
{
	int output = write_log(folder, cell->id, error);
	int status;

	if (output < 0)
		return (*error)->code;
	use(session, matrix, cell, folder);
	status = make_cell(session, matrix, cell, folder, make, error);
	if (status != EPTLAB_ERROR_INTERRUPTED)
		tell(output, cell);
	close(output);
	return status;
}

/* The claim is this process's. */
static int work_claimed(int argc, char **argv, const struct matrix *matrix,
			struct matrix_cell *cell, const char *folder, cell_maker make,
			GError **error)
{
	g_autoptr(struct_session) session = session_open(&argc, &argv, &cell_arguments, error);

	if (session == NULL)
		return (*error)->code;
	matrix_read_outcome(folder, cell);
	/* Whoever had the claim before has tried: that is not for a second one to try again. */
	if (cell->outcome.state != MATRIX_FAILED && cell->outcome.state != MATRIX_INVALID)
		return work(session, matrix, cell, folder, make, error);
	tell(STDOUT_FILENO, cell);
	return EPTLAB_ERROR_INVALID;
}

int cell_work(int argc, char **argv, cell_maker make, GError **error)
{
	g_autofree char *folder = NULL;
	g_autoptr(struct_matrix) matrix = NULL;
	struct matrix_cell *cell;
	int claim, status;

	if (argc != 3)
		return eptlab_status(error, EPTLAB_ERROR_USAGE, "L0: %s", cell_arguments.takes);
	folder = g_canonicalize_filename(argv[1], NULL);
	matrix = matrix_load(folder, error);
	cell = matrix != NULL ? matrix_find(matrix, argv[2], error) : NULL;
	if (cell == NULL)
		return (*error)->code;
	/* Before the session: until that is open, a signal ends a worker that waits. */
	claim = matrix_claim(folder, cell->id, error);
	if (claim < 0)
		return (*error)->code;
	status = work_claimed(argc, argv, matrix, cell, folder, make, error);
	close(claim);
	return status;
}

static int make_experiment(struct session *session, const struct record_cell *cell,
			   struct experiment_made *made, GError **error)
{
	struct experiment experiment;

	if (!session_prepare(session, &experiment, error))
		return (*error)->code;
	experiment.cell = cell;
	experiment.made = made;
	return experiment_run(&experiment, error);
}

/* For "eptlab matrix", whose engines start it. */
int command_cell(int argc, char **argv, GError **error)
{
	return cell_work(argc, argv, make_experiment, error);
}
