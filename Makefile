# SPDX-License-Identifier: GPL-2.0-only
#
#   make deps                  install what is missing (as root)
#   make experiment            build, boot L2 with EPT and with shadow paging, compare
#   make rerun CONFIG=noept    one configuration again, against the newest record
#   make workloads             the same with every operation of Linux that there is, not a short set of them
#   make compare               the newest record's table again (A=, B=: other records; FORMAT=text, csv, json, markdown, html)
#   make test                  unit tests, then real experiments
#   make install-kernel        the patched kernel as a Debian package, for PLATFORM=local
#   make deb                   packages of it all, which need no compiler; make test-deb tries them (as root)
#   make install               what the package has, below DESTDIR, without kernels and images: install-kernels
#   make test-matrix           a matrix of 36 runs on bochs: at one go, with interruptions, by Slurm (MATRIX=FILE;
#                              KEPT=FOLDER keeps its page and records)
#   make test-nested           the platform kvm, in emulated machines whose KVM nests
#   make test-smp              L1 and L2 with more than one CPU
#   make test-debian13         deps, unit tests and experiments in a root of Debian 13 (as root)
#   make torture               an hour of faults in random order (SECONDS=3600, SEED=): docs/faults.md
#   make fuzz                  random input for all that reads foreign bytes (FUZZ_SECONDS=30 for each)
#   make grade                 what eptlab grade builds submissions in; make autograder: a folder for
#                              Gradescope; make test-autograder tries it (as root)
#   make benchmark             what an experiment, a rerun, and counting itself cost
#   make clean                 remove build/; distclean also removes the caches
#
# V=1 shows each command. PLATFORM=bochs, tcg, kvm or local chooses where L1 gets its CPU.
# KERNEL=6.12 takes another kernel line for L1 (those in kernel/lines; 6.12-smp: for more than one CPU),
# LINUX=PATH a tree or a tarball of your own; with SERIES=none it is built as it is. GUEST=image.qcow2 boots an image of your own as L2.
# ARGS= is passed to eptlab.

# Several goals are made one after the other, each by a make of its own: deps brings what the next one
# needs. Inside of one, whatever does not depend on each other is made at once.
ifneq ($(word 2,$(MAKECMDGOALS)),)
.NOTPARALLEL:
.PHONY: $(MAKECMDGOALS)
$(MAKECMDGOALS):
	@$(MAKE) --no-print-directory $@
else

BUILD := $(CURDIR)/build
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/eptlab
CC ?= gcc
export BUILD CACHE

# make separates words by blanks, also in "rm -rf" below.
ifneq ($(words $(CURDIR)),1)
$(error L0: the path of this folder has a blank in it, which make cannot handle: $(CURDIR); move it)
endif
ifneq ($(words $(CACHE)),1)
$(error L0: the path of the cache has a blank in it, which make cannot handle: $(CACHE); give CACHE=)
endif

V ?= 0
Q := $(if $(filter 1,$(V)),,@)
MAKEFLAGS += --no-print-directory

CONFIG ?= noept
GUEST ?=
FORMAT ?= text
ARGS ?=
include kernel/lines.mk
PLATFORM_ARGS = $(if $(PLATFORM),--set experiment.platform=$(PLATFORM)) $(if $(GUEST),--set "l2.guest=$(GUEST)") \
	$(if $(KERNEL)$(LINUX),--set experiment.kernel=$(L1_NAME))

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wundef -Wpointer-arith -Wwrite-strings
CFLAGS ?= -O2 -g
# Wherever the clone is, the same bytes: the agent is part of L1, and so of what is measured.
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -ffile-prefix-map=$(CURDIR)=. -I harness $(UAPI:%=-I %) \
	$(shell pkg-config --cflags $(LIBRARIES))
LIBRARIES := gio-unix-2.0 gnutls jansson libxml-2.0 libkmod libvirt libvirt-qemu zlib smartcols
# L1's program: what is not in its list cannot change what is measured.
AGENT_LDLIBS = $(shell pkg-config --libs gio-unix-2.0 libxml-2.0 libkmod libvirt libvirt-qemu zlib)
LDLIBS = $(shell pkg-config --libs $(LIBRARIES)) -lcsv -lutil -lm
GUESTFS_LDLIBS = $(shell pkg-config --libs gio-2.0 gnutls libguestfs ext2fs com_err)
# The leaves and the reasons: the same headers for KVM, the programs of L2 and the harness.
UAPI := $(wildcard kernel/common/*/arch/x86/include/uapi)
LEAVES := $(wildcard $(addsuffix /asm/kvm_exit*.h,$(UAPI)))

# Linked into the helpers of libguestfs only, not into eptlab.
GUESTFS_ONLY := $(addprefix harness/l2/,appliance.c ext4_stamp.c helper_side.c inject_helper.c mkimage.c user_image_helper.c \
	user_system.c)
AGENT := $(wildcard harness/agent/*.c) \
	$(wildcard harness/base/*.c harness/wire/*.c) \
	$(addprefix harness/kmod/,modules.c triggers.c vendor.c) $(wildcard harness/virt/*.c)
# What needs no VM.
MODEL := $(wildcard $(addprefix harness/,$(addsuffix /*.c,base wire config record matrix collect judge foreign report merge grade)))
EPTLAB := $(MODEL) \
	$(filter-out $(GUESTFS_ONLY),$(wildcard harness/l2/*.c)) \
	$(filter-out harness/l1/bochs_time.c,$(wildcard harness/l1/*.c)) \
	$(wildcard harness/kmod/*.c harness/virt/*.c harness/cli/*.c)
GUESTFS := $(addprefix harness/l2/,appliance.c ext4_stamp.c digest.c helper_side.c l2_image.c) harness/base/error.c harness/base/folder.c
object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

.PHONY: install install-kernels deb test-deb test-autograder install-kernel all deps kernel grade autograder stock statistics faults bench experiment workloads rerun compare test test-unit test-lines test-bisect test-nested test-smp test-debian13 torture fuzz lint benchmark published clean distclean
.DELETE_ON_ERROR:
all: $(BUILD)/eptlab $(BUILD)/eptlab-agent $(BUILD)/eptlab-guestfs $(BUILD)/eptlab-user-image $(BUILD)/bochs-time.so $(BUILD)/probe $(BUILD)/doses.elf kernel $(BUILD)/appliance.img \
	$(BUILD)/l2-base.img

# OS_RELEASE=FILE takes another distribution's word for what this is.
deps:
	@harness/deps install

# --- programs ---

$(BUILD)/eptlab: $(call object,$(EPTLAB)) $(BUILD)/page.o
	@echo "  LD      $(@:$(BUILD)/%=%)" >&2
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The template of the HTML report, as bytes of the program.
PAGE := harness/report/page
$(BUILD)/page.o: $(addprefix $(PAGE)/,page.gresource.xml page.html page.css page.js merge.html)
	@mkdir -p $(@D)
	@echo "  RES     page.o" >&2
	$(Q)glib-compile-resources --sourcedir=$(PAGE) --generate-source --internal --target=$(@:.o=.c) $<
	$(Q)$(CC) $(shell pkg-config --cflags gio-2.0) -O2 -c -o $@ $(@:.o=.c)

$(BUILD)/eptlab-agent: $(call object,$(AGENT))
	@echo "  LD      $(@:$(BUILD)/%=%)" >&2
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(AGENT_LDLIBS)

$(BUILD)/eptlab-guestfs: $(call object,harness/l2/inject_helper.c $(GUESTFS))
	@echo "  LD      $(@:$(BUILD)/%=%)" >&2
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(GUESTFS_LDLIBS)

$(BUILD)/eptlab-user-image: $(call object,$(addprefix harness/l2/,user_image_helper.c user_system.c) $(GUESTFS))
	@echo "  LD      $(@:$(BUILD)/%=%)" >&2
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(GUESTFS_LDLIBS)

$(BUILD)/bochs-time.so: harness/l1/bochs_time.c
	@mkdir -p $(@D)
	@echo "  LD      bochs-time.so" >&2
	$(Q)$(CC) -std=gnu11 $(WARNINGS) -O2 -shared -fPIC -o $@ $<

$(BUILD)/mkimage: $(call object,harness/l2/mkimage.c $(GUESTFS))
	@echo "  LD      $(@:$(BUILD)/%=%)" >&2
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(GUESTFS_LDLIBS)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $*.o" >&2
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# Programs of L2 are static: its image has no libraries. -fno-ident and no build-id: same bytes everywhere.
GUEST_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -Os -static -s -Wl,--build-id=none \
	-I harness $(UAPI:%=-I %)
PROBE_SOURCES := $(wildcard guest-image/probe/*.c guest-image/workloads/*.c) $(addprefix harness/wire/,cpuid_walk.c frame.c)
$(BUILD)/probe: $(PROBE_SOURCES) $(wildcard guest-image/probe/*.h guest-image/workloads/*.h) \
	$(addprefix harness/wire/,command.h cpuid_walk.h frame.h workload_list.h) $(LEAVES)
	@echo "  CC      probe" >&2
	$(Q)gcc $(GUEST_CFLAGS) -o $@ $(filter %.c,$^) -lz
# The dose guest has no system below it, and no library but zlib's crc32(), which needs none. No red
# zone, because interrupts use the same stack; no SSE, because nobody saves it.
DOSES_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -ffreestanding -fno-pic -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
	-static -no-pie -nostdlib -s -Wl,--build-id=none -Wl,-z,noexecstack -I harness $(UAPI:%=-I %)
DOSES := $(addprefix guest-image/doses/,entry.S main.c doses.c machine.c libc.c) \
	$(addprefix guest-image/probe/,reading.c report.c) harness/wire/frame.c
$(BUILD)/doses.elf: $(DOSES) guest-image/doses/doses.lds $(wildcard guest-image/doses/*.h guest-image/probe/*.h) \
	harness/wire/frame.h harness/wire/dose_list.h $(LEAVES)
	@echo "  CC      doses.elf" >&2
	$(Q)gcc $(DOSES_CFLAGS) -Wl,-T,guest-image/doses/doses.lds -o $@ $(filter %.c %.S,$^) -lz
$(BUILD)/l2-init: guest-image/init.c harness/wire/workload_list.h
	@mkdir -p $(@D)
	@echo "  CC      l2-init" >&2
	$(Q)gcc $(GUEST_CFLAGS) -o $@ $(filter %.c,$^)

# --- L1 and L2 ---

kernel:
	$(Q)$(MAKE) -s -C kernel $(if $(LINUX),LINUX=$(abspath $(LINUX))) all
# What "eptlab grade" builds submissions in.
grade:
	$(Q)$(MAKE) -s -C kernel grade
# For Gradescope: setup.sh, run_autograder and this clone, as it is committed.
autograder:
	@rm -rf $(BUILD)/autograder
	@mkdir -p $(BUILD)/autograder/eptlab
	$(Q)git archive HEAD | tar -x -C $(BUILD)/autograder/eptlab
	$(Q)cp harness/grade/autograder/* $(BUILD)/autograder/
	@echo "zip what is in $(BUILD)/autograder, and give it to Gradescope with Debian as the base image" >&2
# Other people's KVM, for the tests and for the benchmark, of the default line; after the kernel, in whose
# tree they are made.
stock: | kernel
statistics: | stock
faults bench: | statistics
stock statistics faults bench:
	$(Q)$(MAKE) -s -C kernel KERNEL= LINUX= SERIES= $@

APPLIANCE := $(shell find guest-image/appliance -type f)
$(BUILD)/appliance.img: $(BUILD)/eptlab-agent $(APPLIANCE)
	@echo "  IMAGE   appliance.img" >&2
	$(Q)guest-image/appliance/mkappliance.sh $< $@

$(BUILD)/l2-base.img: $(BUILD)/mkimage $(BUILD)/l2-init
	@echo "  IMAGE   l2-base.img (libguestfs)" >&2
	$(Q)$(BUILD)/mkimage $(BUILD)/l2-init /bin/busybox $(CACHE)/guest $@

# The patched kernel for this machine itself, as a Debian package: for PLATFORM=local.
install-kernel:
	$(Q)$(MAKE) -s -C kernel $(if $(LINUX),LINUX=$(abspath $(LINUX))) -f package.mk package
	@echo
	@echo 'The patched kernel is a package now. To run it on this machine, as root:'
	@echo
	@echo '  apt-get install $(BUILD)/kernel/package/linux-image-*.deb'
	@echo '  reboot            # and choose it in the boot loader, under "Advanced options"'
	@echo '  make experiment PLATFORM=local'
	@echo
	@echo 'Your own kernel stays installed. To get rid of this one: apt-get remove linux-image-*-eptlab'

# --- installed ---

# Where harness/config/paths.c looks for them. All is given a mode of its own, whatever the umask is.
DESTDIR ?=
LIB := $(DESTDIR)/usr/lib/eptlab
SHARE := $(DESTDIR)/usr/share/eptlab
put = install -D -p -m $(1) -t $(2) $(3)
install: $(addprefix $(BUILD)/,eptlab eptlab-guestfs eptlab-user-image bochs-time.so)
	$(call put,755,$(LIB),$(addprefix $(BUILD)/,eptlab eptlab-guestfs eptlab-user-image))
	$(call put,644,$(LIB),$(BUILD)/bochs-time.so)
	install -d $(DESTDIR)/usr/bin
	ln -sfn ../lib/eptlab/eptlab $(DESTDIR)/usr/bin/eptlab
	$(call put,644,$(DESTDIR)/etc/eptlab,configs/*.conf)
	for folder in grade matrix; do $(call put,644,$(DESTDIR)/etc/eptlab/$$folder,configs/$$folder/*) || exit; done
	$(call put,644,$(DESTDIR)/usr/share/man/man1,man/*.1)
	install -D -p -m 644 harness/completion.bash $(DESTDIR)/usr/share/bash-completion/completions/eptlab

# The default line; what of L1 libvirt in it has found out, and L2's image with the probe, as an
# experiment would make them first. Who builds packages may be busy: an hour for each.
install-kernels: all
	$(call put,755,$(LIB),$(addprefix $(BUILD)/,eptlab-agent probe))
	$(call put,644,$(LIB),$(addprefix $(BUILD)/,doses.elf appliance.img appliance.img.parts l2-base.img))
	$(call put,644,$(LIB)/kernel/l1/$(DEFAULT_LINE),$(addprefix $(BUILD)/kernel/l1/default/,bzImage kernel.conf))
	for folder in modules extra-modules; do \
		$(call put,644,$(LIB)/kernel/l1/$(DEFAULT_LINE)/$$folder,$(BUILD)/kernel/l1/default/$$folder/*) || exit; done
	ln -sfn $(DEFAULT_LINE) $(LIB)/kernel/l1/default
	$(call put,644,$(LIB)/kernel/l2,$(BUILD)/kernel/l2/vmlinux)
	$(call put,644,$(SHARE),guest-image/domain.xml guest-image/l1-domain.xml \
		guest-image/appliance/root/etc/libvirt-embed/qemu.conf)
	$(call put,644,$(SHARE)/workloads,$(filter-out %.c %.h,$(wildcard guest-image/workloads/*)))
	for platform in bochs tcg; do \
		made=$$($(BUILD)/eptlab capabilities --set experiment.platform=$$platform \
			--set $$platform.timeout_seconds=3600) || exit; \
		folder=$$(echo "$$made" | head -n 1) image=$$(echo "$$made" | tail -n 1); \
		$(call put,644,$(LIB)/capabilities/$${folder##*/},$$folder/*) && \
		$(call put,644,$(LIB)/guest,$$image $${image%.img}.sha256) || exit; done

# In build/deb. Nothing else of dpkg-buildpackage's is wanted, which would write beside this folder.
DEB := $(BUILD)/deb
deb: all
	@command -v dh >/dev/null || { echo "L0: a Debian package needs debhelper; run \"make deps\" as root" >&2; exit 2; }
	rm -rf $(DEB)
	mkdir -p $(DEB)
	MAKEFLAGS= debian/rules binary DEB=$(DEB)
	MAKEFLAGS= debian/rules clean
	@ls -sh $(DEB)

# Installed, used and removed on Debian 12 and 13, in roots of their own; as root.
test-deb: deb
	$(Q)harness/tests/bare package $(DEB)/*.deb

# In a root of Debian 12 that has nothing but apt, as Gradescope does it: builds all from nothing; as root.
test-autograder: autograder
	$(Q)harness/tests/bare autograder $(BUILD)/autograder

# --- for people ---

experiment: all
	$(Q)$(BUILD)/eptlab run $(PLATFORM_ARGS) $(ARGS)
rerun: all
	$(Q)$(BUILD)/eptlab rerun $(PLATFORM_ARGS) $(ARGS) $(CONFIG)
workloads: all
	$(Q)$(BUILD)/eptlab run $(PLATFORM_ARGS) --set experiment.operations=all $(ARGS)
compare: $(BUILD)/eptlab
	$(Q)$(BUILD)/eptlab compare --format $(FORMAT) $(ARGS) $(A) $(B)

# docs/published.md again: its head as it is, its tables from the records.
published: $(BUILD)/eptlab
	$(Q){ sed '/^## /,$$d' docs/published.md; \
		for record in bochs debian; do \
			$(BUILD)/eptlab report -f published results/reference/$$record && echo || exit; \
		done; } >$(BUILD)/published.md
	$(Q)cp $(BUILD)/published.md docs/published.md

benchmark: all stock bench
	$(Q)harness/tests/benchmark $(BUILD)/eptlab $(BUILD)/kernel/stock $(BUILD)/kernel/bench/global-counter

# --- tests ---

# All of the program but main, with the sanitizers, once for all tests.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan_object = $(patsubst %.c,$(BUILD)/asan/%.o,$(1))
ASAN_LIBRARY := $(BUILD)/asan/libeptlab.a
# The longest one first: they run side by side.
REAL_TESTS := faults conform grades user_image local experiment platforms source witness merge_many matrix_engine
UNIT_TESTS := $(filter-out $(REAL_TESTS) lines bisect nested smp,$(patsubst harness/tests/test_%.c,%,$(wildcard harness/tests/test_*.c)))
TEST_HELPERS := $(filter-out harness/tests/test_%.c $(addprefix harness/tests/,silent_probe.c faulty_workloads.c fake_matrix.c fake_l1.c many_cpuids.c),$(wildcard harness/tests/*.c))
test_program = $(addprefix $(BUILD)/tests/test_,$(1))

$(BUILD)/asan/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $*.o (sanitized)" >&2
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<
-include $(shell find $(BUILD)/asan -name '*.d' 2>/dev/null)

$(ASAN_LIBRARY): $(call asan_object,$(filter-out harness/cli/main.c harness/agent/agent.c,$(sort $(EPTLAB) $(AGENT))) $(TEST_HELPERS))
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/tests/test_%: $(BUILD)/asan/harness/tests/test_%.o $(ASAN_LIBRARY) $(BUILD)/page.o
	@mkdir -p $(@D)
	@echo "  LD      $(@:$(BUILD)/%=%)" >&2
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka
$(call test_program,command): | $(BUILD)/probe
$(call test_program,commands): | $(BUILD)/eptlab
# Beside eptlab, as it finds all else from where it stands itself.
$(BUILD)/fake-matrix: $(BUILD)/asan/harness/tests/fake_matrix.o $(ASAN_LIBRARY) $(BUILD)/page.o
	@echo "  LD      $(@:$(BUILD)/%=%)" >&2
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/tests/silent_probe: harness/tests/silent_probe.c
	@mkdir -p $(@D)
	$(Q)gcc $(GUEST_CFLAGS) -o $@ $<

# The probe with operations that go wrong in the place of some.
$(BUILD)/tests/faulty_probe: harness/tests/faulty_workloads.c $(filter-out %/memory.c %/protect.c,$(PROBE_SOURCES)) $(BUILD)/probe
	@mkdir -p $(@D)
	@echo "  CC      tests/faulty_probe" >&2
	$(Q)gcc $(GUEST_CFLAGS) -DSECONDS=4 -o $@ $(filter %.c,$^) -lz

# A process on each of L2's vCPUs; runs in L2.
$(BUILD)/tests/many_cpuids: harness/tests/many_cpuids.c $(LEAVES)
	@mkdir -p $(@D)
	@echo "  CC      tests/many_cpuids" >&2
	$(Q)gcc $(GUEST_CFLAGS) -o $@ $<

# An L1 in which one thing is wrong; static, as it is an init too.
$(BUILD)/tests/fake_l1: harness/tests/fake_l1.c $(addprefix harness/wire/,frame.c frame.h l1_frames.h)
	@mkdir -p $(@D)
	@echo "  CC      tests/fake_l1" >&2
	$(Q)gcc $(GUEST_CFLAGS) -o $@ $(filter %.c,$^) -lz

.SECONDARY:
TEST_PROBES := $(addprefix $(BUILD)/tests/,silent_probe faulty_probe fake_l1) $(BUILD)/fake-matrix
test: all grade stock statistics faults $(call test_program,$(REAL_TESTS) $(UNIT_TESTS)) $(TEST_PROBES)
	$(Q)printf '%s\n' bochs tcg | xargs -P 2 -I PLATFORM \
		$(BUILD)/eptlab capabilities --set experiment.platform=PLATFORM >/dev/null
	$(Q)EPTLAB_BUILD=$(BUILD) harness/tests/run-tests $(call test_program,$(REAL_TESTS) $(UNIT_TESTS))
test-unit: $(call test_program,$(UNIT_TESTS))
	$(Q)EPTLAB_BUILD=$(BUILD) harness/tests/run-tests $(call test_program,$(UNIT_TESTS))

# Each fault that is known (harness/tests/faults.h), in random order for so long; makes docs/faults.md.
SECONDS ?= 3600
SEED ?=
torture: all stock statistics $(call test_program,faults) $(TEST_PROBES)
	$(Q)status=0; EPTLAB_BUILD=$(BUILD) EPTLAB_TORTURE=$(SECONDS) $(if $(SEED),EPTLAB_SEED=$(SEED)) \
		$(call test_program,faults) || status=$$?; cp $(BUILD)/tests/faults.md docs/faults.md; exit $$status

# Every line of the kernel: builds those that are not in the cache.
test-lines: all $(call test_program,lines)
	$(Q)for line in $(LINES); do $(MAKE) kernel KERNEL=$$line || exit 2; done
	$(Q)EPTLAB_BUILD=$(BUILD) harness/tests/run-tests $(call test_program,lines)

# L1 and L2 with more than one CPU; builds kernels for that.
test-smp: all $(call test_program,smp) $(BUILD)/tests/many_cpuids
	$(Q)$(MAKE) kernel KERNEL=$(LINE)-smp
	$(Q)EPTLAB_SMP=$(LINE)-smp EPTLAB_BUILD=$(BUILD) harness/tests/run-tests $(call test_program,smp)

# git bisect on a KVM with a planted fault: builds KVM's modules for each step.
test-bisect: all $(call test_program,bisect)
	$(Q)EPTLAB_BUILD=$(BUILD) harness/tests/run-tests $(call test_program,bisect)

# The platform kvm in emulated machines that nest, in which eptlab is installed.
test-nested: all $(call test_program,nested)
	$(Q)rm -rf $(BUILD)/nested
	$(Q)for part in install install-kernels; do $(MAKE) -s $$part DESTDIR=$(BUILD)/nested || exit 2; done
	$(Q)EPTLAB_BUILD=$(BUILD) harness/tests/run-tests $(call test_program,nested)

# The same table at one go and with interruptions; its lines of the kernel are built if need be.
MATRIX ?= configs/matrix/lines.ini
test-matrix: all
	$(Q)for line in $$(sed -n 's/^kernels *= *//p' $(MATRIX) | tr ';' ' '); do \
		$(MAKE) kernel KERNEL=$$line || exit 2; done
	$(Q)harness/tests/matrix $(BUILD)/eptlab $(MATRIX) $(KEPT)

# The same two commands in a root of Debian 13, whatever release this is; as root.
test-debian13:
	$(Q)harness/tests/debian13

# --- fuzzing ---

# What reads bytes from elsewhere, against inputs that nobody has thought of (harness/fuzz): a target
# for each fuzz_PARSER.c. Its seeds are in corpus/PARSER, and real files that are here anyway.
FUZZ_SECONDS ?= 30
FUZZ_CC ?= clang
FUZZ_SANITIZE := address,undefined,float-divide-by-zero
FUZZ_CFLAGS := -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_TARGETS := $(patsubst harness/fuzz/fuzz_%.c,%,$(wildcard harness/fuzz/fuzz_*.c))
FUZZ_HELPERS := $(filter-out harness/fuzz/fuzz_%.c,$(wildcard harness/fuzz/*.c))
FUZZ_LIBRARY := $(BUILD)/fuzz/libeptlab.a
fuzz_object = $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(1))
SEEDS_foreign = $(wildcard harness/tests/field-reports/*.txt)
SEEDS_kernel_log = $(wildcard results/reference/*/*/dmesg.log)
SEEDS_probe = $(wildcard results/reference/*/*/probe.frames)
SEEDS_record = $(wildcard results/reference/*/record.json)

$(BUILD)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $*.o (fuzzing)" >&2
	$(Q)$(FUZZ_CC) $(ALL_CFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<
-include $(shell find $(BUILD)/fuzz -name '*.d' 2>/dev/null)

$(FUZZ_LIBRARY): $(call fuzz_object,$(MODEL) $(FUZZ_HELPERS))
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/harness/fuzz/fuzz_%.o $(FUZZ_LIBRARY) $(BUILD)/page.o
	@echo "  LD      $(@:$(BUILD)/%=%)" >&2
	$(Q)$(FUZZ_CC) $(ALL_CFLAGS) -fsanitize=fuzzer,$(FUZZ_SANITIZE) $(FUZZ_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

fuzz: $(addprefix $(BUILD)/fuzz/fuzz_,$(FUZZ_TARGETS))
	$(Q)$(foreach one,$(FUZZ_TARGETS),SEEDS_$(one)="$(SEEDS_$(one))") harness/fuzz/run-fuzz $(FUZZ_SECONDS) $^

# --- lint ---

C_SOURCES = $(shell find harness guest-image -name '*.c' | sort)
C_HEADERS = $(shell find harness guest-image -name '*.h' | sort)
SCRIPTS = $(shell grep -rlE '^.!/bin/(ba)?sh' .ci guest-image harness kernel)
# varFuncNullUB is about systems whose NULL is no pointer; POSIX wants (void *)0.
CPPCHECK_ARGS := --quiet --error-exitcode=1 --inline-suppr --library=gtk --library=gnu \
	--enable=warning,portability,performance --suppress=varFuncNullUB --std=c11

# clang-tidy looks at one file at a time: given several, it takes a va_list for uninitialized.
lint:
	@command -v clang-format-14 clang-tidy-14 >/dev/null || { \
		echo "L0: make lint is by Debian 12's clang-format-14 and clang-tidy-14, which are not here: other versions format and warn in another way" >&2; \
		exit 2; }
	@echo "  LINT    clang, clang-tidy" >&2
	$(Q)printf '%s\n' $(C_SOURCES) | xargs -P $(shell nproc) -I {} .ci/tidy {} $(ALL_CFLAGS)
	@echo "  LINT    cppcheck" >&2
	$(Q)cppcheck $(CPPCHECK_ARGS) -D_GNU_SOURCE -I harness $(UAPI:%=-I %) harness guest-image
	@echo "  LINT    shellcheck" >&2
	$(Q)shellcheck $(SCRIPTS)
	@echo "  LINT    clang-format" >&2
	$(Q)clang-format-14 --dry-run -Werror $(C_SOURCES) $(C_HEADERS)

clean:
	rm -rf $(BUILD)
distclean: clean
	rm -rf $(CACHE)

endif
