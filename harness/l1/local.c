/* SPDX-License-Identifier: GPL-2.0-only */
/* L1 is this machine. */
#include "l1/local.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "config/paths.h"
#include "agent/stage.h"
#include "kmod/kvm_state.h"
#include "kmod/holders.h"
#include "kmod/modules.h"
#include "record/kernel_conf.h"
#include "l1/emulator.h"
#include "l1/host.h"
#include "l1/platform.h"

/* Gone at the next boot of the machine, as are the modules that are loaded. */
#define STATE_FOLDER "/run/eptlab"
#define STATE	     STATE_FOLDER "/modules-before.conf"
#define LOCK	     STATE_FOLDER "/lock"

#define QEMU "qemu-system-x86_64"

#define HOLDERS_SECONDS 10

/* ---- Before anything is touched ---- */

static const char *folder_of(const struct config *config)
{
	return *config->local.modules != '\0' ? config->local.modules : NULL;
}

static bool is_kernel_built(const struct kernel_conf *conf, GError **error)
{
	struct utsname running;

	uname(&running);
	return g_str_equal(running.release, conf->release) ||
	       platform_refuse(error,
			       "the running kernel is %s, and %s was built; boot that one (\"make "
			       "install-kernel\" says how), or set any_modules=1 in [local]",
			       running.release, conf->release);
}

static bool is_module_built(const struct kernel_conf *conf, const char *folder, const char *name,
			    GError **error)
{
	const char *built = kernel_conf_build_id(conf, name);
	g_autofree char *found = modules_file_build_id(folder, name);

	/* Of a compressed file nobody knows: the rule "modules" looks at what is loaded. */
	return found == NULL || g_strcmp0(found, built) == 0 ||
	       platform_refuse(
		       error,
		       "the module %s of %s has the build-id %s, and %s was built; give the folder "
		       "of "
		       "the built ones (modules in [local]), or set any_modules=1",
		       name, folder != NULL ? folder : "the running kernel", found,
		       built != NULL ? built : "none");
}

static bool are_built(const struct config *config, const struct vendor *vendor, const char *path,
		      GError **error)
{
	g_autoptr(struct_kernel_conf) conf = NULL;

	if (config->local.any_modules || config_is_tracepoint(config))
		return true;
	conf = kernel_conf_load(path, error);
	if (conf == NULL || !is_kernel_built(conf, error))
		return false;
	for (unsigned int i = 0; i < VENDOR_MODULES; i++) {
		if (!is_module_built(conf, folder_of(config), vendor->names[i], error))
			return false;
	}
	return true;
}

static bool can_reload(const struct vendor *vendor, GError **error)
{
	g_autofree char *who = NULL;

	for (unsigned int i = 1; i < VENDOR_MODULES; i++) {
		if (modules_is_builtin(vendor->names[i]))
			return platform_refuse(
				error,
				"%s is built into the running kernel and cannot be reloaded; "
				"boot one that has KVM as modules",
				vendor->names[i]);
	}
	who = holders_of_kvm("");
	return who == NULL ||
	       platform_refuse(error,
			       "KVM is in use by %s, and would have to be unloaded; end that first",
			       who);
}

static bool local_available(const struct config *config, const char *kernel_conf, GError **error)
{
	const struct vendor *vendor;
	g_autofree char *qemu = g_find_program_in_path(QEMU);
	g_autoptr(GError) cause = NULL;

	vendor = vendor_of_cpu(&cause);
	if (vendor == NULL)
		return platform_refuse(error,
				       "this CPU has neither VMX nor SVM; take another platform");
	if (geteuid() != 0)
		return platform_refuse(error, "reloading KVM needs root; run it as root");
	if (qemu == NULL)
		return platform_refuse(error, QEMU " is not installed; %s", paths_get_packages());
	return can_reload(vendor, error) && are_built(config, vendor, kernel_conf, error);
}

static void local_describe(const struct config *config G_GNUC_UNUSED, struct record_platform *out)
{
	struct host host;

	host_read("", &host);
	record_set_string(&out->name, "local");
	record_set_string(&out->cpu, host.cpu);
	record_set_string(&out->vendor, host.vendor != NULL ? host.vendor : "vmx");
	out->cpus = record_u64_from(g_get_num_processors());
	host_clear(&host);
}

static void local_parts(const struct platform_request *request G_GNUC_UNUSED,
			struct platform_parts *out)
{
	struct utsname running;

	uname(&running);
	out->kernel = g_strdup_printf("%s %s", running.release, running.version);
	if (!g_file_get_contents("/proc/cmdline", &out->cmdline, NULL, NULL))
		out->cmdline = g_strdup("");
}

/* ---- The folder that the agent works in ---- */

static bool link_one(const char *folder, const char *name, const char *target, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *whole = NULL;

	if (target == NULL)
		return true;
	whole = g_canonicalize_filename(target, NULL);
	if (g_mkdir_with_parents(parent, 0755) == 0 && symlink(whole, path) == 0)
		return true;
	return platform_refuse(error,
			       "the job could not be prepared (%s: %s); free some disk space", path,
			       g_strerror(errno));
}

static bool write_job(const struct platform_request *request, const char *folder, GError **error)
{
	g_autofree char *path = g_build_filename(folder, JOB_FILE, NULL);
	g_autofree char *text = job_to_text(request->job);
	g_autoptr(GError) cause = NULL;

	return g_file_set_contents(path, text, -1, &cause) ||
	       platform_refuse(error, "the job could not be prepared (%s); free some disk space",
			       cause->message);
}

static bool fill(const struct platform_request *request, GError **error)
{
	g_autofree char *job = g_build_filename(request->work, STAGE_HERE_JOB, NULL);
	const bool qcow2 = g_strcmp0(request->l2_format, "qcow2") == 0;

	g_mkdir_with_parents(request->libvirt_cache, 0755);
	return link_one(job, JOB_MODULES, folder_of(request->config), error) &&
	       link_one(job, JOB_L2_KERNEL, request->l2_kernel, error) &&
	       link_one(job, JOB_L2_DOSES, request->l2_doses, error) &&
	       link_one(job, JOB_L2_DOMAIN, request->l2_domain, error) &&
	       link_one(job, qcow2 ? JOB_DISK_QCOW2 : JOB_DISK_RAW, request->l2_image, error) &&
	       link_one(job, JOB_CAPABILITIES_FOLDER, request->libvirt_cache, error) &&
	       link_one(request->work, STAGE_HERE_QEMU_CONF, request->qemu_conf, error) &&
	       write_job(request, job, error);
}

static bool run_agent(const struct platform_request *request, GError **error)
{
	g_autofree char *work = g_canonicalize_filename(request->work, NULL);
	g_autofree char *console = g_build_filename(work, STAGE_HERE_CONSOLE, NULL);
	g_autofree char *frames = g_build_filename(work, STAGE_HERE_LINK, NULL);
	const char *const argv[] = { request->agent, work, NULL };
	g_auto(GStrv) environment = g_get_environ();
	const struct emulator_request agent = {
		.argv = argv,
		.environment = environment,
		.folder = work,
		.console_fifo = console,
		.frames_fifo = frames,
		.console_file = request->console,
		.seconds =
			config_l1_timeout(request->config, request->config->local.timeout_seconds),
		.told = true,
		.frames = request->frames,
		.cancellable = request->cancellable,
	};

	if (!emulator_run(&agent, error))
		return false;
	if (frameset_is_complete(request->frames))
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_L1,
			   "L1: the agent ended in the middle of its report; read l1-console.log");
}

/* ---- KVM's modules ---- */

/* Of one eptlab at a time; the descriptor holds it. -1: another one has it. */
static int lock(GError **error)
{
	int fd;

	g_mkdir_with_parents(STATE_FOLDER, 0700);
	fd = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd < 0)
		platform_refuse(error, "%s could not be opened (%s)", LOCK, g_strerror(errno));
	else
		platform_refuse(
			error, "another eptlab is reloading KVM on this machine; wait for its end");
	if (fd >= 0)
		close(fd);
	return -1;
}

/*
 * What is noted is taken back only when all is as it was. A libvirt of the user's own ends L2 a
 * moment after the agent, its client, has ended (autodestroy).
 */
static bool restore(const struct kvm_state *before, GError **error)
{
	holders_wait("", HOLDERS_SECONDS);
	if (!kvm_state_restore(before, error))
		return false;
	unlink(STATE);
	return true;
}

/* The first error is the one that counts; that modules are not as before must be told all the same.
 */
static bool finish(bool ok, const struct kvm_state *before, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (restore(before, &cause))
		return ok;
	if (ok) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	g_prefix_error(error, "%s; before that, ", cause->message);
	return false;
}

static char *local_command(const struct platform_request *request, GError **error G_GNUC_UNUSED)
{
	return g_strdup_printf("%s %s", request->agent, request->work);
}

static bool local_boot(const struct platform_request *request,
		       struct record_platform *platform G_GNUC_UNUSED, struct record_u64 *ticks,
		       GError **error)
{
	const struct vendor *vendor = vendor_of_cpu(error);
	g_autoptr(struct_kvm_state) before = NULL;
	bool ok;
	int held;

	*ticks = (struct record_u64){ .known = false };
	if (vendor == NULL || !fill(request, error))
		return false;
	held = lock(error);
	if (held < 0)
		return false;
	before = kvm_state_read(vendor, folder_of(request->config));
	ok = kvm_state_save(before, STATE, error);
	if (ok)
		ok = finish(run_agent(request, error), before, error);
	close(held);
	return ok;
}

bool local_repair(char **said, GError **error)
{
	g_autoptr(struct_kvm_state) before = NULL;
	g_autoptr(GError) cause = NULL;
	int held;
	bool ok;

	*said = NULL;
	if (geteuid() != 0 || !g_file_test(STATE, G_FILE_TEST_EXISTS))
		return true;
	/* Another eptlab that is at work knows what it does. */
	held = lock(NULL);
	if (held < 0)
		return true;
	before = kvm_state_load(STATE, &cause);
	ok = cause == NULL;
	if (before != NULL) {
		g_autofree char *words = kvm_state_words(before);

		ok = restore(before, &cause);
		if (ok)
			*said = g_strdup_printf("An earlier eptlab was killed while KVM was "
						"reloaded; restored: %s",
						words);
	}
	close(held);
	if (!ok)
		g_propagate_error(error, g_steal_pointer(&cause));
	return ok;
}

const struct platform platform_local = {
	.name = "local",
	.what = "L1 is this machine itself; taken only when asked for",
	.takes_guest = true,
	.is_this_machine = true,
	.available = local_available,
	.describe = local_describe,
	.parts = local_parts,
	.command = local_command,
	.boot = local_boot,
};
