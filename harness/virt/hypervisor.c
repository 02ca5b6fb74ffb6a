/* SPDX-License-Identifier: GPL-2.0-only */
#include "virt/hypervisor.h"

#include <libvirt/virterror.h>

#include "base/error.h"
#include "virt/domain.h"

bool hypervisor_fail(const struct hypervisor *hypervisor, const char *what, GError **error)
{
	const struct virt_level *level = hypervisor->level;

	return eptlab_fail(error, level->code, "%s: libvirt could not %s (%s)", level->here, what,
			   virGetLastErrorMessage());
}

/* libvirt wants its event loop to run before the embedded driver is opened. */
static void *run_events(void *unused G_GNUC_UNUSED)
{
	for (;;) {
		if (virEventRunDefaultImpl() != 0)
			g_error("libvirt's event loop failed (%s)", virGetLastErrorMessage());
	}
	return NULL;
}

/* libvirt's own errors come back through virGetLastError; nothing is to be printed beside. */
static void ignore_error(void *unused G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

/* Once in a process; the loop and its thread have no end but the process's. */
static bool start_events(void)
{
	static gsize state;

	if (g_once_init_enter(&state)) {
		bool ok;

		virSetErrorFunc(NULL, ignore_error);
		ok = virEventRegisterDefaultImpl() == 0;
		if (ok)
			g_thread_unref(g_thread_new("libvirt-events", run_events, NULL));
		g_once_init_leave(&state, ok ? 1 : 2);
	}
	return state == 1;
}

static bool open_connection(struct hypervisor *hypervisor, const char *uri, GError **error)
{
	g_autofree char *what = g_strdup_printf("open %s", uri);

	hypervisor->connection = virConnectOpen(uri);
	if (hypervisor->connection == NULL)
		return hypervisor_fail(hypervisor, what, error);
	return virConnectDomainEventRegisterAny(
		       hypervisor->connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
		       VIR_DOMAIN_EVENT_CALLBACK(domain_on_lifecycle), hypervisor, NULL) >= 0 ||
	       hypervisor_fail(hypervisor, "register for the events of a domain", error);
}

struct hypervisor *hypervisor_open(const struct virt_level *level, const char *uri, GError **error)
{
	struct hypervisor *hypervisor = g_new0(struct hypervisor, 1);

	hypervisor->level = level;
	hypervisor->embedded = g_str_has_prefix(uri, "qemu:///embed");
	g_mutex_init(&hypervisor->lock);
	g_cond_init(&hypervisor->changed);
	hypervisor->domains = g_ptr_array_new();
	if (!start_events())
		hypervisor_fail(hypervisor, "set up its event loop", error);
	else if (open_connection(hypervisor, uri, error))
		return hypervisor;
	hypervisor_close(hypervisor);
	return NULL;
}

void hypervisor_close(struct hypervisor *hypervisor)
{
	if (hypervisor != NULL && hypervisor->connection != NULL)
		virConnectClose(g_steal_pointer(&hypervisor->connection));
}

bool hypervisor_probe(struct hypervisor *hypervisor, GError **error)
{
	g_autofree char *xml = virConnectGetDomainCapabilities(hypervisor->connection, NULL,
							       "x86_64", "pc", "kvm", 0);

	return xml != NULL ||
	       hypervisor_fail(hypervisor, "find out about QEMU's capabilities", error);
}
