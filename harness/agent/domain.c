/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/domain.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <gio/gio.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "agent/stage.h"
#include "model/error.h"

struct hypervisor {
	virConnectPtr connection;
	GThread *events;

	/* Changed by the event loop's thread; of struct domain. */
	GMutex lock;
	GCond changed;
	GPtrArray *domains;
};

struct domain {
	struct hypervisor *hypervisor;
	virDomainPtr handle;
	char *name;
	char *console; /* path */
	int watch;     /* inotify, of the console; -1: nobody wants to know when it holds */
	int handle_id; /* of the watch in libvirt's event loop; -1: none */

	/* Under the hypervisor's lock. */
	bool stopped;
	int stopped_detail; /* virDomainEventStoppedDetailType */
	bool holds;
};

static bool hypervisor_fail(const char *what, GError **error)
{
	const char *cause = virGetLastErrorMessage();

	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1, "L1: libvirt could not %s (%s)", what,
		    cause);
	return false;
}

/* libvirt wants its event loop to run before the embedded driver is opened. */
static void *run_events(void *unused G_GNUC_UNUSED)
{
	for (;;) {
		if (virEventRunDefaultImpl() != 0)
			g_error("L1: libvirt's event loop failed (%s)", virGetLastErrorMessage());
	}
	return NULL;
}

/* libvirt's own errors come back through virGetLastError; nothing is to be printed beside. */
static void ignore_error(void *unused G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

static struct domain *find_domain(const struct hypervisor *hypervisor, const char *name)
{
	for (unsigned int i = 0; i < hypervisor->domains->len; i++) {
		struct domain *domain = g_ptr_array_index(hypervisor->domains, i);

		if (g_str_equal(domain->name, name))
			return domain;
	}
	return NULL;
}

static int on_lifecycle(virConnectPtr connection G_GNUC_UNUSED, virDomainPtr handle, int event,
			int detail, void *data)
{
	struct hypervisor *hypervisor = data;
	struct domain *domain;

	if (event != VIR_DOMAIN_EVENT_STOPPED)
		return 0;
	g_mutex_lock(&hypervisor->lock);
	domain = find_domain(hypervisor, virDomainGetName(handle));
	if (domain != NULL) {
		domain->stopped = true;
		domain->stopped_detail = detail;
		g_cond_broadcast(&hypervisor->changed);
	}
	g_mutex_unlock(&hypervisor->lock);
	return 0;
}

static bool copy_file(const char *from, const char *to, GError **error)
{
	g_autoptr(GFile) source = g_file_new_for_path(from);
	g_autoptr(GFile) target = g_file_new_for_path(to);
	g_autoptr(GError) cause = NULL;

	if (g_file_copy(source, target, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, &cause))
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1, "L1: %s could not be copied to %s (%s)",
		    from, to, cause->message);
	return false;
}

/* A job medium without that folder is one on which libvirt has to find out by itself. */
static bool copy_capabilities(const char *root, const char *from, GError **error)
{
	g_autoptr(GDir) folder = g_dir_open(from, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *source = g_build_filename(from, name, NULL);
		g_autofree char *target =
			g_build_filename(root, "cache/qemu/capabilities", name, NULL);

		if (!copy_file(source, target, error))
			return false;
	}
	return true;
}

struct hypervisor *hypervisor_open(const char *root, const char *capabilities, GError **error)
{
	g_autofree char *uri = g_strdup_printf("qemu:///embed?root=%s", root);
	g_autofree char *conf = g_build_filename(root, "etc/qemu.conf", NULL);
	struct hypervisor *hypervisor;

	if (!copy_capabilities(root, capabilities, error) ||
	    !copy_file(STAGE_QEMU_CONF, conf, error))
		return NULL;
	virSetErrorFunc(NULL, ignore_error);
	if (virEventRegisterDefaultImpl() != 0) {
		hypervisor_fail("set up its event loop", error);
		return NULL;
	}
	hypervisor = g_new0(struct hypervisor, 1);
	g_mutex_init(&hypervisor->lock);
	g_cond_init(&hypervisor->changed);
	hypervisor->domains = g_ptr_array_new();
	hypervisor->events = g_thread_new("libvirt-events", run_events, NULL);
	hypervisor->connection = virConnectOpen(uri);
	if (hypervisor->connection == NULL) {
		hypervisor_fail("open its embedded qemu driver", error);
	} else if (virConnectDomainEventRegisterAny(
			   hypervisor->connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
			   VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), hypervisor, NULL) < 0) {
		hypervisor_fail("register for the events of a domain", error);
	} else {
		return hypervisor;
	}
	hypervisor_close(hypervisor);
	return NULL;
}

/*
 * The event loop's thread has no end but the process's, so the structure that its callback writes
 * to stays: this is called once, when L1 is about to be powered off.
 */
void hypervisor_close(struct hypervisor *hypervisor)
{
	if (hypervisor->connection != NULL)
		virConnectClose(hypervisor->connection);
	hypervisor->connection = NULL;
}

bool hypervisor_probe(struct hypervisor *hypervisor, GError **error)
{
	g_autofree char *xml = virConnectGetDomainCapabilities(hypervisor->connection, NULL,
							       "x86_64", "pc", "kvm", 0);

	return xml != NULL || hypervisor_fail("find out about QEMU's capabilities", error);
}

char *domain_file(const char *name, const char *file)
{
	return g_build_filename(STAGE_L2_FILES, name, file, NULL);
}

/* ---- Holding ---- */

static bool console_says_held(const struct domain *domain)
{
	g_autofree char *text = NULL;

	return g_file_get_contents(domain->console, &text, NULL, NULL) &&
	       strstr(text, DOMAIN_HELD) != NULL;
}

/* In libvirt's event loop: the console has grown. */
static void on_console(int watch G_GNUC_UNUSED, int fd, int events G_GNUC_UNUSED, void *data)
{
	struct domain *domain = data;
	char buffer[4096];

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	if (!console_says_held(domain))
		return;
	g_mutex_lock(&domain->hypervisor->lock);
	domain->holds = true;
	g_cond_broadcast(&domain->hypervisor->changed);
	g_mutex_unlock(&domain->hypervisor->lock);
}

static bool watch_console(struct domain *domain, GError **error)
{
	domain->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (domain->watch >= 0 && inotify_add_watch(domain->watch, domain->console, IN_MODIFY) >= 0)
		domain->handle_id = virEventAddHandle(domain->watch, VIR_EVENT_HANDLE_READABLE,
						      on_console, domain, NULL);
	if (domain->handle_id >= 0)
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: L2's console %s cannot be watched (%s); L1's kernel needs "
		    "CONFIG_INOTIFY_USER",
		    domain->console, g_strerror(errno));
	return false;
}

/* ---- One domain ---- */

/* Wait until it has stopped, or holds if that is enough. False when the time is up. */
static bool wait_until(struct domain *domain, bool or_holds, unsigned int seconds)
{
	gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
	struct hypervisor *hypervisor = domain->hypervisor;
	bool in_time = true, good;

	g_mutex_lock(&hypervisor->lock);
	while (!domain->stopped && !(or_holds && domain->holds) && in_time)
		in_time = g_cond_wait_until(&hypervisor->changed, &hypervisor->lock, deadline);
	good = domain->stopped || (or_holds && domain->holds);
	g_mutex_unlock(&hypervisor->lock);
	return good;
}

/* QEMU opens the files that its serial ports write; to be watched they must be there before. */
static bool make_files(const struct domain *domain, GError **error)
{
	const char *const files[] = { DOMAIN_CONSOLE, DOMAIN_FRAMES };
	g_autofree char *folder = domain_file(domain->name, "");
	g_autoptr(GError) cause = NULL;

	g_mkdir_with_parents(folder, 0755);
	for (unsigned int i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = domain_file(domain->name, files[i]);

		if (!g_file_set_contents(path, "", 0, &cause)) {
			g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
				    "L1: a file for L2's serial port could not be made (%s)",
				    cause->message);
			return false;
		}
	}
	return true;
}

static struct domain *domain_new(struct hypervisor *hypervisor, const char *name)
{
	struct domain *domain = g_new0(struct domain, 1);

	domain->hypervisor = hypervisor;
	domain->name = g_strdup(name);
	domain->console = domain_file(name, DOMAIN_CONSOLE);
	domain->watch = -1;
	domain->handle_id = -1;
	g_mutex_lock(&hypervisor->lock);
	g_ptr_array_add(hypervisor->domains, domain);
	g_mutex_unlock(&hypervisor->lock);
	return domain;
}

struct domain *domain_start(struct hypervisor *hypervisor, const char *template,
			    const struct domain_spec *spec, bool paused, GError **error)
{
	g_autofree char *xml = domain_xml(template, spec, error);
	g_autoptr(struct_domain) domain = domain_new(hypervisor, spec->name);

	if (xml == NULL || !make_files(domain, error) ||
	    (spec->hold && !watch_console(domain, error)))
		return NULL;
	domain->handle = virDomainCreateXML(hypervisor->connection, xml,
					    paused ? VIR_DOMAIN_START_PAUSED : VIR_DOMAIN_NONE);
	if (domain->handle != NULL)
		return g_steal_pointer(&domain);
	hypervisor_fail("start L2", error);
	return NULL;
}

enum domain_state domain_wait(struct domain *domain, unsigned int seconds)
{
	if (!wait_until(domain, true, seconds))
		return DOMAIN_TIMED_OUT;
	if (!domain->stopped)
		return DOMAIN_HOLDS;
	switch (domain->stopped_detail) {
	case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
	case VIR_DOMAIN_EVENT_STOPPED_DESTROYED: /* on_reboot */
		return DOMAIN_ENDED;
	default:
		return DOMAIN_CRASHED;
	}
}

bool domain_suspend(struct domain *domain, GError **error)
{
	return virDomainSuspend(domain->handle) == 0 || hypervisor_fail("suspend L2", error);
}

/* How long QEMU may take to die once it was told to. */
#define DESTROY_SECONDS 60

bool domain_destroy(struct domain *domain, GError **error)
{
	virDomainPtr handle = g_steal_pointer(&domain->handle);
	bool ok = true;

	if (handle == NULL)
		return true;
	/* A transient domain that ended meanwhile is "not found": that is what was wanted. */
	if (!wait_until(domain, false, 0) && virDomainDestroy(handle) != 0 &&
	    virGetLastErrorCode() != VIR_ERR_NO_DOMAIN &&
	    virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID)
		ok = hypervisor_fail("destroy L2", error);
	virDomainFree(handle);
	if (!ok || wait_until(domain, false, DESTROY_SECONDS))
		return ok;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: QEMU did not end within %d s after L2 was destroyed", DESTROY_SECONDS);
	return false;
}

void domain_free(struct domain *domain)
{
	if (domain == NULL)
		return;
	domain_destroy(domain, NULL);
	if (domain->handle_id >= 0)
		virEventRemoveHandle(domain->handle_id);
	if (domain->watch >= 0)
		close(domain->watch);
	g_mutex_lock(&domain->hypervisor->lock);
	g_ptr_array_remove(domain->hypervisor->domains, domain);
	g_mutex_unlock(&domain->hypervisor->lock);
	g_free(domain->name);
	g_free(domain->console);
	g_free(domain);
}
