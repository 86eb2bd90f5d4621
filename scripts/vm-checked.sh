#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# KUnit suites and clients under the kernels that look for mistakes, CHECKED=1
# and CHECKED=kcsan: at the end of the series they pass, and the kernel
# complains of nothing but what vm-checked.txt has: that is the base's own doing.
# ONLY=^base- runs the same on the base, which need not pass, and has to be done
# when a client is new. What it complains of must be in the list as well.
#
# KCSAN finds races all over the kernel. Those in the objects that the series
# does not touch are listed by name, and are no failure.
#
# The search proves itself: each bug of deliberate_bugs_test.c in
# deliberate-bugs/, a module of the same kernel, must be seen.
#
# Most guests keep one CPU busy, so two run at a time ("vm-checked.sh guest NAME"),
# the long ones first.
#
# T= is for how many seconds the random system calls go on (60), and longer until
# memory has been short; ONLY=REGEX takes the runs that match, of
# "bugs-1-sg", "base-1-kunit", "patched-kcsan-stress" and so on.

. "$(dirname "$0")/lib.sh"

T=${T:-60}
[[ $T =~ ^[1-9][0-9]*$ ]] || die "T=$T: not a number of seconds"
ALL='^(bugs|patched)-'
ONLY=${ONLY:-$ALL}
need_regex ONLY
LIST=$TOP/scripts/vm-checked.txt
VM=$(dirname "$OUT")/vm/out
# The rows of igt that make, share, map and show buffers, and are not skipped.
# vkms_configfs has two CRTCs with locks of one class in a commit, which is the end
# of lockdep.
ROWS='^modetest/.*-(flip|plane)$|/(vgem_basic|vgem_slow|fbdev|drm_virtgpu|core_hotunplug|kms_(addfb_basic|atomic|getfb|rmfb))$'
ROWS+='|^(vgem|virtio_gpu)/dumb_buffer$|^vkms/kms_(prime|universal_plane|writeback)$'
# Those that fill memory take long, and find nothing but what stress finds.
RECLAIM='count pinned exported shown fenced room threads fork failnth unbind kill hibernate suspend'
GL_ROWS='^gl/(kmscube|glmark2|drm_virtgpu)$|^clients/'
PROBLEMS=0
LISTING=''
BUGS=refs/deliberate-bugs

# What the log must say of each deliberate bug.
declare -A SIGNS=(
	[warn]='WARNING: .*bug_warn'
	[kasan]='KASAN: slab-use-after-free in bug_kasan'
	[lockdep]='possible circular locking dependency'
	[sleep]='sleeping function called from invalid context'
	[dma]='DMA-API: .*tries to free DMA memory it has not allocated'
	[vm]='WARNING: .*bug_vm'
	[refcount]='refcount_t: decrement hit 0'
	[leak]='unreferenced object'
	[sg]='BUG.*scatterlist'
	[list]='list_del corruption'
	[race]='KCSAN: data-race in bug_thread'
)

problem()
{
	note "FAILED: $*"
	PROBLEMS=$((PROBLEMS + 1))
}

wanted()
{
	[[ $1 =~ $ONLY ]] || return 1
	[ -n "$LISTING" ] || return 0
	echo "$1"
	return 1
}

# boot NAME VARIABLE=VALUE...: the settings of vm.sh. Its status.
boot()
{
	rm -rf "${VM:?}/$1"
	env "VM_NAME=$1" VM_TIMEOUT=$((5 * T + 1800)) "${@:2}" scripts/vm.sh job >"$LOGS/vm-$1.log" 2>&1
}

# A commit of the tree with the deliberate bugs: all guests but the base's run
# this kernel, as nobody loads the module but add_bugs.
bugs_commit()
{
	worktree HEAD
	cp scripts/deliberate-bugs/deliberate_bugs_test.c "$WT/drivers/gpu/drm/tests/"
	# shellcheck disable=SC2016
	echo 'obj-$(CONFIG_DRM_KUNIT_TEST) += deliberate_bugs_test.o' >>"$WT/drivers/gpu/drm/tests/Makefile"
	git -C "$WT" add -A
	git -C "$WT" -c user.name=series -c user.email=series@localhost.invalid commit -qm "Deliberate bugs"
	git -C "$WT" update-ref "$BUGS" HEAD
	worktree HEAD
}

# add_bugs CHECKED BUG...: in one boot. The last may be the end of the guest.
add_bugs()
{
	local name=bugs-$1-$2 bug

	wanted "$name" || return 0
	step "$name"
	# No status is expected, and no silence.
	boot "$name" CHECKED="$1" COMMIT="$BUGS" JOB="$BUILD/clients/deliberate-bugs.sh" ARGS="${*:2}" \
		SPLATS=ok || true
	[ -e "$VM/$name/console.log" ] || die "$name did not run, see $LOGS/vm-$name.log"
	for bug in "${@:2}"; do
		if grep -E "${SIGNS[$bug]}" >/dev/null < <(scripts/splat.sh "$VM/$name/console.log"); then
			note "deliberate bug $bug: seen"
		else
			problem "deliberate bug $bug: not seen, see $VM/$name/console.log"
		fi
	done
}

# The list's expressions for a kernel, one a line.
expected()
{
	awk -F '\t+' -v kernel="$1" '/^(both|base)\t/ && ($1 == "both" || $1 == kernel) { print $2 }' "$LIST"
}

# Names of the functions in what the series touches and this kernel has.
our_functions()
{
	git -C "$TREE" diff --name-only base HEAD -- '*.c' | sed "s,^\(.*\)c\$,$OUT/vm-kcsan/\1o," |
		while read -r object; do
			[ ! -e "$object" ] || nm "$object" | awk '$2 ~ /^[tT]$/ { print $3 }'
		done
}

# What counts as a complaint in a log; KCSAN's of functions that are not ours
# go to a list.
complaints()
{
	local log=$1

	scripts/splat.sh -x 'BUG: KCSAN: ' "$log" || true
	grep -a 'BUG: KCSAN: ' "$log" | sed 's/^.*\(BUG: KCSAN: \)/\1/' | sort >"$log.races" || true
	[ -s "$log.races" ] || return 0
	our_functions >"$LOGS/vm-checked.functions"
	[ -s "$LOGS/vm-checked.functions" ] ||
		die "no object files in $OUT/vm-kcsan to tell whose races these are: remove $(dirname "$VM")/*-kcsan"
	grep -wFf "$LOGS/vm-checked.functions" "$log.races" || true
}

# The results of the modules, each a KTAP of its own, as kunit.py reads them.
kunit_results()
{
	local run=$1 commit=$2 modules part json=()

	modules=$(git -C "$TREE" ls-tree --name-only "$commit" drivers/gpu/drm/tests/ | grep -c '/drm_gem_shmem.*_test\.c$')
	rm -rf "$run/ktap"
	mkdir "$run/ktap"
	# What is built in has none: "1..0".
	awk -v dir="$run/ktap/" '
		/\] KTAP version/ { header = $0; next }
		header && /\] 1\.\.0$/ { header = ""; next }
		header { file = dir (++n); print header >file; header = "" }
		file { print >file }' "$run/console.log"
	for part in "$run"/ktap/*; do
		[ -e "$part" ] || break
		python3 -B "$TREE/tools/testing/kunit/kunit.py" parse --json="$part.json" "$part" \
			>"$part.out" 2>&1 || true
		json+=("$part.json")
	done
	[ ${#json[@]} = "$modules" ] || { note "results of ${#json[@]} modules out of $modules"; return 1; }
	# One is skipped with LRU_GEN, which these kernels have.
	python3 scripts/kunit-table.py --allow-skips --log "$run/console.log" "${json[@]}"
}

# check KERNEL CHECKED NAME VARIABLE=VALUE...
check()
{
	local kernel=$1 name=$1-$2-$3 run=$VM/$1-$2-$3 status=0 found

	wanted "$name" || return 0
	step "$name"
	boot "$name" "$([ "$kernel" = base ] && echo BASE=1 || echo "COMMIT=$BUGS")" CHECKED="$2" SPLATS=ok \
		"${@:4}" || status=$?
	[ -e "$run/console.log" ] || die "$name did not run, see $LOGS/vm-$name.log"
	[ "$status" = 0 ] || [ "$kernel" = base ] || problem "$name: status $status"
	if [ "$3" = kunit ]; then
		kunit_results "$run" "$([ "$kernel" = base ] && echo base || echo HEAD)" || [ "$kernel" = base ] || problem "$name: the suites fail"
	fi
	complaints "$run/console.log" >"$run/complaints"
	found=$(grep -avEf <(expected "$kernel") "$run/complaints") || true
	if [ -n "$found" ]; then
		sed -n '1,20s/^/    | /p' <<<"$found"
		problem "$name: $(wc -l <<<"$found") complaints, see $run/console.log"
	fi
	note "$name: status $status, $(wc -l <"$run/complaints") complaints of which $(grep -caEf <(expected "$kernel") "$run/complaints" || true) expected"
	if [ -s "$run/console.log.races" ]; then
		note "races seen:"
		uniq -c "$run/console.log.races" | sed 's/^/    /'
	fi
}

# runs KERNEL: the stress of the base leaves out what is known to go wrong.
runs()
{
	local whole

	[ "$1" = patched ] && whole='' || whole=-w
	check "$1" 1 igt ROOT=full MEM=2G VM_TIMEOUT=3600 JOB="$BUILD/clients/table.sh" ARGS="igt '$ROWS'"
	check "$1" 1 fixes JOB="$BUILD/clients/fixes.sh" SLEEP=1 MEM=2G ARGS=quick
	check "$1" 1 failnth JOB="$BUILD/clients/failnth.sh" ARGS="vgem virtio_gpu"
	check "$1" 1 stress JOB="$BUILD/clients/stress.sh" MEM=384M ARGS="-t $T $whole"
	check "$1" 1 stress-unbind JOB="$BUILD/clients/stress.sh" MEM=384M ARGS="-t $T -u $whole"
	check "$1" 1 reclaim JOB="$BUILD/clients/reclaim.sh" SLEEP=1 MEM=1G VM_TIMEOUT=5400 ARGS="$RECLAIM"
	check "$1" 1 gl ROOT=full GL=1 MEM=2G JOB="$BUILD/clients/table.sh" ARGS="gl '$GL_ROWS'"
	check "$1" 1 kunit JOB="$BUILD/clients/kunit.sh"
	check "$1" 1 prime JOB="$BUILD/clients/prime.sh"
	check "$1" kcsan stress JOB="$BUILD/clients/stress.sh" MEM=256M ARGS="-t $T $whole"
	check "$1" kcsan kunit JOB="$BUILD/clients/kunit.sh"
}

all_runs()
{
	runs base
	runs patched
	# lockdep first: it does not trust a kernel that something else has found a bug in.
	add_bugs 1 lockdep warn kasan sleep dma vm refcount leak
	add_bugs 1 sg
	add_bugs 1 list
	add_bugs kcsan race
}

# What it says comes in one piece.
guest()
{
	local status

	ONLY="^$1\$"
	# A condition would keep errors from ending it.
	set +e
	(set -e; all_runs; [ $PROBLEMS = 0 ]) >"$LOGS/vm-checked-$1.log" 2>&1
	status=$?
	set -e
	[ $status = 0 ] || echo "$1" >>"$LOGS/vm-checked.failed"
	cat "$LOGS/vm-checked-$1.log"
}

# need_kernels RUN...: no guest is to wait for them.
need_kernels()
{
	local checked

	# In a shell of its own: vm.sh uses the worktree next.
	(bugs_commit)
	for checked in 1 kcsan; do
		! grep -qE "^(bugs|patched)-$checked-" <<<"$(printf '%s\n' "$@")" ||
			CHECKED=$checked COMMIT=$BUGS scripts/vm.sh kernel || die "no kernel with the deliberate bugs"
		! grep -q "^base-$checked-" <<<"$(printf '%s\n' "$@")" ||
			CHECKED=$checked BASE=1 scripts/vm.sh kernel || die "no kernel of the base"
	done
}

main()
{
	local what names

	need_packages python3
	need_tree
	mapfile -t names < <(LISTING=1; all_runs || true)
	[ ${#names[@]} -gt 0 ] || die "ONLY=$ONLY: there is no such run"
	scripts/clients.sh
	need_kernels "${names[@]}"
	rm -f "$LOGS/vm-checked.failed" "$VM"/*/complaints
	step "${#names[@]} guests"
	export T
	printf '%s\n' "${names[@]}" | xargs -n 1 -P 2 scripts/vm-checked.sh guest || die "a guest did not get through"

	while [ "$ONLY" = "$ALL" ] && read -r what; do
		cat "$VM"/patched-*/complaints | grep -aE "$what" >/dev/null ||
			note "in the list, but not seen: $what"
	done < <(expected patched)
	[ ! -e "$LOGS/vm-checked.failed" ] ||
		die "problems in $(paste -sd ' ' "$LOGS/vm-checked.failed")"
	step "PASSED: ${#names[@]} runs, and no complaint is new"
}

case ${1:-} in
guest) guest "$2" ;;
'') main ;;
*) die "vm-checked: $*?" ;;
esac
