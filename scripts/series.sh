#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The series applies as a reviewer would do it, `git am patches/*/*.patch` on the
# base, to exactly the tree of `make tree`. Each folder of fixes applies to the
# base alone, and what it touches compiles at W=1 without a warning that the base
# does not have. And exporting the tree again changes nothing: but with KDIR=,
# where patches may have been merged.

. "$(dirname "$0")/bisect.sh"

MERGE=()
[ -z "${KDIR:-}" ] || MERGE=(-3)

# What the commit in $WT touches, on top of the base.
compile_alone()
{
	local part=$1 targets new

	targets=$(touched_targets base "$(git -C "$WT" rev-parse HEAD)")
	[ -n "$targets" ] || return 0
	need_toolbox
	configure_touched "$targets"
	compile_touched "$targets" series || die "$part does not compile on the base alone"
	[ -s "$LOGS/series.warnings" ] || return 0
	worktree base
	# What was not touched is up to date, and would say nothing.
	rm -rf "$OUT"/bisect-{x86_64,arm64}/drivers
	compile_touched "$targets" series-base || die "what $part touches does not compile on the base"
	new=$(comm -13 <(sort -u "$LOGS/series-base.warnings") <(sort -u "$LOGS/series.warnings"))
	[ -z "$new" ] || {
		printf '%s\n' "$new" | sed 's/^/    | /'
		die "$part has new warnings on the base alone"
	}
}

need_tree
worktree base
step "git am patches/*/*.patch"
am_patches "$WT" "${MERGE[@]}" "$TOP"/patches/*/*.patch || die "$AM_ERROR"
git -C "$WT" diff --quiet HEAD "$(git -C "$TREE" rev-parse HEAD)" ||
	die "git am of patches/ gives another tree than the commits in ${TREE#"$TOP"/}"

for folder in $(part_folders); do
	part=${folder##*/}
	stands_alone "$part" || continue
	start=$(date +%s)
	worktree base
	am_patches "$WT" "${MERGE[@]}" "$folder"/*.patch || die "not on the base alone: $AM_ERROR"
	compile_alone "$part"
	step "$part: applies to the base alone and compiles ($(($(date +%s) - start)) s)"
done
worktree HEAD
[ -z "${KDIR:-}" ] || { step "PASSED: applies"; exit 0; }

exported=$BUILD/exported
rm -rf "$exported"
"$TOP/scripts/patches.sh" "$exported"
diff -r "$TOP/patches" "$exported" >"$LOGS/series-diff.log" || {
	sed 's/^/    | /;20q' "$LOGS/series-diff.log"
	die "patches/ is not what make patches writes"
}
step "PASSED: applies, and is in its stable form"
