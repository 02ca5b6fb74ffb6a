/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_WIRE_CPUID_WALK_H
#define EPTLAB_WIRE_CPUID_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All that CPUID tells about a CPU: the basic leaves, a hypervisor's, the extended ones, and of
 * those that have more than one answer each. Nothing but libc is needed: the probe in L2 walks over
 * its CPU, and L0 in the same order over what the probe has sent, so that no answer needs to say
 * which one it is.
 */
struct cpuid_leaf {
	uint32_t leaf;
	uint32_t index; /* ECX */
	uint32_t eax, ebx, ecx, edx;
};

/* At most so many leaves: each range and each leaf's answers are bounded, whatever a CPU says. */
#define CPUID_WALK_MOST 192

/* Fill in the registers of a leaf; false ends the walk. */
typedef bool (*cpuid_walk_read)(void *data, struct cpuid_leaf *leaf);

/* False if read was. */
bool cpuid_walk(cpuid_walk_read read, void *data);

/*
 * A leaf in few bytes: one that says which registers are not 0 (bit 0: EAX, ... bit 3: EDX), then
 * those, least significant byte first.
 */
#define CPUID_LEAF_MOST	  17
#define CPUID_PACKED_MOST ((size_t)CPUID_WALK_MOST * CPUID_LEAF_MOST)
size_t cpuid_leaf_pack(const struct cpuid_leaf *leaf, uint8_t *bytes);

/*
 * The registers of such a leaf. Returns how many of the length bytes it took; 0 if they are no
 * leaf, or one that cpuid_leaf_pack would have written in another way.
 */
size_t cpuid_leaf_unpack(const uint8_t *bytes, size_t length, struct cpuid_leaf *leaf);

#endif
