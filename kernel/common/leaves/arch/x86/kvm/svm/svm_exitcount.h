/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_X86_SVM_SVM_EXITCOUNT_H
#define __KVM_X86_SVM_SVM_EXITCOUNT_H

#include "exitcount.h"
#include "svm.h"

extern const struct kvm_exitcount_vendor svm_exitcount_vendor;

#endif /* __KVM_X86_SVM_SVM_EXITCOUNT_H */
