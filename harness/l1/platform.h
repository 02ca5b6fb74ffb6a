/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L1_PLATFORM_H
#define EPTLAB_L1_PLATFORM_H

#include <stdbool.h>
#include <gio/gio.h>

#include "base/error.h"
#include "config/config.h"
#include "wire/frameset.h"
#include "wire/job.h"
#include "record/record.h"

/* What a platform needs to boot L1 once and have it do a job. All is borrowed. */
struct platform_request {
	const struct config *config;
	const struct job *job;
	const char *l1_kernel;	   /* bzImage */
	const char *agent;	   /* its program, where L1 is this machine */
	const char *appliance;	   /* L1's root file system */
	const char *modules;	   /* folder of .ko files */
	const char *extra_modules; /* the same, of what an experiment does not load; or NULL */
	const char *l2_kernel;	   /* vmlinux */
	const char *l2_doses;	   /* the dose guest */
	const char *l2_domain;	   /* libvirt domain template */
	const char *l2_image;	   /* NULL if the job boots no L2 */
	const char *l2_format;	   /* of the image: "raw", "qcow2" */
	const char *capabilities;  /* folder of libvirt's cache files, or NULL */
	const char *script;	   /* folder for JOB_SCRIPT, or NULL */
	const char *bochs_time;	   /* the shared object of bochs_time.c */
	const char *l1_domain;	   /* libvirt domain template of L1 */
	const char *qemu_conf;	   /* for libvirt's embedded driver */
	const char *libvirt_cache; /* folder for what that finds out about this machine's QEMU */
	const char *work;	   /* an empty folder for temporary files; the caller removes it */
	const char *console;	   /* file that gets L1's console */
	const char *log;	   /* file that gets the emulator's log */
	frameset *frames;	   /* gets what L1 sends */
	GCancellable *cancellable;
};

/* What L1 is made of beside the files of the request: what the platform adds. Strings are owned. */
struct platform_parts {
	char *kernel;	     /* what is known of a kernel that is no file; else NULL */
	char *cmdline;	     /* of L1's kernel */
	char *configuration; /* of the emulator, without paths; NULL: there is none */
	const char
		*files[8]; /* its programs (found in PATH) and firmware, up to a NULL; borrowed */
};

void platform_parts_clear(struct platform_parts *parts);

struct platform {
	const char *name;
	const char *what;     /* in a few words */
	bool is_this_machine; /* no L1 is booted */
	bool takes_guest;     /* an image of the user's own as L2 */
	bool repeats;	      /* the same inputs give the same counts, to the last exit */
	/*
	 * Can this machine do it? kernel_conf: what was built to run on it (record/kernel_conf.h).
	 * EPTLAB_ERROR_MACHINE says what is missing, and what mends it.
	 */
	bool (*available)(const struct config *config, const char *kernel_conf, GError **error);
	/* Fill in what is known of the platform before L1 has booted; the strings are copied. */
	void (*describe)(const struct config *config, struct record_platform *out);
	/* Fill in *out, all of which is NULL; the same for equal settings, wherever files are. */
	void (*parts)(const struct platform_request *request, struct platform_parts *out);
	/*
	 * What would start L1, as a person would type it, or the domain that libvirt would be
	 * given; nothing is written. The caller frees it. EPTLAB_ERROR_MACHINE.
	 */
	char *(*command)(const struct platform_request *request, GError **error);
	/*
	 * Boot L1, feed what it sends to request->frames, and wait until it has powered off.
	 * Whatever the outcome, nothing is left running. *platform gets the emulator's version as
	 * it says it itself; *ticks: emulated instructions of the whole boot, unknown where the
	 * platform has none.
	 *
	 * EPTLAB_ERROR_MACHINE: the emulator could not be started, or was killed; EPTLAB_ERROR_L1:
	 * L1 panicked, or ended without its end frame; EPTLAB_ERROR_TIMEOUT;
	 * EPTLAB_ERROR_INTERRUPTED.
	 */
	bool (*boot)(const struct platform_request *request, struct record_platform *platform,
		     struct record_u64 *ticks, GError **error);
};

/*
 * The platform that the configuration asks for; "auto" is the best that this machine has.
 * EPTLAB_ERROR_USAGE or _MACHINE.
 */
const struct platform *platform_find(const struct config *config, const char *kernel_conf,
				     GError **error);

/* All of them, in the order in which people think of them. */
const struct platform *const *platform_all(unsigned int *count);

/* Why this machine cannot do it. Returns false. */
#define platform_refuse(error, format, ...)                                                        \
	eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: " format, ##__VA_ARGS__)

/*
 * Are these there, programs in the PATH or files? The array ends with NULL; purpose goes on behind
 * "is not installed, ".
 */
bool platform_needs(const char *const *needed, const char *purpose, GError **error);

extern const struct platform platform_bochs;
extern const struct platform platform_kvm;
extern const struct platform platform_tcg;
extern const struct platform platform_local;

#endif
