/* SPDX-License-Identifier: GPL-2.0-only */
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/folder.h"
#include "config/config.h"
#include "config/paths.h"
#include "tests/test.h"

/* ---- A folder with a configuration to spoil ---- */

static const struct {
	const char *name, *text;
} sample[] = {
	{ "experiment.conf", "# what\n\n[experiment]\nworkload = boot\nconfigurations=ept;noept\n"
			     "platform = auto\noperations = none\nkernel = 6.12\nsource = "
			     "leaves\nn = 7\ncycles = 1\nwitness = 0\n"
			     "tracepoints = kvm:kvm_exit;kvm:kvm_entry\n" },
	{ "ept.conf", "[module]\nname = ept\nept = 1\nvpid = 1\n" },
	{ "noept.conf", "[module]\nname = noept\nept = 0\n# equal\nvpid = 1\n" },
	{ "l2.conf",
	  "[l2]\nmemory_mib=128\nvcpus=1\npti=0\nappend=\ntimeout_seconds=60\nkernel=\ndoses=\n"
	  "image=\nprobe=\nguest=\nguest_memory_mib=512\nguest_timeout_seconds=900\n" },
	{ "l1.conf", "[l1]\nappend=\nmodules=\n" },
	{ "tcg.conf", "[tcg]\nuri=\ncpu=EPYC\nmemory_mib=1024\ncpus=1\ntimeout_seconds=300\n" },
	{ "kvm.conf", "[kvm]\nuri=qemu:///system\nmemory_mib=1024\ncpus=1\ntimeout_seconds=300\n" },
	{ "local.conf", "[local]\nuri=\nmodules=\nany_modules=1\ntimeout_seconds=900\n" },
	{ "bochs.conf", "[bochs]\ncpu=corei7_haswell_4770\nmemory_mib=512\nips=100000000\n"
			"timeout_seconds=600\ntimeout_ticks=40000000000\n" },
	{ "conform.conf", "[conform]\nkernel=\nmodules=\nruns=ept\neach=0\nper_vm=1\nours=1\n"
			  "exits_leaf=0x4ffffffe\ntotal_leaf=0x4ffffffc\n" },
};

static char *path_of(const char *folder, const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static void write_sample(const char *folder)
{
	test_each (row, sample)
		test_put(folder, row->name, row->text, -1);
}

static int setup(void **state)
{
	assert_int_equal(test_folder_new(state), 0);
	write_sample(*state);
	return 0;
}

#define TEST_FOLDER(name) TEST_OF(const char *folder G_GNUC_UNUSED, setup, test_folder_remove, name)

/* With these overrides, names of files in the folder with a blank between them. */
static struct config *load_anyhow(const char *folder, const char *overrides,
				  const char *const *settings, GError **error)
{
	g_auto(GStrv) paths = g_strsplit(overrides, " ", -1);

	for (char **path = paths; *path != NULL; path++) {
		g_autofree char *name = *path;

		*path = path_of(folder, name);
	}
	return config_load(folder, (const char *const *)paths, settings, error);
}

/*
 * Loading fails, and the message is this, with %s standing for the folder. After "..." it goes on
 * in the words of GLib and libc, which are not ours to test.
 */
static void assert_fails(const char *folder, const char *overrides, const char *const *settings,
			 const char *expected)
{
	GError *error = NULL;
	g_autoptr(struct_config) config = load_anyhow(folder, overrides, settings, &error);
	g_auto(GStrv) parts = g_strsplit(expected, "%s", -1);
	g_autofree char *message = g_strjoinv(folder, parts);
	char *dots = strstr(message, "...");

	assert_null(config);
	if (dots && strlen(error->message) > (size_t)(dots - message)) {
		*dots = '\0';
		error->message[dots - message] = '\0';
	}
	assert_string_equal(error->message, message);
	assert_error(&error, EPTLAB_ERROR_USAGE, "");
}

static struct config *load(const char *folder, const char *overrides, const char *const *settings)
{
	g_autoptr(GError) error = NULL;
	struct config *config = load_anyhow(folder, overrides, settings, &error);

	assert_no_error(error);
	return config;
}

static void assert_module(const struct config *config, const char *name, bool ept, bool vpid)
{
	const struct config_module *module = config_find_module(config, name);

	assert_string_equal(module->name, name);
	assert_int_equal(module->ept, ept);
	assert_int_equal(module->vpid, vpid);
}

/* All of them, with a blank between them. */
static void assert_configurations(const struct config *config, const char *expected)
{
	g_autofree char *saw = g_strjoinv(" ", config->experiment.configurations);

	assert_string_equal(saw, expected);
}

/* ---- What is right ---- */

TEST_FOLDER(sample_is_read)
{
	g_autoptr(struct_config) config = load(folder, "", NULL);

	assert_string_equal(config->experiment.workload, "boot");
	assert_string_equal(config->experiment.platform, "auto");
	assert_configurations(config, "ept noept");
	assert_int_equal(config->experiment.n, 7);
	assert_true(config->experiment.cycles);
	assert_false(config->experiment.witness);
	assert_string_equal(config->experiment.tracepoints, "kvm:kvm_exit;kvm:kvm_entry");
	assert_string_equal(config->experiment.kernel, "6.12");
	assert_int_equal(config->modules->len, 2);
	assert_module(config, "ept", true, true);
	assert_module(config, "noept", false, true);
	assert_null(config_find_module(config, "other"));
	assert_int_equal(config->l2.memory_mib, 128);
	assert_int_equal(config->l2.vcpus, 1);
	assert_string_equal(config->l2.append, "");
	assert_int_equal(config->l2.timeout_seconds, 60);
	assert_string_equal(config->l2.kernel, "");
	assert_string_equal(config->l2.doses, "");
	assert_string_equal(config->l2.image, "");
	assert_string_equal(config->l2.probe, "");
	assert_string_equal(config->bochs.cpu, "corei7_haswell_4770");
	assert_int_equal(config->bochs.memory_mib, 512);
	assert_true(config->bochs.ips == 100000000);
	assert_int_equal(config->bochs.timeout_seconds, 600);
	assert_true(config->bochs.timeout_ticks == 40000000000);
	assert_string_equal(config->l1.append, "");
	assert_string_equal(config->l1.modules, "");
	assert_string_equal(config->tcg.uri, "");
	assert_string_equal(config->tcg.cpu, "EPYC");
	assert_int_equal(config->tcg.memory_mib, 1024);
	assert_string_equal(config->kvm.uri, "qemu:///system");
	assert_null(config->kvm.cpu);
	assert_int_equal(config->kvm.timeout_seconds, 300);
	assert_true(config->local.any_modules);
	assert_string_equal(config->local.modules, "");
	assert_int_equal(config->local.timeout_seconds, 900);
}

/* Of a boot of the user's own image, L1 sees the end, or that there is none, before L0's time is
 * up. */
TEST(platform_waits_for_each_boot_of_an_image)
{
	const char *const settings[] = { "l2.guest=/image", "l2.guest_timeout_seconds=50",
					 "l2.timeout_seconds=70", NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_config) own = config_load("configs", NULL, settings, &error);
	g_autoptr(struct_config) ours = config_load("configs", NULL, settings + 1, &error);

	assert_no_error(error);
	assert_int_equal(config_l1_timeout(own, 300), 300 + 2 * 50);
	assert_int_equal(config_l2_timeout(own), 50);
	assert_int_equal(config_l1_timeout(ours, 300), 300);
	assert_int_equal(config_l2_timeout(ours), 70);
}

/* CR LF, tabs, blanks, a missing last line end and other files do not matter. */
TEST_FOLDER(forms_that_are_the_same)
{
	g_autoptr(struct_config) config = NULL;

	test_put(folder, "l2.conf",
		 " [l2] \r\n\t# caf\xc3\xa9 \xff\r\nmemory_mib\t=\t0x80\r\n"
		 "  vcpus = 2 \r\npti=1\nappend = a=1 b=\"2;3\" # no comment \r\n"
		 "timeout_seconds=60\nkernel=\ndoses=\nguest=\nguest_memory_mib=512\n"
		 "guest_timeout_seconds=900\nimage=\nprobe=",
		 -1);
	test_put(folder, "empty.conf", "", -1);
	test_put(folder, "l2.conf~", "nonsense", -1);
	test_put(folder, ".hidden.conf", "nonsense", -1);
	config = load(folder, "", NULL);
	assert_int_equal(config->l2.memory_mib, 128);
	assert_int_equal(config->l2.vcpus, 2);
	assert_string_equal(config->l2.append, "a=1 b=\"2;3\" # no comment");
	assert_string_equal(config->l2.probe, "");
}

TEST_FOLDER(later_wins)
{
	const char *const settings[] = { "l2.vcpus=4", "l2.vcpus=5", "module.noept.vpid=0",
					 "l1.append=a=b", NULL };
	g_autoptr(struct_config) config = NULL;

	test_put(folder, "one.override",
		 "[l2]\nmemory_mib=64\nvcpus=2\n[module]\nname=ept\nvpid=0\n", -1);
	test_put(folder, "two.override", "[l2]\nvcpus=3\nappend=quiet\n", -1);
	config = load(folder, "one.override two.override", settings);
	assert_int_equal(config->l2.memory_mib, 64);
	assert_int_equal(config->l2.vcpus, 5);
	assert_string_equal(config->l2.append, "quiet");
	assert_string_equal(config->l1.append, "a=b");
	assert_module(config, "ept", true, false);
	assert_module(config, "noept", false, false);
}

TEST_FOLDER(override_defines_a_configuration)
{
	g_autoptr(struct_config) config = NULL;

	/* vpid of a configuration that the experiment does not use may differ. */
	test_put(folder, "one.override",
		 "[experiment]\nconfigurations = slow ; noept;\n"
		 "[module]\nname=slow\nept=0\nvpid=1\n",
		 -1);
	test_put(folder, "ept.conf", "[module]\nname=ept\nept=1\nvpid=0\n", -1);
	config = load(folder, "one.override", NULL);
	assert_int_equal(config->modules->len, 3);
	assert_false(config_find_module(config, "slow")->ept);
	assert_configurations(config, "slow noept");
}

/* A list of configurations as it is in the project, and what is said of it; NULL: nothing. */
TEST(each_differs_in_one_thing_from_one_before)
{
	static const struct {
		const char *list, *expected;
	} rows[] = {
		{ "ept;noug;noept", NULL },
		{ "noug;noept", NULL },
		{ "ept;ept-novpid", NULL },
		{ "noept-novpid;ept-novpid", NULL },
		{ "ept;noept;noept-novpid;ept-novpid;noug;nopcid;thp", NULL },
		{ "ept;noept-novpid;noept",
		  "noept-novpid.conf:7: vpid=0 for 'noept-novpid', expected 1 as for 'ept'" },
		{ "nopcid;thp",
		  "thp.conf:4: 'thp' differs from 'nopcid' in 2 things, expected one" },
		{ "noept;nopcid", "'nopcid' differs from 'noept' in 2 things" },
	};

	test_each (row, rows) {
		g_autofree char *setting =
			g_strconcat("experiment.configurations=", row->list, NULL);
		const char *const settings[] = { setting, NULL };
		g_autoptr(GError) error = NULL;
		g_autoptr(struct_config) config = config_load("configs", NULL, settings, &error);

		assert_true((config == NULL) == (row->expected != NULL));
		if (row->expected != NULL)
			assert_error(&error, EPTLAB_ERROR_USAGE, row->expected);
		else
			assert_no_error(error);
	}
}

TEST(what_cannot_be_had_is_refused)
{
	static const struct {
		const char *first, *second, *expected;
	} rows[] = {
		{ "module.noept.unrestricted_guest=1", "l2.pti=1",
		  "unrestricted_guest=1 for 'noept' beside ept=0, expected 0 or nothing" },
		{ "experiment.configurations=ept;thp", "experiment.platform=local",
		  "thp=1 for 'thp' on the platform local, expected nothing" },
		{ "module.noug.unrestricted_guest=2", "l2.pti=1", "expected 0, 1 or nothing" },
		{ "l2.pti=", "l2.pti=1", "expected 0 or 1" },
	};

	test_each (row, rows) {
		const char *const settings[] = { row->first, row->second, NULL };
		g_autoptr(GError) error = NULL;

		assert_null(config_load("configs", NULL, settings, &error));
		assert_error(&error, EPTLAB_ERROR_USAGE, row->expected);
	}
}

/* Reading a FIFO or a device could last for ever. */
TEST_FOLDER(only_regular_files_are_read)
{
	g_autofree char *fifo = path_of(folder, "fifo");

	assert_int_equal(mkfifo(fifo, 0600), 0);
	test_each_of (row, fifo, "/dev/zero", folder) {
		const char *const overrides[] = { *row, NULL };
		g_autoptr(GError) error = NULL;

		assert_null(config_load(folder, overrides, NULL, &error));
		assert_error(&error, EPTLAB_ERROR_USAGE, *row);
	}
	unlink(fifo);
}

TEST_FOLDER(paths_are_relative_to_their_file)
{
	g_autofree char *base = g_path_get_basename(folder);
	g_autofree char *one = g_strdup_printf("../%s/one.override", base);
	const char *const settings[] = { "l2.probe=some/probe", NULL };
	g_autofree char *kernel = path_of(folder, "vmlinux");
	g_autofree char *doses = path_of(folder, "doses.elf");
	g_autofree char *probe = g_canonicalize_filename("some/probe", NULL);
	g_autoptr(struct_config) config = NULL;

	test_put(folder, "one.override",
		 "[l2]\nkernel = ./x/../vmlinux\nimage=/a/b.img\n"
		 "doses = doses.elf\n",
		 -1);
	config = load(folder, one, settings);
	assert_string_equal(config->l2.kernel, kernel);
	assert_string_equal(config->l2.doses, doses);
	assert_string_equal(config->l2.image, "/a/b.img");
	assert_string_equal(config->l2.probe, probe);
}

TEST_FOLDER(limits_are_inside)
{
	const char *const low[] = { "l2.memory_mib=32",
				    "l2.timeout_seconds=1",
				    "bochs.memory_mib=128",
				    "bochs.ips=1000000",
				    "experiment.n=0",
				    "experiment.tracepoints=",
				    NULL };
	const char *const high[] = { "l2.memory_mib=65536",
				     "l2.vcpus=64",
				     "l2.timeout_seconds=86400",
				     "bochs.memory_mib=2048",
				     "bochs.timeout_ticks=1000000000000000",
				     "experiment.n=4294967295",
				     NULL };
	g_autofree char *text = g_strnfill(512, 'x');
	g_autofree char *append = g_strconcat("l2.append=", text, NULL);
	g_autofree char *tracepoints = g_strconcat("experiment.tracepoints=", text, NULL);
	const char *const longest[] = { append, tracepoints, NULL };

	config_free(load(folder, "", low));
	config_free(load(folder, "", high));
	config_free(load(folder, "", longest));
}

/* The folder that the project comes with; its path is the test's first argument or this. */
static const char *project_configs = "configs";

TEST(projects_own_configuration_is_right)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_config) config = config_load(project_configs, NULL, NULL, &error);

	assert_no_error(error);
	assert_true(config_find_module(config, "ept")->ept);
	assert_false(config_find_module(config, "noept")->ept);
	/* Each of these costs, or is another experiment. */
	assert_int_equal(config->experiment.n, 0);
	assert_false(config->experiment.cycles);
	assert_false(config->experiment.witness);
	assert_string_equal(config->experiment.tracepoints, "");
	assert_string_equal(config->experiment.kernel, "");
}

/* ---- What is wrong ---- */

#define A_NAME	 "expected a name of a-z, 0-9, _ and -"
#define A_BYTE	 "expected printable ASCII outside of comments"
#define SECTIONS "experiment, module, l2, l1, bochs, tcg, kvm, local, conform"
#define EXPERIMENT                                                                                 \
	"[experiment]\nworkload=boot\nplatform=auto\noperations=none\nkernel=\nsource="            \
	"leaves\nconfigurations=ept;"

/* A file that has this text instead, and what is said of it, after the file's name. */
TEST_FOLDER(wrong_files)
{
	static const struct {
		const char *file, *text, *expected;
	} cases[] = {
		/* Lines that are none. */
		{ "l2", "[l2]\n# c\nvcpus 1\n",
		  ":3: 'vcpus 1' is neither a comment (#) nor '[section]' nor 'key=value'" },
		{ "l2", "\nvcpus=1\n", ":2: 'vcpus' stands before the first [section]" },
		{ "l2", "[l2\n", ":1: '[l2' begins like a section, expected '[name]'" },
		{ "l2", "[]\n",
		  ":1: '[]' is no section, expected a name of a-z, 0-9 and _ in brackets" },
		{ "l2", "[L2]\n",
		  ":1: '[L2]' is no section, expected a name of a-z, 0-9 and _ in brackets" },
		{ "l2", "[l2]\n=1\n",
		  ":2: '' is no key, expected a name of a-z, 0-9 and _ before '='" },
		{ "l2", "[l2]\nvcpus[de]=1\n",
		  ":2: 'vcpus[de]' is no key, expected a name of a-z, 0-9 and _ before '='" },
		/* A blank to isspace(), but not to GKeyFile. */
		{ "l2", "[l2]\f\n", ":1: there is a byte 0x0c, " A_BYTE },
		{ "l2", "[l2]\r\n[l2]\r", ":2: there is a byte 0x0d, " A_BYTE },
		{ "l2", "[l2]\nappend=caf\xc3\xa9\n", ":2: there is a byte 0xc3, " A_BYTE },
		/* Unknown names; a key of another section is as unknown as any. */
		{ "l2", "# c\n[l3]\nvcpus=1\n",
		  ":2: there is no section [l3], expected one of " SECTIONS },
		{ "l2", "[l2]\nvcpus=1\ncpus=1\n",
		  ":3: [l2] has no key 'cpus', expected one of memory_mib, vcpus, pti, append, "
		  "timeout_seconds, kernel, doses, image, probe, guest, guest_memory_mib, "
		  "guest_timeout_seconds" },
		{ "ept", "[module]\nname=ept\nept=1\nvpid=1\nvcpus=1\n",
		  ":5: [module] has no key 'vcpus', expected one of name, ept, vpid, "
		  "unrestricted_guest, pcid, thp" },
		/* Doubled names; bochs.conf is read before l2.conf. */
		{ "l2", "[l2]\nvcpus=1\n\nvcpus=1\n",
		  ":4: 'vcpus' stands twice in [l2], first in line 2" },
		{ "l2", "[l2]\nvcpus=1\n[bochs]\n[l2]\n",
		  ":4: the section [l2] stands twice, first in line 1" },
		{ "l2", "[l2]\n[bochs]\n",
		  ":2: the section [bochs] stands in %s/bochs.conf:1 already" },
		/* A wrong value. */
		{ "bochs", "[bochs]\n\n\nmemory_mib = 2049\n",
		  ":4: memory_mib is '2049' in [bochs], expected a number from 128 to 2048" },
		/* Missing things. */
		{ "experiment", EXPERIMENT "noept\ncycles=0\nwitness=0\ntracepoints=\n",
		  ":1: [experiment] has no 'n', expected a number from 0 to 4294967295" },
		{ "experiment", EXPERIMENT "noept\nn=0\ncycles=0\ntracepoints=\n",
		  ":1: [experiment] has no 'witness', expected 0 or 1" },
		{ "l2",
		  "# c\n[l2]\nmemory_mib=128\nappend=\ntimeout_seconds=60\nkernel=\ndoses=\n"
		  "image=\nprobe=\n",
		  ":2: [l2] has no 'vcpus', expected a number from 1 to 64" },
		{ "l2",
		  "[l2]\nmemory_mib=128\nvcpus=1\npti=0\nappend=\ntimeout_seconds=60\nkernel=\n"
		  "doses=\nprobe=\n",
		  ":1: [l2] has no 'image', expected a path, or nothing" },
		{ "ept", "[module]\nname=ept\nvpid=1\n",
		  ":1: [module] has no 'ept', expected 0 or 1" },
		{ "ept", "\n[module]\nept=1\nvpid=1\n",
		  ":2: [module] has no 'name', expected that of a configuration" },
		/* Configurations. */
		{ "ept", "[module]\nname=noept\nept=1\nvpid=1\n",
		  ":2: name is 'noept' in [module], " A_NAME ", the same as that of the file" },
		{ "experiment", EXPERIMENT "npt\nn=0\ncycles=0\nwitness=0\ntracepoints=\n",
		  ":7: no file defines the configuration 'npt', expected npt.conf" },
		{ "noept", "[module]\nname=noept\nept=0\n\nvpid=0\n",
		  ":5: vpid=0 for 'noept', expected 1 as for 'ept' (%s/ept.conf:4): runs that "
		  "are compared must differ in one thing alone" },
	};

	test_each (row, cases) {
		g_autofree char *name = g_strconcat(row->file, ".conf", NULL);
		g_autofree char *expected = g_strconcat("L0: %s/", name, row->expected, NULL);

		test_put(folder, name, row->text, -1);
		assert_fails(folder, "", NULL, expected);
		write_sample(folder);
	}
}

TEST_FOLDER(nul_byte)
{
	test_put(folder, "l2.conf", "[l2]\nvcpus=\0001\n", 14);
	assert_fails(folder, "", NULL,
		     "L0: %s/l2.conf:2: there is a NUL byte, expected a text file");
}

static void assert_setting_fails(const char *folder, const char *setting, const char *expected)
{
	const char *const settings[] = { setting, NULL };
	/* One line, whatever it is. */
	g_autofree char *shown = g_strescape(setting, NULL);
	g_autofree char *message = g_strdup_printf("L0: setting '%s': %s", shown, expected);

	assert_fails(folder, "", settings, message);
}

/* section.key=value or module.CONFIGURATION.key=value, and what is expected instead of it. */
static void assert_value_fails(const char *folder, const char *setting, const char *expected)
{
	g_auto(GStrv) halves = g_strsplit(setting, "=", 2);
	g_auto(GStrv) names = g_strsplit(halves[0], ".", -1);
	g_autofree char *message =
		g_strdup_printf("%s is '%s' in [%s], expected %s", strrchr(halves[0], '.') + 1,
				halves[1], names[0], expected);

	assert_setting_fails(folder, setting, message);
}

TEST_FOLDER(wrong_values)
{
	static const struct {
		const char *setting, *expected;
	} cases[] = {
		{ "l2.memory_mib=31", "a number from 32 to 65536" },
		{ "l2.memory_mib=65537", "a number from 32 to 65536" },
		{ "l2.vcpus=", "a number from 1 to 64" },
		{ "l2.vcpus=0", "a number from 1 to 64" },
		{ "l2.vcpus=-1", "a number from 1 to 64" },
		{ "l2.vcpus=+1", "a number from 1 to 64" },
		{ "l2.vcpus=1.0", "a number from 1 to 64" },
		{ "l2.vcpus=two", "a number from 1 to 64" },
		{ "l2.vcpus=4294967297", "a number from 1 to 64" },
		{ "bochs.timeout_ticks=99999999999999999999",
		  "a number from 1000000 to 1000000000000000" },
		{ "module.ept.ept=yes", "0 or 1" },
		{ "module.ept.vpid=2", "0 or 1" },
		{ "module.ept.vpid=", "0 or 1" },
		{ "experiment.platform=vmware", "one of auto, bochs, tcg, kvm, local" },
		{ "experiment.platform=", "one of auto, bochs, tcg, kvm, local" },
		{ "experiment.source=perf", "one of leaves, tracepoint" },
		{ "experiment.workload=../boot", "a name of a-z, 0-9, _ and -" },
		{ "experiment.n=4294967296", "a number from 0 to 4294967295" },
		{ "experiment.n=-1", "a number from 0 to 4294967295" },
		{ "experiment.n=", "a number from 0 to 4294967295" },
		{ "experiment.cycles=2", "0 or 1" },
		{ "experiment.witness=yes", "0 or 1" },
		{ "bochs.cpu=", "a name of a-z, 0-9, _ and -" },
	};
	g_autofree char *text = g_strnfill(513, 'x');

	test_each (row, cases)
		assert_value_fails(folder, row->setting, row->expected);
	test_each_of (row, "", ";", "ept;;noept", ";ept", "ept;ept", "ept,noept", "ept;Noept",
		      "ept;a b", "ept; ;") {
		g_autofree char *setting = g_strconcat("experiment.configurations=", *row, NULL);

		assert_value_fails(folder, setting,
				   "names of a-z, 0-9, _ and -, with ';' between them, none twice");
	}
	test_each_of (row, "l2.append=", "experiment.tracepoints=") {
		g_autofree char *setting = g_strconcat(*row, text, NULL);

		assert_value_fails(folder, setting, "a text of at most 512 characters");
	}
}

/* Where L2 reads nothing, what only L2 can read is not to be had: it is said before anything boots.
 */
TEST_FOLDER(tracepoint_has_nothing_of_the_leaves)
{
	static const struct {
		const char *settings[4], *what;
	} cases[] = {
		{ { "experiment.cycles=0", "experiment.witness=1" }, "'witness'" },
		{ { "experiment.witness=0", "experiment.cycles=1" }, "'cycles'" },
		{ { "experiment.cycles=0", "experiment.workload=dose-cpuid" }, "'workload'" },
		{ { "experiment.cycles=0", "experiment.workload=doses" }, "'workload'" },
	};
	const char *const good[] = { "experiment.cycles=0", "experiment.source=tracepoint", NULL };
	g_autoptr(struct_config) config = load(folder, "", good);

	assert_true(config_is_tracepoint(config));
	test_each (row, cases) {
		const char *settings[5] = { row->settings[0], row->settings[1],
					    "experiment.source=tracepoint", NULL };
		g_autoptr(GError) error = NULL;

		assert_null(config_load(folder, NULL, settings, &error));
		assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE));
		assert_says(error->message, "setting 'experiment.source=tracepoint'");
		assert_says(error->message, row->what);
		/* The same with the leaves. */
		settings[2] = NULL;
		config_free(load(folder, "", settings));
	}
}

TEST_FOLDER(settings_that_are_none)
{
	test_each_of (row, "", "l2", "vcpus=1", "l2.vcpus", "l2.a.vcpus=1", "module.vpid=1",
		      "module=1", "=", "module.ept.vpid.x=1", "l2.append=a\nb",
		      "l2.memo\xefry_mib=256")
		assert_setting_fails(
			folder, *row,
			"expected section.key=value, or module.CONFIGURATION.key=value");
	assert_setting_fails(folder, "l3.vcpus=1",
			     "there is no section [l3], expected one of " SECTIONS);
	assert_setting_fails(folder, "module.npt.vpid=1", "no file defines a configuration 'npt'");
	assert_setting_fails(folder, "module.ept.name=nept",
			     "the name of a configuration is that of its file");
}

/* A value that a later file replaces must be right all the same. */
TEST_FOLDER(wrong_value_is_not_hidden_by_an_override)
{
	const char *const settings[] = { "bochs.memory_mib=512", NULL };

	test_put(folder, "bochs.conf", "[bochs]\nmemory_mib=1\n", -1);
	assert_fails(folder, "", settings,
		     "L0: %s/bochs.conf:2: memory_mib is '1' in [bochs], expected a number from "
		     "128 to 2048");
}

TEST_FOLDER(name_of_a_configuration_in_an_override)
{

	test_put(folder, "one.override", "[module]\nept=1\nname=a/b\n", -1);
	assert_fails(folder, "one.override", NULL,
		     "L0: %s/one.override:3: name is 'a/b' in [module], " A_NAME);
	/* What an override defines must be complete as well. */
	test_put(folder, "one.override", "[module]\nept=1\nname=new\n", -1);
	assert_fails(folder, "one.override", NULL,
		     "L0: %s/one.override:1: [module] has no 'vpid', expected 0 or 1");
}

TEST_FOLDER(files_that_cannot_be_read)
{
	g_autofree char *missing = path_of(folder, "missing.override");
	g_autofree char *directory = path_of(folder, "dir.conf");
	g_autofree char *l2 = path_of(folder, "l2.conf");

	assert_fails(folder, "missing.override", NULL,
		     "L0: %s/missing.override: cannot read the configuration file: ...");
	assert_fails(missing, "", NULL, "L0: %s: cannot read the folder of the configuration: ...");
	g_remove(l2);
	assert_fails(folder, "", NULL, "L0: %s: no file has a section [l2]");
	assert_int_equal(g_mkdir(directory, 0700), 0);
	assert_fails(folder, "", NULL, "L0: %s/dir.conf: cannot read the configuration file: ...");
}

/* ---- The line of L1's kernel ---- */

static int set_up_paths(void **state)
{
	struct paths *paths = paths_find(NULL);

	assert_non_null(paths);
	g_free(paths->lines);
	paths->lines = g_dir_make_tmp("eptlab-lines-XXXXXX", NULL);
	assert_non_null(paths->lines);
	*state = paths;
	return 0;
}

static int tear_down_paths(void **state)
{
	struct paths *paths = *state;

	folder_remove(paths->lines);
	paths_free(paths);
	return 0;
}

#define TEST_PATHS(name) TEST_OF(struct paths *paths, set_up_paths, tear_down_paths, name)

static void make_line(const struct paths *paths, const char *line, const char *file)
{
	g_autofree char *folder = g_build_filename(paths->lines, line, NULL);
	g_autofree char *path = g_build_filename(folder, file, NULL);

	assert_int_equal(g_mkdir(folder, 0700), 0);
	assert_true(g_file_set_contents(path, "", 0, NULL));
}

static void assert_no_line(struct paths *paths, const char *line, const char *has)
{
	g_autofree char *before = g_strdup(paths->l1_kernel);
	g_autoptr(GError) error = NULL;

	assert_false(paths_choose_line(paths, line, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
	if (strstr(error->message, has) == NULL)
		fail_msg("expected \"%s\", saw: %s", has, error->message);
	assert_string_equal(paths->l1_kernel, before);
}

TEST_PATHS(a_line_has_its_own_kernel)
{
	g_autofree char *image = g_build_filename(paths->lines, "6.12/bzImage", NULL);
	g_autofree char *modules = g_build_filename(paths->lines, "6.12/modules", NULL);
	g_autofree char *l2 = g_strdup(paths->l2_kernel);

	make_line(paths, "6.12", "kernel.conf");
	assert_true(paths_choose_line(paths, "", NULL));
	assert_true(g_str_has_suffix(paths->l1_kernel, "/kernel/l1/default/bzImage"));
	assert_true(paths_choose_line(paths, "6.12", NULL));
	assert_string_equal(paths->l1_kernel, image);
	assert_string_equal(paths->modules, modules);
	assert_string_equal(paths->l2_kernel, l2);
}

TEST_PATHS(a_line_that_is_not_built_tells_those_that_are)
{
	assert_no_line(paths, "9.9", "\"9.9\" has been built for L1, but: none;");
	make_line(paths, "6.12", "kernel.conf");
	make_line(paths, "6.1", "kernel.conf");
	make_line(paths, "modules", "kvm.ko"); /* no line */
	test_each_of (line, "9.9", "6", "6.1/", "../l1/6.1", ".", "modules", "default")
		assert_no_line(paths, *line, "but: 6.1, 6.12;");
}
