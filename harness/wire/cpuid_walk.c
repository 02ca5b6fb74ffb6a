/* SPDX-License-Identifier: GPL-2.0-only */
#include "wire/cpuid_walk.h"

#define REGISTERS 4

/*
 * The three ranges. EAX of the first leaf is the last one (SDM vol. 2A, "CPUID"; for the
 * hypervisor's Documentation/virt/kvm/x86/cpuid.rst).
 */
static const struct {
	uint32_t first;
	uint32_t most; /* leaves behind the first: more than any CPU has today */
} ranges[] = {
	{ 0x00000000, 0x29 },
	{ 0x40000000, 0x01 },
	{ 0x80000000, 0x28 },
};

/* What has been read of a leaf: its first answers, and the last one. */
struct answers {
	struct cpuid_leaf zero, one, last;
};

/*
 * Is there an answer number index, behind those before it? SDM vol. 2A, "CPUID": leaves 4, 7, 0xB,
 * 0xD, 0x14 and so on; APM vol. 3, appendix E: 0x8000001D.
 */
static bool has_more(const struct answers *so_far, uint32_t index)
{
	switch (so_far->zero.leaf) {
	case 0x4:
	case 0x8000001d: /* until there is no cache */
		return (so_far->last.eax & 0x1f) != 0 && index < 8;
	case 0xb:
	case 0x1f: /* until there is no level */
		return (so_far->last.ecx >> 8 & 0xff) != 0 && index < 6;
	case 0xd: /* one for each component of the XSAVE area */
		return index < 32;
	case 0xf:
	case 0x10:
		return index < 2;
	case 0x7:
	case 0x14:
	case 0x17:
	case 0x18:
	case 0x1d:
	case 0x20:
	case 0x24: /* EAX is the last */
		return index <= so_far->zero.eax && index < 4;
	default:
		return false;
	}
}

/* Components that there are not have no answer. */
static bool is_there(const struct answers *so_far, uint32_t index)
{
	return so_far->zero.leaf != 0xd || index < 2 ||
	       ((so_far->zero.eax | so_far->one.ecx) >> index & 1) != 0;
}

static bool walk_leaf(cpuid_walk_read read, void *data, uint32_t leaf)
{
	struct answers so_far = { .zero = { .leaf = leaf } };
	uint32_t index;

	if (!read(data, &so_far.zero))
		return false;
	so_far.last = so_far.zero;
	for (index = 1; has_more(&so_far, index); index++) {
		if (!is_there(&so_far, index))
			continue;
		so_far.last = (struct cpuid_leaf){ .leaf = leaf, .index = index };
		if (!read(data, &so_far.last))
			return false;
		if (index == 1)
			so_far.one = so_far.last;
	}
	return true;
}

bool cpuid_walk(cpuid_walk_read read, void *data)
{
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct cpuid_leaf first = { .leaf = ranges[i].first };
		uint32_t leaf;

		if (!read(data, &first))
			return false;
		for (leaf = first.leaf + 1;
		     leaf <= first.eax && leaf - first.leaf <= ranges[i].most; leaf++)
			if (!walk_leaf(read, data, leaf))
				return false;
	}
	return true;
}

size_t cpuid_leaf_pack(const struct cpuid_leaf *leaf, uint8_t *bytes)
{
	const uint32_t registers[REGISTERS] = { leaf->eax, leaf->ebx, leaf->ecx, leaf->edx };
	size_t length = 1;
	unsigned int i, byte;

	bytes[0] = 0;
	for (i = 0; i < REGISTERS; i++) {
		if (registers[i] == 0)
			continue;
		bytes[0] |= (uint8_t)(1 << i);
		for (byte = 0; byte < 4; byte++)
			bytes[length++] = (uint8_t)(registers[i] >> 8 * byte);
	}
	return length;
}

size_t cpuid_leaf_unpack(const uint8_t *bytes, size_t length, struct cpuid_leaf *leaf)
{
	uint32_t *const registers[REGISTERS] = { &leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx };
	size_t taken = 1;
	unsigned int i, byte;

	if (length == 0 || bytes[0] >> REGISTERS != 0)
		return 0;
	for (i = 0; i < REGISTERS; i++) {
		*registers[i] = 0;
		if ((bytes[0] >> i & 1) == 0)
			continue;
		if (length - taken < 4)
			return 0;
		for (byte = 0; byte < 4; byte++)
			*registers[i] |= (uint32_t)bytes[taken++] << 8 * byte;
		if (*registers[i] == 0)
			return 0;
	}
	return taken;
}
