/* SPDX-License-Identifier: GPL-2.0-only */
/* A probe that never speaks: what test_faults.c puts in the place of the real one. */
#include <unistd.h>

int main(void)
{
	for (;;)
		pause();
}
