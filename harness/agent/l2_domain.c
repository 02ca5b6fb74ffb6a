/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/l2_domain.h"

#include <sys/stat.h>
#include <gio/gio.h>

#include "base/error.h"
#include "virt/template.h"

const struct virt_level l2_level = { .here = "L1", .vm = "L2", .code = EPTLAB_ERROR_L1 };

char *l2_domain_file(const struct stage *stage, const char *name, const char *file)
{
	return g_build_filename(stage->l2_files, name, file, NULL);
}

/*
 * loglevel: each character of a console is an I/O exit to QEMU, but a warning must be seen (5 is up
 * to KERN_WARNING). panic=-1: a panic resets at once, which ends the domain, and is known by its
 * text on the console. eptlab.hold: it stands still at its end instead of powering off.
 */
static char *command_line(const struct l2_spec *spec)
{
	return g_strdup_printf("console=ttyS0,115200 loglevel=5 root=/dev/vda1 ro panic=-1 "
			       "eptlab.workload=%s eptlab.hold%s%s",
			       spec->workload, *spec->append != '\0' ? " " : "", spec->append);
}

static bool set_boot(struct template *template, const struct l2_spec *spec, GError **error)
{
	g_autofree char *cmdline = command_line(spec);

	if (spec->kernel == NULL)
		return template_remove(template, "/domain/os/kernel", error) &&
		       template_remove(template, "/domain/os/cmdline", error);
	return template_set(template, "/domain/os/kernel", spec->kernel, error) &&
	       template_set(template, "/domain/os/cmdline", cmdline, error);
}

static bool set_cpu(struct template *template, const struct l2_spec *spec, GError **error)
{
	return spec->no_pcid ||
	       template_remove(template, "/domain/cpu/feature[@name='pcid']", error);
}

static bool set_disk(struct template *template, const struct l2_spec *spec, GError **error)
{
	const char *const disk = "/domain/devices/disk";
	struct stat status;
	bool block = stat(spec->disk, &status) == 0 && S_ISBLK(status.st_mode);

	return template_set_attribute(template, disk, "type", block ? "block" : "file", error) &&
	       template_set(template, "/domain/devices/disk/driver/@type", spec->disk_format,
			    error) &&
	       template_set_attribute(template, "/domain/devices/disk/source",
				      block ? "dev" : "file", spec->disk, error) &&
	       /* Its own system writes to it: to an overlay that is thrown away. */
	       (spec->kernel != NULL ||
		template_remove(template, "/domain/devices/disk/readonly", error));
}

static bool set_port(struct template *template, const struct stage *stage,
		     const struct l2_spec *spec, unsigned int port, const char *file,
		     GError **error)
{
	g_autofree char *xpath =
		g_strdup_printf("/domain/devices/serial[target/@port='%u']/source/@path", port);
	g_autofree char *path = l2_domain_file(stage, spec->name, file);

	return template_set(template, xpath, path, error);
}

static bool set_size(struct template *template, const struct l2_spec *spec, GError **error)
{
	/* The last digits of the template's UUID. */
	g_autofree char *uuid = g_strdup_printf("e97ab000-0000-4000-8000-%012u", spec->number);
	g_autofree char *memory = g_strdup_printf("%u", spec->memory_mib);
	g_autofree char *vcpus = g_strdup_printf("%u", spec->vcpus);

	return template_set(template, "/domain/name", spec->name, error) &&
	       template_set(template, "/domain/uuid", uuid, error) &&
	       template_set(template, "/domain/memory", memory, error) &&
	       template_set(template, "/domain/vcpu", vcpus, error);
}

char *l2_domain_xml(const struct stage *stage, const char *template, const struct l2_spec *spec,
		    GError **error)
{
	g_autoptr(struct_template) loaded = template_load(&l2_level, template, error);

	if (loaded == NULL || !set_size(loaded, spec, error) || !set_boot(loaded, spec, error) ||
	    !set_cpu(loaded, spec, error) || !set_disk(loaded, spec, error) ||
	    !set_port(loaded, stage, spec, 0, L2_CONSOLE, error) ||
	    !set_port(loaded, stage, spec, 1, L2_FRAMES, error))
		return NULL;
	return template_text(loaded);
}

/* QEMU opens the files that its serial ports write; to be watched they must be there before. */
static bool make_files(const struct stage *stage, const struct l2_spec *spec, GError **error)
{
	const char *const files[] = { L2_CONSOLE, L2_FRAMES };
	g_autofree char *folder = l2_domain_file(stage, spec->name, "");
	g_autoptr(GError) cause = NULL;

	g_mkdir_with_parents(folder, 0755);
	for (unsigned int i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = l2_domain_file(stage, spec->name, files[i]);

		if (!g_file_set_contents(path, "", 0, &cause))
			return eptlab_fail(error, EPTLAB_ERROR_L1,
					   "L1: a file for L2's serial port could not be made (%s)",
					   cause->message);
	}
	return true;
}

struct domain *l2_domain_start(struct hypervisor *hypervisor, const struct stage *stage,
			       const char *template, const struct l2_spec *spec, bool paused,
			       GError **error)
{
	g_autofree char *xml = l2_domain_xml(stage, template, spec, error);
	g_autofree char *console = l2_domain_file(stage, spec->name, L2_CONSOLE);
	g_autoptr(struct_domain) domain = NULL;

	if (xml == NULL || !make_files(stage, spec, error))
		return NULL;
	domain = domain_start(hypervisor, spec->name, xml, paused, error);
	if (domain == NULL || !domain_watch_console(domain, console, L2_HELD, error))
		return NULL;
	return g_steal_pointer(&domain);
}
