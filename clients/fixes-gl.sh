#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The part of fixes.sh that says more with a virtio-gpu that does 3D:
#
#	make vm GL=1 JOB=build/clients/fixes-gl.sh [BASE=1]

status=0
for job in unbind unqueued; do
	./$job.sh || status=1
done
exit $status
