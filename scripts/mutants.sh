#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# mutants.sh [quick]: small, wrong changes to the helper and its drivers
# (scripts/mutants.txt), one at a time; a test must fail with each. A test here
# is a case of the drm_gem_shmem* suites on UML, or for a driver, which UML does
# not build, the semantic patch. A mutant that does not compile is an error.
#
# quick takes the few mutants that are marked so, MUTANT=REGEX those whose name
# matches.

. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/noticed.sh"

TABLE=$TOP/scripts/mutants.txt
# A run takes some 5 s. With a lock that is not given back it never ends.
PATIENCE=30

mutate()
{
	(cd "$WT" && python3 -B "$TOP/scripts/mutate.py" "$TABLE" "$@")
}

# The first case that fails whatever the seed is, and how many more do.
killer()
{
	local cases count

	cases=$(sed -n 's/^ *FAIL: //p' "$LOGS/mutants.out")
	# Some mutants are the end of the kernel, and of all results.
	[ -n "$cases" ] || [ ! -e "$LOGS/mutants-uml-kernel.log" ] || { printf 'a crash'; return; }
	count=$(wc -l <<<"$cases")
	printf '%s' "$(grep -m1 -v '_random$' <<<"$cases" || sed -n 1p <<<"$cases")"
	[ "$count" -eq 1 ] || printf ' and %d more' $((count - 1))
}

# noticed TEST FILE: sets $WHY, to nothing if it does not compile.
noticed()
{
	case $1 in
	kunit) kunit_notices mutants -w "$PATIENCE" && WHY=$(killer) ;;
	cocci) cocci_notices mutants "${2%/*}" ;;
	esac
}

[ $# -eq 0 ] || [ "$*" = quick ] || die "mutants: $*?"
need_packages python3
need_tree
worktree HEAD
list=$(mutate list | awk -F '\t' -v re="${MUTANT:-.}" -v quick="${1:+quick}" \
	'$1 ~ re && (quick == "" || $4 == quick)')
[ -n "$list" ] || die "there is no mutant${MUTANT:+ that matches $MUTANT}"

# Also of those that are not run now: the code they change may have changed.
mutate check || die "a mutant does not apply"
step "the whole series first"
while read -r test dir; do
	! noticed "$test" "$dir/" </dev/null || die "fails without a mutant (${WHY:-it does not compile})"
done < <(awk -F '\t' '{ sub("/[^/]*$", "", $3); print $2, $2 == "kunit" ? "" : $3 }' <<<"$list" | sort -u)

killed=0 survived=0 bad=0 rows=()
while IFS=$'\t' read -r name test file _ excuse; do
	start=$(date +%s)
	git -C "$WT" checkout -q .
	mutate apply "$name"
	if noticed "$test" "$file" </dev/null; then
		if [ -z "$WHY" ]; then
			verdict="does not compile; see $LOGS/mutants-uml.log"
			bad=$((bad + 1))
		elif [ "$excuse" != - ]; then
			verdict="killed by $WHY, but listed as a survivor"
			bad=$((bad + 1))
		else
			verdict="killed by $WHY"
			killed=$((killed + 1))
		fi
	else
		survived=$((survived + 1))
		verdict="survived: $excuse"
		[ "$excuse" != - ] || {
			verdict="SURVIVED"
			bad=$((bad + 1))
		}
	fi
	step "$name: $verdict ($(($(date +%s) - start)) s)"
	rows+=("$name	$verdict")
done <<<"$list"
worktree HEAD

printf '\n'
printf '%s\n' "${rows[@]}" | awk -F '\t' '{ printf "  %-36s %s\n", $1, $2 }'
printf '\n%d mutants, %d killed, %d survived\n' ${#rows[@]} $killed $survived
[ $bad -eq 0 ] || die "$bad of them should not have done so"
