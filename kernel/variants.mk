# SPDX-License-Identifier: GPL-2.0-only
#
# KVM modules for L1's kernel that are not what they should be. Included by Makefile.
#
#   stock    build/kernel/stock/*.ko         without the series: what the tests must catch
#   statistics   build/kernel/statistics/*.ko   with its first part alone
#   faults   build/kernel/faults/NAME/*.ko   NAME.patch on top of the series: what eptlab conform must
#                                            find
#   bench    build/kernel/bench/NAME/*.ko    NAME.patch without the series: what the benchmark compares
#                                            with
#
# A patch of what is common stands in faults/, one of what a line has in lines/LINE/faults and
# lines/LINE/bench.

FAULT_PATCHES := $(wildcard faults/*.patch lines/$(LINE)/faults/*.patch)
BENCH_PATCHES := $(wildcard lines/$(LINE)/bench/*.patch)
variant_key = variant-$(shell (echo $(L1_KEY); $(call without_comments,variants.mk); \
	$(call without_messages,$(1) /dev/null)) | sha256sum | cut -c 1-24)

PATCH := patch -s -p1 -F0 --no-backup-if-mismatch -d $(TREE)
# Without the series nothing builds what is common.
take_off = for patch in $(shell echo $(1) | tr ' ' '\n' | tac); do $(PATCH) -R < $$patch || exit 1; done
put_on = for patch in $(1); do $(PATCH) < $$patch || exit 1; done
TAKE_OFF = $(call take_off,$(PATCHES))
PUT_ON = $(call put_on,$(PATCHES))
LEAVES = $(addprefix lines/$(LINE)/,$(shell cat lines/$(LINE)/series-leaves))

# KVM's modules from another source: $(1) makes it of the one with the series, $(2) makes that again,
# and $(3) is the folder in build/kernel. The stamp goes first and comes back last: wherever this ends
# in between, the next make unpacks the source anew. Kbuild goes by times: where the series was taken off, the
# header that vmlinux depends on as well gets its old one back, and it is KVM's objects alone that are made
# again.
HEADER := arch/x86/include/asm/kvm_host.h
define build_otherwise
	rm -f $(TREE)/.series-*
	cp -p $(TREE)/$(HEADER) $(WORK)/header
	$(1)
	$(KBUILD) -C $(TREE) O=$(WORK)/l1 modules
	rm -rf $(NEW)/$(3)
	$(call collect_modules,$(NEW)/$(3),$(MODULES))
	$(2)
	if [ $(TREE)/$(HEADER) -nt $(WORK)/header ]; then \
		cp -p $(WORK)/header $(TREE)/$(HEADER) && \
		find $(WORK)/l1/arch/x86/kvm $(WORK)/l1/virt -name '*.o' -delete || exit 1; \
	fi
	touch $(TREE)/.$(SERIES_KEY)
endef

.PHONY: stock statistics faults bench build-stock build-statistics
stock: $(OUT)/stock/.$(call variant_key)
$(OUT)/stock/.$(call variant_key): | source
	$(call from_cache,stock,$(call variant_key),build-stock)
build-stock: build-l1
	$(call build_otherwise,$(TAKE_OFF),$(PUT_ON),stock)

statistics: $(OUT)/statistics/.$(call variant_key)
$(OUT)/statistics/.$(call variant_key): | source
	$(call from_cache,statistics,statistics-$(call variant_key),build-statistics)
build-statistics: build-l1
	$(call build_otherwise,$(call take_off,$(LEAVES)),$(call put_on,$(LEAVES)),statistics)

# $(1): the folder in build/kernel, $(2): the patch, $(3): its name.
define variant
$(1): $$(OUT)/$(1)/$(3)/.$$(call variant_key,$(2))
$$(OUT)/$(1)/$(3)/.$$(call variant_key,$(2)): | source
	$$(call from_cache,$(1)/$(3),$$(call variant_key,$(2)),build-$(1)-$(3))
endef
$(foreach patch,$(FAULT_PATCHES),$(eval $(call variant,faults,$(patch),$(basename $(notdir $(patch))))))
$(foreach patch,$(BENCH_PATCHES),$(eval $(call variant,bench,$(patch),$(basename $(notdir $(patch))))))

# Static patterns: make looks for no other rule of a phony target.
builds = $(patsubst %.patch,build-$(1)-%,$(notdir $(2)))
patch_of = $(filter %/$*.patch,$(1))
.PHONY: $(call builds,faults,$(FAULT_PATCHES)) $(call builds,bench,$(BENCH_PATCHES))
$(call builds,faults,$(FAULT_PATCHES)): build-faults-%: build-l1
	$(call build_otherwise,$(PATCH) < $(call patch_of,$(FAULT_PATCHES)),$(PATCH) -R < $(call patch_of,$(FAULT_PATCHES)),faults/$*)

$(call builds,bench,$(BENCH_PATCHES)): build-bench-%: build-l1
	$(call build_otherwise,$(TAKE_OFF); $(PATCH) < $(call patch_of,$(BENCH_PATCHES)),$(PATCH) -R < $(call patch_of,$(BENCH_PATCHES)); $(PUT_ON),bench/$*)
