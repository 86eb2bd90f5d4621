#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The guest's part of `make vm-table`: table.sh GROUP [REGEX [evict]] runs the clients
# of a group, or those rows that match. /out has ROW.log and ROW.kmsg for each, '/'
# in names being '+'; scripts/vm-table.py reads them. With the word evict, idle buffers
# are evicted ten times a second meanwhile, where the kernel can do that.
#
#	igt	modetest and IGT on the drivers, with ROOT=full
#	gl	what renders, with ROOT=full GL=1
#	sleep	the clients of this project, with SLEEP=1

group=${1:-} only=${2:-.} evict=${3:-} LIST=${LIST:-}
IGT=/usr/libexec/igt-gpu-tools

# Since the devices are there, with the word evict.
evictions()
{
	[ "$evict" != evict ] || cat /sys/kernel/debug/dri/[0-9]/gem_shmem_shrinker 2>/dev/null |
		awk '/^evictions:/ { n += $2 } END { print ", " n " evictions so far" }'
}

# row NAME SECONDS COMMAND...
row()
{
	name=$1 limit=$2; shift 2
	echo "$name" | grep -qE -- "$only" || return 0
	[ -z "$LIST" ] || { echo "$name"; return 0; }
	file=/out/$(echo "$name" | tr / +)
	status=0 start=$(cut -d. -f1 /proc/uptime)
	dmesg -c >/dev/null
	echo "table: $name" >/dev/kmsg
	# Should the guest not survive it, this much is known.
	echo "table: started" >"$file.log"
	timeout -k 5 "$limit" "$@" >/tmp/row.log 2>&1 </dev/null || status=$?
	dmesg -r >"$file.kmsg"
	{ cat /tmp/row.log; echo "table: status $status"; } >"$file.log"
	echo "$name: status $status, $(($(cut -d. -f1 /proc/uptime) - start)) s$(evictions)"
}

# igt DRIVER TEST...
igt()
{
	export IGT_FORCE_DRIVER="$1"; shift
	for test; do
		row "$IGT_FORCE_DRIVER/$test" 150 "$IGT/$test"
	done
}

# modetest runs until somebody presses a key: for 4 s.
until_key()
{
	{ sleep 4; echo; } | "$@"
}

# The first connected connector, its first mode, the first CRTC, and the cursor's
# plane, as virtio-gpu has no other but the primary one.
show()
{
	driver=$1; shift
	modetest -M "$driver" >/tmp/modetest || return 1
	connector=$(awk '$3 == "connected" { print $1; exit }' /tmp/modetest)
	mode=$(awk '/^\t*index name/ { getline; print $2; exit }' /tmp/modetest)
	crtc=$(awk '/^CRTCs:/ { getline; getline; print $1; exit }' /tmp/modetest)
	plane=$(awk '/^Planes:/ { on = 1 } on && /^[0-9]/ { id = $1 } on && /formats:.*AR24/ { last = id } END { print last }' /tmp/modetest)
	echo "connector $connector, mode $mode, crtc $crtc, plane $plane"
	# shellcheck disable=SC2046
	set -- $(printf '%s\n' "$@" | sed "s/CON/$connector/; s/CRTC/$crtc/; s/PLANE/$plane/; s/MODE/$mode/")
	until_key modetest -M "$driver" "$@" >/tmp/modetest.out 2>&1
	status=$?
	cat /tmp/modetest.out
	# It ends with 0 whatever happens.
	! grep -qiE 'failed|error|invalid' /tmp/modetest.out && [ $status = 0 ]
}

modetests()
{
	for driver in virtio_gpu vkms; do
		row "modetest/$driver-list" 30 modetest -M $driver
		row "modetest/$driver-mode" 60 "$0" show $driver -s CON@CRTC:MODE
		row "modetest/$driver-flip" 60 "$0" show $driver -v -s CON@CRTC:MODE
		row "modetest/$driver-plane" 60 "$0" show $driver -a -s CON@CRTC:MODE -P PLANE@CRTC:64x64@AR24
	done
}

evict_all_the_time()
{
	while sleep 0.1; do
		for file in /sys/kernel/debug/dri/*/gem_shmem_shrinker; do
			echo 1000000 >"$file"
		done
	done 2>/dev/null
}

# Left out, as they time what a loaded host does slowly: kms_flip,
# kms_cursor_legacy, kms_vblank, kms_sequence, kms_setmode, kms_pipe_crc_basic,
# kms_plane_multiple, kms_plane_scaling, kms_async_flips; and what the in-tree lists say not to
# run: kms_cursor_crc and two of kms_invalid_mode.
CORE="core_auth core_debugfs core_getclient core_getstats core_getversion core_setmaster
	core_setmaster_vs_auth core_sysfs drm_read dumb_buffer
	fbdev kms_addfb_basic kms_atomic kms_debugfs kms_dirtyfb kms_display_modes kms_getfb
	kms_hdmi_inject kms_lease kms_prime kms_prop_blob kms_properties kms_rmfb
	kms_universal_plane prime_mmap_kms"

if [ "$evict" = evict ] && [ -z "$LIST" ]; then
	mkswap /dev/vda >/dev/null && swapon /dev/vda || exit 1
	evict_all_the_time &
fi

case $group in
show)
	shift
	show "$@"
	exit ;;
egl)
	# Its status is that of all platforms, and some of these are not here.
	eglinfo -B >/tmp/eglinfo 2>&1
	cat /tmp/eglinfo
	grep -q 'renderer: virgl' /tmp/eglinfo
	exit ;;
venus)
	vulkaninfo --summary >/tmp/vulkaninfo 2>&1
	status=$?
	cat /tmp/vulkaninfo
	grep -qi venus /tmp/vulkaninfo || exit 77
	exit $status ;;
igt)
	[ -n "$LIST" ] || modprobe -a vgem vkms
	modetests
	# shellcheck disable=SC2086
	igt virtio_gpu $CORE drm_virtgpu
	igt vgem vgem_basic vgem_slow dumb_buffer prime_vgem prime_mmap prime_self_import
	# shellcheck disable=SC2086
	igt vkms $CORE kms_writeback
	[ -n "$LIST" ] || rmmod vkms
	row vkms/vkms_configfs 150 env IGT_FORCE_DRIVER=vkms $IGT/vkms/vkms_configfs
	igt virtio_gpu core_hotunplug ;;
gl)
	row gl/eglinfo 100 "$0" egl
	row gl/kmscube 100 kmscube -N -c 60
	row gl/kmscube-atomic 100 kmscube -N -A -c 60
	row gl/glmark2 100 glmark2-es2-drm --off-screen -b build:duration=2
	# venus takes QEMU 10 on the host. Without, Mesa computes it all, and says so.
	row gl/vulkaninfo 100 "$0" venus
	row gl/drm_virtgpu 100 env IGT_FORCE_DRIVER=virtio_gpu $IGT/drm_virtgpu
	row clients/unbind-gl 200 ./unbind.sh
	row clients/unqueued-gl 900 ./unqueued.sh ;;
sleep)
	row clients/prime 200 ./prime.sh
	row clients/split 400 ./split.sh 1 2
	row clients/hibernate 100 ./hibernate.sh
	row clients/sleep 200 ./sleep.sh
	row clients/unplug 200 ./unplug.sh simpledrm bochs-drm cirrus-qemu
	row clients/unbind 200 ./unbind.sh
	row clients/unref 100 ./unref.sh ;;
*)
	echo "table.sh: which group?" >&2
	exit 1 ;;
esac
exit 0
