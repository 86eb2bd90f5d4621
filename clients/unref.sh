#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# virtio-gpu's objects survive a host that does not let go of them: unref.c.
# Last of all: where they do not, the kernel has used freed memory.

. ./checks.sh

if [ -z "$VM_SLEEP" ]; then
	echo "skip unref: the guest's shares would not come back; say SLEEP=1"
	exit 0
fi

# What the driver says about the host is what is to be expected.
EXPECTED="$EXPECTED|ctrlq wait failed"
check "unref virtio_gpu" ./unref
checks_end
