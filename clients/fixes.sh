#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# All that a virtual machine can tell about what the series mends:
#
#	make vm SLEEP=1 JOB=build/clients/fixes.sh [BASE=1] [ARGS=seeds for split]
#
# ARGS=quick leaves out what is much the same, for kernels that take long.
#
# Passes with the fixes. On the base, all of split, guess, unqueued and unref
# fails, unbind but for idle clients, and unplug with virtio-gpu. What takes a
# device that does 3D is in fixes-gl.sh.

status=0
if [ "${1:-}" = quick ]; then
	export QUICK=1
	set -- 1
fi
./split.sh "$@" || status=1
for job in hibernate unbind guess; do
	./$job.sh || status=1
done
./unplug.sh virtio_gpu || status=1
for job in unqueued unref; do
	./$job.sh || status=1
done
exit $status
