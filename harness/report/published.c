/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record beside what others have published: their ratio of shadow paging to nested paging, and
 * ours. A figure is "read": somebody has read it again in the source that stands beside it.
 */
#include "report/report.h"

#include <math.h>

#include "record/operations.h"
#include "record/reasons.h"
#include "record/words.h"

/* Nearer to each other than this are the same: what is measured twice differs by so much. */
#define SAME 0.1

/*
 * https://github.com/virt-pvm/misc, sosp2023-pvm-paper.pdf at 15d2f046. Of its configurations those
 * that are KVM's own, without another hypervisor below: kvm-ept (BM) and kvm-spt (BM), one process.
 */
#define PVM "Huang et al., PVM, SOSP 2023, table "

/* One operation. Theirs is time. */
static const struct {
	const char *source, *what;
	double ept, noept; /* microseconds */
	const char *ours;
} times[] = {
	{ PVM "2 (read)", "getpid, without KPTI", 0.06, 0.06, "getppid" },
	{ PVM "3 (read)", "fork", 82.13, 504.67, "fork" },
	{ PVM "3 (read)", "exec", 422.33, 1500, "exec" },
	{ PVM "4 (read)", "page fault", 0.15, 0.93, "fault" },
	{ PVM "4 (read)", "protection fault", 0.66, 3.17, "segv" },
};

/*
 * Reasons that mean the same to both vendors, by Intel's number and AMD's, from the first to the
 * last; the boot of a Ubuntu 20.04 (https://github.com/nicolashanout/linux, README.md at c212db19),
 * read.
 */
static const struct {
	const char *what;
	uint32_t vmx[3], svm[3]; /* the third one: one more of them */
	uint64_t ept, noept;
} reasons[] = {
	{ "page faults and other exceptions", { 0, 0, 0 }, { 64, 95, 64 }, 8407, 1566621 },
	{ "INVLPG", { 14, 14, 14 }, { 121, 121, 121 }, 0, 171510 },
	{ "accesses to control registers",
	  { 28, 28, 28 },
	  { 0, 31, REASON_SVM_CR0_SEL_WRITE },
	  18175,
	  8618699 },
	{ "CPUID", { 10, 10, 10 }, { 114, 114, 114 }, 132076, 132252 },
	{ "I/O", { 30, 30, 30 }, { 123, 123, 123 }, 132365, 139731 },
	{ "violations of EPT or NPT, and its misconfigurations",
	  { 48, 49, 48 },
	  { 1024, 1024, 1024 },
	  35708 + 30422,
	  0 },
	{ "all exits", { 0, UINT32_MAX, 0 }, { 0, UINT32_MAX, 0 }, 449531, 11166598 },
};

/* Shadow paging's share: more, less, or as much. */
static int sign_of(double ept, double noept)
{
	if (fabs(noept - ept) <= SAME * fmax(ept, noept))
		return 0;
	return noept > ept ? 1 : -1;
}

static char *ratio_of(double ept, double noept)
{
	if (ept > 0)
		return words_double("%.2f", noept / ept);
	return g_strdup(noept > 0 ? "new" : "-");
}

static char *number_of(double value)
{
	return value < 1000 && value != floor(value) ? words_double("%.2f", value)
						     : words_count((uint64_t)value);
}

/* The cells that both tables have: two values and their ratio, of them and of us, and the sign. */
static void put_pair(GString *out, const double theirs[2], const double ours[2])
{
	const double *const both[] = { theirs, ours };

	for (int i = 0; i < 2; i++) {
		g_autofree char *ept = number_of(both[i][0]);
		g_autofree char *noept = number_of(both[i][1]);
		g_autofree char *ratio = ratio_of(both[i][0], both[i][1]);

		g_string_append_printf(out, " %s | %s | %s |", ept, noept, ratio);
	}
	g_string_append_printf(out, " %s |\n",
			       sign_of(theirs[0], theirs[1]) == sign_of(ours[0], ours[1]) ? "yes"
											  : "no");
}

/* ---- Operations ---- */

/* Ticks of one, in each run; false if a run has none. */
static bool ticks_of(const struct comparison *comparison, const char *workload, double ticks[2])
{
	const struct record_run *const runs[] = { comparison->a, comparison->b };

	for (int i = 0; i < 2; i++) {
		const struct record_operation *one = operation_find(runs[i], workload);
		const struct operation_fit fit =
			one != NULL ? operation_ticks(one) : (struct operation_fit){ false };

		if (!fit.known)
			return false;
		ticks[i] = fmax(fit.per_op, 0);
	}
	return true;
}

static void put_operations(GString *out, const struct comparison *comparison)
{
	const GPtrArray *all = comparison->a->operations;
	double most = 0, ticks[2];
	const char *dearest = NULL;

	/* Elsewhere the counter is a clock, and other work on the machine is in it. */
	if (comparison->a->platform.deterministic != RECORD_TRUE)
		return;
	for (guint i = 0; all != NULL && i < all->len; i++) {
		const struct record_operation *one = all->pdata[i];

		if (!ticks_of(comparison, one->workload, ticks) || ticks[0] <= 0 ||
		    ticks[1] / ticks[0] <= most)
			continue;
		most = ticks[1] / ticks[0];
		dearest = one->workload;
	}
	if (dearest == NULL)
		return;
	g_string_append_printf(
		out,
		"\n### One operation: time there, ticks of L2's time-stamp counter here\n\n"
		"| theirs | source | EPT, us | shadow, us | ratio | ours | %s | %s | ratio | same "
		"sign |\n"
		"|---|---|---:|---:|---:|---|---:|---:|---:|---|\n",
		comparison->label_a, comparison->label_b);
	for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
		const double theirs[2] = { times[i].ept, times[i].noept };
		g_autofree char *ratio = ratio_of(theirs[0], theirs[1]);
		g_autofree char *a = NULL, *b = NULL, *ours = NULL;

		g_string_append_printf(out, "| %s | %s | %.2f | %.2f | %s | `%s` |", times[i].what,
				       times[i].source, theirs[0], theirs[1], ratio, times[i].ours);
		if (!ticks_of(comparison, times[i].ours, ticks)) {
			g_string_append(out, " | | | not in this record |\n");
			continue;
		}
		a = words_count((uint64_t)(ticks[0] + 0.5));
		b = words_count((uint64_t)(ticks[1] + 0.5));
		ours = ratio_of(ticks[0], ticks[1]);
		g_string_append_printf(out, " %s | %s | %s | %s |\n", a, b, ours,
				       sign_of(theirs[0], theirs[1]) == sign_of(ticks[0], ticks[1])
					       ? "yes"
					       : "no");
	}
	g_string_append_printf(out,
			       "\nVMware, Performance Evaluation of Intel EPT Hardware Assist, "
			       "2009 (read): EPT gains "
			       "up to 600 %% in microbenchmarks of the MMU, up to 48 %% in "
			       "benchmarks. The largest "
			       "gain here is that of `%s`, %.0f %%.\n",
			       dearest, (most - 1) * 100);
}

/* ---- Reasons ---- */

static double sum_of(const struct record_run *run, const uint32_t range[3])
{
	double sum = 0;

	for (guint i = 0; i < run->exits->len; i++) {
		const struct record_exit *one = run->exits->pdata[i];

		if ((one->reason >= range[0] && one->reason <= range[1]) || one->reason == range[2])
			sum += (double)one->count;
	}
	return sum;
}

static void put_reasons(GString *out, const struct comparison *comparison)
{
	const bool svm = record_run_vendor(comparison->a) == KVM_EXITCOUNT_VENDOR_SVM;

	g_string_append_printf(
		out,
		"\n### Exits: a boot of Ubuntu 20.04 there (read), this record here\n\n"
		"| exits | EPT | shadow | ratio | %s | %s | ratio | same sign |\n"
		"|---|---:|---:|---:|---:|---:|---:|---|\n",
		comparison->label_a, comparison->label_b);
	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
		const uint32_t *range = svm ? reasons[i].svm : reasons[i].vmx;
		const double theirs[2] = { (double)reasons[i].ept, (double)reasons[i].noept };
		const double ours[2] = { sum_of(comparison->a, range),
					 sum_of(comparison->b, range) };

		g_string_append_printf(out, "| %s |", reasons[i].what);
		put_pair(out, theirs, ours);
	}
}

char *report_published(const struct report *report)
{
	const struct comparison *comparison = report->comparison;
	GString *out = g_string_new(NULL);
	g_autofree char *title = words_printable(report->title);

	g_string_append_printf(out, "## The record %s\n", title);
	if (comparison->b == NULL || record_run_nested(comparison->a) != RECORD_TRUE ||
	    record_run_nested(comparison->b) != RECORD_FALSE || comparison->a->exits == NULL ||
	    comparison->b->exits == NULL) {
		g_string_append(out, "\nIt is no pair of nested and shadow paging, so there is "
				     "nothing to hold beside what was published.\n");
		return g_string_free(out, FALSE);
	}
	put_operations(out, comparison);
	put_reasons(out, comparison);
	return g_string_free(out, FALSE);
}
