#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Imported objects are mapped at a guessed offset while they go: guess.c with all
# drivers that import other drivers' buffers. Argument: how many imports for
# each (default: 5000, QUICK=1: 1000). The base fails after some hundred.

. ./checks.sh
[ -z "${QUICK:-}" ] || [ $# -gt 0 ] || set -- 1000

for module in vgem vkms bochs cirrus-qemu; do
	modprobe $module
done

check "guess vgem from vkms" ./guess vgem vkms "$@"
for driver in vkms bochs-drm cirrus-qemu; do
	check "guess $driver from vgem" ./guess $driver vgem "$@"
done
checks_end
