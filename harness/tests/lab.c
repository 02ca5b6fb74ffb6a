/* SPDX-License-Identifier: GPL-2.0-only */
#include "lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gio/gio.h>
#include <glib/gstdio.h>

#include "base/folder.h"
#include "l2/inject.h"
#include "tests/test.h"

#define TAG "EPTLAB_TEST_TAG"

char *lab_built(const char *name)
{
	const char *build = g_getenv("EPTLAB_BUILD");

	assert_non_null(build);
	return g_build_filename(build, name, NULL);
}

void lab_tree(const char *folder)
{
	g_autofree char *built = lab_built("");

	/* eptlab finds all else from where it stands itself. */
	lab_shell("build=$(realpath '%s')\n"
		  "mkdir -p '%s/build'\n"
		  "ln -s \"$PWD/configs\" \"$PWD/guest-image\" \"$PWD/harness\" '%s'\n"
		  "cd '%s/build'\n"
		  "ln -s \"$build\"/* .\n"
		  "rm -f eptlab capabilities\n"
		  "cp \"$build/eptlab\" .\n"
		  "mkdir capabilities\n",
		  built, folder, folder, folder);
}

struct lab *lab_new(const char *platform)
{
	struct lab *lab = g_new0(struct lab, 1);

	lab->platform = g_strdup(platform);
	lab->results = g_dir_make_tmp("eptlab-test-XXXXXX", NULL);
	assert_non_null(lab->results);
	lab->tag = g_strdup_printf(TAG "=%s", lab->results);
	return lab;
}

void lab_free(struct lab *lab)
{
	folder_remove(lab->results);
	g_free(lab->results);
	g_free(lab->platform);
	g_free(lab->tag);
	g_free(lab->output);
	g_free(lab->errors);
	g_free(lab);
}

static GSubprocess *start(struct lab *lab, GPtrArray *argv)
{
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
	g_autofree char *line = NULL;
	GSubprocess *process;

	g_subprocess_launcher_setenv(launcher, TAG, lab->results, TRUE);
	g_ptr_array_add(argv, NULL);
	line = g_strjoinv(" ", (char **)argv->pdata);
	printf("# %s\n", line);
	fflush(stdout);
	process = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, NULL);
	assert_non_null(process);
	return process;
}

static void finish(struct lab *lab, GSubprocess *process)
{
	g_clear_pointer(&lab->output, g_free);
	g_clear_pointer(&lab->errors, g_free);
	assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &lab->output, &lab->errors,
						  NULL));
	lab->status = g_subprocess_get_if_exited(process)
			      ? g_subprocess_get_exit_status(process)
			      : 128 + g_subprocess_get_term_sig(process);
}

static void add(GPtrArray *argv, const char *argument)
{
	g_ptr_array_add(argv, g_strdup(argument));
}

#define PLATFORM "experiment.platform="

static bool boots_l1(const char *command)
{
	static const char *const others[] = { "doctor", "compare", "report",
					      "list",	"check",   "grade" };

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		if (strcmp(command, others[i]) == 0)
			return false;
	return true;
}

static GPtrArray *begin_arguments(const struct lab *lab, const char *command)
{
	GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(argv, lab_built("eptlab"));
	add(argv, command);
	if (!boots_l1(command))
		return argv;
	add(argv, "--results");
	add(argv, lab->results);
	if (lab->platform == NULL || strcmp(lab->platform, "auto") == 0)
		fail_msg("eptlab %s would take the platform that this machine has: name one",
			 command);
	add(argv, "--set");
	g_ptr_array_add(argv, g_strconcat(PLATFORM, lab->platform, NULL));
	return argv;
}

static void add_argument(struct lab *lab, GPtrArray *argv, const char *argument)
{
	add(argv, argument);
	if (!g_str_has_prefix(argument, PLATFORM))
		return;
	g_free(lab->platform);
	lab->platform = g_strdup(argument + strlen(PLATFORM));
}

static void assert_status(const struct lab *lab, int expected)
{
	if (lab->status != expected) {
		printf("%s%s# status %d, expected %d\n", lab->output, lab->errors, lab->status,
		       expected);
		fflush(stdout);
		/* The folder is not kept, and a hang is seen nowhere else. */
		lab_shell("tail -n 20 '%s'/*/*/l2-console.log '%s'/*/l1-console.log 2> /dev/null "
			  "|| true",
			  lab->results, lab->results);
	}
	assert_int_equal(lab->status, expected);
}

void lab_run(struct lab *lab, int expected, const char *command, ...)
{
	g_autoptr(GPtrArray) argv = begin_arguments(lab, command);
	g_autoptr(GSubprocess) process = NULL;
	g_autofree char *platform = g_strdup(lab->platform);
	const char *argument;
	va_list arguments;

	va_start(arguments, command);
	while ((argument = va_arg(arguments, const char *)) != NULL)
		add_argument(lab, argv, argument);
	va_end(arguments);
	process = start(lab, argv);
	finish(lab, process);
	/* What was to be refused does not decide about the next command. */
	if (expected != 0) {
		g_free(lab->platform);
		lab->platform = g_steal_pointer(&platform);
	}
	assert_status(lab, expected);
}

/* Is tag one of the strings of that process's environment? */
static bool carries_tag(const char *pid, const char *tag)
{
	g_autofree char *path = g_build_filename("/proc", pid, "environ", NULL);
	g_autofree char *environment = NULL;
	gsize length;

	if (!g_file_get_contents(path, &environment, &length, NULL))
		return false;
	for (gsize at = 0; at < length; at += strlen(environment + at) + 1) {
		if (strcmp(environment + at, tag) == 0)
			return true;
	}
	return false;
}

static char *find_left(const struct lab *lab)
{
	g_autoptr(GDir) folder = g_dir_open("/proc", 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *path = g_build_filename("/proc", name, "cmdline", NULL);
		char *command;

		if (!g_ascii_isdigit(*name) || !carries_tag(name, lab->tag))
			continue;
		if (g_file_get_contents(path, &command, NULL, NULL))
			return command;
	}
	return NULL;
}

void lab_assert_nothing_left(const struct lab *lab, unsigned int seconds)
{
	gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
	char *left;

	while ((left = find_left(lab)) != NULL && g_get_monotonic_time() < deadline) {
		g_free(left);
		g_usleep(50 * 1000ul);
	}
	if (left != NULL)
		fail_msg("left running: %s", left);
}

unsigned int lab_count(const struct lab *lab, const char *prefix)
{
	g_autoptr(GDir) folder = g_dir_open(lab->results, 0, NULL);
	unsigned int count = 0;
	const char *name;

	assert_non_null(folder);
	while ((name = g_dir_read_name(folder)) != NULL)
		count += g_str_has_prefix(name, prefix) ? 1 : 0;
	return count;
}

static char *newest_path(const struct lab *lab)
{
	g_autoptr(GDir) folder = g_dir_open(lab->results, 0, NULL);
	g_autofree char *newest = NULL;
	const char *name;

	assert_non_null(folder);
	while ((name = g_dir_read_name(folder)) != NULL) {
		if (*name == '.' || strcmp(name, "latest") == 0 ||
		    (newest != NULL && strcmp(name, newest) < 0))
			continue;
		g_free(newest);
		newest = g_strdup(name);
	}
	assert_non_null(newest);
	return g_build_filename(lab->results, newest, NULL);
}

struct record *lab_newest(const struct lab *lab)
{
	g_autofree char *path = newest_path(lab);
	g_autoptr(GError) error = NULL;
	struct record *record = record_load(path, &error);

	if (record == NULL) {
		fail_msg("%s", error->message);
		return NULL; /* for clang-tidy, which does not know that it does not return */
	}
	assert_string_equal(record->platform.name, lab->platform);
	return record;
}

char *lab_newest_file(const struct lab *lab, const char *name)
{
	g_autofree char *path = newest_path(lab);

	return g_build_filename(path, name, NULL);
}

void lab_shell(const char *format, ...)
{
	g_autofree char *command = NULL;
	const char *argv[] = { "bash", "-e", "-c", NULL, NULL };
	g_autoptr(GError) error = NULL;
	va_list arguments;
	int status;

	va_start(arguments, format);
	command = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	argv[3] = command;
	if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
			  &status, &error) ||
	    !g_spawn_check_wait_status(status, &error))
		fail_msg("%s: %s", command, error->message);
}

void lab_assert_line(const struct lab *lab, const char *line)
{
	g_autofree char *output = g_strconcat("\n", lab->output, NULL);
	g_autofree char *begin = g_strconcat("\n", line, NULL);

	assert_says(output, begin);
}

/* ---- L1 as a machine of its own ---- */

/* What L1 gets to be a machine of its own: paths below the build folder or the project's, and where
 * they go. */
static const struct {
	const char *from;
	const char *to;
} files[] = {
	{ "/bin/busybox", "busybox" },
	{ "../harness/tests/local/run", "run" },
	{ "../harness/tests/local/enter", "" },
	{ "eptlab", "build/" },
	{ "eptlab-agent", "build/" },
	{ "probe", "build/" },
	{ "doses.elf", "build/" },
	{ "l2-base.img", "build/" },
	{ "bochs-time.so", "build/" },
	{ "kernel/l1/default/kernel.conf", "build/kernel/l1/default/" },
	{ "kernel/l1/default/modules", "build/kernel/l1/default/" },
	{ "kernel/l2/vmlinux", "build/kernel/l2/" },
	{ "kernel/stock", "stock" },
	{ "../configs", "" },
	{ "../guest-image/domain.xml", "guest-image/" },
	{ "../guest-image/l1-domain.xml", "guest-image/" },
	{ "../guest-image/workloads", "guest-image/" },
	{ "../guest-image/appliance/root/etc/libvirt-embed/qemu.conf",
	  "guest-image/appliance/root/etc/libvirt-embed/" },
};

/* What is looked for before L1 is booted, and not needed where none is. */
static const char *const empty[] = {
	"build/appliance.img",
	"build/eptlab-guestfs",
	"build/eptlab-user-image",
	"build/kernel/l1/default/bzImage",
	"build/kernel/l1/default/extra-modules",
};

/*
 * Into the folder lib: the libraries that eptlab and another program need. L1's appliance has those
 * of its agent only.
 */
static void copy_libraries(const char *folder, const char *other)
{
	g_autofree char *eptlab = lab_built("eptlab");

	lab_shell("libraries() { ldd \"$@\" | awk '$2 == \"=>\" { print $3 }' | sort -u; }; "
		  "eptlab='%s'; mkdir -p '%s/lib'; comm -23 <(libraries \"$eptlab\" %s) "
		  "<(libraries \"$eptlab-agent\") | xargs cp -L -t '%s/lib'",
		  eptlab, folder, other, folder);
}

void lab_l1_host(const char *folder)
{
	lab_shell("harness/tests/nested/make-folder '%s'", folder);
	copy_libraries(folder, "\"$(command -v xorriso)\"");
}

/* The L2 image with the probe, of those in the cache: an emulated disk is slow. */
static void copy_image(const char *folder)
{
	g_autofree char *base = lab_built("l2-base.img");
	g_autofree char *probe = lab_built("probe");
	g_autofree char *helper = lab_built("eptlab-guestfs");
	g_autofree char *cache = g_build_filename(g_get_user_cache_dir(), "eptlab", "guest", NULL);
	const struct guest_inject_request request = {
		.base_image = base,
		.probe = probe,
		.workloads = "guest-image/workloads",
		.cache = cache,
		.helper = helper,
		.seconds = 600,
	};
	struct guest_injected made;
	g_autoptr(GError) error = NULL;

	if (!guest_inject(&request, &made, &error))
		fail_msg("%s", error->message);
	lab_shell("to='%s/cache/eptlab/guest'; image='%s'; mkdir -p \"$to\"; "
		  "cp \"$image\" \"${image%%.*}.sha256\" \"$to\"",
		  folder, made.image);
	guest_injected_clear(&made);
}

char *lab_answers(struct lab *lab)
{
	lab_run(lab, 0, "capabilities", NULL);
	return g_strndup(lab->output, strcspn(lab->output, "\n"));
}

/* Copies, so that nothing in L1 leads out of it. The strip saves L1 most of the reading. */
char *lab_l1_folder(struct lab *lab)
{
	g_autofree char *build = lab_built("");
	g_autofree char *answers = lab_answers(lab);
	char *folder = g_build_filename(lab->results, "script", NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		lab_shell("to='%s/%s'; mkdir -p \"$(dirname \"$to.\")\"; cd '%s'; cp -rL '%s' "
			  "\"$to\"",
			  folder, files[i].to, build, files[i].from);
	for (size_t i = 0; i < G_N_ELEMENTS(empty); i++)
		lab_shell("touch '%s/%s'", folder, empty[i]);
	lab_shell("strip '%s'/build/eptlab '%s'/build/eptlab-agent", folder, folder);
	copy_libraries(folder, "");
	copy_image(folder);
	lab_shell("mkdir '%s/cache/eptlab/libvirt'; cp '%s'/* '%s/cache/eptlab/libvirt'", folder,
		  answers, folder);
	return folder;
}
