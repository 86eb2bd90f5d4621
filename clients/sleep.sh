#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The machine suspends to memory and to the disk with virtio-gpu's objects alive,
# and wakes up again: hibernate.c. With pm_test on the way to memory, the host does
# not know the objects afterwards, on the base as well: that is left out.

. ./checks.sh

if [ -z "$VM_SLEEP" ]; then
	echo "skip sleep: the guest's shares would not come back; say SLEEP=1"
	exit 0
fi

modprobe vgem
mkswap /dev/vda >/dev/null
swapon /dev/vda
check "suspend virtio_gpu, for real" ./hibernate mem really
check "hibernate virtio_gpu, for real" ./hibernate disk really
checks_end
