#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Buffers go from each driver to each other one: prime.c. virtio-gpu imports
# with blob resources only.

. ./checks.sh

modprobe vgem
modprobe vkms

for from in vgem vkms virtio_gpu; do
	for to in vgem vkms virtio_gpu; do
		[ $from = $to ] || check "prime $from to $to" ./prime $from $to
	done
done
checks_end
