#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The series applies as a reviewer would do it, `git am patches/N-name/*.patch`
# on the base, to exactly the tree of `make tree`; and exporting that tree
# again changes nothing.

. "$(dirname "$0")/lib.sh"

need_tree
worktree base
for folder in $(part_folders); do
	run_logged series-am git -C "$WT" am "$folder"/*.patch || {
		git -C "$WT" am --abort || true
		die "${folder#"$TOP"/} does not apply with git am"
	}
done
git -C "$WT" diff --quiet HEAD "$(git -C "$TREE" rev-parse HEAD)" ||
	die "git am of patches/ gives another tree than the commits in ${TREE#"$TOP"/}"
worktree HEAD

again=$BUILD/again
rm -rf "$again"
"$TOP/scripts/patches.sh" "$again"
for folder in $(part_folders); do
	diff -r "$folder" "$again/$(basename "$folder")" >"$LOGS/series-diff.log" || {
		sed 's/^/    | /;20q' "$LOGS/series-diff.log"
		die "${folder#"$TOP"/} is not what make patches writes"
	}
done
step "PASSED: applies, and is in its stable form"
