#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# mutants.sh [quick]: small, wrong changes to the helper and its drivers
# (scripts/mutants.txt), one at a time; a test must fail with each. A test here
# is a case of the drm_gem_shmem* suites on UML, or for a driver, which UML does
# not build, the semantic patch. A mutant that does not compile is an error.
#
# quick takes the few mutants that are marked so, MUTANT=REGEX those whose name
# matches. A mutant takes one CPU's time, so many of them are shared between two
# workers ("mutants.sh worker NUMBER"), each with a tree and objects of its own.

. "$(dirname "$0")/lib.sh"

TABLE=$TOP/scripts/mutants.txt
# With fewer, to build for a second worker takes longer than it saves.
SHARE=40
# In seconds. With a lock that is not given back a run never ends. How long one takes
# that does is seen without a mutant.
PATIENCE=600
# The option -i of kunit.sh, when there is something to go on from.
BUILT=()

mutate()
{
	(cd "$WT" && python3 -B "$TOP/scripts/mutate.py" "$TABLE" "$@")
}

# The first case that fails, and how many more do.
killer()
{
	local cases count

	cases=$(sed -n 's/^ *FAIL: //p' "$LOGS/$NAME.out")
	# Some mutants are the end of the kernel, and of all results.
	if [ -z "$cases" ] && [ -e "$LOGS/$NAME-uml-kernel.log" ]; then
		grep -q 'Kernel panic' "$LOGS/$NAME-uml-kernel.log" && printf 'a crash' || printf 'a hang'
		return
	fi
	count=$(wc -l <<<"$cases")
	printf '%s' "$(sed -n 1p <<<"$cases")"
	[ "$count" -eq 1 ] || printf ' and %d more' $((count - 1))
}

# killed TEST FILE: does the test fail with the worktree as it is? Sets $WHY, to
# nothing if it does not compile.
killed()
{
	local out=$LOGS/$NAME.out

	case $1 in
	kunit)
		! "$TOP/scripts/kunit.sh" "${BUILT[@]}" "${SKIPS[@]}" -w "$PATIENCE" -f 'drm_gem_shmem*' "$NAME-uml" "$WT" \
			"$OUT/uml-${PREFIX}${WT##*/}" "$TOP"/configs/{shmem,$BESIDE}.kunitconfig >"$out" 2>&1 ||
			return 1
		WHY=$(killer) ;;
	cocci)
		! TREE=$WT DRIVER=${2%/*} "$TOP/scripts/lint.sh" cocci >"$out" 2>&1 || return 1
		WHY="semantic patch: $(grep -m1 -oE '(drivers|rust)/[^ ]+\.[ch]\b.*' "$out")" ;;
	esac
}

# How many seconds the kernel ran for, from its log.
run_time()
{
	sed -n 's/^\[ *\([0-9]*\)\..*/\1/p' "$LOGS/$NAME-uml-kernel.log" | tail -n 1
}

# The mutants of $LOGS/mutants-NUMBER.list; what became of them goes to .rows.
worker()
{
	local start verdict kind name test file excuse dir

	NAME=mutants-$1
	if [ "$1" -gt 1 ]; then
		unset HAVE_WORKTREE
		WT=$WT-$1
	fi
	worktree HEAD
	: >"$LOGS/$NAME.rows"
	while read -r test dir; do
		! killed "$test" "$dir/" </dev/null || die "fails without a mutant (${WHY:-it does not compile})"
		[ "$test" != kunit ] || BUILT=(-i) PATIENCE=$((30 + 5 * $(run_time)))
	done < <(awk -F '\t' '{ sub("/[^/]*$", "", $3); print $2, $2 == "kunit" ? "" : $3 }' "$LOGS/$NAME.list" | sort -u)

	while IFS=$'\t' read -r name test file _ excuse; do
		start=$(date +%s)
		git -C "$WT" checkout -q .
		mutate apply "$name"
		if killed "$test" "$file" </dev/null; then
			kind=killed verdict="killed by $WHY"
			if [ -z "$WHY" ]; then
				kind=bad verdict="does not compile; see $LOGS/$NAME-uml.log"
			elif [ "$excuse" != - ]; then
				kind=bad verdict="$verdict, but listed as a survivor"
			fi
		else
			kind=survived verdict="survived: $excuse"
			[ "$excuse" != - ] || kind=bad verdict=SURVIVED
		fi
		step "$name: $verdict ($(($(date +%s) - start)) s)"
		printf '%s\t%s\t%s\n' "$name" "$kind" "$verdict" >>"$LOGS/$NAME.rows"
	done <"$LOGS/$NAME.list"
	worktree HEAD
}

# The quick ones do without lockdep: with the configuration, and the objects, of
# `make bisect` they take half as long.
[ "${1:-}" != quick ] || export QUICK=1
BESIDE=lockdep PREFIX=lockdep- SKIPS=()
[ -z "${QUICK:-}" ] || BESIDE=fast-link PREFIX="" SKIPS=(-s)

if [ "${1:-}" = worker ]; then
	worker "$2"
	exit
fi
[ $# -eq 0 ] || [ "$*" = quick ] || die "mutants: $*?"
MUTANT=${MUTANT:-.}
need_regex MUTANT
need_packages gcc libc6-dev make flex bison bc python3
need_tree
worktree HEAD
list=$(mutate list | awk -F '\t' -v re="$MUTANT" -v quick="${1:+quick}" \
	'$1 ~ re && (quick == "" || $4 == quick)')
[ -n "$list" ] || die "there is no mutant that matches MUTANT=$MUTANT"

# Also of those that are not run now: the code they change may have changed.
mutate check || die "a mutant does not apply"

# The semantic patch has one place for what it finds.
workers=1
[ "$JOBS" -eq 1 ] || [ "$(wc -l <<<"$list")" -lt $SHARE ] || workers=2
rm -f "$LOGS"/mutants-*.{list,rows}
awk -F '\t' -v workers=$workers -v logs="$LOGS" \
	'{ print >(logs "/mutants-" ($2 == "kunit" ? n++ % workers + 1 : 1) ".list") }' <<<"$list"
step "the whole series first (some minutes, if it was not built before)"
seq $workers | xargs -n 1 -P $workers "$TOP/scripts/mutants.sh" worker ||
	die "a worker did not get through"

printf '\n'
awk -F '\t' 'NR == FNR { verdict[$1] = $3; kinds[$2]++; next }
	{ printf "  %-36s %s\n", $1, verdict[$1] }
	END {
		printf "\n%d mutants, %d killed, %d survived as listed\n", FNR, kinds["killed"], kinds["survived"]
		exit kinds["killed"] + kinds["survived"] != FNR
	}' <(cat "$LOGS"/mutants-*.rows) - <<<"$list" ||
	die "$(cat "$LOGS"/mutants-*.rows | cut -f2 | grep -c bad) of them should not have done so"
