# SPDX-License-Identifier: GPL-2.0-only
#
# KVM modules for L1's kernel that are not what they should be. Included by Makefile.
#
#   faults   build/kernel/faults/NAME/*.ko   faults/NAME.patch on top of the series: what eptlab
#                                            conform must find
#   bench    build/kernel/bench/NAME/*.ko    bench/NAME.patch without the series: what the benchmark
#                                            compares with

FAULTS := $(basename $(notdir $(wildcard faults/*.patch)))
BENCHES := $(basename $(notdir $(wildcard bench/*.patch)))
variant_key = $(shell (echo $(L1_KEY); cat $(1) variants.mk) | sha256sum | cut -c 1-24)

.PHONY: faults bench $(addprefix build-fault-,$(FAULTS)) $(addprefix build-bench-,$(BENCHES))

# $(1): the folder in build/kernel and of the patch, $(2): its name, $(3): the target that builds it.
define variant
$(1): $$(OUT)/$(1)/$(2)/.$$(call variant_key,$(1)/$(2).patch)
$$(OUT)/$(1)/$(2)/.$$(call variant_key,$(1)/$(2).patch):
	$$(call from_cache,$(1)/$(2),variant-$(2)-$$(call variant_key,$(1)/$(2).patch),$(3))
endef
$(foreach name,$(FAULTS),$(eval $(call variant,faults,$(name),build-fault-$(name))))
$(foreach name,$(BENCHES),$(eval $(call variant,bench,$(name),build-bench-$(name))))

$(addprefix build-fault-,$(FAULTS)): build-fault-%: build-l1
	$(call build_otherwise,$(PATCH) < faults/$*.patch,$(PATCH) -R < faults/$*.patch,faults/$*)

$(addprefix build-bench-,$(BENCHES)): build-bench-%: build-l1
	$(call build_otherwise,$(TAKE_OFF); $(PATCH) < bench/$*.patch,$(PATCH) -R < bench/$*.patch; $(PUT_ON),bench/$*)
