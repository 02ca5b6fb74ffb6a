/* SPDX-License-Identifier: GPL-2.0-only */
/* eptlab merge as people have it: how long does it take, and how much memory? */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "tests/many.h"
#include "tests/test.h"

#define RECORDS	    10000
#define SECONDS	    10
#define MEBIBYTES   500
#define OUTPUT_NAME "table"

/* One eptlab merge, whose table goes to FOLDER/table; its CPU time and memory are in *usage. */
static double merge(const char *folder, const char *records, const char *format,
		    struct rusage *usage)
{
	g_autofree char *program = lab_built("eptlab");
	g_autofree char *output = g_build_filename(folder, OUTPUT_NAME, NULL);
	g_autoptr(GTimer) timer = g_timer_new();
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		execl(program, program, "merge", "-v", "exits-per-op", "-f", format, "-o", output,
		      records, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(wait4(child, &status, 0, usage), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return g_timer_elapsed(timer, NULL);
}

/*
 * Wall clock on a machine that does other things, too, is no measure: what counts is the time of
 * CPUs, which all read records at once.
 */
TEST_IN_FOLDER(many_records_are_merged_in_little_time)
{
	g_autofree char *records = g_build_filename(folder, "records", NULL);
	g_autofree char *csv = NULL;

	many_records(records, RECORDS);
	test_each_of (format, "html", "csv") {
		struct rusage usage;
		const double wall = merge(folder, records, *format, &usage);
		const double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
				   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
		const long mebibytes = usage.ru_maxrss / 1024;

		printf("# %d records as %s: %.1f s, %.1f s of CPU time, %ld MiB\n", RECORDS,
		       *format, wall, cpu, mebibytes);
		assert_true(cpu / g_get_num_processors() <= SECONDS);
		assert_true(mebibytes <= MEBIBYTES);
	}
	csv = test_get(folder, OUTPUT_NAME);
	assert_begins(csv, "operation,platform,memory_mib,kernel,config,state,exits-per-op,");
	/* 100 kinds by 3 variants: 34, 33 and 33 of the first, which the median is the middle of.
	 */
	assert_says(csv, "fork,bochs,64,5.10,noept,measured,7001,7000,7002,100,0,,");
}
