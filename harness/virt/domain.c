/* SPDX-License-Identifier: GPL-2.0-only */
#include "virt/domain.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include "base/error.h"
#include "base/each.h"

struct domain {
	struct hypervisor *hypervisor;
	virDomainPtr handle;
	char *name;
	int ended; /* eventfd */

	/* Holding */
	char *console; /* path; NULL: nobody wants to know */
	char *held;    /* what the console then has */
	int watch;     /* inotify, of the console */
	int handle_id; /* of the watch in libvirt's event loop; -1: there is none */

	GPtrArray *pumps; /* of GThread */

	/* Under the hypervisor's lock. */
	bool stopped;
	int stopped_detail; /* virDomainEventStoppedDetailType */
	bool suspended;	    /* an event says so, which may be ours, and old */
	bool stuck;
	bool holds;
	bool unwatched; /* the event loop has let go of the watch */
};

static bool fail(const struct domain *domain, const char *verb, GError **error)
{
	g_autofree char *what = g_strdup_printf("%s %s", verb, domain->hypervisor->level->vm);

	return hypervisor_fail(domain->hypervisor, what, error);
}

static struct domain *find_domain(const struct hypervisor *hypervisor, const char *name)
{
	each (struct domain, domain, hypervisor->domains) {
		if (g_str_equal(domain->name, name))
			return domain;
	}
	return NULL;
}

int domain_on_lifecycle(virConnectPtr connection G_GNUC_UNUSED, virDomainPtr handle, int event,
			int detail, void *data)
{
	struct hypervisor *hypervisor = data;
	struct domain *domain;

	if (event != VIR_DOMAIN_EVENT_STOPPED && event != VIR_DOMAIN_EVENT_SUSPENDED)
		return 0;
	g_mutex_lock(&hypervisor->lock);
	domain = find_domain(hypervisor, virDomainGetName(handle));
	if (domain != NULL && event == VIR_DOMAIN_EVENT_SUSPENDED) {
		domain->suspended = true;
		g_cond_broadcast(&hypervisor->changed);
	} else if (domain != NULL && !domain->stopped) {
		domain->stopped = true;
		domain->stopped_detail = detail;
		eventfd_write(domain->ended, 1);
		g_cond_broadcast(&hypervisor->changed);
	}
	g_mutex_unlock(&hypervisor->lock);
	return 0;
}

static struct domain *domain_new(struct hypervisor *hypervisor, const char *name)
{
	struct domain *domain = g_new0(struct domain, 1);

	domain->hypervisor = hypervisor;
	domain->name = g_strdup(name);
	domain->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	domain->watch = -1;
	domain->handle_id = -1;
	domain->pumps = g_ptr_array_new();
	g_mutex_lock(&hypervisor->lock);
	g_ptr_array_add(hypervisor->domains, domain);
	g_mutex_unlock(&hypervisor->lock);
	return domain;
}

struct domain *domain_start(struct hypervisor *hypervisor, const char *name, const char *xml,
			    bool paused, GError **error)
{
	g_autoptr(struct_domain) domain = domain_new(hypervisor, name);
	unsigned int flags = paused ? VIR_DOMAIN_START_PAUSED : VIR_DOMAIN_NONE;

	if (!hypervisor->embedded)
		flags |= VIR_DOMAIN_START_AUTODESTROY;
	domain->handle = virDomainCreateXML(hypervisor->connection, xml, flags);
	if (domain->handle == NULL) {
		fail(domain, "start", error);
		return NULL;
	}
	return g_steal_pointer(&domain);
}

int domain_ended(const struct domain *domain)
{
	return domain->ended;
}

/* ---- Holding ---- */

static bool console_says_held(const struct domain *domain)
{
	g_autofree char *text = NULL;

	return g_file_get_contents(domain->console, &text, NULL, NULL) &&
	       strstr(text, domain->held) != NULL;
}

static void look_at_console(struct domain *domain)
{
	if (!console_says_held(domain))
		return;
	g_mutex_lock(&domain->hypervisor->lock);
	domain->holds = true;
	g_cond_broadcast(&domain->hypervisor->changed);
	g_mutex_unlock(&domain->hypervisor->lock);
}

/* In libvirt's event loop: the console has grown. */
static void on_console(int watch G_GNUC_UNUSED, int fd, int events G_GNUC_UNUSED, void *data)
{
	struct domain *domain = data;
	char buffer[4096];

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	look_at_console(domain);
}

/* In libvirt's event loop, once on_console is not running, and will not. */
static void on_unwatched(void *data)
{
	struct domain *domain = data;

	g_mutex_lock(&domain->hypervisor->lock);
	domain->unwatched = true;
	g_cond_broadcast(&domain->hypervisor->changed);
	g_mutex_unlock(&domain->hypervisor->lock);
}

static void unwatch(struct domain *domain)
{
	struct hypervisor *hypervisor = domain->hypervisor;

	if (domain->handle_id >= 0 && virEventRemoveHandle(domain->handle_id) == 0) {
		g_mutex_lock(&hypervisor->lock);
		while (!domain->unwatched)
			g_cond_wait(&hypervisor->changed, &hypervisor->lock);
		g_mutex_unlock(&hypervisor->lock);
	}
	if (domain->watch >= 0)
		close(domain->watch);
}

bool domain_watch_console(struct domain *domain, const char *path, const char *text, GError **error)
{
	const struct virt_level *level = domain->hypervisor->level;

	domain->console = g_strdup(path);
	domain->held = g_strdup(text);
	domain->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (domain->watch >= 0 && inotify_add_watch(domain->watch, path, IN_MODIFY) >= 0)
		domain->handle_id = virEventAddHandle(domain->watch, VIR_EVENT_HANDLE_READABLE,
						      on_console, domain, on_unwatched);
	if (domain->handle_id >= 0) {
		look_at_console(domain);
		return true;
	}
	return eptlab_fail(error, level->code,
			   "%s: %s's console %s cannot be watched (%s); the kernel needs "
			   "CONFIG_INOTIFY_USER",
			   level->here, level->vm, path, g_strerror(errno));
}

/* ---- Its life ---- */

/* With the lock, which is given back for a moment: it should run; does it? */
static bool is_stuck(struct domain *domain)
{
	int state, reason;

	if (domain->suspended) {
		domain->suspended = false;
		g_mutex_unlock(&domain->hypervisor->lock);
		domain->stuck = virDomainGetState(domain->handle, &state, &reason, 0) == 0 &&
				state == VIR_DOMAIN_PAUSED;
		g_mutex_lock(&domain->hypervisor->lock);
	}
	return domain->stuck;
}

/*
 * Wait until it has stopped; or, if that is enough, until it holds or does not run any more. False
 * when the time is up.
 */
static bool wait_until(struct domain *domain, bool or_holds, unsigned int seconds)
{
	gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
	struct hypervisor *hypervisor = domain->hypervisor;
	bool in_time = true, good;

	g_mutex_lock(&hypervisor->lock);
	/* Nothing is missed: what is_stuck lets happen is looked at after it. */
	while (!(or_holds && is_stuck(domain)) && !domain->stopped &&
	       !(or_holds && domain->holds) && in_time)
		in_time = g_cond_wait_until(&hypervisor->changed, &hypervisor->lock, deadline);
	good = domain->stopped || (or_holds && (domain->holds || domain->stuck));
	g_mutex_unlock(&hypervisor->lock);
	return good;
}

enum domain_state domain_wait(struct domain *domain, unsigned int seconds)
{
	if (!wait_until(domain, true, seconds))
		return DOMAIN_TIMED_OUT;
	if (!domain->stopped)
		return domain->holds ? DOMAIN_HOLDS : DOMAIN_STUCK;
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
	return virDomainSuspend(domain->handle) == 0 || fail(domain, "suspend", error);
}

bool domain_resume(struct domain *domain, GError **error)
{
	return virDomainResume(domain->handle) == 0 || fail(domain, "resume", error);
}

char *domain_qmp(struct domain *domain, const char *command, GError **error)
{
	char *answer = NULL;

	if (virDomainQemuMonitorCommand(domain->handle, command, &answer, 0) == 0)
		return answer;
	fail(domain, "talk to the QEMU of", error);
	return NULL;
}

/* How long QEMU may take to die once it was told to. */
#define DESTROY_SECONDS 60

bool domain_destroy(struct domain *domain, GError **error)
{
	const struct virt_level *level = domain->hypervisor->level;
	virDomainPtr handle = g_steal_pointer(&domain->handle);
	bool ok = true;

	if (handle == NULL)
		return true;
	/* A transient domain that ended meanwhile is "not found": that is what was wanted. */
	if (!wait_until(domain, false, 0) && virDomainDestroy(handle) != 0 &&
	    virGetLastErrorCode() != VIR_ERR_NO_DOMAIN &&
	    virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID)
		ok = fail(domain, "destroy", error);
	virDomainFree(handle);
	if (!ok || wait_until(domain, false, DESTROY_SECONDS))
		return ok;
	return eptlab_fail(error, level->code,
			   "%s: QEMU did not end within %d s after %s was destroyed", level->here,
			   DESTROY_SECONDS, level->vm);
}

/* ---- Its character devices ---- */

struct pump {
	virStreamPtr stream;
	int to;
};

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

static void *run_pump(void *data)
{
	struct pump *pump = data;
	char buffer[16384];
	int n;

	while ((n = virStreamRecv(pump->stream, buffer, sizeof(buffer))) > 0 &&
	       write_all(pump->to, buffer, (size_t)n))
		;
	virStreamAbort(pump->stream);
	virStreamFree(pump->stream);
	close(pump->to);
	g_free(pump);
	return NULL;
}

bool domain_pump(struct domain *domain, const char *alias, int to, GError **error)
{
	g_autofree char *verb = g_strdup_printf("open %s of", alias);
	virStreamPtr stream = virStreamNew(domain->hypervisor->connection, 0);
	struct pump *pump;

	if (stream == NULL || virDomainOpenConsole(domain->handle, alias, stream, 0) != 0) {
		fail(domain, verb, error);
		if (stream != NULL)
			virStreamFree(stream);
		close(to);
		return false;
	}
	pump = g_new(struct pump, 1);
	*pump = (struct pump){ .stream = stream, .to = to };
	g_ptr_array_add(domain->pumps, g_thread_new(alias, run_pump, pump));
	return true;
}

void domain_free(struct domain *domain)
{
	if (domain == NULL)
		return;
	domain_destroy(domain, NULL);
	/*
	 * Its end is the end of its character devices. Of one that could not be destroyed nobody
	 * knows when they end; its pumps have all that they need.
	 */
	for (unsigned int i = 0; i < domain->pumps->len; i++) {
		if (wait_until(domain, false, 0))
			g_thread_join(g_ptr_array_index(domain->pumps, i));
		else
			g_thread_unref(g_ptr_array_index(domain->pumps, i));
	}
	g_ptr_array_unref(domain->pumps);
	unwatch(domain);
	g_mutex_lock(&domain->hypervisor->lock);
	g_ptr_array_remove(domain->hypervisor->domains, domain);
	g_mutex_unlock(&domain->hypervisor->lock);
	close(domain->ended);
	g_free(domain->name);
	g_free(domain->console);
	g_free(domain->held);
	g_free(domain);
}
