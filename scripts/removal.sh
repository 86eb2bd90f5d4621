#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each functional patch is needed: at the end of the series, with that one
# patch taken out and all tests kept, a test must fail. A test here is the
# build, the drm_gem_shmem* suites on UML, the semantic patch, or for Rust code
# the suite of the binding.
#
# A fix of a driver is no test's business here: its message says that it is
# argued from the code, and such patches are left out.
#
# Where later patches stand in the way of a plain revert, the revert is given
# in scripts/removal/, as a patch to the end of the series, in a file named as
# the patch that it takes out, without the number.
#
# PATCH=REGEX does this for the patches alone whose subject matches.

. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/toolbox.sh"
. "$TOP/scripts/noticed.sh"

argued()
{
	grep -qE '[Aa]rgued (from the code|by)\b' <<<"$(git -C "$TREE" log -1 --format=%B "$1")"
}

# Tests, documentation and the semantic patch are no function; tests in Rust
# are next to the code, and told by the subject of their patch. Nor need a test
# notice a patch whose message says that there is "No functional change".
functional()
{
	! grep -q ': Test ' <<<"$(git -C "$TREE" log -1 --format=%s "$1")" &&
		! argued "$1" &&
		grep -qvE '^(drivers/gpu/drm/tests/|Documentation/|MAINTAINERS$|scripts/coccinelle/)' \
			<<<"$(touched_files "$1")"
}

# noticed RUST: does a test fail in the worktree? Sets $WHY.
noticed()
{
	local out=$LOGS/removal.out

	# One driver's conversion is none of UML's business.
	kunit_notices removal || cocci_notices removal || {
		[ "$1" = rust ] && ! in_toolbox "$TOP/scripts/kunit.sh" -f 'rust_drm_gem_shmem*' removal-rust \
			"$WT" "$OUT/uml-rust-work" "$TOP/configs/rust.kunitconfig" >"$out" 2>&1 &&
			WHY=$(kunit_why "$out")
	}
}

# "rust" when the commits touch Rust code.
rust()
{
	grep -q '\.rs$' <<<"$(git -C "$TREE" diff --name-only "$1" "$2")" && echo rust || echo no
}

need_tree
commits=()
with_rust=no
for commit in $(series_commits); do
	grep -qE -e "${PATCH:-.}" <<<"$(git -C "$TREE" log -1 --format=%s "$commit")" || continue
	functional "$commit" || continue
	commits+=("$commit")
	[ "$(rust "$commit^" "$commit")" = no ] || with_rust=rust
done
[ ${#commits[@]} -gt 0 ] || die "there is no functional patch${PATCH:+ that matches $PATCH}"
worktree HEAD
step "the whole series first"
if noticed "$with_rust"; then
	die "fails with nothing taken out ($WHY)"
fi

failed=0
for commit in "${commits[@]}"; do
	name=$(patch_of "$commit")
	given=$TOP/scripts/removal/$(git -C "$TREE" log -1 --format=%f "$commit").patch
	worktree HEAD
	if [ -e "$given" ]; then
		git -C "$WT" apply "$given" || { step "$name: $given does not apply"; failed=1; continue; }
	elif ! git -C "$WT" revert --no-commit "$commit" >/dev/null 2>&1; then
		git -C "$WT" revert --abort 2>/dev/null || true
		step "$name: cannot be reverted; write ${given#"$TOP"/}"
		failed=1
		continue
	fi
	# What later patches added to the tests stays.
	git -C "$WT" checkout -q HEAD -- drivers/gpu/drm/tests scripts/coccinelle
	if noticed "$(rust "$commit^" "$commit")"; then
		step "$name: $WHY"
	elif grep -qE '^No functional change( outside|\.|;)' <<<"$(git -C "$TREE" log -1 --format=%B "$commit")"; then
		step "$name: nothing, and its message says so"
	else
		step "$name: NOTHING failed without it"
		failed=1
	fi
done
worktree HEAD
[ $failed -eq 0 ] || die "not every patch is guarded by a test"
