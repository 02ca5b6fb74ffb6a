# SPDX-License-Identifier: GPL-2.0-only
#
# KVM's modules alone, for git bisect where commits differ in arch/x86/kvm only. Included by Makefile.
#
#   kvm KVM_TREE=PATH   build/kernel/l1/own: the kernel of the line as it is, and the modules of
#                  PATH/arch/x86/kvm with the line's series
#
# A tree of the line is laid out and prepared once; each time only those files are copied into it that
# are others than before, and Kbuild builds what depends on them.

KVM_WORK := $(BUILD)/linux/kvm
KVM_KEY := $(call key,kvm,$(call fragments,l1),$(SERIES_DIGEST))
KVM_FOLDER := arch/x86/kvm

$(KVM_WORK)/.$(KVM_KEY): WORK := $(KVM_WORK)
$(KVM_WORK)/.$(KVM_KEY): TREE := $(KVM_WORK)/source
$(KVM_WORK)/.$(KVM_KEY): | source
	@echo "preparing a tree of Linux $(LINE) for KVM's modules (once)" >&2
	rm -rf $(KVM_WORK)
	./lay-source $(LINE) $(FROM) $(TREE) "$(PARTS)"
	$(call configure,l1,$(L1_CONFIGS))
	$(KBUILD) -C $(TREE) O=$(WORK)/l1 modules_prepare
	touch $@

# Without the symbols of the rest of the kernel, which was not built here: modpost warns of each, and L1
# says when it loads a module whether they are there.
.PHONY: kvm
kvm: l1 $(KVM_WORK)/.$(KVM_KEY)
	./lay-kvm $(LINE) $(abspath $(KVM_TREE)) $(KVM_WORK)/source
	$(KBUILD) -C $(KVM_WORK)/source O=$(KVM_WORK)/l1 M=$(KVM_WORK)/source/$(KVM_FOLDER) \
		KBUILD_MODPOST_WARN=1 modules > $(KVM_WORK)/said 2>&1 || { cat $(KVM_WORK)/said >&2; exit 1; }
	rm -rf $(OUT)/l1/own
	mkdir -p $(OUT)/l1/own/modules
	cp -r $(OUT)/l1/$(L1_NAME)/bzImage $(OUT)/l1/$(L1_NAME)/extra-modules $(OUT)/l1/own/
	cp $(OUT)/l1/$(L1_NAME)/modules/irqbypass.ko $(KVM_WORK)/source/$(KVM_FOLDER)/kvm.ko \
		$(KVM_WORK)/source/$(KVM_FOLDER)/kvm-intel.ko $(KVM_WORK)/source/$(KVM_FOLDER)/kvm-amd.ko \
		$(OUT)/l1/own/modules/
	strip --strip-debug $(OUT)/l1/own/modules/*.ko
	{ \
		sed '/^\[build_id\]/,$$d; s/^line = .*/line = own/' $(OUT)/l1/$(L1_NAME)/kernel.conf; \
		echo '[build_id]'; \
		for module in $(OUT)/l1/own/modules/*.ko; do \
			echo "$$(basename $$module .ko | tr - _) = $$(readelf -n $$module | sed -n 's/.*Build ID: //p')"; \
		done; \
	} > $(OUT)/l1/own/kernel.conf
