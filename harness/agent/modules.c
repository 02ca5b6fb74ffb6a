/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/modules.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <cpuid.h>
#include <libkmod.h>

#include "model/error.h"

static const struct modules_vendor vmx = {
	.names = { "irqbypass", MODULES_KVM, "kvm_intel" },
	.nested = "ept",
	.parameters = (const char *const[]){ "ept", "vpid", "unrestricted_guest", NULL },
	.has_vpid = true,
};

static const struct modules_vendor svm = {
	.names = { "irqbypass", MODULES_KVM, "kvm_amd" },
	.nested = "npt",
	.parameters = (const char *const[]){ "npt", NULL },
};

#define CPUID_1_ECX_VMX	       (1u << 5)
#define CPUID_80000001_ECX_SVM (1u << 2)

const struct modules_vendor *modules_vendor(GError **error)
{
	unsigned int a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) && (c & CPUID_1_ECX_VMX) != 0)
		return &vmx;
	if (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c & CPUID_80000001_ECX_SVM) != 0)
		return &svm;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: its CPU has neither VMX nor SVM, and no KVM works on it; give it one that "
		    "has, or nested virtualization");
	return NULL;
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

static bool unload(kmod_ctx *ctx, const char *name, GError **error)
{
	g_autoptr(kmod_module) module = NULL;
	int state, rc;

	rc = kmod_module_new_from_name(ctx, name, &module);
	if (rc == 0) {
		state = kmod_module_get_initstate(module);
		if (state == -ENOENT)
			return true;
		if (state == KMOD_MODULE_BUILTIN) {
			g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
				    "L1: %s is built into the kernel and cannot be unloaded; build "
				    "KVM as modules",
				    name);
			return false;
		}
		rc = kmod_module_remove_module(module, 0);
	}
	if (rc == 0)
		return true;
	if (rc == -EAGAIN || rc == -EBUSY || rc == -EWOULDBLOCK) {
		g_autofree char *who = holders(module);

		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: the module %s is in use (by%s) and could not be unloaded; "
			    "end its users",
			    name, who);
	} else {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: the module %s could not be unloaded (%s)", name, g_strerror(-rc));
	}
	return false;
}

static bool load(kmod_ctx *ctx, const char *folder, const char *name, const char *options,
		 GError **error)
{
	g_autofree char *file = g_strdup_printf("%s/%s.ko", folder, name);
	g_autoptr(kmod_module) module = NULL;
	int rc;

	/* The file of kvm_intel is called kvm-intel.ko, as for every module. */
	g_strdelimit(strrchr(file, '/'), "_", '-');
	rc = kmod_module_new_from_path(ctx, file, &module);
	if (rc == 0)
		rc = kmod_module_insert_module(module, 0, options);
	if (rc == 0)
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: the module %s could not be loaded with \"%s\" (%s); it must have been "
		    "built for L1's kernel, and the CPU must be able to do it: see dmesg.log",
		    file, options, g_strerror(-rc));
	return false;
}

static kmod_ctx *open_kmod(const char *folder, GError **error)
{
	const char *const no_configuration = NULL;
	kmod_ctx *ctx = kmod_new(folder, &no_configuration);

	if (ctx == NULL)
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: libkmod could not be set up");
	return ctx;
}

bool modules_load(const char *folder, const char *name, GError **error)
{
	g_autoptr(kmod_ctx) ctx = open_kmod(folder, error);

	return ctx != NULL && load(ctx, folder, name, "", error);
}

char *modules_vendor_options(const struct modules_vendor *vendor, const struct job_run *run)
{
	if (vendor->has_vpid)
		return g_strdup_printf("%s=%d vpid=%d", vendor->nested, run->ept, run->vpid);
	return g_strdup_printf("%s=%d", vendor->nested, run->ept);
}

static char *options_of(const struct modules_vendor *vendor, unsigned int i,
			const struct job_run *run, bool cycles)
{
	const char *name = vendor->names[i];

	if (i + 1 == MODULES_COUNT)
		return modules_vendor_options(vendor, run);
	/* A kernel without the parameter is not asked for it. */
	return g_strdup(cycles && strcmp(name, MODULES_KVM) == 0 ? "exitcount_cycles=1" : "");
}

/* The first of the modules that a run reloads. */
static unsigned int first_of(enum job_reload reload)
{
	switch (reload) {
	case JOB_RELOAD_ALL:
		return 0;
	case JOB_RELOAD_VENDOR:
		return MODULES_COUNT - 1;
	case JOB_RELOAD_NONE:
		break;
	}
	return MODULES_COUNT;
}

bool modules_reload(const struct modules_vendor *vendor, const char *folder,
		    const struct job_run *run, bool cycles, GError **error)
{
	g_autoptr(kmod_ctx) ctx = open_kmod(folder, error);
	unsigned int first = first_of(run->reload);

	if (ctx == NULL)
		return false;
	for (unsigned int i = MODULES_COUNT; i > first; i--) {
		if (!unload(ctx, vendor->names[i - 1], error))
			return false;
	}
	for (unsigned int i = first; i < MODULES_COUNT; i++) {
		g_autofree char *options = options_of(vendor, i, run, cycles);

		if (!load(ctx, folder, vendor->names[i], options, error))
			return false;
	}
	return true;
}

char *modules_parameter(const char *module, const char *name, GError **error)
{
	g_autofree char *path = g_strdup_printf("/sys/module/%s/parameters/%s", module, name);
	g_autoptr(GError) cause = NULL;
	char *value;

	if (!g_file_get_contents(path, &value, NULL, &cause)) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: the parameter in effect cannot be read back (%s)", cause->message);
		return NULL;
	}
	return g_strchomp(value);
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
	g_autofree char *path = g_strdup_printf("/sys/module/%s/notes/.note.gnu.build-id", name);
	g_autofree char *note = NULL;
	char *id = NULL;
	gsize length;

	if (g_file_get_contents(path, &note, &length, NULL))
		id = build_id_of_note(note, length);
	if (id == NULL)
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: the loaded module %s shows no build-id in %s, so nobody can tell "
			    "which one it is; build the kernel with CONFIG_KALLSYMS and --build-id",
			    name, path);
	return id;
}
