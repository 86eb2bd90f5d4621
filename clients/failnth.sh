#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each allocation in a system call fails in turn: failnth.c with every driver
# that is there. Arguments: the drivers to take (default: all).
#
#	make vm JOB=build/clients/failnth.sh SPLATS=dma_buf_vmap

. ./checks.sh

# dma_buf_vmap() warns, once, when the exporter has no memory for the mapping;
# virtio-gpu has its own words for that.
EXPECTED='at dma_buf_vmap\+|failed to allocate ent list'

for module in vgem vkms bochs cirrus-qemu; do
	modprobe $module
done

allocations_may_fail

# A driver that goes complains about objects that are left over.
unload()
{
	for module in vgem vkms bochs cirrus-qemu; do
		rmmod $module || return 1
	done
	for dev in /sys/bus/virtio/drivers/virtio_gpu/virtio*; do
		echo "${dev##*/}" >/sys/bus/virtio/drivers/virtio_gpu/unbind || return 1
		echo "${dev##*/}" >/sys/bus/virtio/drivers/virtio_gpu/bind || return 1
	done
}

check "failnth" ./failnth "$@"
cat /out/failnth.log
check "failnth, no object is left" unload
checks_end
