#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# All that a virtual machine can tell about the fixes:
#
#	make vm SLEEP=1 JOB=build/clients/fixes.sh [BASE=1] [ARGS=seeds for split]
#
# Passes with the fixes. On the base, all of split, unbind and unref fails but
# for idle clients in unbind. For these, and not for hibernation, it takes a
# device that does 3D: make vm GL=1 JOB=build/clients/unbind.sh [BASE=1].

status=0
for job in split hibernate unbind unref; do
	./$job.sh "$@" || status=1
done
exit $status
