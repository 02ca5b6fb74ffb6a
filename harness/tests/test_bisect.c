/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * docs/bisect.md: git finds the commit that has made shadow paging dearer. `make test-bisect`
 * builds KVM for each step.
 */
#include <stdio.h>

#include "lab.h"
#include "tests/test.h"

/*
 * Shadow paging fills in the entries around the one that was missing (PTE_PREFETCH_NUM in
 * arch/x86/kvm/mmu/mmu.c). Without that, each page of L2 costs a fault of its own.
 */
#define PLANT  "sed -i 's/^#define PTE_PREFETCH_NUM.*/#define PTE_PREFETCH_NUM 1/' mmu/mmu.c"
#define EXPECT "'noept:0 <= 4000'"

/*
 * A repository of KVM alone, as the line has it, with a commit for each of these. What differs in
 * nothing, differs in a comment.
 */
static const struct {
	const char *says, *change;
} commits[] = {
	{ "a comment", "echo '/* one */' >> irq_comm.c" },
	{ "another comment", "echo '/* two */' >> irq_comm.c" },
	{ "does not build", "echo 'this is no C' >> irq_comm.c" }, /* the first that git tries */
	{ "builds again", "sed -i '$d' irq_comm.c" },
	{ "planted", PLANT },
	{ "the last comment", "echo '/* three */' >> irq_comm.c" },
};

static void make_repository(const char *folder)
{
	g_autofree char *here = g_get_current_dir();

	lab_shell("cd '%s' && read -r _ from < "
		  "<(CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/eptlab} "
		  "'%s'/kernel/get-source \"$(. /etc/os-release; "
		  "[ \"$ID$VERSION_ID\" = debian12 ] && echo 6.1 || echo 6.12)\") && "
		  "tar -x --strip-components=1 --wildcards -f \"$from\" '*/arch/x86/kvm' && "
		  "git init -q && git config user.name test && git config user.email test@test && "
		  "git add . && git commit -qm base && git tag base",
		  folder, here);
	for (size_t i = 0; i < G_N_ELEMENTS(commits); i++)
		lab_shell("cd '%s/arch/x86/kvm' && %s && git commit -qam '%s'", folder,
			  commits[i].change, commits[i].says);
}

TEST_IN_FOLDER(git_bisect_finds_the_planted_commit)
{
	g_autofree char *here = g_get_current_dir();
	g_autofree char *results = g_build_filename(folder, "results", NULL);
	g_autofree char *linux_tree = g_build_filename(folder, "linux", NULL);
	g_autofree char *log = NULL;

	test_put(linux_tree, ".gitignore", "", -1);
	make_repository(linux_tree);
	lab_shell("cd '%s' && git bisect start HEAD base && git bisect run '%s/harness/bisect' "
		  "--kvm "
		  "--expect " EXPECT " --set experiment.platform=bochs "
		  "--set experiment.configurations=noept --set experiment.operations=none "
		  "--results '%s' > '%s/log' 2>&1 || { cat '%s/log'; false; }",
		  linux_tree, here, results, folder, folder);
	log = test_get(folder, "log");
	printf("%s\n", log); /* git ends without a line break, and TAP begins at a line */
	lab_shell("cd '%s' && [ \"$(git log -1 --format=%%s refs/bisect/bad)\" = planted ]",
		  linux_tree);
	assert_says(log, "this is no C");
	assert_says(log, "DOES NOT HOLD");
	assert_says(log, "holds, it is");
	assert_says(log, "is the first bad commit");
}

/* What is no fault of a commit ends the bisection, and what is one passes it over. */
TEST_IN_FOLDER(a_step_ends_with_the_status_that_git_wants)
{
	static const struct {
		const char *before, *arguments, *status;
	} rows[] = {
		{ "true", "--expect 'noept:0 <= 1'", "128" }, /* no tree of Linux */
		{ "mkdir -p arch/x86/kvm; touch arch/x86/kvm/x86.c", "", "128" },
		{ "mkdir -p arch/x86/kvm; touch arch/x86/kvm/x86.c",
		  "--kvm --expect 'noept:0 <= 1'", "125" }, /* the series does not apply */
		{ "mkdir -p arch/x86/kvm; touch arch/x86/kvm/x86.c", "--expect 'noept:0 <= 1'",
		  "125" }, /* not whole */
	};
	g_autofree char *here = g_get_current_dir();

	test_each (row, rows)
		lab_shell("cd '%s'; %s; status=0; '%s'/harness/bisect %s || status=$?; [ $status = "
			  "%s ]",
			  folder, row->before, here, row->arguments, row->status);
}
