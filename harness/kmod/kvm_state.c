/* SPDX-License-Identifier: GPL-2.0-only */
#include "kmod/kvm_state.h"

#include <string.h>
#include <unistd.h>

#include "kmod/modules.h"
#include "kmod/triggers.h"
#include "base/error.h"
#include "base/each.h"

/* Another one after each boot of the machine (drivers/char/random.c). */
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

#define GROUP_BOOT   "boot"
#define GROUP_MODULE "module "
#define PARAMETER    "parameter."

struct module_state {
	char *name;
	char *build_id;		/* NULL: it was not loaded */
	GHashTable *parameters; /* name → value */
};

struct kvm_state {
	char *folder;	    /* or NULL */
	GPtrArray *modules; /* of struct module_state, in the order of loading */
};

static void module_free(void *data)
{
	struct module_state *module = data;

	g_free(module->name);
	g_free(module->build_id);
	g_hash_table_unref(module->parameters);
	g_free(module);
}

static struct kvm_state *kvm_state_new(void)
{
	struct kvm_state *before = g_new0(struct kvm_state, 1);

	before->modules = g_ptr_array_new_with_free_func(module_free);
	return before;
}

void kvm_state_free(struct kvm_state *before)
{
	if (before == NULL)
		return;
	g_ptr_array_unref(before->modules);
	g_free(before->folder);
	g_free(before);
}

static struct module_state *read_module(const char *name)
{
	struct module_state *module = g_new(struct module_state, 1);

	module->name = g_strdup(name);
	module->build_id = modules_is_loaded(name) ? modules_build_id(name, NULL) : NULL;
	module->parameters = modules_parameters(name);
	return module;
}

struct kvm_state *kvm_state_read(const struct vendor *vendor, const char *folder)
{
	struct kvm_state *before = kvm_state_new();

	before->folder = g_strdup(folder);
	for (unsigned int i = 0; i < VENDOR_MODULES; i++)
		g_ptr_array_add(before->modules, read_module(vendor->names[i]));
	return before;
}

/* ---- The file ---- */

static char *boot_id(void)
{
	char *id = NULL;

	return g_file_get_contents(BOOT_ID, &id, NULL, NULL) ? g_strchomp(id) : NULL;
}

bool kvm_state_save(const struct kvm_state *before, const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *id = boot_id();
	g_autoptr(GError) cause = NULL;

	g_key_file_set_string(file, GROUP_BOOT, "id", id != NULL ? id : "");
	if (before->folder != NULL)
		g_key_file_set_string(file, GROUP_BOOT, "folder", before->folder);
	each (const struct module_state, module, before->modules) {
		g_autofree char *group = g_strconcat(GROUP_MODULE, module->name, NULL);
		GHashTableIter at;
		gpointer name, value;

		g_key_file_set_string(file, group, "build_id",
				      module->build_id != NULL ? module->build_id : "");
		g_hash_table_iter_init(&at, module->parameters);
		while (g_hash_table_iter_next(&at, &name, &value)) {
			g_autofree char *key = g_strconcat(PARAMETER, name, NULL);

			g_key_file_set_string(file, group, key, value);
		}
	}
	g_mkdir_with_parents(folder, 0700);
	if (g_key_file_save_to_file(file, path, &cause))
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE,
		"L0: what KVM's modules were before could not be noted (%s), so they are left "
		"alone",
		cause->message);
}

static struct module_state *load_module(GKeyFile *file, const char *group)
{
	struct module_state *module = g_new(struct module_state, 1);
	g_auto(GStrv) keys = g_key_file_get_keys(file, group, NULL, NULL);
	g_autofree char *id = g_key_file_get_string(file, group, "build_id", NULL);

	module->name = g_strdup(group + strlen(GROUP_MODULE));
	module->build_id = id != NULL && *id != '\0' ? g_steal_pointer(&id) : NULL;
	module->parameters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (char **key = keys; *key != NULL; key++) {
		if (g_str_has_prefix(*key, PARAMETER))
			g_hash_table_insert(module->parameters, g_strdup(*key + strlen(PARAMETER)),
					    g_key_file_get_string(file, group, *key, NULL));
	}
	return module;
}

struct kvm_state *kvm_state_load(const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) cause = NULL;
	g_autofree char *now = boot_id();
	g_autofree char *then = NULL;
	g_auto(GStrv) groups = NULL;
	struct kvm_state *before;

	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &cause)) {
		if (!g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				    "L0: what KVM's modules were before an earlier experiment "
				    "cannot be read (%s: %s); look at KVM's parameters and remove "
				    "the file",
				    path, cause->message);
		return NULL;
	}
	then = g_key_file_get_string(file, GROUP_BOOT, "id", NULL);
	/* Modules do not outlive a boot. */
	if (g_strcmp0(now != NULL ? now : "", then) != 0) {
		unlink(path);
		return NULL;
	}
	before = kvm_state_new();
	before->folder = g_key_file_get_string(file, GROUP_BOOT, "folder", NULL);
	groups = g_key_file_get_groups(file, NULL);
	for (char **group = groups; *group != NULL; group++) {
		if (g_str_has_prefix(*group, GROUP_MODULE))
			g_ptr_array_add(before->modules, load_module(file, *group));
	}
	return before;
}

/* ---- Restoring ---- */

/* "ept=Y nested=Y": what of the module's parameters is not as it was. The caller frees it. */
static char *differences(const struct module_state *module)
{
	g_autoptr(GHashTable) now = modules_parameters(module->name);
	GString *options = g_string_new(NULL);
	GHashTableIter at;
	gpointer name, value;

	g_hash_table_iter_init(&at, module->parameters);
	while (g_hash_table_iter_next(&at, &name, &value)) {
		const char *other = g_hash_table_lookup(now, name);

		if (g_strcmp0(other, value) != 0)
			g_string_append_printf(options, "%s%s=%s", options->len > 0 ? " " : "",
					       (const char *)name, (const char *)value);
	}
	return g_string_free(options, FALSE);
}

static bool is_as_before(const struct module_state *module)
{
	g_autofree char *id =
		modules_is_loaded(module->name) ? modules_build_id(module->name, NULL) : NULL;
	g_autofree char *options = differences(module);

	return g_strcmp0(id, module->build_id) == 0 && *options == '\0';
}

static bool all_as_before(const struct kvm_state *before)
{
	for (guint i = 0; i < before->modules->len; i++) {
		if (!is_as_before(g_ptr_array_index(before->modules, i)))
			return false;
	}
	return true;
}

/* From that folder: is it the same module? It stays loaded only then. */
static bool load_same(const struct module_state *module, const char *folder)
{
	g_autofree char *id = NULL;

	if (!modules_load(folder, module->name, "", NULL))
		return false;
	id = modules_build_id(module->name, NULL);
	if (g_strcmp0(id, module->build_id) == 0)
		return true;
	modules_unload(module->name, NULL);
	return false;
}

/* With the parameters that it has by default first: most are, and not all can be given back as
 * they are shown.
 */
static bool load_as_before(const struct module_state *module, const char *folder, GError **error)
{
	const char *from = NULL;
	g_autofree char *options = NULL;

	if (!load_same(module, from)) {
		from = folder;
		if (folder == NULL || !load_same(module, folder))
			return eptlab_fail(
				error, EPTLAB_ERROR_L1,
				"L1: there is no module %s with the build-id %s that was loaded "
				"before; load it by hand with insmod",
				module->name, module->build_id);
	}
	options = differences(module);
	return *options == '\0' || (modules_unload(module->name, error) &&
				    modules_load(from, module->name, options, error));
}

bool kvm_state_restore(const struct kvm_state *before, GError **error)
{
	/* A witness that was cut short: a trigger keeps KVM from being unloaded. */
	if (!triggers_disarm(error))
		return false;
	if (all_as_before(before))
		return true;
	/* The first of them, irqbypass, has no parameters, and others may hold it. */
	for (guint i = before->modules->len; i > 1; i--) {
		const struct module_state *module = g_ptr_array_index(before->modules, i - 1);

		if (!modules_unload(module->name, error))
			return false;
	}
	each (const struct module_state, module, before->modules) {
		if (module->build_id != NULL && !modules_is_loaded(module->name) &&
		    !load_as_before(module, before->folder, error))
			return false;
	}
	/* One that was not loaded before does no harm: it came with the others. */
	each (const struct module_state, module, before->modules) {
		g_autofree char *options = NULL;

		if (module->build_id == NULL || is_as_before(module))
			continue;
		options = differences(module);
		return eptlab_fail(
			error, EPTLAB_ERROR_L1,
			"L1: the module %s could not be given back its parameters (%s); do it "
			"with modprobe -r and modprobe",
			module->name, options);
	}
	return true;
}

char *kvm_state_words(const struct kvm_state *before)
{
	GString *words = g_string_new(NULL);

	for (guint i = before->modules->len; i > 0; i--) {
		const struct module_state *module = g_ptr_array_index(before->modules, i - 1);
		static const char *const shown[] = { "ept", "npt", "vpid" };

		if (module->build_id == NULL)
			continue;
		g_string_append_printf(words, "%s%s", words->len > 0 ? ", " : "", module->name);
		for (unsigned int j = 0; j < G_N_ELEMENTS(shown); j++) {
			const char *value = g_hash_table_lookup(module->parameters, shown[j]);

			if (value != NULL)
				g_string_append_printf(words, " %s=%s", shown[j], value);
		}
	}
	if (words->len == 0)
		g_string_append(words, "no module of KVM");
	return g_string_free(words, FALSE);
}
