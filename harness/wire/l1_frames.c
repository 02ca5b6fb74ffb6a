/* SPDX-License-Identifier: GPL-2.0-only */
#include "wire/l1_frames.h"

const char *const l1_end_names[L1_END_COUNT] = {
	[L1_END_ENDED] = "ended",	  [L1_END_HELD] = "held",   [L1_END_CRASHED] = "crashed",
	[L1_END_TIMED_OUT] = "timed_out", [L1_END_STUCK] = "stuck",
};
