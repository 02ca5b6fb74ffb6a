# SPDX-License-Identifier: GPL-2.0-only
#
# How the kernels are built. Included by Makefile, and part of the keys of what is built.

# One build user, host and time for everybody: the same inputs give the same bytes.
export KBUILD_BUILD_USER := eptlab
export KBUILD_BUILD_HOST := eptlab
export KBUILD_BUILD_TIMESTAMP := 2000-01-01
export KBUILD_BUILD_VERSION := 1
# The compiler of the keys, whatever CC the harness is built with.
KBUILD := $(MAKE) -s -j$(shell nproc) --no-print-directory CC=gcc HOSTCC=gcc LD=ld

# The source with the series. L2's kernel has no KVM, so the series is nothing to it.
TREE := $(WORK)/source
$(TREE)/.$(SERIES_KEY): | source
	./lay-source $(LINE) $(FROM) $(TREE) "$(or $(PARTS),none)"
	touch $@

# The fragments $(2) and that of the tree's line in one file, the last one that names an option being
# right, are completed by allnoconfig in the object folder $(1); fails if a line of them did not take
# effect, but for one with a "?" at its end, which is for the versions of Linux that have such an option.
define configure
	mkdir -p $(WORK)/$(1)
	awk -F= '/^CONFIG_/ { if (!($$1 in line)) name[++n] = $$1; line[$$1] = $$0 } \
		END { for (i = 1; i <= n; i++) print line[name[i]] }' \
		$(2) $$(ls lines/$$(cat $(TREE)/.line)/$(1).config 2>/dev/null) > $(WORK)/$(1).asked
	sed 's/?$$//' $(WORK)/$(1).asked > $(WORK)/$(1).config
	$(KBUILD) -C $(TREE) O=$(WORK)/$(1) KCONFIG_ALLCONFIG=$(WORK)/$(1).config allnoconfig
	@while IFS= read -r line; do \
		case $$line in \
		*\?) ;; \
		*=n) ! grep -q "^$${line%=n}=" $(WORK)/$(1)/.config ;; \
		*) grep -qxF "$$line" $(WORK)/$(1)/.config ;; \
		esac || { echo "L0: $$line of kernel/$(1).config did not take effect in $(FROM)" >&2; exit 1; }; \
	done < $(WORK)/$(1).asked
endef

# What an experiment loads, one of the last two; and what else there is.
MODULES := virt/lib/irqbypass.ko arch/x86/kvm/kvm.ko arch/x86/kvm/kvm-intel.ko arch/x86/kvm/kvm-amd.ko
EXTRA_MODULES := lib/kunit/kunit.ko $(if $(filter leaves,$(PARTS)),arch/x86/kvm/kvm-exitcount-kunit.ko)
# $(1) is a new folder that gets those of $(2), without debugging information.
define collect_modules
	mkdir -p $(1)
	cp $(addprefix $(WORK)/l1/,$(2)) $(1)/
	strip --strip-debug $(1)/*.ko
endef

.PHONY: build-l1 build-l2
build-l2: $(TREE)/.$(SERIES_KEY)
	$(call configure,l2,l2.config $(if $(SMP),l2-smp.config))
	$(KBUILD) -C $(TREE) O=$(WORK)/l2 vmlinux
	rm -rf $(NEW)/$(L2_NAME)
	mkdir -p $(NEW)/$(L2_NAME)
	strip -o $(NEW)/$(L2_NAME)/vmlinux $(WORK)/l2/vmlinux

# What was laid into the tree $(1), as it is called in TREE/.series.
series_laid = { series=$$(cat $(1)/.series); [ $$series = none ] || \
	{ cat $(COMMON); (cd lines/$$series && $(call without_messages,$$(cat $(PARTS:%=series-%)))); }; }
# kernel.conf is what the harness must know of this kernel to recognise it in L1.
L1_CONFIGS := l1.config $(if $(SMP),l1-smp.config) $(if $(filter leaves,$(PARTS)),l1-series.config)
NEW_L1 := $(NEW)/l1/$(L1_NAME)
build-l1: $(TREE)/.$(SERIES_KEY)
	$(call configure,l1,$(L1_CONFIGS))
	$(KBUILD) -C $(TREE) O=$(WORK)/l1 bzImage modules
	rm -rf $(NEW_L1)
	$(call collect_modules,$(NEW_L1)/modules,$(MODULES))
	$(call collect_modules,$(NEW_L1)/extra-modules,$(EXTRA_MODULES))
	cp $(WORK)/l1/arch/x86/boot/bzImage $(NEW_L1)/bzImage
	{ \
		echo '[kernel]'; \
		echo 'line = $(L1_NAME)'; \
		echo "cpus = $$(sed -n 's/^CONFIG_NR_CPUS=//p' $(WORK)/l1/.config)"; \
		echo "release = $$(cat $(WORK)/l1/include/config/kernel.release)"; \
		echo "patches_sha256 = $$($(call series_laid,$(TREE)) | sha256sum | cut -d ' ' -f 1)"; \
		echo '[build_id]'; \
		for module in $(NEW_L1)/modules/*.ko; do \
			echo "$$(basename $$module .ko | tr - _) = $$(readelf -n $$module | sed -n 's/.*Build ID: //p')"; \
		done; \
	} > $(NEW_L1)/kernel.conf
