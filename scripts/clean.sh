#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Remove what was built. Downloads, toolbox, the guest's root file system and linux/ stay:
# the ones take a network, the other may hold work.

. "$(dirname "$0")/lib.sh"

[ -d "$BUILD" ] || exit 0
find "$BUILD" -mindepth 1 -maxdepth 1 ! -name src ! -name toolbox ! -name rootfs ! -name sparse -exec rm -rf {} +
[ ! -d "$TOP/linux/.git" ] || git -C "$TOP/linux" worktree prune
