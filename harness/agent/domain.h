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

/*
 * Start L2 and destroy it before it has run a single instruction. What libvirt does once, and what
 * QEMU needs from the disk, is done then, and the first run costs no more than the second.
 * EPTLAB_ERROR_L1.
 */
bool domain_warm_up(struct hypervisor *hypervisor, const char *template, const struct job *job,
		    GError **error);

/*
 * Boot L2 from the template (a libvirt domain XML) and wait until it has ended, by event. When the
 * function returns true no QEMU is left. *ticks is the time-stamp counter's difference over L2's
 * life, QEMU's start included. EPTLAB_ERROR_L1 if libvirt cannot start or destroy it.
 */
bool domain_run(struct hypervisor *hypervisor, const char *template, const struct job *job,
		enum l1_end *end, uint64_t *ticks, GError **error);

/* The domain's XML: the template with what the job says filled in. Free with g_free. */
char *domain_xml(const char *template, const struct job *job, GError **error);

#endif
