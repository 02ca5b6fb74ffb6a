/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/inputs.h"

#include <string.h>
#include <libvirt/libvirt.h>

#include "l2/digest.h"
#include "wire/job.h"
#include "base/each.h"

/* Inputs on their way; the first error ends it. */
struct collection {
	GPtrArray *inputs;
	GError *error;
};

/* Takes sha256; NULL is an error that has been set. */
static void add(struct collection *collection, const char *name, char *sha256)
{
	if (sha256 != NULL)
		g_ptr_array_add(collection->inputs, record_input_new(name, sha256));
	g_free(sha256);
}

static void add_text(struct collection *collection, const char *name, const char *text)
{
	add(collection, name, g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1));
}

static void add_file(struct collection *collection, const char *name, const char *path)
{
	if (path != NULL && collection->error == NULL)
		add(collection, name, digest_file(path, &collection->error));
}

static void add_folder(struct collection *collection, const char *name, const char *path)
{
	if (path != NULL && collection->error == NULL)
		add(collection, name, digest_folder(path, &collection->error));
}

/* What mkappliance.sh says of the image: a line "NAME SHA256" for each part that has a name. */
static void add_parts(struct collection *collection, const char *appliance)
{
	g_autofree char *path = g_strconcat(appliance, ".parts", NULL);
	g_autoptr(GError) cause = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) words = NULL;

	if (collection->error != NULL)
		return;
	if (!g_file_get_contents(path, &text, NULL, &cause)) {
		eptlab_fail(&collection->error, EPTLAB_ERROR_MACHINE,
			    "L0: it is not known what L1's appliance is made of (%s); %s",
			    cause->message, paths_get_built());
		return;
	}
	words = g_strsplit_set(g_strchomp(text), " \n", -1);
	for (guint i = 0; words[i] != NULL && words[i + 1] != NULL; i += 2)
		add(collection, words[i], g_strdup(words[i + 1]));
}

/* The emulator: its configuration, and its files. */
static void add_emulator(struct collection *collection, const struct platform_parts *parts)
{
	g_autoptr(GString) text = g_string_new(parts->configuration);

	for (guint i = 0; parts->files[i] != NULL && collection->error == NULL; i++) {
		const char *file = parts->files[i];
		g_autofree char *path = g_find_program_in_path(file);
		g_autofree char *base = g_path_get_basename(file);
		g_autofree char *sha256 =
			digest_file(path != NULL ? path : file, &collection->error);

		g_string_append_printf(text, "\n%s %s", base, sha256);
	}
	if (text->len > 0)
		add_text(collection, "emulator", text->str);
}

/* L1 is this machine, which uses its own QEMU and libvirt. */
static void add_installed(struct collection *collection)
{
	g_autofree char *qemu = g_find_program_in_path("qemu-system-x86_64");
	g_autofree char *libvirt = NULL;
	unsigned long version = 0;

	virGetVersion(&version, NULL, NULL);
	libvirt = g_strdup_printf("libvirt %lu", version);
	add_file(collection, "qemu", qemu);
	add_text(collection, "libvirt", libvirt);
}

static void add_l1(struct collection *collection, const struct experiment *experiment,
		   const struct platform_request *request)
{
	const char *modules = experiment->config->local.modules;
	struct platform_parts parts = { .cmdline = NULL };

	experiment->platform->parts(request, &parts);
	if (experiment->platform->is_this_machine) {
		add_text(collection, "l1-kernel", parts.kernel);
		add_folder(collection, "l1-modules", *modules != '\0' ? modules : NULL);
		add_installed(collection);
	} else {
		add_file(collection, "l1-kernel", request->l1_kernel);
		add_folder(collection, "l1-modules", request->modules);
		add_file(collection, "appliance", request->appliance);
		add_parts(collection, request->appliance);
		/* Elsewhere the first L1 asks QEMU itself, and its counts tell nothing of it. */
		if (experiment->platform->repeats)
			add_folder(collection, "capabilities", request->capabilities);
	}
	add_text(collection, "l1-cmdline", parts.cmdline);
	add_emulator(collection, &parts);
	platform_parts_clear(&parts);
}

/* One of the files that L2 may boot; the one that this workload boots was read already. */
static void add_bootable(struct collection *collection, const char *name, const char *path,
			 const char *booted)
{
	if (booted != NULL)
		add(collection, name, g_strdup(booted));
	else
		add_file(collection, name, path);
}

static void add_l2(struct collection *collection, const struct experiment *experiment,
		   const struct platform_request *request, const struct record_guest *guest)
{
	g_autofree char *workload = g_build_filename(experiment->paths->workloads,
						     experiment->config->experiment.workload, NULL);
	g_autofree char *job = job_to_text(request->job);
	const bool dose = job_is_dose(experiment->config->experiment.workload);
	/* An image of the user's own has its kernel inside. */
	const char *booted = request->job->own ? NULL : guest->kernel_sha256;

	add_text(collection, "job", job);
	add(collection, "l2-image", g_strdup(guest->image_sha256));
	add_bootable(collection, "l2-kernel", request->l2_kernel, dose ? NULL : booted);
	add_bootable(collection, "l2-doses", request->l2_doses, dose ? booted : NULL);
	add_file(collection, "l2-domain", request->l2_domain);
	add(collection, "probe", g_strdup(guest->probe_sha256));
	if (experiment->command != NULL)
		add(collection, "workload",
		    collection->error == NULL
			    ? command_digest(experiment->command, &collection->error)
			    : NULL);
	/* A dose is none. */
	else if (g_file_test(workload, G_FILE_TEST_EXISTS))
		add_file(collection, "workload", workload);
}

static void add_all(struct collection *collection)
{
	g_autoptr(GString) text = g_string_new(NULL);

	each (const struct record_input, input, collection->inputs) {
		g_string_append_printf(text, "%s %s\n", input->name, input->sha256);
	}
	add_text(collection, RECORD_INPUTS_ALL, text->str);
}

GPtrArray *inputs_of(const struct experiment *experiment, const struct platform_request *request,
		     const struct record_guest *guest, GError **error)
{
	struct collection collection = { .inputs = record_inputs_new() };

	add_l1(&collection, experiment, request);
	add_l2(&collection, experiment, request, guest);
	add_all(&collection);
	if (collection.error == NULL)
		return collection.inputs;
	g_propagate_error(error, collection.error);
	g_ptr_array_unref(collection.inputs);
	return NULL;
}
