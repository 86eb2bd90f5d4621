#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kunit.sh [-a ARCH] [-f GLOB] [-i] [-m MIN] [-s] [-t TOTAL] [-w SECONDS] [-q] NAME SOURCE OBJDIR KUNITCONFIG...
#
# Build SOURCE for User-Mode Linux in OBJDIR and run its KUnit suites with the
# kernel's own kunit.py. Prints a table of suites. Fails when anything does:
# the build, a case, no case run at all, fewer than MIN cases, a skipped case.
#   -a ARCH   for arm64 or i386 instead, in QEMU; the caller sees to its packages
#   -f GLOB   only the suites that match
#   -i        OBJDIR was built from SOURCE before, with the same configuration: leave out
#             what kunit.py does about that each time, which takes as long as the build
#   -m MIN    so many cases must run
#   -s        a case may be skipped
#   -t TOTAL  about so many objects make a clean build (for the progress line)
#   -w SECS   wait no longer for the kernel (default: 600 s)
#   -q        no table when all is well
# The times in the table are those of the kernel's log.
# Logs: $LOGS/NAME.log (kunit.py), NAME.json (its result), NAME-kernel.log

. "$(dirname "$0")/lib.sh"

glob='' min=1 again='' skips=() total=0 wait=600 quiet=() arch=() image=linux
while getopts a:f:im:st:w:q opt; do
	case $opt in
	a) arch=(--arch="$OPTARG") image=vmlinux ;;
	f) glob=$OPTARG ;;
	i) again=yes ;;
	m) min=$OPTARG ;;
	s) skips=(--allow-skips) ;;
	t) total=$OPTARG ;;
	w) wait=$OPTARG ;;
	q) quiet=(--quiet) ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ "${arch[*]}" != --arch=arm64 ] || arch+=(--cross_compile=aarch64-linux-gnu-)
name=$1 source=$2 objdir=$3 configs=("${@:4}")

need_packages gcc libc6-dev make flex bison bc python3
need_space "$objdir" 700
# A clean build's total means nothing to one that has most of it.
[ ! -e "$objdir/$image" ] || total=0

# run_kunit_py COMMAND OPTION...
# shellcheck disable=SC2317
run_kunit_py()
{
	python3 tools/testing/kunit/kunit.py "$1" --build_dir="$objdir" --timeout="$wait" --json="$json" \
		"${@:2}" ${glob:+"$glob"}
}

# shellcheck disable=SC2317
build_and_run()
{
	if [ -n "$again" ] && [ -e "$objdir/.config" ]; then
		make -s ARCH=um "O=$objdir" "-j$JOBS" ${CC:+"CC=$CC"} linux && run_kunit_py exec
	else
		run_kunit_py run "${arch[@]}" "${configs[@]/#/--kunitconfig=}" --kconfig_add=CONFIG_PRINTK_TIME=y \
			--jobs="$JOBS" ${CC:+--make_options "CC=$CC"}
	fi
}

json=$LOGS/$name.json
rm -f "$json" "$objdir/test.log" "$LOGS/$name-kernel.log"
status=0
(cd "$source" && PYTHONDONTWRITEBYTECODE=1 run_logged -o "$objdir" -t "$total" "$name" build_and_run) ||
	status=$?
[ ! -e "$objdir/test.log" ] || cp "$objdir/test.log" "$LOGS/$name-kernel.log"
[ -e "$json" ] || die "$name: no result; see $LOGS/$name.log"
python3 "$TOP/scripts/kunit-table.py" --min "$min" "${skips[@]}" "${quiet[@]}" \
	--log "$LOGS/$name-kernel.log" "$json" || status=1
exit $status
