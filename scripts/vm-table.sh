#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The same clients on the base and at the end of the series, and a table of what
# they say on both: what passes on the base passes here. clients/table.sh has the
# list, vm-table.py compares. ROW=regex limits it to rows that match, as in
# ROW=vkms or ROW=modetest. With EVICT=1 idle buffers are evicted ten times a second
# meanwhile, where the kernel can do that. The table is in build/vm/table.txt, too.

. "$(dirname "$0")/lib.sh"

ROW=${ROW:-.}
need_regex ROW
case ${EVICT:-} in
''|0) EVICT='' ;;
1) EVICT=evict ;;
*) die "EVICT=$EVICT: say EVICT=1 or leave it out" ;;
esac
VM=$(dirname "$OUT")/vm
TABLE=$VM/table
# The settings of vm.sh are ours.
export JOB=$BUILD/clients/table.sh SPLATS=ok COMMIT='' CHECKED=''

# group KERNEL FOLDER NAME ROWS VARIABLES...: boot a guest, collect what it left.
group()
{
	local kernel=$1 folder=$2 name=$3 rows=$4 base='' row dir=$VM/out/table-$2-$3

	shift 4
	rm -rf "$dir"
	[ "$kernel" = patched ] || base=1
	# How it ends is in the table.
	env "$@" BASE="$base" VM_NAME="table-$folder-$name" VM_TIMEOUT="${VM_TIMEOUT:-1500}" ARGS="$name '$rows' $EVICT" \
		scripts/vm.sh job || note "the guest did not end well"
	[ -e "$dir/console.log" ] || die "no guest ran"
	folder=$TABLE/$folder
	mkdir -p "$folder"
	cp "$dir/console.log" "$folder/console+$name"
	find "$dir/out" -maxdepth 1 -name '*+*.log' -exec cp {} "$folder/" \;
	find "$dir/out" -maxdepth 1 -name '*+*.kmsg' -exec cp {} "$folder/" \;
	# What the guest did not come to is no success.
	for row in $(LIST=1 sh clients/table.sh "$name" "$rows"); do
		touch "$folder/${row//\//+}.log"
	done
}

# all KERNEL FOLDER ROWS: boot those guests that have any of the rows.
all()
{
	local name vars

	for name in igt gl sleep; do
		case $name in
		igt) vars=(ROOT=full) ;;
		gl) vars=(ROOT=full GL=1) ;;
		sleep) vars=(SLEEP=1) ;;
		esac
		[ -z "$(LIST=1 sh clients/table.sh "$name" "$3")" ] || group "$1" "$2" "$name" "$3" "${vars[@]}"
	done
}

compare()
{
	scripts/vm-table.py -x "$TREE/drivers/gpu/drm/ci/xfails" "$@"
}

[ -n "$(for name in igt gl sleep; do LIST=1 sh clients/table.sh $name "$ROW"; done)" ] ||
	die "ROW=$ROW matches no row"
need_tree
scripts/clients.sh
rm -rf "$TABLE"
step "the clients on the base"
all base base "$ROW"
step "the clients at the end of the series"
all patched patched "$ROW"
repeat=$(compare -a "$TABLE/base" "$TABLE/patched")
if [ -n "$repeat" ]; then
	step "tests of timing that differ, once more"
	all patched repeated "$repeat"
fi

status=0
compare "$TABLE/base" "$TABLE/patched" ${repeat:+"$TABLE/repeated"} >"$TABLE.txt" || status=1
cat "$TABLE.txt"
[ $status = 0 ] || die "something is worse with the series; logs in $TABLE"
step "PASSED: nothing is worse with the series"
