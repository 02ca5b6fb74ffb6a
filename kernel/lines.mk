# SPDX-License-Identifier: GPL-2.0-only
#
# Which kernel L1 runs. Included by both Makefiles.
#
#   KERNEL=6.12          a line: a folder of lines/
#   KERNEL=6.12-smp      the same, with more than one CPU (l1-smp.config); and an L2 of that kind
#   LINUX=PATH           a tree or a tarball of the user's, which is the line "own"
#   neither              DEFAULT_LINE

LINES_FOLDER := $(dir $(lastword $(MAKEFILE_LIST)))lines
LINES := $(shell ls $(LINES_FOLDER) | sort -V)
# The line that the release itself has: Debian 12's, and from Debian 13 on that of 13.
DEFAULT_LINE := $(shell . /etc/os-release && [ "$$ID$$VERSION_ID" = debian12 ] && echo 6.1 || echo 6.12)

SMP := $(if $(filter %-smp,$(KERNEL)),-smp)
LINE := $(if $(LINUX),own,$(or $(KERNEL:%-smp=%),$(DEFAULT_LINE)))
# What is built is called so: eptlab's experiment.kernel names the first; the second is what L2 boots if l2.vcpus
# is more than 1.
L1_NAME := $(LINE)$(SMP)
L2_NAME := l2$(SMP)
ifneq ($(if $(LINUX),$(KERNEL)),)
$(error L0: KERNEL=$(KERNEL) is a line of our own and LINUX=$(LINUX) a tree of yours; give one of them)
endif
ifeq ($(filter $(LINE),$(LINES) own),)
$(error L0: there is no kernel line $(LINE); KERNEL= takes $(LINES), each with -smp too, and LINUX= a tree of yours)
endif
ifneq ($(filter-out none statistics,$(SERIES)),)
$(error L0: SERIES= takes "none", which leaves the series out, or "statistics", its first part, not "$(SERIES)")
endif
