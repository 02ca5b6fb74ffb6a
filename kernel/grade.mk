# SPDX-License-Identifier: GPL-2.0-only
#
# What "eptlab grade" builds other people's KVM in. Included by Makefile.
#
#   grade    build/kernel/grade/LINE/tree.tar   the folders source/, without the series, and l1/, its
#            objects, with KVM's modules built: of a patch only what it changes is built again
#
# Of the source only what these modules are built of: without other drivers and architectures.

GRADE_WORK := $(BUILD)/linux/grade-$(LINE)
GRADE_FRAGMENTS := $(filter-out l1-series.config,$(call fragments,l1))
# Where the sandbox has it, too: make and objtool know their files by whole paths. Without bubblewrap
# all is built again each time.
AT_MNT := $(shell bwrap --dev-bind / / true 2>/dev/null && echo 'bwrap --dev-bind / / --bind $(GRADE_WORK) /mnt')
GRADE_KEY := $(call key,grade,$(GRADE_FRAGMENTS),$(if $(AT_MNT),/mnt) $(shell cat grade.mk grade/build | sha256sum))

.PHONY: grade build-grade
grade: $(OUT)/grade/$(LINE)/.$(GRADE_KEY)
$(OUT)/grade/$(LINE)/.$(GRADE_KEY): | source
	$(call from_cache,grade/$(LINE),$(GRADE_KEY),build-grade)
	@ln -sfn $(DEFAULT_LINE) $(OUT)/grade/default

build-grade: TREE := $(GRADE_WORK)/source
build-grade: WORK := $(GRADE_WORK)
build-grade:
	rm -rf $(GRADE_WORK)
	./lay-source $(LINE) $(FROM) $(TREE) none
	cd $(TREE) && find drivers sound net fs samples crypto mm block security ipc rust io_uring Documentation \
		tools/testing tools/perf arch -type f ! -name 'Kconfig*' ! -name 'Makefile*' ! -name Kbuild \
		! -path 'arch/x86/*' ! -path 'Documentation/virt/kvm/*' ! -path 'tools/testing/selftests/kvm/*' -delete
	$(call configure,l1,$(GRADE_FRAGMENTS))
	$(AT_MNT) grade/build $(if $(AT_MNT),/mnt,$(GRADE_WORK)) $(shell nproc)
	rm -rf $(NEW)/grade/$(LINE)
	mkdir -p $(NEW)/grade/$(LINE)
	tar -C $(GRADE_WORK) -cf $(NEW)/grade/$(LINE)/tree.tar source l1
	rm -rf $(GRADE_WORK)/source $(GRADE_WORK)/l1
