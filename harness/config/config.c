/* SPDX-License-Identifier: GPL-2.0-only */
#include "config/config.h"

#include <sys/stat.h>
#include <glib/gstdio.h>

#include <stddef.h>
#include <string.h>

#include "base/folder.h"
#include "wire/frame.h"
#include "wire/workload_list.h"
#include "base/each.h"
#include "wire/job.h"

/* ---- What there is to configure: the one place ---- */

enum value_type {
	VALUE_BOOL, /* bool: 0 or 1 */
	VALUE_UINT, /* unsigned int, min to max */
	VALUE_U64,  /* uint64_t, min to max */
	VALUE_FLAG, /* enum job_flag: 0, 1, or nothing; need not be there */
	/* From here on the value is allocated. */
	VALUE_NAMES,  /* char **: names with ';' between them, at least one, none twice */
	VALUE_COUNTS, /* the same, each with ":N" or ":N,N..." behind it, or without */
	VALUE_NAME,   /* char *: becomes part of paths and names */
	VALUE_CHOICE, /* char *: one of choices */
	VALUE_TEXT,   /* char *: at most max characters, may be empty */
	VALUE_PATH,   /* char *: absolute, or empty */
};

struct config_key {
	const char *section;
	const char *name;
	size_t offset; /* in struct config, for [module] in struct config_module */
	enum value_type type;
	uint64_t min, max;
	const char *const *choices;
};

static const char *const sources[] = { "leaves", "tracepoint", NULL };
static const char *const platforms[] = { "auto", "bochs", "tcg", "kvm", "local", NULL };

#define KEY(of, member)                                                                            \
	.section = #of, .name = #member,                                                           \
	.offset = offsetof(struct config, of) +                                                    \
		  offsetof(__typeof__(((struct config *)NULL)->of), member)
#define MODULE_KEY(member)                                                                         \
	.section = "module", .name = #member, .offset = offsetof(struct config_module, member)
#define UINT(least, most)     .type = VALUE_UINT, .min = (least), .max = (most)
#define U64(least, most)      .type = VALUE_U64, .min = (least), .max = (most)
#define TEXT(most)	      .type = VALUE_TEXT, .max = (most)
#define CHOICE(possibilities) .type = VALUE_CHOICE, .choices = (possibilities)
#define SECONDS		      UINT(1, 86400) /* no single wait is longer than a day */

/* Those of a section stand together. */
static const struct config_key keys[] = {
	{ KEY(experiment, workload), .type = VALUE_NAME },
	{ KEY(experiment, operations), .type = VALUE_COUNTS },
	{ KEY(experiment, configurations), .type = VALUE_NAMES },
	{ KEY(experiment, platform), CHOICE(platforms) },
	{ KEY(experiment, source), CHOICE(sources) },
	{ KEY(experiment, kernel), TEXT(32) },
	/* The dose guest counts in 32 bits. */
	{ KEY(experiment, n), U64(0, UINT32_MAX) },
	{ KEY(experiment, cycles), .type = VALUE_BOOL },
	{ KEY(experiment, witness), .type = VALUE_BOOL },
	{ KEY(experiment, tracepoints), TEXT(512) },

	{ MODULE_KEY(name), .type = VALUE_NAME },
	{ MODULE_KEY(ept), .type = VALUE_BOOL },
	{ MODULE_KEY(vpid), .type = VALUE_BOOL },
	{ MODULE_KEY(unrestricted_guest), .type = VALUE_FLAG },
	{ MODULE_KEY(pcid), .type = VALUE_FLAG },
	{ MODULE_KEY(thp), .type = VALUE_FLAG },

	{ KEY(l2, memory_mib), UINT(32, 65536) },
	{ KEY(l2, vcpus), UINT(1, 64) },
	{ KEY(l2, pti), .type = VALUE_BOOL },
	{ KEY(l2, append), TEXT(512) },
	{ KEY(l2, timeout_seconds), SECONDS },
	{ KEY(l2, kernel), .type = VALUE_PATH },
	{ KEY(l2, doses), .type = VALUE_PATH },
	{ KEY(l2, image), .type = VALUE_PATH },
	{ KEY(l2, probe), .type = VALUE_PATH },
	{ KEY(l2, guest), .type = VALUE_PATH },
	{ KEY(l2, guest_memory_mib), UINT(32, 65536) },
	{ KEY(l2, guest_timeout_seconds), SECONDS },

	{ KEY(l1, append), TEXT(512) },
	{ KEY(l1, modules), .type = VALUE_PATH },

	{ KEY(bochs, cpu), .type = VALUE_NAME },
	/* Bochs 2.7 of Debian gives a guest at most 2 GiB. */
	{ KEY(bochs, memory_mib), UINT(128, 2048) },
	{ KEY(bochs, ips), U64(1000000, 4000000000) },
	{ KEY(bochs, timeout_seconds), SECONDS },
	{ KEY(bochs, timeout_ticks), U64(1000000, 1000000000000000) },

	{ KEY(tcg, uri), TEXT(512) },
	{ KEY(tcg, cpu), TEXT(64) },
	{ KEY(tcg, memory_mib), UINT(128, 65536) },
	{ KEY(tcg, cpus), UINT(1, 64) },
	{ KEY(tcg, timeout_seconds), SECONDS },

	{ KEY(kvm, uri), TEXT(512) },
	{ KEY(kvm, memory_mib), UINT(128, 65536) },
	{ KEY(kvm, cpus), UINT(1, 64) },
	{ KEY(kvm, timeout_seconds), SECONDS },

	{ KEY(local, uri), TEXT(512) },
	{ KEY(local, modules), .type = VALUE_PATH },
	{ KEY(local, any_modules), .type = VALUE_BOOL },
	{ KEY(local, timeout_seconds), SECONDS },

	{ KEY(conform, kernel), .type = VALUE_PATH },
	{ KEY(conform, modules), .type = VALUE_PATH },
	{ KEY(conform, runs), .type = VALUE_NAMES },
	{ KEY(conform, each), .type = VALUE_BOOL },
	{ KEY(conform, per_vm), .type = VALUE_BOOL },
	{ KEY(conform, ours), .type = VALUE_BOOL },
	/* The hypervisor range of CPUID, which no CPU answers itself (SDM vol. 2A, "CPUID"). */
	{ KEY(conform, exits_leaf), U64(0x40000000, 0x4fffffff) },
	{ KEY(conform, total_leaf), U64(0x40000000, 0x4fffffff) },
};

static bool is_of_module(const char *section)
{
	return g_str_equal(section, "module");
}

/* ---- Where a value comes from ---- */

struct loader {
	struct config *config;
	/*
	 * What "FILE:LINE" a section ("l2", "module.ept") or key ("l2.vcpus", "module.ept.vpid")
	 * comes from: the last one that set it. char * → char *.
	 */
	GHashTable *origins;
	char *place; /* "FILE:LINE" of what is looked at, or "setting '...'" */
	/* The file that is read. */
	const char *path;
	guint line;
	GPtrArray *entries; /* of struct entry */
	char *folder;	    /* that its paths are relative to */
	bool is_default;    /* not an override */
};

#define fail(loader, error, format, ...)                                                           \
	eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s: " format, (loader)->place, ##__VA_ARGS__)

static void set_place(struct loader *loader, char *place)
{
	g_free(loader->place);
	loader->place = place;
}

/* "l2.vcpus", or "module.ept.vpid" for a module called ept. key may be NULL: the section. */
static char *full_name(const char *section, const char *module, const char *key)
{
	return g_strconcat(section, module ? "." : "", module ? module : "", key ? "." : "",
			   key ? key : "", NULL);
}

static const char *origin_of(const struct loader *loader, const char *section, const char *module,
			     const char *key)
{
	g_autofree char *name = full_name(section, module, key);

	return g_hash_table_lookup(loader->origins, name);
}

static void set_origin(struct loader *loader, const char *section, const char *module,
		       const char *key)
{
	g_hash_table_insert(loader->origins, full_name(section, module, key),
			    g_strdup(loader->place));
}

/* ---- Values ---- */

static char *key_expects(const struct config_key *key)
{
	g_autofree char *list = NULL;

	switch (key->type) {
	case VALUE_BOOL:
		return g_strdup("0 or 1");
	case VALUE_FLAG:
		return g_strdup("0, 1 or nothing");
	case VALUE_UINT:
	case VALUE_U64:
		return g_strdup_printf("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
				       key->min, key->max);
	case VALUE_NAME:
		return g_strdup("a name of a-z, 0-9, _ and -");
	case VALUE_NAMES:
		return g_strdup("names of a-z, 0-9, _ and -, with ';' between them, none twice");
	case VALUE_COUNTS:
		return g_strdup(
			"names with ';' between them, none twice, each with ':' and numbers "
			"with ',' between them or without");
	case VALUE_CHOICE:
		list = g_strjoinv(", ", (char **)key->choices);
		return g_strdup_printf("one of %s", list);
	case VALUE_TEXT:
		return g_strdup_printf("a text of at most %" G_GUINT64_FORMAT " characters",
				       key->max);
	case VALUE_PATH:
		break;
	}
	return g_strdup("a path, or nothing");
}

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"

/* Of a section or key. */
static bool is_identifier(const char *text)
{
	return g_ascii_islower(*text) && text[strspn(text, LETTERS_AND_DIGITS "_")] == '\0';
}

static bool is_name(const char *text)
{
	return strspn(text, LETTERS_AND_DIGITS) > 0 &&
	       text[strspn(text, LETTERS_AND_DIGITS "_-")] == '\0';
}

/* Is it a name, and behind it what it may have? The name alone is left in the copy that is freed.
 */
static bool is_item(const char *text, bool counts, GPtrArray *names)
{
	const size_t length = counts ? strcspn(text, ":") : strlen(text);
	char *name = g_strndup(text, length);

	g_ptr_array_add(names, name);
	return is_name(name) &&
	       (text[length] == '\0' ||
		text[length + 1 + strspn(text + length + 1, "0123456789,")] == '\0');
}

/* Split at ';', blanks around a name apart; NULL if one of them is no name or stands twice. */
static char **split_names(const char *text, bool counts)
{
	g_autoptr(GPtrArray) alone = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) names = g_strsplit(text, ";", -1);
	guint count = g_strv_length(names);

	/* The list may end with a ';'. */
	if (count > 1 && *g_strstrip(names[count - 1]) == '\0')
		g_clear_pointer(&names[--count], g_free);
	for (char **name = names; *name; name++)
		if (!is_item(g_strstrip(*name), counts, alone))
			return NULL;
	g_ptr_array_add(alone, NULL);
	for (char **name = (char **)alone->pdata; *name; name++)
		if (g_strv_contains((const char *const *)name + 1, *name))
			return NULL;
	return count > 0 ? g_steal_pointer(&names) : NULL;
}

static bool store_number(const struct config_key *key, const char *text, void *member)
{
	uint64_t number;

	if (!frame_parse_u64(text, &number) || number < key->min || number > key->max)
		return false;
	if (key->type == VALUE_UINT)
		*(unsigned int *)member = (unsigned int)number;
	else
		*(uint64_t *)member = number;
	return true;
}

static void clear_value(const struct config_key *key, void *member)
{
	if (key->type == VALUE_NAMES || key->type == VALUE_COUNTS)
		g_clear_pointer((char ***)member, g_strfreev);
	else if (key->type > VALUE_NAMES)
		g_clear_pointer((char **)member, g_free);
}

/* Convert text and store it; false if it is not what the key expects. */
static bool store_value(const struct loader *loader, const struct config_key *key, const char *text,
			void *member)
{
	clear_value(key, member);
	switch (key->type) {
	case VALUE_BOOL:
		*(bool *)member = g_str_equal(text, "1");
		return g_str_equal(text, "0") || g_str_equal(text, "1");
	case VALUE_FLAG:
		*(enum job_flag *)member = *text == '\0'  ? JOB_UNSET
					   : *text == '1' ? JOB_ON
							  : JOB_OFF;
		return *text == '\0' || g_str_equal(text, "0") || g_str_equal(text, "1");
	case VALUE_UINT:
	case VALUE_U64:
		return store_number(key, text, member);
	case VALUE_NAMES:
	case VALUE_COUNTS:
		*(char ***)member = split_names(text, key->type == VALUE_COUNTS);
		return *(char ***)member != NULL;
	case VALUE_PATH:
		*(char **)member =
			*text ? g_canonicalize_filename(text, loader->folder) : g_strdup("");
		return true;
	case VALUE_NAME:
	case VALUE_CHOICE:
	case VALUE_TEXT:
		break;
	}
	*(char **)member = g_strdup(text);
	return key->type == VALUE_NAME	   ? is_name(text)
	       : key->type == VALUE_CHOICE ? g_strv_contains(key->choices, text)
					   : strlen(text) <= key->max;
}

/* ---- Sections and keys ---- */

/* The key of that name, or any of the section (name NULL). */
static const struct config_key *find_key(const char *section, const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_str_equal(keys[i].section, section) &&
		    (!name || g_str_equal(keys[i].name, name)))
			return &keys[i];
	return NULL;
}

/* The names of all sections, or of all keys of a section, with ", " between them. */
static char *list_names(const char *section)
{
	GString *list = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		const struct config_key *key = &keys[i];

		if (section ? !g_str_equal(key->section, section)
			    : key != find_key(key->section, NULL))
			continue;
		g_string_append_printf(list, "%s%s", list->len ? ", " : "",
				       section ? key->name : key->section);
	}
	return g_string_free(list, FALSE);
}

static bool check_section(const struct loader *loader, const char *section, GError **error)
{
	g_autofree char *known = list_names(NULL);

	return find_key(section, NULL) ||
	       fail(loader, error, "there is no section [%s], expected one of %s", section, known);
}

/* The structure of that configuration, made if it is not there yet. */
static struct config_module *get_module(struct config *config, const char *name)
{
	struct config_module *module = (struct config_module *)config_find_module(config, name);

	if (!module) {
		module = g_new0(struct config_module, 1);
		module->name = g_strdup(name);
		g_ptr_array_add(config->modules, module);
	}
	return module;
}

/* One key=value of a section that exists; module is the configuration it belongs to, or NULL. */
static bool take_value(struct loader *loader, const char *section, const char *module,
		       const char *name, const char *text, GError **error)
{
	const struct config_key *key = find_key(section, name);
	g_autofree char *expected = key ? key_expects(key) : list_names(section);
	char *base = (char *)loader->config;

	if (!key)
		return fail(loader, error, "[%s] has no key '%s', expected one of %s", section,
			    name, expected);
	if (module)
		base = (char *)get_module(loader->config, module);
	if (!store_value(loader, key, text, base + key->offset))
		return fail(loader, error, "%s is '%s' in [%s], expected %s", name, text, section,
			    expected);
	set_origin(loader, section, module, name);
	return true;
}

/* ---- Files ---- */

/* A line that is no comment. GKeyFile would tell no lines, and merge what stands twice. */
struct entry {
	char *section;
	char *key; /* NULL: the section's own line */
	char *value;
	guint line; /* from 1 */
};

static void entry_free(void *data)
{
	struct entry *entry = data;

	g_free(entry->section);
	g_free(entry->key);
	g_free(entry->value);
	g_free(entry);
}

static void set_line(struct loader *loader, guint line)
{
	loader->line = line;
	set_place(loader, g_strdup_printf("%s:%u", loader->path, line));
}

/* The line of a key, or of the section itself (key NULL); NULL if the file has none. */
static const struct entry *find_entry(const struct loader *loader, const char *section,
				      const char *key)
{
	each (const struct entry, entry, loader->entries) {
		if (g_str_equal(entry->section, section) && g_strcmp0(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

static bool add_entry(struct loader *loader, const char *section, const char *key,
		      const char *value, GError **error)
{
	const struct entry *before = find_entry(loader, section, key);
	struct entry *entry;

	if (before && key)
		return fail(loader, error, "'%s' stands twice in [%s], first in line %u", key,
			    section, before->line);
	if (before)
		return fail(loader, error, "the section [%s] stands twice, first in line %u",
			    section, before->line);
	entry = g_new(struct entry, 1);
	*entry = (struct entry){ g_strdup(section), g_strdup(key), g_strdup(value), loader->line };
	g_ptr_array_add(loader->entries, entry);
	return true;
}

static bool parse_section(struct loader *loader, char *text, GError **error)
{
	if (!g_str_has_suffix(text, "]"))
		return fail(loader, error, "'%s' begins like a section, expected '[name]'", text);
	text[strlen(text) - 1] = '\0';
	text++;
	if (!is_identifier(text))
		return fail(loader, error,
			    "'[%s]' is no section, expected a name of a-z, 0-9 and _ in brackets",
			    text);
	return add_entry(loader, text, NULL, NULL, error);
}

static bool parse_key(struct loader *loader, char *text, GError **error)
{
	const GPtrArray *entries = loader->entries;
	const struct entry *last = entries->len > 0 ? entries->pdata[entries->len - 1] : NULL;
	char *value = strchr(text, '=');

	if (!value)
		return fail(loader, error,
			    "'%s' is neither a comment (#) nor '[section]' nor 'key=value'", text);
	*value++ = '\0';
	if (!is_identifier(g_strchomp(text)))
		return fail(loader, error,
			    "'%s' is no key, expected a name of a-z, 0-9 and _ before '='", text);
	if (!last)
		return fail(loader, error, "'%s' stands before the first [section]", text);
	return add_entry(loader, last->section, text, g_strchug(value), error);
}

/* Comments may be in any language; all else is checked before blanks are taken away. */
static bool parse_line(struct loader *loader, char *text, GError **error)
{
	const char *at = text;

	if (text[strspn(text, " \t")] == '#')
		return true;
	while (g_ascii_isprint(*at) || *at == '\t')
		at++;
	if (*at != '\0')
		return fail(loader, error,
			    "there is a byte 0x%02x, expected printable ASCII outside of comments",
			    (unsigned char)*at);
	g_strstrip(text);
	if (*text == '[')
		return parse_section(loader, text, error);
	return *text == '\0' || parse_key(loader, text, error);
}

static bool parse(struct loader *loader, const char *text, gsize length, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		set_line(loader, i + 1);
		/* A NUL byte ends what g_strsplit has seen. */
		if (!lines[i + 1] && strlen(text) < length)
			return fail(loader, error, "there is a NUL byte, expected a text file");
		if (lines[i + 1] && g_str_has_suffix(lines[i], "\r"))
			lines[i][strlen(lines[i]) - 1] = '\0';
		if (!parse_line(loader, lines[i], error))
			return false;
	}
	return true;
}

/*
 * The configuration that the [module] section of a file belongs to. Its name is checked before
 * anything is stored under it.
 */
static const char *module_of_file(struct loader *loader, GError **error)
{
	const struct entry *entry = find_entry(loader, "module", "name");
	g_autofree char *base = g_path_get_basename(loader->path);
	g_autofree char *expected = NULL;

	if (!entry) {
		set_line(loader, find_entry(loader, "module", NULL)->line);
		fail(loader, error, "[module] has no 'name', expected that of a configuration");
		return NULL;
	}
	expected = g_strconcat(entry->value, ".conf", NULL);
	if (is_name(entry->value) && (!loader->is_default || g_str_equal(base, expected)))
		return entry->value;
	set_line(loader, entry->line);
	fail(loader, error, "name is '%s' in [module], expected a name of a-z, 0-9, _ and -%s",
	     entry->value, loader->is_default ? ", the same as that of the file" : "");
	return NULL;
}

/* A section begins. Among the defaults each has one place; an override may set it again. */
static bool take_section(struct loader *loader, const char *section, const char *module,
			 GError **error)
{
	const char *before = origin_of(loader, section, module, NULL);

	if (before && loader->is_default)
		return fail(loader, error, "the section [%s] stands in %s already", section,
			    before);
	if (!before)
		set_origin(loader, section, module, NULL);
	return true;
}

static bool take_entry(struct loader *loader, const struct entry *entry, GError **error)
{
	const char *module = NULL;

	set_line(loader, entry->line);
	if (!check_section(loader, entry->section, error) ||
	    (is_of_module(entry->section) && !(module = module_of_file(loader, error))))
		return false;
	if (!entry->key)
		return take_section(loader, entry->section, module, error);
	return take_value(loader, entry->section, module, entry->key, entry->value, error);
}

/* More than anybody writes by hand. A FIFO or a device could be read for ever. */
#define FILE_SIZE_MAX 1048576 /* bytes */

static char *read_file(const char *path, gsize *length, GError **error)
{
	g_autoptr(GError) why = NULL;
	char *text = NULL;
	GStatBuf status;

	if (g_stat(path, &status) == 0 &&
	    (!S_ISREG(status.st_mode) || status.st_size > FILE_SIZE_MAX))
		eptlab_fail(error, EPTLAB_ERROR_USAGE,
			    "L0: %s: cannot read the configuration file: expected a regular file "
			    "of at most %d bytes",
			    path, FILE_SIZE_MAX);
	else if (!g_file_get_contents(path, &text, length, &why))
		eptlab_fail(error, EPTLAB_ERROR_USAGE,
			    "L0: %s: cannot read the configuration file: %s", path, why->message);
	return text;
}

static bool load_file(struct loader *loader, const char *path, GError **error)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *text = NULL;
	gsize length;
	bool good;

	loader->path = path;
	loader->entries = entries;
	g_free(loader->folder);
	loader->folder = g_canonicalize_filename(folder, NULL);
	text = read_file(path, &length, error);
	good = text && parse(loader, text, length, error);
	for (guint i = 0; good && i < entries->len; i++)
		good = take_entry(loader, entries->pdata[i], error);
	return good;
}

/* All *.conf in a folder. */
static bool load_folder(struct loader *loader, const char *folder, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_auto(GStrv) names = folder_names(folder, &why);
	bool good = true;

	if (!names)
		return eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: %s: cannot read the folder of the configuration: %s",
				   folder, why->message);
	loader->is_default = true;
	for (char **name = names; good && *name; name++) {
		g_autofree char *path = g_build_filename(folder, *name, NULL);

		if (g_str_has_suffix(*name, ".conf") && **name != '.')
			good = load_file(loader, path, error);
	}
	loader->is_default = false;
	return good;
}

/* ---- Settings ---- */

static bool is_printable(const char *text)
{
	while (g_ascii_isprint(*text))
		text++;
	return *text == '\0';
}

/*
 * "section.key=value" or "module.NAME.key=value". A configuration cannot be renamed like this: its
 * name is where the other keys are kept. A setting is given on a command line, so its paths begin
 * in the working directory.
 */
static bool load_setting(struct loader *loader, const char *setting, GError **error)
{
	g_auto(GStrv) sides = g_strsplit(setting, "=", 2);
	g_auto(GStrv) names = g_strsplit(sides[0] ? sides[0] : "", ".", -1);
	const bool of_module = names[0] && is_of_module(names[0]);
	const char *module = of_module ? names[1] : NULL;
	g_autofree char *shown = g_strescape(setting, "\"\\");

	set_place(loader, g_strdup_printf("setting '%s'", shown));
	g_free(loader->folder);
	loader->folder = g_get_current_dir();
	if (g_strv_length(sides) != 2 || g_strv_length(names) != (of_module ? 3 : 2) ||
	    !is_printable(setting))
		return fail(loader, error,
			    "expected section.key=value, or module.CONFIGURATION.key=value");
	if (!check_section(loader, names[0], error))
		return false;
	if (module && !config_find_module(loader->config, module))
		return fail(loader, error, "no file defines a configuration '%s'", module);
	if (module && g_str_equal(names[2], "name"))
		return fail(loader, error, "the name of a configuration is that of its file");
	return take_value(loader, names[0], module, names[of_module ? 2 : 1], sides[1], error);
}

/* ---- What must hold when all is read ---- */

/* Something has set this key, of a configuration called module or of the section that is there
 * once.
 */
static bool check_present(struct loader *loader, const char *folder, const struct config_key *key,
			  const char *module, GError **error)
{
	const char *place = origin_of(loader, key->section, module, NULL);
	g_autofree char *expected = key_expects(key);

	if (key->type == VALUE_FLAG || origin_of(loader, key->section, module, key->name))
		return true;
	set_place(loader, g_strdup(place ? place : folder));
	return place ? fail(loader, error, "[%s] has no '%s', expected %s", key->section, key->name,
			    expected)
		     : fail(loader, error, "no file has a section [%s]", key->section);
}

static bool check_complete(struct loader *loader, const char *folder, GError **error)
{
	const GPtrArray *modules = loader->config->modules;

	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		if (!is_of_module(keys[i].section)) {
			if (!check_present(loader, folder, &keys[i], NULL, error))
				return false;
			continue;
		}
		each (const struct config_module, module, modules) {
			if (!check_present(loader, folder, &keys[i], module->name, error))
				return false;
		}
	}
	return true;
}

static bool has_unrestricted_guest(const struct config_module *module)
{
	return module->ept && module->unrestricted_guest != JOB_OFF;
}

unsigned int config_changes(const struct config_module *a, const struct config_module *b)
{
	return (a->ept != b->ept) + (a->vpid != b->vpid) +
	       (a->ept == b->ept && has_unrestricted_guest(a) != has_unrestricted_guest(b)) +
	       ((a->pcid == JOB_OFF) != (b->pcid == JOB_OFF)) +
	       ((a->thp == JOB_ON) != (b->thp == JOB_ON));
}

/* The place of that key of a configuration, or of its section. */
static void set_module_place(struct loader *loader, const char *module, const char *key)
{
	const char *place = origin_of(loader, "module", module, key);

	set_place(loader, g_strdup(place ? place : origin_of(loader, "module", module, NULL)));
}

/* What cannot be had, whatever it is compared with. */
static bool check_configuration(struct loader *loader, const struct config_module *module,
				GError **error)
{
	if (module->unrestricted_guest == JOB_ON && !module->ept) {
		set_module_place(loader, module->name, "unrestricted_guest");
		return fail(loader, error,
			    "unrestricted_guest=1 for '%s' beside ept=0, expected 0 or nothing: it "
			    "needs EPT",
			    module->name);
	}
	if (module->thp != JOB_UNSET && g_str_equal(loader->config->experiment.platform, "local")) {
		set_module_place(loader, module->name, "thp");
		return fail(
			loader, error,
			"thp=%d for '%s' on the platform local, expected nothing: huge pages are a "
			"setting of this whole machine there, which is not eptlab's to change",
			module->thp == JOB_ON, module->name);
	}
	return true;
}

/*
 * Each differs from one before it in one thing: two changes at once cannot be told apart in the
 * counts. VPID decides how often the TLB is emptied.
 */
static bool check_one_change(struct loader *loader, char **names, char **name, GError **error)
{
	const struct config *config = loader->config;
	const struct config_module *module = config_find_module(config, *name);
	const struct config_module *first = config_find_module(config, *names);

	for (char **before = names; before < name; before++)
		if (config_changes(config_find_module(config, *before), module) <= 1)
			return true;
	if (name == names)
		return true;
	if (module->vpid != first->vpid) {
		set_module_place(loader, *name, "vpid");
		return fail(loader, error,
			    "vpid=%d for '%s', expected %d as for '%s' (%s): runs that are "
			    "compared must differ in one thing alone",
			    module->vpid, *name, first->vpid, first->name,
			    origin_of(loader, "module", first->name, "vpid"));
	}
	set_module_place(loader, *name, NULL);
	return fail(
		loader, error,
		"'%s' differs from '%s' in %u things, expected one, or a configuration before it "
		"that it differs from in one: changes at once cannot be told apart",
		*name, first->name, config_changes(first, module));
}

/* The configurations of the experiment exist, and can be compared. */
static bool check_configurations(struct loader *loader, GError **error)
{
	const struct config *config = loader->config;
	char **names = config->experiment.configurations;

	for (char **name = names; *name; name++) {
		const struct config_module *module = config_find_module(config, *name);

		set_place(loader,
			  g_strdup(origin_of(loader, "experiment", NULL, "configurations")));
		if (!module)
			return fail(loader, error,
				    "no file defines the configuration '%s', expected %s.conf",
				    *name, *name);
		if (!check_configuration(loader, module, error) ||
		    !check_one_change(loader, names, name, error))
			return false;
	}
	return true;
}

/* What is read from L2 by leaves is not there where counts come from L1. */
static bool check_source(struct loader *loader, GError **error)
{
	const struct config_experiment *experiment = &loader->config->experiment;
	const struct {
		bool asked;
		const char *key;
		const char *why;
	} leaves[] = {
		{ experiment->witness, "witness", "which compares the leaves with the tracepoint" },
		{ experiment->cycles, "cycles",
		  "which the leaves have and the tracepoint has not" },
		{ job_is_dose(experiment->workload), "workload",
		  "whose dose begins at a reading, and the tracepoint counts from the VM's "
		  "creation" },
	};

	for (guint i = 0; config_is_tracepoint(loader->config) && i < G_N_ELEMENTS(leaves); i++) {
		if (!leaves[i].asked)
			continue;
		set_place(loader, g_strdup(origin_of(loader, "experiment", NULL, "source")));
		return fail(loader, error,
			    "source is 'tracepoint' in [experiment] beside '%s' (%s), %s; "
			    "expected source=leaves, or not that",
			    leaves[i].key, origin_of(loader, "experiment", NULL, leaves[i].key),
			    leaves[i].why);
	}
	return true;
}

static bool is_operation(const char *name)
{
#define NAME(variable, name, n, what) name,
	static const char *const names[] = { WORKLOAD_LIST(NAME) NULL };

	return g_strv_contains(names, name);
}

/* Of which the whole number is there at once: KiB of L2's memory for each, at most. */
static const struct {
	const char *name;
	uint64_t kib;
} takes_memory[] = {
	{ "fault", 4 },
	{ "forkwait", 128 }, /* a process: its stack in the kernel, page tables, pages of its own */
};

/* Half of L2's memory is the kernel's and the probe's. */
static uint64_t most_of(const struct config *config, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(takes_memory); i++)
		if (g_str_equal(takes_memory[i].name, name))
			return MIN(WORKLOAD_N_MOST,
				   config_l2_memory(config) * 512ull / takes_memory[i].kib);
	return WORKLOAD_N_MOST;
}

/* The numbers behind an operation's name: one is that of the first point, more are all points. */
static bool check_points(struct loader *loader, const char *name, const char *numbers,
			 GError **error)
{
	const uint64_t most = most_of(loader->config, name);
	g_auto(GStrv) words = g_strsplit(numbers, ",", -1);
	const guint count = g_strv_length(words);
	uint64_t before = 0, n;

	if (count == 0)
		return fail(loader, error, "'%s' has ':' and no number behind it", name);
	if (count > WORKLOAD_POINTS_MOST)
		return fail(loader, error, "%u points of '%s', expected at most %d", count, name,
			    WORKLOAD_POINTS_MOST);
	for (guint i = 0; i < count; i++, before = n) {
		if (!frame_parse_u64(words[i], &n) || n <= before)
			return fail(
				loader, error,
				"'%s' stands in the points of '%s', expected numbers from 1 on, "
				"each greater than the one before",
				words[i], name);
	}
	if (before * (count == 1 ? WORKLOAD_POINTS : 1) > most || before > most)
		return fail(loader, error,
			    "up to %" G_GUINT64_FORMAT " of '%s' in one piece%s, expected at most "
			    "%" G_GUINT64_FORMAT " in an L2 of %u MiB",
			    before * (count == 1 ? WORKLOAD_POINTS : 1), name,
			    count == 1 ? " (n, 2 n, 3 n)" : "", most,
			    config_l2_memory(loader->config));
	return true;
}

static bool check_operations(struct loader *loader, GError **error)
{
	char **items = loader->config->experiment.operations;

	set_place(loader, g_strdup(origin_of(loader, "experiment", NULL, "operations")));
	if (g_strv_length(items) == 1 &&
	    (g_str_equal(*items, CONFIG_ALL) || g_str_equal(*items, CONFIG_NONE)))
		return true;
	for (char **item = items; *item; item++) {
		g_auto(GStrv) sides = g_strsplit(*item, ":", 2);

		if (!is_operation(sides[0]))
			return fail(loader, error,
				    "there is no operation '%s', expected " CONFIG_ALL
				    ", " CONFIG_NONE ", or names of those in docs/workloads.md",
				    sides[0]);
		if (sides[1] && !check_points(loader, sides[0], sides[1], error))
			return false;
	}
	return true;
}

/* ---- The whole ---- */

static void module_free(void *data)
{
	struct config_module *module = data;

	g_free(module->name);
	g_free(module);
}

static bool load_all(struct loader *loader, const char *folder, const char *const *overrides,
		     const char *const *settings, GError **error)
{
	if (!load_folder(loader, folder, error))
		return false;
	for (; overrides && *overrides; overrides++)
		if (!load_file(loader, *overrides, error))
			return false;
	for (; settings && *settings; settings++)
		if (!load_setting(loader, *settings, error))
			return false;
	return check_complete(loader, folder, error) && check_configurations(loader, error) &&
	       check_source(loader, error) && check_operations(loader, error);
}

struct config *config_load(const char *folder, const char *const *overrides,
			   const char *const *settings, GError **error)
{
	g_autoptr(struct_config) result = g_new0(struct config, 1);
	g_autoptr(GHashTable) origins =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	struct loader loader = { .config = result, .origins = origins };
	bool good;

	result->modules = g_ptr_array_new_with_free_func(module_free);
	good = load_all(&loader, folder, overrides, settings, error);
	g_free(loader.place);
	g_free(loader.folder);
	return good ? g_steal_pointer(&result) : NULL;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
		if (!is_of_module(keys[i].section))
			clear_value(&keys[i], (char *)config + keys[i].offset);
	g_ptr_array_unref(config->modules);
	g_free(config);
}

bool config_is_tracepoint(const struct config *config)
{
	return g_str_equal(config->experiment.source, "tracepoint");
}

bool config_has_guest(const struct config *config)
{
	return *config->l2.guest != '\0';
}

unsigned int config_l2_memory(const struct config *config)
{
	return config_has_guest(config) ? config->l2.guest_memory_mib : config->l2.memory_mib;
}

unsigned int config_l2_timeout(const struct config *config)
{
	return config_has_guest(config) ? config->l2.guest_timeout_seconds
					: config->l2.timeout_seconds;
}

unsigned int config_l1_timeout(const struct config *config, unsigned int platform)
{
	const unsigned int boots = g_strv_length(config->experiment.configurations);

	return config_has_guest(config) ? platform + boots * config->l2.guest_timeout_seconds
					: platform;
}

const struct config_module *config_find_module(const struct config *config, const char *name)
{
	each (const struct config_module, module, config->modules) {
		if (g_str_equal(module->name, name))
			return module;
	}
	return NULL;
}

/* ---- For who completes a setting ---- */

static void add_settings(GPtrArray *all, const struct config_key *key, const char *section)
{
	g_autofree char *left = g_strdup_printf("%s.%s=", section, key->name);

	for (const char *const *value = key->choices; value != NULL && *value != NULL; value++)
		g_ptr_array_add(all, g_strconcat(left, *value, NULL));
	if (key->choices == NULL)
		g_ptr_array_add(all, g_steal_pointer(&left));
}

char **config_settings(const struct config *config)
{
	GPtrArray *all = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		if (!is_of_module(keys[i].section)) {
			add_settings(all, &keys[i], keys[i].section);
			continue;
		}
		for (guint j = 0; config != NULL && j < config->modules->len; j++) {
			const struct config_module *module = config->modules->pdata[j];
			g_autofree char *section = g_strconcat("module.", module->name, NULL);

			add_settings(all, &keys[i], section);
		}
	}
	g_ptr_array_add(all, NULL);
	return (char **)g_ptr_array_free(all, FALSE);
}
