/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_WIRE_JOB_H
#define EPTLAB_WIRE_JOB_H

#include <stdbool.h>
#include <glib.h>

/*
 * What L0 tells L1 to do. It travels on the job medium, the ISO 9660 disk that L1 is booted from,
 * which holds:
 *
 *	job.conf	 this structure
 *	modules/NAME.ko KVM
 *	l2/vmlinux	 L2's kernel, and l2/domain.xml, the template of its libvirt domain
 *	l2/doses.elf	 what L2 boots instead to take a dose (doses.h)
 *	disk.raw	 L2's disk, or disk.qcow2, where L1 is this machine
 *	script/		 what JOB_SCRIPT runs: busybox, and a script "run"
 *	capabilities/	 what libvirt has found out about QEMU, so that it need not ask again
 */
#define JOB_VOLUME		"EPTLAB" /* the medium's name */
#define JOB_FILE		"job.conf"
#define JOB_MODULES		"modules"
#define JOB_EXTRA_MODULES	"extra-modules" /* KUnit and KVM's tests, for JOB_KUNIT */
#define JOB_L2_KERNEL		"l2/vmlinux"
#define JOB_L2_DOSES		"l2/doses.elf"
#define JOB_L2_DOMAIN		"l2/domain.xml"
#define JOB_CAPABILITIES_FOLDER "capabilities"
#define JOB_DISK_RAW		"disk.raw"
#define JOB_DISK_QCOW2		"disk.qcow2"
#define JOB_SCRIPT_FOLDER	"script"

enum job_task {
	JOB_EXPERIMENT,	  /* each configuration in turn, L2 booted in each */
	JOB_CONFORM,	  /* the same, and what goes wrong in one run does not end the others */
	JOB_CAPABILITIES, /* no L2: only let libvirt find out about QEMU, and send that */
	JOB_KUNIT,	  /* no L2: only run the KUnit tests of the patch series */
	JOB_SCRIPT,	  /* no L2: only run a script of the medium, for the tests */
};

/* What is unloaded and loaded before a run. */
enum job_reload {
	JOB_RELOAD_ALL,	   /* kvm_intel, kvm and what they need */
	JOB_RELOAD_VENDOR, /* kvm_intel alone: what a counter in kvm.ko survives */
	JOB_RELOAD_NONE,   /* nothing: another VM of the same KVM; ept and vpid must be the same */
};

/* Where the counts of a run come from. */
enum job_source {
	JOB_LEAVES,	/* L2 reads them, by CPUID */
	JOB_TRACEPOINT, /* L1's histogram of kvm:kvm_exit, stopped when L2 says so */
};

/* What a configuration may ask for, or not. */
enum job_flag {
	JOB_UNSET, /* as it is without being asked for */
	JOB_OFF,
	JOB_ON,
};

/* One boot of L2. Strings are owned. */
struct job_run {
	char *name; /* a name of a-z, 0-9, _ and -; in an experiment that of the configuration */
	bool ept;
	bool vpid;
	enum job_flag unrestricted_guest; /* parameter of kvm-intel */
	enum job_flag pcid;		  /* JOB_OFF: L2's CPU has none */
	enum job_flag thp;		  /* huge pages in L1; not on: none */
	enum job_reload reload;
	char *workload;
	unsigned int vcpus;
	char *append;	 /* more arguments for L2's kernel, or "" */
	char *companion; /* workload of a second VM that has run it and stays alive; "" for none */
};

struct job {
	enum job_task task;
	char *uri;		      /* of libvirt on L1; "": its embedded driver */
	bool own;		      /* L2 is the user's image, and boots by itself */
	unsigned int memory_mib;      /* of L2 */
	unsigned int timeout_seconds; /* for one boot of L2, on L1's clock */
	enum job_source source;
	bool cycles;	   /* KVM is to count cycles as well */
	bool witness;	   /* the kernel's own counters are to be read as well */
	char *tracepoints; /* to be recorded meanwhile, "system:event" with ';' between */
	GPtrArray *runs;   /* of struct job_run, in order; KVM is reloaded before each */
};

/* Does L2 boot the dose guest for this workload, and not its Linux? */
bool job_is_dose(const char *workload);

/* An empty job, all zero and without runs. Free with job_free. */
struct job *job_empty(void);
void job_free(struct job *job);

typedef struct job struct_job;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_job, job_free)

/* As text for JOB_FILE; the caller frees it. */
char *job_to_text(const struct job *job);

/* Read JOB_FILE. EPTLAB_ERROR_L1, as only L1 reads it: the medium is damaged. */
struct job *job_load(const char *path, GError **error);

#endif
