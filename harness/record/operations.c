/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/operations.h"

#include <math.h>

/* What is counted at a point. */
typedef double (*measure)(const struct record_point *point, uint32_t reason);

static double exits_at(const struct record_point *point, uint32_t reason)
{
	return (double)exits_count(point->exits, reason);
}

static double total_at(const struct record_point *point, uint32_t unused G_GNUC_UNUSED)
{
	double sum = 0;

	for (guint i = 0; i < point->exits->len; i++)
		sum += (double)((const struct record_exit *)point->exits->pdata[i])->count;
	return sum;
}

static double ticks_at(const struct record_point *point, uint32_t unused G_GNUC_UNUSED)
{
	return (double)point->ticks;
}

/* About the middle of the points, where a slope of large numbers is most exact. */
static struct operation_fit fit(const struct record_operation *operation, measure of,
				uint32_t reason)
{
	const GPtrArray *points = operation->points;
	double n = 0, value = 0, square = 0, product = 0;
	struct operation_fit fit = { 0 };

	for (guint i = 0; i < points->len; i++) {
		n += (double)((const struct record_point *)points->pdata[i])->n / points->len;
		value += of(points->pdata[i], reason) / points->len;
	}
	for (guint i = 0; i < points->len; i++) {
		const struct record_point *point = points->pdata[i];

		square += ((double)point->n - n) * ((double)point->n - n);
		product += ((double)point->n - n) * (of(point, reason) - value);
	}
	if (!(square > 0))
		return fit;
	fit.known = true;
	fit.per_op = product / square;
	for (guint i = 0; i < points->len; i++) {
		const struct record_point *point = points->pdata[i];
		const double line = value + fit.per_op * ((double)point->n - n);

		fit.residual = fmax(fit.residual, fabs(of(point, reason) - line));
	}
	return fit;
}

struct operation_fit operation_exits(const struct record_operation *operation, uint32_t reason)
{
	return fit(operation, exits_at, reason);
}

struct operation_fit operation_total(const struct record_operation *operation)
{
	return fit(operation, total_at, 0);
}

struct operation_fit operation_ticks(const struct record_operation *operation)
{
	return fit(operation, ticks_at, 0);
}

const struct record_operation *operation_find(const struct record_run *run, const char *workload)
{
	for (guint i = 0; run->operations != NULL && i < run->operations->len; i++) {
		const struct record_operation *one = run->operations->pdata[i];

		if (g_str_equal(one->workload, workload))
			return one;
	}
	return NULL;
}

GArray *operation_reasons(const struct record_operation *operation)
{
	g_autoptr(GPtrArray) all = record_exits_new();
	GArray *reasons = record_reasons_new();

	for (guint i = 0; i < operation->points->len; i++) {
		const struct record_point *point = operation->points->pdata[i];

		for (guint j = 0; j < point->exits->len; j++)
			exits_add(all, ((const struct record_exit *)point->exits->pdata[j])->reason,
				  NULL, 0);
	}
	for (guint i = 0; i < all->len; i++)
		g_array_append_val(reasons, ((struct record_exit *)all->pdata[i])->reason);
	return reasons;
}
