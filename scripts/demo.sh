#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# More buffers than memory: clients/demo.sh on the base and at the end of the
# series, in a guest of 512 MiB with 2 GiB of swap, a table, a plot and a verdict.
# MIB= is how much, DRIVER= one driver, COMMIT= another commit of linux/ instead of
# the end of the series. Table, plot and samples are in build/demo/. DOCS=1 copies a
# plot that passed to docs/, as the README shows it.

. "$(dirname "$0")/lib.sh"

DRIVERS='vgem vkms bochs-drm cirrus-qemu virtio_gpu'
MIB=${MIB:-1536} DRIVER=${DRIVER:-} DOCS=${DOCS:-} COMMIT=${COMMIT:-}
DEMO=$BUILD/demo
VM=$(dirname "$OUT")/vm/out

# guest NAME VARIABLE=VALUE...: how it ends is in the table.
guest()
{
	local name=$1

	shift
	rm -rf "${VM:?}/demo-$name"
	mkdir -p "$DEMO/$name"
	env "$@" JOB="$BUILD/clients/demo.sh" VM_NAME="demo-$name" MEM=512M DISK=2G ARGS="$MIB $DRIVERS" \
		VM_TIMEOUT="${VM_TIMEOUT:-3600}" scripts/vm.sh job || touch "$DEMO/$name/failed"
	[ -e "$VM/demo-$name/job.log" ] || die "no guest ran"
	cp "$VM/demo-$name"/{job,console}.log "$DEMO/$name/"
	find "$VM/demo-$name/out" -name '*.tsv' -exec cp {} "$DEMO/$name/" \;
}

# 32 GiB is what fill.c takes in buffers of 8 MiB.
[[ $MIB =~ ^[1-9][0-9]{0,4}$ && $((MIB % 8)) = 0 && $MIB -le 32768 ]] ||
	die "MIB=$MIB: not a multiple of 8 up to 32768"
[[ -z $DRIVER || " $DRIVERS simpledrm " = *" $DRIVER "* ]] || die "DRIVER=$DRIVER: one of $DRIVERS simpledrm"
case $DOCS in
0) DOCS='' ;;
''|1) ;;
*) die "DOCS=$DOCS: say DOCS=1 or leave it out" ;;
esac
DRIVERS=${DRIVER:-$DRIVERS}
[ -z "$DOCS" ] || [ "$MIB $DRIVER$COMMIT" = '1536 ' ] || die "DOCS=1 is for all drivers, 1536 MiB and the series"

need_tree
need_packages python3 gnuplot-nox
scripts/clients.sh
rm -rf "$DEMO"
export CHECKED='' ROOT='' SLEEP='' GL='' APPEND=''
step "$MIB MiB of buffers in 512 MiB of memory, on the base, which must not have them all"
guest base BASE=1 COMMIT='' SPLATS=ok
step "the same ${COMMIT:+on }${COMMIT:-at the end of the series}"
# A busy host makes soft lockups. The other is swap_cluster_alloc_table(), which goes
# without, on the base and for private memory as well; nobody else allocates like that.
guest series BASE='' SPLATS='soft lockup|kswapd0: page allocation failure: order:0.*__GFP_HIGH.*__GFP_NOMEMALLOC'

status=0
# shellcheck disable=SC2086
python3 scripts/demo.py "$DEMO" "$MIB" $DRIVERS >"$DEMO/table.txt" || status=$?
cat "$DEMO/table.txt"
[ -e "$DEMO/demo.png" ] || die "no plot; see $DEMO"
step "table: build/demo/table.txt, plot: build/demo/demo.svg and demo.png"
[ $status = 0 ] || die "demo: FAILED: $(sed -n 's/^FAILED: //p' "$DEMO/table.txt" | paste -sd ';' | sed 's/;/; /g')"
[ -z "$DOCS" ] || cp "$DEMO"/demo.{svg,png} docs/
step "PASSED: $MIB MiB reached on $DRIVERS, no word wrong, nobody killed; the base refuses"
