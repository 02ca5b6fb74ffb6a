/* SPDX-License-Identifier: GPL-2.0-only */
/* How an emulator is watched and ended, with shell scripts in the place of Bochs. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <glib/gstdio.h>

#include "lab.h"
#include "base/error.h"
#include "l1/emulator.h"
#include "l1/watch.h"

/* A folder for the FIFOs, and the frames that came. */
struct stage {
	struct lab *lab; /* its results folder is the working folder here */
	frameset *frames;
	GCancellable *cancellable;
	const char *shell; /* the program */
	bool told;
	GError *error;
};

static int make_stage(void **state)
{
	struct stage *stage = g_new0(struct stage, 1);

	stage->lab = lab_new(NULL);
	stage->frames = frameset_new("L1", EPTLAB_ERROR_L1, "agent", NULL, NULL);
	stage->cancellable = g_cancellable_new();
	stage->shell = "sh";
	*state = stage;
	return 0;
}

static int remove_stage(void **state)
{
	struct stage *stage = *state;

	frameset_free(stage->frames);
	g_object_unref(stage->cancellable);
	g_clear_error(&stage->error);
	lab_free(stage->lab);
	g_free(stage);
	return 0;
}

/* Run the script: descriptor 3 is the console, 4 the frames. */
static bool run(struct stage *stage, const char *script, unsigned int seconds)
{
	const char *folder = stage->lab->results;
	g_autofree char *console = g_build_filename(folder, "console.fifo", NULL);
	g_autofree char *frames = g_build_filename(folder, "frames.fifo", NULL);
	g_autofree char *file = g_build_filename(folder, "console.log", NULL);
	g_autofree char *whole =
		g_strconcat("echo $$ > pid; exec 3> console.fifo 4> frames.fifo; ", script, NULL);
	const char *const argv[] = { stage->shell, "-c", whole, NULL };
	g_auto(GStrv) environment = g_get_environ();
	const struct emulator_request request = {
		.argv = argv,
		.environment = environment,
		.folder = folder,
		.console_fifo = console,
		.frames_fifo = frames,
		.console_file = file,
		.seconds = seconds,
		.told = stage->told,
		.frames = stage->frames,
		.cancellable = stage->cancellable,
	};

	return emulator_run(&request, &stage->error);
}

static char *read_file(const struct stage *stage, const char *name)
{
	g_autofree char *path = g_build_filename(stage->lab->results, name, NULL);
	char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

/* Whatever the outcome, the child is gone and has been waited for. */
static void assert_gone(const struct stage *stage)
{
	g_autofree char *pid = read_file(stage, "pid");

	assert_int_equal(kill(atoi(pid), 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void assert_failed(const struct stage *stage, bool ok, int code, const char *part)
{
	assert_false(ok);
	assert_int_equal(stage->error->code, code);
	if (strstr(stage->error->message, part) == NULL)
		fail_msg("expected \"%s\", saw: %s", part, stage->error->message);
	assert_gone(stage);
}

static char *frames_of_a_whole_set(void)
{
	struct frame_line begin, end;

	assert_true(frame_begin(&begin, "agent"));
	assert_true(frame_end(&end, 1));
	begin.line[begin.length - 1] = '\0';
	end.line[end.length - 1] = '\0';
	return g_strdup_printf("echo '%s' >&4; echo '%s' >&4", begin.line, end.line);
}

static void console_and_frames_arrive(void **state)
{
	struct stage *stage = *state;
	g_autofree char *frames = frames_of_a_whole_set();
	g_autofree char *script = g_strconcat("echo hello >&3; ", frames, "; echo bye >&3", NULL);
	g_autofree char *console = NULL;

	assert_true(run(stage, script, 30));
	assert_true(frameset_is_complete(stage->frames));
	console = read_file(stage, "console.log");
	assert_string_equal(console, "hello\nbye\n");
	assert_gone(stage);
}

/* More than a FIFO holds, all at the very end. */
static void nothing_is_lost_at_the_end(void **state)
{
	g_autofree char *console = NULL;

	assert_true(run(*state, "head -c 1000000 /dev/zero | tr '\\0' 'x' >&3", 30));
	console = read_file(*state, "console.log");
	assert_int_equal(strlen(console), 1000000);
}

static void panic_ends_it_with_its_last_line(void **state)
{
	struct stage *stage = *state;
	g_autofree char *console = NULL;
	bool ok = run(stage,
		      "echo '[1.0] Kernel panic - not syncing: why' >&3; echo trace >&3; "
		      "echo '[1.1] ---[ end Kernel panic - not syncing: why ]---' >&3; sleep 60",
		      30);

	assert_failed(stage, ok, EPTLAB_ERROR_L1, "(Kernel panic - not syncing: why)");
	console = read_file(stage, "console.log");
	assert_non_null(strstr(console, "trace\n"));
	assert_non_null(strstr(console, "---[ end Kernel panic"));
}

static void panic_without_its_end_is_a_panic_too(void **state)
{
	bool ok = run(*state, "echo 'Kernel panic - not syncing: cut' >&3", 30);

	assert_failed(*state, ok, EPTLAB_ERROR_L1, "cut");
}

static void wall_time_is_limited(void **state)
{
	bool ok = run(*state, "exec sleep 60", 1);

	assert_failed(*state, ok, EPTLAB_ERROR_TIMEOUT, "1 s of wall time");
}

static void bad_frame_ends_it(void **state)
{
	bool ok = run(*state,
		      "echo '@ept1 0 begin proto=1 from=agent #00000000' >&4; exec sleep 60", 30);

	assert_failed(*state, ok, EPTLAB_ERROR_L1, "frame");
}

static void *cancel(void *data)
{
	g_usleep(200 * 1000ul);
	g_cancellable_cancel(data);
	return NULL;
}

static void cancelling_ends_it(void **state)
{
	struct stage *stage = *state;
	GThread *thread = g_thread_new("cancel", cancel, stage->cancellable);
	bool ok = run(stage, "exec sleep 60", 30);

	g_thread_join(thread);
	assert_failed(stage, ok, EPTLAB_ERROR_INTERRUPTED, "interrupted");
}

static void ignored_signals_do_not_help_it(void **state)
{
	bool ok = run(*state, "trap '' TERM INT HUP; while :; do sleep 1; done", 1);

	assert_failed(*state, ok, EPTLAB_ERROR_TIMEOUT, "wall time");
}

/* The signal is blocked in eptlab itself (cli/session.c), which must not be inherited. */
static void told_to_end_it_may_tidy_up(void **state)
{
	struct stage *stage = *state;
	g_autofree char *console = NULL;
	sigset_t terminate;
	bool ok;

	sigemptyset(&terminate);
	sigaddset(&terminate, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &terminate, NULL);
	stage->told = true;
	ok = run(stage,
		 "trap 'echo tidied up >&3; exit 0' TERM; sleep 60 >/dev/null 3>&- 4>&- & "
		 "trap 'kill $!' EXIT; wait",
		 1);
	pthread_sigmask(SIG_UNBLOCK, &terminate, NULL);
	assert_failed(stage, ok, EPTLAB_ERROR_TIMEOUT, "wall time");
	console = read_file(stage, "console.log");
	assert_string_equal(console, "tidied up\n");
}

static void emulator_that_is_not_there(void **state)
{
	struct stage *stage = *state;

	stage->shell = "/nowhere/sh";
	assert_false(run(stage, "", 30));
	assert_int_equal(stage->error->code, EPTLAB_ERROR_MACHINE);
	assert_non_null(strstr(stage->error->message, "/nowhere/sh could not be started"));
}

static void stop_nothing(void *data)
{
	(void)data;
}

/* What /dev/zero has comes faster than anybody can read it. */
static void flooding_console_does_not_stop_the_clock(void **state)
{
	struct stage *stage = *state;
	const struct watch_request request = {
		.console = open("/dev/zero", O_RDONLY | O_CLOEXEC),
		.frames = -1,
		.screen = -1,
		.ended = -1,
		.stop = stop_nothing,
		.console_file = "/dev/null",
		.seconds = 1,
		.frameset = stage->frames,
		.cancellable = stage->cancellable,
	};

	assert_false(watch_l1(&request, &stage->error));
	assert_int_equal(stage->error->code, EPTLAB_ERROR_TIMEOUT);
	close(request.console);
}

/* L1 has ended, or could not be ended; nobody has opened the console, or will close the frames. */
static void what_never_ends_is_not_waited_for(void **state)
{
	struct stage *stage = *state;
	g_autofree char *fifo = g_build_filename(stage->lab->results, "console.fifo", NULL);
	g_autofree char *file = g_build_filename(stage->lab->results, "console.log", NULL);
	struct watch_request request = {
		.screen = -1,
		.ended = eventfd(1, EFD_CLOEXEC),
		.to_end = true,
		.stop = stop_nothing,
		.console_file = file,
		.seconds = 30,
		.frameset = stage->frames,
		.cancellable = stage->cancellable,
	};
	int ends[2];

	assert_int_equal(mkfifo(fifo, 0600), 0);
	request.console = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	request.frames = ends[0];
	assert_true(watch_l1(&request, &stage->error));
	close(request.console);
	close(request.ended);
	close(ends[0]);
	close(ends[1]);
}

static void killed_by_others_is_no_fault_of_l1(void **state)
{
	bool ok = run(*state, "kill -KILL $$; sleep 60", 30);

	assert_failed(*state, ok, EPTLAB_ERROR_MACHINE, "Killed");
}

static void killed_after_the_last_frame_does_not_matter(void **state)
{
	struct stage *stage = *state;
	g_autofree char *frames = frames_of_a_whole_set();
	g_autofree char *script = g_strconcat(frames, "; kill -KILL $$; sleep 60", NULL);

	assert_true(run(stage, script, 30));
	assert_true(frameset_is_complete(stage->frames));
	assert_gone(stage);
}

#define test(function) cmocka_unit_test_setup_teardown(function, make_stage, remove_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(console_and_frames_arrive),
		test(nothing_is_lost_at_the_end),
		test(panic_ends_it_with_its_last_line),
		test(panic_without_its_end_is_a_panic_too),
		test(wall_time_is_limited),
		test(bad_frame_ends_it),
		test(cancelling_ends_it),
		test(ignored_signals_do_not_help_it),
		test(told_to_end_it_may_tidy_up),
		test(flooding_console_does_not_stop_the_clock),
		test(emulator_that_is_not_there),
		test(what_never_ends_is_not_waited_for),
		test(killed_by_others_is_no_fault_of_l1),
		test(killed_after_the_last_frame_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
