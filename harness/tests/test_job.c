/* SPDX-License-Identifier: GPL-2.0-only */
/* The job that L0 gives to L1, and the libvirt domain that L1 makes of it. */
#include <unistd.h>

#include "agent/l2_domain.h"
#include "config/config.h"
#include "config/config_job.h"
#include "record/record.h"
#include "tests/test.h"

static char *write_temporary(const char *text)
{
	char *path = NULL;
	int fd = g_file_open_tmp("eptlab-test-XXXXXX", &path, NULL);

	assert_true(fd >= 0);
	close(fd);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static struct config *sample_config(const char *const *settings)
{
	g_autoptr(GError) error = NULL;
	struct config *config = config_load("configs", NULL, settings, &error);

	if (config == NULL)
		fail_msg("%s", error->message);
	return config;
}

/* Two runs, of which the second has nothing as it comes. */
static struct job *sample_job(void)
{
	const char *const settings[] = {
		"l2.append=a=\"b\" <&>",
		"l2.memory_mib=160",
		"experiment.cycles=1",
		"experiment.tracepoints=kvm:kvm_exit;kvm:kvm_entry",
		NULL,
	};
	g_autoptr(struct_config) config = sample_config(settings);
	struct job *job = job_from_config(config, JOB_EXPERIMENT);
	struct job_run *run = g_ptr_array_index(job->runs, 1);

	run->reload = JOB_RELOAD_VENDOR;
	run->vpid = false;
	run->unrestricted_guest = JOB_OFF;
	run->pcid = JOB_OFF;
	run->thp = JOB_ON;
	run->vcpus = 2;
	record_set_string(&run->workload, "dose-cpuid");
	record_set_string(&run->append, " b;\\n\tc");
	record_set_string(&run->companion, "boot");
	return job;
}

static struct job *through_the_medium(const struct job *job)
{
	g_autofree char *text = job_to_text(job);
	g_autofree char *path = write_temporary(text);
	g_autoptr(GError) error = NULL;
	struct job *got = job_load(path, &error);

	unlink(path);
	if (got == NULL)
		fail_msg("%s", error->message);
	return got;
}

static void assert_same_run(const struct job_run *a, const struct job_run *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->ept, b->ept);
	assert_int_equal(a->vpid, b->vpid);
	assert_int_equal(a->unrestricted_guest, b->unrestricted_guest);
	assert_int_equal(a->pcid, b->pcid);
	assert_int_equal(a->thp, b->thp);
	assert_int_equal(a->reload, b->reload);
	assert_string_equal(a->workload, b->workload);
	assert_int_equal(a->vcpus, b->vcpus);
	assert_string_equal(a->append, b->append);
	assert_string_equal(a->companion, b->companion);
}

TEST(job_survives_the_medium)
{
	g_autoptr(struct_job) sent = sample_job();
	g_autoptr(struct_job) got = through_the_medium(sent);

	assert_int_equal(got->task, JOB_EXPERIMENT);
	assert_int_equal(got->memory_mib, 160);
	assert_int_equal(got->timeout_seconds, sent->timeout_seconds);
	assert_true(got->cycles);
	assert_false(got->witness);
	assert_string_equal(got->tracepoints, "kvm:kvm_exit;kvm:kvm_entry");
	assert_int_equal(got->runs->len, 2);
	for (unsigned int i = 0; i < 2; i++)
		assert_same_run(g_ptr_array_index(sent->runs, i), g_ptr_array_index(got->runs, i));
}

TEST(each_task_and_reload_survives)
{
	static const char *const settings[] = { "experiment.witness=1", NULL };
	g_autoptr(struct_config) config = sample_config(settings);

	for (unsigned int task = JOB_EXPERIMENT; task <= JOB_KUNIT; task++) {
		g_autoptr(struct_job) sent = job_new(config, (enum job_task)task);
		g_autoptr(struct_job) got = through_the_medium(sent);

		assert_int_equal(got->task, task);
		assert_true(got->witness);
		assert_false(got->cycles);
		assert_string_equal(got->tracepoints, "");
		assert_int_equal(got->runs->len, 0);
	}
	for (unsigned int reload = JOB_RELOAD_ALL; reload <= JOB_RELOAD_NONE; reload++) {
		g_autoptr(struct_job) sent = job_new(config, JOB_EXPERIMENT);
		struct job_run *run =
			job_add_run(sent, "one", config_find_module(config, "ept"), "boot", 1, "");
		g_autoptr(struct_job) got = NULL;

		run->reload = (enum job_reload)reload;
		got = through_the_medium(sent);
		assert_same_run(run, g_ptr_array_index(got->runs, 0));
	}
}

TEST(source_survives)
{
	static const char *const settings[] = { "experiment.source=tracepoint", NULL };
	g_autoptr(struct_config) traced = sample_config(settings);
	g_autoptr(struct_config) plain = sample_config(NULL);
	g_autoptr(struct_job) sent = job_from_config(traced, JOB_EXPERIMENT);
	g_autoptr(struct_job) got = through_the_medium(sent);
	g_autoptr(struct_job) other = job_from_config(plain, JOB_EXPERIMENT);
	/* Other jobs have no counts, or read them in L2 always. */
	g_autoptr(struct_job) conform = job_new(traced, JOB_CONFORM);

	assert_int_equal(got->source, JOB_TRACEPOINT);
	assert_int_equal(other->source, JOB_LEAVES);
	assert_int_equal(conform->source, JOB_LEAVES);
}

/* One run for each configuration, in their order, in its paging. */
TEST(runs_are_those_of_the_configuration)
{
	static const char *const settings[] = { "experiment.configurations=noept;ept",
						"experiment.workload=dose-io", "l2.vcpus=3",
						"l2.append=x", NULL };
	g_autoptr(struct_config) config = sample_config(settings);
	g_autoptr(struct_job) job = job_from_config(config, JOB_EXPERIMENT);
	static const char *const names[] = { "noept", "ept" };

	assert_int_equal(job->runs->len, 2);
	for (unsigned int i = 0; i < 2; i++) {
		const struct job_run expected = {
			.name = (char *)names[i],
			.ept = i == 1,
			.vpid = config_find_module(config, names[i])->vpid,
			.reload = JOB_RELOAD_ALL,
			.workload = (char *)"dose-io",
			.vcpus = 3,
			.append = (char *)"x",
			.companion = (char *)"",
		};

		assert_same_run(g_ptr_array_index(job->runs, i), &expected);
	}
}

/* The size of a dose is an argument of L2's kernel, before those of the configuration. */
TEST(size_of_a_dose_is_an_argument)
{
	static const struct {
		const char *n, *append, *expected;
	} cases[] = {
		{ "experiment.n=0", "l2.append=", "" },
		{ "experiment.n=0", "l2.append=x", "x" },
		{ "experiment.n=1", "l2.append=", "eptlab.n=1" },
		{ "experiment.n=4294967295", "l2.append=x y", "eptlab.n=4294967295 x y" },
	};

	test_each (row, cases) {
		const char *const settings[] = { row->n, row->append, "experiment.operations=none",
						 NULL };
		g_autoptr(struct_config) config = sample_config(settings);
		g_autoptr(struct_job) job = job_from_config(config, JOB_EXPERIMENT);
		const struct job_run *run = g_ptr_array_index(job->runs, 1);

		assert_string_equal(run->append, row->expected);
	}
}

TEST(doses_have_a_guest_of_their_own)
{
	assert_true(job_is_dose("dose-cpuid"));
	assert_true(job_is_dose("dose-io"));
	assert_true(job_is_dose("doses"));
	test_each_of (row, "boot", "overdose-io", "dose", "dosed", "dose-", "dose-none", "io", "do",
		      "", "doses-io", "Dose-io")
		assert_false(job_is_dose(*row));
}

static void assert_refused(const char *text)
{
	g_autofree char *path = write_temporary(text);
	g_autoptr(GError) error = NULL;
	struct job *job = job_load(path, &error);

	unlink(path);
	if (job != NULL)
		fail_msg("was taken: %s", text);
	assert_error(&error, EPTLAB_ERROR_L1, path);
}

/* The lines with another one in place of line i; NULL: none. */
static char *with_line(char **lines, unsigned int i, const char *other)
{
	GString *text = g_string_new(NULL);

	for (unsigned int j = 0; lines[j] != NULL; j++) {
		const char *line = j == i ? other : lines[j];

		if (line != NULL)
			g_string_append_printf(text, "%s\n", line);
	}
	return g_string_free(text, FALSE);
}

TEST(damaged_job_is_refused)
{
	g_autoptr(struct_job) job = sample_job();
	g_autofree char *text = job_to_text(job);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	unsigned int seen = 0;

	assert_refused("");
	assert_refused("[job]\ntask=dance\n");
	for (unsigned int i = 0; lines[i] != NULL; i++) {
		g_autofree char *less = with_line(lines, i, NULL);
		g_autofree char *key = g_strndup(lines[i], strcspn(lines[i], "="));
		/* No number, no boolean, no name, and no escape that there is. */
		g_autofree char *value = g_strconcat(key, "=\\q", NULL);
		g_autofree char *wrong = with_line(lines, i, value);
		g_autofree char *cut = with_line(lines, i, key);

		if (*lines[i] == '\0' || *lines[i] == '[')
			continue;
		assert_refused(less);
		assert_refused(wrong);
		assert_refused(cut);
		seen++;
	}
	/* Nine lines of the job, and ten of each run. */
	assert_int_equal(seen, 29);
}

TEST(values_that_are_none_are_refused)
{
	static const struct {
		const char *line, *instead;
	} cases[] = {
		{ "memory_mib=160", "memory_mib=-1" },
		{ "memory_mib=160", "memory_mib=4294967456" },
		{ "task=experiment", "task=" },
		{ "task=experiment", "task=Experiment" },
		{ "memory_mib=160", "memory_mib=" },
		{ "memory_mib=160", "memory_mib=1x" },
		{ "cycles=true", "cycles=yes" },
		{ "reload=vendor", "reload=some" },
		{ "reload=vendor", "reload=" },
		{ "vcpus=2", "vcpus=two" },
		{ "ept=false", "ept=0x" },
	};
	g_autoptr(struct_job) job = sample_job();
	g_autofree char *text = job_to_text(job);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	test_each (row, cases) {
		g_autofree char *wrong = NULL;
		unsigned int j = 0;

		while (strcmp(lines[j], row->line) != 0)
			assert_non_null(lines[++j]);
		wrong = with_line(lines, j, row->instead);
		assert_refused(wrong);
	}
}

/* ---- The libvirt domain ---- */

#define TEMPLATE "guest-image/domain.xml"

static const struct stage stage = { .l2_files = (char *)"/run/l2" };

static const struct l2_spec sample_spec = {
	.name = "ept",
	.number = 7,
	.kernel = "/job/l2/vmlinux",
	.workload = "boot",
	.memory_mib = 160,
	.vcpus = 2,
	.append = "a=\"b\" <&>",
	.disk = "/a&b.img",
	.disk_format = "raw",
};

static char *domain_of(const struct l2_spec *spec)
{
	g_autoptr(GError) error = NULL;
	char *xml = l2_domain_xml(&stage, TEMPLATE, spec, &error);

	if (xml == NULL)
		fail_msg("%s", error->message);
	return xml;
}

TEST(domain_without_pcid)
{
	struct l2_spec spec = sample_spec;
	g_autofree char *xml = NULL;

	spec.no_pcid = true;
	xml = domain_of(&spec);
	assert_says(xml, "<feature policy=\"disable\" name=\"pcid\"/>");
}

TEST(domain_is_filled_in_and_escaped)
{
	g_autofree char *xml = domain_of(&sample_spec);

	assert_says(xml, "<name>ept</name>");
	assert_says(xml, "<uuid>e97ab000-0000-4000-8000-000000000007</uuid>");
	assert_says(xml, "<memory unit=\"MiB\">160</memory>");
	assert_says(xml, "<vcpu>2</vcpu>");
	/* What KVM takes away with one paging is taken away with both. */
	assert_says(xml, "<feature policy=\"disable\" name=\"pku\"/>");
	assert_null(strstr(xml, "name=\"pcid\""));
	assert_says(xml, "<kernel>/job/l2/vmlinux</kernel>");
	assert_says(xml, " eptlab.workload=boot eptlab.hold a=\"b\" &lt;&amp;&gt;</cmdline>");
	/* The console is the first port, the frames are the second. */
	assert_says(xml, "<source path=\"/run/l2/ept/console.log\"/>\n"
			 "      <target port=\"0\"/>");
	assert_says(xml, "<source path=\"/run/l2/ept/probe.frames\"/>\n"
			 "      <target port=\"1\"/>");
}

TEST(two_domains_share_nothing)
{
	struct l2_spec other = sample_spec;
	g_autofree char *xml = NULL;

	other.name = "a&\"b";
	other.number = UINT32_MAX;
	other.kernel = "/job/l2/<doses>.elf";
	xml = domain_of(&other);
	assert_says(xml, "<name>a&amp;\"b</name>");
	/* The last group of a UUID has twelve digits. */
	assert_says(xml, "<uuid>e97ab000-0000-4000-8000-004294967295</uuid>");
	assert_says(xml, "<kernel>/job/l2/&lt;doses&gt;.elf</kernel>");
	assert_says(xml, "<source path=\"/run/l2/a&amp;&quot;b/console.log\"/>");
	assert_says(xml, "<source path=\"/run/l2/a&amp;&quot;b/probe.frames\"/>");
}

TEST(command_line_says_what_to_do)
{
	static const struct {
		const char *append, *expected;
	} cases[] = {
		{ "", " eptlab.workload=dose-hlt eptlab.hold</cmdline>" },
		{ "x=1", " eptlab.workload=dose-hlt eptlab.hold x=1</cmdline>" },
	};
	struct l2_spec spec = sample_spec;

	spec.workload = "dose-hlt";
	test_each (row, cases) {
		g_autofree char *xml = NULL;

		spec.append = row->append;
		xml = domain_of(&spec);
		assert_says(xml, row->expected);
	}
}

static void assert_template_refused(const char *text)
{
	g_autofree char *path = write_temporary(text);
	g_autoptr(GError) error = NULL;
	g_autofree char *xml = l2_domain_xml(&stage, path, &sample_spec, &error);

	unlink(path);
	if (xml != NULL)
		fail_msg("was taken: %s", text);
	assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
}

static char *replaced(const char *text, const char *part, const char *by)
{
	g_auto(GStrv) halves = g_strsplit(text, part, 2);

	assert_int_equal(g_strv_length(halves), 2);
	return g_strjoinv(by, halves);
}

/* What is filled in must be there, and once. */
TEST(damaged_template_is_refused)
{
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(TEMPLATE, &text, NULL, NULL));
	test_each_of (row, "<name/>", "<uuid/>", "<memory unit='MiB'/>", "<vcpu/>", "<kernel/>",
		      "<cmdline/>", "<source path=''/>\n      <target port='0'/>",
		      "<source path=''/>\n      <target port='1'/>") {
		g_autofree char *twice = g_strconcat(*row, *row, NULL);
		g_autofree char *without = replaced(text, *row, "");
		g_autofree char *doubled = replaced(text, *row, twice);

		assert_template_refused(without);
		assert_template_refused(doubled);
	}
	assert_template_refused("");
	assert_template_refused("<domain>");
	assert_template_refused("<domain/>");
}
