/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CONFIG_PATHS_H
#define EPTLAB_CONFIG_PATHS_H

#include <stdbool.h>
#include <glib.h>

/* A link in build/kernel/l1 to the line that this machine's release has itself. */
#define PATHS_DEFAULT_LINE "default"

/*
 * Where things are on L0: below the folder that holds build/, from which eptlab runs; or installed,
 * below /usr/lib, /usr/share and /etc, and the user's own folders.
 */
struct paths {
	char *configs;
	char *results;	    /* installed: $XDG_STATE_HOME/eptlab */
	char *deps;	    /* the script that says what this distribution lacks; installed NULL */
	char *package_conf; /* the same, of what make install-kernel has built */
	char *lines;	    /* a folder for each kernel line that has been built for L1 */
	char *kernel_conf;  /* by kernel/Makefile: line, release, patches, build-ids of modules */
	char *l1_kernel;
	char *modules;
	char *extra_modules; /* KUnit, and KVM's tests */
	char *agent; /* L1's program: in the appliance, or run here where L1 is this machine */
	char *appliance;
	char *capabilities; /* what libvirt in L1 has found out, a folder for each kind of L1 */
	char *made_capabilities; /* the same, and L2's image with the probe in it, as they were */
	char *made_guest;	 /* installed; NULL in a clone */
	char *l2_kernel;
	char *l2_kernel_smp; /* for more than one vCPU; built when asked for */
	char *l2_doses;	     /* the dose guest */
	char *l2_base_image;
	char *l2_domain;
	char *l1_domain;
	char *qemu_conf;     /* for libvirt's embedded driver, in L1 and here */
	char *grade_trees;   /* a folder for each line that submissions are built in */
	char *grade_scripts; /* what is run in their sandbox */
	char *probe;
	char *workloads;
	char *guestfs_helper;
	char *user_helper;   /* the same, for an image of the user's own */
	char *bochs_time;    /* the shared object of l1/bochs_time.c */
	char *guest_cache;   /* ~/.cache/eptlab/guest */
	char *libvirt_cache; /* ~/.cache/eptlab/libvirt */
};

/*
 * Find them, with L1's kernel of the default line; whether they are there is another question.
 * EPTLAB_ERROR_MACHINE.
 */
struct paths *paths_find(GError **error);

/* L1's kernel of that line; "": stay with the default. EPTLAB_ERROR_USAGE if it is not built. */
bool paths_choose_line(struct paths *paths, const char *line, GError **error);

/* kernel.conf of the kernel that this machine is to run on the platform local. */
const char *paths_installed_conf(const struct paths *paths);

/* Is this no clone, but installed? */
bool paths_is_installed(void);

/* For messages, what to do where what make builds, or make deps installs, is not there. Static. */
const char *paths_get_built(void);
const char *paths_get_packages(void);

/* Is all there that make builds? EPTLAB_ERROR_MACHINE says what is missing. */
bool paths_are_built(const struct paths *paths, GError **error);

void paths_free(struct paths *paths);

typedef struct paths struct_paths;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_paths, paths_free)

#endif
