/* SPDX-License-Identifier: GPL-2.0-only */
/* A domain's life, with libvirt's own mock driver in the place of QEMU's. */
#include <stdio.h>
#include <glib/gstdio.h>

#include "base/folder.h"
#include "virt/domain.h"
#include "tests/test.h"

static const struct virt_level level = { .here = "L1", .vm = "L2", .code = 5 };

static const char xml[] = "<domain type='test'><name>one</name><memory>8192</memory>"
			  "<os><type>hvm</type></os></domain>";

/* A console that is written to all the time. */
struct console {
	char *path;
	gint ended;
};

static void *write_console(void *data)
{
	struct console *console = data;

	while (!g_atomic_int_get(&console->ended)) {
		FILE *file = fopen(console->path, "w");

		fputs("not yet\n", file);
		fclose(file);
	}
	return NULL;
}

static struct domain *start(struct hypervisor *hypervisor, const char *console, const char *text)
{
	g_autoptr(GError) error = NULL;
	struct domain *domain = domain_start(hypervisor, "one", xml, false, &error);

	if (domain == NULL || !domain_watch_console(domain, console, text, &error))
		fail_msg("%s", error->message);
	return domain;
}

/* As QEMU does when KVM reports an internal error; what stood still before it was to run is none.
 */
TEST(stopped_by_somebody_else)
{
	g_autofree char *folder = g_dir_make_tmp("eptlab-test-XXXXXX", NULL);
	g_autofree char *console = g_build_filename(folder, "console", NULL);
	g_autoptr(GError) error = NULL;
	struct hypervisor *hypervisor = hypervisor_open(&level, "test:///default", &error);
	struct domain *domain;
	virDomainPtr handle;

	assert_non_null(hypervisor);
	assert_true(g_file_set_contents(console, "", 0, NULL));
	hypervisor->embedded = true;
	domain = start(hypervisor, console, "held");
	assert_true(domain_suspend(domain, &error));
	assert_true(domain_resume(domain, &error));
	assert_int_equal(domain_wait(domain, 1), DOMAIN_TIMED_OUT);
	handle = virDomainLookupByName(hypervisor->connection, "one");
	assert_int_equal(virDomainSuspend(handle), 0);
	virDomainFree(handle);
	assert_int_equal(domain_wait(domain, 60), DOMAIN_STUCK);
	domain_free(domain);
	hypervisor_close(hypervisor);
	folder_remove(folder);
}

/* The sanitizer sees who still uses it. */
TEST(freed_while_its_console_grows)
{
	g_autofree char *folder = g_dir_make_tmp("eptlab-test-XXXXXX", NULL);
	struct console console = { .path = g_build_filename(folder, "console", NULL) };
	g_autoptr(GError) error = NULL;
	struct hypervisor *hypervisor = hypervisor_open(&level, "test:///default", &error);
	GThread *writer;

	assert_non_null(hypervisor);
	assert_true(g_file_set_contents(console.path, "", 0, NULL));
	hypervisor->embedded = true; /* neither knows autodestroy */
	writer = g_thread_new("console", write_console, &console);
	for (int i = 0; i < 300; i++) {
		struct domain *domain = start(hypervisor, console.path, "held");

		assert_int_equal(domain_wait(domain, 0), DOMAIN_TIMED_OUT);
		domain_free(domain);
	}
	g_atomic_int_set(&console.ended, 1);
	g_thread_join(writer);
	hypervisor_close(hypervisor);
	folder_remove(folder);
	g_free(console.path);
}
