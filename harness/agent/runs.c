/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/runs.h"

#include <fcntl.h>
#include <unistd.h>
#include <x86intrin.h>

#include "agent/huge_pages.h"
#include "agent/kmsg.h"
#include "agent/l2_domain.h"
#include "agent/reload.h"
#include "agent/texts.h"
#include "agent/witness.h"
#include "kmod/modules.h"
#include "kmod/triggers.h"
#include "base/error.h"
#include "wire/frameset.h"
#include "wire/l1_frames.h"
#include "virt/embedded.h"

#define L2	  "eptlab-l2"
#define COMPANION "eptlab-companion"

static bool send_parameter(struct link *link, const char *name, const char *value, GError **error)
{
	struct frame_line *line = link_frame(link, L1_FRAME_PARAMETER);

	frame_add_string(line, "name", name);
	frame_add_string(line, "value", value);
	return link_send(link, error);
}

/* What is loaded and in effect, read back after the reload: never what was asked for. */
static bool send_effect(struct link *link, const struct vendor *vendor, GError **error)
{
	const char *module = vendor->names[VENDOR_MODULES - 1];

	for (unsigned int i = 0; i < VENDOR_MODULES; i++) {
		g_autofree char *id = modules_build_id(vendor->names[i], error);
		struct frame_line *line;

		if (id == NULL)
			return false;
		line = link_frame(link, L1_FRAME_MODULE);
		frame_add_string(line, "name", vendor->names[i]);
		frame_add_string(line, "build_id", id);
		if (!link_send(link, error))
			return false;
	}
	for (const char *const *name = vendor->parameters; *name != NULL; name++) {
		g_autofree char *value = modules_parameter(module, *name, error);

		if (value == NULL || !send_parameter(link, *name, value, error))
			return false;
	}
	return true;
}

/* What one run needs. */
struct course {
	struct link *link;
	const struct stage *stage;
	const struct job *job;
	const struct vendor *vendor;
	const struct job_run *run;
	struct hypervisor *hypervisor;
	const char *root; /* of libvirt's embedded driver; NULL: it is another one */
};

/* Did the probe say all it has to say? The next run is not worth booting otherwise. */
static bool probe_has_spoken(const struct course *course)
{
	g_autofree char *path = l2_domain_file(course->stage, L2, L2_FRAMES);
	g_autofree char *frames = NULL;
	g_autoptr(frameset) set = frameset_new("L2", EPTLAB_ERROR_L2, PROBE_SENDER, NULL, NULL);
	gsize length;

	return g_file_get_contents(path, &frames, &length, NULL) &&
	       frameset_feed(set, frames, length, NULL) && frameset_is_complete(set);
}

static bool reload(const struct course *course, GError **error)
{
	g_autofree char *modules = stage_job(course->stage, JOB_MODULES);
	const bool given = g_file_test(modules, G_FILE_TEST_IS_DIR);

	return reload_for_run(course->vendor, given ? modules : NULL, course->run,
			      course->job->cycles, error);
}

/* On this machine they are its own affair; an appliance does nothing else. */
static bool set_huge_pages(const struct course *course, GError **error)
{
	bool in_effect;

	if (course->stage->libvirt == NULL)
		return true;
	return huge_pages_set(course->run->thp == JOB_ON, &in_effect, error) &&
	       send_parameter(course->link, "thp", in_effect ? "Y" : "N", error);
}

/* A histogram is of all VMs, so beside a companion it tells nothing. */
static bool has_witness(const struct course *course)
{
	return course->job->witness && *course->run->companion == '\0';
}

static bool counts_by_tracepoint(const struct course *course)
{
	return course->job->source == JOB_TRACEPOINT && *course->run->companion == '\0';
}

/*
 * The user's own system writes to its disk. Each start of it gets an overlay of its own, so that
 * all runs begin with the same disk.
 */
static char *make_overlay(const struct stage *stage, GError **error)
{
	g_autofree char *overlay = g_build_filename(stage->l2_files, "overlay.qcow2", NULL);
	const char *const argv[] = { "qemu-img",     "create", "-q",
				     "-f",	     "qcow2",  "-b",
				     stage->l2_disk, "-F",     stage->l2_disk_format,
				     overlay,	     NULL };
	g_autofree char *said = NULL;
	g_autoptr(GError) cause = NULL;
	int status = 0;

	unlink(overlay);
	if (g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &said,
			 &status, &cause) &&
	    g_spawn_check_wait_status(status, &cause))
		return g_steal_pointer(&overlay);
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: an overlay of L2's disk could not be made (%s%s)", cause->message,
		    said != NULL ? g_strchomp(said) : "");
	return NULL;
}

static struct domain *start_l2(const struct course *course, const char *name, unsigned int number,
			       const char *workload, bool paused, GError **error)
{
	const struct stage *stage = course->stage;
	g_autofree char *template = stage_job(stage, JOB_L2_DOMAIN);
	g_autofree char *kernel =
		stage_job(stage, job_is_dose(workload) ? JOB_L2_DOSES : JOB_L2_KERNEL);
	g_autofree char *overlay = course->job->own ? make_overlay(stage, error) : NULL;
	const struct l2_spec spec = {
		.name = name,
		.number = number,
		.kernel = course->job->own ? NULL : kernel,
		.workload = workload,
		.memory_mib = course->job->memory_mib,
		.vcpus = course->run->vcpus,
		.append = course->run->append,
		.no_pcid = course->run->pcid == JOB_OFF,
		.disk = course->job->own ? overlay : stage->l2_disk,
		.disk_format = course->job->own ? "qcow2" : stage->l2_disk_format,
	};

	if (course->job->own && overlay == NULL)
		return NULL;
	return l2_domain_start(course->hypervisor, stage, template, &spec, paused, error);
}

struct hypervisor *runs_open_libvirt(const struct stage *stage, const char *uri, const char **root,
				     GError **error)
{
	g_autofree char *capabilities = stage_job(stage, JOB_CAPABILITIES_FOLDER);
	g_autofree char *embedded = NULL;

	*root = NULL;
	if (*uri != '\0')
		return hypervisor_open(&l2_level, uri, error);
	if (stage->libvirt == NULL)
		*root = embedded_root(&l2_level, stage->qemu_conf, capabilities, error);
	else if (embedded_prepare(&l2_level, stage->libvirt, stage->qemu_conf, capabilities, error))
		*root = stage->libvirt;
	if (*root == NULL)
		return NULL;
	embedded = embedded_uri(*root);
	return hypervisor_open(&l2_level, embedded, error);
}

static bool send_capabilities(struct link *link, const struct stage *stage, GError **error)
{
	g_autofree char *where = g_build_filename(stage->libvirt, EMBEDDED_CAPABILITIES, NULL);
	g_autoptr(GDir) folder = g_dir_open(where, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *path = g_build_filename(where, name, NULL);

		if (!texts_send_file(link, JOB_CAPABILITIES_FOLDER, name, path, error))
			return false;
	}
	return true;
}

bool runs_ask_qemu(struct link *link, const struct stage *stage, struct hypervisor *hypervisor,
		   GError **error)
{
	return link_step(link, "L1: libvirt finds out about QEMU", error) &&
	       hypervisor_probe(hypervisor, error) && send_capabilities(link, stage, error);
}

/* An appliance that was given no answers sends those that it gets. */
static bool has_to_ask(const struct course *course)
{
	g_autofree char *given = stage_job(course->stage, JOB_CAPABILITIES_FOLDER);

	return course->stage->libvirt != NULL && course->root != NULL &&
	       !g_file_test(given, G_FILE_TEST_IS_DIR);
}

/* On this machine they are kept for the next time; an appliance's L0 has them. */
static void keep_capabilities(const struct course *course)
{
	g_autofree char *capabilities = stage_job(course->stage, JOB_CAPABILITIES_FOLDER);

	embedded_keep(course->root, capabilities);
}

/* Into the page cache; what cannot be read is told by whoever needs it. */
static void read_ahead(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
	close(fd);
}

/*
 * Once: what comes from a disk for the first time must not look like the cost of the first run. (A
 * run's ticks begin with L2's first instruction, so the first start of libvirt and of QEMU are no
 * part of them.) KVM is loaded: /dev/kvm must be there when libvirt first looks.
 */
static bool warm_up(struct course *course, GError **error)
{
	g_autofree char *kernel = stage_job(course->stage, JOB_L2_KERNEL);

	if (!link_step(course->link, "L1: starting libvirt", error))
		return false;
	read_ahead(L2_EMULATOR);
	read_ahead(kernel);
	read_ahead(course->stage->l2_disk);
	course->hypervisor =
		runs_open_libvirt(course->stage, course->job->uri, &course->root, error);
	return course->hypervisor != NULL &&
	       (!has_to_ask(course) ||
		runs_ask_qemu(course->link, course->stage, course->hypervisor, error));
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
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *text = files[i].get(error);

		if (text == NULL ||
		    !texts_send(course->link, course->run->name, files[i].name, text, error))
			return false;
	}
	return true;
}

/* KVM's own statistics of the VM. */
static bool send_statistics(const struct course *course, struct domain *domain, GError **error)
{
	static const struct {
		const char *name, *command;
	} files[] = {
		{ L1_FILE_STATS_VM,
		  "{\"execute\": \"query-stats\", \"arguments\": {\"target\": \"vm\"}}" },
		{ L1_FILE_STATS_VCPU,
		  "{\"execute\": \"query-stats\", \"arguments\": {\"target\": \"vcpu\"}}" },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *answer = domain_qmp(domain, files[i].command, error);

		if (answer == NULL ||
		    !texts_send(course->link, course->run->name, files[i].name, answer, error))
			return false;
	}
	return true;
}

/* No vCPU runs from here to the VM's end, so all that is read are the last counts that it has. */
static bool look_at_held(const struct course *course, struct domain *domain, GError **error)
{
	return domain_suspend(domain, error) && send_statistics(course, domain, error) &&
	       (!has_witness(course) || send_witness(course, error));
}

static const enum l1_end ends[] = {
	[DOMAIN_ENDED] = L1_END_ENDED, [DOMAIN_CRASHED] = L1_END_CRASHED,
	[DOMAIN_HOLDS] = L1_END_HELD,  [DOMAIN_TIMED_OUT] = L1_END_TIMED_OUT,
	[DOMAIN_STUCK] = L1_END_STUCK,
};

/* What may say why L2 did not start, or did not go on; it is worth no error. */
static void send_qemu_log(const struct course *course)
{
	g_autofree char *path = g_build_filename(course->root, "log/qemu/" L2 ".log", NULL);

	texts_send_file(course->link, course->run->name, L1_FILE_QEMU, path, NULL);
}

/*
 * From QEMU's start until none is left. *ticks is what the time-stamp counter has run from L2's
 * first instruction until it stood still.
 */
static bool live_l2(const struct course *course, enum l1_end *end, uint64_t *ticks, GError **error)
{
	g_autoptr(struct_domain) domain =
		start_l2(course, L2, 2, course->run->workload, true, error);
	enum domain_state state;
	uint64_t begin;

	if (domain == NULL)
		return false;
	if (course->stage->libvirt == NULL && course->root != NULL)
		keep_capabilities(course);
	begin = __rdtsc();
	if (!domain_resume(domain, error))
		return false;
	state = domain_wait(domain, course->job->timeout_seconds);
	*ticks = __rdtsc() - begin;
	*end = ends[state];
	if (state == DOMAIN_STUCK && course->root != NULL)
		send_qemu_log(course);
	return (state != DOMAIN_HOLDS || look_at_held(course, domain, error)) &&
	       domain_destroy(domain, error);
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
	*go_on = (end == L1_END_ENDED || end == L1_END_HELD) && probe_has_spoken(course);
	return link_send(course->link, error);
}

/* With a second VM that has run its workload and stays alive until this one has ended. */
static bool boot_beside_companion(const struct course *course, bool *go_on, GError **error)
{
	g_autofree char *frames = l2_domain_file(course->stage, COMPANION, L2_FRAMES);
	g_autoptr(struct_domain) companion = NULL;

	if (*course->run->companion == '\0')
		return boot_l2(course, go_on, error);
	if (!link_step(course->link, "L2: a second VM first", error))
		return false;
	companion = start_l2(course, COMPANION, 3, course->run->companion, false, error);
	if (companion == NULL)
		return false;
	if (domain_wait(companion, course->job->timeout_seconds) != DOMAIN_HOLDS) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L2,
			    "L2: the second VM did not come to its end with %s; read its console",
			    course->run->name);
		return false;
	}
	return boot_l2(course, go_on, error) && domain_destroy(companion, error) &&
	       texts_send_file(course->link, course->run->name, L1_FILE_COMPANION, frames, error);
}

/* What the tracepoint has counted until L2 said that this is the end; L2 is gone. */
static bool send_histogram(const struct course *course, GError **error)
{
	g_autofree char *text = witness_at_latch(error);

	return text != NULL &&
	       texts_send(course->link, course->run->name, L1_FILE_AT_LATCH, text, error);
}

/* The kernel's own counters around it, if that was asked for. */
static bool boot_before_witness(const struct course *course, bool *go_on, GError **error)
{
	const struct job *job = course->job;
	const bool traced = counts_by_tracepoint(course);
	bool ok;

	if (has_witness(course)) {
		link_frame(course->link, L1_FRAME_WITNESS);
		if (!link_send(course->link, error))
			return false;
	}
	if ((traced || has_witness(course)) && !triggers_arm(has_witness(course), error))
		return false;
	ok = witness_trace(job->tracepoints, error) && boot_beside_companion(course, go_on, error);
	if (ok && traced)
		ok = send_histogram(course, error);
	/* A trigger that is left would keep KVM from being unloaded; the first error counts. */
	if (*job->tracepoints != '\0')
		ok = witness_untrace(ok ? error : NULL) && ok;
	if (traced || has_witness(course))
		ok = triggers_disarm(ok ? error : NULL) && ok;
	return ok;
}

static bool send_files(const struct course *course, int kmsg, GError **error)
{
	g_autofree char *console = l2_domain_file(course->stage, L2, L2_CONSOLE);
	g_autofree char *frames = l2_domain_file(course->stage, L2, L2_FRAMES);
	g_autoptr(GString) log = g_string_new(NULL);
	const char *name = course->run->name;

	return kmsg_read(kmsg, log, error) && texts_send_log(course->link, name, log, error) &&
	       texts_send_file(course->link, name, L1_FILE_CONSOLE, console, error) &&
	       texts_send_file(course->link, name, L1_FILE_PROBE, frames, error);
}

static void forget_files(const struct course *course)
{
	g_autofree char *console = l2_domain_file(course->stage, L2, L2_CONSOLE);
	g_autofree char *frames = l2_domain_file(course->stage, L2, L2_FRAMES);

	unlink(console);
	unlink(frames);
}

/* One run. What L1 logged goes to L0 in any case; the first error is the one that is told. */
static bool do_run(struct course *course, int kmsg, bool *go_on, GError **error)
{
	const struct job_run *run = course->run;
	g_autofree char *options = vendor_options(course->vendor, run);
	g_autofree char *step = g_strdup_printf("L1: loading kvm and %s with %s",
						course->vendor->names[VENDOR_MODULES - 1], options);
	g_autoptr(GError) later = NULL;
	bool ok;

	frame_add_string(link_frame(course->link, L1_FRAME_RUN), "config", run->name);
	if (!link_send(course->link, error))
		return false;
	*go_on = false;
	forget_files(course);
	ok = link_step(course->link, step, error) && reload(course, error) &&
	     send_effect(course->link, course->vendor, error) && set_huge_pages(course, error) &&
	     (course->hypervisor != NULL || warm_up(course, error)) &&
	     boot_before_witness(course, go_on, error);
	if (!ok && course->root != NULL)
		send_qemu_log(course);
	return send_files(course, kmsg, ok ? error : &later) && ok;
}

bool runs_do(struct link *link, const struct stage *stage, const struct job *job, GError **error)
{
	struct course course = {
		.link = link,
		.stage = stage,
		.job = job,
		.vendor = vendor_of_cpu(error),
	};
	int kmsg = course.vendor != NULL ? kmsg_open_at_end(error) : -1;
	bool ok = kmsg >= 0;
	bool go_on = true;

	if (ok && (job->witness || job->source == JOB_TRACEPOINT || *job->tracepoints != '\0'))
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
