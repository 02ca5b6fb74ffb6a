/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/domain.h"

#include <x86intrin.h>
#include <gio/gio.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "agent/stage.h"
#include "model/error.h"

struct hypervisor {
	virConnectPtr connection;
	GThread *events;

	/* Set by the event loop's thread, read by domain_run. */
	GMutex lock;
	GCond changed;
	bool stopped;
	int stopped_detail; /* virDomainEventStoppedDetailType */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)

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

static int on_lifecycle(virConnectPtr connection G_GNUC_UNUSED, virDomainPtr domain G_GNUC_UNUSED,
			int event, int detail, void *data)
{
	struct hypervisor *hypervisor = data;

	if (event != VIR_DOMAIN_EVENT_STOPPED)
		return 0;
	g_mutex_lock(&hypervisor->lock);
	hypervisor->stopped = true;
	hypervisor->stopped_detail = detail;
	g_cond_signal(&hypervisor->changed);
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

/* Wait for the event that the domain has stopped. False after that many seconds without. */
static bool wait_until_stopped(struct hypervisor *hypervisor, unsigned int seconds)
{
	gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
	bool in_time = true;

	g_mutex_lock(&hypervisor->lock);
	while (!hypervisor->stopped && in_time)
		in_time = g_cond_wait_until(&hypervisor->changed, &hypervisor->lock, deadline);
	in_time = hypervisor->stopped;
	g_mutex_unlock(&hypervisor->lock);
	return in_time;
}

/* How long QEMU may take to die once it was told to. */
#define DESTROY_SECONDS 60

static bool destroy(struct hypervisor *hypervisor, virDomainPtr domain, GError **error)
{
	/* A transient domain that ended meanwhile is "not found": that is what was wanted. */
	if (virDomainDestroy(domain) != 0 && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN &&
	    virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID)
		return hypervisor_fail("destroy L2", error);
	if (wait_until_stopped(hypervisor, DESTROY_SECONDS))
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: QEMU did not end within %d s after L2 was destroyed", DESTROY_SECONDS);
	return false;
}

static enum l1_end end_of_detail(int detail)
{
	switch (detail) {
	case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
	case VIR_DOMAIN_EVENT_STOPPED_DESTROYED: /* on_reboot */
		return L1_END_ENDED;
	default:
		return L1_END_CRASHED;
	}
}

static virDomainPtr start(struct hypervisor *hypervisor, const char *template,
			  const struct job *job, unsigned int flags, GError **error)
{
	g_autofree char *xml = domain_xml(template, job, error);
	virDomainPtr domain;

	if (xml == NULL)
		return NULL;
	g_mutex_lock(&hypervisor->lock);
	hypervisor->stopped = false;
	g_mutex_unlock(&hypervisor->lock);
	domain = virDomainCreateXML(hypervisor->connection, xml, flags);
	if (domain == NULL)
		hypervisor_fail("start L2", error);
	return domain;
}

bool domain_warm_up(struct hypervisor *hypervisor, const char *template, const struct job *job,
		    GError **error)
{
	g_autoptr(virDomain) domain =
		start(hypervisor, template, job, VIR_DOMAIN_START_PAUSED, error);

	return domain != NULL && destroy(hypervisor, domain, error);
}

bool domain_run(struct hypervisor *hypervisor, const char *template, const struct job *job,
		enum l1_end *end, uint64_t *ticks, GError **error)
{
	uint64_t begin = __rdtsc();
	g_autoptr(virDomain) domain = start(hypervisor, template, job, VIR_DOMAIN_NONE, error);

	if (domain == NULL)
		return false;
	if (wait_until_stopped(hypervisor, job->timeout_seconds)) {
		*end = end_of_detail(hypervisor->stopped_detail);
	} else {
		if (!destroy(hypervisor, domain, error))
			return false;
		*end = L1_END_TIMED_OUT;
	}
	*ticks = __rdtsc() - begin;
	return true;
}
