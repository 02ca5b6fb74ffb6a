/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that looks after all others, with functions of this file in the place of eptlab. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "cli/session.h"
#include "l2/user_image.h"
#include "base/folder.h"
#include "virt/embedded.h"
#include "virt/hypervisor.h"
#include "virt/supervisor.h"
#include "tests/test.h"

/* libvirt waits for 20 s for a QEMU that is a zombie (virProcessKillPainfullyDelay()). */
#define STALL_SECONDS 20

/* What was started, and the end of a pipe that all of it holds. */
struct started {
	pid_t pid;
	int from;
};

static struct started start(enum supervisor_kind kind, int (*work)(void))
{
	struct started started;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	started.pid = fork();
	assert_true(started.pid >= 0);
	if (started.pid == 0) {
		close(ends[0]);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[1]);
		/* Whoever started the tests in the background may have it ignored. */
		signal(SIGINT, SIG_DFL);
		supervise(kind);
		_exit(work());
	}
	close(ends[1]);
	started.from = ends[0];
	return started;
}

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(99);
}

/* A line, or what comes until nobody is left that could say something. Not for ever. */
static char *hear(const struct started *started, bool to_end)
{
	g_autoptr(GString) said = g_string_new(NULL);
	struct pollfd wait = { .fd = started->from, .events = POLLIN };
	char byte;

	while (poll(&wait, 1, 2 * STALL_SECONDS * 1000) > 0 && read(wait.fd, &byte, 1) == 1) {
		if (byte == '\n' && !to_end)
			return g_strdup(said->str);
		g_string_append_c(said, byte);
		wait.revents = 0;
	}
	if (wait.revents == 0)
		fail_msg("somebody is left, and has said no more than: %s", said->str);
	return g_strdup(said->str);
}

/* Its exit status, or -signal (128 + SIGINT is a status of eptlab), once all is gone. */
static int finish(const struct started *started, const char *expected)
{
	g_autofree char *said = hear(started, true);
	int status;

	assert_says(said, expected);
	close(started->from);
	assert_int_equal(waitpid(started->pid, &status, 0), started->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---- What is done in the worker ---- */

static int return_three(void)
{
	return 3;
}

/* As libvirt starts QEMU: a child of a child that has ended. Returns its number. */
static pid_t start_daemon(void (*work)(void))
{
	pid_t pid = 0;
	int ends[2];

	if (pipe(ends) != 0)
		_exit(98);
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			pid = getpid();
			if (write(ends[1], &pid, sizeof(pid)) < 0)
				_exit(97);
			work();
			_exit(0);
		}
		_exit(0);
	}
	if (read(ends[0], &pid, sizeof(pid)) != sizeof(pid))
		_exit(96);
	return pid;
}

static void end_at_once(void)
{
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* As libvirt waits for its end: by asking whether there is such a process. */
static int wait_for_daemon(void)
{
	pid_t daemon = start_daemon(end_at_once);

	for (int i = 0; i < 1000; i++) {
		if (kill(daemon, 0) != 0 && errno == ESRCH)
			return 0;
		g_usleep(10 * 1000ul);
	}
	return 1;
}

static int start_stubborn_daemon(void)
{
	signal(SIGTERM, SIG_IGN);
	start_daemon(wait_for_ever);
	return 0;
}

static int wait_beside_daemon(void)
{
	char folder[] = "/tmp/eptlab-test-XXXXXX";
	g_autofree char *inner = NULL;

	start_daemon(wait_for_ever);
	if (mkdtemp(folder) == NULL)
		return 1;
	inner = g_build_filename(folder, "a", "b", NULL);
	g_mkdir_with_parents(inner, 0755);
	supervisor_remove(folder);
	say(folder);
	say("\n");
	wait_for_ever();
	return 0;
}

static int crash_beside_daemon(void)
{
	start_daemon(wait_for_ever);
	raise(SIGKILL);
	return 0;
}

/* The signal comes before anybody waits for it, and while another thread runs. */
static int be_interrupted(void)
{
	g_autoptr(GCancellable) cancellable = NULL;
	struct pollfd cancelled = { .events = POLLIN };
	sigset_t pending;
	GThread *other = g_thread_new("other", (GThreadFunc)(void (*)(void))wait_for_ever, NULL);

	g_thread_unref(other);
	alarm(STALL_SECONDS);
	say("ready\n");
	do
		sigpending(&pending);
	while (sigismember(&pending, SIGINT) == 0);
	cancellable = interrupt_catch();
	cancelled.fd = g_cancellable_get_fd(cancellable);
	return poll(&cancelled, 1, STALL_SECONDS * 1000) == 1 ? EPTLAB_ERROR_INTERRUPTED : 1;
}

static int wait_here(void)
{
	start_daemon(wait_for_ever);
	say("ready\n");
	wait_for_ever();
	return 0;
}

static const char *cache; /* of libguestfs */

static void say_step(const char *step, void *data)
{
	(void)data;
	say(step);
	say("\n");
}

/* The overlay's folder is there when its helper says its first word. */
static int make_user_image(void)
{
	const struct user_image_request request = {
		.image = "/bin/sh",
		.probe = "/bin/sh",
		.workload = "",
		.cache = cache,
		.helper = g_build_filename(cache, "helper", NULL),
		.seconds = 60,
		.progress = say_step,
	};
	struct user_image own;

	user_image_make(&request, &own, NULL);
	return 1;
}

/* What was inherited, as a descriptor of /dev/kvm may be. */
static int inherited[2];

static int close_what_was_inherited(void)
{
	close(inherited[1]);
	wait_for_ever();
	return 0;
}

/* Who looks at QEMU for the first time starts some that must not be waited for when they ended. */
static int look_at_qemu(void)
{
	static const struct virt_level level = { .here = "L0", .vm = "L1", .code = 2 };
	g_autoptr(GError) error = NULL;
	g_autofree char *uri = NULL;
	g_autofree char *capabilities = NULL;
	struct hypervisor *hypervisor = NULL;
	g_autofree char *conf =
		g_build_filename(g_getenv("EPTLAB_BUILD"), "..", "guest-image",
				 "appliance/root/etc/libvirt-embed/qemu.conf", NULL);
	const char *root = embedded_root(&level, conf, NULL, &error);

	if (root != NULL) {
		uri = embedded_uri(root);
		hypervisor = hypervisor_open(&level, uri, &error);
	}
	if (hypervisor == NULL) {
		say(error->message);
		return 1;
	}
	capabilities = virConnectGetCapabilities(hypervisor->connection);
	if (capabilities != NULL)
		say(capabilities);
	return 0;
}

/* ---- Tests ---- */

static void assert_hears(const struct started *started, const char *expected)
{
	g_autofree char *line = hear(started, false);

	assert_string_equal(line, expected);
}

/* What comes of it, with a signal once it has said that it is ready. */
TEST(all_comes_to_an_end)
{
	static const struct {
		int (*work)(void);
		enum supervisor_kind kind;
		int number; /* of the signal, or 0 */
		const char *said;
		int status;
	} cases[] = {
		/* The status is the worker's. */
		{ return_three, SUPERVISOR_APART, 0, "", 3 },
		{ return_three, SUPERVISOR_HERE, 0, "", 3 },
		/* Orphans are no zombies. */
		{ wait_for_daemon, SUPERVISOR_APART, 0, "", 0 },
		/* Nothing outlives the worker, and a crash is told. */
		{ start_stubborn_daemon, SUPERVISOR_APART, 0, "", 0 },
		{ crash_beside_daemon, SUPERVISOR_APART, 0,
		  "eptlab: L0: eptlab's process at work was ended by a signal (Killed)",
		  EPTLAB_ERROR_MACHINE },
		/* No interrupt is lost. */
		{ be_interrupted, SUPERVISOR_APART, SIGINT, "", EPTLAB_ERROR_INTERRUPTED },
		{ wait_here, SUPERVISOR_HERE, SIGTERM, "(Terminated)", EPTLAB_ERROR_MACHINE },
	};

	test_each (row, cases) {
		struct started started = start(row->kind, row->work);

		if (row->number != 0) {
			assert_hears(&started, "ready");
			kill(started.pid, row->number);
		}
		assert_int_equal(finish(&started, row->said), row->status);
	}
}

TEST(first_look_at_qemu_does_not_stall)
{
	gint64 begin = g_get_monotonic_time();
	struct started started = start(SUPERVISOR_APART, look_at_qemu);

	assert_int_equal(finish(&started, "qemu-system-x86_64"), 0);
	assert_true(g_get_monotonic_time() - begin < STALL_SECONDS * G_TIME_SPAN_SECOND);
}

/* The only child of a process. */
static pid_t child_of(pid_t parent)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", parent, parent);
	g_autofree char *child = NULL;

	assert_true(g_file_get_contents(path, &child, NULL, NULL));
	return (pid_t)strtol(child, NULL, 10);
}

/* Whichever of the two that do not work is killed. */
TEST(kill_minus_nine_ends_all)
{
	static const struct {
		bool supervisor;
		const char *said;
		int status;
	} cases[] = {
		{ false, "", -SIGKILL },
		{ true, "(Killed), and what eptlab had started has been ended",
		  EPTLAB_ERROR_MACHINE },
	};

	test_each (row, cases) {
		struct started started = start(SUPERVISOR_APART, wait_beside_daemon);
		g_autofree char *folder = hear(&started, false);

		assert_true(g_file_test(folder, G_FILE_TEST_IS_DIR));
		kill(row->supervisor ? child_of(started.pid) : started.pid, SIGKILL);
		assert_int_equal(finish(&started, row->said), row->status);
		assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
	}
}

TEST_IN_FOLDER(overlay_of_user_image_goes_too)
{
	g_autofree char *helper = g_build_filename(folder, "helper", NULL);
	g_autoptr(GDir) left = NULL;
	struct started started;
	const char *name;

	cache = folder;
	test_put(folder, "helper", "#!/bin/sh\necho step hanging\nexec sleep 60\n", -1);
	assert_int_equal(g_chmod(helper, 0755), 0);
	started = start(SUPERVISOR_APART, make_user_image);
	assert_hears(&started, "hashing the image");
	assert_hears(&started, "hanging");
	kill(started.pid, SIGKILL);
	assert_int_equal(finish(&started, ""), -SIGKILL);
	left = g_dir_open(folder, 0, NULL);
	while ((name = g_dir_read_name(left)) != NULL)
		assert_string_equal(name, "helper");
}

TEST(what_is_inherited_is_the_workers)
{
	struct pollfd end = { .events = POLLIN };
	struct started started;

	assert_int_equal(pipe(inherited), 0);
	started = start(SUPERVISOR_APART, close_what_was_inherited);
	close(inherited[1]);
	end.fd = inherited[0];
	assert_int_equal(poll(&end, 1, STALL_SECONDS * 1000), 1);
	close(inherited[0]);
	kill(started.pid, SIGKILL);
	finish(&started, "");
}
