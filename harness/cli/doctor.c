/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <jansson.h>

#include "cli/arguments.h"
#include "cli/formats.h"
#include "config/paths.h"
#include "config/config.h"
#include "l1/holes.h"
#include "l1/platform.h"
#include "report/screen.h"
#include "base/each.h"

/* One thing that was looked at: a platform, or what every platform needs. */
struct finding {
	const char *name;
	const char *what;
	bool platform;
	bool good;
	GError *problem; /* why not, and what mends it; NULL if it is good */
	char *warning;	 /* what should be known of it all the same; NULL: nothing */
};

struct diagnosis {
	GArray *findings;
	const struct platform *chosen; /* by PLATFORM=auto; NULL: none */
	bool possible;		       /* an experiment can run */
};

static void add(struct diagnosis *diagnosis, const char *name, const char *what, bool platform,
		bool good, GError *problem, char *warning)
{
	const struct finding finding = { name, what, platform, good, problem, warning };

	g_array_append_val(diagnosis->findings, finding);
}

static void clear_finding(void *data)
{
	struct finding *finding = data;

	g_clear_error(&finding->problem);
	g_free(finding->warning);
}

/* libguestfs builds its appliance with a kernel of this machine (supermin(1), SUPERMIN_KERNEL). */
static bool has_kernel(GError **error)
{
	g_autoptr(GDir) boot = g_dir_open("/boot", 0, NULL);
	const char *name;

	while (boot != NULL && (name = g_dir_read_name(boot)) != NULL) {
		g_autofree char *path = g_build_filename("/boot", name, NULL);

		if (g_str_has_prefix(name, "vmlinuz-") && g_file_test(path, G_FILE_TEST_EXISTS))
			return true;
	}
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: there is no kernel in /boot, of which libguestfs makes its "
			   "appliance; %s",
			   paths_get_packages());
}

/* Shadow paging of this machine's own kernel; an L1 that is booted has what make has built. */
static char *warning_of(const struct platform *platform)
{
	struct utsname running;

	if (!platform->is_this_machine || uname(&running) < 0)
		return NULL;
	return holes_words(running.release, running.version);
}

/*
 * What make deps would install. Not decisive: what an experiment needs may have come by other
 * means. On a distribution that the file packages has no names for, the message has the list of
 * what is needed in lines of its own.
 */
static bool has_packages(const char *deps, GError **error)
{
	const char *argv[] = { deps, "missing", NULL };
	g_autoptr(GError) cause = NULL;
	g_autofree char *said = NULL;
	int status;

	if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &said, NULL,
			  &status, &cause))
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: %s", cause->message);
	if (g_spawn_check_wait_status(status, NULL))
		return true;
	g_strchomp(said);
	if (g_str_has_prefix(said, "L0: "))
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "%s", said);
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: missing: %s; run \"make deps\" as root", said);
}

static void look(struct diagnosis *diagnosis, const struct paths *paths,
		 const struct config *config)
{
	const char *kernel_conf = paths_installed_conf(paths);
	GError *problem = NULL;
	unsigned int count;
	const struct platform *const *all = platform_all(&count);
	bool built, kernel, packages;

	for (unsigned int i = 0; i < count; i++) {
		bool good = all[i]->available(config, kernel_conf, &problem);

		add(diagnosis, all[i]->name, all[i]->what, true, good, g_steal_pointer(&problem),
		    warning_of(all[i]));
	}
	/* Installed, dpkg sees to it. */
	if (paths->deps != NULL) {
		packages = has_packages(paths->deps, &problem);
		add(diagnosis, "packages", "what make deps installs", false, packages,
		    g_steal_pointer(&problem), NULL);
	}
	built = paths_are_built(paths, &problem);
	add(diagnosis, "built", "kernels, images and programs", false, built,
	    g_steal_pointer(&problem), NULL);
	kernel = has_kernel(&problem);
	add(diagnosis, "libguestfs", "puts the probe, and other files, into L2's image", false,
	    kernel, g_steal_pointer(&problem), NULL);
	diagnosis->chosen = platform_find(config, kernel_conf, NULL);
	/* What is not built is built by make experiment. */
	diagnosis->possible =
		diagnosis->chosen != NULL && (kernel || (paths->made_guest != NULL && built));
}

static const char *without_level(const char *message)
{
	return g_str_has_prefix(message, "L0: ") ? message + strlen("L0: ") : message;
}

static void print_text(const struct diagnosis *diagnosis)
{
	struct screen screen = {
		.out = g_string_new(NULL),
		.width = terminal_width(),
		.colour = false,
	};

	each_value (const struct finding, one, diagnosis->findings) {
		g_autofree char *text =
			g_strdup_printf("%-10s %-3s  %s%s%s", one->name, one->good ? "yes" : "no",
					one->what, one->good ? "" : ": ",
					one->good ? "" : without_level(one->problem->message));
		g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

		screen_paragraph(&screen, 0, 16, lines[0]);
		for (char **line = lines + 1; *line != NULL; line++)
			screen_paragraph(&screen, 16, 20, *line);
		if (one->warning != NULL) {
			g_autofree char *warning = g_strdup_printf("But %s.", one->warning);

			screen_paragraph(&screen, 16, 16, warning);
		}
	}
	if (diagnosis->chosen != NULL)
		g_string_append_printf(screen.out, "\n%s takes %s: %s.\n",
				       paths_is_installed() ? "eptlab run" : "make experiment",
				       diagnosis->chosen->name, diagnosis->chosen->what);
	if (!diagnosis->possible)
		g_string_append(screen.out, "\nNo experiment can run here.\n");
	fputs(screen.out->str, stdout);
	g_string_free(screen.out, TRUE);
}

static void print_json(const struct diagnosis *diagnosis)
{
	json_t *platforms = json_array(), *needs = json_array();
	json_t *root =
		json_pack("{s:o, s:o, s:s?, s:b}", "platforms", platforms, "needs", needs, "chosen",
			  diagnosis->chosen != NULL ? diagnosis->chosen->name : NULL, "possible",
			  diagnosis->possible);
	char *text;

	each_value (const struct finding, one, diagnosis->findings) {
		json_array_append_new(
			one->platform ? platforms : needs,
			json_pack("{s:s, s:s, s:b, s:s?, s:s?}", "name", one->name, "what",
				  one->what, "good", one->good, "problem",
				  one->good ? NULL : without_level(one->problem->message),
				  "warning", one->warning));
	}
	text = json_dumps(root, JSON_INDENT(2));
	printf("%s\n", text);
	free(text);
	json_decref(root);
}

int command_doctor(int argc, char **argv, GError **error)
{
	g_autofree char *format = NULL;
	g_auto(GStrv) settings = NULL;
	const GOptionEntry entries[] = {
		{ "format", 'f', 0, G_OPTION_ARG_STRING, &format, "text or json", "FORMAT" },
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &settings,
		  "one setting, over all files", "SECTION.KEY=VALUE" },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.summary = "What can this machine run, and what is missing?",
		.description = "Example:\n  eptlab doctor --format json",
		.takes = "doctor takes options only",
	};
	g_autoptr(struct_paths) paths = NULL;
	g_autoptr(struct_config) config = NULL;
	struct diagnosis diagnosis = { .chosen = NULL };
	bool json;

	if (!arguments_parse(&arguments, &argc, &argv, error) ||
	    !format_is_json(format, &json, error))
		return EPTLAB_ERROR_USAGE;
	paths = paths_find(error);
	config = paths != NULL
			 ? config_load(paths->configs, NULL, (const char *const *)settings, error)
			 : NULL;
	if (config == NULL)
		return (*error)->code;
	diagnosis.findings = g_array_new(FALSE, FALSE, sizeof(struct finding));
	g_array_set_clear_func(diagnosis.findings, clear_finding);
	look(&diagnosis, paths, config);
	if (json)
		print_json(&diagnosis);
	else
		print_text(&diagnosis);
	g_array_unref(diagnosis.findings);
	return diagnosis.possible ? 0 : EPTLAB_ERROR_MACHINE;
}
