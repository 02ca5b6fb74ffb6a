/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/reading.h"

static void clear_reading(gpointer data)
{
	struct reading *reading = data;

	g_free(reading->title);
	g_free(reading->heading);
	g_free(reading->wrong);
}

GArray *readings_new(void)
{
	GArray *readings = g_array_new(FALSE, FALSE, sizeof(struct reading));

	g_array_set_clear_func(readings, clear_reading);
	return readings;
}
