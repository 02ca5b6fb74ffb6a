#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For an autograder of Gradescope on Debian 12 or 13: run once, as root, when its image is made. The
# clone of eptlab is beside this script, as make autograder has put it there. No KVM is needed.
set -euo pipefail

cd "$(dirname "$0")/eptlab"
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends make bubblewrap ccache
make deps
make all grade
