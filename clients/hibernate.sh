#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# virtio-gpu's objects come through a hibernation of the devices: hibernate.c.

. ./checks.sh

if [ -z "$VM_SLEEP" ]; then
	echo "skip hibernate: the guest's shares would not come back; say SLEEP=1"
	exit 0
fi

modprobe vgem
check "hibernate virtio_gpu" ./hibernate
checks_end
