/* SPDX-License-Identifier: GPL-2.0-only */
/* The job that L0 gives to L1, and the libvirt domain that L1 makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/domain.h"
#include "model/config.h"
#include "model/error.h"
#include "model/job.h"

static char *write_temporary(const char *text)
{
	char *path = NULL;
	int fd = g_file_open_tmp("eptlab-test-XXXXXX", &path, NULL);

	assert_true(fd >= 0);
	close(fd);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static struct job *sample_job(void)
{
	const char *const settings[] = { "l2.append=a=\"b\" <&>", "l2.memory_mib=160", NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_config) config = config_load("configs", NULL, settings, &error);

	if (config == NULL)
		fail_msg("%s", error->message);
	return job_from_config(config, JOB_EXPERIMENT);
}

static void job_survives_the_medium(void **state)
{
	g_autoptr(struct_job) sent = sample_job();
	g_autofree char *text = job_to_text(sent);
	g_autofree char *path = write_temporary(text);
	g_autoptr(struct_job) got = job_load(path, NULL);

	(void)state;
	unlink(path);
	assert_non_null(got);
	assert_int_equal(got->task, JOB_EXPERIMENT);
	assert_string_equal(got->workload, "boot");
	assert_int_equal(got->memory_mib, 160);
	assert_int_equal(got->vcpus, sent->vcpus);
	assert_string_equal(got->append, "a=\"b\" <&>");
	assert_int_equal(got->timeout_seconds, sent->timeout_seconds);
	assert_int_equal(got->modules->len, 2);
	for (unsigned int i = 0; i < 2; i++) {
		const struct config_module *a = g_ptr_array_index(sent->modules, i);
		const struct config_module *b = g_ptr_array_index(got->modules, i);

		assert_string_equal(a->name, b->name);
		assert_int_equal(a->ept, b->ept);
		assert_int_equal(a->vpid, b->vpid);
	}
}

static void assert_refused(const char *text)
{
	g_autofree char *path = write_temporary(text);
	g_autoptr(GError) error = NULL;
	struct job *job = job_load(path, &error);

	unlink(path);
	assert_null(job);
	assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
	assert_non_null(strstr(error->message, path));
}

static void damaged_job_is_refused(void **state)
{
	g_autoptr(struct_job) job = sample_job();
	g_autofree char *text = job_to_text(job);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	(void)state;
	assert_refused("");
	assert_refused("[job]\ntask=dance\n");
	/* Without any one of its lines it is not a job. */
	for (unsigned int i = 0; lines[i] != NULL; i++) {
		g_autoptr(GString) less = g_string_new(NULL);

		if (*lines[i] == '\0' || *lines[i] == '[')
			continue;
		for (unsigned int j = 0; lines[j] != NULL; j++) {
			if (j != i)
				g_string_append_printf(less, "%s\n", lines[j]);
		}
		assert_refused(less->str);
	}
}

static void domain_is_filled_in_and_escaped(void **state)
{
	g_autoptr(struct_job) job = sample_job();
	g_autoptr(GError) error = NULL;
	g_autofree char *xml = domain_xml("guest-image/domain.xml", job, &error);

	(void)state;
	assert_non_null(xml);
	assert_non_null(strstr(xml, "<memory unit=\"MiB\">160</memory>"));
	assert_non_null(strstr(xml, "<vcpu>1</vcpu>"));
	assert_non_null(strstr(xml, "eptlab.workload=boot a=\"b\" &lt;&amp;&gt;</cmdline>"));
}

static void damaged_template_is_refused(void **state)
{
	static const char *const templates[] = {
		"",
		"<domain>",
		"<domain><vcpu/><os><cmdline/></os></domain>",
		"<domain><memory/><memory/><vcpu/><os><cmdline/></os></domain>",
	};
	g_autoptr(struct_job) job = sample_job();

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(templates); i++) {
		g_autofree char *path = write_temporary(templates[i]);
		g_autoptr(GError) error = NULL;

		assert_null(domain_xml(path, job, &error));
		assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
		unlink(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(job_survives_the_medium),
		cmocka_unit_test(damaged_job_is_refused),
		cmocka_unit_test(domain_is_filled_in_and_escaped),
		cmocka_unit_test(damaged_template_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
