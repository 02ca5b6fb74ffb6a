/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_VIRT_DOMAIN_H
#define EPTLAB_VIRT_DOMAIN_H

#include <stdbool.h>

#include "virt/hypervisor.h"

/* A transient domain that was started. Errors have the code of its hypervisor's level. */
struct domain;

/*
 * Start what xml describes, under the name that stands there too; paused: before its first
 * instruction. Where the driver can, it is destroyed when this process dies
 * (VIR_DOMAIN_START_AUTODESTROY); the embedded one cannot.
 */
struct domain *domain_start(struct hypervisor *hypervisor, const char *name, const char *xml,
			    bool paused, GError **error);

/*
 * The domain holds once its console, a file of this machine that is there, has that text. Both are
 * copied.
 */
bool domain_watch_console(struct domain *domain, const char *path, const char *text,
			  GError **error);

/* Wait, by event, until it has ended or holds. No longer than seconds of the wall clock. */
enum domain_state {
	DOMAIN_ENDED,
	DOMAIN_CRASHED,
	DOMAIN_HOLDS,
	DOMAIN_TIMED_OUT,
	DOMAIN_STUCK, /* QEMU has stopped its vCPUs unasked: KVM's internal error, a full disk */
} domain_wait(struct domain *domain, unsigned int seconds);

/* A file descriptor that is readable once the domain has ended; the domain's. */
int domain_ended(const struct domain *domain);

/* Stop its vCPUs, or let them go on. */
bool domain_suspend(struct domain *domain, GError **error);
bool domain_resume(struct domain *domain, GError **error);

/*
 * Copy what its character device alias ("serial0") says to the file descriptor to, in a thread of
 * its own, until the domain has ended or nobody reads. to is closed then, also on an error.
 */
bool domain_pump(struct domain *domain, const char *alias, int to, GError **error);

/*
 * Say a command (QMP, JSON) to its QEMU, and return the answer, whatever it is: one object, which
 * may be an error of QEMU's. Free with free.
 */
char *domain_qmp(struct domain *domain, const char *command, GError **error);

/* Destroy it if it has not ended, and wait until no QEMU is left. */
bool domain_destroy(struct domain *domain, GError **error);

/* Frees the structure, and destroys the domain if that was not done. */
void domain_free(struct domain *domain);

typedef struct domain struct_domain;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_domain, domain_free)

/* For hypervisor.c: libvirt's callback; data is the hypervisor. */
int domain_on_lifecycle(virConnectPtr connection, virDomainPtr handle, int event, int detail,
			void *data);

#endif
