#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The bugs of planted_test, which scripts/vm-checked.sh adds to a kernel, in
# the order given: the last may be the end of the guest.

for bug; do
	echo "planted: $bug" >/dev/kmsg
	printf '%s' "planted.planted_$bug" >/sys/module/kunit/parameters/filter_glob
	modprobe planted_test
	rmmod planted_test
done
