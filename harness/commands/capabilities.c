/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/commands.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "commands/l1_job.h"

/*
 * For the Makefile: boot L1 and have libvirt there find out about QEMU. The answers, which libvirt
 * keeps in its cache, become the folder "answers" in the one that is named, so that no experiment
 * begins with questions.
 */

static bool write_answer(const char *folder, const char *name, const GString *content,
			 GError **error)
{
	g_autofree char *file = g_path_get_basename(name);
	g_autofree char *path = g_build_filename(folder, file, NULL);
	g_autoptr(GError) cause = NULL;

	if (g_mkdir_with_parents(folder, 0755) == 0 &&
	    g_file_set_contents(path, content->str, (gssize)content->len, &cause))
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
		    "L0: the answers of QEMU could not be kept (%s)",
		    cause != NULL ? cause->message : g_strerror(errno));
	return false;
}

static bool write_answers(frame_texts *texts, void *data, GError **error)
{
	g_autofree char *folder = g_build_filename(data, "answers", NULL);
	GHashTableIter at;
	gpointer name, text;

	if (g_hash_table_size(texts) == 0) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: libvirt has kept no answers of QEMU in its cache; read "
			    "l1-console.log");
		return false;
	}
	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, &text)) {
		if (!write_answer(folder, name, text, error))
			return false;
	}
	return true;
}

int command_capabilities(int argc, char **argv, GError **error)
{
	if (argc != 2 || *argv[1] == '-') {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			    "L0: capabilities takes one folder, to be made");
		return EPTLAB_ERROR_USAGE;
	}
	return l1_job_run(JOB_CAPABILITIES, "L1: booting, so that libvirt finds out about QEMU",
			  argv[1], write_answers, argv[1], error);
}
