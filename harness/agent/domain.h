/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_DOMAIN_H
#define EPTLAB_AGENT_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "model/job.h"
#include "model/l1_result.h"

/* libvirt's qemu driver inside this process (qemu:///embed), with its event loop. */
struct hypervisor;

/*
 * Open it below the folder root. The folder capabilities is where answers of an earlier libvirt
 * about QEMU are; they are copied in, and libvirt itself decides whether they still hold.
 * EPTLAB_ERROR_L1.
 */
struct hypervisor *hypervisor_open(const char *root, const char *capabilities, GError **error);
void hypervisor_close(struct hypervisor *hypervisor);

typedef struct hypervisor struct_hypervisor;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_hypervisor, hypervisor_close)

/*
 * Let libvirt find out about QEMU, which makes the files in root/cache/qemu/capabilities.
 * EPTLAB_ERROR_L1.
 */
bool hypervisor_probe(struct hypervisor *hypervisor, GError **error);

/* What is filled in to the template of a domain. All is borrowed. */
struct domain_spec {
	const char *name;     /* also of the folder below STAGE_L2_FILES with its serial ports */
	unsigned int number;  /* of its UUID: no two domains have the same */
	const char *kernel;   /* path in L1 */
	const char *workload; /* eptlab.workload= */
	bool hold;	      /* eptlab.hold: stand still at the end instead of powering off */
	unsigned int memory_mib;
	unsigned int vcpus;
	const char *append;
};

/* The domain's XML: the template with that filled in. Free with g_free. EPTLAB_ERROR_L1. */
char *domain_xml(const char *template, const struct domain_spec *spec, GError **error);

/* Files of a domain, from its serial ports: the console, and the frames. The caller frees it. */
char *domain_file(const char *name, const char *file);
#define DOMAIN_CONSOLE "console.log"
#define DOMAIN_FRAMES  "probe.frames"

/* What a guest writes to its console when it has said all and holds. */
#define DOMAIN_HELD "eptlab: held"

/* A test VM that was started. */
struct domain;

/*
 * Start it from the template (a libvirt domain XML); paused: before its first instruction.
 * EPTLAB_ERROR_L1.
 */
struct domain *domain_start(struct hypervisor *hypervisor, const char *template,
			    const struct domain_spec *spec, bool paused, GError **error);

/* Wait, by event, until it has ended or holds (spec's hold). No longer than seconds of L1's clock.
 */
enum domain_state {
	DOMAIN_ENDED,
	DOMAIN_CRASHED,
	DOMAIN_HOLDS,
	DOMAIN_TIMED_OUT,
} domain_wait(struct domain *domain, unsigned int seconds);

/* Stop its vCPUs: what is counted stays as it is. EPTLAB_ERROR_L1. */
bool domain_suspend(struct domain *domain, GError **error);

/* Destroy it if it has not ended, and wait until no QEMU is left. EPTLAB_ERROR_L1. */
bool domain_destroy(struct domain *domain, GError **error);

/* Frees the structure, and destroys the domain if that was not done. */
void domain_free(struct domain *domain);

typedef struct domain struct_domain;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_domain, domain_free)

#endif
