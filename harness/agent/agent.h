/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_AGENT_H
#define EPTLAB_AGENT_AGENT_H

/*
 * The agent: this program as pid 1 of L1. Does the job of the job medium (model/job.h), reports it
 * to L0 in frames (model/l1_result.h), and powers L1 off. Returns only if it is not pid 1, with an
 * exit status.
 */
int agent_main(void);

/*
 * The agent where L1 is this machine: does the job in the folder that platform/local.c has filled,
 * and ends. What it does to KVM's modules is undone by the harness. Returns an exit status.
 */
int agent_here(const char *folder);

#endif
