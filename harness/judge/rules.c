/* SPDX-License-Identifier: GPL-2.0-only */
#include "judge/rules.h"

#include <inttypes.h>
#include <string.h>

#include "judge/doses.h"
#include "judge/fingerprint.h"
#include "wire/job.h"
#include "record/operations.h"
#include "record/reasons.h"
#include "record/words.h"
#include "judge/rules_checks.h"

#define MAKE_AGAIN   "make distclean, then make experiment"
#define LOOK_AT_LOGS "look at dmesg.log of the run and at l1-console.log"

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

/* ---- Who answers, and what is loaded ---- */

static char *interface_text(const struct record_interface *interface)
{
	char bytes[13] = { 0 };
	g_autofree char *shown = NULL;

	memcpy(bytes, &interface->ebx, 4);
	memcpy(bytes + 4, &interface->ecx, 4);
	memcpy(bytes + 8, &interface->edx, 4);
	shown = g_strescape(bytes, NULL);
	return g_strdup_printf("\"%s\", version %" PRIu32, shown, interface->eax);
}

static struct rule_result check_signature(const struct record_run *a)
{
	const struct record_interface *interface = &a->interface;
	g_autofree char *expected =
		g_strdup_printf("\"" KVM_EXITCOUNT_SIGNATURE "\", version %d to %d",
				RECORD_VERSION_WITH_LATCH, KVM_EXITCOUNT_VERSION);

	if (!interface->known)
		return unknown("leaf 0x4FFFFF00 was not read", expected);
	return judged(interface->eax >= RECORD_VERSION_WITH_LATCH &&
			      interface->eax <= KVM_EXITCOUNT_VERSION &&
			      interface->ebx == KVM_EXITCOUNT_SIGNATURE_EBX &&
			      interface->ecx == KVM_EXITCOUNT_SIGNATURE_ECX &&
			      interface->edx == KVM_EXITCOUNT_SIGNATURE_EDX,
		      interface_text(interface), expected);
}

static const struct record_module *find_module(const GPtrArray *modules, const char *name)
{
	guint i;

	for (i = 0; modules && i < modules->len; i++) {
		const struct record_module *module = modules->pdata[i];

		if (strcmp(module->name, name) == 0)
			return module;
	}
	return NULL;
}

/* The first of modules that others does not have with the same build-id, or NULL. */
static const struct record_module *first_other(const GPtrArray *modules, const GPtrArray *others)
{
	guint i;

	for (i = 0; i < modules->len; i++) {
		const struct record_module *module = modules->pdata[i];
		const struct record_module *other = find_module(others, module->name);

		if (!other || g_strcmp0(module->build_id, other->build_id) != 0)
			return module;
	}
	return NULL;
}

/* Is there a module, and has each a build-id? */
static bool modules_are_known(const GPtrArray *modules)
{
	guint i;

	if (!modules || modules->len == 0)
		return false;
	for (i = 0; i < modules->len; i++)
		if (!((const struct record_module *)modules->pdata[i])->build_id)
			return false;
	return true;
}

static struct rule_result check_modules(const struct record_run *a)
{
	const GPtrArray *built = a->kernel.modules;
	const GPtrArray *loaded = a->module_ids;
	const char *expected = "each module that was built is loaded, with the same build-id";
	const struct record_module *other, *instead;

	/* Any KVM may be measured like that, also one whose files nobody can look into. */
	if (!modules_are_known(built) && a->source == RECORD_TRACEPOINT)
		return not_applicable("the given modules have no build-ids that can be read; they "
				      "may be compressed");
	if (!modules_are_known(built))
		return unknown("the build-ids of the built modules", expected);
	if (!modules_are_known(loaded))
		return unknown("the build-ids of the loaded modules", expected);
	other = first_other(built, loaded);
	if (!other)
		return judged(true, g_strdup_printf("%u modules, all as built", built->len),
			      expected);
	instead = find_module(loaded, other->name);
	return judged(false,
		      g_strdup_printf("%s is %s, built was %s", other->name,
				      instead ? instead->build_id : "not loaded", other->build_id),
		      expected);
}

/* ---- What is in effect is what was asked for ---- */

/* effect may be unknown; missing says then what was not read. */
static struct rule_result check_effect(enum record_bool requested, enum record_bool effect,
				       const char *what, const char *missing)
{
	g_autofree char *expected = NULL;

	if (requested == RECORD_UNKNOWN)
		return unknown("what was asked for", "what was asked for is recorded");
	expected = g_strdup_printf("%s %s", what, on_off(requested == RECORD_TRUE));
	if (effect == RECORD_UNKNOWN)
		return unknown(missing, expected);
	return judged(effect == requested,
		      g_strdup_printf("%s %s", what, on_off(effect == RECORD_TRUE)), expected);
}

static enum record_bool leaf_bool(const struct record_l2_effect *effect, bool value)
{
	return effect->known ? record_bool_from(value) : RECORD_UNKNOWN;
}

static struct rule_result check_ept_sysfs(const struct record_run *a)
{
	return check_effect(a->requested.ept, a->in_effect.ept, "EPT",
			    "the module's parameter was not read back");
}

static struct rule_result check_ept_leaf(const struct record_run *a)
{
	const struct record_l2_effect *effect = &a->l2_in_effect;

	return check_effect(a->requested.ept, leaf_bool(effect, effect->ept), "EPT",
			    "leaf 0x4FFFFF01 was not answered");
}

/* kvm-amd has no such parameter. */
static bool has_vpid(const struct record_run *run)
{
	return record_run_vendor(run) != KVM_EXITCOUNT_VENDOR_SVM;
}

#define ASIDS_ALWAYS "SVM tags its TLB by ASID always (APM vol. 2, 15.16)"

static struct rule_result check_vpid_sysfs(const struct record_run *a)
{
	if (!has_vpid(a))
		return not_applicable(ASIDS_ALWAYS);
	return check_effect(a->requested.vpid, a->in_effect.vpid, "VPID",
			    "the module's parameter was not read back");
}

static struct rule_result check_vpid_leaf(const struct record_run *a)
{
	const struct record_l2_effect *effect = &a->l2_in_effect;

	if (!has_vpid(a))
		return not_applicable(ASIDS_ALWAYS);
	return check_effect(a->requested.vpid, leaf_bool(effect, effect->vpid), "VPID",
			    "leaf 0x4FFFFF01 was not answered");
}

static bool asked_unrestricted(const struct record_run *run)
{
	return run->requested.unrestricted_guest != RECORD_UNKNOWN;
}

static bool asked_pcid(const struct record_run *run)
{
	return run->requested.pcid == RECORD_FALSE;
}

static bool asked_thp(const struct record_run *run)
{
	return run->requested.thp != RECORD_UNKNOWN;
}

static bool asked_pti(const struct record_run *run)
{
	return run->requested.pti != RECORD_UNKNOWN;
}

static bool asked_more(const struct record_run *run)
{
	return asked_unrestricted(run) || asked_pcid(run) || asked_thp(run);
}

/* Of a run that was not asked for it, it may be either. */
static struct rule_result check_unrestricted(const struct record_run *a, enum record_bool effect,
					     const char *missing)
{
	if (!asked_unrestricted(a))
		return not_applicable("it was not asked for in this run");
	if (!has_vpid(a))
		return not_applicable("SVM has no such control");
	return check_effect(a->requested.unrestricted_guest, effect, "unrestricted guest", missing);
}

static struct rule_result check_unrestricted_sysfs(const struct record_run *a)
{
	return check_unrestricted(a, a->in_effect.unrestricted_guest,
				  "the module's parameter was not read back");
}

static struct rule_result check_unrestricted_leaf(const struct record_run *a)
{
	const struct record_l2_effect *effect = &a->l2_in_effect;

	return check_unrestricted(a, leaf_bool(effect, effect->unrestricted_guest),
				  "leaf 0x4FFFFF01 was not answered");
}

static struct rule_result check_thp(const struct record_run *a)
{
	if (!asked_thp(a))
		return not_applicable("it was not asked for in this run");
	return check_effect(a->requested.thp, a->in_effect.thp, "huge pages",
			    "L1's setting was not read back");
}

/* A system call that does nothing. Without KPTI there are 0 accesses to CR3, with it 2 writes. */
#define PTI_OPERATION "getppid"
#define PTI_BETWEEN   1.0

static struct rule_result check_pti(const struct record_run *a)
{
	const bool asked = a->requested.pti == RECORD_TRUE;
	const uint32_t reason = reason_roles(record_run_vendor(a))->cr_access;
	const char *name = reason_name(record_run_vendor(a), reason);
	const struct record_operation *operation = operation_find(a, PTI_OPERATION);
	g_autofree char *expected = g_strdup_printf("%s than 1 %s for one " PTI_OPERATION "()",
						    asked ? "more" : "fewer", name);
	g_autofree char *number = NULL;
	struct operation_fit fit;

	if (!asked_pti(a))
		return not_applicable("whether it was asked for is not recorded");
	if (record_run_nested(a) == RECORD_TRUE)
		return not_applicable("with nested paging a MOV to CR3 is no exit; a run with "
				      "shadow paging tells");
	if (operation == NULL)
		return unknown("the operation " PTI_OPERATION ", which was not asked for",
			       expected);
	fit = operation_exits(operation, reason);
	if (!fit.known)
		return unknown("the points of the operation " PTI_OPERATION, expected);
	number = words_double("%.2f", fit.per_op);
	return judged((fit.per_op > PTI_BETWEEN) == asked,
		      g_strdup_printf("%s %s for one " PTI_OPERATION "()", number, name), expected);
}

static struct rule_result check_one_change(const struct record_run *a, const struct record_run *b)
{
	const unsigned int changes = record_run_changes(a, b);

	return judged(changes <= 1, g_strdup_printf("%u", changes),
		      "at most one thing that was asked for otherwise");
}

static struct rule_result check_vpid_equal(const struct record_run *a, const struct record_run *b)
{
	const enum record_bool one = a->in_effect.vpid, other = b->in_effect.vpid;
	const char *expected = "VPID the same in both runs";

	if (!has_vpid(a) && !has_vpid(b))
		return not_applicable(ASIDS_ALWAYS);
	if (one == RECORD_UNKNOWN || other == RECORD_UNKNOWN)
		return unknown("the module's parameter was not read back", expected);
	if (a->requested.vpid != b->requested.vpid && record_run_changes(a, b) == 1)
		return not_applicable("VPID alone is what these two were asked to differ in");
	return judged(one == other,
		      g_strdup_printf("VPID %s in %s, %s in %s", on_off(one == RECORD_TRUE),
				      a->config, on_off(other == RECORD_TRUE), b->config),
		      expected);
}

/* ---- What the counts must be ---- */

struct count {
	bool known;
	uint64_t value;
};

/* Since the VM's creation: what a workload alone causes may be of one kind only. */
static struct count count_of(const struct record_run *run, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(run->exits, reason);

	return (struct count){ .known = one != NULL, .value = one ? one->before + one->count : 0 };
}

static const struct reason_roles *roles_of(const struct record_run *run)
{
	return reason_roles(record_run_vendor(run));
}

/* "48 EPT_VIOLATION 4023" */
static char *count_text(const struct record_run *run, uint32_t reason, const char *count)
{
	return g_strdup_printf("%" PRIu32 " %s %s", reason,
			       reason_name(record_run_vendor(run), reason), count);
}

/* Nothing when the rule is about the other kind of paging; else false, and *other is the answer. */
static bool is_about(const struct record_run *run, enum record_bool ept, struct rule_result *other)
{
	if (run->requested.ept == ept)
		return true;
	*other = run->requested.ept == RECORD_UNKNOWN
			 ? unknown("what was asked for", "ept=0 or ept=1 is recorded")
			 : not_applicable(ept == RECORD_TRUE ? "this run has ept=0"
							     : "this run has ept=1");
	return false;
}

static struct rule_result check_one_count(const struct record_run *run, enum record_bool ept,
					  uint32_t reason, bool must_happen)
{
	const struct count count = count_of(run, reason);
	g_autofree char *expected = count_text(run, reason, must_happen ? "more than 0" : "0");
	g_autofree char *number = g_strdup_printf("%" PRIu64, count.value);
	struct rule_result other;

	if (!is_about(run, ept, &other))
		return other;
	if (!count.known)
		return unknown("the reason was not read", expected);
	return judged((count.value > 0) == must_happen, count_text(run, reason, number), expected);
}

/* SVM has one reason for what are two on VMX. */
static struct rule_result check_no_ept_exits(const struct record_run *a)
{
	const struct count violations = count_of(a, REASON_EPT_VIOLATION);
	const struct count misconfigs = count_of(a, REASON_EPT_MISCONFIG);
	const char *expected = "48 EPT_VIOLATION 0, 49 EPT_MISCONFIG 0";
	struct rule_result other;

	if (roles_of(a)->misconfig == REASON_NONE)
		return check_one_count(a, RECORD_FALSE, roles_of(a)->violation, false);
	if (!is_about(a, RECORD_FALSE, &other))
		return other;
	if (!violations.known || !misconfigs.known)
		return unknown("one of the two reasons was not read", expected);
	return judged(violations.value == 0 && misconfigs.value == 0,
		      g_strdup_printf("48 EPT_VIOLATION %" PRIu64 ", 49 EPT_MISCONFIG %" PRIu64,
				      violations.value, misconfigs.value),
		      expected);
}

static struct rule_result check_page_faults(const struct record_run *a)
{
	return check_one_count(a, RECORD_FALSE, roles_of(a)->page_fault, true);
}

static struct rule_result check_violations(const struct record_run *a)
{
	return check_one_count(a, RECORD_TRUE, roles_of(a)->violation, true);
}

static struct rule_result check_no_invlpg(const struct record_run *a)
{
	return check_one_count(a, RECORD_TRUE, roles_of(a)->invlpg, false);
}

static struct rule_result check_runs_differ(const struct record_run *a, const struct record_run *b)
{
	const char *expected = "at least one reason with two different counts";
	uint32_t reason, different = 0, compared = 0;

	if (a->requested.ept == RECORD_UNKNOWN || b->requested.ept == RECORD_UNKNOWN)
		return unknown("what was asked for", expected);
	if (a->requested.ept == b->requested.ept)
		return not_applicable("both runs were asked for the same paging");
	for (reason = 0; reason <= reason_highest(record_run_vendor(a)); reason++) {
		const struct count one = count_of(a, reason);
		const struct count other = count_of(b, reason);

		compared += one.known && other.known;
		different += one.known && other.known && one.value != other.value;
	}
	if (compared == 0)
		return unknown("no reason was read in both runs", expected);
	return judged(
		different > 0,
		g_strdup_printf("%" PRIu32 " of %" PRIu32 " reasons differ", different, compared),
		expected);
}

/* ---- Are the answers whole? ---- */

static bool holds_reason(const GArray *reasons, uint32_t reason)
{
	guint i;

	for (i = 0; i < reasons->len; i++)
		if (g_array_index(reasons, uint32_t, i) == reason)
			return true;
	return false;
}

/* How one reason was answered against what the SDM defines; NULL if it is right. */
static char *wrong_answer(const struct record_run *run, uint32_t reason)
{
	const bool counted = record_find_exit(run->exits, reason) != NULL;
	const bool undefined = holds_reason(run->undefined, reason);

	/* Leaf 0x4FFFFFFE may say something else than leaf 0x4FFFFF03, which counts come from. */
	if (reason_is_defined(record_run_vendor(run), reason) && (!counted || undefined))
		return g_strdup_printf("%" PRIu32 " %s is %s", reason,
				       reason_name(record_run_vendor(run), reason),
				       undefined ? "answered as undefined" : "not answered");
	if (!reason_is_defined(record_run_vendor(run), reason) && counted)
		return g_strdup_printf("%" PRIu32 " is answered with a count", reason);
	return NULL;
}

/* The first of all answers that is wrong. Above the highest that is defined, each count is. */
static char *first_wrong_answer(const struct record_run *run)
{
	const uint32_t highest = reason_highest(record_run_vendor(run));
	uint32_t reason;
	guint i;

	for (reason = 0; reason <= highest; reason++) {
		char *wrong = wrong_answer(run, reason);

		if (wrong)
			return wrong;
	}
	for (i = 0; i < run->exits->len; i++) {
		const struct record_exit *one = run->exits->pdata[i];

		if (one->reason > highest)
			return wrong_answer(run, one->reason);
	}
	return NULL;
}

static struct rule_result check_answers(const struct record_run *a)
{
	const struct record_run *run = a;
	const char *expected = "a count for each reason that the SDM defines, and for no other";
	char *wrong;

	if (!run->exits || !run->undefined || !run->malformed)
		return unknown("the reasons were not read", expected);
	if (run->malformed->len > 0)
		return judged(
			false,
			g_strdup_printf("%u answers have no form that is specified, the first "
					"is that for reason %" PRIu32,
					run->malformed->len,
					g_array_index(run->malformed, uint32_t, 0)),
			expected);
	wrong = first_wrong_answer(run);
	if (wrong)
		return judged(false, wrong, expected);
	return judged(true,
		      g_strdup_printf("%u reasons counted, %u undefined", run->exits->len,
				      run->undefined->len),
		      expected);
}

/* What was frozen at one instant adds up, to the last exit. */
static struct rule_result check_sum(const struct record_run *a)
{
	const struct record_latch *latch = &a->latch;
	g_autofree char *expected = NULL;

	if (!latch->known || !a->exits)
		return unknown("the latch, or the reasons", "the parts add up to the total");
	expected = g_strdup_printf("exactly %" PRIu64, latch->total);
	if (!latch->sum.known)
		return judged(false, g_strdup("the parts add up to more than 64 bits"), expected);
	return judged(latch->sum.value == latch->total,
		      g_strdup_printf("%" PRIu64, latch->sum.value), expected);
}

/*
 * What the sum of all parts can be when they are read one after the other. The two readings of the
 * total enclose the sweep, one CPUID exit for each leaf that is read. KVM counts an exit before it
 * answers, so "before" includes its own read. Were there no other exit, then
 *
 *	after = before + reads + 1
 *
 * and each part is what it was at "before", except the reason of CPUID itself: the cpuid_read-th
 * read counts all reads so far, so
 *
 *	sum = before + cpuid_read
 *
 * exactly. Other exits in between (an interrupt) add to the parts that are read later, so the sum
 * can only grow; and at "after" the CPUID exits of the reads after that of CPUID's reason are in
 * the total, but in no part:
 *
 *	before + cpuid_read <= sum <= after - (reads - cpuid_read) - 1
 */
static struct rule_result check_sweep(const struct record_run *a)
{
	const struct record_leaf_total *leaf = &a->leaf_total;
	g_autofree char *expected = NULL;
	uint64_t others, lowest;

	if (!leaf->known || leaf->cpuid_read == 0 || leaf->cpuid_read > leaf->reads)
		return unknown("the total before and after, or the reads between them",
			       "the parts add up to the total");
	if (!leaf->sum.known)
		return judged(false, g_strdup("the parts add up to more than 64 bits"),
			      "the parts add up to the total");
	if (leaf->after < leaf->before || leaf->after - leaf->before < (uint64_t)leaf->reads + 1)
		return judged(false,
			      g_strdup_printf("total %" PRIu64 " before, %" PRIu64 " after %" PRIu32
					      " reads",
					      leaf->before, leaf->after, leaf->reads),
			      "each read of a leaf adds one exit to the total");
	others = leaf->after - leaf->before - leaf->reads - 1;
	lowest = leaf->before + leaf->cpuid_read;
	expected = others == 0 ? g_strdup_printf("exactly %" PRIu64, lowest)
			       : g_strdup_printf("%" PRIu64 " to %" PRIu64 ", as %" PRIu64
						 " exits came in between",
						 lowest, lowest + others, others);
	return judged(leaf->sum.value >= lowest && leaf->sum.value <= lowest + others,
		      g_strdup_printf("%" PRIu64, leaf->sum.value), expected);
}

/* ---- Was the same thing measured, on a healthy L1? ---- */

static struct rule_result check_log(const struct record_kernel_log *log, const char *missing,
				    const char *lost)
{
	const char *expected = "no oops, warning, panic or lockup";

	if (!log->known)
		return unknown(missing, expected);
	if (log->findings->len > 0)
		return judged(false,
			      g_strdup_printf("%u in %" PRIu64 " lines, the first: %s",
					      log->findings->len, log->lines,
					      (const char *)log->findings->pdata[0]),
			      expected);
	if (log->lost)
		return unknown(lost, expected);
	return judged(true, g_strdup_printf("none in %" PRIu64 " lines", log->lines), expected);
}

static struct rule_result check_kernel_log(const struct record_run *a)
{
	return check_log(&a->kernel_log, "L1's kernel log was not read",
			 "lines of L1's kernel log were lost");
}

static struct rule_result check_l2_log(const struct record_run *a)
{
	return check_log(&a->l2_log, "L2's console was not read",
			 "lines of L2's console were lost");
}

/* Since the VM's creation: a dose is given behind the boot of its guest. */
static struct rule_result check_fingerprint(const struct record_run *a, const struct record_run *b)
{
	const uint32_t vendor = record_run_vendor(a);
	const GPtrArray *one = a->exits, *other = b->exits;
	const char *expected = "the same in both runs";
	struct fingerprint forward, backward;
	g_autofree char *words = NULL;

	if (a->workload == NULL)
		return unknown("the workload", expected);
	if (job_is_dose(a->workload))
		return not_applicable("a dose is no boot of a kernel");
	if (one == NULL || other == NULL)
		return unknown("the reasons were not read", expected);
	forward = fingerprint_compare(vendor, one, other);
	backward = fingerprint_compare(vendor, other, one);
	if (forward.verdict == FINGERPRINT_UNKNOWN)
		return unknown("fewer than two reasons of the fingerprint", expected);
	words = fingerprint_words(vendor, one, other, 0);
	if (forward.verdict == FINGERPRINT_MULTIPLE || backward.verdict == FINGERPRINT_MULTIPLE)
		return judged(false,
			      g_strdup_printf("%s: exactly %" PRIu64 " times as many, so %" PRIu64
					      " boots are in one of the counters",
					      words, MAX(forward.factor, backward.factor),
					      MAX(forward.factor, backward.factor)),
			      expected);
	if (forward.verdict == FINGERPRINT_DIFFERENT)
		return unknown(words, expected);
	return judged(true, g_steal_pointer(&words), expected);
}

/* Compare one property after the other; the first that is missing or differs is the answer. */
struct sameness {
	const char *missing; /* NULL: all known so far */
	char *different;     /* NULL: all the same so far; owned */
};

static void same_text(struct sameness *so_far, const char *what, const char *a, const char *b)
{
	if ((!a || !b) && !so_far->missing)
		so_far->missing = what;
	if (a && b && strcmp(a, b) != 0 && !so_far->different)
		so_far->different = g_strdup_printf("%s: %.40s and %.40s", what, a, b);
}

static void same_number(struct sameness *so_far, const char *what, struct record_u64 a,
			struct record_u64 b)
{
	g_autofree char *one = a.known ? g_strdup_printf("%" PRIu64, a.value) : NULL;
	g_autofree char *other = b.known ? g_strdup_printf("%" PRIu64, b.value) : NULL;

	same_text(so_far, what, one, other);
}

static struct rule_result same_result(struct sameness *so_far, const char *expected)
{
	if (so_far->different)
		return judged(false, so_far->different, expected);
	if (so_far->missing)
		return unknown(so_far->missing, expected);
	return judged(true, g_strdup("all the same"), expected);
}

static struct rule_result check_same_guest(const struct record_run *a, const struct record_run *b)
{
	const struct record_guest *one = &a->guest, *other = &b->guest;
	struct sameness so_far = { .missing = NULL };

	same_text(&so_far, "workload", a->workload, b->workload);
	same_text(&so_far, "image", one->image_sha256, other->image_sha256);
	same_text(&so_far, "L2's kernel", one->kernel_sha256, other->kernel_sha256);
	same_text(&so_far, "probe", one->probe_sha256, other->probe_sha256);
	same_number(&so_far, "memory in MiB", one->memory_mib, other->memory_mib);
	same_number(&so_far, "vCPUs", one->vcpus, other->vcpus);
	/* An older record does not say; there was none then unless somebody wanted it. */
	if (asked_pti(a) && asked_pti(b))
		same_text(&so_far, "KPTI", on_off(a->requested.pti == RECORD_TRUE),
			  on_off(b->requested.pti == RECORD_TRUE));
	return same_result(&so_far, "the same workload, image, kernel, probe, memory and vCPUs");
}

static struct rule_result check_same_host(const struct record_run *a, const struct record_run *b)
{
	const char *expected = "the same source, platform, CPU, kernel and modules of L1";
	struct sameness so_far = { .missing = NULL };

	same_text(&so_far, "source of the counts", record_source_name(a->source),
		  record_source_name(b->source));
	same_text(&so_far, "platform", a->platform.name, b->platform.name);
	same_text(&so_far, "CPU", a->platform.cpu, b->platform.cpu);
	same_text(&so_far, "L1's kernel", a->kernel.release, b->kernel.release);
	if (!modules_are_known(a->module_ids) || !modules_are_known(b->module_ids))
		so_far.missing = "modules";
	else if (first_other(a->module_ids, b->module_ids) && !so_far.different)
		so_far.different = g_strdup("modules: another build-id");
	return same_result(&so_far, expected);
}

char *rules_not_a_pair(const struct record_run *a, const struct record_run *b)
{
	const struct rule_result results[] = { check_same_guest(a, b), check_same_host(a, b) };
	char *different = NULL;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(results); i++) {
		if (results[i].verdict == RECORD_CHECK_FAIL && different == NULL)
			different = g_strdup(results[i].saw);
		g_free(results[i].saw);
		g_free(results[i].expected);
	}
	return different;
}

/* ---- Is what must repeat the same again? ---- */

static struct rule_result check_repeats(const struct record_run *a)
{
	const struct record_earlier *earlier = &a->earlier;
	g_autofree char *expected = NULL;
	char *different;

	if (a->platform.deterministic != RECORD_TRUE)
		return not_applicable("the platform does not give the same counts again");
	if (!earlier->known)
		return not_applicable("no earlier record has a run with the same inputs");
	expected = g_strdup_printf("for each reason the count of %s", earlier->record);
	if (a->exits == NULL)
		return unknown("the reasons were not read", expected);
	different = rules_first_different(a->exits, "now", earlier->exits, "then");
	return judged(different == NULL,
		      different != NULL ? different : g_strdup("equal for each reason"), expected);
}

/* ---- The table ---- */

static const struct rule rules[] = {
	{
		.name = "signature",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = check_signature,
		.why = "A KVM that does not count answers these leaves too: on Intel an unknown "
		       "leaf is "
		       "answered with the highest basic one (SDM vol. 2, CPUID). Only the "
		       "signature "
		       "tells counts from that.",
		.advice = "The KVM in L1 is not the patched one; " MAKE_AGAIN ", or have L1 count: "
			  "source=tracepoint in [experiment].",
	},
	{
		.name = "modules",
		.must_be_known = true,
		.of_run = check_modules,
		.why = "Counts come from the modules that are loaded, not from those on the disk; "
		       "the "
		       "linker's build-id (sysfs: module/NAME/notes) says which they are.",
		.advice = "Other modules are loaded than were built; " MAKE_AGAIN ".",
	},
	{
		.name = "ept-sysfs",
		.must_be_known = true,
		.of_run = check_ept_sysfs,
		.why = "The parameter can only be set when the module is loaded, and KVM turns EPT "
		       "off "
		       "without a word where the CPU lacks it (hardware_setup() in vmx.c; "
		       "svm_hardware_setup() in svm.c, where it is called npt).",
		.advice = "The CPU of L1 may have no EPT, or the module was not "
			  "reloaded; " LOOK_AT_LOGS ".",
	},
	{
		.name = "ept-leaf",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = check_ept_leaf,
		.why = "Leaf 0x4FFFFF01 says what the VMCS of this very L2 has (vmcs01's secondary "
		       "controls; with SVM its VMCB's NP_ENABLE), whatever the parameter says.",
		.advice = "L2 ran with the other kind of paging; its counts belong to that one.",
	},
	{
		.name = "vpid-sysfs",
		.must_be_known = true,
		.of_run = check_vpid_sysfs,
		.why = "Without VPID, every VM entry and exit empties the TLB (SDM vol. 3, "
		       "\"Virtual-Processor Identifiers\"), which changes what shadow paging "
		       "costs; KVM "
		       "turns it off where the CPU lacks it (hardware_setup() in vmx.c).",
		.advice = "Set vpid in configs/ept.conf and configs/noept.conf to what this CPU "
			  "can do.",
	},
	{
		.name = "vpid-leaf",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = check_vpid_leaf,
		.why = "A vCPU for which no VPID was left runs without one (allocate_vpid() in "
		       "vmx.c), "
		       "whatever the parameter says.",
		.advice = "End other VMs on L1, or set vpid=0 in all configurations.",
	},
	{
		.name = "unrestricted-sysfs",
		.must_be_known = true,
		.asked = asked_unrestricted,
		.of_run = check_unrestricted_sysfs,
		.why = "KVM turns unrestricted guest off without a word where the CPU lacks it, or "
		       "EPT "
		       "(hardware_setup() in vmx.c); real mode then runs in virtual-8086 mode or "
		       "is "
		       "emulated.",
		.advice = "This CPU cannot do what the configuration asks for; " LOOK_AT_LOGS ".",
	},
	{
		.name = "unrestricted-leaf",
		.must_be_known = true,
		.asked = asked_unrestricted,
		.of_leaves = true,
		.of_run = check_unrestricted_leaf,
		.why = "Leaf 0x4FFFFF01 says what the VMCS of this very L2 has (\"unrestricted "
		       "guest\" of the secondary controls), whatever the parameter says.",
		.advice = "L2 ran with the other setting; its counts belong to that one.",
	},
	{
		.name = "pcid-leaf",
		.must_be_known = true,
		.asked = asked_pcid,
		.of_run = rules_check_pcid,
		.why = "A guest uses PCIDs if its CPU says that it has them (CPUID leaf 1, ECX bit "
		       "17: "
		       "SDM vol. 2A); its own TLB entries then outlive a MOV to CR3.",
		.advice = "QEMU did not take the feature away; look at guest-image/domain.xml.",
	},
	{
		.name = "thp-sysfs",
		.must_be_known = true,
		.asked = asked_thp,
		.of_run = check_thp,
		.why = "An EPT violation maps 2 MiB where L1 has backed them with one huge page "
		       "(kvm_mmu_max_mapping_level() in mmu.c), and 4 KiB where not.",
		.advice = "L1's kernel has no transparent huge pages; " MAKE_AGAIN ".",
	},
	{
		.name = "kpti",
		.of_leaves = true, /* and so are operations */
		.asked = asked_pti,
		.of_run = check_pti,
		.why = "With KPTI each system call has a MOV to CR3 on its way in and one on its "
		       "way out (SWITCH_TO_KERNEL_CR3 and SWITCH_TO_USER_CR3 in Linux' "
		       "arch/x86/entry/calling.h), which exit without EPT or NPT (SDM vol. 3, "
		       "\"Instructions That Cause VM Exits Conditionally\"); without KPTI "
		       "getppid() touches no control register.",
		.advice = "L2's kernel has none, or its arguments say otherwise: look at pti and "
			  "append in [l2], and at an own kernel's configuration.",
	},
	{
		.name = "ept-off-no-ept-exits",
		.must_be_known = true,
		.of_run = check_no_ept_exits,
		.why = "EPT violations and misconfigurations exist only while \"enable EPT\" is 1 "
		       "(SDM "
		       "vol. 3, \"EPT-Induced VM Exits\"), and nested page faults while NP_ENABLE "
		       "is (APM vol. 2, 15.25). A count other than 0 means that EPT "
		       "stayed on, "
		       "or that the counter ran on from an earlier run.",
		.advice =
			"Reload both kvm.ko and the vendor's module, and start a new VM: counts in "
			"kvm.ko survive a reload of kvm-intel.ko or kvm-amd.ko alone.",
	},
	{
		.name = "ept-off-page-faults",
		.must_be_known = true,
		.of_run = check_page_faults,
		.why = "Shadow paging works by intercepting page faults "
		       "(vmx_update_exception_bitmap() "
		       "in vmx.c, init_vmcb() in svm.c), and no kernel boots without one.",
		.advice = "EPT was not off, or page faults are not counted; " LOOK_AT_LOGS ".",
	},
	{
		.name = "ept-on-violations",
		.must_be_known = true,
		.of_run = check_violations,
		.why = "KVM maps guest memory in EPT when it is first used, and each such first "
		       "use is "
		       "an EPT violation (SDM vol. 3, \"EPT Violations\"; handle_ept_violation() "
		       "in vmx.c), on AMD a nested page fault (npf_interception() in svm.c).",
		.advice = "EPT was not on, or this exit is not counted; " LOOK_AT_LOGS ".",
	},
	{
		.name = "ept-on-no-invlpg",
		.must_be_known = true,
		.of_run = check_no_invlpg,
		.why = "With EPT, KVM does not intercept INVLPG (vmx_exec_control() in vmx.c), nor "
		       "with NPT "
		       "(init_vmcb() in svm.c): the guest "
		       "changes its own page tables alone.",
		.advice = "These counts, or some of them, come from shadow paging; start a new VM "
			  "after "
			  "the reload.",
	},
	{
		.name = "answers",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = check_answers,
		.why = "A reason that is left out or made up would not show in a sum. Which "
		       "reasons "
		       "there are is in SDM vol. 3, appendix C, and APM vol. 2, appendix C.",
		.advice =
			"The KVM in L1 and this program do not have the same list; " MAKE_AGAIN ".",
	},
	{
		.name = "sum",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = check_sum,
		.why = "Leaf 0x4FFFFF02 freezes all counters of the VM at one instant, so what "
		       "leaf "
		       "0x4FFFFF03 then says of each reason must add up to the total "
		       "(kvm_exitcount_latch() of the patch series).",
		.advice =
			"Exits were counted under no reason, or twice; the counts cannot be used.",
	},
	{
		.name = "sweep",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = check_sweep,
		.why = "The total is read before and after the reasons, leaf 0x4FFFFFFE. Every "
		       "read is itself one exit (CPUID always exits: SDM vol. 3, \"Instructions "
		       "That Cause VM Exits Unconditionally\"; on AMD KVM intercepts it always), "
		       "so what the reasons must add up to "
		       "is known.",
		.advice = "The live leaves and the latched ones do not tell the same; the counts "
			  "cannot be used.",
	},
	{
		.name = "l1-log",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = rules_check_l1_log,
		.why = "L1 prints the table of a VM when that goes away (kvm_exitcount_print() of "
		       "the "
		       "patch series). Counters only grow, so no reason can have less there than "
		       "L2 "
		       "has read, and its lines must add up to its total.",
		.advice = "Read dmesg.log of the run: another VM ran, or a line of the table was "
			  "lost.",
	},
	{
		.name = "dose",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = rules_check_dose,
		.why = "A dose does nothing but a known number of things that exit, and each exit "
		       "of "
		       "it is derived from the SDM and from KVM's source (docs/doses.md).",
		.advice = "Either KVM does not count each exit, or it handles this one in another "
			  "way than Linux 6.1 does: run it with experiment.witness=1, which tells "
			  "the two apart.",
	},
	{
		.name = "witness-leaves",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = rules_check_witness_leaves,
		.why = "The kernel's own tracepoint kvm:kvm_exit stands where every hardware exit "
		       "passes (vmx_vcpu_run() in vmx.c). A histogram of it, stopped by the "
		       "latch's kvm:kvm_cpuid, covers the very interval of the latched counts.",
		.advice =
			"One of the two counters is wrong: compare exits with witness.at_latch in "
			"record.json, reason by reason.",
	},
	{
		.name = "witness-end",
		.must_be_known = true,
		.of_leaves = true,
		.of_run = rules_check_witness_end,
		.why = "While L2 stands still, the histogram and, when the VM then goes away, the "
		       "kernel log are about the same exits.",
		.advice = "One of the two is wrong: compare them in record.json, reason by reason.",
	},
	{
		.name = "kvm-stats",
		.of_run = rules_check_kvm_stats,
		.why = "KVM's own statistics are read when L2 stands still for good: no vCPU runs "
		       "from then until KVM prints the table of the VM. So its statistic \"exits\" "
		       "is "
		       "the table's total; on Intel without unrestricted guest it has the entries "
		       "that were emulated, too (emulation_required in vmx_vcpu_run()).",
		.advice =
			"Compare kvm-vcpu.json of the run with the table in its dmesg.log: either "
			"exits are lost, or another VM's were read.",
	},
	{
		.name = "kvm-reasons",
		.of_run = rules_check_kvm_reasons,
		.why = "The series keeps the exits by reason as one of KVM's statistics, which "
		       "KVM_GET_STATS_FD reads past the leaves and past the kernel log "
		       "(kvm_exit_reasons_inc() in exit_reasons.h); no vCPU runs between that "
		       "reading and the VM's table.",
		.advice = "Compare exit_reasons in kvm-vcpu.json of the run with the table in its "
			  "dmesg.log: one of the two ways from the counters is wrong.",
	},
	{
		.name = "kernel-log",
		.must_be_known = true,
		.of_run = check_kernel_log,
		.why = "After an oops or a warning the kernel goes on, but not as it was built to; "
		       "what "
		       "it counts then is not worth having.",
		.advice = "Read the first of them in dmesg.log of the run: later ones may follow "
			  "from "
			  "it.",
	},
	{
		.name = "l2-log",
		.must_be_known = true,
		.of_run = check_l2_log,
		.why = "A guest that oopses or warns has executed other code than its usual, and "
		       "has "
		       "other exits.",
		.advice = "Read the first of them in l2-console.log of the run.",
	},
	{
		.name = "repeats",
		.must_be_known = true,
		.of_run = check_repeats,
		.why = "An emulator that lets nothing from outside in executes the same "
		       "instructions each time, so equal inputs (runs[].inputs in record.json) "
		       "have equal counts, to the last exit.",
		.advice = "Something that is in no input has changed, or got in: run it again, and "
			  "report it with both records.",
	},
	{
		.name = "vpid-equal",
		.must_be_known = true,
		.of_pair = check_vpid_equal,
		.why = "Two runs that are compared may differ in one thing only; with VPID off, "
		       "TLB "
		       "misses would be counted as the cost of paging (SDM vol. 3, "
		       "\"Virtual-Processor Identifiers\").",
		.advice = "Run both configurations again with the same vpid.",
	},
	{
		.name = "one-change",
		.must_be_known = true,
		.asked = asked_more,
		.of_pair = check_one_change,
		.why = "What two changes at once have caused cannot be told apart in the counts.",
		.advice = "Compare each with a run that it differs from in one thing.",
	},
	{
		.name = "runs-differ",
		.must_be_known = true,
		.of_pair = check_runs_differ,
		.why = "Nested and shadow paging cannot cause the same exits throughout a boot. "
		       "Equal "
		       "counts mean that one run was read twice.",
		.advice = "Compare with another run: one of these two is a copy of the other.",
	},
	{
		.name = "boot-fingerprint",
		/* Another CPU model may make WBINVD exit or not: a difference alone is no proof. */
		.must_be_known = false,
		.of_pair = check_fingerprint,
		.why = "29 DR_ACCESS, 46 GDTR_IDTR, 47 LDTR_TR, 54 WBINVD and 55 XSETBV come from "
		       "instructions that firmware and kernel execute a fixed few times in a boot, "
		       "whatever the paging. An exact multiple means that a counter ran on.",
		.advice = "Start each VM on fresh counters: reload kvm.ko as well as kvm-intel.ko.",
	},
	{
		.name = "same-guest",
		.must_be_known = true,
		.of_pair = check_same_guest,
		.why = "Another kernel, image, amount of memory or number of vCPUs causes other "
		       "exits, "
		       "whatever the paging.",
		.advice = "Run both configurations again: make experiment.",
	},
	{
		.name = "same-cpuid",
		.must_be_known = false, /* older records have not asked for it */
		.of_pair = rules_check_same_cpuid,
		.why = "KVM shows another CPU with another paging: without EPT or NPT it takes PKU "
		       "away (kvm_set_cpu_caps() in cpuid.c), without unrestricted guest newer "
		       "kernels take SHSTK and IBT away (vmx_set_cpu_caps()). A guest that finds "
		       "another CPU executes other code.",
		.advice = "Take that feature away in both runs, in guest-image/domain.xml: "
			  "<feature policy='disable' name='...'/>.",
	},
	{
		.name = "same-host",
		.must_be_known = false, /* on real hardware a name may be missing */
		.of_pair = check_same_host,
		.why = "What exits, and how often, depends on the CPU (which features KVM can use) "
		       "and "
		       "on KVM itself.",
		.advice = "Run both configurations again on one machine: make experiment.",
	},
};

const struct rule *rules_table(size_t *count)
{
	*count = G_N_ELEMENTS(rules);
	return rules;
}

const struct rule *rules_find(const char *name)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(rules); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

/* ---- Applying it ---- */

/* Takes what outcome owns. */
static void add_check(GPtrArray *checks, const struct rule *rule, const char *run,
		      struct rule_result outcome, bool *valid)
{
	struct record_check *check = record_check_new();

	check->rule = g_strdup(rule->name);
	check->run = g_strdup(run);
	check->verdict = outcome.verdict;
	check->decisive = outcome.verdict == RECORD_CHECK_FAIL ||
			  (outcome.verdict == RECORD_CHECK_UNKNOWN && rule->must_be_known);
	check->saw = outcome.saw;
	check->expected = outcome.expected;
	check->why = g_strdup(rule->why);
	check->advice = g_strdup(rule->advice);
	g_ptr_array_add(checks, check);
	if (check->decisive)
		*valid = false;
}

/* What was not measured to the end is failed, whatever it has; the rules are about measured runs.
 */
static struct rule_result ask(const struct rule *rule, const struct record_run *a,
			      const struct record_run *b)
{
	if (a->error != NULL || (b != NULL && b->error != NULL))
		return not_applicable("the run was not measured to its end");
	if (rule->of_leaves && a->source == RECORD_TRACEPOINT)
		return not_applicable("the counts are those of L1's tracepoint, not of leaves that "
				      "L2 has read");
	return b == NULL ? rule->of_run(a) : rule->of_pair(a, b);
}

static void apply_to_runs(GPtrArray *checks, const struct rule *rule,
			  const struct record_run *const *runs, size_t count, bool *valid)
{
	size_t i;

	for (i = 0; i < count; i++)
		add_check(checks, rule, runs[i]->config, ask(rule, runs[i], NULL), valid);
}

/* What a run is held against: the first one before it that it differs from in one thing. */
static const struct record_run *partner_of(const struct record_run *const *runs, size_t run)
{
	size_t i;

	for (i = 0; i < run; i++)
		if (record_run_changes(runs[i], runs[run]) <= 1)
			return runs[i];
	return runs[0];
}

static void apply_to_pairs(GPtrArray *checks, const struct rule *rule,
			   const struct record_run *const *runs, size_t count, bool *valid)
{
	size_t i;

	if (count == 1)
		add_check(checks, rule, NULL, not_applicable("there is one run only"), valid);
	for (i = 1; i < count; i++) {
		const struct record_run *partner = partner_of(runs, i);
		struct rule_result result = ask(rule, partner, runs[i]);

		/* Of two it is clear which they are. */
		if (count > 2) {
			char *saw = g_strdup_printf("%s and %s: %s", partner->config,
						    runs[i]->config, result.saw);

			g_free(result.saw);
			result.saw = saw;
		}
		add_check(checks, rule, NULL, result, valid);
	}
}

static bool is_asked(const struct rule *rule, const struct record_run *const *runs, size_t count)
{
	size_t i;

	for (i = 0; rule->asked != NULL && i < count; i++)
		if (rule->asked(runs[i]))
			return true;
	return rule->asked == NULL;
}

GPtrArray *rules_check(const struct record_run *const *runs, size_t count, bool *valid)
{
	GPtrArray *checks = record_checks_new();
	size_t i;

	*valid = true;
	for (i = 0; i < count; i++)
		*valid &= runs[i]->error == NULL;
	for (i = 0; i < G_N_ELEMENTS(rules); i++) {
		if (!is_asked(&rules[i], runs, count))
			continue;
		if (rules[i].of_run != NULL)
			apply_to_runs(checks, &rules[i], runs, count, valid);
		else
			apply_to_pairs(checks, &rules[i], runs, count, valid);
	}
	return checks;
}

static enum record_verdict verdict_of_run(const struct record_run *run, const GPtrArray *checks)
{
	guint i;

	if (run->error)
		return RECORD_FAILED;
	for (i = 0; i < checks->len; i++) {
		const struct record_check *check = checks->pdata[i];

		if (check->decisive && g_strcmp0(check->run, run->config) == 0)
			return RECORD_INVALID;
	}
	return RECORD_VALID;
}

void rules_judge(struct record *record)
{
	bool failed = record->error || record->runs->len == 0;
	bool valid;
	guint i;

	g_ptr_array_unref(record->checks);
	record->checks = rules_check((const struct record_run *const *)record->runs->pdata,
				     record->runs->len, &valid);
	for (i = 0; i < record->runs->len; i++) {
		struct record_run *run = record->runs->pdata[i];

		run->verdict = verdict_of_run(run, record->checks);
		failed |= run->verdict == RECORD_FAILED;
	}
	record->verdict = failed ? RECORD_FAILED : valid ? RECORD_VALID : RECORD_INVALID;
}
