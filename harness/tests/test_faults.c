/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each way in which an experiment can go wrong must end with its documented exit status and one
 * sentence that names the level; with a record of what is known, earlier records untouched, and
 * nothing left. The ways are the table in faults.h, and harness/tests/fault lets each happen.
 *
 * With EPTLAB_TORTURE=SECONDS they happen in random order for so long. EPTLAB_SEED, which is
 * printed, makes the same order and the same random moments again. With EPTLAB_LONG=1 each that is
 * asked for by name happens once, also those that `make test` has no time for.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/folder.h"
#include "cli/experiment.h"
#include "faults.h"
#include "lab.h"
#include "record/operations.h"
#include "tests/test.h"

static const char *const platforms[FAULT_PLATFORMS] = {
	[ON_BOCHS] = "bochs",
	[ON_TCG] = "tcg",
	[ON_LOCAL] = "local",
	[ON_KVM] = "kvm",
};

/* What became of the rows on one platform. */
struct cell {
	const struct fault *row;
	enum fault_platform platform;
	const char *skip;
	unsigned int passed, failed;
	guint64 seconds;
};

/* So many rows are run in one boot of a machine that is emulated for them. */
#define IN_ONE_MACHINE 24

/* What all tests may take, in seconds: what has not begun by then is left to make torture. */
#define MOST_SECONDS 900

static struct {
	struct lab *lab; /* its folder has a folder for each row */
	char *source;	 /* the clone */
	char *fakes;
	char *cache;
	guint32 seed;
	GRand *random;
	/* What a machine has said of them; or NULL. */
	char *machines[FAULT_PLATFORMS][G_N_ELEMENTS(faults) / IN_ONE_MACHINE + 1];
	gint64 deadline;
	struct cell cells[G_N_ELEMENTS(faults) * FAULT_PLATFORMS];
	guint count;
} campaign;

/* ---- A place of its own ---- */

/*
 * What others do on this machine meanwhile is not seen, and what a row leaves is: whatever it has
 * orphaned comes to this process.
 */
static void set_apart(const char *source)
{
	static const char *const own[] = { "/tmp", "/var/tmp", "/dev/shm", "/run/lock" };
	const int clone = open(source, O_PATH | O_CLOEXEC);
	g_autofree char *again = g_strdup_printf("/proc/self/fd/%d", clone);

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
		assert_int_equal(mount("tmpfs", own[i], "tmpfs", 0, "mode=1777"), 0);
	/* A clone may be below one of those. */
	if (!g_file_test(source, G_FILE_TEST_IS_DIR)) {
		assert_int_equal(g_mkdir_with_parents(source, 0755), 0);
		assert_int_equal(mount(again, source, NULL, MS_BIND | MS_REC, NULL), 0);
	}
	close(clone);
	assert_int_equal(g_chdir(source), 0);
}

/*
 * What a fake L1 says; an appliance in which it is the init; and copies of what eptlab keeps, in
 * which are the real QEMU's answers and those of that appliance.
 */
static void make_fakes(struct lab *lab)
{
	g_autofree char *cache = g_build_filename(g_get_user_cache_dir(), "eptlab", NULL);
	static const char *const booted[] = { "bochs", "tcg" };
	g_autofree char *tree = g_build_filename(campaign.fakes, "tree", NULL);
	g_autofree char *silent = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(booted); i++) {
		g_free(lab->platform);
		lab->platform = g_strdup(booted[i]);
		lab_run(lab, 0, "capabilities", NULL);
	}
	/* A row that is the first to need that image would be told from one that leaves things. */
	silent = g_strdup_printf("l2.probe=%s/build/tests/silent_probe", campaign.source);
	lab_run(lab, 0, "capabilities", "--set", silent, NULL);
	lab_tree(tree);
	lab_shell("cd '%s'\n"
		  "source='%s' cache='%s'\n"
		  "mkdir -p bochs tcg cache/eptlab/guest cache/eptlab/libvirt\n"
		  "cp \"$cache\"/guest/l2-* cache/eptlab/guest\n"
		  ": > cache/eptlab/guest/lock\n"
		  "cp \"$source/build/tests/fake_l1\" .\n"
		  "cp -r \"$source/build/capabilities\" .\n"
		  "conf=$source/build/kernel/l1/default/kernel.conf\n"
		  "for p in bochs tcg; do\n"
		  "  cp -r \"$source/results/reference/$p/.\" $p\n"
		  "  sed -n 's/^release = //p' \"$conf\" > $p/release\n"
		  "  other=kvm_$([ $p = bochs ] && echo amd || echo intel)\n"
		  "  sed '1,/build_id/d' \"$conf\" | grep -v $other > $p/build-ids\n"
		  "done\n"
		  "ln -s tcg local; ln -s tcg kvm; ln -s tcg.img kvm.img\n"
		  "cp -r \"$source/guest-image/appliance\" .\n"
		  ": > appliance/files\n"
		  "cp -r tcg appliance/root/reference\n"
		  "appliance/mkappliance.sh fake_l1 \"$PWD/tcg.img\"\n"
		  "rmdir tree/build/capabilities\n"
		  "ln -s \"$PWD/capabilities\" tree/build\n"
		  "ln -sf \"$PWD/tcg.img\" tree/build/appliance.img\n"
		  "tree/build/eptlab capabilities --results \"$PWD/none\" "
		  "--set experiment.platform=tcg --set l1.append=fault=answers > /dev/null\n",
		  campaign.fakes, campaign.source, cache);
}

static char *run_shell(const char *script, int *status)
{
	const char *const argv[] = { "bash", "-c", script, NULL };
	g_autoptr(GError) error = NULL;
	char *said = NULL;

	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &said, NULL,
		     status, &error);
	assert_no_error(error);
	/* What was orphaned and has ended. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return said;
}

static int begin(void **state G_GNUC_UNUSED)
{
	g_autofree char *tests = lab_built("tests");
	const char *seed = g_getenv("EPTLAB_SEED");

	campaign.source = g_path_get_dirname(g_getenv("EPTLAB_BUILD"));
	set_apart(campaign.source);
	campaign.seed = seed != NULL ? (guint32)strtoul(seed, NULL, 10) : g_random_int();
	campaign.random = g_rand_new_with_seed(campaign.seed);
	printf("# EPTLAB_SEED=%u\n", campaign.seed);
	g_setenv("TMPDIR", tests, TRUE);
	campaign.lab = lab_new("bochs");
	g_unsetenv("TMPDIR");
	campaign.fakes = g_build_filename(campaign.lab->results, "fakes", NULL);
	campaign.cache = g_build_filename(campaign.fakes, "cache", NULL);
	assert_int_equal(g_mkdir(campaign.fakes, 0755), 0);
	make_fakes(campaign.lab);
	campaign.deadline = g_get_monotonic_time() + MOST_SECONDS * G_TIME_SPAN_SECOND;
	return 0;
}

/* ---- One row ---- */

static void add_word(GString *script, const char *name, const char *value)
{
	g_autofree char *quoted = g_shell_quote(value != NULL ? value : "");

	g_string_append_printf(script, "%s=%s\n", name, quoted);
}

/* The row as the shell is told it; where is the folder of the script "fault". */
static void add_row(GString *script, const struct fault *row, const char *platform,
		    const char *where)
{
	g_string_append(script, "(\n");
	add_word(script, "name", row->name);
	add_word(script, "platform", platform);
	add_word(script, "fault", row->fake);
	add_word(script, "before", row->before);
	add_word(script, "inside", row->inside);
	add_word(script, "args", row->args);
	add_word(script, "when", row->when);
	add_word(script, "act", row->act);
	add_word(script, "after", row->after);
	g_string_append_printf(script, "random=%.3f\n", g_rand_double_range(campaign.random, 0, 1));
	g_string_append_printf(script, "echo \"row: $name\"\n. %s/fault\n)\n", where);
}

static char *run_here(const struct fault *row, const char *platform)
{
	g_autoptr(GString) script = g_string_new(NULL);
	g_autofree char *lab = g_build_filename(campaign.lab->results, "row", NULL);
	g_autofree char *root = g_strdup_printf("%d", getpid());
	int status;
	char *said;

	add_word(script, "source", campaign.source);
	add_word(script, "fakes", campaign.fakes);
	add_word(script, "cache", campaign.cache);
	add_word(script, "lab", lab);
	add_word(script, "root", root);
	add_row(script, row, platform, "\"$source/harness/tests\"");
	said = run_shell(script->str, &status);
	folder_remove(lab);
	return said;
}

/* ---- In a machine that is emulated for them: many rows in one boot ---- */

static bool needs_machine(enum fault_platform platform)
{
	return platform == ON_LOCAL || platform == ON_KVM;
}

static bool is_short(void)
{
	return g_getenv("EPTLAB_TORTURE") == NULL && g_getenv("EPTLAB_LONG") == NULL;
}

static const char *skip_of(const struct fault *row, enum fault_platform platform)
{
	static const char later[] = "make test has no time for it; make torture runs it";
	const char *why = row->skip[platform];

	if (why == NULL && platform == ON_KVM)
		why = row->skip[ON_TCG];
	if (why == NULL && is_short() &&
	    (row->long_only || platform == ON_KVM ||
	     (platform == ON_LOCAL && row - faults >= IN_ONE_MACHINE)))
		return later;
	return why;
}

/* What the machine does first: it is L1, or L0 of an L1 of its own. */
static const char *const enters[FAULT_PLATFORMS] = {
	[ON_LOCAL] = ". /job/script/enter\n"
		     ". /job/script/rows\n",
	[ON_KVM] = "modules=/job/script/build/kernel/l1/default/modules\n"
		   ". /job/script/host\n"
		   "b cp -r $here/cache/. $root/run/cache\n"
		   "load nested=1\n"
		   "inside $here/busybox env here=$here $here/busybox sh $here/rows\n",
};

/* And what it needs for that, beside a clone. */
static void add_parts(const char *folder, enum fault_platform platform)
{
	lab_shell("cp -rL '%s/harness/tests/fault' '%s/harness' '%s'; mkdir '%s/fakes'; "
		  "cp -rL '%s/fake_l1' '%s/%s' '%s/fakes'",
		  campaign.source, campaign.source, folder, folder, campaign.fakes, campaign.fakes,
		  platforms[platform], folder);
	if (platform != ON_KVM)
		return;
	lab_l1_host(folder);
	lab_shell("cd '%s'; cp '%s/kvm.img' fakes; cp fakes/kvm.img build/appliance.img; "
		  "cp '%s/build/appliance.img.parts' build; "
		  "cp -L '%s/build/kernel/l1/default/bzImage' build/kernel/l1/default",
		  folder, campaign.fakes, campaign.source, campaign.source);
}

static char *rows_script(enum fault_platform platform, size_t first)
{
	GString *script = g_string_new("b() { \"$here/busybox\" \"$@\"; }\n"
				       "b mkdir -p /run/bin /run/lock\n"
				       "b --install -s /run/bin\n"
				       "export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH:/run/bin\n"
				       "source=$here fakes=$here/fakes root=1 cache=\n"
				       "local_modules=$modules\n");

	for (size_t i = first; i < MIN(first + IN_ONE_MACHINE, G_N_ELEMENTS(faults)); i++) {
		if (skip_of(&faults[i], platform) != NULL)
			continue;
		g_string_append(script, "lab=/run/lab\n");
		add_row(script, &faults[i], platforms[platform], "/job/script");
		g_string_append(script, "rm -rf \"$lab\"\n");
	}
	return g_string_free(script, FALSE);
}

static char *run_in_machine(enum fault_platform platform, size_t first)
{
	struct lab *lab = campaign.lab;
	g_autofree char *out = g_build_filename(lab->results, "out", NULL);
	g_autofree char *run = NULL;
	g_autofree char *rows = NULL;
	g_autofree char *folder = NULL;
	g_autofree char *script = rows_script(platform, first);

	g_free(lab->platform);
	lab->platform = g_strdup("tcg");
	folder = lab_l1_folder(lab);
	run = g_build_filename(folder, "run", NULL);
	rows = g_build_filename(folder, "rows", NULL);
	add_parts(folder, platform);
	assert_true(g_file_set_contents(run, enters[platform], -1, NULL));
	assert_true(g_file_set_contents(rows, script, -1, NULL));
	lab_run(lab, 0, "in-l1", folder, out, "--set", "tcg.timeout_seconds=1800", NULL);
	folder_remove(folder);
	folder_remove(out);
	return g_strdup(lab->output);
}

/* What it has said of that row: up to the next one. */
static char *run_there(const struct fault *row, enum fault_platform platform)
{
	g_autofree char *mark = g_strdup_printf("row: %s\n", row->name);
	const size_t batch = (size_t)(row - faults) / IN_ONE_MACHINE;
	char **all = &campaign.machines[platform][batch];
	const char *found;
	const char *end;
	char *said;

	if (*all == NULL) {
		/* If that fails, it is not tried again for each row. */
		*all = g_strdup("");
		said = run_in_machine(platform, batch * IN_ONE_MACHINE);
		g_free(*all);
		*all = said;
	}
	found = strstr(*all, mark);
	if (found == NULL)
		return g_strdup("");
	end = strstr(found + 1, "\nrow: ");
	return end != NULL ? g_strndup(found, (gsize)(end + 1 - found)) : g_strdup(found);
}

static void forget_machines(void)
{
	for (unsigned int platform = 0; platform < FAULT_PLATFORMS; platform++)
		for (size_t i = 0; i < G_N_ELEMENTS(campaign.machines[platform]); i++)
			g_clear_pointer(&campaign.machines[platform][i], g_free);
}

/* ---- Is that how it must end? ---- */

static const struct fault_end *end_of(const struct fault *row, enum fault_platform platform)
{
	if (platform == ON_KVM && row->but[platform].level == NULL)
		platform = ON_TCG;
	return row->but[platform].level != NULL ? &row->but[platform] : &row->end;
}

static bool says(const char *said, const char *key, const char *value)
{
	g_autofree char *line = g_strdup_printf("\n%s: %s\n", key, value);

	return strstr(said, line) != NULL;
}

/* One sentence, which names the level. */
static char *judge_sentence(const char *said, const struct fault_end *end)
{
	static const char mark[] = "\nsaid: eptlab: ";
	const char *sentence = strstr(said, mark);
	g_autofree char *level = g_strdup_printf("%s: ", end->level);
	g_autofree char *text = NULL;

	if (sentence == NULL)
		return g_strdup("there is no sentence");
	sentence += strlen(mark);
	text = g_strndup(sentence, strcspn(sentence, "\n"));
	if (!g_str_has_prefix(text, level) || strstr(text, end->says) == NULL)
		return g_strdup_printf("the sentence is not \"%s...%s...\"", level, end->says);
	return strstr(sentence, mark) != NULL ? g_strdup("there are two sentences") : NULL;
}

/* What was measured is the newest record; what has failed is not, and says why. */
static char *judge_record(const char *said, const struct fault *row, int status)
{
	const bool measured = status == 0 || status == EPTLAB_ERROR_INVALID;
	const char *verdict = status == 0 ? "valid" : measured ? "invalid" : "failed";
	const bool is_there = strstr(said, "\nverdict: ") != NULL;

	if (row->rule != NULL) {
		g_autofree char *rule = g_strdup_printf("\"%s\",", row->rule);

		if (!says(said, "rule", rule))
			return g_strdup_printf("the rule %s did not fail", row->rule);
	}
	/* A report that could not be written leaves a record that is valid. */
	if (says(said, "latest", "new") && says(said, "verdict", "valid"))
		return NULL;
	if ((measured || status >= EPTLAB_ERROR_L1) && status < 128 && !is_there && !row->early)
		return g_strdup("there is no record");
	if (is_there && !says(said, "verdict", verdict))
		return g_strdup_printf("the record is not %s", verdict);
	if (!says(said, "latest", measured ? "new" : "earlier"))
		return g_strdup("the newest record is not the one that was measured last");
	return NULL;
}

/* NULL: all is as it must be. */
static char *judge(const char *said, const struct fault *row, enum fault_platform platform)
{
	const struct fault_end *end = end_of(row, platform);
	g_autofree char *status = g_strdup_printf("%d", end->status);
	char *wrong;

	if (strstr(said, " libvirt version: ") != NULL)
		return g_strdup("libvirt's log is on standard error");
	if (strstr(said, "\nleft: ") != NULL)
		return g_strdup("something is left");
	if (strstr(said, "\nhung: ") != NULL)
		return g_strdup("it hung");
	if (strstr(said, "\npartial: ") != NULL && !row->killed)
		return g_strdup("half a record is left");
	if (!says(said, "status", status))
		return g_strdup_printf("the status is not %s", status);
	wrong = end->says != NULL ? judge_sentence(said, end) : NULL;
	return wrong != NULL ? wrong : judge_record(said, row, end->status);
}

static guint64 seconds_of(const char *said)
{
	const char *found = strstr(said, "\nseconds: ");

	return found != NULL ? strtoull(found + strlen("\nseconds: "), NULL, 10) : 0;
}

/* Runs it, counts it, tells what is wrong with it. */
static bool try(struct cell *cell)
{
	g_autofree char *said = needs_machine(cell->platform)
					? run_there(cell->row, cell->platform)
					: run_here(cell->row, platforms[cell->platform]);
	g_autofree char *wrong = judge(said, cell->row, cell->platform);

	cell->seconds += seconds_of(said);
	if (wrong == NULL) {
		cell->passed++;
		return true;
	}
	cell->failed++;
	printf("# %s on %s: %s\n%s", cell->row->name, platforms[cell->platform], wrong, said);
	fflush(stdout);
	return false;
}

/* ---- The matrix of results ---- */

static void add_cell(GString *page, const struct cell *cell)
{
	if (cell->skip != NULL)
		g_string_append(page, " |");
	else if (cell->passed + cell->failed == 0)
		g_string_append(page, " not run |");
	else if (cell->failed > 0)
		g_string_append_printf(page, " **%u of %u failed** |", cell->failed,
				       cell->passed + cell->failed);
	else
		g_string_append_printf(page, " %u |", cell->passed);
}

static const char head[] =
	"# What an experiment survives\n\n"
	"`make torture` made this page (`SECONDS=3600`, `SEED=`): each row of\n"
	"[harness/tests/faults.h](../harness/tests/faults.h) is a fault that is let happen, in "
	"random\n"
	"order. A number is how often it ended as it must: with the exit status of the row, one\n"
	"sentence that names that level, a record of what is known, earlier records as they were "
	"to\n"
	"the last byte, and no process, mount, socket, temporary file, parameter of KVM, module "
	"or\n"
	"lock left. Where there is none, the row is not run there; why stands below.\n\n"
	"`local` is a machine of its own in QEMU's emulation, and `kvm` one in it whose KVM "
	"nests.\n\n";

static void add_skips(GString *page)
{
	g_string_append(page, "\n## Not run, and why\n\n");
	for (guint i = 0; i < campaign.count; i++) {
		const struct cell *cell = &campaign.cells[i];

		if (cell->skip != NULL)
			g_string_append_printf(page, "- %s on %s: %s\n", cell->row->name,
					       platforms[cell->platform], cell->skip);
	}
}

static void write_matrix(void)
{
	g_autofree char *path = lab_built("tests/faults.md");
	g_autoptr(GString) page = g_string_new(head);
	unsigned int passed = 0;
	unsigned int failed = 0;
	unsigned int skipped = 0;
	guint64 seconds = 0;

	g_string_append(page, "| fault | who | how | status | level | bochs | tcg | local | kvm |\n"
			      "|---|---|---|---|---|---|---|---|---|\n");
	for (guint i = 0; i < campaign.count; i++) {
		const struct cell *cell = &campaign.cells[i];
		const struct fault *row = cell->row;

		if (cell->platform == ON_BOCHS)
			g_string_append_printf(page, "| %s | %s | %s | %d | %s |", row->name,
					       row->who, row->how, row->end.status,
					       row->end.level != NULL ? row->end.level : "");
		add_cell(page, cell);
		if (cell->platform == FAULT_PLATFORMS - 1)
			g_string_append(page, "\n");
		passed += cell->passed;
		failed += cell->failed;
		skipped += cell->skip != NULL ? 1 : 0;
		seconds += cell->seconds;
	}
	g_string_append_printf(page,
			       "\n%zu rows; %u runs passed, %u failed, in %" G_GUINT64_FORMAT
			       " s; %u cells are not run. Seed %u.\n",
			       G_N_ELEMENTS(faults), passed, failed, seconds, skipped,
			       campaign.seed);
	add_skips(page);
	assert_true(g_file_set_contents(path, page->str, -1, NULL));
}

static int end(void **state G_GNUC_UNUSED)
{
	write_matrix();
	lab_free(campaign.lab);
	g_free(campaign.source);
	g_free(campaign.fakes);
	g_free(campaign.cache);
	forget_machines();
	g_rand_free(campaign.random);
	return 0;
}

TEST_GROUP(begin, end)

/* ---- The tests ---- */

static void test_cell(void **state)
{
	struct cell *cell = *state;

	if (cell->skip == NULL && is_short() && g_get_monotonic_time() > campaign.deadline)
		cell->skip = "the time of make test is up; make torture has an hour";
	if (cell->skip != NULL) {
		printf("# %s on %s is skipped: %s\n", cell->row->name, platforms[cell->platform],
		       cell->skip);
		skip();
	}
	if (!try(cell))
		fail_msg("%s on %s", cell->row->name, platforms[cell->platform]);
}

static void shuffle(struct cell **cells, guint count)
{
	for (guint i = count; i > 1; i--) {
		const guint other = (guint)g_rand_int_range(campaign.random, 0, (gint32)i);
		struct cell *kept = cells[i - 1];

		cells[i - 1] = cells[other];
		cells[other] = kept;
	}
}

/* All in random order, again and again; each machine is booted anew each time. */
static void torture(void **state G_GNUC_UNUSED)
{
	const gint64 seconds = g_ascii_strtoll(g_getenv("EPTLAB_TORTURE"), NULL, 10);
	const gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
	struct cell *order[G_N_ELEMENTS(campaign.cells)];
	unsigned int failed = 0;

	while (g_get_monotonic_time() < deadline) {
		guint count = 0;

		forget_machines();
		for (guint i = 0; i < campaign.count; i++) {
			if (campaign.cells[i].skip == NULL)
				order[count++] = &campaign.cells[i];
		}
		shuffle(order, count);
		for (guint i = 0; i < count && g_get_monotonic_time() < deadline; i++)
			failed += try(order[i]) ? 0 : 1;
	}
	if (failed > 0)
		fail_msg("%u faults did not end as they must", failed);
}

static void add_cells_of(const struct fault *row)
{
	for (unsigned int platform = 0; platform < FAULT_PLATFORMS; platform++) {
		struct cell *cell = &campaign.cells[campaign.count++];

		*cell = (struct cell){ row, platform, .skip = skip_of(row, platform) };
		if (g_getenv("EPTLAB_TORTURE") == NULL)
			test_add_row(g_strdup_printf("%s_on_%s", row->name, platforms[platform]),
				     test_cell, cell, __LINE__);
	}
}

/* Those with a real L1 first: it is not them that the time of make test may be up for. */
static void __attribute__((constructor)) add_cells(void)
{
	for (unsigned int fake = 0; fake <= 1; fake++)
		for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
			if ((faults[i].fake != NULL) == (fake == 1))
				add_cells_of(&faults[i]);
	if (g_getenv("EPTLAB_TORTURE") != NULL)
		test_add_row("torture", torture, NULL, __LINE__);
}

/* ---- What is no row ---- */

static int make_tcg(void **state)
{
	*state = lab_new("tcg");
	return 0;
}

static int remove_lab(void **state)
{
	lab_free(*state);
	return 0;
}

/* Operations that go wrong (faulty_workloads.c): each is named, and all others have their numbers.
 */
TEST_OF(struct lab *lab, make_tcg, remove_lab, operations_that_go_wrong)
{
	static const struct {
		const char *name, *why; /* NULL: it does not */
	} rows[] = {
		{ "getppid", NULL },
		{ "mmap", "No space left on device" },
		{ "fault", "no memory left" },
		{ "cow", NULL },
		{ "mprotect", "not at its end after 4 s" },
		{ "segv", "ended by signal 11" },
		{ "pagefault-file", "it printed \\\"@ept1 nonsense" },
		{ "brk", "a child of it exited with status 1" },
		{ "shm", "not at its end after 4 s" },
		{ "stride", "it ended before it was measured" },
		{ "compile", NULL },
	};
	g_autofree char *probe = lab_built("tests/faulty_probe");
	g_autofree char *setting = g_strdup_printf("l2.probe=%s", probe);
	struct record *record;

	lab_run(lab, EXPERIMENT_UNTRIED, "run", "--set", setting, "--set",
		"experiment.operations=all", "--set", "experiment.configurations=noept", "--set",
		"l2.memory_mib=48", "--expect", "noept:0 >= 0", NULL);
	assert_says(lab->errors, "eptlab: L2: ");
	assert_says(lab->errors, "mmap failed (No space left on device)");
	lab_assert_nothing_left(lab, 5);
	record = lab_newest(lab);
	test_each (row, rows) {
		const struct record_operation *one =
			operation_find(record_find_run(record, "noept"), row->name);

		assert_non_null(one);
		if (row->why == NULL)
			assert_int_equal(one->points->len, 3);
		else
			assert_says(one->error, row->why);
	}
	assert_non_null(record_find_run(record, "noept")->exits);
	record_free(record);
}

TEST_OF(struct lab *lab, make_tcg, remove_lab, usage_errors)
{
	static const struct {
		const char *command, *argument, *setting, *says;
	} cases[] = {
		{ "run", "--set", "bochs.colour=red", "colour" },
		{ "run", "--set", "experiment.platform=abacus", "abacus" },
		{ "rerun", "sideways", NULL, "sideways" },
		{ "rerun", "ept;noept", NULL, "one configuration" },
	};

	test_each (row, cases) {
		lab_run(lab, EPTLAB_ERROR_USAGE, row->command, row->argument, row->setting, NULL);
		assert_says(lab->errors, row->says);
	}
	assert_int_equal(lab_count(lab, "2"), 0);
}
