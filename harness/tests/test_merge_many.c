/* SPDX-License-Identifier: GPL-2.0-only */
/* eptlab merge as people have it: how long does it take, and how much memory? */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "tests/many.h"
#include "tests/test.h"

#define RECORDS 10000
/* Of CPU time, for each second in which this machine makes the SHA-256 of the same bytes. */
#define TIMES	    12
#define MEBIBYTES   500
#define OUTPUT_NAME "table"

struct call {
	const char *folder, *records, *format;
};

static void make(const struct call *call)
{
	many_records(call->records, RECORDS);
}

/* By GLib, which has no instructions of the processor's for it: how fast is this machine now? */
static void hash(const struct call *call)
{
	g_autoptr(GDir) folder = g_dir_open(call->records, 0, NULL);
	const char *name;

	assert_non_null(folder);
	while ((name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *file = g_build_filename(name, "record.json", NULL);
		g_autofree char *text = test_get(call->records, file);

		g_free(g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1));
	}
}

/* One eptlab merge, whose table goes to FOLDER/table. */
static void merge(const struct call *call)
{
	g_autofree char *program = lab_built("eptlab");
	g_autofree char *output = g_build_filename(call->folder, OUTPUT_NAME, NULL);

	execl(program, program, "merge", "-v", "exits-per-op", "-f", call->format, "-o", output,
	      call->records, (char *)NULL);
	_exit(127);
}

/*
 * Run it in a process of its own and return its CPU time in seconds, and its largest memory in
 * MEBIBYTES. Nothing large is done in this process: a new one's largest memory begins with what
 * its parent had (exec_mmap() of the kernel).
 */
static double in_a_process(void (*what)(const struct call *call), const struct call *call,
			   long *mebibytes)
{
	struct rusage usage;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		what(call);
		_exit(0);
	}
	assert_int_equal(wait4(child, &status, 0, &usage), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	*mebibytes = usage.ru_maxrss / 1024;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/*
 * Wall clock on a machine that does other things, too, is no measure, nor is CPU time by itself: a
 * machine that is twice as slow, or whose other CPU is busy, takes twice of it. On two slow cores
 * a hash of these records takes two and a half, and to merge them takes six times that: eight
 * seconds; beside three busy processes nine times.
 */
TEST_IN_FOLDER(many_records_are_merged_in_little_time)
{
	g_autofree char *records = g_build_filename(folder, "records", NULL);
	g_autofree char *csv = NULL;
	struct call call = { .folder = folder, .records = records };
	long mebibytes;

	in_a_process(make, &call, &mebibytes);
	test_each_of (format, "html", "csv") {
		const double hashed = in_a_process(hash, &call, &mebibytes);
		g_autoptr(GTimer) timer = g_timer_new();
		double cpu;

		call.format = *format;
		cpu = in_a_process(merge, &call, &mebibytes);
		printf("# %d records as %s: %.1f s, %.1f s of CPU time, %ld MiB; hashed in %.1f "
		       "s\n",
		       RECORDS, *format, g_timer_elapsed(timer, NULL), cpu, mebibytes, hashed);
		assert_true(cpu <= TIMES * hashed);
		assert_true(mebibytes <= MEBIBYTES);
	}
	csv = test_get(folder, OUTPUT_NAME);
	assert_begins(csv, "operation,platform,memory_mib,kernel,config,state,exits-per-op,");
	/* 100 kinds by 3 variants: 34, 33 and 33 of the first, which the median is the middle of.
	 */
	assert_says(csv, "fork,bochs,64,5.10,noept,measured,7001,7000,7002,100,0,,");
}
