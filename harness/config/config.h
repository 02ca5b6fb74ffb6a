/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CONFIG_CONFIG_H
#define EPTLAB_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/error.h"
#include "wire/job.h"

/*
 * The configuration: the .conf files of configs/, then override files, then single settings; later
 * wins. One table in config.c says which sections and keys there are, of what type and range.
 * Anything that is not in it is an error.
 */

/*
 * [module]: a configuration, that is a named set of module parameters and of what else decides
 * about paging. What is unset stays as it is by itself.
 */
struct config_module {
	char *name;
	bool ept;			  /* nested paging: ept on Intel, npt on AMD */
	bool vpid;			  /* tagged TLB: vpid on Intel */
	enum job_flag unrestricted_guest; /* on Intel */
	enum job_flag pcid;		  /* of L2's CPU */
	enum job_flag thp;		  /* L1's transparent huge pages */
};

/* [experiment] */
struct config_experiment {
	char *workload;
	char **configurations; /* names of modules, at least one, none twice */
	char *platform;	       /* "auto" or a platform */
	char *source;	       /* "leaves" or "tracepoint" */
	char *kernel;	       /* the line of L1's, or "" for the default one */
	char **operations; /* that L2's Linux does after it: "NAME[:N[,N...]]"; "all", "none" alone
			    */
	uint64_t n;	   /* size of a dose; 0: what doses.h says */
	bool cycles;	   /* count the cycles outside the guest as well */
	bool witness;	   /* read the kernel's own counters as well, and compare */
	char *tracepoints; /* that L1 records meanwhile: "system:event", with ';' between */
};

/* [l2]; an empty path means what make has built. */
struct config_l2 {
	unsigned int memory_mib;
	unsigned int vcpus;
	bool pti;		      /* KPTI */
	char *append;		      /* more kernel arguments, or "" */
	unsigned int timeout_seconds; /* virtual seconds for one boot of L2 */
	char *kernel;
	char *doses; /* what is booted instead of the kernel to take a dose */
	char *image;
	char *probe;
	char *guest;		       /* the user's own image; "": ours */
	unsigned int guest_memory_mib; /* memory_mib and timeout_seconds for that */
	unsigned int guest_timeout_seconds;
};

/* [l1]: on every platform. An empty path means what make has built. */
struct config_l1 {
	char *append;  /* more kernel arguments for L1, or "" */
	char *modules; /* folder with kvm.ko, kvm-intel.ko and kvm-amd.ko */
};

/* [tcg] and [kvm]: L1 as a libvirt domain. */
struct config_domain {
	char *uri; /* of libvirt; "": its embedded driver */
	char *cpu; /* a model of libvirt's; [tcg] only, else NULL */
	unsigned int memory_mib;
	unsigned int cpus;	      /* of L1, whose kernel must be built for so many */
	unsigned int timeout_seconds; /* wall clock, whole experiment */
};

/* [local]: this machine is L1. */
struct config_local {
	char *uri;		      /* of libvirt; "": its embedded driver */
	char *modules;		      /* folder of .ko files; "": those of the running kernel */
	bool any_modules;	      /* also other modules than those that were built */
	unsigned int timeout_seconds; /* wall clock, whole experiment */
};

/* [bochs] */
struct config_bochs {
	char *cpu;
	unsigned int memory_mib;
	uint64_t ips;		      /* emulated instructions in a virtual second */
	unsigned int timeout_seconds; /* wall clock, whole experiment */
	uint64_t timeout_ticks;	      /* emulated instructions, whole experiment */
};

/* [conform]; an empty path means what make has built. */
struct config_conform {
	char *kernel;  /* bzImage */
	char *modules; /* folder of .ko files */
	char **runs;   /* names of runs, at least one, none twice; judge/conform.h knows which */
	bool each;     /* each dose in a VM of its own */
	bool per_vm;   /* a VM must see its own exits only */
	bool ours;     /* the kernel has all leaves of this project */
	uint64_t exits_leaf; /* CPUID leaf of the exits by reason */
	uint64_t total_leaf; /* CPUID leaf of all exits */
};

struct config {
	struct config_experiment experiment;
	struct config_l2 l2;
	struct config_l1 l1;
	struct config_bochs bochs;
	struct config_domain tcg;
	struct config_domain kvm;
	struct config_local local;
	struct config_conform conform;
	GPtrArray *modules; /* of struct config_module, by name; more than the experiment uses */
};

/* For g_autoptr, which needs a name without a blank: g_autoptr(struct_config). */
typedef struct config struct_config;

/*
 * Load all .conf files of folder (by name), then each file of overrides (NULL-terminated, may be
 * NULL), then each of settings ("section.key=value", NULL-terminated, may be NULL; a
 * configuration's key is "module.NAME.key").
 *
 * A [module] section belongs to the configuration that its name= says; in folder, the file must be
 * called NAME.conf. In an override it changes that configuration, or defines a new one. A path is
 * taken relative to the folder of the file that it stands in, for a setting to the working
 * directory.
 *
 * EPTLAB_ERROR_USAGE, with "FILE:LINE:" in the message, for: a file that cannot be read, a line
 * that is neither comment, section nor key=value, an unknown section or key, a section or key that
 * stands twice, a value of the wrong type or out of range, a key that is missing, a configuration
 * that no file defines, configurations of the experiment that differ in more than one thing from
 * all others, an operation that does not exist or of which so many cannot be done, and what
 * source=tracepoint cannot do.
 */
struct config *config_load(const char *folder, const char *const *overrides,
			   const char *const *settings, GError **error);
void config_free(struct config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_config, config_free)

/*
 * What a setting may be, for who completes it: "section.key=" of each key, those of [module] for
 * each configuration if there is a config; with a choice of values, each of them behind the "=".
 * The caller frees it with g_strfreev.
 */
char **config_settings(const struct config *config);

/* Are the counts those of L1's tracepoint, whatever KVM that is? */
bool config_is_tracepoint(const struct config *config);

/* experiment.operations alone: all that there are, and none. */
#define CONFIG_ALL  "all"
#define CONFIG_NONE "none"

/* Is L2 an image of the user's own? */
bool config_has_guest(const struct config *config);

/* L2's memory in MiB, and its time-out in seconds: those of the image that it is. */
unsigned int config_l2_memory(const struct config *config);
unsigned int config_l2_timeout(const struct config *config);

/*
 * Seconds of wall clock that a platform gives L1: its own, and the time-out of each boot where that
 * is an image of the user's own, so that an L2 that hangs is ended by L1, which keeps its console.
 */
unsigned int config_l1_timeout(const struct config *config, unsigned int platform);

/*
 * In how many things two configurations differ: paging, VPID, unrestricted guest (which is off
 * without EPT anyhow), PCID, huge pages.
 */
unsigned int config_changes(const struct config_module *a, const struct config_module *b);

/* The configuration of that name, or NULL. */
const struct config_module *config_find_module(const struct config *config, const char *name);

#endif
