/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_WITNESS_H
#define EPTLAB_AGENT_WITNESS_H

#include <stdbool.h>
#include <glib.h>

/*
 * The kernel's own counters in L1, beside those of the leaves or, where the counts come from the
 * tracepoint, instead of them: then there is the first histogram only. Both are of kvm:kvm_exit by
 * exit_reason (Documentation/trace/histogram.rst): one is stopped by the tracepoint kvm:kvm_cpuid
 * when L2 asks for a latch (leaf 0x4FFFFF02 with ECX = 0, which only the last reading of a probe
 * gives, whatever KVM answers), so that it covers the very interval of the latched counts; the
 * other one goes on until L2 stands still. They begin with triggers_arm, when KVM is loaded and no
 * VM running, and end with triggers_disarm (kmod/triggers.h).
 */

/* Mount tracefs. Once. EPTLAB_ERROR_L1. */
bool witness_mount(GError **error);

/*
 * Record these tracepoints ("system:event", with ';' between) to the ring buffer from now on; the
 * buffer wraps, nobody reads it. EPTLAB_ERROR_L1 if one does not exist.
 */
bool witness_trace(const char *tracepoints, GError **error);
bool witness_untrace(GError **error);

/* The histograms as tracefs shows them. The caller frees them. EPTLAB_ERROR_L1. */
char *witness_at_latch(GError **error);
char *witness_at_end(GError **error);

#endif
