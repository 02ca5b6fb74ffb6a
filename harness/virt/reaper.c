/* SPDX-License-Identifier: GPL-2.0-only */
#include "virt/reaper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <gio/gio.h>

#include "model/error.h"
#include "model/tree.h"

struct reaper {
	GSubprocess *process;
};

/* In a session of its own: a Ctrl-C at the terminal is not for it. Only what is safe after fork. */
static void leave_session(void *unused G_GNUC_UNUSED)
{
	setsid();
}

struct reaper *reaper_start(const struct virt_level *level, const char *root, GError **error)
{
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE);
	g_autoptr(GError) cause = NULL;
	struct reaper *reaper;
	GSubprocess *process;

	g_subprocess_launcher_set_child_setup(launcher, leave_session, NULL, NULL);
	process =
		g_subprocess_launcher_spawn(launcher, &cause, "/proc/self/exe", "reap", root, NULL);
	if (process == NULL) {
		g_set_error(error, EPTLAB_ERROR, level->code,
			    "%s: the process that looks after QEMU could not be started (%s)",
			    level->here, cause->message);
		return NULL;
	}
	reaper = g_new(struct reaper, 1);
	reaper->process = process;
	return reaper;
}

void reaper_finish(struct reaper *reaper)
{
	g_output_stream_close(g_subprocess_get_stdin_pipe(reaper->process), NULL, NULL);
	g_subprocess_wait(reaper->process, NULL, NULL);
	g_object_unref(reaper->process);
	g_free(reaper);
}

/* Is it a process whose command line names the root? A process number may be used again. */
static bool is_of_root(pid_t pid, const char *root)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", pid);
	g_autofree char *line = NULL;
	gsize length;

	return g_file_get_contents(path, &line, &length, NULL) &&
	       memmem(line, length, root, strlen(root)) != NULL;
}

/* libvirt keeps a file NAME.pid for each QEMU (virPidFileBuildPath() in its util/virpidfile.c). */
static void kill_one(const char *root, const char *pid_file)
{
	struct pollfd gone = { .events = POLLIN };
	g_autofree char *text = NULL;
	pid_t pid;

	if (!g_file_get_contents(pid_file, &text, NULL, NULL))
		return;
	pid = (pid_t)strtol(text, NULL, 10);
	if (pid <= 1)
		return;
	/* Whoever waits for us may want to unload KVM: QEMU must be gone. */
	gone.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (is_of_root(pid, root) && kill(pid, SIGKILL) == 0 && gone.fd >= 0)
		poll(&gone, 1, -1);
	if (gone.fd >= 0)
		close(gone.fd);
}

static void kill_all(const char *root)
{
	g_autofree char *path = g_build_filename(root, "run", "qemu", NULL);
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *pid_file = g_build_filename(path, name, NULL);

		if (g_str_has_suffix(name, ".pid"))
			kill_one(root, pid_file);
	}
}

int reaper_main(const char *root)
{
	char nothing;

	/* Nothing is ever written to the pipe: its end is that of the other process. */
	while (read(STDIN_FILENO, &nothing, 1) < 0 && errno == EINTR)
		;
	kill_all(root);
	tree_remove(root);
	return 0;
}
