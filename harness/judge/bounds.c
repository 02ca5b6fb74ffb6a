/* SPDX-License-Identifier: GPL-2.0-only */
#include "judge/bounds.h"

#include <math.h>
#include <string.h>

#include "record/operations.h"
#include "record/reasons.h"
#include "record/words.h"

static const char *const comparisons[] = { "<=", ">=", "==", "<", ">" };

enum what {
	OF_REASON,
	OF_ALL,
	OF_TICKS,
};

struct bound {
	char *text;	 /* as it was given */
	char *config;	 /* of the run */
	char *operation; /* NULL: the workload */
	char *reason;	 /* of OF_REASON: a number or a name */
	enum what what;
	size_t comparison;
	double limit;
};

void bound_free(struct bound *bound)
{
	if (bound == NULL)
		return;
	g_free(bound->text);
	g_free(bound->config);
	g_free(bound->operation);
	g_free(bound->reason);
	g_free(bound);
}

/* ---- Reading ---- */

static bool is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* The number of a reason of that vendor; REASON_NONE if it has none of this name. */
static uint32_t find_reason(uint32_t vendor, const char *text)
{
	guint64 number;

	if (is_number(text))
		return g_ascii_string_to_unsigned(text, 10, 0, UINT32_MAX - 1, &number, NULL)
			       ? (uint32_t)number
			       : REASON_NONE;
	for (uint32_t reason = 0; reason <= reason_highest(vendor); reason++)
		if (g_strcmp0(reason_name(vendor, reason), text) == 0)
			return reason;
	return REASON_NONE;
}

static bool is_reason(const char *text)
{
	return find_reason(KVM_EXITCOUNT_VENDOR_VMX, text) != REASON_NONE ||
	       find_reason(KVM_EXITCOUNT_VENDOR_SVM, text) != REASON_NONE;
}

static bool take_what(struct bound *bound, const char *what)
{
	if (g_str_equal(what, "ticks"))
		bound->what = OF_TICKS;
	else if (g_str_equal(what, "total") || g_str_equal(what, "exits"))
		bound->what = OF_ALL;
	else if (is_reason(what))
		bound->reason = g_strdup(what);
	else
		return false;
	return true;
}

static bool take_limit(struct bound *bound, const char *text)
{
	char *end;

	bound->limit = g_ascii_strtod(text, &end);
	return end != text && *end == '\0' && isfinite(bound->limit) && bound->limit >= 0;
}

static bool take_name(struct bound *bound, const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, ":", -1);
	const guint count = g_strv_length(parts);

	if (count < 2 || count > 3 || !record_is_name(parts[0]) ||
	    (count == 3 && !record_is_name(parts[1])))
		return false;
	bound->config = g_strdup(parts[0]);
	bound->operation = count == 3 ? g_strdup(parts[1]) : NULL;
	return take_what(bound, parts[count - 1]);
}

static bool parse(struct bound *bound, const char *text)
{
	const char *sign = strpbrk(text, "<>=");
	g_autofree char *name = sign != NULL ? g_strndup(text, (gsize)(sign - text)) : NULL;
	g_autofree char *limit = NULL;

	if (sign == NULL)
		return false;
	while (bound->comparison < G_N_ELEMENTS(comparisons) &&
	       !g_str_has_prefix(sign, comparisons[bound->comparison]))
		bound->comparison++;
	if (bound->comparison == G_N_ELEMENTS(comparisons))
		return false;
	limit = g_strdup(sign + strlen(comparisons[bound->comparison]));
	return take_name(bound, g_strstrip(name)) && take_limit(bound, g_strstrip(limit));
}

struct bound *bound_parse(const char *text, GError **error)
{
	g_autoptr(struct_bound) bound = g_new0(struct bound, 1);

	bound->text = g_strdup(text);
	if (parse(bound, text))
		return g_steal_pointer(&bound);
	return eptlab_null(error, EPTLAB_ERROR_USAGE,
			   "L0: --expect '%s' is not understood; give CONFIGURATION:REASON or "
			   "CONFIGURATION:OPERATION:REASON, <=, >=, ==, < or >, and a number, such "
			   "as 'noept:0 <= 3700' or 'noept:fork:exits <= 60' (beside a reason: "
			   "total, exits, ticks)",
			   text);
}

/* An operation may have its points behind a ':'. */
static bool has(char **names, const char *name)
{
	const size_t length = strlen(name);

	for (char **one = names; *one != NULL; one++)
		if (strncmp(*one, name, length) == 0 && strchr(":", (*one)[length]) != NULL)
			return true;
	return false;
}

bool bound_fits(const struct bound *bound, char **configurations, char **operations, GError **error)
{
	if (!has(configurations, bound->config))
		return eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: --expect '%s' is about %s, which is none of the "
				   "configurations of this experiment; add it to "
				   "experiment.configurations",
				   bound->text, bound->config);
	if (bound->operation == NULL || has(operations, bound->operation) || has(operations, "all"))
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_USAGE,
		"L0: --expect '%s' is about the operation %s, which this experiment does "
		"not do; add it to experiment.operations",
		bound->text, bound->operation);
}

/* ---- Judging ---- */

static bool operation_number(const struct bound *bound, const struct record_run *run,
			     double *number)
{
	const struct record_operation *operation = operation_find(run, bound->operation);
	struct operation_fit fit;

	if (operation == NULL)
		return false;
	if (bound->what == OF_TICKS)
		fit = operation_ticks(operation);
	else if (bound->what == OF_ALL)
		fit = operation_total(operation);
	else
		fit = operation_exits(operation,
				      find_reason(record_run_vendor(run), bound->reason));
	*number = fmax(fit.per_op, 0);
	return fit.known;
}

static bool run_number(const struct bound *bound, const struct record_run *run, double *number)
{
	const struct record_exit *one;

	if (bound->what == OF_TICKS) {
		*number = (double)run->ticks.value;
		return run->ticks.known;
	}
	if (bound->what == OF_ALL) {
		*number = (double)run->total.value;
		return run->total.known;
	}
	one = record_find_exit(run->exits, find_reason(record_run_vendor(run), bound->reason));
	*number = one != NULL ? (double)one->count : 0;
	return one != NULL;
}

static bool compares(const struct bound *bound, double number)
{
	const char *comparison = comparisons[bound->comparison];

	return (number < bound->limit && *comparison == '<') ||
	       (number > bound->limit && *comparison == '>') ||
	       (number == bound->limit && comparison[1] == '=');
}

enum bound_verdict bound_judge(const struct bound *bound, const struct record *record, char **said)
{
	const struct record_run *run = record_find_run(record, bound->config);
	g_autofree char *words = NULL;
	double number = 0;
	bool holds;

	/* By the vendor's names: another vendor's reason is none of this CPU. */
	if (run == NULL ||
	    !(bound->operation != NULL ? operation_number(bound, run, &number)
				       : run_number(bound, run, &number)) ||
	    (bound->what == OF_REASON &&
	     find_reason(record_run_vendor(run), bound->reason) == REASON_NONE)) {
		*said = g_strdup_printf("%s: not known, the record has no such number",
					bound->text);
		return BOUND_UNKNOWN;
	}
	holds = compares(bound, number);
	words = number == floor(number) ? words_count((uint64_t)number)
					: words_double("%.2f", number);
	*said = g_strdup_printf("%s: %s, it is %s", bound->text, holds ? "holds" : "DOES NOT HOLD",
				words);
	return holds ? BOUND_HOLDS : BOUND_BROKEN;
}
