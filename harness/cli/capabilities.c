/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/capabilities.h"

#include <errno.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "base/folder.h"
#include "l2/digest.h"
#include "virt/supervisor.h"
#include "wire/job.h"

/* What is in a file, wherever it lies: what is built is what is installed later. */
static void add_file(GString *all, const char *path)
{
	g_autofree char *sha256 = digest_file(path, NULL);

	if (sha256 != NULL)
		g_string_append_printf(all, "%s\n", sha256);
}

/* Made of the platform, and of what else libvirt's answers depend on. */
static char *name_of(const struct experiment *experiment)
{
	const struct config *config = experiment->config;
	const char *platform = experiment->platform->name;
	g_autoptr(GString) all = g_string_new(platform);
	g_autofree char *key = NULL;

	g_string_append_printf(all, "\n%s\n%s\n%s\n", config->bochs.cpu, config->tcg.cpu,
			       config->kvm.uri);
	add_file(all, experiment->paths->l1_kernel);
	add_file(all, experiment->paths->appliance);
	key = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, (gssize)all->len);
	return g_strdup_printf("%s-%.16s", platform, key);
}

/* The first of these two folders that has it, or where it is to be made: the second one. */
static char *folder_of_l1(const struct experiment *experiment)
{
	g_autofree char *name = name_of(experiment);
	const char *made = experiment->paths->made_capabilities;
	g_autofree char *there = made != NULL ? g_build_filename(made, name, NULL) : NULL;

	return there != NULL && g_file_test(there, G_FILE_TEST_IS_DIR)
		       ? g_steal_pointer(&there)
		       : g_build_filename(experiment->paths->capabilities, name, NULL);
}

char *capabilities_folder(const struct experiment *experiment)
{
	return experiment->platform->is_this_machine ? g_strdup(experiment->paths->libvirt_cache)
						     : folder_of_l1(experiment);
}

bool capabilities_are_in(const struct experiment *experiment, const char *folder)
{
	return experiment->platform->is_this_machine || g_file_test(folder, G_FILE_TEST_IS_DIR);
}

bool capabilities_may_come(const struct experiment *experiment)
{
	const struct config *config = experiment->config;

	return !experiment->platform->repeats && *config->l1.modules == '\0' &&
	       *config->conform.modules == '\0' && *config->conform.kernel == '\0';
}

char *capabilities_find(const struct experiment *experiment)
{
	g_autofree char *folder = capabilities_folder(experiment);

	return capabilities_are_in(experiment, folder) ? g_steal_pointer(&folder) : NULL;
}

static bool fail(GError **error, const char *cause)
{
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: the answers of QEMU could not be kept (%s); free some disk space",
			   cause);
}

/* Of all texts those that the agent sends for this, the others stay. */
static frame_texts *take_answers(frame_texts *texts)
{
	frame_texts *answers = frame_texts_new();
	GHashTableIter at;
	gpointer name, text;

	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, &text)) {
		if (!g_str_has_prefix(name, JOB_CAPABILITIES_FOLDER "/"))
			continue;
		g_hash_table_iter_steal(&at);
		g_hash_table_insert(answers, name, text);
	}
	return answers;
}

static bool write_answers(frame_texts *answers, const char *folder, GError **error)
{
	g_autoptr(GError) cause = NULL;
	GHashTableIter at;
	gpointer name, text;

	if (g_mkdir_with_parents(folder, 0755) != 0)
		return fail(error, g_strerror(errno));
	g_hash_table_iter_init(&at, answers);
	while (g_hash_table_iter_next(&at, &name, &text)) {
		const GString *content = text;
		g_autofree char *file = g_path_get_basename(name);
		g_autofree char *path = g_build_filename(folder, file, NULL);

		if (!g_file_set_contents(path, content->str, (gssize)content->len, &cause))
			return fail(error, cause->message);
	}
	return true;
}

bool capabilities_keep(const struct experiment *experiment, frame_texts *texts, GError **error)
{
	g_autoptr(GHashTable) answers = take_answers(texts);
	g_autofree char *folder = NULL;
	g_autofree char *partial = NULL;
	bool ok;

	if (g_hash_table_size(answers) == 0)
		return true;
	folder = capabilities_folder(experiment);
	partial = g_strdup_printf("%s.%d.answers", folder, getpid());
	supervisor_remove(partial);
	ok = write_answers(answers, partial, error);
	/* When another eptlab was faster, its answers are as good. */
	if (ok && g_rename(partial, folder) != 0 && errno != EEXIST && errno != ENOTEMPTY)
		ok = fail(error, g_strerror(errno));
	folder_remove(partial);
	return ok;
}
