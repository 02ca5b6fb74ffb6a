/* SPDX-License-Identifier: GPL-2.0-only */
/* How an emulator is watched and ended, with shell scripts in the place of Bochs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "lab.h"
#include "l1/emulator.h"
#include "l1/watch.h"
#include "tests/test.h"

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

#define TEST_STAGE(name) TEST_OF(struct stage *stage G_GNUC_UNUSED, make_stage, remove_stage, name)

/* Run the script: descriptor 3 is the console, 4 the frames. */
static bool run(struct stage *stage, const char *script, unsigned int seconds)
{
	const char *folder = stage->lab->results;
	g_autofree char *console = g_build_filename(folder, "console.fifo", NULL);
	g_autofree char *frames = g_build_filename(folder, "frames.fifo", NULL);
	g_autofree char *file = g_build_filename(folder, "console.log", NULL);
	g_autofree char *log = g_build_filename(folder, "emulator.log", NULL);
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
		.log = log,
		.seconds = seconds,
		.told = stage->told,
		.frames = stage->frames,
		.cancellable = stage->cancellable,
	};

	return emulator_run(&request, &stage->error);
}

/* Whatever the outcome, the child is gone and has been waited for. */
static void assert_gone(const struct stage *stage)
{
	g_autofree char *pid = test_get(stage->lab->results, "pid");

	assert_int_equal(kill(atoi(pid), 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void assert_fails(struct stage *stage, const char *script, unsigned int seconds,
			 enum eptlab_error code, const char *part)
{
	assert_false(run(stage, script, seconds));
	assert_error(&stage->error, code, part);
	assert_gone(stage);
}

static void assert_console(const struct stage *stage, const char *expected)
{
	g_autofree char *console = test_get(stage->lab->results, "console.log");

	assert_string_equal(console, expected);
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

TEST_STAGE(console_and_frames_arrive)
{
	g_autofree char *frames = frames_of_a_whole_set();
	g_autofree char *script = g_strconcat("echo hello >&3; ", frames, "; echo bye >&3", NULL);

	assert_true(run(stage, script, 30));
	assert_true(frameset_is_complete(stage->frames));
	assert_console(stage, "hello\nbye\n");
	assert_gone(stage);
}

/* More than a FIFO holds, all at the very end. */
TEST_STAGE(nothing_is_lost_at_the_end)
{
	g_autofree char *console = NULL;

	assert_true(run(stage, "head -c 1000000 /dev/zero | tr '\\0' 'x' >&3", 30));
	console = test_get(stage->lab->results, "console.log");
	assert_int_equal(strspn(console, "x"), 1000000);
}

TEST_STAGE(panic_ends_it_with_its_last_line)
{
	g_autofree char *console = NULL;

	assert_fails(stage,
		     "echo '[1.0] Kernel panic - not syncing: why' >&3; echo trace >&3; "
		     "echo '[1.1] ---[ end Kernel panic - not syncing: why ]---' >&3; sleep 60",
		     30, EPTLAB_ERROR_L1, "(Kernel panic - not syncing: why)");
	console = test_get(stage->lab->results, "console.log");
	assert_says(console, "trace\n");
	assert_says(console, "---[ end Kernel panic");
}

TEST(scripts_that_do_not_end_well)
{
	static const struct {
		const char *script;
		unsigned int seconds;
		enum eptlab_error code;
		const char *part;
	} cases[] = {
		/* A panic without its end is one too. */
		{ "echo 'Kernel panic - not syncing: cut' >&3", 30, EPTLAB_ERROR_L1, "cut" },
		{ "exec sleep 60", 1, EPTLAB_ERROR_TIMEOUT, "1 s of wall time" },
		/* To ignore signals does not help. */
		{ "trap '' TERM INT HUP; while :; do sleep 1; done", 1, EPTLAB_ERROR_TIMEOUT,
		  "wall time" },
		{ "echo '@ept1 0 begin proto=1 from=agent #00000000' >&4; exec sleep 60", 30,
		  EPTLAB_ERROR_L1, "frame" },
		/* Killed by others: no fault of L1. */
		{ "kill -KILL $$; sleep 60", 30, EPTLAB_ERROR_MACHINE, "Killed" },
	};

	test_each (row, cases) {
		void *stage;

		make_stage(&stage);
		assert_fails(stage, row->script, row->seconds, row->code, row->part);
		remove_stage(&stage);
	}
}

static void *cancel(void *data)
{
	g_usleep(200 * 1000ul);
	g_cancellable_cancel(data);
	return NULL;
}

TEST_STAGE(cancelling_ends_it)
{
	GThread *thread = g_thread_new("cancel", cancel, stage->cancellable);

	assert_fails(stage, "exec sleep 60", 30, EPTLAB_ERROR_INTERRUPTED, "interrupted");
	g_thread_join(thread);
	/* cppcheck-suppress memleak ; g_thread_join frees it, unknown to cppcheck's gtk.cfg */
}

/* The signal is blocked in eptlab itself (cli/session.c), which must not be inherited. */
TEST_STAGE(told_to_end_it_may_tidy_up)
{
	sigset_t terminate;

	sigemptyset(&terminate);
	sigaddset(&terminate, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &terminate, NULL);
	stage->told = true;
	assert_fails(stage,
		     "trap 'echo tidied up >&3; exit 0' TERM; sleep 60 >/dev/null 3>&- 4>&- & "
		     "trap 'kill $!' EXIT; wait",
		     1, EPTLAB_ERROR_TIMEOUT, "wall time");
	pthread_sigmask(SIG_UNBLOCK, &terminate, NULL);
	assert_console(stage, "tidied up\n");
}

TEST_STAGE(emulator_that_is_not_there)
{
	stage->shell = "/nowhere/sh";
	assert_false(run(stage, "", 30));
	assert_error(&stage->error, EPTLAB_ERROR_MACHINE, "/nowhere/sh could not be started");
}

static void stop_nothing(void *data)
{
	(void)data;
}

/* What /dev/zero has comes faster than anybody can read it. */
TEST_STAGE(flood_does_not_stop_the_clock)
{
	const struct watch_request request = {
		.console = -1,
		.frames = open("/dev/zero", O_RDONLY | O_CLOEXEC),
		.screen = -1,
		.ended = -1,
		.stop = stop_nothing,
		.console_file = "/dev/null",
		.seconds = 1,
		.frameset = stage->frames,
		.cancellable = stage->cancellable,
	};

	assert_false(watch_l1(&request, &stage->error));
	assert_error(&stage->error, EPTLAB_ERROR_TIMEOUT, "");
	close(request.frames);
}

TEST_STAGE(what_is_kept_of_a_console_has_a_limit)
{
	g_autofree char *file = g_build_filename(stage->lab->results, "console.log", NULL);
	GStatBuf status;

	assert_false(run(stage, "exec cat /dev/zero >&3", 30));
	assert_error(&stage->error, EPTLAB_ERROR_L1, "more than 16 MiB on its console");
	assert_int_equal(g_stat(file, &status), 0);
	assert_in_range(status.st_size, WATCH_CONSOLE_MOST / 2, WATCH_CONSOLE_MOST);
	assert_gone(stage);
}

TEST_STAGE(log_of_an_emulator_has_a_limit)
{
	assert_false(run(stage, "truncate -s 65M emulator.log; sleep 60", 30));
	assert_error(&stage->error, EPTLAB_ERROR_L1, "log more than 64 MiB");
	assert_gone(stage);
}

/* L1 has ended, or could not be ended; nobody has opened the console, or will close the frames. */
TEST_STAGE(what_never_ends_is_not_waited_for)
{
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

TEST_STAGE(killed_after_the_last_frame_does_not_matter)
{
	g_autofree char *frames = frames_of_a_whole_set();
	g_autofree char *script = g_strconcat(frames, "; kill -KILL $$; sleep 60", NULL);

	assert_true(run(stage, script, 30));
	assert_true(frameset_is_complete(stage->frames));
	assert_gone(stage);
}
