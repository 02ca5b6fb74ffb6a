/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who makes which cell, when, and what is left when somebody is killed: with cells that boot
 * nothing (fake_matrix.c), by GNU parallel and by a real Slurm; and one small matrix of real
 * experiments.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <gio/gio.h>

#include "matrix/cells.h"
#include "record/store.h"
#include "tests/lab.h"
#include "tests/test.h"

/* Ten cells, one of which fails. */
#define CELLS 10
#define ASKED                                                                                      \
	"[matrix]\nname=m\n[axes]\nplatforms=bochs\nl2.vcpus=1;2\n"                                \
	"workloads=boot;fork;dose-cpuid;dose-io;dose-invd\n"                                       \
	"[exclude one]\nl2.vcpus=2\nworkloads=dose-invd\nreason=one is enough\n"
#define GOOD  8
#define FAILS 1

static struct lab *lab;
static char *file, *notes;

static int begin(void **state)
{
	lab = lab_new("bochs");
	file = g_build_filename(lab->results, ".m.ini", NULL);
	notes = g_build_filename(lab->results, ".notes", NULL);
	test_put(lab->results, ".m.ini", ASKED, -1);
	g_setenv("FAKE_LOG", notes, TRUE);
	g_setenv("FAKE_MS", "100", TRUE);
	g_unsetenv("FAKE_MENDED");
	*state = NULL;
	return 0;
}

static int end(void **state G_GNUC_UNUSED)
{
	lab_free(lab);
	g_free(file);
	g_free(notes);
	return 0;
}

#define TEST_MATRIX(name) TEST_OF(void *no_state G_GNUC_UNUSED, begin, end, name)

/* ---- Masters ---- */

struct master {
	GSubprocess *process;
	char *output;
	int status;
};

static void setup_without_locks(gpointer data G_GNUC_UNUSED)
{
	/* flock() of a file system that has none, as some network file systems. */
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_flock, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOLCK),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = G_N_ELEMENTS(filter), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(99);
}

/* A test that runs in the background has SIGINT ignored, and so would all that it starts. */
static void setup_signals(gpointer data G_GNUC_UNUSED)
{
	signal(SIGINT, SIG_DFL);
}

static struct master start(GSpawnChildSetupFunc setup, const char *const *more)
{
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *fake = lab_built("fake-matrix");
	struct master master = { .output = NULL };

	g_ptr_array_add(argv, fake);
	test_each_of (argument, "matrix", "--results", lab->results, "--jobs", "2", file)
		g_ptr_array_add(argv, (char *)*argument);
	for (; more != NULL && *more != NULL; more++)
		g_ptr_array_add(argv, (char *)*more);
	g_ptr_array_add(argv, NULL);
	g_subprocess_launcher_setenv(launcher, "EPTLAB_TEST_TAG", lab->results, TRUE);
	g_subprocess_launcher_set_child_setup(launcher, setup != NULL ? setup : setup_signals, NULL,
					      NULL);
	master.process =
		g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, NULL);
	assert_non_null(master.process);
	return master;
}

static void finish(struct master *master)
{
	assert_true(g_subprocess_communicate_utf8(master->process, NULL, NULL, &master->output,
						  NULL, NULL));
	master->status = g_subprocess_get_if_exited(master->process)
				 ? g_subprocess_get_exit_status(master->process)
				 : 128 + g_subprocess_get_term_sig(master->process);
	g_object_unref(master->process);
}

/* Run it to its end, which must be that one, and say that. */
static void run(int expected, const char *says, GSpawnChildSetupFunc setup, const char *const *more)
{
	struct master master = start(setup, more);

	finish(&master);
	if (master.status != expected)
		fail_msg("status %d, expected %d: %s", master.status, expected, master.output);
	assert_says(master.output, says);
	g_free(master.output);
}

#define MORE(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* So many lines of the notes begin so. */
static unsigned int noted(const char *what)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	unsigned int count = 0;

	if (!g_file_get_contents(notes, &text, NULL, NULL))
		return 0;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		count += g_str_has_prefix(*line, what) ? 1 : 0;
	return count;
}

/* Until that many cells have ended. The test fails after half a minute. */
static void wait_until_noted(const char *what, unsigned int count)
{
	const gint64 deadline = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;

	while (noted(what) < count) {
		if (g_get_monotonic_time() > deadline)
			fail_msg("%u \"%s\" of %u", noted(what), what, count);
		g_usleep(10 * 1000ul);
	}
}

static unsigned int valid_records(void)
{
	g_autoptr(GPtrArray) names = record_store_list(lab->results, NULL);
	unsigned int count = 0;

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(lab->results, names->pdata[i], NULL);
		g_autoptr(struct_record) record = record_load(path, NULL);

		count += record != NULL && record->verdict == RECORD_VALID ? 1 : 0;
	}
	return count;
}

/* All is as if nobody had been interrupted: each cell has one record, and nothing is half. */
static void assert_whole(void)
{
	g_autofree char *folder = matrix_folder(lab->results, "m");
	g_autoptr(struct_matrix) matrix = matrix_load(folder, NULL);
	g_autoptr(GHashTable) records =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	unsigned int valid = 0, failed = 0;

	assert_non_null(matrix);
	for (guint i = 0; i < matrix->cells->len; i++) {
		struct matrix_cell *cell = matrix->cells->pdata[i];
		g_autofree char *path = NULL;
		g_autoptr(struct_record) record = NULL;

		matrix_read_outcome(folder, cell);
		failed += cell->outcome.state == MATRIX_FAILED ? 1 : 0;
		if (cell->outcome.state != MATRIX_VALID)
			continue;
		valid++;
		path = g_build_filename(lab->results, cell->outcome.record, NULL);
		record = record_load(path, NULL);
		assert_non_null(record);
		assert_string_equal(record->cell.id, cell->id);
		assert_true(g_hash_table_add(records, g_strdup(cell->outcome.record)));
	}
	assert_int_equal(valid, GOOD);
	assert_int_equal(failed, FAILS);
	assert_int_equal(lab_count(lab, ".partial-"), 0);
	assert_int_equal(valid_records(), GOOD);
}

TEST_MATRIX(all_cells_are_made_once)
{
	run(3, "8 valid (0 were there already), 0 invalid, 1 failed, 0 missing, 1 excluded", NULL,
	    NULL);
	assert_whole();
	/* Again: nothing is made, the failed one is not tried. */
	run(3, "failed platform=bochs l2.vcpus=1 workload=dose-invd: L2: it has failed", NULL,
	    NULL);
	assert_int_equal(noted("begin"), GOOD + FAILS);
	assert_whole();
	run(0, "excluded   one is enough", NULL, MORE("--dry-run"));
	g_setenv("FAKE_MENDED", "1", TRUE);
	run(0, "9 valid (0 were there already), 0 invalid, 0 failed", NULL, MORE("--retry"));
	assert_int_equal(noted("begin"), GOOD + FAILS + 1);
}

/* A record of the same that another matrix has made is taken. */
TEST_MATRIX(records_are_taken)
{
	run(3, "8 valid", NULL, NULL);
	lab_shell("sed s/name=m/name=other/ %s >%s.2 && mv %s.2 %s", file, file, file, file);
	run(3, "8 valid (8 were there already)", NULL, NULL);
	assert_int_equal(valid_records(), GOOD);
}

/* Long enough that whoever is killed is in the middle of something. */
static struct master start_slowly(void)
{
	g_setenv("FAKE_MS", "700", TRUE);
	return start(NULL, NULL);
}

/* It has ended in the middle, and is started again. */
static void go_on_after(struct master *master, unsigned int seconds)
{
	g_free(master->output);
	lab_assert_nothing_left(lab, seconds);
	assert_true(valid_records() < GOOD);
	g_setenv("FAKE_MS", "100", TRUE);
	run(3, "8 valid", NULL, NULL);
	assert_whole();
}

TEST_MATRIX(interrupted_and_gone_on_with)
{
	struct master master = start_slowly();

	wait_until_noted("end", 3);
	g_subprocess_send_signal(master.process, SIGINT);
	finish(&master);
	assert_says(master.output, "interrupted; what is made stays");
	assert_int_equal(master.status, EPTLAB_ERROR_INTERRUPTED);
	go_on_after(&master, 5);
}

TEST_MATRIX(killed_and_gone_on_with)
{
	struct master master = start_slowly();

	wait_until_noted("end", 2);
	g_subprocess_send_signal(master.process, SIGKILL);
	finish(&master);
	go_on_after(&master, 10);
}

/* All processes at once, wherever they are. */
TEST_MATRIX(reboot_in_effigy)
{
	struct master master = start_slowly();

	wait_until_noted("end", 2);
	lab_shell("kill -KILL $(grep -lzx '%s' /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3)",
		  lab->tag);
	finish(&master);
	go_on_after(&master, 5);
}

TEST_MATRIX(two_masters_at_once)
{
	struct master master = start_slowly();

	wait_until_noted("begin", 1);
	run(EPTLAB_ERROR_USAGE, "another eptlab is at work on this matrix", NULL, NULL);
	finish(&master);
	assert_int_equal(master.status, 3);
	g_free(master.output);
	assert_whole();
}

/* ---- What the results folder cannot do ---- */

TEST_MATRIX(file_system_without_locks)
{
	run(EPTLAB_ERROR_MACHINE, "its file system has no locks", setup_without_locks, NULL);
	assert_int_equal(noted("begin"), 0);
}

/* The results folder on a small file system of its own, in a mount namespace. */
static void run_on(const char *options, const char *first, int expected, const char *says)
{
	g_autofree char *fake = lab_built("fake-matrix");
	g_autofree char *output = NULL;
	g_autofree char *command = g_strdup_printf(
		"cp %s /tmp/.m.$$.ini; mount -t tmpfs -o %s tmpfs %s; %s; FAKE_LOG= %s matrix "
		"--results %s /tmp/.m.$$.ini 2>&1; echo status $?; rm /tmp/.m.$$.ini",
		file, options, lab->results, first, fake, lab->results);
	g_autofree char *ends = g_strdup_printf("status %d\n", expected);
	const char *argv[] = { "unshare", "-rm", "bash", "-c", command, NULL };

	assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
				 &output, NULL, NULL, NULL));
	if (strstr(output, ends) == NULL)
		fail_msg("expected %s: %s", ends, output);
	assert_says(output, says);
}

TEST_MATRIX(read_only_results)
{
	g_autofree char *first = g_strdup_printf("mount -o remount,ro %s", lab->results);

	run_on("size=1m", first, EPTLAB_ERROR_MACHINE, "give a results folder that can be written");
}

TEST_MATRIX(full_results)
{
	g_autofree char *first =
		g_strdup_printf("mkdir -p %s/matrix/m/cells; cat /dev/zero >%s/fill 2>/dev/null",
				lab->results, lab->results);

	run_on("size=100k", first, EPTLAB_ERROR_MACHINE,
	       "make room, and start the same matrix again: what is made stays");
}

/* ---- What an experiment would not take is said before any is made ---- */

TEST_MATRIX(values_that_no_experiment_takes)
{
	static const struct {
		const char *axis, *says;
	} cases[] = {
		{ "workloads=boot;nothing", "there is no workload \"nothing\"" },
		{ "kernels=0.99", "no kernel of the line \"0.99\" has been built" },
		{ "platforms=bochs;vax", "platform is 'vax'" },
		{ "l2.vcpus=1;0", "vcpus is '0' in [l2]" },
		{ "l2.colour=red", "[l2] has no key 'colour'" },
		{ "configurations=ept;nept", "no file defines the configuration 'nept'" },
	};

	test_each (row, cases) {
		g_autofree char *text =
			g_strdup_printf("[matrix]\nname=m\n[axes]\n%s\n", row->axis);

		test_put(lab->results, ".m.ini", text, -1);
		run(EPTLAB_ERROR_USAGE, row->says, NULL, NULL);
	}
	assert_int_equal(noted("begin"), 0);
}

/* ---- Slurm ---- */

static char *slurm;

static void stop_slurm(void)
{
	lab_shell("harness/slurm-here stop %s", slurm);
	g_clear_pointer(&slurm, g_free);
	g_unsetenv("SLURM_CONF");
}

static void start_slurm(void)
{
	g_autofree char *conf = NULL;

	slurm = g_build_filename(lab->results, ".slurm", NULL);
	lab_shell("harness/slurm-here start %s", slurm);
	conf = g_build_filename(slurm, "slurm.conf", NULL);
	g_setenv("SLURM_CONF", conf, TRUE);
}

#define THROUGH "timeout 40 bash -c 'until [ -z \"$(squeue -h)\" ]; do sleep 0.1; done'"

TEST_MATRIX(slurm_goes_on_when_a_node_dies)
{
	if (geteuid() != 0) {
		print_message("slurm-here needs root\n");
		skip();
	}
	g_setenv("FAKE_MS", "1500", TRUE);
	start_slurm();
	run(0, "9 cells are in Slurm's queue", NULL, MORE("--slurm"));
	run(EPTLAB_ERROR_USAGE, "cells of this matrix are in Slurm's queue", NULL, MORE("--slurm"));
	wait_until_noted("begin", 2);
	lab_shell("harness/slurm-here lose %s 1", slurm);
	lab_shell(THROUGH);
	/* What was begun there was begun again, and none has two records. */
	assert_int_equal(noted("begin"), GOOD + FAILS + 1);
	assert_whole();
	stop_slurm();
}

/* ---- Real ones ---- */

TEST_MATRIX(real_cells)
{
	g_autofree char *eptlab = lab_built("eptlab");

	test_put(
		lab->results, ".m.ini",
		"[matrix]\nname=real\n[axes]\nplatforms=tcg\nworkloads=dose-cpuid:100;dose-io:100\n"
		"configurations=ept;noept\n",
		-1);
	lab_shell("%s matrix --results %s %s >%s/.out", eptlab, lab->results, file, lab->results);
	lab_shell("grep -q '2 valid (0 were there already), 0 invalid, 0 failed' %s/.out; "
		  "grep -q 'such cells on 100 nodes' %s/.out",
		  lab->results, lab->results);
	/* Nothing is made again, whatever has been restarted. */
	lab_shell("%s matrix --results %s %s | grep -q '2 valid'", eptlab, lab->results, file);
	assert_int_equal(lab_count(lab, "20"), 2);
	lab_assert_nothing_left(lab, 5);
}
