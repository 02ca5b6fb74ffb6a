/* SPDX-License-Identifier: GPL-2.0-only */
#include "l1/libvirt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <libxml/xpath.h>

#include "l1/medium.h"
#include "record/kernel_conf.h"
#include "l1/watch.h"
#include "virt/domain.h"
#include "virt/embedded.h"
#include "virt/supervisor.h"
#include "virt/template.h"

static const struct virt_level level = { .here = "L0", .vm = "L1", .code = EPTLAB_ERROR_MACHINE };

#define QEMU "qemu-system-x86_64"

/* The job medium in the working folder. */
#define MEDIUM "job.iso"

/*
 * The domain's character devices: its first and second serial port, which the template makes
 * pseudo-terminals.
 */
#define CONSOLE "serial0"
#define FRAMES	"serial1"

struct l1_vm {
	const struct platform_request *request;
	const struct libvirt_l1 *l1;
	char *name; /* of the domain */
	char *medium;
	const char *root; /* of the embedded driver; NULL: another one is used */
	char *xml;
	struct hypervisor *hypervisor;
	struct domain *domain;
	int console, frames; /* reading ends */
	int terminal;	     /* of its console, for writing; -1: it is not needed, or not known */
};

static bool has_cpus(const struct config_domain *domain, const char *path, GError **error)
{
	g_autoptr(struct_kernel_conf) conf = NULL;

	if (domain->cpus == 1)
		return true;
	conf = kernel_conf_load(path, error);
	if (conf == NULL)
		return false;
	if (domain->cpus <= conf->cpus)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_USAGE,
			   "L0: L1 is to have %u CPUs, but the kernel of the line %s can use "
			   "%" PRIu64 "; build one for more (\"make kernel KERNEL=6.1-smp\") and "
			   "name it (experiment.kernel=6.1-smp)",
			   domain->cpus, conf->line, conf->cpus);
}

bool libvirt_available(const struct config_domain *domain, const char *kernel_conf, GError **error)
{
	static const char *const needed[] = { QEMU,	    "xorriso",	 ISOLINUX_BIN,
					      ISOLINUX_MBR, LDLINUX_C32, NULL };

	return platform_needs(needed, "which a libvirt domain as L1 needs", error) &&
	       has_cpus(domain, kernel_conf, error);
}

static bool fail(GError **error, const char *what)
{
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: L1 could not be set up (%s: %s); free some disk space in /tmp",
			   what, g_strerror(errno));
}

/* ---- The domain ---- */

/* The domain as far as it is the same everywhere: its template, and what is set in it but paths. */
void libvirt_parts(const struct platform_request *request, const struct libvirt_l1 *l1,
		   struct platform_parts *out)
{
	g_autofree char *template = NULL;
	unsigned long version = 0;

	g_file_get_contents(request->l1_domain, &template, NULL, NULL);
	/*
	 * The first call of libvirt decides where its log goes, which would be the user's terminal.
	 * What goes wrong is told as an error.
	 */
	g_setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", FALSE);
	virGetVersion(&version, NULL, NULL);
	out->configuration = g_strdup_printf(
		"libvirt %lu\nuri %s\ntype %s\ncpu %s\ncpus %u\nmemory %u\nl2 %s\n%s", version,
		l1->config->uri, l1->type, l1->cpu != NULL ? l1->cpu : "host-passthrough",
		l1->config->cpus, l1->config->memory_mib, request->l2_format, template);
	out->cmdline = medium_cmdline(request->config->l1.append);
	out->files[0] = QEMU;
}

static bool set_cpu(struct template *template, const struct libvirt_l1 *l1, GError **error)
{
	if (!template_set(template, "/domain/@type", l1->type, error))
		return false;
	if (l1->cpu != NULL)
		return template_set(template, "/domain/cpu/model", l1->cpu, error);
	template_remove_children(template, "/domain/cpu");
	return template_set(template, "/domain/cpu/@mode", "host-passthrough", error);
}

static bool set_disk(struct template *template, const char *target, const char *path,
		     GError **error)
{
	g_autofree char *xpath =
		g_strdup_printf("/domain/devices/disk[target/@dev='%s']/source/@file", target);
	g_autofree char *whole = g_canonicalize_filename(path, NULL);

	return template_set(template, xpath, whole, error);
}

static bool set_disks(struct template *template, const struct l1_vm *vm, GError **error)
{
	const struct platform_request *request = vm->request;

	return set_disk(template, "vda", vm->medium, error) &&
	       set_disk(template, "vdb", request->appliance, error) &&
	       (request->l2_image != NULL
			? set_disk(template, "vdc", request->l2_image, error) &&
				  template_set(
					  template,
					  "/domain/devices/disk[target/@dev='vdc']/driver/@type",
					  request->l2_format, error)
			: template_remove(template, "/domain/devices/disk[target/@dev='vdc']",
					  error));
}

static bool make_xml(struct l1_vm *vm, GError **error)
{
	const struct platform_request *request = vm->request;
	g_autoptr(struct_template) template = template_load(&level, request->l1_domain, error);
	g_autofree char *memory = g_strdup_printf("%u", vm->l1->config->memory_mib);
	g_autofree char *cpus = g_strdup_printf("%u", vm->l1->config->cpus);
	g_autofree char *kernel = g_canonicalize_filename(request->l1_kernel, NULL);
	g_autofree char *cmdline = medium_cmdline(request->config->l1.append);

	if (template == NULL || !template_set(template, "/domain/name", vm->name, error) ||
	    !template_set(template, "/domain/memory", memory, error) ||
	    !template_set(template, "/domain/vcpu", cpus, error) ||
	    !template_set(template, "/domain/os/kernel", kernel, error) ||
	    !template_set(template, "/domain/os/cmdline", cmdline, error) ||
	    !set_cpu(template, vm->l1, error) || !set_disks(template, vm, error))
		return false;
	vm->xml = template_text(template);
	return true;
}

/* ---- libvirt ---- */

/*
 * Another driver than the embedded one runs QEMU as a user of its own, who must get to the job
 * medium: through the folder of the record that is being made, without seeing what else is in it.
 */
static bool let_others_pass(const struct l1_vm *vm, GError **error)
{
	g_autofree char *work = g_path_get_dirname(vm->medium);
	g_autofree char *partial = g_path_get_dirname(work);

	return (g_chmod(partial, 0711) == 0 && g_chmod(work, 0711) == 0) || fail(error, partial);
}

/*
 * The embedded driver's qemu.conf, which is made for L1, with one change: QEMU gets seccomp filters
 * (-sandbox on), so that whoever breaks out of L1 can start nothing. A kernel without them has no
 * such line in its status (proc(5)).
 */
static bool sandbox(const struct l1_vm *vm, GError **error)
{
	static const char line[] = "\nseccomp_sandbox = ";
	g_autofree char *path = g_build_filename(vm->root, "etc/qemu.conf", NULL);
	g_autofree char *text = NULL;
	g_autofree char *status = NULL;
	g_autoptr(GError) cause = NULL;
	char *found;

	g_file_get_contents("/proc/self/status", &status, NULL, NULL);
	if (status == NULL || strstr(status, "\nSeccomp:") == NULL)
		return true;
	if (g_file_get_contents(path, &text, NULL, &cause)) {
		found = strstr(text, line);
		if (found == NULL)
			return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
					   "L0: %s has no line \"seccomp_sandbox = 0\"; restore it",
					   vm->request->qemu_conf);
		found[strlen(line)] = '1';
		if (g_file_set_contents(path, text, -1, &cause))
			return true;
	}
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: libvirt could not be set up (%s)",
			   cause->message);
}

static bool open_hypervisor(struct l1_vm *vm, GError **error)
{
	const char *given = vm->l1->config->uri;
	g_autofree char *uri = g_strdup(given);

	if (*given != '\0' && !let_others_pass(vm, error))
		return false;
	if (*given == '\0') {
		vm->root = embedded_root(&level, vm->request->qemu_conf, vm->request->libvirt_cache,
					 error);
		if (vm->root == NULL || !sandbox(vm, error))
			return false;
		g_free(uri);
		uri = embedded_uri(vm->root);
	}
	vm->hypervisor = hypervisor_open(&level, uri, error);
	return vm->hypervisor != NULL;
}

static bool pump(struct l1_vm *vm, const char *alias, int *from, GError **error)
{
	int ends[2];

	if (!g_unix_open_pipe(ends, FD_CLOEXEC, NULL) ||
	    !g_unix_set_fd_nonblocking(ends[0], TRUE, NULL))
		return fail(error, "pipe");
	*from = ends[0];
	return domain_pump(vm->domain, alias, ends[1], error);
}

/* Of the console, in the XML of a domain that runs; NULL: it does not say. */
static char *find_path(const char *xml)
{
	static const char xpath[] =
		"string(/domain/devices/serial[alias/@name='" CONSOLE "']/source/@path)";
	xmlDocPtr document = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET);
	xmlXPathContextPtr context = document != NULL ? xmlXPathNewContext(document) : NULL;
	xmlXPathObjectPtr found =
		context != NULL ? xmlXPathEvalExpression((const xmlChar *)xpath, context) : NULL;
	char *path = found != NULL ? g_strdup((const char *)found->stringval) : NULL;

	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	xmlFreeDoc(document);
	return path;
}

/*
 * The pseudo-terminal that libvirt's driver in this process has made for the console. A driver of
 * another machine names one of that machine's.
 */
static void open_terminal(struct l1_vm *vm)
{
	virDomainPtr handle = virDomainLookupByName(vm->hypervisor->connection, vm->name);
	char *xml = handle != NULL ? virDomainGetXMLDesc(handle, 0) : NULL;
	g_autofree char *path = NULL;

	if (xml != NULL)
		path = find_path(xml);
	if (path != NULL)
		vm->terminal = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	free(xml);
	if (handle != NULL)
		virDomainFree(handle);
}

/* XON (ASCII), which a terminal neither echoes nor hands on: it is the interrupt that counts. */
static void wake(void *data)
{
	const struct l1_vm *vm = data;

	if (write(vm->terminal, "\x11", 1) < 0)
		g_debug("L1 could not be woken: %s", g_strerror(errno));
}

/*
 * libvirt's driver in this process locks each terminal by a file with its process's number (as UUCP
 * did), and removes it when it is told to. When it is killed, the file stays, and once another
 * process has that number, no libvirt can open a terminal of that name any more.
 */
#define LOCKS "/var/lock"

static void remove_locks_in_the_end(void)
{
	g_autoptr(GDir) folder = g_dir_open(LOCKS, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *path = g_build_filename(LOCKS, name, NULL);
		g_autofree char *holder = NULL;

		if (g_str_has_prefix(name, "LCK..") &&
		    g_file_get_contents(path, &holder, NULL, NULL) &&
		    g_ascii_strtoll(holder, NULL, 10) == getpid())
			supervisor_remove(path);
	}
}

/* Its serial ports are listened to before it executes an instruction. */
static bool start(struct l1_vm *vm, GError **error)
{
	vm->domain = domain_start(vm->hypervisor, vm->name, vm->xml, true, error);
	if (vm->domain != NULL && vm->root != NULL)
		embedded_keep(vm->root, vm->request->libvirt_cache);
	if (vm->domain == NULL || !pump(vm, CONSOLE, &vm->console, error) ||
	    !pump(vm, FRAMES, &vm->frames, error))
		return false;
	remove_locks_in_the_end();
	if (vm->l1->loses_interrupts && vm->root != NULL)
		open_terminal(vm);
	return domain_resume(vm->domain, error);
}

static void stop(void *data)
{
	struct l1_vm *vm = data;

	domain_destroy(vm->domain, NULL);
}

/* What QEMU logs; NULL: another libvirt than the embedded one keeps it. */
static char *log_of(const struct l1_vm *vm)
{
	g_autofree char *name = g_strconcat(vm->name, ".log", NULL);

	return vm->root != NULL ? g_build_filename(vm->root, "log/qemu", name, NULL) : NULL;
}

static bool watch(struct l1_vm *vm, GError **error)
{
	const struct platform_request *request = vm->request;
	g_autofree char *log = log_of(vm);
	const struct watch_request watch = {
		.console = vm->console,
		.frames = vm->frames,
		.screen = -1,
		.ended = domain_ended(vm->domain),
		.to_end = true,
		.stop = stop,
		.wake = vm->terminal >= 0 ? wake : NULL,
		.data = vm,
		.console_file = request->console,
		.log = log,
		.seconds = config_l1_timeout(request->config, vm->l1->config->timeout_seconds),
		.frameset = request->frames,
		.cancellable = request->cancellable,
	};

	return watch_l1(&watch, error) &&
	       watch_judge(request->frames, "L1 ended before its agent had said a word", error);
}

/* ---- What is told of it ---- */

/* Also whether it will do. One that does not say its version is tried. */
static bool describe(const struct l1_vm *vm, struct record_platform *platform, GError **error)
{
	g_autofree char *version = NULL;
	unsigned long number;

	if (virConnectGetVersion(vm->hypervisor->connection, &number) != 0)
		return true;
	version = g_strdup_printf("%lu.%lu.%lu", number / 1000000, number / 1000 % 1000,
				  number % 1000);
	record_set_string(&platform->version, version);
	return vm->l1->fits == NULL || vm->l1->fits(vm->request->job, number, error);
}

/* The domain, and what QEMU has logged where that can be read. A log is worth no error. */
static void write_log(const struct l1_vm *vm)
{
	g_autofree char *path = log_of(vm);
	g_autofree char *said = NULL;
	g_autofree char *text = NULL;

	if (vm->xml == NULL)
		return;
	if (path != NULL)
		g_file_get_contents(path, &said, NULL, NULL);
	text = g_strconcat(vm->xml, "\n", said, NULL);
	g_file_set_contents(vm->request->log, text, -1, NULL);
}

static void clear(struct l1_vm *vm)
{
	const int fds[] = { vm->console, vm->frames, vm->terminal };

	/* Nobody reads any more: that is the end of the pumps, for which domain_free waits. */
	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	domain_free(vm->domain);
	hypervisor_close(vm->hypervisor);
	g_free(vm->name);
	g_free(vm->medium);
	g_free(vm->xml);
}

static struct l1_vm vm_of(const struct platform_request *request, const struct libvirt_l1 *l1)
{
	return (struct l1_vm){
		.request = request,
		.l1 = l1,
		.name = g_strdup_printf("eptlab-l1-%d", getpid()),
		.medium = g_build_filename(request->work, MEDIUM, NULL),
		.console = -1,
		.frames = -1,
		.terminal = -1,
	};
}

char *libvirt_command(const struct platform_request *request, const struct libvirt_l1 *l1,
		      GError **error)
{
	struct l1_vm vm = vm_of(request, l1);
	const char *uri = l1->config->uri;
	char *text = make_xml(&vm, error)
			     ? g_strdup_printf("libvirt (%s), with this domain:\n\n%s",
					       *uri != '\0' ? uri : "its embedded driver", vm.xml)
			     : NULL;

	clear(&vm);
	return text;
}

bool libvirt_boot(const struct platform_request *request, const struct libvirt_l1 *l1,
		  struct record_platform *platform, GError **error)
{
	struct l1_vm vm = vm_of(request, l1);
	g_autofree char *cmdline = medium_cmdline(request->config->l1.append);
	bool ok = medium_make(request, cmdline, vm.medium, error) && make_xml(&vm, error) &&
		  open_hypervisor(&vm, error) && describe(&vm, platform, error) &&
		  start(&vm, error) && watch(&vm, error);

	write_log(&vm);
	clear(&vm);
	/* libvirt quotes QEMU, which may have said much; an error is one line. */
	if (!ok && error != NULL)
		g_strdelimit((*error)->message, "\r\n", ' ');
	return ok;
}
