/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_X86_VMX_VMX_EXITCOUNT_H
#define __KVM_X86_VMX_VMX_EXITCOUNT_H

#include "exitcount.h"
#include "vmx.h"

extern const struct kvm_exitcount_vendor vmx_exitcount_vendor;

#endif /* __KVM_X86_VMX_VMX_EXITCOUNT_H */
