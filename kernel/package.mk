# SPDX-License-Identifier: GPL-2.0-only
#
# The patched kernel as a Debian package, for the platform local. Called by the top-level Makefile.
#
#   package   build/kernel/package/{linux-image-*.deb,kernel.conf}
#
# KERNEL_CONFIG is what it is configured by: the running kernel's own, unless told otherwise. That has
# all drivers of a distribution, and takes hours on a laptop; LOCALMODCONFIG=1 takes those that are
# loaded now only, and minutes.

include Makefile

KERNEL_CONFIG ?= /boot/config-$(shell uname -r)
PACKAGE := $(OUT)/package
PACKAGE_WORK := $(WORK)/package
# What KVM's counting and the harness need, whatever the configuration says. No debugging information,
# which is most of a distribution's package, and no signing key of somebody else's.
PACKAGE_OPTIONS := -e KVM -m KVM -m KVM_INTEL -m KVM_AMD -e DEBUG_FS -e MODULE_UNLOAD \
	--set-str LOCALVERSION -eptlab -d LOCALVERSION_AUTO -e DEBUG_INFO_NONE -d DEBUG_INFO_BTF \
	-d DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT -d DEBUG_INFO_DWARF4 -d DEBUG_INFO_DWARF5 \
	--set-str SYSTEM_TRUSTED_KEYS '' --set-str SYSTEM_REVOCATION_KEYS '' -d MODULE_SIG

# Beside those in the file packages.
PACKAGE_NEEDS := dpkg-dev fakeroot rsync kmod cpio libssl-dev

.PHONY: package package-needs
package-needs:
	@missing=; for package in $(PACKAGE_NEEDS); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' || \
			missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "L0: a kernel package needs more; run as root: apt-get install$$missing" >&2; exit 2; \
	fi

package: package-needs $(TREE)/.$(SERIES_KEY)
	@if [ ! -r '$(KERNEL_CONFIG)' ]; then \
		echo 'L0: there is no $(KERNEL_CONFIG); give KERNEL_CONFIG=' >&2; exit 2; \
	fi
	rm -rf $(PACKAGE) $(PACKAGE_WORK)
	mkdir -p $(PACKAGE) $(PACKAGE_WORK)/tree
	cp '$(KERNEL_CONFIG)' $(PACKAGE_WORK)/tree/.config
	cd $(PACKAGE_WORK)/tree && $(TREE)/scripts/config $(PACKAGE_OPTIONS)
	$(KBUILD) -C $(TREE) O=$(PACKAGE_WORK)/tree olddefconfig
	$(if $(LOCALMODCONFIG),yes '' | $(KBUILD) -C $(TREE) O=$(PACKAGE_WORK)/tree localmodconfig >/dev/null)
	cd $(PACKAGE_WORK)/tree && $(TREE)/scripts/config -m KVM -m KVM_INTEL -m KVM_AMD
	$(KBUILD) -C $(TREE) O=$(PACKAGE_WORK)/tree olddefconfig
	$(KBUILD) -C $(TREE) O=$(PACKAGE_WORK)/tree KDEB_PKGVERSION=1 bindeb-pkg
	mv $(PACKAGE_WORK)/linux-image-*_1_*.deb $(PACKAGE)/
	{ \
		echo '[kernel]'; \
		echo 'line = $(LINE)'; \
		echo "cpus = $$(sed -n 's/^CONFIG_NR_CPUS=//p' $(PACKAGE_WORK)/tree/.config)"; \
		echo "release = $$(cat $(PACKAGE_WORK)/tree/include/config/kernel.release)"; \
		echo "patches_sha256 = $$($(call series_laid,$(TREE)) | sha256sum | cut -d ' ' -f 1)"; \
		echo '[build_id]'; \
		for module in virt/lib/irqbypass arch/x86/kvm/kvm arch/x86/kvm/kvm-intel arch/x86/kvm/kvm-amd; do \
			echo "$$(basename $$module | tr - _) = $$(readelf -n $(PACKAGE_WORK)/tree/$$module.ko | sed -n 's/.*Build ID: //p')"; \
		done; \
	} > $(PACKAGE)/kernel.conf
