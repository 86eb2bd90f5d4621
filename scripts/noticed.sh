# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
#
# Does a test notice that the worktree is wrong? Source it after lib.sh.
#
#   kunit_notices NAME [OPTION...]   the build for UML or the drm_gem_shmem*
#                                    suites fail; options are those of kunit.sh
#   cocci_notices NAME [DRIVER]      the semantic patch has something to say,
#                                    about one driver's directory or all
#
# Both look at $WT, keep the output in $LOGS/NAME.out, and set $WHY if so. The
# objects are in a directory named as $WT is: $OUT/uml-work as a rule.

# What kunit.sh said was wrong.
kunit_why()
{
	if grep -q ' FAILED: ' "$1"; then
		sed -n '/^ *\(FAIL\|SKIP\): / { s//KUnit: /p; q }' "$1"
	else
		echo "build"
	fi
}

kunit_notices()
{
	local out=$LOGS/$1.out

	mkdir -p "$LOGS"
	rm -f "$LOGS/$1-uml-kernel.log"
	! "$TOP/scripts/kunit.sh" "${@:2}" -f 'drm_gem_shmem*' "$1-uml" \
		"$WT" "$OUT/uml-${WT##*/}" "$TOP/configs"/{shmem,again}.kunitconfig >"$out" 2>&1 || return 1
	WHY=$(kunit_why "$out")
}

cocci_notices()
{
	local out=$LOGS/$1.out

	! TREE=$WT DRIVER=${2:-} "$TOP/scripts/lint.sh" cocci >"$out" 2>&1 || return 1
	WHY="semantic patch: $(grep -m1 -oE '(drivers|rust)/[^ ]+\.[ch]\b.*' "$out")"
}
