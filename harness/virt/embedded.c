/* SPDX-License-Identifier: GPL-2.0-only */
#include "virt/embedded.h"

#include <errno.h>
#include <stdlib.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "virt/supervisor.h"

static bool make_folder(const struct virt_level *level, const char *path, GError **error)
{
	if (g_mkdir_with_parents(path, 0755) == 0)
		return true;
	return eptlab_fail(error, level->code,
			   "%s: the folder %s for libvirt could not be made (%s)", level->here,
			   path, g_strerror(errno));
}

static bool copy_file(const struct virt_level *level, const char *from, const char *to,
		      GError **error)
{
	g_autoptr(GFile) source = g_file_new_for_path(from);
	g_autoptr(GFile) target = g_file_new_for_path(to);
	g_autoptr(GError) cause = NULL;

	if (g_file_copy(source, target, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, &cause))
		return true;
	return eptlab_fail(error, level->code, "%s: %s could not be copied to %s (%s)", level->here,
			   from, to, cause->message);
}

static bool copy_capabilities(const struct virt_level *level, const char *to, const char *from,
			      GError **error)
{
	g_autoptr(GDir) folder = from != NULL ? g_dir_open(from, 0, NULL) : NULL;
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *source = g_build_filename(from, name, NULL);
		g_autofree char *target = g_build_filename(to, name, NULL);

		if (!copy_file(level, source, target, error))
			return false;
	}
	return true;
}

bool embedded_prepare(const struct virt_level *level, const char *root, const char *qemu_conf,
		      const char *capabilities, GError **error)
{
	g_autofree char *etc = g_build_filename(root, "etc", NULL);
	g_autofree char *conf = g_build_filename(etc, "qemu.conf", NULL);
	g_autofree char *cache = g_build_filename(root, EMBEDDED_CAPABILITIES, NULL);

	return make_folder(level, etc, error) && make_folder(level, cache, error) &&
	       copy_file(level, qemu_conf, conf, error) &&
	       copy_capabilities(level, cache, capabilities, error);
}

/* libvirt's own log goes to a file: what goes wrong is told as an error. */
static void set_log(const char *root)
{
	g_autofree char *outputs = g_strdup_printf("2:file:%s/libvirt.log", root);

	g_setenv("LIBVIRT_LOG_OUTPUTS", outputs, FALSE);
}

const char *embedded_root(const struct virt_level *level, const char *qemu_conf,
			  const char *capabilities, GError **error)
{
	static char root[] = "/tmp/eptlab-XXXXXX";
	static bool made;

	if (made)
		return root;
	if (g_mkdtemp(root) == NULL)
		return eptlab_null(
			error, level->code,
			"%s: no folder for libvirt could be made in /tmp (%s); free some disk "
			"space",
			level->here, g_strerror(errno));
	made = true;
	supervisor_remove(root);
	set_log(root);
	return embedded_prepare(level, root, qemu_conf, capabilities, error) ? root : NULL;
}

void embedded_keep(const char *root, const char *capabilities)
{
	g_autofree char *from = g_build_filename(root, EMBEDDED_CAPABILITIES, NULL);
	g_autoptr(GDir) folder = g_dir_open(from, 0, NULL);
	const char *name;

	g_mkdir_with_parents(capabilities, 0755);
	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *source = g_build_filename(from, name, NULL);
		g_autofree char *target = g_build_filename(capabilities, name, NULL);
		g_autofree char *text = NULL;
		gsize length;

		if (g_file_get_contents(source, &text, &length, NULL))
			g_file_set_contents(target, text, (gssize)length, NULL);
	}
}

char *embedded_uri(const char *root)
{
	return g_strdup_printf("qemu:///embed?root=%s", root);
}
