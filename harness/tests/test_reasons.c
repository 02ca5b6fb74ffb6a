/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/reasons.h"
#include "tests/test.h"

#define VMX KVM_EXITCOUNT_VENDOR_VMX
#define SVM KVM_EXITCOUNT_VENDOR_SVM

/* Numbers and meanings from SDM vol. 3, table C-1; names as KVM spells them in <asm/vmx.h>. */
TEST(names_are_those_of_the_sdm)
{
	static const struct {
		uint32_t reason;
		const char *name;
	} expected[] = {
		{ 0, "EXCEPTION_NMI" },
		{ 1, "EXTERNAL_INTERRUPT" },
		{ 7, "INTERRUPT_WINDOW" },
		{ 10, "CPUID" },
		{ 12, "HLT" },
		{ 14, "INVLPG" },
		{ 28, "CR_ACCESS" },
		{ 29, "DR_ACCESS" },
		{ 30, "IO_INSTRUCTION" },
		{ 31, "MSR_READ" },
		{ 32, "MSR_WRITE" },
		{ 46, "GDTR_IDTR" },
		{ 47, "LDTR_TR" },
		{ 48, "EPT_VIOLATION" },
		{ 49, "EPT_MISCONFIG" },
		{ 54, "WBINVD" },
		{ 55, "XSETBV" },
		{ 58, "INVPCID" },
	};

	test_each (row, expected)
		assert_string_equal(reason_name(VMX, row->reason), row->name);
	assert_int_equal(REASON_EPT_VIOLATION, 48);
	assert_int_equal(REASON_CPUID, 10);
}

TEST(undefined_reasons_have_no_name)
{
	static const uint32_t undefined[] = { 35, 38, 42, 1000, 0x400, 0x80000000, UINT32_MAX };

	test_each (row, undefined) {
		assert_null(reason_name(VMX, *row));
		assert_false(reason_is_defined(VMX, *row));
	}
}

TEST(highest_is_defined_and_nothing_above)
{
	uint32_t reason;

	assert_true(reason_is_defined(VMX, reason_highest(VMX)));
	for (reason = reason_highest(VMX) + 1; reason < reason_highest(VMX) + 200; reason++)
		assert_false(reason_is_defined(VMX, reason));
	/* 74 (bus lock) was in the SDM in 2021 already. */
	assert_true(reason_highest(VMX) >= 74);
}

TEST(no_name_stands_for_two_reasons)
{
	uint32_t a, b;

	for (a = 0; a <= reason_highest(VMX); a++)
		for (b = a + 1; b <= reason_highest(VMX); b++)
			if (reason_name(VMX, a) && reason_name(VMX, b))
				assert_string_not_equal(reason_name(VMX, a), reason_name(VMX, b));
}

TEST(paging_reasons_are_explained)
{
	static const uint32_t expected[] = { 0, 14, 28, 48, 49, 58 };
	size_t found = 0;
	uint32_t reason;

	test_each (row, expected) {
		const struct reason_paging *paging = reason_paging(VMX, *row);

		assert_non_null(paging);
		assert_int_equal(paging->reason, *row);
		assert_true(strlen(paging->explanation) > 20);
		assert_null(strchr(paging->explanation, '\n'));
		assert_says(paging->source, "SDM vol. 3, \"");
	}
	for (reason = 0; reason < 2000; reason++)
		found += reason_paging(VMX, reason) != NULL;
	assert_int_equal(found, G_N_ELEMENTS(expected));
	assert_null(reason_paging(VMX, UINT32_MAX));
}

/* Exit codes and meanings from APM vol. 2, appendix C; names as KVM spells them in <asm/svm.h>. */
TEST(svm_has_its_own)
{
	static const struct {
		uint32_t reason;
		const char *name;
	} expected[] = {
		{ 0x13, "WRITE_CR3" }, { 0x60, "INTR" },     { 0x72, "CPUID" },
		{ 0x78, "HLT" },       { 0x79, "INVLPG" },   { 0x7b, "IOIO" },
		{ 0x7c, "MSR" },       { 0x7f, "SHUTDOWN" }, { 0x400, "NPF" },
		{ 0x403, "VMGEXIT" },
	};
	size_t i;

	test_each (row, expected)
		assert_string_equal(reason_name(SVM, row->reason), row->name);
	assert_int_equal(reason_highest(SVM), 0x403);
	assert_int_equal(reason_of_cpuid(SVM), 0x72);
	assert_int_equal(reason_of_cpuid(VMX), 10);
	assert_int_equal(reason_of_interrupt(SVM), 0x60);
	assert_int_equal(reason_of_interrupt(VMX), 1);
	/* What is between the two parts is not defined. */
	for (i = 0x100; i < 0x400; i++)
		assert_null(reason_name(SVM, (uint32_t)i));
	assert_null(reason_name(VMX, 0x400));
	assert_non_null(reason_paging(SVM, 0x400));
	assert_non_null(reason_paging(SVM, 0x4e));
	assert_null(reason_paging(SVM, 0));
}
