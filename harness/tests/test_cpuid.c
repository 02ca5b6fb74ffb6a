/* SPDX-License-Identifier: GPL-2.0-only */
/* Which CPU L2 has: the walk over its leaves, and how they travel. */
#include "wire/cpuid_walk.h"
#include "tests/test.h"

/* A CPU that was made up. What is not here is 0, as an AMD CPU answers. */
struct cpu {
	const struct cpuid_leaf *leaves;
	size_t count;
	GString *visited;
	size_t reads;
	size_t fail_at; /* that read is the last; 0: none is */
};

static bool read_cpu(void *data, struct cpuid_leaf *leaf)
{
	struct cpu *cpu = data;

	if (++cpu->reads == cpu->fail_at)
		return false;
	g_string_append_printf(cpu->visited, "%s%X", cpu->visited->len > 0 ? " " : "", leaf->leaf);
	if (leaf->index > 0)
		g_string_append_printf(cpu->visited, ".%u", leaf->index);
	for (size_t i = 0; i < cpu->count; i++) {
		if (cpu->leaves[i].leaf == leaf->leaf && cpu->leaves[i].index == leaf->index)
			*leaf = cpu->leaves[i];
	}
	return true;
}

static void assert_walk(struct cpu *cpu, bool good, const char *expected)
{
	g_autoptr(GString) visited = g_string_new(NULL);

	cpu->visited = visited;
	cpu->reads = 0;
	assert_int_equal(cpuid_walk(read_cpu, cpu), good);
	assert_string_equal(visited->str, expected);
}

/* Caches end with type 0, levels with type 0, and XSAVE has a component for each bit of two masks.
 */
TEST(leaves_with_more_than_one_answer)
{
	static const struct cpuid_leaf leaves[] = {
		{ 0x0, 0, 0xd, 0, 0, 0 },
		{ 0x4, 0, 0x121, 0, 0, 0 },
		{ 0x4, 1, 0x122, 0, 0, 0 },
		{ 0x7, 0, 1, 0, 0, 0 },
		{ 0xb, 0, 1, 0, 0x100, 0 },
		{ 0xd, 0, 0x7, 0, 0, 0 },
		{ 0xd, 1, 0, 0, 0x100, 0 },
		{ 0x40000000, 0, 0x40000001, 0, 0, 0 },
		{ 0x80000000, 0, 0x80000001, 0, 0, 0 },
	};
	struct cpu cpu = { .leaves = leaves, .count = G_N_ELEMENTS(leaves) };
	static const char all[] =
		"0 1 2 3 4 4.1 4.2 5 6 7 7.1 8 9 A B B.1 C D D.1 D.2 D.8 40000000 "
		"40000001 80000000 80000001";

	assert_walk(&cpu, true, all);
	cpu.fail_at = 3;
	assert_walk(&cpu, false, "0 1");
}

/* A range may be empty, or begin with what is not its own: Intel answers with the highest basic
 * leaf. */
TEST(ranges_that_are_not_there)
{
	static const struct cpuid_leaf leaves[] = {
		{ 0x0, 0, 0, 0, 0, 0 },
		{ 0x40000000, 0, 7, 832, 832, 0 },
		{ 0x80000000, 0, 7, 832, 832, 0 },
	};
	struct cpu cpu = { .leaves = leaves, .count = G_N_ELEMENTS(leaves) };

	assert_walk(&cpu, true, "0 40000000 80000000");
}

static bool all_ones(void *data, struct cpuid_leaf *leaf)
{
	leaf->eax = leaf->ebx = leaf->ecx = leaf->edx = UINT32_MAX;
	return ++*(size_t *)data <= CPUID_WALK_MOST;
}

/* Whatever a CPU says, there is room for it. */
TEST(walk_is_bounded)
{
	size_t reads = 0;

	assert_true(cpuid_walk(all_ones, &reads));
	assert_true(reads > 100);
}

TEST(leaf_is_packed)
{
	static const struct {
		struct cpuid_leaf leaf;
		const char *bytes;
		size_t length;
	} cases[] = {
		{ { 1, 0, 0, 0, 0, 0 }, "\x00", 1 },
		{ { 1, 0, 0x04030201, 0, 0, 0 }, "\x01\x01\x02\x03\x04", 5 },
		{ { 1, 0, 0, 1, 0, 0x80000000 }, "\x0a\x01\x00\x00\x00\x00\x00\x00\x80", 9 },
		{ { 1, 0, UINT32_MAX, 2, 3, 4 },
		  "\x0f\xff\xff\xff\xff\x02\0\0\0\x03\0\0\0\x04\0\0\0",
		  CPUID_LEAF_MOST },
	};

	test_each (row, cases) {
		struct cpuid_leaf back = { 1, 0, 9, 9, 9, 9 };
		uint8_t bytes[CPUID_LEAF_MOST];

		assert_int_equal(cpuid_leaf_pack(&row->leaf, bytes), row->length);
		assert_memory_equal(bytes, row->bytes, row->length);
		assert_int_equal(cpuid_leaf_unpack(bytes, row->length, &back), row->length);
		assert_memory_equal(&back, &row->leaf, sizeof(back));
		/* Cut off anywhere it is none. */
		for (size_t length = 0; length < row->length; length++)
			assert_int_equal(cpuid_leaf_unpack(bytes, length, &back), 0);
	}
}

TEST(bytes_that_are_no_leaf)
{
	static const struct {
		const char *bytes;
		size_t length;
	} cases[] = {
		{ "\x10", 1 },	       /* a fifth register */
		{ "\x01\0\0\0\0", 5 }, /* a 0 that should not be there */
		{ "\x03\x01\0\0\0\0\0\0\0", 9 },
	};

	test_each (row, cases) {
		struct cpuid_leaf leaf;

		assert_int_equal(cpuid_leaf_unpack((const uint8_t *)row->bytes, row->length, &leaf),
				 0);
	}
}
