/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_COLLECT_KVM_STATS_H
#define EPTLAB_COLLECT_KVM_STATS_H

#include <stddef.h>
#include <glib.h>

#include "record/record.h"

/*
 * KVM's own statistics (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD; in Linux since commit
 * cb082bfab59a, which is in 5.14), as QEMU gives them: its answer to query-stats (qapi/stats.json),
 *
 *	{"return": [{"provider": "kvm", "qom-path": PATH, "stats":
 *		[{"name": NAME, "value": VALUE}]}]}
 *
 * with a list for each vCPU, or one for the VM. A value is a number; true or false, which is a
 * state and no count, and is left out; or a list of numbers: the buckets of a histogram, whatever
 * their size is.
 */
struct kvm_stats {
	char *missing;	       /* one clause: why there are none; else NULL */
	GPtrArray *counts;     /* of struct record_statistic, in QEMU's order */
	GPtrArray *histograms; /* of struct kvm_histogram */
};

struct kvm_histogram {
	char *name;
	GArray *buckets; /* of uint64_t */
};

/*
 * What text says, which came from L1 as file; those of several vCPUs are added. NULL with
 * EPTLAB_ERROR_L1 if QEMU does not write such an answer. Free with kvm_stats_free.
 */
struct kvm_stats *kvm_stats_parse(const char *file, const char *text, size_t length,
				  GError **error);
void kvm_stats_free(struct kvm_stats *stats);

typedef struct kvm_stats struct_kvm_stats;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_kvm_stats, kvm_stats_free)

/* The histogram of that name, or NULL. */
const struct kvm_histogram *kvm_stats_histogram(const struct kvm_stats *stats, const char *name);

#endif
