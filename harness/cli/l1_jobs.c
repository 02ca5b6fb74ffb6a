/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/l1_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/folder.h"
#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/l1_boot.h"
#include "cli/session.h"
#include "config/config_job.h"
#include "l2/digest.h"
#include "virt/supervisor.h"

bool l1_job_run(const struct experiment *experiment, enum job_task task, struct progress *progress,
		const char *step, const char *folder, l1_job_use use, void *data, GError **error)
{
	g_autofree char *work = g_build_filename(folder, "work", NULL);
	g_autoptr(struct_job) job = job_from_config(experiment->config, task);
	g_autoptr(struct_record) record =
		record_new(EPTLAB_VERSION, "", experiment->platform->name, "");
	g_autoptr(l1_result) result = NULL;
	g_autoptr(GError) failure = NULL;
	struct platform_request request;

	if (g_mkdir_with_parents(work, 0755) != 0)
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				   "L0: the folder %s could not be made (%s)", work,
				   g_strerror(errno));
	l1_request(experiment, &request);
	request.job = job;
	if (task == JOB_KUNIT)
		request.extra_modules = experiment->paths->extra_modules;
	if (task == JOB_SCRIPT)
		request.script = experiment->script;
	result = l1_boot(experiment, &request, folder, work, record, progress, step, &failure);
	if (failure != NULL) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	/* What a script has printed tells why it failed. */
	if (task == JOB_SCRIPT && !use(l1_result_texts(result), data, error))
		return false;
	return l1_result_finish(result, error) &&
	       (task == JOB_SCRIPT || use(l1_result_texts(result), data, error));
}

char *l1_job_text(frame_texts *texts)
{
	GString *all = g_string_new(NULL);
	GHashTableIter at;
	gpointer text;

	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, NULL, &text))
		g_string_append(all, ((const GString *)text)->str);
	return g_string_free(all, FALSE);
}

/* ---- What libvirt in L1 finds out about QEMU ---- */

/* What is in a file, wherever it lies: what is built is what is installed later. */
static void add_file(GString *all, const char *path)
{
	g_autofree char *sha256 = digest_file(path, NULL);

	if (sha256 != NULL)
		g_string_append_printf(all, "%s\n", sha256);
}

/* Made of the platform, and of what else libvirt's answers depend on. */
static char *name_of(const struct experiment *experiment)
{
	const struct config *config = experiment->config;
	const char *platform = experiment->platform->name;
	g_autoptr(GString) all = g_string_new(platform);
	g_autofree char *key = NULL;

	g_string_append_printf(all, "\n%s\n%s\n%s\n", config->bochs.cpu, config->tcg.cpu,
			       config->kvm.uri);
	add_file(all, experiment->paths->l1_kernel);
	add_file(all, experiment->paths->appliance);
	key = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, (gssize)all->len);
	return g_strdup_printf("%s-%.16s", platform, key);
}

/* The first of these two folders that has it, or where it is to be made: the second one. */
static char *folder_of(const struct experiment *experiment)
{
	g_autofree char *name = name_of(experiment);
	const char *made = experiment->paths->made_capabilities;
	g_autofree char *there = made != NULL ? g_build_filename(made, name, NULL) : NULL;

	return there != NULL && g_file_test(there, G_FILE_TEST_IS_DIR)
		       ? g_steal_pointer(&there)
		       : g_build_filename(experiment->paths->capabilities, name, NULL);
}

static bool fail(GError **error, const char *cause)
{
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: the answers of QEMU could not be kept (%s); free some disk space",
			   cause);
}

static bool write_answer(const char *folder, const char *name, const GString *content,
			 GError **error)
{
	g_autofree char *file = g_path_get_basename(name);
	g_autofree char *path = g_build_filename(folder, file, NULL);
	g_autoptr(GError) cause = NULL;

	return g_file_set_contents(path, content->str, (gssize)content->len, &cause) ||
	       fail(error, cause->message);
}

static bool write_answers(frame_texts *texts, void *data, GError **error)
{
	GHashTableIter at;
	gpointer name, text;

	if (g_hash_table_size(texts) == 0)
		return eptlab_fail(error, EPTLAB_ERROR_L1,
				   "L1: libvirt has kept no answers of QEMU in its cache; read "
				   "l1-console.log");
	if (g_mkdir_with_parents(data, 0755) != 0)
		return fail(error, g_strerror(errno));
	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, &text)) {
		if (!write_answer(data, name, text, error))
			return false;
	}
	return true;
}

/* What a failed boot has left tells why: of each kind of L1, the last one is kept. */
static void keep_failed(const char *folder, const char *work)
{
	g_autofree char *failed = g_strconcat(folder, ".failed", NULL);

	folder_remove(failed);
	if (g_rename(work, failed) == 0)
		fprintf(stderr, "Consoles and logs: %s\n", failed);
}

/* Whole or not at all; when another eptlab was faster, its answers are as good. */
static bool ask(const struct experiment *experiment, struct progress *progress, const char *folder,
		GError **error)
{
	g_autofree char *work = g_strdup_printf("%s.%d", folder, getpid());
	g_autofree char *answers = g_build_filename(work, "answers", NULL);
	bool ok;

	supervisor_remove(work);
	ok = l1_job_run(experiment, JOB_CAPABILITIES, progress,
			"L1: booting once, so that libvirt finds out about QEMU", work,
			write_answers, answers, error);
	if (ok && g_rename(answers, folder) != 0 && errno != EEXIST && errno != ENOTEMPTY)
		ok = fail(error, g_strerror(errno));
	if (ok)
		folder_remove(work);
	else
		keep_failed(folder, work);
	return ok;
}

/* Who makes many experiments at once asks once. Without a lock it is asked more often, no more. */
static int lock_answers(const char *capabilities)
{
	g_autofree char *path = g_build_filename(capabilities, ".lock", NULL);
	int fd;

	g_mkdir_with_parents(capabilities, 0755);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR)
		;
	return fd;
}

char *capabilities_get(const struct experiment *experiment, struct progress *progress,
		       GError **error)
{
	g_autofree char *folder = NULL;
	bool good;
	int lock;

	if (experiment->platform->is_this_machine)
		return g_strdup(experiment->paths->libvirt_cache);
	folder = folder_of(experiment);
	if (g_file_test(folder, G_FILE_TEST_IS_DIR))
		return g_steal_pointer(&folder);
	lock = lock_answers(experiment->paths->capabilities);
	good = g_file_test(folder, G_FILE_TEST_IS_DIR) || ask(experiment, progress, folder, error);
	if (lock >= 0)
		close(lock);
	return good ? g_steal_pointer(&folder) : NULL;
}

/* ---- For the tests ---- */

static const struct arguments capabilities_arguments = {
	.summary = "Have libvirt in L1 find out about QEMU, and put the probe into L2's image.",
	.takes = "capabilities takes options only",
};

/*
 * For `make test`, whose tests run side by side and would each ask, and for the package, which has
 * both. Says where they are.
 */
int command_capabilities(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session =
		session_open(&argc, &argv, &capabilities_arguments, error);
	g_autoptr(struct_progress) progress = progress_new(NULL);
	struct guest guest = { .capabilities = NULL };
	struct experiment experiment;
	bool ok;

	if (session == NULL || !session_prepare(session, &experiment, error))
		return (*error)->code;
	ok = guest_prepare(&experiment, progress, &guest, error);
	if (ok)
		printf("%s\n%s\n", guest.capabilities,
		       guest.injected.image != NULL ? guest.injected.image : guest.user.overlay);
	guest_clear(&guest);
	return ok ? 0 : (*error)->code;
}

static bool print_texts(frame_texts *texts, void *data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
	g_autofree char *all = l1_job_text(texts);

	fputs(all, stdout);
	return true;
}

static const struct arguments in_l1_arguments = {
	.names = "SCRIPT FOLDER",
	.summary = "Run a script in L1.",
	.description = "SCRIPT is a folder with busybox and the script \"run\". FOLDER is made, "
		       "and gets consoles and logs.",
	.least = 2,
	.most = 2,
	.takes = "in-l1 takes a folder with a script, and one to be made",
};

/* JOB_SCRIPT of wire/job.h. */
int command_in_l1(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session = session_open(&argc, &argv, &in_l1_arguments, error);
	g_autoptr(struct_progress) progress = progress_new(NULL);
	struct experiment experiment;

	if (session == NULL || !session_prepare(session, &experiment, error))
		return (*error)->code;
	experiment.script = argv[1];
	return l1_job_run(&experiment, JOB_SCRIPT, progress, "L1: booting, for a script", argv[2],
			  print_texts, NULL, error)
		       ? 0
		       : (*error)->code;
}
