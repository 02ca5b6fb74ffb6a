/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/kernel_conf.h"

#include "config/paths.h"
#include "record/record.h"
#include "base/each.h"

void kernel_conf_free(struct kernel_conf *conf)
{
	if (conf == NULL)
		return;
	g_free(conf->release);
	g_free(conf->line);
	g_free(conf->patches_sha256);
	g_ptr_array_unref(conf->modules);
	g_free(conf);
}

struct kernel_conf *kernel_conf_load(const char *path, GError **error)
{
	g_autoptr(struct_kernel_conf) conf = g_new0(struct kernel_conf, 1);
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_auto(GStrv) names = NULL;
	g_autoptr(GError) cause = NULL;

	conf->modules = record_modules_new();
	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &cause) ||
	    !(conf->line = g_key_file_get_string(file, "kernel", "line", &cause)) ||
	    !(conf->release = g_key_file_get_string(file, "kernel", "release", &cause)) ||
	    !(conf->patches_sha256 =
		      g_key_file_get_string(file, "kernel", "patches_sha256", &cause)) ||
	    !(names = g_key_file_get_keys(file, "build_id", NULL, &cause)))
		return eptlab_null(
			error, EPTLAB_ERROR_MACHINE, "L0: %s does not say what was built (%s); %s",
			path, cause->message,
			paths_is_installed() ? paths_get_built() : "run \"make distclean all\"");
	/* What was built before there were others says nothing of it. */
	conf->cpus = MAX(g_key_file_get_uint64(file, "kernel", "cpus", NULL), 1);
	for (char **name = names; *name != NULL; name++) {
		g_autofree char *id = g_key_file_get_string(file, "build_id", *name, NULL);

		g_ptr_array_add(conf->modules, record_module_new(*name, id));
	}
	return g_steal_pointer(&conf);
}

const char *kernel_conf_build_id(const struct kernel_conf *conf, const char *module)
{
	each (const struct record_module, one, conf->modules) {
		if (g_str_equal(one->name, module))
			return one->build_id;
	}
	return NULL;
}
