/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reloading KVM and restoring it, without root: libkmod is a fake here (the functions below take
 * the place of the library's), which makes and removes folders of a faked sysfs.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <libkmod.h>

#include "agent/reload.h"
#include "kmod/kvm_state.h"
#include "kmod/holders.h"
#include "kmod/modules.h"
#include "kmod/triggers.h"
#include "base/folder.h"
#include "tests/test.h"

/* ---- The faked libkmod ---- */

struct kmod_ctx {
	int unused;
};

struct kmod_module {
	char name[32];
	char path[256];
};

static struct {
	char *sysfs;
	const char *busy;  /* a module that cannot be unloaded */
	const char *stuck; /* a parameter that cannot be given */
	bool series;	   /* kvm.ko has the parameters of the series */
	char running_id;   /* of the running kernel's modules; 0: it has none */
	GString *calls;	   /* "-kvm_intel +kvm_intel(ept=0)" */
} fake;

static const struct {
	const char *module, *name, *value;
} defaults[] = {
	{ "kvm", "mmu_flag", "Y" },
	{ "kvm_intel", "ept", "Y" },
	{ "kvm_intel", "vpid", "Y" },
	{ "kvm_intel", "l1d", "not required" },
};

static char *in_sysfs(const char *name)
{
	return g_build_filename(fake.sysfs, name, NULL);
}

static void put_of_module(const char *module, const char *rest, const char *bytes, gssize length)
{
	g_autofree char *name = g_build_filename("module", module, rest, NULL);

	test_put(fake.sysfs, name, bytes, length);
}

/* A note with a build-id of twenty times the same byte. */
static void put_build_id(const char *module, const char *id)
{
	const Elf64_Nhdr header = { .n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID };
	char note[sizeof(header) + 4 + 20];

	memcpy(note, &header, sizeof(header));
	memcpy(note + sizeof(header), "GNU", 4);
	memset(note + sizeof(header) + 4, *id, 20);
	put_of_module(module, "notes/.note.gnu.build-id", note, sizeof(note));
}

static void put_parameter(const char *module, const char *name, const char *value)
{
	g_autofree char *rest = g_build_filename("parameters", name, NULL);
	g_autofree char *line = g_strconcat(value, "\n", NULL);

	put_of_module(module, rest, line, -1);
}

static void put_parameters(const char *module, const char *options)
{
	g_auto(GStrv) words = g_strsplit(options, " ", -1);

	for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++)
		if (strcmp(defaults[i].module, module) == 0)
			put_parameter(module, defaults[i].name, defaults[i].value);
	for (char **word = words; *word != NULL && **word != '\0'; word++) {
		char *value = strchr(*word, '=');

		*value++ = '\0';
		put_parameter(module, *word, *value == '1' || *value == 'Y' ? "Y" : "N");
	}
}

struct kmod_ctx *kmod_new(const char *dirname, const char *const *config_paths)
{
	static struct kmod_ctx ctx;

	(void)dirname;
	assert_null(*config_paths); /* modprobe.d must not have a say */
	return &ctx;
}

struct kmod_ctx *kmod_unref(struct kmod_ctx *ctx)
{
	(void)ctx;
	return NULL;
}

/* tracefs: a trigger holds the module until it is taken away. */
#define TRACING "kernel/tracing"
#define EXIT	"/events/kvm/kvm_exit/trigger"
#define CPUID	"/events/kvm/kvm_cpuid/trigger"
#define ENDLESS "/instances/eptlab"

static bool has_trigger(const char *name)
{
	g_autofree char *path = in_sysfs(name);
	g_autofree char *text = NULL;

	g_file_get_contents(path, &text, NULL, NULL);
	return text != NULL && strstr(text, "hist:k") != NULL && strchr(text, '!') == NULL;
}

static int make(const char *name, const char *path, struct kmod_module **mod)
{
	*mod = g_new0(struct kmod_module, 1);
	g_strlcpy((*mod)->name, name, sizeof((*mod)->name));
	g_strdelimit((*mod)->name, "-", '_');
	g_strlcpy((*mod)->path, path, sizeof((*mod)->path));
	return 0;
}

int kmod_module_new_from_name(struct kmod_ctx *ctx, const char *name, struct kmod_module **mod)
{
	(void)ctx;
	return make(name, fake.running_id != 0 ? "/lib/modules/x.ko" : "", mod);
}

/* The file's folder is called by the byte of its build-id. */
int kmod_module_new_from_path(struct kmod_ctx *ctx, const char *path, struct kmod_module **mod)
{
	g_autofree char *base = g_path_get_basename(path);

	(void)ctx;
	*strrchr(base, '.') = '\0';
	return make(base, path, mod);
}

struct kmod_module *kmod_module_unref(struct kmod_module *mod)
{
	g_free(mod);
	return NULL;
}

const char *kmod_module_get_path(const struct kmod_module *mod)
{
	return *mod->path != '\0' ? mod->path : NULL;
}

/* What modinfo says of kvm.ko, as kernel/params.c writes it. */
struct kmod_list {
	const char *key, *value;
};

static struct kmod_list kvm_info[] = {
	{ "name", "kvm" },
	{ "parmtype", "exitcount_log:bool" },
	{ "parm", "exitcount:no type" },
	{ "parmtype", "exitcount_cycles:bool" },
	{ "parmtype", "exitcount:bool" },
};

int kmod_module_get_info(const struct kmod_module *mod, struct kmod_list **list)
{
	*list = fake.series && strcmp(mod->name, "kvm") == 0 ? kvm_info : NULL;
	return 0;
}

struct kmod_list *kmod_list_next(const struct kmod_list *list, const struct kmod_list *at)
{
	const size_t next = (size_t)(at - list) + 1;

	return next < G_N_ELEMENTS(kvm_info) ? &kvm_info[next] : NULL;
}

const char *kmod_module_info_get_key(const struct kmod_list *at)
{
	return at->key;
}

const char *kmod_module_info_get_value(const struct kmod_list *at)
{
	return at->value;
}

void kmod_module_info_free_list(struct kmod_list *list)
{
	(void)list;
}

struct kmod_list *kmod_module_get_holders(const struct kmod_module *mod)
{
	(void)mod;
	return NULL;
}

int kmod_module_insert_module(struct kmod_module *mod, unsigned int flags, const char *options)
{
	const bool running = strcmp(mod->path, "/lib/modules/x.ko") == 0;

	(void)flags;
	g_string_append_printf(fake.calls, " +%s(%s)", mod->name, options);
	if (modules_is_loaded(mod->name))
		return -EEXIST;
	if (fake.stuck != NULL && strstr(options, fake.stuck) != NULL)
		return -EINVAL;
	put_of_module(mod->name, "initstate", "live\n", -1);
	put_build_id(mod->name, running ? &fake.running_id : &mod->path[1]);
	put_parameters(mod->name, options);
	return 0;
}

int kmod_module_remove_module(struct kmod_module *mod, unsigned int flags)
{
	g_autofree char *folder = g_build_filename(fake.sysfs, "module", mod->name, NULL);

	(void)flags;
	g_string_append_printf(fake.calls, " -%s", mod->name);
	if (fake.busy != NULL && strcmp(mod->name, fake.busy) == 0)
		return -EAGAIN;
	if (strcmp(mod->name, "kvm") == 0 &&
	    (has_trigger(TRACING EXIT) || has_trigger(TRACING ENDLESS EXIT) ||
	     has_trigger(TRACING CPUID)))
		return -EAGAIN;
	folder_remove(folder);
	return 0;
}

/* ---- The machine ---- */

static const struct vendor vendor = {
	.names = { "irqbypass", "kvm", "kvm_intel" },
	.nested = "ept",
	.has_vpid = true,
};

static int make_machine(void **state)
{
	memset(&fake, 0, sizeof(fake));
	assert_int_equal(test_folder_new(state), 0);
	fake.sysfs = *state;
	fake.calls = g_string_new(NULL);
	fake.running_id = 'r';
	modules_set_sysfs(fake.sysfs);
	return 0;
}

static int remove_machine(void **state)
{
	modules_set_sysfs("/sys");
	g_string_free(fake.calls, TRUE);
	return test_folder_remove(state);
}

#define TEST_MACHINE(name)                                                                         \
	TEST_OF(const char *sysfs G_GNUC_UNUSED, make_machine, remove_machine, name)

static void load_all(const char *folder, const char *options)
{
	for (unsigned int i = 0; i < VENDOR_MODULES; i++)
		assert_true(modules_load(folder, vendor.names[i], i == 2 ? options : "", NULL));
	g_string_truncate(fake.calls, 0);
}

/* What an experiment does: shadow paging, from the folder /t. */
static void measure(void)
{
	struct job_run run = { .ept = false, .vpid = true, .reload = JOB_RELOAD_ALL };
	g_autoptr(GError) error = NULL;

	if (!reload_for_run(&vendor, "/t", &run, false, &error))
		fail_msg("%s", error->message);
}

/* The same on a machine with these modules; what was before, of which those in folder are known. */
static struct kvm_state *load_and_measure(const char *from, const char *options, const char *folder)
{
	struct kvm_state *before;

	load_all(from, options);
	before = kvm_state_read(&vendor, folder);
	measure();
	g_string_truncate(fake.calls, 0);
	return before;
}

static void assert_parameter(const char *name, const char *expected)
{
	g_autofree char *value = modules_parameter("kvm_intel", name, NULL);

	assert_string_equal(value, expected);
}

static void restore(const struct kvm_state *before)
{
	g_autoptr(GError) error = NULL;

	if (!kvm_state_restore(before, &error))
		fail_msg("%s", error->message);
}

static void assert_not_restored(const struct kvm_state *before, const char *why)
{
	GError *error = NULL;

	assert_false(kvm_state_restore(before, &error));
	assert_error(&error, EPTLAB_ERROR_L1, why);
}

static void assert_nothing_noted(const char *path)
{
	g_autoptr(GError) error = NULL;

	assert_null(kvm_state_load(path, &error));
	assert_no_error(error);
}

TEST_MACHINE(reload_is_in_order)
{
	load_all(NULL, "");
	measure();
	assert_string_equal(fake.calls->str, " -kvm_intel -kvm +kvm() +kvm_intel(ept=0 vpid=1)");
	assert_parameter("ept", "N");
}

/* And of those of the series, what kvm.ko has: an unknown one would be in the kernel log. */
TEST_MACHINE(leaves_are_asked_for_where_they_are)
{
	struct job_run run = { .ept = true, .vpid = true, .reload = JOB_RELOAD_ALL };

	load_all(NULL, "");
	fake.series = true;
	measure();
	assert_string_equal(fake.calls->str, " -kvm_intel -kvm +kvm(exitcount=1 exitcount_log=1) "
					     "+kvm_intel(ept=0 vpid=1)");
	g_string_truncate(fake.calls, 0);
	assert_true(reload_for_run(&vendor, "/t", &run, true, NULL));
	assert_string_equal(fake.calls->str, " -kvm_intel -kvm +kvm(exitcount=1 exitcount_log=1 "
					     "exitcount_cycles=1) +kvm_intel(ept=1 vpid=1)");
}

/* Only what is another one by default is given: not all can be given as it is shown. */
TEST_MACHINE(parameters_come_back)
{
	g_autoptr(struct_kvm_state) before = load_and_measure(NULL, "vpid=0", "/t");

	assert_parameter("vpid", "Y");
	restore(before);
	assert_parameter("ept", "Y");
	assert_parameter("vpid", "N");
	assert_string_equal(fake.calls->str, " -kvm_intel -kvm +kvm() +kvm_intel() -kvm_intel "
					     "+kvm_intel(vpid=N)");
}

TEST_MACHINE(nothing_changed_nothing_done)
{
	g_autoptr(struct_kvm_state) before = NULL;

	load_all(NULL, "ept=0");
	before = kvm_state_read(&vendor, NULL);
	restore(before);
	assert_string_equal(fake.calls->str, "");
}

TEST_MACHINE(killed_between_unload_and_load)
{
	g_autofree char *path = in_sysfs("run/before.conf");
	g_autoptr(struct_kvm_state) before = NULL;
	g_autoptr(struct_kvm_state) after = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *words = NULL;

	load_all(NULL, "vpid=0");
	before = kvm_state_read(&vendor, "/t");
	assert_true(kvm_state_save(before, path, NULL));
	assert_true(modules_unload("kvm_intel", NULL));
	assert_true(modules_unload("kvm", NULL));
	after = kvm_state_load(path, &error);
	assert_null(error);
	words = kvm_state_words(after);
	assert_string_equal(words, "kvm_intel ept=Y vpid=N, kvm, irqbypass");
	restore(after);
	assert_parameter("vpid", "N");
}

/* What was noted before a reboot is of no use. */
TEST_MACHINE(another_boot)
{
	g_autofree char *path = in_sysfs("before.conf");

	test_put(fake.sysfs, "before.conf", "[boot]\nid=other\n[module kvm]\nbuild_id=00\n", -1);
	assert_nothing_noted(path);
	assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	assert_nothing_noted(path);
}

TEST_MACHINE(damaged_note_is_an_error)
{
	g_autofree char *path = in_sysfs("before.conf");
	GError *error = NULL;

	test_put(fake.sysfs, "before.conf", "no key file", -1);
	assert_null(kvm_state_load(path, &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, "");
	assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* The same build-id counts, wherever it is found. */
TEST_MACHINE(module_of_the_folder_comes_back)
{
	g_autoptr(struct_kvm_state) before = load_and_measure("/f", "", "/f");
	g_autofree char *id = NULL;

	restore(before);
	id = modules_build_id("kvm", NULL);
	assert_begins(id, "6666");
}

TEST_MACHINE(module_that_is_nowhere)
{
	g_autoptr(struct_kvm_state) before = load_and_measure("/f", "", NULL);

	assert_not_restored(before, "there is no module kvm with the build-id 6666");
}

TEST_MACHINE(parameter_that_cannot_be_given)
{
	g_autoptr(struct_kvm_state) before = load_and_measure(NULL, "vpid=0", NULL);

	fake.stuck = "vpid=N";
	assert_not_restored(before, "kvm_intel");
}

static void assert_stays(const char *module, const char *why)
{
	GError *error = NULL;

	assert_false(modules_unload(module, &error));
	assert_error(&error, EPTLAB_ERROR_L1, why);
}

TEST_MACHINE(busy_and_builtin_are_told)
{
	g_autofree char *state = in_sysfs("module/kvm/initstate");

	load_all(NULL, "");
	fake.busy = "kvm_intel";
	assert_stays("kvm_intel", "kvm_intel is in use");
	assert_int_equal(unlink(state), 0);
	assert_true(modules_is_builtin("kvm"));
	assert_stays("kvm", "kvm is built into the kernel");
}

/* What an agent that was ended with the witness on leaves, as the kernel shows it. */
TEST_MACHINE(witness_that_was_cut_short_is_taken_away)
{
	g_autoptr(struct_kvm_state) before = load_and_measure(NULL, "", "/t");
	g_autofree char *stopper = NULL;

	test_put(fake.sysfs, TRACING EXIT,
		 "hist:keys=exit_reason:vals=hitcount:sort=hitcount:size=2048 [active]\n", -1);
	test_put(fake.sysfs, TRACING ENDLESS EXIT,
		 "hist:keys=exit_reason:vals=hitcount:sort=hitcount:size=2048 [active]\n", -1);
	test_put(fake.sysfs, TRACING CPUID,
		 "disable_hist:kvm:kvm_exit:unlimited if function==1 && index==0\n", -1);
	restore(before);
	assert_parameter("ept", "Y");
	stopper = test_get(fake.sysfs, TRACING CPUID);
	assert_says(stopper, "!disable_hist:kvm:kvm_exit if function==1342177026 && ");
}

/* The second of the three cannot be set. */
TEST_MACHINE(half_a_witness_is_none)
{
	GError *error = NULL;
	g_autofree char *text = NULL;

	test_put(fake.sysfs, TRACING "/instances/other" EXIT, "", -1);
	test_put(fake.sysfs, TRACING EXIT, "# Available triggers:\n# hist enable_hist\n", -1);
	assert_false(triggers_arm(true, &error));
	assert_error(&error, EPTLAB_ERROR_L1, "instances/eptlab");
	text = test_get(fake.sysfs, TRACING EXIT);
	assert_string_equal(text, "# Available triggers:\n# hist enable_hist\n"
				  "hist:keys=exit_reason:size=2048"
				  "!hist:keys=exit_reason:size=2048");
}

/* Where counts come from the tracepoint, there is one histogram and what stops it. */
TEST_MACHINE(one_histogram_needs_no_instance)
{
	g_autofree char *instance = g_build_filename(fake.sysfs, TRACING "/instances/eptlab", NULL);
	GError *error = NULL;
	g_autofree char *hist = NULL;
	g_autofree char *stopper = NULL;

	test_put(fake.sysfs, TRACING EXIT, "", -1);
	test_put(fake.sysfs, TRACING CPUID, "", -1);
	assert_true(triggers_arm(false, &error));
	hist = test_get(fake.sysfs, TRACING EXIT);
	stopper = test_get(fake.sysfs, TRACING CPUID);
	assert_string_equal(hist, "hist:keys=exit_reason:size=2048");
	assert_says(stopper, "disable_hist:kvm:kvm_exit if function==1342177026 && ");
	assert_false(g_file_test(instance, G_FILE_TEST_EXISTS));
}

/* A process that is in the faked /proc as long as it lives, with /dev/kvm open. */
TEST_MACHINE(who_holds_kvm_is_waited_for)
{
	g_autofree char *root = g_build_filename(fake.sysfs, "root", NULL);
	g_autofree char *fd = NULL;
	g_autofree char *file = NULL;
	g_autofree char *who = NULL;
	g_autofree char *expected = NULL;
	int start[2];
	pid_t holder;

	assert_int_equal(pipe(start), 0);
	holder = fork();
	assert_true(holder >= 0);
	if (holder == 0) {
		close(start[1]);
		if (read(start[0], &holder, 1) == 0)
			g_usleep(100 * 1000ul);
		folder_remove(root);
		_exit(0);
	}
	close(start[0]);
	fd = g_strdup_printf("%s/proc/%d/fd", root, holder);
	file = g_build_filename(fd, "3", NULL);
	assert_int_equal(g_mkdir_with_parents(fd, 0755), 0);
	assert_int_equal(symlink("/dev/kvm", file), 0);
	who = holders_of_kvm(root);
	expected = g_strdup_printf("? (process %d)", holder);
	assert_string_equal(who, expected);
	assert_false(holders_wait(root, 0));
	close(start[1]);
	assert_true(holders_wait(root, 30));
	assert_int_equal(waitpid(holder, NULL, 0), holder);
}

/* It was not there before, and is not in the way. */
TEST_MACHINE(nothing_was_loaded)
{
	g_autoptr(struct_kvm_state) before = kvm_state_read(&vendor, NULL);
	g_autofree char *words = kvm_state_words(before);

	assert_string_equal(words, "no module of KVM");
	load_all(NULL, "");
	restore(before);
	assert_false(modules_is_loaded("kvm"));
}
