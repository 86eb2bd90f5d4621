#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The bugs of deliberate_bugs_test, which scripts/vm-checked.sh adds to a kernel,
# in the order given: the last may be the end of the guest.

for bug; do
	echo "deliberate bug: $bug" >/dev/kmsg
	printf '%s' "deliberate_bugs.bug_$bug" >/sys/module/kunit/parameters/filter_glob
	modprobe deliberate_bugs_test
	rmmod deliberate_bugs_test
done
