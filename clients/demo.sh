#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The guest's part of `make demo`: buffers of MIB in all are filled and walked over
# with each driver in turn, beside a hog: fill.c. Swap is empty each time. /out has
# DRIVER.tsv, what was seen twice a second; the lines that begin with "fill: driver="
# and "demo: driver=" are for scripts/demo.py.
#
#	demo.sh MIB DRIVER...

# scripts/demo.py knows how many walks there have to be.
SEED=1 BUFFER=8 HOG=64 WALKS=2
TRACING=/sys/kernel/tracing
# KiB a CPU, and more events than there were ever seen.
TRACE_BUFFER=2048

# What reclaim did is read here and nowhere else. The vmscan events tell what
# shrinkers were asked for and what they freed, in pages; ours is the one with this
# function. The helper's own event tells of each object that it tries to evict. On the
# base there is nothing of the kind.
SCAN=$(awk '$3 ~ /^drm_gem_shmem_.*scan$/ { print $3; exit }' /proc/kallsyms)

reclaim_starts()
{
	[ -n "$SCAN" ] || return 0
	[ -d $TRACING/events ] || mount -t tracefs tracefs $TRACING || return 1
	echo $TRACE_BUFFER >$TRACING/buffer_size_kb
	for event in start end; do
		echo "shrink.function == $SCAN" >$TRACING/events/vmscan/mm_shrink_slab_$event/filter &&
			echo 1 >$TRACING/events/vmscan/mm_shrink_slab_$event/enable || return 1
	done
	for event in "$TRACING"/events/*/drm_gem_shmem_evict/enable; do
		[ ! -e "$event" ] || echo 1 >"$event"
	done
	# Nothing from before, and no count of it.
	echo 0 >$TRACING/tracing_on
	echo >$TRACING/trace
	echo 1 >$TRACING/tracing_on
}

# "evictions=N freed=PAGES asked=PAGES events=N unseen=N", or "-" for what nobody
# knows. What a scan leaves for later has not been asked for.
reclaim_figures()
{
	unseen=0 evictions=-
	if [ -z "$SCAN" ]; then
		echo "evictions=- freed=- asked=- events=- unseen=-"
		return
	fi
	echo 0 >$TRACING/tracing_on
	unseen=$(cat $TRACING/per_cpu/cpu*/stats | awk '/^(overrun|dropped events):/ { n += $NF } END { print n + 0 }')
	for event in "$TRACING"/events/*/drm_gem_shmem_evict; do
		[ ! -e "$event" ] || evictions=0
	done
	awk -v evictions=$evictions -v unseen="$unseen" '
		function number(name) {
			return match($0, name " -?[0-9]+") ? substr($0, RSTART + length(name)) + 0 : 0
		}
		/^#/ { next }
		{ events++ }
		/ mm_shrink_slab_start: / { asked += number("total_scan") }
		/ mm_shrink_slab_end: / {
			left = number("total_scan")
			asked -= left > 0 ? left : 0
			freed += number("last shrinker return val")
		}
		/ drm_gem_shmem_evict: .* ret=0 *$/ { evictions++ }
		END { printf "evictions=%s freed=%d asked=%d events=%d unseen=%d\n", evictions, freed, asked, events, unseen }
		' $TRACING/trace
}

mib=${1:-}; shift
status=0
mkswap /dev/vda >/dev/null || exit 1
for driver; do
	case $driver in
	bochs-drm) module=bochs ;;
	*) module=$driver ;;
	esac
	if ! modprobe "$module" || ! swapon /dev/vda || ! reclaim_starts; then
		echo "demo.sh: cannot begin with $driver"
		status=1
		continue
	fi
	echo "demo: $driver" >/dev/kmsg
	./fill -t "$mib" -b $BUFFER -s $SEED -w $WALKS -h $HOG -o "/out/$driver.tsv" "$driver" || status=1
	echo "demo: driver=$driver $(reclaim_figures)"
	swapoff /dev/vda || status=1
done
[ $status = 0 ] && echo "demo.sh: passed" || echo "demo.sh: FAILED"
exit $status
