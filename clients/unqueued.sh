#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Commands of virtio-gpu that do not get into the queue: unqueued.c.

. ./checks.sh

# What virtio-gpu says of itself when it has no memory for a list of pages.
EXPECTED="$EXPECTED|failed to allocate ent list"
allocations_may_fail
for how in alone guessed unbind unbind-full; do
	check "unqueued virtio_gpu, $how" ./unqueued $how
done
checks_end
