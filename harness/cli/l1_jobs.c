/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/l1_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/folder.h"
#include "cli/capabilities.h"
#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/l1_boot.h"
#include "cli/session.h"
#include "config/config_job.h"
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
	/* Not with a KVM that somebody else has made, which would say what others' L1 begins with.
	 */
	if (task == JOB_CAPABILITIES)
		request.modules = experiment->paths->modules;
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

/* What a failed boot has left tells why: of each kind of L1, the last one is kept. */
static void keep_failed(const char *folder, const char *work)
{
	g_autofree char *failed = g_strconcat(folder, ".failed", NULL);

	folder_remove(failed);
	if (g_rename(work, failed) == 0)
		fprintf(stderr, "Consoles and logs: %s\n", failed);
}

/* They are kept when they come: nothing is left to do with the texts. */
static bool use_nothing(frame_texts *texts G_GNUC_UNUSED, void *data G_GNUC_UNUSED,
			GError **error G_GNUC_UNUSED)
{
	return true;
}

static bool ask(const struct experiment *experiment, struct progress *progress, const char *folder,
		GError **error)
{
	g_autofree char *work = g_strdup_printf("%s.%d", folder, getpid());
	bool ok;

	supervisor_remove(work);
	ok = l1_job_run(experiment, JOB_CAPABILITIES, progress,
			"L1: booting once, so that libvirt finds out about QEMU", work, use_nothing,
			NULL, error);
	if (ok && !g_file_test(folder, G_FILE_TEST_IS_DIR))
		ok = eptlab_fail(error, EPTLAB_ERROR_L1,
				 "L1: libvirt has kept no answers of QEMU in its cache; read "
				 "l1-console.log");
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

char *capabilities_make(const struct experiment *experiment, struct progress *progress,
			GError **error)
{
	g_autofree char *folder = capabilities_folder(experiment);
	bool good;
	int lock;

	if (capabilities_are_in(experiment, folder))
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
	if (ok && guest.capabilities == NULL) {
		guest.capabilities = capabilities_make(&experiment, progress, error);
		ok = guest.capabilities != NULL;
	}
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
