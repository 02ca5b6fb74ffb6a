/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loaded into Bochs with LD_PRELOAD: time() that stands still.
 *
 * Bochs answers RDRAND and RDSEED with rand(), and seeds it with srand(time(NULL)) when it sets up
 * the CPU (cpu/init.cc). So whatever takes random numbers from the CPU (L1's and L2's kernels, for
 * their address layouts) would go another way in each second in which Bochs is started, and with it
 * the counts. Two boots side by side in the same second would be equal and hide that.
 */
#include <time.h>

#define FIXED_TIME 946684800 /* 2000-01-01, as time0 in bochs.c */

time_t time(time_t *result)
{
	if (result != NULL)
		*result = FIXED_TIME;
	return FIXED_TIME;
}
