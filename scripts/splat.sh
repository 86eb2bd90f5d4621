#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# splat.sh [-x REGEX] LOG...
#
# Print the lines with which the kernel complains: warnings, oopses, reports of
# the sanitizers, leaks, hangs. Status 0 when there are none, 1 when there are,
# 2 when a log cannot be read. Lines that match REGEX (extended) are expected.
# The one list of what counts as a complaint is here; use it for every log.

set -euo pipefail
export LC_ALL=C

SPLATS=(
	# WARN(), lockdep, RCU; BUG(), KASAN, KCSAN, SLUB, bad pages
	'WARNING: '
	'\bBUG: |kernel BUG at|\bBUG [^ ]+ \('
	'KASAN: |KCSAN: |KFENCE: |UBSAN: '
	'Oops|general protection fault|invalid opcode: |double fault: |stack guard page'
	'Kernel panic|Unable to handle kernel|unable to handle page fault'
	# lockdep
	'possible (circular|recursive|irq|deadlock|unsafe)|[Ii]nconsistent lock state|\*\*\* DEADLOCK|[Ii]nvalid wait context|suspicious RCU usage|trying to register non-static key'
	'INFO: (task|rcu|possible|lockdep)|blocked for more than|soft lockup|hard LOCKUP|detected stall|self-detected stall'
	'scheduling while atomic|sleeping function called'
	'DMA-API: '
	'unreferenced object|new suspected memory leaks|Objects remaining'
	'refcount_t: |list_(add|del) corruption|ODEBUG: |Bad page'
	'kobject_add_internal failed|cannot create duplicate filename|tried to init an initialized object|does not have a release\(\)'
	'page allocation failure|invoked oom-killer|Out of memory: '
	'nobody cared'
)
# What the tools say when they start, and how lockdep gives up after a find.
HARMLESS='DMA-API: (preallocated|debugging enabled)|kmemleak: Kernel memory leak detector initialized'

expected=''
while getopts x: opt; do
	case $opt in
	x) expected=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { echo 'error: splat.sh: which log?' >&2; exit 2; }
for log; do
	[ -r "$log" ] || { echo "error: splat.sh: cannot read $log" >&2; exit 2; }
done

found=$(cat -- "$@" | tr -d '\r\0' | grep -aE "$(IFS='|'; echo "${SPLATS[*]}")" |
	grep -avE "$HARMLESS${expected:+|$expected}") || true
[ -n "$found" ] || exit 0
printf '%s\n' "$found"
exit 1
