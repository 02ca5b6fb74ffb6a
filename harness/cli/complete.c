/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "base/each.h"
#include "cli/commands.h"
#include "config/config.h"
#include "config/paths.h"
#include "record/store.h"

/* What is completed: what stands before it in the same word stays as it is. */
struct word {
	const char *kept;
	const char *text;
};

static bool offer(const struct word *word, const char *candidate)
{
	if (!g_str_has_prefix(candidate, word->text))
		return false;
	printf("%s%s\n", word->kept, candidate);
	return true;
}

static void offer_all(const struct word *word, char *const *candidates)
{
	for (; candidates != NULL && *candidates != NULL; candidates++)
		offer(word, *candidates);
}

/* ---- Values ---- */

static struct config *installed_config(void)
{
	g_autoptr(struct_paths) paths = paths_find(NULL);

	return paths != NULL ? config_load(paths->configs, NULL, NULL, NULL) : NULL;
}

static void offer_settings(const struct word *word, const char *description G_GNUC_UNUSED)
{
	g_autoptr(struct_config) config = installed_config();
	g_auto(GStrv) settings = config_settings(config);

	offer_all(word, settings);
}

static void offer_configurations(const struct word *word, const char *description G_GNUC_UNUSED)
{
	g_autoptr(struct_config) config = installed_config();

	if (config != NULL)
		each (const struct config_module, module, config->modules)
			offer(word, module->name);
}

/* The runs of a record, behind its name. */
static void offer_runs(const struct word *word, const char *results)
{
	const char *colon = strrchr(word->text, ':');
	g_autofree char *name = g_strndup(word->text, (gsize)(colon - word->text));
	g_autofree char *path =
		strchr(name, '/') != NULL ? g_strdup(name) : g_build_filename(results, name, NULL);
	g_autoptr(struct_record) record = record_load(path, NULL);

	if (record == NULL)
		return;
	each (const struct record_run, run, record->runs) {
		g_autofree char *candidate = g_strconcat(name, ":", run->config, NULL);

		offer(word, candidate);
	}
}

/* By their names; whoever does not want one of these wants the path of another. */
static void offer_records(const struct word *word, const char *description G_GNUC_UNUSED)
{
	g_autoptr(struct_paths) paths = paths_find(NULL);
	g_autoptr(GPtrArray) names = NULL;
	bool any = false;

	if (paths == NULL)
		return;
	if (strchr(word->text, ':') != NULL) {
		offer_runs(word, paths->results);
		return;
	}
	names = record_store_list(paths->results, NULL);
	if (names != NULL && names->len > 0)
		any = offer(word, "latest");
	for (guint i = 0; names != NULL && i < names->len; i++)
		any = offer(word, names->pdata[i]) || any;
	if (!any)
		puts(COMPLETE_FILES);
}

static void offer_columns(const struct word *word, const char *description G_GNUC_UNUSED)
{
	const char *comma = strrchr(word->text, ',');
	const size_t before = comma != NULL ? (size_t)(comma - word->text) + 1 : 0;
	g_autofree char *done = g_strndup(word->text, before);
	g_autofree char *kept = g_strconcat(word->kept, done, NULL);
	const struct word last = { kept, word->text + before };
	g_autofree char *names = list_columns(",");
	g_auto(GStrv) all = g_strsplit(names, ",", -1);

	offer_all(&last, all);
}

/* "text (default), csv or json": the description of such an option is the list of its values. */
static void offer_described(const struct word *word, const char *description)
{
	g_auto(GStrv) clauses = g_strsplit(description, " or ", -1);
	g_autofree char *commas = g_strjoinv(", ", clauses);
	g_auto(GStrv) values = g_strsplit(commas, ", ", -1);

	for (char **value = values; *value != NULL; value++) {
		(*value)[strcspn(*value, " (")] = '\0';
		offer(word, *value);
	}
}

static void offer_files(const struct word *word G_GNUC_UNUSED,
			const char *description G_GNUC_UNUSED)
{
	puts(COMPLETE_FILES);
}

static void offer_folders(const struct word *word G_GNUC_UNUSED,
			  const char *description G_GNUC_UNUSED)
{
	puts(COMPLETE_FOLDERS);
}

/* By a word of what --help calls the value, or the command's arguments; the first that is in it. */
static const struct {
	const char *called;
	void (*offer)(const struct word *word, const char *description);
} kinds[] = {
	{ "SECTION.KEY", offer_settings }, { "CONFIGURATION", offer_configurations },
	{ "RECORD", offer_records },	   { "COLUMN", offer_columns },
	{ "FORMAT", offer_described },	   { "VALUE", offer_described },
	{ "FILE", offer_files },	   { "FOLDER", offer_folders },
};

static void offer_values(const struct word *word, const char *called, const char *description)
{
	for (size_t i = 0; called != NULL && i < G_N_ELEMENTS(kinds); i++) {
		if (strstr(called, kinds[i].called) == NULL)
			continue;
		kinds[i].offer(word, description);
		return;
	}
}

/* ---- Options ---- */

/* The option that is given as such, in its long or short form, or NULL. */
static const GOptionEntry *option_of(const struct arguments *arguments, const char *given)
{
	for (const GOptionEntry *one = arguments->entries; one != NULL && one->long_name != NULL;
	     one++) {
		const char brief[] = { '-', one->short_name, '\0' };

		if ((g_str_has_prefix(given, "--") && g_str_equal(given + 2, one->long_name)) ||
		    (one->short_name != 0 && g_str_equal(given, brief)))
			return one;
	}
	return NULL;
}

/* The one whose value the last word is, alone or behind "--NAME="; NULL: it is no value. */
static const GOptionEntry *option_before(const struct arguments *arguments, const char *before,
					 const char *last, size_t *kept)
{
	const GOptionEntry *one = before != NULL ? option_of(arguments, before) : NULL;
	const char *equal = strchr(last, '=');
	g_autofree char *name = NULL;

	*kept = 0;
	if (one == NULL && equal != NULL && g_str_has_prefix(last, "--")) {
		*kept = (size_t)(equal - last) + 1;
		name = g_strndup(last, *kept - 1);
		one = option_of(arguments, name);
	}
	return one != NULL && one->arg != G_OPTION_ARG_NONE ? one : NULL;
}

static void offer_options(const struct arguments *arguments, const struct word *word)
{
	for (const GOptionEntry *one = arguments->entries; one != NULL && one->long_name != NULL;
	     one++) {
		g_autofree char *name = g_strconcat("--", one->long_name, NULL);

		offer(word, name);
	}
	offer(word, "--help");
}

void complete_arguments(const struct arguments *arguments, char *const *words)
{
	const guint count = g_strv_length((char **)words);
	const char *last = count > 0 ? words[count - 1] : "";
	const char *before = count > 1 ? words[count - 2] : NULL;
	size_t kept;
	const GOptionEntry *option = option_before(arguments, before, last, &kept);
	g_autofree char *head = option != NULL ? g_strndup(last, kept) : g_strdup("");
	const struct word word = { head, option != NULL ? last + kept : last };

	if (option != NULL)
		offer_values(&word, option->arg_description, option->description);
	else if (*last == '-')
		offer_options(arguments, &word);
	else
		offer_values(&word, arguments->names, "");
}

void complete_command(char *const *words)
{
	const struct word word = { "", *words != NULL ? *words : "" };
	size_t count;
	const struct command_row *commands = commands_all(&count);

	for (size_t i = 0; i < count; i++)
		if (commands[i].help != NULL)
			offer(&word, commands[i].name);
	offer(&word, "--help");
	offer(&word, "--version");
}
