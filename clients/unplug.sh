#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Drivers go while their buffers are on the screen, mapped and exported: unplug.c.
# Arguments: the drivers to take (default: all). With QUICK=1 it is one order in four.

. ./checks.sh

[ $# -gt 0 ] || set -- virtio_gpu simpledrm bochs-drm cirrus-qemu
# Each of the devices is looked at, and not the first one only.
[ ! -e /sys/kernel/debug/dma-api ] || echo 1 >/sys/kernel/debug/dma-api/all_errors

for driver; do
	case $driver in
	bochs-drm) modprobe bochs ;;
	# Its screen is that of cirrus, who takes it for good.
	cirrus-qemu|simpledrm) modprobe "$driver" ;;
	esac
	check "unplug $driver" ./unplug "$driver" ${QUICK:+4}
done
checks_end
