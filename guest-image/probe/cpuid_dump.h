/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_PROBE_CPUID_DUMP_H
#define EPTLAB_PROBE_CPUID_DUMP_H

#include "report.h"

/*
 * Which CPU this VM has: read all leaves of CPUID (harness/wire/cpuid_walk.h), and send them in
 * frames "cpuid data=", packed, in base64 without its '='. Each leaf is an exit, so it is to come
 * after the counts have been read. False if the answers have no room, which no CPU has been seen to
 * need.
 */
bool cpuid_dump(struct report *report);

#endif
