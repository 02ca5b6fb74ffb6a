/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "agent/domain.h"
#include "agent/kmsg.h"
#include "agent/link.h"
#include "agent/modules.h"
#include "agent/stage.h"
#include "agent/witness.h"
#include "model/error.h"
#include "model/job.h"
#include "model/l1_result.h"
#include "model/probe_result.h"

#define CAPABILITIES_FOLDER STAGE_LIBVIRT "/cache/qemu/capabilities"
#define L2		    "eptlab-l2"
#define COMPANION	    "eptlab-companion"
#define QEMU_LOG	    STAGE_LIBVIRT "/log/qemu/" L2 ".log"

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

static bool send_text(struct link *link, const char *run, const char *name, const char *text,
		      GError **error)
{
	g_autofree char *sent_as = g_strdup_printf("%s/%s", run, name);

	return link_text(link, sent_as, text, strlen(text), error);
}

/* A file that was never written is sent as an empty one: L2 said nothing. */
static bool send_file(struct link *link, const char *run, const char *name, const char *path,
		      GError **error)
{
	g_autofree char *sent_as = g_strdup_printf("%s/%s", run, name);
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

/* Did the probe say all it has to say? The next run is not worth booting otherwise. */
static bool probe_has_spoken(void)
{
	g_autofree char *path = domain_file(L2, DOMAIN_FRAMES);
	g_autofree char *frames = NULL;
	g_autoptr(probe_result) result = NULL;
	gsize length;

	if (!g_file_get_contents(path, &frames, &length, NULL))
		return false;
	result = probe_result_parse(frames, length, NULL);
	return result != NULL;
}

/* What one run needs. */
struct course {
	struct link *link;
	const struct job *job;
	const struct job_run *run;
	struct hypervisor *hypervisor;
};

static bool reload(const struct course *course, GError **error)
{
	return modules_reload(STAGE_JOB "/" JOB_MODULES, course->run, course->job->cycles, error);
}

/* A histogram is of all VMs, so beside a companion it tells nothing. */
static bool has_witness(const struct course *course)
{
	return course->job->witness && *course->run->companion == '\0';
}

static struct domain *start_l2(const struct course *course, const char *name, unsigned int number,
			       const char *workload, bool hold, bool paused, GError **error)
{
	const struct domain_spec spec = {
		.name = name,
		.number = number,
		.kernel = job_is_dose(workload) ? STAGE_JOB "/" JOB_L2_DOSES
						: STAGE_JOB "/" JOB_L2_KERNEL,
		.workload = workload,
		.hold = hold,
		.memory_mib = course->job->memory_mib,
		.vcpus = course->run->vcpus,
		.append = course->run->append,
	};

	return domain_start(course->hypervisor, STAGE_JOB "/" JOB_L2_DOMAIN, &spec, paused, error);
}

/*
 * Once: what the first start of libvirt and of QEMU costs must not look like the cost of the first
 * run. L2 is destroyed before it has run a single instruction. /dev/kvm must be there when libvirt
 * first looks, so KVM is loaded for it.
 */
static bool warm_up(struct course *course, GError **error)
{
	g_autoptr(struct_domain) domain = NULL;

	if (!link_step(course->link, "L1: starting libvirt and QEMU once, to warm up", error) ||
	    !reload(course, error))
		return false;
	course->hypervisor =
		hypervisor_open(STAGE_LIBVIRT, STAGE_JOB "/" JOB_CAPABILITIES_FOLDER, error);
	if (course->hypervisor == NULL)
		return false;
	domain = start_l2(course, L2, 2, course->run->workload, false, true, error);
	return domain != NULL && domain_destroy(domain, error);
}

static char *exitcount_of_vm(GError **error)
{
	return witness_of_vm(L1_FILE_DEBUGFS, error);
}

static char *exits_of_vm(GError **error)
{
	return witness_of_vm(L1_FILE_EXITS, error);
}

/* What the kernel has counted itself; L2 stands still. */
static bool send_witness(const struct course *course, GError **error)
{
	static const struct {
		const char *name;
		char *(*get)(GError **error);
	} files[] = {
		{ L1_FILE_AT_LATCH, witness_at_latch },
		{ L1_FILE_AT_END, witness_at_end },
		{ L1_FILE_DEBUGFS, exitcount_of_vm },
		{ L1_FILE_EXITS, exits_of_vm },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *text = files[i].get(error);

		if (text == NULL ||
		    !send_text(course->link, course->run->name, files[i].name, text, error))
			return false;
	}
	return true;
}

static bool look_at_held(const struct course *course, struct domain *domain, GError **error)
{
	return domain_suspend(domain, error) &&
	       (!has_witness(course) || send_witness(course, error));
}

static const enum l1_end ends[] = {
	[DOMAIN_ENDED] = L1_END_ENDED,
	[DOMAIN_CRASHED] = L1_END_CRASHED,
	[DOMAIN_HOLDS] = L1_END_HELD,
	[DOMAIN_TIMED_OUT] = L1_END_TIMED_OUT,
};

/* From QEMU's start until none is left. *ticks is what the time-stamp counter has run meanwhile. */
static bool live_l2(const struct course *course, enum l1_end *end, uint64_t *ticks, GError **error)
{
	uint64_t begin = __rdtsc();
	g_autoptr(struct_domain) domain =
		start_l2(course, L2, 2, course->run->workload, has_witness(course), false, error);
	enum domain_state state;

	if (domain == NULL)
		return false;
	state = domain_wait(domain, course->job->timeout_seconds);
	*end = ends[state];
	if ((state == DOMAIN_HOLDS && !look_at_held(course, domain, error)) ||
	    !domain_destroy(domain, error))
		return false;
	*ticks = __rdtsc() - begin;
	return true;
}

static bool boot_l2(const struct course *course, bool *go_on, GError **error)
{
	const bool dose = job_is_dose(course->run->workload);
	g_autofree char *step =
		g_strdup_printf("L2: %s%s with %s", dose ? "taking " : "booting",
				dose ? course->run->workload : "", course->run->name);
	enum l1_end end;
	struct frame_line *line;
	uint64_t ticks;

	if (!link_step(course->link, step, error) || !live_l2(course, &end, &ticks, error))
		return false;
	line = link_frame(course->link, L1_FRAME_L2);
	frame_add_string(line, "end", l1_end_names[end]);
	frame_add_u64(line, "ticks", ticks);
	*go_on = (end == L1_END_ENDED || end == L1_END_HELD) && probe_has_spoken();
	return link_send(course->link, error);
}

/* With a second VM that has run its workload and stays alive until this one has ended. */
static bool boot_beside_companion(const struct course *course, bool *go_on, GError **error)
{
	g_autofree char *frames = domain_file(COMPANION, DOMAIN_FRAMES);
	g_autoptr(struct_domain) companion = NULL;

	if (*course->run->companion == '\0')
		return boot_l2(course, go_on, error);
	if (!link_step(course->link, "L2: a second VM first", error))
		return false;
	companion = start_l2(course, COMPANION, 3, course->run->companion, true, false, error);
	if (companion == NULL)
		return false;
	if (domain_wait(companion, course->job->timeout_seconds) != DOMAIN_HOLDS) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L2,
			    "L2: the second VM did not come to its end with %s; read its console",
			    course->run->name);
		return false;
	}
	return boot_l2(course, go_on, error) && domain_destroy(companion, error) &&
	       send_file(course->link, course->run->name, L1_FILE_COMPANION, frames, error);
}

/* The kernel's own counters around it, if that was asked for. */
static bool boot_before_witness(const struct course *course, bool *go_on, GError **error)
{
	const struct job *job = course->job;
	bool ok;

	if (has_witness(course)) {
		link_frame(course->link, L1_FRAME_WITNESS);
		if (!link_send(course->link, error) || !witness_arm(error))
			return false;
	}
	ok = witness_trace(job->tracepoints, error) && boot_beside_companion(course, go_on, error);
	/* A trigger that is left would keep KVM from being unloaded; the first error counts. */
	if (*job->tracepoints != '\0')
		ok = witness_untrace(ok ? error : NULL) && ok;
	if (has_witness(course))
		ok = witness_disarm(ok ? error : NULL) && ok;
	return ok;
}

static bool send_files(const struct course *course, int kmsg, GError **error)
{
	g_autofree char *console = domain_file(L2, DOMAIN_CONSOLE);
	g_autofree char *frames = domain_file(L2, DOMAIN_FRAMES);
	g_autoptr(GString) log = g_string_new(NULL);
	const char *name = course->run->name;

	return kmsg_read(kmsg, log, error) && send_log(course->link, name, log, error) &&
	       send_file(course->link, name, L1_FILE_CONSOLE, console, error) &&
	       send_file(course->link, name, L1_FILE_PROBE, frames, error);
}

static void forget_files(void)
{
	g_autofree char *console = domain_file(L2, DOMAIN_CONSOLE);
	g_autofree char *frames = domain_file(L2, DOMAIN_FRAMES);

	unlink(console);
	unlink(frames);
}

/* One run. What L1 logged goes to L0 in any case; the first error is the one that is told. */
static bool do_run(struct course *course, int kmsg, bool *go_on, GError **error)
{
	const struct job_run *run = course->run;
	g_autofree char *step = g_strdup_printf("L1: loading kvm and kvm_intel with ept=%d vpid=%d",
						run->ept, run->vpid);
	g_autoptr(GError) later = NULL;
	bool ok;

	frame_add_string(link_frame(course->link, L1_FRAME_RUN), "config", run->name);
	if (!link_send(course->link, error))
		return false;
	*go_on = false;
	forget_files();
	ok = (course->hypervisor != NULL || warm_up(course, error)) &&
	     link_step(course->link, step, error) && reload(course, error) &&
	     send_effect(course->link, error) && boot_before_witness(course, go_on, error);
	if (!ok)
		send_file(course->link, run->name, "qemu.log", QEMU_LOG, NULL);
	return send_files(course, kmsg, ok ? error : &later) && ok;
}

static bool do_experiment(struct link *link, const struct job *job, GError **error)
{
	struct course course = { .link = link, .job = job };
	int kmsg = kmsg_open_at_end(error);
	bool ok = kmsg >= 0;
	bool go_on = true;

	if (ok && (job->witness || *job->tracepoints != '\0'))
		ok = witness_mount(error);
	for (unsigned int i = 0; ok && i < job->runs->len; i++) {
		course.run = g_ptr_array_index(job->runs, i);
		ok = do_run(&course, kmsg, &go_on, error);
		if (!go_on && job->task == JOB_EXPERIMENT)
			break;
	}
	if (course.hypervisor != NULL)
		hypervisor_close(course.hypervisor);
	if (kmsg >= 0)
		close(kmsg);
	return ok;
}

/* The KUnit tests run when their module is loaded, and tell the kernel log. */
static bool do_kunit(struct link *link, const struct job *job, GError **error)
{
	static const struct {
		const char *folder;
		const char *name;
	} modules[] = {
		{ STAGE_JOB "/" JOB_EXTRA_MODULES, "kunit" },
		{ STAGE_JOB "/" JOB_MODULES, "irqbypass" },
		{ STAGE_JOB "/" JOB_MODULES, "kvm" },
		{ STAGE_JOB "/" JOB_EXTRA_MODULES, "kvm_exitcount_kunit" },
	};
	const struct job_run *run = g_ptr_array_index(job->runs, 0);
	g_autoptr(GString) log = g_string_new(NULL);
	int kmsg = kmsg_open_at_end(error);
	bool ok = kmsg >= 0 && link_step(link, "L1: running the KUnit tests", error);

	for (unsigned int i = 0; ok && i < G_N_ELEMENTS(modules); i++)
		ok = modules_load(modules[i].folder, modules[i].name, error);
	ok = ok && kmsg_read(kmsg, log, error) && send_log(link, run->name, log, error);
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
	struct course course = { link, job, g_ptr_array_index(job->runs, 0), NULL };
	g_autoptr(struct_hypervisor) hypervisor = NULL;

	if (!link_step(link, "L1: libvirt finds out about QEMU", error) || !reload(&course, error))
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
	case JOB_CONFORM:
		return do_experiment(link, job, error);
	case JOB_CAPABILITIES:
		return do_capabilities(link, job, error);
	case JOB_KUNIT:
		return do_kunit(link, job, error);
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
