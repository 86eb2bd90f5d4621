#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The drm_gem_shmem* suites on UML with the sanitizers that it has: no case
# fails, and the kernel's log holds none of the complaints that splat.sh knows.
#
# Before that the search proves itself: deliberate-bugs/deliberate_bugs_test.c
# holds a bug for each sanitizer. It is built into a scratch copy, and each must
# be seen.

. "$(dirname "$0")/lib.sh"

# case: what the log must say
BUGS='
warn		WARNING: .*deliberate_bugs_test
kasan		KASAN: slab-use-after-free
lockdep		possible circular locking dependency
sleep		sleeping function called from invalid context
dma		DMA-API: .*tries to free DMA memory it has not allocated
sg		BUG.*scatterlist
list		list_del corruption
vm		WARNING: .*deliberate_bugs_test
refcount	refcount_t: decrement hit 0
'

# suites GLOB NAME
suites()
{
	"$TOP/scripts/kunit.sh" -f "$1" -t "$UML_OBJECTS" "$2" \
		"$WT" "$OUT/uml-sanitize" "$BUILD/sanitize.kunitconfig"
}

need_tree
mkdir -p "$BUILD"
cat configs/shmem.kunitconfig configs/sanitize.kunitconfig >"$BUILD/sanitize.kunitconfig"

step "building User-Mode Linux with sanitizers and deliberate bugs"
worktree HEAD
cp scripts/deliberate-bugs/deliberate_bugs_test.c "$WT/drivers/gpu/drm/tests/"
echo 'obj-y += deliberate_bugs_test.o' >>"$WT/drivers/gpu/drm/tests/Makefile"
failed=0
while IFS=$'\t' read -r name expected; do
	[ -n "$name" ] || continue
	log=$LOGS/sanitize-bugs-kernel.log
	rm -f "$log"
	# A deliberate bug is no failure of the case, and may be the end of the kernel.
	suites "deliberate_bugs.bug_$name" sanitize-bugs >"$LOGS/sanitize-bugs.out" 2>&1 || true
	if [ ! -e "$log" ]; then
		cat "$LOGS/sanitize-bugs.out"
		die "the kernel with the deliberate bugs did not run"
	elif grep -qE "$expected" < <(scripts/splat.sh "$log"); then
		note "deliberate bug $name: seen"
	else
		note "deliberate bug $name: NOT SEEN; see $log"
		cp "$log" "$LOGS/sanitize-bugs-$name-kernel.log"
		failed=1
	fi
done <<<"$BUGS"
worktree HEAD
[ $failed = 0 ] || die "the search would not see every bug"

step "the drm_gem_shmem* suites with sanitizers"
suites 'drm_gem_shmem*' sanitize || die "the suites fail with sanitizers"
scripts/splat.sh "$LOGS/sanitize-kernel.log" || die "the kernel complained; see $LOGS/sanitize-kernel.log"
step "PASSED: all deliberate bugs were seen, and the suites draw no complaint"
