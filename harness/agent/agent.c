/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent: a program of its own, because it is part of L1 and so of what is measured; what L0
 * reports must not change it. As pid 1 of L1's appliance it does the job of the job medium
 * (wire/job.h), reports it to L0 in frames (wire/l1_frames.h), and powers L1 off. Where L1 is
 * this machine, "eptlab-agent FOLDER" does the job in the folder that l1/local.c has filled,
 * and ends; what it does to KVM's modules is undone by the harness.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/kmsg.h"
#include "agent/link.h"
#include "agent/reload.h"
#include "agent/runs.h"
#include "agent/stage.h"
#include "agent/texts.h"
#include "kmod/modules.h"
#include "base/error.h"
#include "wire/job.h"
#include "wire/l1_frames.h"
#include "virt/supervisor.h"

static bool send_release(struct link *link, GError **error)
{
	struct utsname name;

	uname(&name);
	frame_add_string(link_frame(link, L1_FRAME_L1), "release", name.release);
	return link_send(link, error);
}

static bool send_failure(struct link *link, const GError *failure, GError **error)
{
	struct frame_line *line = link_frame(link, L1_FRAME_FAIL);

	frame_add_u64(line, "code", (uint64_t)failure->code);
	/* A message may quote libvirt at any length; its beginning is what counts. */
	frame_add_part(line, "message", failure->message, strlen(failure->message));
	return link_send(link, error);
}

/* The KUnit tests run when their module is loaded, and tell the kernel log. */
static bool do_kunit(struct link *link, const struct stage *stage, const struct job *job,
		     GError **error)
{
	static const struct {
		const char *folder;
		const char *name;
	} modules[] = {
		{ JOB_EXTRA_MODULES, "kunit" },
		{ JOB_MODULES, "irqbypass" },
		{ JOB_MODULES, "kvm" },
		{ JOB_EXTRA_MODULES, "kvm_exitcount_kunit" },
	};
	const struct job_run *run = g_ptr_array_index(job->runs, 0);
	g_autoptr(GString) log = g_string_new(NULL);
	int kmsg = kmsg_open_at_end(error);
	bool ok = kmsg >= 0 && link_step(link, "L1: running the KUnit tests", error);

	for (unsigned int i = 0; ok && i < G_N_ELEMENTS(modules); i++) {
		g_autofree char *folder = stage_job(stage, modules[i].folder);

		ok = modules_load(folder, modules[i].name, "", error);
	}
	ok = ok && kmsg_read(kmsg, log, error) && texts_send_log(link, run->name, log, error);
	if (kmsg >= 0)
		close(kmsg);
	return ok;
}

static bool do_capabilities(struct link *link, const struct stage *stage, const struct job *job,
			    GError **error)
{
	const struct vendor *vendor = vendor_of_cpu(error);
	const struct job_run *run = g_ptr_array_index(job->runs, 0);
	g_autofree char *modules = stage_job(stage, JOB_MODULES);
	g_autoptr(struct_hypervisor) hypervisor = NULL;
	const char *root;

	if (vendor == NULL || !reload_for_run(vendor, modules, run, job->cycles, error))
		return false;
	hypervisor = runs_open_libvirt(stage, job->uri, &root, error);
	return hypervisor != NULL && runs_ask_qemu(link, stage, hypervisor, error);
}

/* What the script prints goes to L0, and its end decides. */
static bool do_script(struct link *link, const struct stage *stage, const struct job *job,
		      GError **error)
{
	static const char log[] = "/run/script.log";
	const struct job_run *run = g_ptr_array_index(job->runs, 0);
	g_autofree char *folder = stage_job(stage, JOB_SCRIPT_FOLDER);
	g_autofree char *command =
		g_strdup_printf("exec %s/busybox sh -c '. %s/run' > %s 2>&1", folder, folder, log);
	g_autofree char *busybox = g_build_filename(folder, "busybox", NULL);
	const char *const argv[] = { busybox, "sh", "-c", command, NULL };
	g_autoptr(GError) cause = NULL;
	int status = 0;

	if (!link_step(link, "L1: running a script", error))
		return false;
	if (g_spawn_sync(folder, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
			 &status, &cause))
		g_spawn_check_wait_status(status, &cause);
	if (!texts_send_file(link, run->name, "script.log", log, error))
		return false;
	if (cause == NULL)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_L1, "L1: the script failed (%s)", cause->message);
}

static bool do_job(struct link *link, const struct stage *stage, GError **error)
{
	g_autofree char *path = stage_job(stage, JOB_FILE);
	g_autoptr(struct_job) job = job_load(path, error);

	if (job == NULL || !send_release(link, error))
		return false;
	switch (job->task) {
	case JOB_EXPERIMENT:
	case JOB_CONFORM:
		return runs_do(link, stage, job, error);
	case JOB_CAPABILITIES:
		return do_capabilities(link, stage, job, error);
	case JOB_KUNIT:
		return do_kunit(link, stage, job, error);
	case JOB_SCRIPT:
		return do_script(link, stage, job, error);
	}
	return false;
}

static int work(const struct stage *stage, const char *port)
{
	g_autoptr(GError) error = NULL;
	struct link link;

	if (!link_open(&link, port, &error)) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		return error->code;
	}
	if (!do_job(&link, stage, &error)) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		send_failure(&link, error, NULL);
	}
	if (!link_close(&link, NULL))
		return EPTLAB_ERROR_L1;
	return error != NULL ? error->code : 0;
}

static int work_here(const char *folder)
{
	g_autofree char *port = g_build_filename(folder, STAGE_HERE_LINK, NULL);
	g_autofree char *console = g_build_filename(folder, STAGE_HERE_CONSOLE, NULL);
	g_autoptr(GError) error = NULL;
	struct stage *stage = stage_here(folder, &error);
	int status;

	if (stage == NULL) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		return error->code;
	}
	/* What is said on the way is L1's console. */
	if (freopen(console, "w", stderr) == NULL)
		return EPTLAB_ERROR_L1;
	status = work(stage, port);
	stage_free(stage);
	return status;
}

/*
 * pid 1 inherits the orphans, QEMU among them, and must reap them: to libvirt a zombie is a QEMU
 * that did not end. So the work is done by a child, and libvirt waits for its own children in
 * peace.
 */
static void be_init(void)
{
	g_autoptr(GError) error = NULL;
	struct stage *stage = stage_set(&error);
	pid_t worker, ended;
	int status = 0;

	if (stage == NULL) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		stage_leave();
	}
	worker = fork();
	if (worker == 0)
		_exit(work(stage, STAGE_LINK));
	if (worker < 0) {
		fprintf(stderr, "eptlab: L1: the agent could not fork (%s)\n", strerror(errno));
		stage_leave();
	}
	do
		ended = waitpid(-1, &status, 0);
	while (ended != worker && (ended >= 0 || errno == EINTR));
	if (WIFSIGNALED(status))
		fprintf(stderr, "eptlab: L1: the agent died (%s)\n", strsignal(WTERMSIG(status)));
	stage_leave();
}

int main(int argc, char **argv)
{
	/* Any program may be pid 1, in a container. */
	if (getpid() == 1 && strcmp(argv[0], "/init") == 0)
		be_init();
	if (argc == 2 && *argv[1] == '/') {
		/* KVM is to be reloaded when it has ended: no QEMU of its own may be left then. */
		supervise(SUPERVISOR_HERE);
		return work_here(argv[1]);
	}
	fprintf(stderr, "eptlab-agent: L1: the agent is pid 1 of L1's appliance, or is started by "
			"eptlab for a folder; use eptlab run\n");
	return EPTLAB_ERROR_USAGE;
}
