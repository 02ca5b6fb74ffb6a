/* SPDX-License-Identifier: GPL-2.0-only */
/* What eptlab conform says of readings that were made by hand. */

#include "judge/conform.h"
#include "judge/doses.h"
#include "record/reasons.h"
#include "report/conform.h"
#include "tests/sample.h"
#include "tests/test.h"

#define VMX KVM_EXITCOUNT_VENDOR_VMX

/* CPUIDs of the reader between two latches, in these readings. */
#define READER 100

/* A guest on its way: what it has counted so far, and what it has sent. */
struct guest {
	GString *out;
	uint32_t seq;
	uint64_t counts[KVM_EXITCOUNT_VMX_HIGHEST + 3];
	uint32_t cpuids;
	bool undefined_is_zero; /* the fault: a reason that does not exist looks like a count */
	bool latch_is_late;	/* the fault: less was frozen than had been read */
};

/* Fields are "key=value|key=value". */
static void put(struct guest *guest, const char *kind, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void put(struct guest *guest, const char *kind, const char *format, ...)
{
	g_autofree char *fields = NULL;
	va_list arguments;

	va_start(arguments, format);
	fields = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	put_frame(guest->out, guest->seq++, kind, fields);
}

static struct guest *guest_new(void)
{
	struct guest *guest = g_new0(struct guest, 1);

	guest->out = g_string_new(NULL);
	put_begin(guest->out, PROBE_SENDER);
	guest->seq = 1;
	/* "KVMe" "xitc" "ount", version 2; EPT, VPID, unrestricted guest; VMX, 85 */
	put(guest, "iface", "regs=2,1699567179,1668573560,1953396079");
	put(guest, "effect", "regs=7,1,85,1");
	return guest;
}

/* All counts here have less than 32 bits. */
static uint32_t total(const struct guest *guest)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(guest->counts); i++)
		sum += (uint32_t)guest->counts[i];
	return sum;
}

static void put_exit(struct guest *guest, uint32_t reason)
{
	const bool defined = reason_is_defined(VMX, reason) || guest->undefined_is_zero;
	const uint32_t edx = defined ? 0 : KVM_EXITCOUNT_UNDEFINED_EDX;
	const uint32_t count = (uint32_t)guest->counts[reason];
	const bool late = guest->latch_is_late && reason == REASON_HLT;

	put(guest, "exit", "first=%u|last=%u|live=%u,0,0,%u|latched=%u,0,0,%u|cycles=0,0,0,%u",
	    reason, reason, count, edx, late ? 0 : count, edx, edx);
}

/* A reading after n of something; the reader's own CPUIDs are counted with it. */
static void take_reading(struct guest *guest, const char *name, unsigned int n)
{
	guest->counts[REASON_CPUID] += READER;
	guest->cpuids += READER;
	put(guest, "reading", "name=%s|n=%u|tsc=1", name, n);
	put(guest, "total", "at=before|regs=%u,0,0,0", total(guest));
	for (uint32_t reason = 0; reason < G_N_ELEMENTS(guest->counts); reason++)
		put_exit(guest, reason);
	put(guest, "total", "at=after|regs=%u,0,0,0", total(guest));
	put(guest, "latch", "regs=%u,0,1,0|cpuids=%u", total(guest), guest->cpuids);
	put(guest, "cycles", "regs=0,0,0,0");
}

static probe_result *finish(struct guest *guest)
{
	g_autoptr(GError) error = NULL;
	probe_result *result;

	put_end(guest->out, guest->seq);
	result = probe_result_parse(guest->out->str, guest->out->len, &error);
	assert_no_error(error);
	g_string_free(guest->out, TRUE);
	g_free(guest);
	return result;
}

/* One run, and what is said of it. */
struct stage {
	struct config_conform config;
	struct record *record;
	struct record_run *run;
	probe_result *probe;
	const char *console;
	GPtrArray *marks;
};

static void judge(struct stage *stage, const char *name, probe_result *probe)
{
	struct conform_run one;
	struct conform_subject subject;

	stage->config.ours = true;
	stage->config.per_vm = true;
	stage->record = record_new("0.1", "", "bochs", "conform");
	stage->run = record_run_new(name);
	stage->run->requested.ept = RECORD_TRUE;
	stage->run->kernel_log.known = true;
	g_ptr_array_add(stage->record->runs, stage->run);
	stage->probe = probe;
	if (probe != NULL)
		probe_result_store(probe, stage->run);
	else
		record_set_string(&stage->run->error, "L2: it \033[31mdied");
	one = (struct conform_run){
		.run = stage->run,
		.probe = probe,
		.console = stage->console,
	};
	subject = (struct conform_subject){
		.config = &stage->config,
		.record = stage->record,
		.runs = g_array_new(FALSE, FALSE, sizeof(one)),
	};
	g_array_append_val(subject.runs, one);
	stage->marks = conform_judge(&subject);
	g_array_unref(subject.runs);
}

static void clear(struct stage *stage)
{
	g_ptr_array_unref(stage->marks);
	record_free(stage->record);
	probe_result_free(stage->probe);
}

static const struct conform_mark *find(const struct stage *stage, const char *name)
{
	for (guint i = 0; i < stage->marks->len; i++) {
		const struct conform_mark *mark = g_ptr_array_index(stage->marks, i);

		if (strcmp(mark->name, name) == 0)
			return mark;
	}
	fail_msg("there is no mark %s", name);
	return NULL;
}

/* Names of marks, with blanks between, that are so. */
static void are(const struct stage *stage, enum conform_verdict verdict, const char *names)
{
	g_auto(GStrv) split = g_strsplit(names, " ", -1);

	for (char **name = split; *name != NULL; name++) {
		const struct conform_mark *mark = find(stage, *name);

		if (mark->verdict != verdict)
			fail_msg("%s is %d: %s", *name, (int)mark->verdict, mark->saw);
	}
}

/* Judge it, and see what is good and what is not. guest NULL: the run failed. */
static void marks_are(const char *run, struct guest *guest, const char *good, const char *bad,
		      const char *skipped)
{
	struct stage stage = { .record = NULL };

	judge(&stage, run, guest != NULL ? finish(guest) : NULL);
	are(&stage, CONFORM_OK, good);
	are(&stage, CONFORM_NOT_OK, bad);
	are(&stage, CONFORM_SKIPPED, skipped);
	if (*bad != '\0')
		assert_false(conform_is_good(stage.marks));
	clear(&stage);
}

TEST(dose_is_marked)
{
	struct guest *guest = guest_new();

	take_reading(guest, PROBE_START, 0);
	guest->counts[REASON_MSR_READ] += 7;
	take_reading(guest, "dose-rdmsr", 7);
	guest->counts[REASON_MSR_WRITE] += 4; /* of 5 */
	take_reading(guest, "dose-wrmsr", 5);
	take_reading(guest, "dose-wrmsr-fast", 5); /* none of 5 */
	/* Not ok: not given, though its run was made; skipped: those of a run that was not. */
	marks_are("ept", guest, "dose-rdmsr-ept", "dose-wrmsr-ept fast-path-ept dose-pages-ept",
		  "dose-rdmsr-noept two-vms bounds two-vcpus");
}

/* In a VM of its own: skipped if L2 has said that it cannot be, else a run that has failed. */
TEST(dose_that_cannot_be_given_is_skipped)
{
	static const struct {
		const char *run, *console;
	} rows[] = {
		{ "ept", "SeaBIOS\r\ncr3-pcid is left out: CPUID has no PCID\r\nthe end\r\n" },
		{ "ept-cr3-pcid", "eptlab: cr3-pcid is not possible here: CPUID has no PCID\n" },
	};

	test_each (row, rows) {
		const bool alone = strcmp(row->run, "ept") != 0;
		struct stage stage = { .console = row->console };
		struct guest *guest = alone ? NULL : guest_new();

		if (guest != NULL)
			take_reading(guest, PROBE_START, 0);
		judge(&stage, row->run, guest != NULL ? finish(guest) : NULL);
		are(&stage, CONFORM_SKIPPED, "dose-cr3-pcid-ept");
		assert_string_equal(find(&stage, "dose-cr3-pcid-ept")->saw,
				    "this CPU cannot take it: CPUID has no PCID");
		/* Nobody has said why this one is not there. */
		are(&stage, alone ? CONFORM_SKIPPED : CONFORM_NOT_OK, "dose-cr3-ept");
		clear(&stage);
	}
	marks_are("ept-cr3-pcid", NULL, "", "dose-cr3-pcid-ept", "dose-cr3-pcid-noept");
}

TEST(answers_are_marked)
{
	struct guest *guest = guest_new();

	/* No witness was there to be compared with. */
	take_reading(guest, "boot", 0);
	marks_are("ept", guest, "undefined registers latch sum never-enabled", "", "witness");

	guest = guest_new();
	guest->undefined_is_zero = true;
	guest->counts[REASON_RDTSC] = 1;
	take_reading(guest, "boot", 0);
	marks_are("ept", guest, "registers", "undefined never-enabled", "");

	guest = guest_new();
	guest->latch_is_late = true;
	guest->counts[REASON_HLT] = 3;
	take_reading(guest, "boot", 0);
	marks_are("ept", guest, "", "latch sum", "");
}

TEST(bounds_are_marked)
{
	struct stage stage = { .record = NULL };
	struct guest *guest = guest_new();

	take_reading(guest, PROBE_START, 0);
	take_reading(guest, "dose-abuse", 200);
	marks_are("abuse", guest, "bounds", "", "");

	guest = guest_new();
	take_reading(guest, PROBE_START, 0);
	put(guest, "bad", "leaf=%u|index=%u|regs=5,0,0,0", KVM_EXITCOUNT_CPUID_EXITS, UINT32_MAX);
	take_reading(guest, "dose-abuse", 200);
	judge(&stage, "abuse", finish(guest));
	are(&stage, CONFORM_NOT_OK, "bounds");
	assert_says(find(&stage, "bounds")->saw, "0xffffffff");
	clear(&stage);

	/* Only what was to be shown by that run. */
	marks_are("abuse", NULL, "", "bounds", "dose-cpuid-ept");
}

TEST(others_exits_are_marked)
{
	static const struct {
		const char *run, *mark;
	} rows[] = {
		{ "two-vms", "two-vms" },
		{ "same-module", "fresh-vm" },
		{ "vendor-reload", "fresh-reload" },
	};

	test_each (row, rows)
		for (uint64_t few = 0; few < 2; few++) {
			struct guest *guest = guest_new();

			guest->counts[REASON_CPUID] = CONFORM_CROWD - READER - few;
			take_reading(guest, PROBE_START, 0);
			marks_are(row->run, guest, few ? row->mark : "", few ? "" : row->mark, "");
		}
}

TEST(report_is_tap_and_clean)
{
	struct stage stage = { .record = NULL };
	g_autofree char *tap = NULL;
	g_autofree char *table = NULL;
	g_autofree char *plan = NULL;

	judge(&stage, "abuse", NULL);
	tap = report_tap(stage.marks);
	table = report_marks(stage.marks);
	plan = g_strdup_printf("TAP version 14\n1..%u\n", stage.marks->len);
	assert_begins(tap, plan);
	assert_says(tap, "ok 1 - registers # SKIP no run has what it needs\n");
	assert_says(tap, " - bounds\n  ---\n  saw: 'abuse: L2: it ?[31mdied'\n");
	assert_null(strchr(tap, '\033'));
	assert_null(strchr(table, '\033'));
	assert_says(table, "DOES NOT CONFORM: ");
	clear(&stage);
}

TEST(nothing_earned_is_not_good)
{
	g_autoptr(GPtrArray) marks = g_ptr_array_new();
	struct conform_mark skipped = { .verdict = CONFORM_SKIPPED };
	struct conform_mark good = { .verdict = CONFORM_OK };

	assert_false(conform_is_good(marks));
	g_ptr_array_add(marks, &skipped);
	assert_false(conform_is_good(marks));
	g_ptr_array_add(marks, &good);
	assert_true(conform_is_good(marks));
}
