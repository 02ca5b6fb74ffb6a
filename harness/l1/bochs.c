/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "l1/emulator.h"
#include "l1/medium.h"
#include "l1/platform.h"
#include "l1/watch.h"

/* Debian's package; the wrapper "bochs" only execs it. */
#define BOCHS "bochs-bin"

/* What stands before its version in the first line of its log. */
#define VERSION_MARK "Bochs x86 Emulator "

/* Files in the working folder, by the names that the configuration below uses. */
#define MEDIUM	     "job.iso"
#define APPLIANCE    "appliance.img"
#define L2_IMAGE     "l2.img"
#define CONSOLE	     "console.fifo"
#define FRAMES	     "frames.fifo"
#define DEBUGGER_LOG "debugger.log"
#define BOCHS_TIME   "bochs-time.so"

#define BIOS	 "/usr/share/bochs/BIOS-bochs-latest"
#define VGA_BIOS "/usr/share/bochs/VGABIOS-lgpl-latest"

/*
 * Everything that lets the wall clock in is off (sync=none, time0 fixed, realtime=0, and what
 * bochs_time.c is for): so two boots are the same to the last bit. Debian's Bochs has no display
 * but a terminal that opens no network port. The disks are "volatile": what L1 writes is never in
 * the image.
 */
static const char configuration[] =
	"config_interface: textconfig\n"
	"display_library: term\n"
	"cpu: model=%s, count=1, ips=%" G_GUINT64_FORMAT
	", reset_on_triple_fault=0, ignore_bad_msrs=1\n"
	"memory: guest=%u, host=%u\n"
	"romimage: file=" BIOS ", options=fastboot\n"
	"vgaromimage: file=" VGA_BIOS "\n"
	"vga: extension=vbe, update_freq=1, realtime=0\n"
	"clock: sync=none, time0=946684800\n"
	"ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14\n"
	"ata0-master: type=disk, path=" MEDIUM ", mode=volatile, cylinders=0\n"
	"ata0-slave: type=disk, path=" APPLIANCE ", mode=volatile, cylinders=0\n"
	"ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15\n"
	"%s"
	"boot: disk\n"
	"floppya: type=none\n"
	"com1: enabled=1, mode=file, dev=" CONSOLE "\n"
	"com2: enabled=1, mode=file, dev=" FRAMES "\n"
	"speaker: enabled=0\n"
	"sound: driver=dummy\n"
	"debugger_log: " DEBUGGER_LOG "\n"
	"panic: action=fatal\n"
	/* cpu0 reports each read of an MSR that the model lacks: two lines a timer tick. */
	"error: action=report, cpu0=ignore\n"
	"info: action=report\n"
	"debug: action=ignore\n";

#define L2_DISK "ata1-master: type=disk, path=" L2_IMAGE ", mode=volatile, cylinders=0\n"

/* What the debugger says when the time break-point is reached (bx_debug/dbg_main.cc). */
#define TIME_IS_UP "Caught time breakpoint"

static bool bochs_available(const struct config *config G_GNUC_UNUSED,
			    const char *kernel_conf G_GNUC_UNUSED, GError **error)
{
	static const char *const needed[] = {
		BOCHS, "xorriso", BIOS, VGA_BIOS, ISOLINUX_BIN, ISOLINUX_MBR, LDLINUX_C32, NULL,
	};

	return platform_needs(needed, "and the platform bochs needs it", error);
}

/* Its AMD models that have SVM (cpu/cpudb/amd in Bochs' sources); no other has anything but VMX. */
static const char *vendor_of(const char *model)
{
	static const char *const svm[] = { "phenom_8650_toliman", "ryzen",   "trinity_apu",
					   "turion64_tyler",	  "zambezi", NULL };

	return g_strv_contains(svm, model) ? "svm" : "vmx";
}

static void bochs_describe(const struct config *config, struct record_platform *out)
{
	record_set_string(&out->name, "bochs");
	record_set_string(&out->emulator, "Bochs");
	record_set_string(&out->cpu, config->bochs.cpu);
	record_set_string(&out->vendor, vendor_of(config->bochs.cpu));
	out->cpus = record_u64_from(1);
}

static bool set_machine_error(GError **error, const char *what, const char *cause)
{
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: Bochs could not be set up (%s: %s)",
			   what, cause);
}

static bool write_file(const char *folder, const char *name, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GError) cause = NULL;

	return g_file_set_contents(path, text, -1, &cause) ||
	       set_machine_error(error, name, cause->message);
}

/*
 * Bochs puts its lock file and what the guest writes beside the path of a disk, so the working
 * folder has links to the images.
 */
static bool link_file(const char *folder, const char *name, const char *image, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *target = g_canonicalize_filename(image, NULL);

	return symlink(target, path) == 0 || set_machine_error(error, name, g_strerror(errno));
}

static void bochs_parts(const struct platform_request *request, struct platform_parts *out)
{
	const struct config_bochs *config = &request->config->bochs;
	const char *const files[] = { BOCHS,	    BIOS,	 VGA_BIOS,	     ISOLINUX_BIN,
				      ISOLINUX_MBR, LDLINUX_C32, request->bochs_time };

	out->configuration =
		g_strdup_printf(configuration, config->cpu, config->ips, config->memory_mib,
				config->memory_mib, request->l2_image != NULL ? L2_DISK : "");
	out->cmdline = medium_cmdline(request->config->l1.append);
	memcpy(out->files, files, sizeof(files));
}

static bool set_up(const struct platform_request *request, const struct platform_parts *parts,
		   GError **error)
{
	const struct config_bochs *config = &request->config->bochs;
	g_autofree char *medium = g_build_filename(request->work, MEDIUM, NULL);
	/*
	 * The debugger, which is compiled in, is what ends a boot after timeout_ticks: it runs the
	 * machine (c) up to a time break-point, or to its end, and quits.
	 */
	g_autofree char *commands =
		g_strdup_printf("sba %" G_GUINT64_FORMAT "\nc\nq\n", config->timeout_ticks);

	return medium_make(request, parts->cmdline, medium, error) &&
	       link_file(request->work, APPLIANCE, request->appliance, error) &&
	       link_file(request->work, BOCHS_TIME, request->bochs_time, error) &&
	       (request->l2_image == NULL ||
		link_file(request->work, L2_IMAGE, request->l2_image, error)) &&
	       write_file(request->work, "bochsrc", parts->configuration, error) &&
	       write_file(request->work, "commands", commands, error);
}

static bool prepare(const struct platform_request *request, GError **error)
{
	struct platform_parts parts = { .kernel = NULL };
	bool ok;

	bochs_parts(request, &parts);
	ok = set_up(request, &parts, error);
	platform_parts_clear(&parts);
	return ok;
}

/* Each line of the log begins with the tick at which it was written. */
static struct record_u64 last_tick(const char *text)
{
	const char *newline = strrchr(text, '\n');
	const char *line = newline != NULL ? newline + 1 : text;
	char *end;
	uint64_t ticks = strtoull(line, &end, 10);

	return (struct record_u64){ .known = end != line, .value = ticks };
}

static void read_log(const char *log, struct record_platform *platform, struct record_u64 *ticks)
{
	g_autofree char *text = NULL;
	const char *mark;

	*ticks = (struct record_u64){ .known = false };
	if (!g_file_get_contents(log, &text, NULL, NULL))
		return;
	*ticks = last_tick(g_strchomp(text));
	mark = strstr(text, VERSION_MARK);
	if (mark != NULL) {
		const char *from = mark + strlen(VERSION_MARK);
		g_autofree char *version = g_strndup(from, strcspn(from, "\n"));

		record_set_string(&platform->version, version);
	}
}

static bool time_was_up(const char *work)
{
	g_autofree char *path = g_build_filename(work, DEBUGGER_LOG, NULL);
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, TIME_IS_UP) != NULL;
}

/* Bochs has ended by itself. Was that L1's power-off? */
static bool judge_end(const struct platform_request *request, GError **error)
{
	if (time_was_up(request->work))
		eptlab_fail(error, EPTLAB_ERROR_TIMEOUT,
			    "L1: it had not finished after %" G_GUINT64_FORMAT " emulated "
			    "instructions (timeout_ticks in [bochs]); read l1-console.log",
			    request->config->bochs.timeout_ticks);
	else
		return watch_judge(request->frames,
				   "Bochs ended before L1's agent had said a word (does bochs "
				   "--help cpu list the cpu?)",
				   error);
	return false;
}

static char **bochs_environment(void)
{
	char **environment = g_environ_setenv(g_get_environ(), "TERM", "vt100", TRUE);

	/* Relative to the working folder: a blank or a colon in a path would end the name. */
	return g_environ_setenv(environment, "LD_PRELOAD", "./" BOCHS_TIME, TRUE);
}

/* How it is called in its working folder; the path of its log stands behind. */
#define BOCHS_ARGUMENTS BOCHS, "-q", "-f", "bochsrc", "-rc", "commands", "-log"

static char *bochs_command(const struct platform_request *request, GError **error G_GNUC_UNUSED)
{
	const char *const argv[] = { BOCHS_ARGUMENTS, "emulator.log", NULL };
	g_autofree char *line = g_strjoinv(" ", (char **)argv);
	struct platform_parts parts = { .kernel = NULL };
	char *text;

	bochs_parts(request, &parts);
	text = g_strdup_printf("LD_PRELOAD=./" BOCHS_TIME " %s\n\nwith this bochsrc:\n\n%s", line,
			       parts.configuration);
	platform_parts_clear(&parts);
	return text;
}

static bool bochs_boot(const struct platform_request *request, struct record_platform *platform,
		       struct record_u64 *ticks, GError **error)
{
	g_autofree char *log = g_canonicalize_filename(request->log, NULL);
	g_autofree char *console = g_build_filename(request->work, CONSOLE, NULL);
	g_autofree char *frames = g_build_filename(request->work, FRAMES, NULL);
	const char *const argv[] = { BOCHS_ARGUMENTS, log, NULL };
	g_auto(GStrv) environment = bochs_environment();
	const struct emulator_request emulator = {
		.argv = argv,
		.environment = environment,
		.folder = request->work,
		.console_fifo = console,
		.frames_fifo = frames,
		.console_file = request->console,
		.log = log,
		.seconds = request->config->bochs.timeout_seconds,
		.frames = request->frames,
		.cancellable = request->cancellable,
	};
	bool ok;

	ok = prepare(request, error) && emulator_run(&emulator, error) && judge_end(request, error);
	read_log(request->log, platform, ticks);
	return ok;
}

const struct platform platform_bochs = {
	.name = "bochs",
	.what = "L1 on an Intel CPU that Bochs emulates (VMX, EPT)",
	.repeats = true,
	.available = bochs_available,
	.describe = bochs_describe,
	.parts = bochs_parts,
	.command = bochs_command,
	.boot = bochs_boot,
};
