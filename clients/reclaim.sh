#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Buffers that are evicted, with little swap, without, with zram, by large objects,
# while their device goes, allocations fail, processes are killed: reclaim.c.
# Arguments: the tests to run, as it names them (default: all but brim and incompressible).
#
#	make vm JOB=build/clients/reclaim.sh MEM=512M [ARGS='full kill']
#	make vm JOB=build/clients/reclaim.sh MEM=512M SLEEP=1 ARGS='hibernate suspend'
#	make vm JOB=build/clients/reclaim.sh MEM=512M GL=1 ARGS='host textures'
#
# On the base, what is about evicted buffers fails: all but noswap.

. ./checks.sh

# virtio-gpu's evicts in two steps.
DRIVERS='vgem vkms bochs-drm virtio_gpu'

wanted()
{
	case " $TESTS " in
	'  '|*" $1 "*) return 0 ;;
	esac
	return 1
}

# on_each TEST SWAP KIB DRIVER...: with so much swap, or all of the disk if it is
# empty.
on_each()
{
	test=$1 disk=$2 kib=$3
	shift 3
	wanted "$test" || return 0
	# shellcheck disable=SC2086
	[ -z "$disk" ] || mkswap "$disk" $kib >/dev/null || return 1
	for driver; do
		# shellcheck disable=SC2086
		check "reclaim $test $driver" ./reclaim ${disk:+-s $disk} "$test" $driver
	done
}

# zram has the memory that it takes until it is reset.
on_zram()
{
	wanted "$1" || return 0
	echo "$2" >/sys/block/zram0/disksize
	on_each "$1" /dev/zram0 '' "$3"
	echo 1 >/sys/block/zram0/reset
}

# A device of vkms that can be taken away while it is open.
vkms_in_configfs()
{
	dir=/sys/kernel/config/vkms/reclaim
	rmmod vkms && modprobe vkms create_default_dev=0 && mkdir $dir || return 1
	mkdir $dir/planes/plane $dir/crtcs/crtc $dir/encoders/encoder $dir/connectors/connector
	ln -s $dir/crtcs/crtc $dir/planes/plane/possible_crtcs
	ln -s $dir/crtcs/crtc $dir/encoders/encoder/possible_crtcs
	ln -s $dir/encoders/encoder $dir/connectors/connector/possible_encoders
	echo 1 >$dir/planes/plane/type
	echo 1 >$dir/enabled
}

TESTS=$*
for module in vgem vkms bochs; do
	modprobe $module
done
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
allocations_may_fail

for test in count pinned exported shown fenced threads fork failnth; do
	# shellcheck disable=SC2086
	on_each $test /dev/vda '' $DRIVERS
	[ "$test" != failnth ] || ! wanted failnth || cat /out/reclaim-failnth-*.log
done
# With GL=1
on_each host /dev/vda '' virtio_gpu
on_each textures /dev/vda '' virtio_gpu
# Without
on_each room '' '' virtio_gpu
# shellcheck disable=SC2086
on_each noswap '' '' $DRIVERS
# shellcheck disable=SC2086
on_each full /dev/vda 131072 $DRIVERS
# Only by name, with SPLATS='oom|Out of memory'
# shellcheck disable=SC2086
[ -z "$TESTS" ] || on_each brim /dev/vda 131072 $DRIVERS
on_zram compressed 1G vgem
# The same
[ -z "$TESTS" ] || on_zram incompressible 256M vgem
on_each too-large /dev/vda '' vgem
on_each large /dev/vda '' vgem
on_each kill /dev/vda '' vgem
# shellcheck disable=SC2086
on_each unbind /dev/vda '' vgem bochs-drm virtio_gpu
if [ -z "$VM_SLEEP" ]; then
	! wanted hibernate && ! wanted suspend ||
		echo "skip reclaim hibernate, suspend: the guest's shares would not come back; say SLEEP=1"
else
	# After that, QEMU does not turn the machine off any more until it is reset, as
	# hibernation does. Until then there are errors of what the host has forgotten:
	# DETACH and UNREF, and what is on the screen, as on the base.
	! wanted suspend || EXPECTED="$EXPECTED|response 0x1203 \(command 0x10[23457]\)"
	on_each suspend /dev/vda '' virtio_gpu
	mkswap /dev/vda >/dev/null
	# All in one.
	# shellcheck disable=SC2086
	! wanted hibernate || check "reclaim hibernate" ./reclaim -s /dev/vda hibernate $DRIVERS
fi
if wanted unbind && vkms_in_configfs; then
	on_each unbind /dev/vda '' vkms
fi
checks_end
