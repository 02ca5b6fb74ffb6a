/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/config.h"

#include <sys/stat.h>
#include <glib/gstdio.h>

#include <stddef.h>
#include <string.h>

#include "model/config_scan.h"
#include "model/frame.h"

/* ---- What there is to configure: the one place ---- */

enum value_type {
	VALUE_BOOL,   /* bool: 0 or 1 */
	VALUE_UINT,   /* unsigned int, min to max */
	VALUE_U64,    /* uint64_t, min to max */
	VALUE_NAME,   /* char *: becomes part of paths and names */
	VALUE_NAMES,  /* char **: names with ';' between them, at least one, none twice */
	VALUE_CHOICE, /* char *: one of choices */
	VALUE_TEXT,   /* char *: at most max characters, may be empty */
	VALUE_PATH,   /* char *: absolute, or empty */
};

struct config_key {
	const char *section;
	const char *name;
	enum value_type type;
	size_t offset; /* in the structure of its section */
	uint64_t min, max;
	const char *const *choices;
};

static const char *const platforms[] = { "auto", "bochs", "tcg", "kvm", "local", NULL };

#define IN_EXPERIMENT(m)                                                                           \
	.section = "experiment", .name = #m, .offset = offsetof(struct config_experiment, m)
#define IN_MODULE(m) .section = "module", .name = #m, .offset = offsetof(struct config_module, m)
#define IN_L2(m)     .section = "l2", .name = #m, .offset = offsetof(struct config_l2, m)
#define IN_L1(m)     .section = "l1", .name = #m, .offset = offsetof(struct config_l1, m)
#define IN_BOCHS(m)  .section = "bochs", .name = #m, .offset = offsetof(struct config_bochs, m)
#define IN_TCG(m)    .section = "tcg", .name = #m, .offset = offsetof(struct config_domain, m)
#define IN_LOCAL(m)  .section = "local", .name = #m, .offset = offsetof(struct config_local, m)
#define IN_KVM(m)    .section = "kvm", .name = #m, .offset = offsetof(struct config_domain, m)

#define IN_CONFORM(m) .section = "conform", .name = #m, .offset = offsetof(struct config_conform, m)

#define DAY 86400 /* no single wait is longer */

static const struct config_key keys[] = {
	{ IN_EXPERIMENT(workload), .type = VALUE_NAME },
	{ IN_EXPERIMENT(configurations), .type = VALUE_NAMES },
	{ IN_EXPERIMENT(platform), .type = VALUE_CHOICE, .choices = platforms },
	/* The dose guest counts in 32 bits. */
	{ IN_EXPERIMENT(n), .type = VALUE_U64, .min = 0, .max = UINT32_MAX },
	{ IN_EXPERIMENT(cycles), .type = VALUE_BOOL },
	{ IN_EXPERIMENT(witness), .type = VALUE_BOOL },
	{ IN_EXPERIMENT(tracepoints), .type = VALUE_TEXT, .max = 512 },

	{ IN_MODULE(name), .type = VALUE_NAME },
	{ IN_MODULE(ept), .type = VALUE_BOOL },
	{ IN_MODULE(vpid), .type = VALUE_BOOL },

	{ IN_L2(memory_mib), .type = VALUE_UINT, .min = 32, .max = 65536 },
	{ IN_L2(vcpus), .type = VALUE_UINT, .min = 1, .max = 64 },
	{ IN_L2(append), .type = VALUE_TEXT, .max = 512 },
	{ IN_L2(timeout_seconds), .type = VALUE_UINT, .min = 1, .max = DAY },
	{ IN_L2(kernel), .type = VALUE_PATH },
	{ IN_L2(doses), .type = VALUE_PATH },
	{ IN_L2(image), .type = VALUE_PATH },
	{ IN_L2(probe), .type = VALUE_PATH },
	{ IN_L2(guest), .type = VALUE_PATH },
	{ IN_L2(guest_memory_mib), .type = VALUE_UINT, .min = 32, .max = 65536 },
	{ IN_L2(guest_timeout_seconds), .type = VALUE_UINT, .min = 1, .max = DAY },

	{ IN_L1(append), .type = VALUE_TEXT, .max = 512 },
	{ IN_L1(modules), .type = VALUE_PATH },

	{ IN_BOCHS(cpu), .type = VALUE_NAME },
	/* Bochs 2.7 of Debian gives a guest at most 2 GiB. */
	{ IN_BOCHS(memory_mib), .type = VALUE_UINT, .min = 128, .max = 2048 },
	{ IN_BOCHS(ips), .type = VALUE_U64, .min = 1000000, .max = 4000000000 },
	{ IN_BOCHS(timeout_seconds), .type = VALUE_UINT, .min = 1, .max = DAY },
	{ IN_BOCHS(timeout_ticks), .type = VALUE_U64, .min = 1000000, .max = 1000000000000000 },

	{ IN_TCG(uri), .type = VALUE_TEXT, .max = 512 },
	{ IN_TCG(cpu), .type = VALUE_TEXT, .max = 64 },
	{ IN_TCG(memory_mib), .type = VALUE_UINT, .min = 128, .max = 65536 },
	{ IN_TCG(timeout_seconds), .type = VALUE_UINT, .min = 1, .max = DAY },

	{ IN_KVM(uri), .type = VALUE_TEXT, .max = 512 },
	{ IN_KVM(memory_mib), .type = VALUE_UINT, .min = 128, .max = 65536 },
	{ IN_KVM(timeout_seconds), .type = VALUE_UINT, .min = 1, .max = DAY },

	{ IN_LOCAL(uri), .type = VALUE_TEXT, .max = 512 },
	{ IN_LOCAL(modules), .type = VALUE_PATH },
	{ IN_LOCAL(any_modules), .type = VALUE_BOOL },
	{ IN_LOCAL(timeout_seconds), .type = VALUE_UINT, .min = 1, .max = DAY },

	{ IN_CONFORM(kernel), .type = VALUE_PATH },
	{ IN_CONFORM(modules), .type = VALUE_PATH },
	{ IN_CONFORM(runs), .type = VALUE_NAMES },
	{ IN_CONFORM(each), .type = VALUE_BOOL },
	{ IN_CONFORM(per_vm), .type = VALUE_BOOL },
	{ IN_CONFORM(ours), .type = VALUE_BOOL },
	/* The hypervisor range of CPUID, which no CPU answers itself (SDM vol. 2A, "CPUID"). */
	{ IN_CONFORM(exits_leaf), .type = VALUE_U64, .min = 0x40000000, .max = 0x4fffffff },
	{ IN_CONFORM(total_leaf), .type = VALUE_U64, .min = 0x40000000, .max = 0x4fffffff },
};

/* The sections that there are once, with their structures. [module] is there for each
 * configuration.
 */
static const struct {
	const char *name;
	size_t offset; /* in struct config */
} sections[] = {
	{ "experiment", offsetof(struct config, experiment) },
	{ "l2", offsetof(struct config, l2) },
	{ "l1", offsetof(struct config, l1) },
	{ "bochs", offsetof(struct config, bochs) },
	{ "tcg", offsetof(struct config, tcg) },
	{ "kvm", offsetof(struct config, kvm) },
	{ "local", offsetof(struct config, local) },
	{ "conform", offsetof(struct config, conform) },
};

/* ---- Where a value comes from ---- */

/*
 * One file or setting while it is read. Origins are what "FILE:LINE" a section ("l2", "module.ept")
 * or key ("l2.vcpus", "module.ept.vpid") comes from: the last one that set it.
 */
struct loader {
	struct config *config;
	GHashTable *origins; /* of char *: name → "FILE:LINE" */
	const char *file;    /* or the setting, for messages */
	unsigned int line;   /* 0: a setting */
	bool in_folder;	     /* one of the defaults, not an override */
};

static char *where(const struct loader *loader)
{
	if (loader->line == 0) {
		g_autofree char *shown = g_strescape(loader->file, "\"\\");

		return g_strdup_printf("setting '%s'", shown);
	}
	return g_strdup_printf("%s:%u", loader->file, loader->line);
}

static bool fail_at(const char *place, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool fail_at(const char *place, GError **error, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE, "L0: %s: %s", place, what);
	return false;
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
	g_hash_table_insert(loader->origins, full_name(section, module, key), where(loader));
}

/* ---- Values ---- */

static char *key_expects(const struct config_key *key)
{
	g_autofree char *list = NULL;

	switch (key->type) {
	case VALUE_BOOL:
		return g_strdup("0 or 1");
	case VALUE_UINT:
	case VALUE_U64:
		return g_strdup_printf("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
				       key->min, key->max);
	case VALUE_NAME:
		return g_strdup("a name of a-z, 0-9, _ and -");
	case VALUE_NAMES:
		return g_strdup("names of a-z, 0-9, _ and -, with ';' between them, none twice");
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

static bool is_name(const char *text)
{
	if (!g_ascii_islower(text[0]) && !g_ascii_isdigit(text[0]))
		return false;
	for (; *text; text++)
		if (!g_ascii_islower(*text) && !g_ascii_isdigit(*text) && *text != '_' &&
		    *text != '-')
			return false;
	return true;
}

/* Split at ';', blanks around a name apart; NULL if one of them is no name or stands twice. */
static char **split_names(const char *text)
{
	g_auto(GStrv) names = g_strsplit(text, ";", -1);
	guint i;

	for (i = 0; names[i]; i++) {
		g_strstrip(names[i]);
		/* GKeyFile's lists may end with a ';'. */
		if (names[i][0] == '\0' && i > 0 && !names[i + 1]) {
			g_free(names[i]);
			names[i] = NULL;
			break;
		}
		if (!is_name(names[i]))
			return NULL;
	}
	for (i = 0; names[i]; i++)
		if (g_strv_contains((const char *const *)names + i + 1, names[i]))
			return NULL;
	return i > 0 ? g_steal_pointer(&names) : NULL;
}

static void set_string(void *member, char *value)
{
	char **string = member;

	g_free(*string);
	*string = value;
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

static bool store_names(const char *text, char ***member)
{
	char **names = split_names(text);

	if (!names)
		return false;
	g_strfreev(*member);
	*member = names;
	return true;
}

static char *resolve_path(const struct loader *loader, const char *text)
{
	g_autofree char *folder = NULL;
	g_autofree char *absolute = NULL;

	if (!text[0])
		return g_strdup("");
	/* A setting is given on a command line: its paths begin in the working directory. */
	folder = loader->line ? g_path_get_dirname(loader->file) : g_strdup(".");
	absolute = g_canonicalize_filename(folder, NULL);
	return g_canonicalize_filename(text, absolute);
}

/* Convert text and store it; false if it is not what the key expects. */
static bool store_value(const struct loader *loader, const struct config_key *key, const char *text,
			void *base)
{
	void *member = (char *)base + key->offset;

	switch (key->type) {
	case VALUE_BOOL:
		*(bool *)member = strcmp(text, "1") == 0;
		return strcmp(text, "0") == 0 || strcmp(text, "1") == 0;
	case VALUE_UINT:
	case VALUE_U64:
		return store_number(key, text, member);
	case VALUE_NAME:
		set_string(member, g_strdup(text));
		return is_name(text);
	case VALUE_NAMES:
		return store_names(text, member);
	case VALUE_CHOICE:
		set_string(member, g_strdup(text));
		return g_strv_contains(key->choices, text);
	case VALUE_TEXT:
		set_string(member, g_strdup(text));
		return strlen(text) <= key->max;
	case VALUE_PATH:
		break;
	}
	set_string(member, resolve_path(loader, text));
	return true;
}

/* ---- Sections and keys ---- */

static const struct config_key *find_key(const char *section, const char *name)
{
	guint i;

	for (i = 0; i < G_N_ELEMENTS(keys); i++)
		if (strcmp(keys[i].section, section) == 0 &&
		    (!name || strcmp(keys[i].name, name) == 0))
			return &keys[i];
	return NULL;
}

/* The names of all sections, or of all keys of a section, with ", " between them. */
static char *list_names(const char *section)
{
	GString *list = g_string_new(NULL);
	guint i;

	for (i = 0; i < G_N_ELEMENTS(keys); i++) {
		const struct config_key *key = &keys[i];
		bool new_section = i == 0 || strcmp(key->section, keys[i - 1].section) != 0;

		if (section ? strcmp(key->section, section) != 0 : !new_section)
			continue;
		g_string_append_printf(list, "%s%s", list->len ? ", " : "",
				       section ? key->name : key->section);
	}
	return g_string_free(list, FALSE);
}

static bool check_section(const struct loader *loader, const char *section, GError **error)
{
	g_autofree char *place = where(loader);
	g_autofree char *known = list_names(NULL);

	if (find_key(section, NULL))
		return true;
	return fail_at(place, error, "there is no section [%s], expected one of %s", section,
		       known);
}

static struct config_module *find_module(const struct config *config, const char *name)
{
	guint i;

	for (i = 0; i < config->modules->len; i++) {
		struct config_module *module = config->modules->pdata[i];

		if (strcmp(module->name, name) == 0)
			return module;
	}
	return NULL;
}

static struct config_module *get_module(struct config *config, const char *name)
{
	struct config_module *module = find_module(config, name);

	if (!module) {
		module = g_new0(struct config_module, 1);
		module->name = g_strdup(name);
		g_ptr_array_add(config->modules, module);
	}
	return module;
}

static void *section_base(struct config *config, const char *section, const char *module)
{
	if (module)
		return get_module(config, module);
	for (guint i = 0; i < G_N_ELEMENTS(sections); i++)
		if (strcmp(section, sections[i].name) == 0)
			return (char *)config + sections[i].offset;
	g_assert_not_reached();
}

/* One key=value of a section that exists; module is the configuration it belongs to, or NULL. */
static bool take_value(struct loader *loader, const char *section, const char *module,
		       const char *name, const char *text, GError **error)
{
	const struct config_key *key = find_key(section, name);
	g_autofree char *place = where(loader);
	g_autofree char *expected = NULL;

	if (!key) {
		expected = list_names(section);
		return fail_at(place, error, "[%s] has no key '%s', expected one of %s", section,
			       name, expected);
	}
	if (!store_value(loader, key, text, section_base(loader->config, section, module))) {
		expected = key_expects(key);
		return fail_at(place, error, "%s is '%s' in [%s], expected %s", name, text, section,
			       expected);
	}
	set_origin(loader, section, module, name);
	return true;
}

/* ---- Files ---- */

struct config_file {
	GKeyFile *keys;
	GPtrArray *entries; /* of struct config_entry */
};

static void config_file_clear(struct config_file *file)
{
	g_clear_pointer(&file->keys, g_key_file_unref);
	g_clear_pointer(&file->entries, g_ptr_array_unref);
}

static char *entry_value(const struct config_file *file, const struct config_entry *entry)
{
	char *text = g_key_file_get_value(file->keys, entry->section, entry->key, NULL);

	return text ? g_strstrip(text) : g_strdup("");
}

/* The line of a key, or of the section itself (key NULL); NULL if the file has none. */
static const struct config_entry *find_entry(const struct config_file *file, const char *section,
					     const char *key)
{
	guint i;

	for (i = 0; i < file->entries->len; i++) {
		const struct config_entry *entry = file->entries->pdata[i];

		if (strcmp(entry->section, section) == 0 && g_strcmp0(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

/*
 * The configuration that the [module] section of a file belongs to. Its name is checked before
 * anything is stored under it.
 */
static char *module_of_file(struct loader *loader, const struct config_file *file, GError **error)
{
	const struct config_entry *entry = find_entry(file, "module", "name");
	g_autofree char *base = g_path_get_basename(loader->file);
	g_autofree char *place = NULL;
	g_autofree char *name = NULL;
	g_autofree char *expected = NULL;

	loader->line = entry ? entry->line : find_entry(file, "module", NULL)->line;
	place = where(loader);
	if (!entry) {
		fail_at(place, error, "[module] has no 'name', expected that of a configuration");
		return NULL;
	}
	name = entry_value(file, entry);
	expected = g_strconcat(name, ".conf", NULL);
	if (is_name(name) && (!loader->in_folder || strcmp(base, expected) == 0))
		return g_steal_pointer(&name);
	fail_at(place, error, "name is '%s' in [module], expected a name of a-z, 0-9, _ and -%s",
		name, loader->in_folder ? ", the same as that of the file" : "");
	return NULL;
}

/* A section begins. Among the defaults each has one place; an override may set it again. */
static bool take_section(struct loader *loader, const char *section, const char *module,
			 GError **error)
{
	g_autofree char *place = where(loader);
	const char *before = origin_of(loader, section, module, NULL);

	if (before && loader->in_folder)
		return fail_at(place, error, "the section [%s] stands in %s already", section,
			       before);
	if (!before)
		set_origin(loader, section, module, NULL);
	return true;
}

static bool take_entry(struct loader *loader, const struct config_file *file,
		       const struct config_entry *entry, GError **error)
{
	g_autofree char *module = NULL;
	g_autofree char *text = NULL;

	loader->line = entry->line;
	if (!check_section(loader, entry->section, error))
		return false;
	if (strcmp(entry->section, "module") == 0) {
		module = module_of_file(loader, file, error);
		if (!module)
			return false;
		loader->line = entry->line;
	}
	if (!entry->key)
		return take_section(loader, entry->section, module, error);
	text = entry_value(file, entry);
	return take_value(loader, entry->section, module, entry->key, text, error);
}

/* More than anybody writes by hand. A FIFO or a device could be read for ever. */
#define FILE_SIZE_MAX 1048576 /* bytes */

static bool read_file(struct loader *loader, struct config_file *file, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *text = NULL;
	GStatBuf status;
	gsize length;

	if (g_stat(loader->file, &status) == 0 &&
	    (!S_ISREG(status.st_mode) || status.st_size > FILE_SIZE_MAX)) {
		g_set_error(
			error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			"L0: %s: cannot read the configuration file: expected a regular file of at "
			"most %d bytes",
			loader->file, FILE_SIZE_MAX);
		return false;
	}
	if (!g_file_get_contents(loader->file, &text, &length, &why)) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			    "L0: %s: cannot read the configuration file: %s", loader->file,
			    why->message);
		return false;
	}
	file->entries = config_scan(loader->file, text, length, error);
	if (!file->entries)
		return false;
	file->keys = g_key_file_new();
	/* An empty file is none to GKeyFile, and no mistake. */
	if (length > 0 &&
	    !g_key_file_load_from_data(file->keys, text, length, G_KEY_FILE_NONE, &why)) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE, "L0: %s: %s", loader->file,
			    why->message);
		return false;
	}
	return true;
}

static bool load_file(struct loader *loader, const char *path, GError **error)
{
	struct config_file file = { .keys = NULL };
	bool good;
	guint i;

	loader->file = path;
	loader->line = 0;
	good = read_file(loader, &file, error);
	for (i = 0; good && i < file.entries->len; i++)
		good = take_entry(loader, &file, file.entries->pdata[i], error);
	config_file_clear(&file);
	return good;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The paths of all *.conf in a folder, sorted, so that messages do not depend on the disk. */
static GPtrArray *list_folder(const char *folder, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) why = NULL;
	g_autoptr(GDir) dir = g_dir_open(folder, 0, &why);
	const char *name;

	if (!dir) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			    "L0: %s: cannot read the folder of the configuration: %s", folder,
			    why->message);
		return NULL;
	}
	while ((name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".conf") && name[0] != '.')
			g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
	g_ptr_array_sort(paths, compare_names);
	return g_steal_pointer(&paths);
}

static bool load_folder(struct loader *loader, const char *folder, GError **error)
{
	g_autoptr(GPtrArray) paths = list_folder(folder, error);
	bool good = paths != NULL;
	guint i;

	loader->in_folder = true;
	for (i = 0; good && i < paths->len; i++)
		good = load_file(loader, paths->pdata[i], error);
	loader->in_folder = false;
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
 * name is where the other keys are kept.
 */
static bool load_setting(struct loader *loader, const char *setting, GError **error)
{
	g_autofree char *place = NULL;
	g_auto(GStrv) names = NULL;
	const char *value = strchr(setting, '=');
	const char *module;
	guint parts;

	loader->file = setting;
	loader->line = 0;
	place = where(loader);
	if (value) {
		g_autofree char *name = g_strndup(setting, (gsize)(value - setting));

		names = g_strsplit(name, ".", -1);
		parts = strcmp(name, "module") == 0 || g_str_has_prefix(name, "module.") ? 3 : 2;
	}
	if (!value || g_strv_length(names) != parts || !is_printable(setting))
		return fail_at(place, error,
			       "expected section.key=value, or module.CONFIGURATION.key=value");
	module = parts == 3 ? names[1] : NULL;
	if (!check_section(loader, names[0], error))
		return false;
	if (module && !find_module(loader->config, module))
		return fail_at(place, error, "no file defines a configuration '%s'", module);
	if (module && strcmp(names[2], "name") == 0)
		return fail_at(place, error, "the name of a configuration is that of its file");
	return take_value(loader, names[0], module, names[parts - 1], value + 1, error);
}

/* ---- What must hold when all is read ---- */

static bool check_complete(const struct loader *loader, const char *folder, const char *section,
			   const char *module, GError **error)
{
	const char *place = origin_of(loader, section, module, NULL);
	guint i;

	if (!place)
		return fail_at(folder, error, "no file has a section [%s]", section);
	for (i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *expected = NULL;

		if (strcmp(keys[i].section, section) != 0 ||
		    origin_of(loader, section, module, keys[i].name))
			continue;
		expected = key_expects(&keys[i]);
		return fail_at(place, error, "[%s] has no '%s', expected %s", section, keys[i].name,
			       expected);
	}
	return true;
}

static bool check_all_complete(const struct loader *loader, const char *folder, GError **error)
{
	const GPtrArray *modules = loader->config->modules;
	guint i;

	for (i = 0; i < modules->len; i++) {
		const struct config_module *module = modules->pdata[i];

		if (!check_complete(loader, folder, "module", module->name, error))
			return false;
	}
	for (i = 0; i < G_N_ELEMENTS(sections); i++)
		if (!check_complete(loader, folder, sections[i].name, NULL, error))
			return false;
	return true;
}

/*
 * The configurations of the experiment exist, and differ in one thing only: VPID decides how often
 * the TLB is emptied, and two changes at once cannot be told apart in the counts.
 */
static bool check_configurations(const struct loader *loader, GError **error)
{
	const struct config *config = loader->config;
	const struct config_module *first = NULL;
	guint i;

	if (g_strv_length(config->experiment.configurations) > 2)
		return fail_at(origin_of(loader, "experiment", NULL, "configurations"), error,
			       "more than two configurations, expected one or two: an experiment "
			       "compares one with another");
	for (i = 0; config->experiment.configurations[i]; i++) {
		const char *name = config->experiment.configurations[i];
		const struct config_module *module = find_module(config, name);

		if (!module)
			return fail_at(origin_of(loader, "experiment", NULL, "configurations"),
				       error,
				       "no file defines the configuration '%s', expected %s.conf",
				       name, name);
		if (!first)
			first = module;
		if (module->vpid != first->vpid)
			return fail_at(
				origin_of(loader, "module", name, "vpid"), error,
				"vpid=%d for '%s', expected %d as for '%s' (%s): runs that are "
				"compared must differ in the paging alone",
				module->vpid, name, first->vpid, first->name,
				origin_of(loader, "module", first->name, "vpid"));
	}
	return true;
}

/* ---- The whole ---- */

static void module_free(gpointer data)
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
	return check_all_complete(loader, folder, error) && check_configurations(loader, error);
}

struct config *config_load(const char *folder, const char *const *overrides,
			   const char *const *settings, GError **error)
{
	g_autoptr(struct_config) result = g_new0(struct config, 1);
	struct loader loader = { .config = result };
	bool good;

	result->experiment.configurations = g_new0(char *, 1);
	result->modules = g_ptr_array_new_with_free_func(module_free);
	loader.origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	good = load_all(&loader, folder, overrides, settings, error);
	g_hash_table_unref(loader.origins);
	return good ? g_steal_pointer(&result) : NULL;
}

static void free_value(struct config *config, const struct config_key *key)
{
	char *base = section_base(config, key->section, NULL);
	void *member = base + key->offset;

	switch (key->type) {
	case VALUE_NAMES:
		g_strfreev(*(char ***)member);
		break;
	case VALUE_NAME:
	case VALUE_CHOICE:
	case VALUE_TEXT:
	case VALUE_PATH:
		g_free(*(char **)member);
		break;
	case VALUE_BOOL:
	case VALUE_UINT:
	case VALUE_U64:
		break;
	}
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
		if (strcmp(keys[i].section, "module") != 0)
			free_value(config, &keys[i]);
	g_ptr_array_unref(config->modules);
	g_free(config);
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

const struct config_module *config_find_module(const struct config *config, const char *name)
{
	return find_module(config, name);
}
