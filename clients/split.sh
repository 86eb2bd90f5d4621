#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Parts of mappings show the part of the buffer that they are of: split.c with
# every driver that is there. Arguments: seeds (default: 1 2 and a new one). With
# QUICK=1 buffers are mapped in both ways only.

. ./checks.sh

[ $# -gt 0 ] || set -- 1 2 "$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')"
modprobe vgem
modprobe vkms
huge=/sys/kernel/mm/transparent_hugepage/shmem_enabled

for driver in vgem vkms virtio_gpu; do
	for seed; do
		if [ -z "${QUICK:-}" ]; then
			check "split $driver device, seed $seed" ./split -d $driver -k device -s "$seed"
			check "split $driver dma-buf, seed $seed" ./split -d $driver -k dma-buf -s "$seed"
		fi
		check "split $driver both, seed $seed" ./split -d $driver -s "$seed"
	done
	if [ -e $huge ]; then
		was=$(sed 's/.*\[\(.*\)\].*/\1/' $huge)
		echo force >$huge
		check "split $driver both, huge pages, seed $1" \
			./split -d $driver -s "$1" -p 2048 -b 3 -n 200
		echo "$was" >$huge
	fi
done
checks_end
