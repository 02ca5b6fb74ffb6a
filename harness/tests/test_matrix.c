/* SPDX-License-Identifier: GPL-2.0-only */
/* The file that asks for a matrix, its cells, and the folder in which they are kept. */
#include <sys/stat.h>

#include "matrix/cells.h"
#include "matrix/cost.h"
#include "matrix/engine.h"
#include "tests/sample.h"
#include "tests/test.h"

#define WHOLE                                                                                      \
	"[matrix]\nname = lines\n"                                                                 \
	"[axes]\nworkloads = fork:4,8; dose-pages:500 ;boot\nkernels = 6.1;6.12\n"                 \
	"l2.vcpus=1;2\nconfigurations = ept;noept\nrepeats = 2\n"                                  \
	"[exclude smp]\nl2.vcpus = 2\nworkloads = fork:4,8;boot\nreason = who is first is "        \
	"chance\n"

static struct matrix *plan(const char *folder, const char *text, GError **error)
{
	static const char *const common[] = { "l2.memory_mib=64", NULL };
	g_autofree char *file = g_build_filename(folder, "m.ini", NULL);

	test_put(folder, "m.ini", text, -1);
	return matrix_plan(file, common, error);
}

static void assert_cell(const struct matrix *matrix, guint index, const char *text,
			const char *settings, const char *excluded)
{
	const struct matrix_cell *cell = matrix->cells->pdata[index];
	g_autofree char *its = matrix_cell_text(cell);
	g_autofree char *all = g_strjoinv(" ", cell->settings);

	assert_string_equal(its, text);
	assert_string_equal(all, settings);
	assert_int_equal(g_strcmp0(cell->excluded, excluded), 0);
}

TEST_IN_FOLDER(cells_are_all_points)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_matrix) matrix = plan(folder, WHOLE, &error);

	assert_no_error(error);
	assert_string_equal(matrix->name, "lines");
	assert_int_equal(matrix->cells->len, 24);
	assert_cell(matrix, 0, "workload=fork:4,8 kernel=6.1 l2.vcpus=1",
		    "l2.memory_mib=64 experiment.workload=boot experiment.operations=fork:4,8 "
		    "experiment.kernel=6.1 l2.vcpus=1 experiment.configurations=ept;noept",
		    NULL);
	assert_cell(matrix, 1, "workload=fork:4,8 kernel=6.1 l2.vcpus=2",
		    "l2.memory_mib=64 experiment.workload=boot experiment.operations=fork:4,8 "
		    "experiment.kernel=6.1 l2.vcpus=2 experiment.configurations=ept;noept",
		    "who is first is chance");
	assert_cell(matrix, 5, "workload=dose-pages:500 kernel=6.1 l2.vcpus=2",
		    "l2.memory_mib=64 experiment.workload=dose-pages experiment.operations=none "
		    "experiment.n=500 experiment.kernel=6.1 l2.vcpus=2 "
		    "experiment.configurations=ept;noept",
		    NULL);
	assert_cell(matrix, 22, "workload=boot kernel=6.12 l2.vcpus=1 repeat=2",
		    "l2.memory_mib=64 experiment.workload=boot experiment.operations=none "
		    "experiment.kernel=6.12 l2.vcpus=1 experiment.configurations=ept;noept",
		    NULL);
}

/* A cell keeps its id when others come and go; no two have the same. */
TEST_IN_FOLDER(ids_are_of_what_is_asked_for)
{
	g_autoptr(struct_matrix) whole = plan(folder, WHOLE, NULL);
	g_autoptr(struct_matrix) part =
		plan(folder,
		     "[matrix]\nname=other\n[axes]\nworkloads=boot\nkernels=6.12\nl2.vcpus=1\n"
		     "configurations=ept;noept\nrepeats=2\n",
		     NULL);
	g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < whole->cells->len; i++)
		g_hash_table_add(ids, ((struct matrix_cell *)whole->cells->pdata[i])->id);
	assert_int_equal(g_hash_table_size(ids), 24);
	assert_int_equal(part->cells->len, 2);
	assert_string_equal(((struct matrix_cell *)part->cells->pdata[1])->id,
			    ((struct matrix_cell *)whole->cells->pdata[22])->id);
}

TEST_IN_FOLDER(what_is_wrong_is_told)
{
#define AXES "[matrix]\nname=m\n[axes]\n"
#define TWO  AXES "kernels=6.1;6.12\n"
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "name is '' in [matrix]" },
		{ "kernels=6.1\n", "this asks for no matrix" },
		{ "[matrix]\nname=m\n", "there is no axis, expected a section [axes]" },
		{ "[matrix]\nname=../m\n[axes]\nkernels=1\n", "name is '../m' in [matrix]" },
		{ "[matrix]\nname=m\njobs=1\n[axes]\nkernels=1\n", "[matrix] has more keys" },
		{ AXES "kernel=6.1\n", "there is no axis 'kernel', expected workloads, kernels" },
		{ AXES "kernels=\n", "kernels has no values in [axes]" },
		{ AXES "kernels=6.1;;6.12\n", "kernels has an empty value in [axes]" },
		{ AXES "kernels=6.1;6.12; 6.1\n", "kernels has '6.1' twice in [axes]" },
		{ AXES "repeats=0\n", "repeats is '0' in [axes], expected a number from 1 on" },
		{ AXES "repeats=x\n", "repeats is 'x' in [axes]" },
		{ AXES "repeats=100000\nkernels=1;2\n", "these axes make more than 100000 cells" },
		{ AXES "kernels=1\nkernels=2\n", "stands twice" },
		{ TWO "[axes]\nplatforms=bochs\n", "stands twice" },
		{ TWO "[other]\n", "there is no section [other]" },
		{ TWO "[exclude a]\nkernels=6.1\n", "[exclude a] has no reason" },
		{ TWO "[exclude a]\nreason=b\n", "[exclude a] names no axis" },
		{ TWO "[exclude a]\nreason=b\nkernels=6.2\n",
		  "kernels in [exclude a] has '6.2', which is no value of that axis" },
		{ TWO "[exclude a]\nreason=b\nplatforms=bochs\n",
		  "platforms in [exclude a] is no axis of this matrix" },
		{ TWO "configurations=ept\n[exclude a]\nreason=b\nconfigurations=ept\n",
		  "a cell is left out with all configurations and repeats" },
	};

	test_each (row, cases) {
		g_autoptr(GError) error = NULL;

		assert_null(plan(folder, row->text, &error));
		assert_error(&error, EPTLAB_ERROR_USAGE, row->message);
	}
}

/* ---- The folder ---- */

static void assert_same(const struct matrix *a, const struct matrix *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->cells->len, b->cells->len);
	for (guint i = 0; i < a->cells->len; i++) {
		const struct matrix_cell *one = a->cells->pdata[i];
		g_autofree char *text = matrix_cell_text(one);
		g_autofree char *settings = g_strjoinv(" ", one->settings);

		assert_cell(b, i, text, settings, one->excluded);
		assert_string_equal(((struct matrix_cell *)b->cells->pdata[i])->id, one->id);
	}
}

TEST_IN_FOLDER(plan_comes_back)
{
	g_autoptr(struct_matrix) matrix = plan(folder, WHOLE, NULL);
	g_autoptr(struct_matrix) back = NULL;
	g_autoptr(GError) error = NULL;

	matrix->configs = g_strdup("/somewhere");
	assert_true(matrix_save(matrix, folder, NULL));
	back = matrix_load(folder, &error);
	assert_no_error(error);
	assert_same(matrix, back);
	assert_string_equal(back->configs, "/somewhere");
	assert_null(matrix_find(back, "nothing", &error));
	assert_error(&error, EPTLAB_ERROR_USAGE, "has no cell nothing any more");
	test_put(folder, "cells.json", "{}", -1);
	assert_null(matrix_load(folder, &error));
	assert_error(&error, EPTLAB_ERROR_USAGE, "is no plan of a matrix");
}

TEST_IN_FOLDER(outcome_comes_back)
{
	g_autoptr(struct_matrix) matrix = plan(folder, WHOLE, NULL);
	struct matrix_cell *cell = matrix->cells->pdata[3];
	g_autoptr(GError) error = NULL;
	int lock = matrix_lock(folder, &error);

	assert_no_error(error);
	matrix_read_outcome(folder, cell);
	assert_int_equal(cell->outcome.state, MATRIX_MISSING);
	cell->outcome = (struct matrix_outcome){ .state = MATRIX_FAILED,
						 .reason = g_strdup("L2: no \"end\""),
						 .seconds = 1.5 };
	assert_true(matrix_write_outcome(folder, cell, NULL));
	matrix_read_outcome(folder, cell);
	assert_int_equal(cell->outcome.state, MATRIX_FAILED);
	assert_string_equal(cell->outcome.reason, "L2: no \"end\"");
	assert_null(cell->outcome.record);
	assert_true(cell->outcome.seconds == 1.5);
	assert_true(matrix_forget(folder, cell, NULL));
	matrix_read_outcome(folder, cell);
	assert_int_equal(cell->outcome.state, MATRIX_MISSING);
	assert_true(lock >= 0);
}

/* One that cannot be read is as if there were none: the cell is made again. */
TEST_IN_FOLDER(outcome_that_is_none)
{
	g_autoptr(struct_matrix) matrix = plan(folder, WHOLE, NULL);
	struct matrix_cell *cell = matrix->cells->pdata[0];
	g_autofree char *name = g_strdup_printf("cells/%s.json", cell->id);

	test_each_of (text, "", "[]", "{}", "{\"state\": 1}") {
		test_put(folder, name, *text, -1);
		matrix_read_outcome(folder, cell);
		assert_int_equal(cell->outcome.state, MATRIX_MISSING);
	}
}

TEST_IN_FOLDER(second_master_is_refused)
{
	g_autoptr(GError) error = NULL;

	assert_true(matrix_lock(folder, NULL) >= 0);
	assert_int_equal(matrix_lock(folder, &error), -1);
	assert_error(&error, EPTLAB_ERROR_USAGE, "another eptlab is at work on this matrix");
}

/* ---- Cost ---- */

TEST(expected_is_what_was_most_alike)
{
	static const struct {
		const char *platform, *kernel, *workload, *operations;
		unsigned int runs;
		double seconds;
	} cases[] = {
		/* The sample: bochs, 6.1, boot, two runs, 43.125 s, no operations. */
		{ "bochs", "6.1", "boot", "none", 2, 43.125 },
		{ "bochs", "6.1", "boot", "none", 1, 43.125 / 2 },
		{ "bochs", "6.1", "dose-pages", "none", 2, 10 },
		{ "auto", "", "boot", "none", 2, 43.125 },
		{ "tcg", "6.1", "boot", "none", 2, -1 },
	};
	g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)record_free);
	struct record *other = judged_sample();

	record_set_string(&other->workload, "dose-pages");
	other->seconds = 10;
	g_ptr_array_add(records, judged_sample());
	g_ptr_array_add(records, other);
	test_each (row, cases) {
		char *operations[] = { (char *)row->operations, NULL };
		const struct matrix_kind kind = { "x",		 row->platform, row->kernel,
						  row->workload, operations,	row->runs };

		assert_true(matrix_expect(records, &kind) == row->seconds);
	}
}

TEST(slurm_script_has_what_a_cell_needs)
{
	const struct matrix_engine engine = {
		.program = "/a/eptlab", .folder = "/r/matrix/m", .memory_mib = 1024, .seconds = 121
	};
	g_autofree char *script = matrix_slurm_script(&engine, "m");

	test_each_of (part, "#SBATCH --mem=1024M\n", "#SBATCH --time=3\n", "#SBATCH --requeue\n",
		      "exec '/a/eptlab' cell '/r/matrix/m'")
		assert_says(script, *part);
}

TEST(as_many_as_fit)
{
	assert_int_equal(matrix_jobs(1 << 30), 1);
	assert_int_equal(matrix_jobs(1), g_get_num_processors());
}
