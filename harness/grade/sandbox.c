/* SPDX-License-Identifier: GPL-2.0-only */
#include "grade/sandbox.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/paths.h"
#include "base/folder.h"

/* The user "nobody", of every distribution. */
#define NOBODY 65534

/* Bytes in memory: the tree and its objects are 200 MB. */
#define WORK_MAX "1500000000"

/* In the sandbox. WORK is where the tree was built (kernel/grade.mk). */
#define WORK	   "/mnt"
#define SCRIPTS	   "/grade"
#define TREE	   "/tree.tar"
#define SUBMISSION "/submission"
#define CHANGES	   "/changes.tar"
#define OUT	   "/out"
#define REPOSITORY "/repository"
#define CACHE	   "/ccache"

/* No single file of more bytes; so many processes of this user; no core. */
#define LIMITS "prlimit", "--fsize=1000000000", "--nproc=4000", "--core=0", "--"

static const char *const files_of_apply[] = { SANDBOX_CHANGES, NULL };
const char *const sandbox_modules[] = { "kvm.ko", "kvm-intel.ko", "irqbypass.ko", NULL };

static void add(GPtrArray *argv, ...) G_GNUC_NULL_TERMINATED;
static void add(GPtrArray *argv, ...)
{
	const char *word;
	va_list words;

	va_start(words, argv);
	while ((word = va_arg(words, const char *)) != NULL)
		g_ptr_array_add(argv, g_strdup(word));
	va_end(words);
}

static void add_user(GPtrArray *argv, bool reads_all)
{
	const char *caps = reads_all ? "-all,+dac_read_search" : "-all";
	g_autofree char *id = g_strdup_printf("%d", NOBODY);

	if (geteuid() != 0)
		return;
	add(argv, "setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--inh-caps", caps,
	    "--bounding-set", caps, "--no-new-privs", NULL);
	if (reads_all)
		add(argv, "--ambient-caps", caps, NULL);
}

/* /lib and others are links into /usr, or folders of their own. */
static void add_system(GPtrArray *argv)
{
	static const char *const names[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };

	add(argv, "--ro-bind", "/usr", "/usr", "--perms", "0755", "--dir", "/etc", "--ro-bind-try",
	    "/etc/alternatives", "/etc/alternatives", NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strconcat("/", names[i], NULL);
		g_autofree char *target = g_file_read_link(path, NULL);

		if (target != NULL)
			add(argv, "--symlink", target, path, NULL);
		else
			add(argv, "--ro-bind-try", path, path, NULL);
	}
}

static void add_namespaces(const struct sandbox *sandbox, GPtrArray *argv)
{
	add(argv, "bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
	    "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv", "--setenv",
	    "PATH", "/usr/bin:/bin:/usr/sbin:/sbin", "--setenv", "HOME", WORK, "--setenv", "LC_ALL",
	    "C", NULL);
	/* Root needs no namespace of users, and in one it would be this machine's root still. */
	if (geteuid() == 0)
		add(argv, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID",
		    "--cap-add", "CAP_SETPCAP", "--cap-add", "CAP_DAC_READ_SEARCH", NULL);
	else
		add(argv, "--unshare-user", NULL);
	add_system(argv);
	add(argv, "--proc", "/proc", "--dev", "/dev", "--size", "1000000", "--tmpfs", "/dev/shm",
	    "--perms", "1777", "--size", WORK_MAX, "--tmpfs", WORK, "--perms", "1777", "--size",
	    "100000000", "--tmpfs", "/tmp", "--ro-bind", sandbox->scripts, SCRIPTS, "--ro-bind",
	    sandbox->tree, TREE, NULL);
}

/* Each file alone: no other one can be made beside them. */
static void add_files(GPtrArray *argv, const char *out, const char *const *names)
{
	add(argv, "--perms", "0755", "--dir", OUT, NULL);
	for (; *names != NULL; names++) {
		g_autofree char *path = g_build_filename(out, *names, NULL);
		g_autofree char *inside = g_build_filename(OUT, *names, NULL);

		add(argv, "--bind", path, inside, NULL);
	}
}

static void add_end(GPtrArray *argv)
{
	add(argv, "--remount-ro", "/", "--chdir", WORK, "--", LIMITS, NULL);
}

/* "$0" is WORK, and the rest the script with its arguments. */
#define IN_NAMESPACES                                                                              \
	"exec 2>&1 </dev/null; cd \"$0\" && mkdir new && tar -xf " TREE " && exec \"$@\""
/* What is of root's may not be readable for nobody. tree, scripts and input come after WORK. */
#define IN_FOLDER                                                                                  \
	"exec 2>&1 </dev/null; cd \"$0\" && mkdir new && tar --no-same-owner -xf \"$1\" && "       \
	"cp -r \"$2\" grade && mkdir input && cp -r \"$3\" input && shift 3 && "                   \
	"{ [ \"$(id -u)\" != 0 ] || chown -R -h 65534:65534 .; } && exec \"$@\""

/* The words up to the script's first argument after WORK. */
static GPtrArray *begin(const struct sandbox *sandbox, const struct sandbox_task *task,
			const char *script, const char *inside, const char *const *files)
{
	GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *path =
		g_build_filename(sandbox->namespaces ? SCRIPTS : "grade", script, NULL);

	if (sandbox->namespaces) {
		add_namespaces(sandbox, argv);
		add(argv, "--ro-bind", task->input, inside, NULL);
		if (task->cache != NULL)
			add(argv, "--bind", task->cache, CACHE, "--setenv", "CCACHE_DIR", CACHE,
			    "--setenv", "CCACHE_MAXSIZE", "100M", NULL);
		if (sandbox->repository != NULL)
			add(argv, "--ro-bind", sandbox->repository, REPOSITORY, NULL);
		add_files(argv, task->out, files);
		add_end(argv);
		/* Foreign files may be readable for their owner alone; apply runs none of them. */
		add_user(argv, g_str_equal(script, "apply"));
		add(argv, "bash", "-c", IN_NAMESPACES, WORK, path, WORK, NULL);
	} else {
		add(argv, LIMITS, "bash", "-c", IN_FOLDER, task->work, sandbox->tree,
		    sandbox->scripts, task->input, NULL);
		add_user(argv, false);
		add(argv, path, task->work, NULL);
	}
	return argv;
}

char **sandbox_apply(const struct sandbox *sandbox, const struct sandbox_task *task)
{
	/* A submission that is a file is known by the end of its name. */
	g_autofree char *base = g_path_get_basename(task->input);
	g_autofree char *inside = g_file_test(task->input, G_FILE_TEST_IS_DIR)
					  ? g_strdup(SUBMISSION)
					  : g_build_filename(SUBMISSION, base, NULL);
	g_autofree char *copy = g_build_filename("input", base, NULL);
	GPtrArray *argv = begin(sandbox, task, "apply", inside, files_of_apply);

	if (sandbox->namespaces)
		add(argv, inside, OUT, sandbox->repository != NULL ? REPOSITORY : NULL, NULL);
	else
		add(argv, copy, task->out, sandbox->repository, NULL);
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

char **sandbox_build(const struct sandbox *sandbox, const struct sandbox_task *task, guint jobs)
{
	g_autofree char *at_once = g_strdup_printf("%u", jobs);
	g_autofree char *base = g_path_get_basename(task->input);
	g_autofree char *copy = g_build_filename(task->work, "input", base, NULL);
	GPtrArray *argv = begin(sandbox, task, "build", CHANGES, sandbox_modules);

	add(argv, at_once, sandbox->namespaces ? CHANGES : copy,
	    sandbox->namespaces ? OUT : task->out, NULL);
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

bool sandbox_try(const struct sandbox *sandbox, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *said = NULL;
	g_autoptr(GError) cause = NULL;
	int status = 0;

	if (!g_file_test(sandbox->tree, G_FILE_TEST_IS_REGULAR))
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				   "L0: %s, in which submissions are built, is not there; make it "
				   "with \"make grade\" (KERNEL= for another line)%s",
				   sandbox->tree,
				   paths_is_installed() ? " in a clone of the sources" : "");
	if (!sandbox->namespaces)
		return true;
	add_namespaces(sandbox, argv);
	add_end(argv);
	add_user(argv, false);
	add(argv, "true", NULL);
	g_ptr_array_add(argv, NULL);
	if (g_spawn_sync(NULL, (char **)argv->pdata, NULL,
			 G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
			 &status, &cause) &&
	    status == 0)
		return true;
	if (said != NULL)
		g_strdelimit(g_strchomp(said), "\n", ' ');
	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE,
		"L0: bubblewrap does not work here (%s): install the package bubblewrap, "
		"or, in a container that is thrown away, set sandbox = none",
		cause != NULL ? cause->message : said);
}

/* ---- What it may write ---- */

static bool give(const char *path, GError **error)
{
	if (geteuid() != 0 || lchown(path, NOBODY, NOBODY) == 0)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: %s cannot be given to nobody (%s)",
			   path, g_strerror(errno));
}

bool sandbox_file(const char *folder, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	const int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				   "L0: %s cannot be written (%s); free some disk space", path,
				   g_strerror(errno));
	close(fd);
	return give(path, error);
}

bool sandbox_folder(const char *path, GError **error)
{
	if (g_mkdir_with_parents(path, 0755) != 0)
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				   "L0: the folder %s cannot be made (%s); free some disk space",
				   path, g_strerror(errno));
	return give(path, error);
}
