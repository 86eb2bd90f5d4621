#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Random system calls while memory is short: stress.c, in a guest of little
# memory. Arguments: those of stress (default: -t 60 -m as much as there is).
#
#	make vm JOB=build/clients/stress.sh MEM=384M [ARGS='-t 600 -s SEED']
#	make vm JOB=build/clients/stress.sh MEM=384M ARGS=-u SPLATS='allocation failure: order:5'
#
# With -u, virtio-gpu's driver may not find the memory in a row that it asks for.

field()
{
	awk -v name="$1" '$1 == name { print $2 }' "$2"
}

status=0
most=$(($(field MemTotal: /proc/meminfo) / 1024))
# A reserve for those who cannot wait, as memory goes fast.
echo 16384 >/proc/sys/vm/min_free_kbytes
modprobe vgem
modprobe vkms

# What does not compress takes as much of zram as of memory: some goes to disk.
echo 192M >/sys/block/zram0/disksize
for disk in zram0 vda; do
	mkswap /dev/$disk >/dev/null && swapon /dev/$disk || status=1
done

./stress -t 60 -m $most "$@" || status=1
echo "stress.sh: $(field pswpout /proc/vmstat) pages swapped out, $(field pswpin /proc/vmstat) in"
[ $status = 0 ] && echo "stress.sh: passed" || echo "stress.sh: FAILED"
exit $status
