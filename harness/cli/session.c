/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/session.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/progress.h"
#include "wire/job.h"
#include "record/store.h"
#include "l1/local.h"
#include "virt/supervisor.h"

/* ---- Signals ---- */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/* A signal that is ignored stays so (nohup): to wait for it would be to take it. */
static void signals_of(sigset_t *set)
{
	struct sigaction action;

	sigemptyset(set);
	for (unsigned int i = 0; i < G_N_ELEMENTS(signals); i++) {
		if (sigaction(signals[i], NULL, &action) != 0 || action.sa_handler != SIG_IGN)
			sigaddset(set, signals[i]);
	}
}

static void *wait_for_signal(void *data)
{
	g_autoptr(GCancellable) cancellable = data;
	sigset_t set;
	int number;

	signals_of(&set);
	while (sigwait(&set, &number) == 0)
		g_cancellable_cancel(cancellable);
	return NULL;
}

GCancellable *interrupt_catch(void)
{
	GCancellable *cancellable = g_cancellable_new();
	sigset_t set;

	signals_of(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	g_thread_unref(g_thread_new("signals", wait_for_signal, g_object_ref(cancellable)));
	return cancellable;
}

/* ---- A session ---- */

struct session *session_open(int *argc, char ***argv, const struct arguments *asked, GError **error)
{
	g_autoptr(struct_session) session = g_new0(struct session, 1);
	const GOptionEntry common[] = {
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &session->settings,
		  "one setting, over all files", "SECTION.KEY=VALUE" },
		{ "override", 'o', 0, G_OPTION_ARG_FILENAME_ARRAY, &session->overrides,
		  "settings of FILE over those of configs/", "FILE" },
		{ "configs", 0, 0, G_OPTION_ARG_FILENAME, &session->configs,
		  "take the configuration from FOLDER", "FOLDER" },
		{ "results", 0, 0, G_OPTION_ARG_FILENAME, &session->results,
		  "keep records in FOLDER", "FOLDER" },
	};
	g_autoptr(GArray) entries = g_array_new(TRUE, FALSE, sizeof(GOptionEntry));
	struct arguments arguments = *asked;

	g_array_append_vals(entries, common, G_N_ELEMENTS(common));
	for (const GOptionEntry *one = asked->entries; one != NULL && one->long_name != NULL; one++)
		g_array_append_vals(entries, one, 1);
	arguments.entries = (const GOptionEntry *)(void *)entries->data;
	if (!arguments_parse(&arguments, argc, argv, error))
		return NULL;
	supervise(SUPERVISOR_APART);
	return g_steal_pointer(&session);
}

void session_close(struct session *session)
{
	if (session == NULL)
		return;
	g_strfreev(session->overrides);
	g_strfreev(session->settings);
	g_free(session->configs);
	g_free(session->results);
	paths_free(session->paths);
	g_strfreev(session->argv);
	g_strfreev(session->puts);
	command_free(session->command);
	if (session->config != NULL)
		config_free(session->config);
	g_clear_object(&session->cancellable);
	g_clear_pointer(&session->expected, g_ptr_array_unref);
	g_free(session);
}

void session_set(struct session *session, const char *key, const char *value)
{
	guint count = session->settings != NULL ? g_strv_length(session->settings) : 0;

	session->settings = g_renew(char *, session->settings, count + 2);
	session->settings[count] = g_strconcat(key, "=", value, NULL);
	session->settings[count + 1] = NULL;
}

static void use_folder(char **path, const char *given)
{
	if (given == NULL)
		return;
	g_free(*path);
	*path = g_canonicalize_filename(given, NULL);
}

/* What a harness that was killed has left becomes a failed record. */
static bool recover(const char *results, GError **error)
{
	g_auto(GStrv) recovered = record_store_recover(results, EPTLAB_VERSION, error);

	if (recovered == NULL)
		return false;
	for (char **path = recovered; *path != NULL; path++)
		fprintf(stderr, "An earlier eptlab was killed; what it had is kept: %s\n", *path);
	return true;
}

/* The same on the platform local, for KVM's modules. */
static bool repair(GError **error)
{
	g_autofree char *said = NULL;

	if (!local_repair(&said, error))
		return false;
	if (said != NULL)
		fprintf(stderr, "%s\n", said);
	return true;
}

static bool have_workload(const struct session *session, GError **error)
{
	const char *name = session->config->experiment.workload;
	g_autofree char *path = g_build_filename(session->paths->workloads, name, NULL);

	if (config_has_guest(session->config) && job_is_dose(name))
		return eptlab_fail(
			error, EPTLAB_ERROR_USAGE,
			"L0: a dose is taken by a guest of its own, not by an image of yours; "
			"leave out one of workload and guest");
	if (session->argv != NULL || job_is_dose(name) || g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_USAGE,
		"L0: there is no workload \"%s\"; the files in %s are those there are, and the "
		"doses of docs/doses.md",
		name, session->paths->workloads);
}

static bool make_command(struct session *session, GError **error)
{
	if (session->argv != NULL)
		session->command =
			command_new(session->argv, session->puts, session->config, error);
	else if (session->puts != NULL)
		eptlab_fail(error, EPTLAB_ERROR_USAGE,
			    "L0: --put is for a command in L2; expected -- COMMAND behind it");
	return session->command != NULL || (session->argv == NULL && session->puts == NULL);
}

/* What the platform local would ignore, and measure this machine's own kernel instead. */
static bool suits_local(const struct session *session, GError **error)
{
	const struct config *config = session->config;
	const struct {
		const char *name;
		const char *value;
	} ignored[] = {
		{ "modules in [l1]", config->l1.modules },
		{ "append in [l1]", config->l1.append },
		{ "kernel in [conform]", session->marks ? config->conform.kernel : "" },
		{ "modules in [conform]", session->marks ? config->conform.modules : "" },
	};

	if (!g_str_equal(config->experiment.platform, "local"))
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(ignored); i++) {
		if (*ignored[i].value == '\0')
			continue;
		return eptlab_fail(
			error, EPTLAB_ERROR_USAGE,
			"L0: %s is %s, but the platform local %s the kernel that this machine "
			"runs and boots none; leave it out, or take bochs, tcg or kvm",
			ignored[i].name, ignored[i].value, session->marks ? "marks" : "takes");
	}
	return true;
}

/* Enough for a median, and read in no time. */
#define RECORDS_EXPECTED 9

static bool is_alike(const struct record *record, const char *platform, const char *workload)
{
	return record->verdict == RECORD_VALID && g_str_equal(record->platform.name, platform) &&
	       g_str_equal(record->workload, workload);
}

/* By the newest valid records of the same platform and workload. */
static GPtrArray *expect(const char *results, const char *platform, const struct config *config)
{
	g_autoptr(GPtrArray) names = record_store_list(results, NULL);
	g_autoptr(GPtrArray) alike = g_ptr_array_new_with_free_func((GDestroyNotify)record_free);
	const char *workload = config->experiment.workload;
	g_autofree char *kind = g_strdup_printf("-%s-%s", platform, workload);

	for (guint i = names != NULL ? names->len : 0; i > 0 && alike->len < RECORDS_EXPECTED;
	     i--) {
		g_autofree char *path = g_build_filename(results, names->pdata[i - 1], NULL);
		g_autoptr(struct_record) record =
			strstr(names->pdata[i - 1], kind) != NULL ? record_load(path, NULL) : NULL;

		if (record != NULL && is_alike(record, platform, workload))
			g_ptr_array_add(alike, g_steal_pointer(&record));
	}
	return progress_expect(alike, g_strv_length(config->experiment.configurations));
}

bool session_find_paths(struct session *session, GError **error)
{
	session->cancellable = interrupt_catch();
	session->paths = paths_find(error);
	if (session->paths == NULL)
		return false;
	use_folder(&session->paths->configs, session->configs);
	use_folder(&session->paths->results, session->results);
	return true;
}

bool session_configure(struct session *session, const char *const *settings, GError **error)
{
	g_clear_pointer(&session->config, config_free);
	session->config = config_load(session->paths->configs,
				      (const char *const *)session->overrides, settings, error);
	return session->config != NULL &&
	       paths_choose_line(session->paths, session->config->experiment.kernel, error) &&
	       paths_are_built(session->paths, error) && have_workload(session, error) &&
	       suits_local(session, error);
}

bool session_prepare(struct session *session, struct experiment *experiment, GError **error)
{
	const struct platform *platform;

	if (!session_find_paths(session, error) ||
	    !session_configure(session, (const char *const *)session->settings, error) ||
	    !make_command(session, error) ||
	    (!session->dry && !recover(session->paths->results, error)))
		return false;
	/* Before it is asked what it can do; other platforms do not touch this machine's KVM. */
	if (!session->dry &&
	    g_str_equal(session->config->experiment.platform, platform_local.name) &&
	    !repair(error))
		return false;
	platform = platform_find(session->config, paths_installed_conf(session->paths), error);
	if (platform == NULL)
		return false;
	session->expected = expect(session->paths->results, platform->name, session->config);
	*experiment = (struct experiment){
		.paths = session->paths,
		.config = session->config,
		.platform = platform,
		.command = session->command,
		.expected = session->expected,
		.cancellable = session->cancellable,
	};
	return true;
}
