/* SPDX-License-Identifier: GPL-2.0-only */
/* What a dose has cost against what it must. */
#include "judge/rules_checks.h"

#include <inttypes.h>

#include "judge/doses.h"
#include "wire/job.h"

struct rule_result rules_check_dose(const struct record_run *a)
{
	const struct record_run *run = a;
	const struct dose *dose = a->workload != NULL ? doses_find(a->workload) : NULL;
	const struct dose_setting setting = {
		.vendor = record_run_vendor(run),
		.nested = run->l2_in_effect.ept,
		.invd_is_wbinvd = dose_invd_is_wbinvd(&run->platform),
	};
	const char *expected = "what docs/doses.md says, to the exit";
	char *wrong;

	if (a->workload == NULL)
		return unknown("the workload", expected);
	if (!job_is_dose(a->workload) || dose == NULL)
		return not_applicable("the workload is no single dose");
	if (!run->dose.known || !run->l2_in_effect.known || run->exits == NULL)
		return unknown("the two readings, or what is in effect", expected);
	wrong = dose_deviation(dose, run->dose.n, &setting, run->dose.cpuids, run->exits);
	if (wrong != NULL)
		return judged(false, wrong, expected);
	return judged(true,
		      g_strdup_printf("as derived for n = %" PRIu64 ", %" PRIu64
				      " CPUIDs of the reader apart",
				      run->dose.n, run->dose.cpuids),
		      expected);
}
