/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_X86_VMX_VMX_EXITCOUNT_H
#define __KVM_X86_VMX_VMX_EXITCOUNT_H

#include "exitcount.h"
#include "vmx.h"

extern const struct kvm_exitcount_ops vmx_exitcount_ops;

int vmx_exitcount_check_reasons(int (*const handlers[])(struct kvm_vcpu *),
				unsigned int nr_handlers) __init;

#endif /* __KVM_X86_VMX_VMX_EXITCOUNT_H */
