/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/domain.h"
#include "agent/kmsg.h"
#include "agent/link.h"
#include "agent/modules.h"
#include "agent/stage.h"
#include "model/error.h"
#include "model/job.h"
#include "model/l1_result.h"
#include "model/probe_result.h"

#define CAPABILITIES_FOLDER STAGE_LIBVIRT "/cache/qemu/capabilities"
#define QEMU_LOG	    STAGE_LIBVIRT "/log/qemu/eptlab-l2.log"

static const char *const parameters[] = { "ept", "vpid", "unrestricted_guest" };

static bool send_release(struct link *link, GError **error)
{
	struct utsname name;

	uname(&name);
	frame_add_string(link_frame(link, L1_FRAME_L1), "release", name.release);
	return link_send(link, error);
}

/* What is loaded and in effect, read back after the reload: never what was asked for. */
static bool send_effect(struct link *link, GError **error)
{
	for (unsigned int i = 0; i < modules_count; i++) {
		g_autofree char *id = modules_build_id(modules_names[i], error);
		struct frame_line *line;

		if (id == NULL)
			return false;
		line = link_frame(link, L1_FRAME_MODULE);
		frame_add_string(line, "name", modules_names[i]);
		frame_add_string(line, "build_id", id);
		if (!link_send(link, error))
			return false;
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(parameters); i++) {
		g_autofree char *value = modules_parameter(parameters[i], error);
		struct frame_line *line;

		if (value == NULL)
			return false;
		line = link_frame(link, L1_FRAME_PARAMETER);
		frame_add_string(line, "name", parameters[i]);
		frame_add_string(line, "value", value);
		if (!link_send(link, error))
			return false;
	}
	return true;
}

/* A file that was never written is sent as an empty one: L2 said nothing. */
static bool send_file(struct link *link, const char *config, const char *name, const char *path,
		      GError **error)
{
	g_autofree char *sent_as = g_strdup_printf("%s/%s", config, name);
	g_autofree char *data = NULL;
	g_autoptr(GError) cause = NULL;
	gsize length = 0;

	if (!g_file_get_contents(path, &data, &length, &cause) &&
	    !g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: %s could not be read (%s); give L1 more memory (memory_mib in "
			    "[bochs])",
			    path, cause->message);
		return false;
	}
	return link_text(link, sent_as, data != NULL ? data : "", length, error);
}

static bool send_log(struct link *link, const char *config, const GString *log, GError **error)
{
	g_autofree char *name = g_strdup_printf("%s/dmesg.log", config);

	return link_text(link, name, log->str, log->len, error);
}

static bool send_failure(struct link *link, const GError *failure, GError **error)
{
	struct frame_line *line = link_frame(link, L1_FRAME_FAIL);

	frame_add_u64(line, "code", (uint64_t)failure->code);
	/* A message may quote libvirt at any length; its beginning is what counts. */
	frame_add_part(line, "message", failure->message, strlen(failure->message));
	return link_send(link, error);
}

/* Did the probe say all it has to say? The next configuration is not worth booting otherwise. */
static bool probe_has_spoken(void)
{
	g_autofree char *frames = NULL;
	g_autoptr(probe_result) result = NULL;
	gsize length;

	if (!g_file_get_contents(STAGE_L2_FILES "/probe.frames", &frames, &length, NULL))
		return false;
	result = probe_result_parse(frames, length, NULL);
	return result != NULL;
}

static bool reload(const struct config_module *module, GError **error)
{
	return modules_reload(STAGE_JOB "/" JOB_MODULES, module->ept, module->vpid, error);
}

/*
 * Once: what the first start of libvirt and of QEMU costs must not look like the cost of the first
 * configuration. /dev/kvm must be there when libvirt first looks, so KVM is loaded for it.
 */
static struct hypervisor *open_hypervisor(struct link *link, const struct job *job,
					  const struct config_module *module, GError **error)
{
	g_autoptr(struct_hypervisor) hypervisor = NULL;

	if (!link_step(link, "L1: starting libvirt and QEMU once, to warm up", error) ||
	    !reload(module, error))
		return NULL;
	hypervisor = hypervisor_open(STAGE_LIBVIRT, STAGE_JOB "/" JOB_CAPABILITIES_FOLDER, error);
	if (hypervisor == NULL ||
	    !domain_warm_up(hypervisor, STAGE_JOB "/" JOB_L2_DOMAIN, job, error))
		return NULL;
	return g_steal_pointer(&hypervisor);
}

static bool boot_l2(struct link *link, struct hypervisor *hypervisor, const struct job *job,
		    const struct config_module *module, bool *go_on, GError **error)
{
	g_autofree char *step = g_strdup_printf("L2: booting with %s", module->name);
	enum l1_end end;
	struct frame_line *line;
	uint64_t ticks;

	unlink(STAGE_L2_FILES "/console.log");
	unlink(STAGE_L2_FILES "/probe.frames");
	if (!link_step(link, step, error) ||
	    !domain_run(hypervisor, STAGE_JOB "/" JOB_L2_DOMAIN, job, &end, &ticks, error))
		return false;
	line = link_frame(link, L1_FRAME_L2);
	frame_add_string(line, "end", l1_end_names[end]);
	frame_add_u64(line, "ticks", ticks);
	*go_on = end == L1_END_ENDED && probe_has_spoken();
	return link_send(link, error);
}

static bool send_files(struct link *link, const char *config, int kmsg, GError **error)
{
	g_autoptr(GString) log = g_string_new(NULL);

	return kmsg_read(kmsg, log, error) && send_log(link, config, log, error) &&
	       send_file(link, config, "l2-console.log", STAGE_L2_FILES "/console.log", error) &&
	       send_file(link, config, "probe.frames", STAGE_L2_FILES "/probe.frames", error);
}

/* One run. What L1 logged goes to L0 in any case; the first error is the one that is told. */
static bool run_configuration(struct link *link, struct hypervisor **hypervisor,
			      const struct job *job, const struct config_module *module, int kmsg,
			      bool *go_on, GError **error)
{
	g_autofree char *step = g_strdup_printf("L1: loading kvm and kvm_intel with ept=%d vpid=%d",
						module->ept, module->vpid);
	g_autoptr(GError) later = NULL;
	bool ok;

	frame_add_string(link_frame(link, L1_FRAME_RUN), "config", module->name);
	if (!link_send(link, error))
		return false;
	*go_on = false;
	if (*hypervisor == NULL)
		*hypervisor = open_hypervisor(link, job, module, error);
	ok = *hypervisor != NULL && link_step(link, step, error) && reload(module, error) &&
	     send_effect(link, error) && boot_l2(link, *hypervisor, job, module, go_on, error);
	if (!ok)
		send_file(link, module->name, "qemu.log", QEMU_LOG, NULL);
	return send_files(link, module->name, kmsg, ok ? error : &later) && ok;
}

static bool do_experiment(struct link *link, const struct job *job, GError **error)
{
	g_autoptr(struct_hypervisor) hypervisor = NULL;
	int kmsg = kmsg_open_at_end(error);
	bool ok = kmsg >= 0;
	bool go_on = true;

	for (unsigned int i = 0; ok && go_on && i < job->modules->len; i++)
		ok = run_configuration(link, &hypervisor, job, g_ptr_array_index(job->modules, i),
				       kmsg, &go_on, error);
	if (kmsg >= 0)
		close(kmsg);
	return ok;
}

static bool send_capabilities(struct link *link, GError **error)
{
	g_autoptr(GDir) folder = g_dir_open(CAPABILITIES_FOLDER, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *path = g_build_filename(CAPABILITIES_FOLDER, name, NULL);

		if (!send_file(link, JOB_CAPABILITIES_FOLDER, name, path, error))
			return false;
	}
	return true;
}

static bool do_capabilities(struct link *link, const struct job *job, GError **error)
{
	const struct config_module *module = g_ptr_array_index(job->modules, 0);
	g_autoptr(struct_hypervisor) hypervisor = NULL;

	if (!link_step(link, "L1: libvirt finds out about QEMU", error) || !reload(module, error))
		return false;
	hypervisor = hypervisor_open(STAGE_LIBVIRT, STAGE_JOB "/" JOB_CAPABILITIES_FOLDER, error);
	return hypervisor != NULL && hypervisor_probe(hypervisor, error) &&
	       send_capabilities(link, error);
}

static bool do_job(struct link *link, GError **error)
{
	g_autoptr(struct_job) job = job_load(STAGE_JOB "/" JOB_FILE, error);

	if (job == NULL || !send_release(link, error))
		return false;
	switch (job->task) {
	case JOB_EXPERIMENT:
		return do_experiment(link, job, error);
	case JOB_CAPABILITIES:
		return do_capabilities(link, job, error);
	}
	return false;
}

static int work(void)
{
	g_autoptr(GError) error = NULL;
	struct link link;

	if (!link_open(&link, STAGE_LINK, &error)) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		return error->code;
	}
	if (!do_job(&link, &error)) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		send_failure(&link, error, NULL);
	}
	if (!link_close(&link, NULL))
		return EPTLAB_ERROR_L1;
	return error != NULL ? error->code : 0;
}

/*
 * pid 1 inherits the orphans, QEMU among them, and must reap them: to libvirt a zombie is a QEMU
 * that did not end. So the work is done by a child, and libvirt waits for its own children in
 * peace.
 */
int agent_main(void)
{
	g_autoptr(GError) error = NULL;
	pid_t worker, ended;
	int status = 0;

	if (getpid() != 1) {
		fprintf(stderr, "eptlab: L1: the agent is pid 1 of L1's appliance and runs nowhere "
				"else; use eptlab run\n");
		return EPTLAB_ERROR_USAGE;
	}
	if (!stage_set(&error)) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		stage_leave();
	}
	worker = fork();
	if (worker == 0)
		_exit(work());
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
