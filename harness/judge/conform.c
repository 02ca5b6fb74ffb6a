/* SPDX-License-Identifier: GPL-2.0-only */
#include "judge/conform.h"

#include <inttypes.h>
#include <string.h>

#include "config/config_job.h"
#include "judge/doses.h"
#include "record/reasons.h"
#include "judge/rules.h"
#include "base/each.h"

/* ---- Runs ---- */

#define RUN_EPT		  "ept"
#define RUN_NOEPT	  "noept"
#define RUN_TWO_VMS	  "two-vms"
#define RUN_SAME_MODULE	  "same-module"
#define RUN_VENDOR_RELOAD "vendor-reload"
#define RUN_SMP		  "smp"
#define RUN_ABUSE	  "abuse"

#define DOSE_ABUSE     "abuse"
#define DOSE_SMP       "smp"
#define DOSE_FAST      "wrmsr-fast"
#define WORKLOAD(dose) DOSE_WORKLOAD_PREFIX dose
#define WORKLOAD_CROWD WORKLOAD("cpuid")
#define WITHOUT_ABUSE  "eptlab.without=" DOSE_ABUSE

static const struct config_module with_ept = { .ept = true, .vpid = true };
static const struct config_module without_ept = { .ept = false, .vpid = true };

/* Arguments that a dose guest needs to read a kernel that is not ours. */
static char *arguments(const struct config_conform *config, const char *more)
{
	g_autofree char *leaves = g_strdup_printf(
		"eptlab.leaf.exits=%" PRIu64 " eptlab.leaf.total=%" PRIu64 "%s", config->exits_leaf,
		config->total_leaf, config->ours ? "" : " eptlab.foreign");

	return *more == '\0' ? g_steal_pointer(&leaves) : g_strconcat(leaves, " ", more, NULL);
}

static struct job_run *add(struct job *job, const struct config *config, const char *name, bool ept,
			   const char *workload, unsigned int vcpus, const char *more)
{
	g_autofree char *append = arguments(&config->conform, more);

	return job_add_run(job, name, ept ? &with_ept : &without_ept, workload, vcpus, append);
}

static void add_paging(struct job *job, const struct config *config, const char *name, bool ept)
{
	if (!config->conform.each) {
		add(job, config, name, ept, DOSE_WORKLOAD_ALL, 1, WITHOUT_ABUSE);
		return;
	}
	for (size_t i = 0; i < doses_count(); i++) {
		const char *dose = doses_at(i)->name;
		g_autofree char *run = g_strconcat(name, "-", dose, NULL);
		g_autofree char *workload = g_strconcat(DOSE_WORKLOAD_PREFIX, dose, NULL);

		if (!g_str_equal(dose, DOSE_ABUSE) && !g_str_equal(dose, DOSE_SMP))
			add(job, config, run, ept, workload, 1, "");
	}
}

/* With EPT: runs that ask for more than what the doses of ept and noept show. */
static const struct special_run {
	const char *name;
	const char *workload;
	unsigned int vcpus;
	enum job_reload reload;
	const char *companion;
} special_runs[] = {
	{ RUN_TWO_VMS, WORKLOAD_CROWD, 1, JOB_RELOAD_ALL, WORKLOAD_CROWD },
	{ RUN_SAME_MODULE, WORKLOAD_CROWD, 1, JOB_RELOAD_NONE, "" },
	{ RUN_VENDOR_RELOAD, WORKLOAD_CROWD, 1, JOB_RELOAD_VENDOR, "" },
	{ RUN_SMP, WORKLOAD(DOSE_SMP), 2, JOB_RELOAD_ALL, "" },
	{ RUN_ABUSE, WORKLOAD(DOSE_ABUSE), 1, JOB_RELOAD_ALL, "" },
};

static const struct special_run *find_special(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(special_runs); i++) {
		if (g_str_equal(special_runs[i].name, name))
			return &special_runs[i];
	}
	return NULL;
}

static void add_special(struct job *job, const struct config *config,
			const struct special_run *special)
{
	const bool crowd = g_str_equal(special->workload, WORKLOAD_CROWD);
	g_autofree char *n = g_strdup_printf("eptlab.n=%d", CONFORM_CROWD);
	struct job_run *run = add(job, config, special->name, true, special->workload,
				  special->vcpus, crowd ? n : "");

	run->reload = special->reload;
	g_free(run->companion);
	run->companion = g_strdup(special->companion);
}

/* A VM that comes after none shows nothing about what is left of the one before. */
static bool needs_one_before(const char *name)
{
	const struct special_run *special = find_special(name);

	return special != NULL && special->reload != JOB_RELOAD_ALL;
}

bool conform_add_runs(struct job *job, const struct config *config, GError **error)
{
	const char *before = "";

	for (char **name = config->conform.runs; *name != NULL; before = *name, name++) {
		const struct special_run *special = find_special(*name);
		const bool ept = g_str_equal(*name, RUN_EPT);

		if (needs_one_before(*name) && !g_str_equal(before, RUN_TWO_VMS) &&
		    !needs_one_before(before))
			return eptlab_fail(error, EPTLAB_ERROR_USAGE,
					   "L0: the run %s of conform must follow " RUN_TWO_VMS
					   " or another one like it, whose exits it must not show",
					   *name);
		if (special != NULL)
			add_special(job, config, special);
		else if (ept || g_str_equal(*name, RUN_NOEPT))
			add_paging(job, config, *name, ept);
		else
			return eptlab_fail(error, EPTLAB_ERROR_USAGE,
					   "L0: conform has no run \"%s\"; configs/conform.conf "
					   "lists those there are",
					   *name);
	}
	return true;
}

/* ---- Marks ---- */

static void mark_free(void *data)
{
	struct conform_mark *mark = data;

	g_free(mark->name);
	g_free(mark->saw);
	g_free(mark);
}

/* Takes saw. */
static void put(GPtrArray *marks, const char *name, enum conform_verdict verdict, char *saw,
		const char *expected, const char *why)
{
	struct conform_mark *mark = g_new(struct conform_mark, 1);

	*mark = (struct conform_mark){ g_strdup(name), verdict, saw, expected, why };
	g_ptr_array_add(marks, mark);
}

static void skip(GPtrArray *marks, const char *name, const char *because)
{
	put(marks, name, CONFORM_SKIPPED, g_strdup(because), "", "");
}

static const struct conform_run *run_at(const struct conform_subject *subject, guint index)
{
	return &g_array_index(subject->runs, struct conform_run, index);
}

static const struct conform_run *find_run(const struct conform_subject *subject, const char *name)
{
	for (guint i = 0; i < subject->runs->len; i++) {
		if (g_str_equal(run_at(subject, i)->run->config, name))
			return run_at(subject, i);
	}
	return NULL;
}

/* Can the run be judged by its counts? If not, the mark says why. */
static bool has_counts(GPtrArray *marks, const char *name, const struct conform_run *run,
		       const char *expected)
{
	if (run == NULL)
		skip(marks, name, "its run was not asked for (runs in [conform])");
	else if (run->probe == NULL)
		put(marks, name, CONFORM_NOT_OK,
		    g_strdup_printf("%s: %s", run->run->config,
				    run->run->error != NULL ? run->run->error
							    : "there are no counts"),
		    expected, "a run that has no counts shows nothing");
	return run != NULL && run->probe != NULL;
}

static const struct probe_reading *reading_at(const struct conform_run *run, guint index)
{
	const GPtrArray *readings = probe_result_readings(run->probe);

	return index < readings->len ? g_ptr_array_index(readings, index) : NULL;
}

static const struct probe_reading *last_reading(const struct conform_run *run)
{
	return reading_at(run, probe_result_readings(run->probe)->len - 1);
}

/* ---- Checks of each run ---- */

static uint32_t vendor_of(const struct conform_run *run)
{
	return record_run_vendor(run->run);
}

/* The first reason with an answer that is_wrong, in words; NULL for none. */
static char *first_answer(const struct conform_run *run, bool defined,
			  bool (*is_wrong)(const struct probe_range *range))
{
	const GArray *ranges = last_reading(run)->ranges;

	each_value (const struct probe_range, range, ranges) {
		for (uint32_t reason = range->first; reason <= range->last; reason++) {
			if (reason_is_defined(vendor_of(run), reason) != defined ||
			    !is_wrong(range))
				continue;
			return g_strdup_printf("reason %" PRIu32 " answers %" PRIu32 ", %" PRIu32
					       ", %" PRIu32 ", %" PRIu32,
					       reason, range->live.eax, range->live.ebx,
					       range->live.ecx, range->live.edx);
		}
	}
	return NULL;
}

static bool is_no_count(const struct probe_range *range)
{
	return range->live.ecx != 0 || range->live.edx != 0;
}

static char *check_registers(const struct conform_subject *subject G_GNUC_UNUSED,
			     const struct conform_run *run, bool *tried G_GNUC_UNUSED)
{
	return first_answer(run, true, is_no_count);
}

static bool is_not_undefined(const struct probe_range *range)
{
	return range->live.eax != 0 || range->live.ebx != 0 || range->live.ecx != 0 ||
	       range->live.edx != KVM_EXITCOUNT_UNDEFINED_EDX;
}

static char *check_undefined(const struct conform_subject *subject G_GNUC_UNUSED,
			     const struct conform_run *run, bool *tried G_GNUC_UNUSED)
{
	return first_answer(run, false, is_not_undefined);
}

/*
 * What KVM never lets exit, by vmx_exec_control() and setup_vmcs_config() in vmx.c of Linux 6.1:
 * RDTSC and RDTSCP exiting are never set; a vCPU never waits for SIPI in the CPU, INIT is blocked
 * by VMX root operation of L1 only while it is handled there; SMIs and RSM exit in the dual-monitor
 * treatment only; VM functions are never enabled but for nested guests, which are not run here.
 */
static const uint32_t never_enabled[] = {
	REASON_SIPI_SIGNAL, REASON_IO_SMI, REASON_OTHER_SMI, REASON_RDTSC,
	REASON_RSM,	    REASON_RDTSCP, REASON_VMFUNC,
};

static char *check_never_enabled(const struct conform_subject *subject G_GNUC_UNUSED,
				 const struct conform_run *run, bool *tried)
{
	g_autoptr(GPtrArray) exits =
		probe_reading_exits(last_reading(run), PROBE_LIVE, vendor_of(run), false);

	*tried = vendor_of(run) == KVM_EXITCOUNT_VENDOR_VMX;
	for (size_t i = 0; *tried && i < G_N_ELEMENTS(never_enabled); i++) {
		const uint64_t count = exits_count(exits, never_enabled[i]);

		if (count > 0)
			return g_strdup_printf("reason %" PRIu32 " has %" PRIu64, never_enabled[i],
					       count);
	}
	return NULL;
}

/* Live counts were read before the latch, so none of them can be more. */
static char *check_latch(const struct conform_subject *subject, const struct conform_run *run,
			 bool *tried)
{
	const struct probe_reading *reading = last_reading(run);
	g_autoptr(GPtrArray) live = probe_reading_exits(reading, PROBE_LIVE, vendor_of(run), false);
	g_autoptr(GPtrArray) latched =
		probe_reading_exits(reading, PROBE_LATCHED, vendor_of(run), false);

	*tried = subject->config->ours;
	for (guint i = 0; *tried && i < live->len; i++) {
		const struct record_exit *one = g_ptr_array_index(live, i);
		const struct record_exit *frozen = record_find_exit(latched, one->reason);

		if (frozen == NULL || frozen->count < one->count)
			return g_strdup_printf(
				"reason %" PRIu32 ": %" PRIu64 " before the latch, frozen %" PRIu64,
				one->reason, one->count, frozen != NULL ? frozen->count : 0);
	}
	return NULL;
}

/*
 * A rule of an experiment, as a check. A kernel log tells also of a run that has no counts; nothing
 * else does. With a companion there are the tables of two VMs in it.
 */
static char *check_rule(const struct conform_run *run, const char *name, bool *tried)
{
	struct rule_result result;
	char *wrong = NULL;

	*tried = false;
	if ((run->probe == NULL && !g_str_equal(name, "kernel-log")) ||
	    (run->companion != NULL && g_str_equal(name, "l1-log")))
		return NULL;
	result = rules_find(name)->of_run(run->run);
	*tried = result.verdict == RECORD_CHECK_PASS;
	if (result.verdict == RECORD_CHECK_FAIL ||
	    (result.verdict == RECORD_CHECK_UNKNOWN && run->probe != NULL))
		wrong = g_strdup_printf("%s (expected %s)", result.saw, result.expected);
	g_free(result.saw);
	g_free(result.expected);
	return wrong;
}

static const struct run_mark {
	const char *name;
	bool ours; /* it needs a leaf, or a file, that only this project's kernels have */
	/* NULL if the run is as it should be, else what it is; *tried: the check is about it. */
	char *(*check)(const struct conform_subject *subject, const struct conform_run *run,
		       bool *tried);
	const char *expected;
	const char *why;
	const char *rule; /* instead of a check; it has its own reasons */
} run_marks[] = {
	{ "registers", false, check_registers, "ECX and EDX 0 for each reason that is defined",
	  "A count is in EAX and EBX; what is left in the others cannot be told from one.", NULL },
	{ "undefined", false, check_undefined,
	  "EAX, EBX, ECX 0 and EDX 0xffffffff for each reason that is not defined",
	  "A reason that does not exist must not look like one that did not happen; KVM on Intel "
	  "answers an unknown leaf with the highest basic one (kvm_cpuid()).",
	  NULL },
	{ "never-enabled", false, check_never_enabled, "0 for each reason that KVM never enables",
	  "These exits cannot happen (setup_vmcs_config() in vmx.c).", NULL },
	{ "latch", false, check_latch, "no count more than when it was frozen",
	  "Counts only grow, and the live ones were read before the latch.", NULL },
	{ .name = "signature", .ours = true, .rule = "signature" },
	{ .name = "in-effect", .ours = true, .rule = "ept-leaf" },
	{ .name = "sum", .ours = true, .rule = "sum" },
	{ .name = "sweep", .rule = "sweep" },
	{ .name = "witness", .ours = true, .rule = "witness-leaves" },
	{ .name = "witness-end", .ours = true, .rule = "witness-end" },
	{ .name = "vcpu-exits", .ours = true, .rule = "kvm-stats" },
	{ .name = "statistic", .ours = true, .rule = "kvm-reasons" },
	{ .name = "l1-table", .ours = true, .rule = "l1-log" },
	{ .name = "kernel-log", .rule = "kernel-log" },
};

/*
 * The first run that is not as it should be decides. Runs that have failed are told of by the marks
 * they were made for, not by each.
 */
static void put_run_mark(GPtrArray *marks, const struct conform_subject *subject,
			 const struct run_mark *mark)
{
	const char *expected = mark->rule ? "the same in each run" : mark->expected;
	const char *why = mark->rule ? rules_find(mark->rule)->why : mark->why;
	unsigned int good = 0;

	if (mark->ours && !subject->config->ours) {
		skip(marks, mark->name, "not asked for (ours in [conform])");
		return;
	}
	for (guint i = 0; i < subject->runs->len; i++) {
		const struct conform_run *run = run_at(subject, i);
		bool tried = run->probe != NULL;
		g_autofree char *wrong = NULL;

		if (mark->rule)
			wrong = check_rule(run, mark->rule, &tried);
		else if (tried)
			wrong = mark->check(subject, run, &tried);
		if (wrong != NULL) {
			put(marks, mark->name, CONFORM_NOT_OK,
			    g_strdup_printf("%s: %s", run->run->config, wrong), expected, why);
			return;
		}
		good += tried ? 1 : 0;
	}
	if (good > 0)
		put(marks, mark->name, CONFORM_OK, g_strdup_printf("%u runs", good), expected, why);
	else
		skip(marks, mark->name, "no run has what it needs");
}

/* ---- Doses ---- */

/* What was counted between two readings. */
static GPtrArray *difference(const struct conform_subject *subject, const struct conform_run *run,
			     const struct probe_reading *from, const struct probe_reading *to)
{
	const enum probe_leaf leaf = subject->config->ours ? PROBE_LATCHED : PROBE_LIVE;
	GPtrArray *exits = probe_reading_exits(to, leaf, vendor_of(run), false);
	g_autoptr(GPtrArray) before = probe_reading_exits(from, leaf, vendor_of(run), false);

	each (struct record_exit, one, exits) {
		one->count -= exits_count(before, one->reason);
	}
	return exits;
}

/* The run in which a dose was to be given, or NULL: none was asked for. */
static const struct conform_run *find_run_of_dose(const struct conform_subject *subject,
						  const char *dose, bool ept)
{
	const char *paging = ept ? RUN_EPT : RUN_NOEPT;
	g_autofree char *each = g_strconcat(paging, "-", dose, NULL);
	const struct conform_run *run = find_run(subject, each);

	if (g_str_equal(dose, DOSE_SMP))
		return find_run(subject, RUN_SMP);
	return run != NULL ? run : find_run(subject, paging);
}

/* The number of the reading that ends a dose; 0: there is none. */
static guint find_reading(const struct conform_run *run, const char *dose)
{
	g_autofree char *name = g_strconcat(DOSE_WORKLOAD_PREFIX, dose, NULL);

	for (guint i = 1; reading_at(run, i) != NULL; i++) {
		if (g_str_equal(reading_at(run, i)->name, name))
			return i;
	}
	return 0;
}

/* Doses whose failure means more than a wrong count have a mark of a telling name. */
static char *mark_of_dose(const char *dose, bool ept)
{
	const char *paging = ept ? RUN_EPT : RUN_NOEPT;

	if (g_str_equal(dose, DOSE_FAST))
		return g_strconcat("fast-path-", paging, NULL);
	if (g_str_equal(dose, DOSE_SMP))
		return g_strdup("two-vcpus");
	return g_strconcat(DOSE_WORKLOAD_PREFIX, dose, "-", paging, NULL);
}

/* What L2 has said of a dose that it cannot take, which the caller frees; NULL: nothing. */
static char *why_impossible(const char *console, const char *dose)
{
	static const char *const marks[] = { DOSE_IMPOSSIBLE, DOSE_LEFT_OUT };

	for (size_t i = 0; console != NULL && i < G_N_ELEMENTS(marks); i++) {
		g_autofree char *said = g_strconcat(dose, marks[i], NULL);
		const char *found = strstr(console, said);
		const char *why = found != NULL ? found + strlen(said) : NULL;

		if (why != NULL)
			return g_strdup_printf("this CPU cannot take it: %.*s",
					       (int)strcspn(why, "\r\n"), why);
	}
	return NULL;
}

/* The number of the reading that ends the dose; 0: there is none, and its mark says why. */
static guint reading_of_dose(GPtrArray *marks, const char *name, const struct conform_run *run,
			     const char *dose, const char *expected)
{
	const guint index = run != NULL && run->probe != NULL ? find_reading(run, dose) : 0;
	g_autofree char *impossible =
		run != NULL && index == 0 ? why_impossible(run->console, dose) : NULL;

	/* Alone in its VM it leaves no counts at all, else no reading. */
	if (impossible != NULL)
		skip(marks, name, impossible);
	else if (has_counts(marks, name, run, expected) && index == 0)
		put(marks, name, CONFORM_NOT_OK,
		    g_strdup_printf("%s: L2 has not taken the dose, and has not said why",
				    run->run->config),
		    expected, "a dose that was not taken shows nothing");
	return index;
}

static void put_dose(GPtrArray *marks, const struct conform_subject *subject,
		     const struct dose *dose, bool ept)
{
	const char *expected = "each exit of the dose, and no other";
	g_autofree char *name = mark_of_dose(dose->name, ept);
	const struct conform_run *run = find_run_of_dose(subject, dose->name, ept);
	const struct probe_reading *from, *to;
	g_autoptr(GPtrArray) exits = NULL;
	struct dose_setting setting;
	char *wrong;
	const guint index = reading_of_dose(marks, name, run, dose->name, expected);

	if (index == 0)
		return;
	from = reading_at(run, index - 1);
	to = reading_at(run, index);
	exits = difference(subject, run, from, to);
	setting = (struct dose_setting){
		.vendor = vendor_of(run),
		.nested = run->run->requested.ept == RECORD_TRUE,
		.invd_is_wbinvd = dose_invd_is_wbinvd(&subject->record->platform),
	};
	wrong = dose_deviation(dose, to->n, &setting, to->cpuids - from->cpuids, exits);
	put(marks, name, wrong ? CONFORM_NOT_OK : CONFORM_OK,
	    wrong ? wrong : g_strdup_printf("n = %" PRIu64, to->n), expected,
	    "docs/doses.md derives it from the SDM and from KVM's source");
}

static void put_doses(GPtrArray *marks, const struct conform_subject *subject)
{
	for (size_t i = 0; i < doses_count(); i++) {
		const struct dose *dose = doses_at(i);

		if (g_str_equal(dose->name, DOSE_ABUSE))
			continue;
		put_dose(marks, subject, dose, true);
		if (!g_str_equal(dose->name, DOSE_SMP))
			put_dose(marks, subject, dose, false);
	}
}

/* ---- What more than one reading, or VM, must show ---- */

#define WHY_BOUNDS                                                                                 \
	"The guest chooses the number, so it must be compared with the bounds of the array "       \
	"before "                                                                                  \
	"it is an index, also under speculation (array_index_nospec() in include/linux/nospec.h)."

/* Two vCPUs at once ask for such numbers as well. */
static const struct probe_bad *first_bad(const struct conform_subject *subject)
{
	for (guint i = 0; i < subject->runs->len; i++) {
		const struct conform_run *run = run_at(subject, i);
		const struct probe_reading *reading;

		for (guint j = 0; run->probe != NULL && (reading = reading_at(run, j)) != NULL;
		     j++) {
			if (reading->bad->len > 0)
				return &g_array_index(reading->bad, struct probe_bad, 0);
		}
	}
	return NULL;
}

static void put_bounds(GPtrArray *marks, const struct conform_subject *subject)
{
	const struct conform_run *run = find_run(subject, RUN_ABUSE);
	const char *expected = "for each number of 32 bits a count, or the answer for undefined";
	const struct probe_bad *bad = first_bad(subject);

	if (bad != NULL)
		put(marks, "bounds", CONFORM_NOT_OK,
		    g_strdup_printf("leaf 0x%" PRIx32 " answers %" PRIu32 ", %" PRIu32 ", %" PRIu32
				    ", %" PRIu32 " for reason 0x%" PRIx32,
				    bad->leaf, bad->answer.eax, bad->answer.ebx, bad->answer.ecx,
				    bad->answer.edx, bad->index),
		    expected, WHY_BOUNDS);
	else if (has_counts(marks, "bounds", run, expected))
		put(marks, "bounds", CONFORM_OK,
		    g_strdup_printf("%" PRIu64 " numbers, from ring 0 and ring 3",
				    last_reading(run)->n),
		    expected, WHY_BOUNDS);
}

/*
 * A VM has counted few CPUIDs when its first reading comes, those of its firmware, if the counts
 * are its own.
 */
static void put_others(GPtrArray *marks, const struct conform_subject *subject, const char *mark,
		       const char *name, const char *what, bool required, const char *why)
{
	const struct conform_run *run = find_run(subject, name);
	const char *expected = required ? "its own exits only" : "either; it is only said";
	g_autoptr(GPtrArray) exits = NULL;
	uint64_t cpuids;
	bool own;

	if (!has_counts(marks, mark, run, expected))
		return;
	exits = probe_reading_exits(reading_at(run, 0), PROBE_LIVE, vendor_of(run), false);
	cpuids = exits_count(exits, reason_of_cpuid(vendor_of(run)));
	/* The reader itself executes CPUID: a kernel that has seen none does not count them. */
	own = cpuids > 0 && cpuids < CONFORM_CROWD;
	put(marks, mark, own || !required ? CONFORM_OK : CONFORM_NOT_OK,
	    g_strdup_printf("%s: %" PRIu64 " CPUIDs at the first reading, after %d of %s",
			    own		  ? "its own"
			    : cpuids == 0 ? "nothing is counted"
					  : "others' too",
			    cpuids, CONFORM_CROWD, what),
	    expected, why);
}

#define WHY_PER_VM                                                                                 \
	"A count that is the host's tells a guest what its neighbours do, and no difference of "   \
	"two "                                                                                     \
	"readings is the guest's own; each vCPU has a place of its own for it."
#define WHY_FRESH                                                                                  \
	"Counters kept in kvm.ko survive the VM, and a reload of kvm-intel alone: the second run " \
	"of "                                                                                      \
	"a comparison then has the first one in it."

GPtrArray *conform_judge(const struct conform_subject *subject)
{
	GPtrArray *marks = g_ptr_array_new_with_free_func(mark_free);

	for (size_t i = 0; i < G_N_ELEMENTS(run_marks); i++)
		put_run_mark(marks, subject, &run_marks[i]);
	put_doses(marks, subject);
	put_bounds(marks, subject);
	put_others(marks, subject, "two-vms", RUN_TWO_VMS, "a VM beside it",
		   subject->config->per_vm, WHY_PER_VM);
	put_others(marks, subject, "fresh-vm", RUN_SAME_MODULE, "the VM before it", true,
		   WHY_FRESH);
	put_others(marks, subject, "fresh-reload", RUN_VENDOR_RELOAD,
		   "the VM before the reload of kvm-intel", true, WHY_FRESH);
	return marks;
}

bool conform_is_good(const GPtrArray *marks)
{
	unsigned int good = 0;

	each (const struct conform_mark, mark, marks) {
		if (mark->verdict == CONFORM_NOT_OK)
			return false;
		good += mark->verdict == CONFORM_OK ? 1 : 0;
	}
	return good > 0;
}
