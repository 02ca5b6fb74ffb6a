/* SPDX-License-Identifier: GPL-2.0-only */
/* Did L2 have the same CPU in both runs? */
#include "judge/rules_checks.h"

#include <inttypes.h>

#include "wire/job.h"

enum { EAX, EBX, ECX, EDX, REGISTERS };

static const char *const register_names[REGISTERS] = { "EAX", "EBX", "ECX", "EDX" };

#define ANY_INDEX UINT32_MAX

/* Bits that are no property of the VM, or must follow the paging: each with its source. */
static const struct exempt {
	uint32_t leaf, index;
	unsigned int at;
	uint32_t mask;
	const char *why;
} exempts[] = {
	{ 0x1, 0, EBX, 0xff000000, "initial APIC ID of the vCPU that asks: SDM vol. 2A, CPUID" },
	{ 0xb, ANY_INDEX, EDX, UINT32_MAX, "its x2APIC ID: SDM vol. 2A, CPUID" },
	{ 0x1f, ANY_INDEX, EDX, UINT32_MAX, "its x2APIC ID: SDM vol. 2A, CPUID" },
	{ 0x8000001e, 0, EAX, UINT32_MAX, "its extended APIC ID: APM vol. 3, appendix E" },
	{ 0x8000001e, 0, EBX, 0xff, "its core: APM vol. 3, appendix E" },
	{ 0x8000001e, 0, ECX, 0xff, "its node: APM vol. 3, appendix E" },
	{ 0xd, 0, EBX, UINT32_MAX, "size for what XCR0 enables now: SDM vol. 2A, CPUID" },
	{ 0xd, 1, EBX, UINT32_MAX,
	  "size for what XCR0 and IA32_XSS enable now: SDM vol. 2A, CPUID" },
	{ 0x80000008, 0, EAX, 0xff0000,
	  "GuestPhysAddrSize, which newer kernels fill in with EPT or NPT only: "
	  "__do_cpuid_func()" },
	{ 0x8000000a, 0, EDX, 1u << 0,
	  "NPT for L2's own guests, which KVM offers with npt=1 only: svm_set_cpu_caps()" },
};

/* Features that KVM, or the way in which CPUs are made, ties to nested paging. */
static const struct feature {
	uint32_t leaf, index;
	unsigned int at, bit;
	const char *name;
} features[] = {
	{ 0x1, 0, ECX, 5, "VMX" },	  { 0x1, 0, ECX, 17, "PCID" },
	{ 0x1, 0, ECX, 26, "XSAVE" },	  { 0x7, 0, EBX, 7, "SMEP" },
	{ 0x7, 0, EBX, 10, "INVPCID" },	  { 0x7, 0, EBX, 20, "SMAP" },
	{ 0x7, 0, ECX, 2, "UMIP" },	  { 0x7, 0, ECX, 3, "PKU" },
	{ 0x7, 0, ECX, 4, "OSPKE" },	  { 0x7, 0, ECX, 7, "SHSTK" },
	{ 0x7, 0, ECX, 16, "LA57" },	  { 0x7, 0, EDX, 20, "IBT" },
	{ 0x80000001, 0, ECX, 2, "SVM" }, { 0x80000001, 0, EDX, 26, "GBPAGES" },
	{ 0x8000000a, 0, EDX, 0, "NPT" },
};

/* What goes with PCID: KVM takes INVPCID away with it (vmx_compute_secondary_exec_control()). */
static const struct feature pcids[] = {
	{ 0x1, 0, ECX, 17, "PCID" },
	{ 0x7, 0, EBX, 10, "INVPCID" },
};

static uint32_t register_at(const struct record_cpuid *one, unsigned int at)
{
	const uint32_t registers[REGISTERS] = { one->eax, one->ebx, one->ecx, one->edx };

	return registers[at];
}

static const struct record_cpuid *find(const GPtrArray *cpuid, uint32_t leaf, uint32_t index)
{
	for (guint i = 0; i < cpuid->len; i++) {
		const struct record_cpuid *one = cpuid->pdata[i];

		if (one->leaf == leaf && one->index == index)
			return one;
	}
	return NULL;
}

static const char *name_of(const struct record_cpuid *one, unsigned int at, unsigned int bit)
{
	for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
		const struct feature *feature = &features[i];

		if (feature->leaf == one->leaf && feature->index == one->index &&
		    feature->at == at && feature->bit == bit)
			return feature->name;
	}
	return NULL;
}

/* What the two CPUs differ in, while they are held against each other. */
struct differences {
	GString *words; /* of the first ones */
	guint registers;
	GString *exempt; /* what may differ and does */
	bool pcid;	 /* PCID is what the two runs were asked to differ in */
};

/* Those of the bits that may not differ. */
static uint32_t without_exempt(struct differences *differences, const struct record_cpuid *one,
			       unsigned int at, uint32_t changed)
{
	for (size_t i = 0; i < G_N_ELEMENTS(exempts); i++) {
		const struct exempt *exempt = &exempts[i];

		if (exempt->leaf != one->leaf || exempt->at != at ||
		    (exempt->index != ANY_INDEX && exempt->index != one->index))
			continue;
		if ((changed & exempt->mask) != 0)
			g_string_append_printf(
				differences->exempt,
				"; leaf 0x%" PRIX32 " index %" PRIu32 " %s differs as it may (%s)",
				one->leaf, one->index, register_names[at], exempt->why);
		changed &= ~exempt->mask;
	}
	for (size_t i = 0; differences->pcid && i < G_N_ELEMENTS(pcids); i++)
		if (pcids[i].leaf == one->leaf && pcids[i].at == at)
			changed &= ~(1u << pcids[i].bit);
	return changed;
}

#define WORDS_MOST 3 /* registers; that many bits of each as well */

static void tell_bits(GString *words, const struct record_cpuid *one, unsigned int at,
		      uint32_t changed)
{
	unsigned int told = 0;

	for (unsigned int bit = 0; bit < 32 && told < WORDS_MOST; bit++) {
		const char *name = name_of(one, at, bit);

		if ((changed >> bit & 1) == 0)
			continue;
		told++;
		g_string_append_printf(words, ", bit %u%s%s", bit, name != NULL ? " " : "",
				       name != NULL ? name : "");
	}
}

static void hold_against(struct differences *differences, const struct record_cpuid *one,
			 const struct record_cpuid *other)
{
	for (unsigned int at = 0; at < REGISTERS; at++) {
		const uint32_t a = register_at(one, at), b = register_at(other, at);
		const uint32_t changed = without_exempt(differences, one, at, a ^ b);

		if (changed == 0 || ++differences->registers > WORDS_MOST)
			continue;
		g_string_append_printf(differences->words,
				       "%sleaf 0x%" PRIX32 " index %" PRIu32 " %s: 0x%" PRIX32
				       " and 0x%" PRIX32,
				       differences->words->len > 0 ? "; " : "", one->leaf,
				       one->index, register_names[at], a, b);
		tell_bits(differences->words, one, at, changed);
	}
}

/* A leaf that one side does not have is all 0 there: so it answers if it is asked for. */
static void hold_all(struct differences *differences, const GPtrArray *ones,
		     const GPtrArray *others, bool only_missing)
{
	for (guint i = 0; i < ones->len; i++) {
		const struct record_cpuid *one = ones->pdata[i];
		const struct record_cpuid *other = find(others, one->leaf, one->index);
		const struct record_cpuid nothing = { .leaf = one->leaf, .index = one->index };

		if (other == NULL && only_missing)
			hold_against(differences, &nothing, one);
		else if (!only_missing)
			hold_against(differences, one, other != NULL ? other : &nothing);
	}
}

struct rule_result rules_check_same_cpuid(const struct record_run *a, const struct record_run *b)
{
	struct differences differences = { .registers = 0 };
	const char *expected = "the same but for what belongs to a vCPU, its state or the paging";

	if (a->workload != NULL && job_is_dose(a->workload))
		return not_applicable("the dose guest does not say what CPU it has");
	if (a->cpuid == NULL || b->cpuid == NULL)
		return unknown("what CPUID says in L2", expected);
	differences.pcid =
		(a->requested.pcid == RECORD_FALSE) != (b->requested.pcid == RECORD_FALSE);
	differences.words = g_string_new(NULL);
	differences.exempt = g_string_new(NULL);
	hold_all(&differences, a->cpuid, b->cpuid, false);
	hold_all(&differences, b->cpuid, a->cpuid, true);
	if (differences.registers > WORDS_MOST)
		g_string_append_printf(differences.words, "; and %u registers more",
				       differences.registers - WORDS_MOST);
	if (differences.registers == 0)
		g_string_append_printf(differences.words, "%u leaves, the same%s", a->cpuid->len,
				       differences.exempt->str);
	g_string_free(differences.exempt, TRUE);
	return judged(differences.registers == 0, g_string_free(differences.words, FALSE),
		      expected);
}

struct rule_result rules_check_pcid(const struct record_run *a)
{
	const struct record_cpuid *one = a->cpuid != NULL ? find(a->cpuid, 0x1, 0) : NULL;

	if (a->requested.pcid != RECORD_FALSE)
		return not_applicable("this run was not asked to do without");
	if (a->workload != NULL && job_is_dose(a->workload))
		return not_applicable("the dose guest does not say what CPU it has");
	if (one == NULL)
		return unknown("what CPUID says in L2", "no PCID in L2");
	return judged((one->ecx & 1u << 17) == 0,
		      g_strdup((one->ecx & 1u << 17) == 0 ? "no PCID in L2" : "PCID in L2"),
		      "no PCID in L2");
}
