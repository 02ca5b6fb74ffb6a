/* SPDX-License-Identifier: GPL-2.0-only */
#include "kmod/modules.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <libkmod.h>

#include "base/error.h"

static const char *sysfs = "/sys";

void modules_set_sysfs(const char *path)
{
	sysfs = path;
}

const char *modules_sysfs(void)
{
	return sysfs;
}

typedef struct kmod_ctx kmod_ctx;
typedef struct kmod_module kmod_module;

static void kmod_ctx_release(kmod_ctx *ctx)
{
	kmod_unref(ctx);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(kmod_ctx, kmod_ctx_release)

static void kmod_module_release(kmod_module *module)
{
	kmod_module_unref(module);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(kmod_module, kmod_module_release)

static char *holders(kmod_module *module)
{
	GString *names = g_string_new(NULL);
	struct kmod_list *list = kmod_module_get_holders(module);
	struct kmod_list *at;

	kmod_list_foreach(at, list)
	{
		g_autoptr(kmod_module) holder = kmod_module_get_module(at);

		g_string_append_printf(names, " %s", kmod_module_get_name(holder));
	}
	kmod_module_unref_list(list);
	if (names->len == 0)
		g_string_append(names, " no module: a VM is running");
	return g_string_free(names, FALSE);
}

static kmod_ctx *open_kmod(GError **error)
{
	const char *const no_configuration = NULL;
	kmod_ctx *ctx = kmod_new(NULL, &no_configuration);

	if (ctx == NULL)
		eptlab_fail(error, EPTLAB_ERROR_L1, "L1: libkmod could not be set up");
	return ctx;
}

static char *sysfs_path(const char *module, const char *rest)
{
	return g_build_filename(sysfs, "module", module, rest, NULL);
}

bool modules_is_loaded(const char *name)
{
	g_autofree char *folder = sysfs_path(name, NULL);

	return g_file_test(folder, G_FILE_TEST_IS_DIR);
}

/* Only a module that can be unloaded has this file (kernel/module/sysfs.c, modinfo_attrs). */
bool modules_is_builtin(const char *name)
{
	g_autofree char *state = sysfs_path(name, "initstate");

	return modules_is_loaded(name) && !g_file_test(state, G_FILE_TEST_EXISTS);
}

static bool refuse_builtin(const char *name, GError **error)
{
	return eptlab_fail(
		error, EPTLAB_ERROR_L1,
		"L1: %s is built into the kernel and cannot be unloaded; build KVM as modules",
		name);
}

static bool refuse_busy(kmod_module *module, const char *name, GError **error)
{
	g_autofree char *who = holders(module);

	return eptlab_fail(
		error, EPTLAB_ERROR_L1,
		"L1: the module %s is in use (by%s) and could not be unloaded; end its users", name,
		who);
}

bool modules_unload(const char *name, GError **error)
{
	g_autoptr(kmod_ctx) ctx = NULL;
	g_autoptr(kmod_module) module = NULL;
	int rc;

	if (!modules_is_loaded(name))
		return true;
	if (modules_is_builtin(name))
		return refuse_builtin(name, error);
	ctx = open_kmod(error);
	if (ctx == NULL)
		return false;
	rc = kmod_module_new_from_name(ctx, name, &module);
	if (rc == 0)
		rc = kmod_module_remove_module(module, 0);
	if (rc == 0)
		return true;
	if (rc == -EAGAIN || rc == -EBUSY || rc == -EWOULDBLOCK)
		return refuse_busy(module, name, error);
	return eptlab_fail(error, EPTLAB_ERROR_L1, "L1: the module %s could not be unloaded (%s)",
			   name, g_strerror(-rc));
}

static char *file_in_folder(const char *folder, const char *name)
{
	char *file = g_strdup_printf("%s/%s.ko", folder, name);

	/* The file of kvm_intel is called kvm-intel.ko, as for every module. */
	g_strdelimit(strrchr(file, '/'), "_", '-');
	return file;
}

static int find_module(kmod_ctx *ctx, const char *folder, const char *name, kmod_module **module)
{
	g_autofree char *file = folder != NULL ? file_in_folder(folder, name) : NULL;
	g_autoptr(kmod_module) found = NULL;
	int rc = file != NULL ? kmod_module_new_from_path(ctx, file, &found)
			      : kmod_module_new_from_name(ctx, name, &found);

	/* A name is taken whether there is a file or not. */
	if (rc == 0 && kmod_module_get_path(found) == NULL)
		rc = -ENOENT;
	if (rc == 0)
		*module = g_steal_pointer(&found);
	return rc;
}

/* kernel/params.c (module_param()) notes each as "parmtype=NAME:TYPE" in .modinfo. */
static bool is_parameter(const struct kmod_list *info, const char *parameter)
{
	g_autofree char *start = g_strconcat(parameter, ":", NULL);

	return strcmp(kmod_module_info_get_key(info), "parmtype") == 0 &&
	       g_str_has_prefix(kmod_module_info_get_value(info), start);
}

bool modules_has_parameter(const char *folder, const char *name, const char *parameter)
{
	g_autoptr(kmod_ctx) ctx = open_kmod(NULL);
	g_autoptr(kmod_module) module = NULL;
	struct kmod_list *list = NULL;
	struct kmod_list *at;
	bool found = false;

	if (ctx == NULL || find_module(ctx, folder, name, &module) != 0 ||
	    kmod_module_get_info(module, &list) < 0)
		return false;
	kmod_list_foreach(at, list)
	{
		found |= is_parameter(at, parameter);
	}
	kmod_module_info_free_list(list);
	return found;
}

bool modules_load(const char *folder, const char *name, const char *options, GError **error)
{
	g_autoptr(kmod_ctx) ctx = open_kmod(error);
	g_autoptr(kmod_module) module = NULL;
	int rc;

	if (ctx == NULL)
		return false;
	rc = find_module(ctx, folder, name, &module);
	if (rc == 0)
		rc = kmod_module_insert_module(module, 0, options);
	if (rc == 0)
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_L1,
		"L1: the module %s of %s could not be loaded with \"%s\" (%s); it must have been "
		"built for L1's kernel, and the CPU must be able to do it: see dmesg.log",
		name, folder != NULL ? folder : "the running kernel", options, g_strerror(-rc));
}

char *modules_parameter(const char *module, const char *name, GError **error)
{
	g_autofree char *folder = sysfs_path(module, "parameters");
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GError) cause = NULL;
	char *value;

	if (!g_file_get_contents(path, &value, NULL, &cause))
		return eptlab_null(error, EPTLAB_ERROR_L1,
				   "L1: the parameter in effect cannot be read back (%s)",
				   cause->message);
	return g_strchomp(value);
}

GHashTable *modules_parameters(const char *module)
{
	GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autofree char *path = sysfs_path(module, "parameters");
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		char *value = modules_parameter(module, name, NULL);

		if (value != NULL)
			g_hash_table_insert(all, g_strdup(name), value);
	}
	return all;
}

/* An ELF note: header, name padded to 4 bytes, description (ELF specification, note section). */
static char *build_id_of_note(const char *note, gsize length)
{
	Elf64_Nhdr header;
	gsize at = sizeof(header);
	GString *hex;

	if (length < sizeof(header))
		return NULL;
	memcpy(&header, note, sizeof(header));
	at += (header.n_namesz + 3u) & ~3u;
	if (header.n_type != NT_GNU_BUILD_ID || header.n_descsz == 0 || at > length ||
	    header.n_descsz > length - at)
		return NULL;
	hex = g_string_new(NULL);
	for (gsize i = 0; i < header.n_descsz; i++)
		g_string_append_printf(hex, "%02x", (unsigned char)note[at + i]);
	return g_string_free(hex, FALSE);
}

char *modules_build_id(const char *name, GError **error)
{
	g_autofree char *path = sysfs_path(name, "notes/.note.gnu.build-id");
	g_autofree char *note = NULL;
	char *id = NULL;
	gsize length;

	if (g_file_get_contents(path, &note, &length, NULL))
		id = build_id_of_note(note, length);
	if (id == NULL)
		eptlab_fail(error, EPTLAB_ERROR_L1,
			    "L1: the loaded module %s shows no build-id in %s, so nobody can tell "
			    "which one it is; build the kernel with CONFIG_KALLSYMS and --build-id",
			    name, path);
	return id;
}

/* The head of such a note, as gcc and ld write it: name 4 bytes, description 20 (SHA-1), its type.
 */
static const char build_id_note[] = { 4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0 };
#define BUILD_ID_LENGTH 20

char *modules_file_build_id(const char *folder, const char *name)
{
	g_autoptr(kmod_ctx) ctx = open_kmod(NULL);
	g_autoptr(kmod_module) module = NULL;
	g_autofree char *bytes = NULL;
	const char *note;
	gsize length;

	if (ctx == NULL || find_module(ctx, folder, name, &module) != 0 ||
	    !g_file_get_contents(kmod_module_get_path(module), &bytes, &length, NULL))
		return NULL;
	note = memmem(bytes, length, build_id_note, sizeof(build_id_note));
	if (note == NULL ||
	    (gsize)(note - bytes) + sizeof(build_id_note) + BUILD_ID_LENGTH > length)
		return NULL;
	return build_id_of_note(note, sizeof(build_id_note) + BUILD_ID_LENGTH);
}
