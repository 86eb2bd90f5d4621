# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What the jobs share, for a busybox in the guest of `make vm`. Use:
# . ./checks.sh; check NAME COMMAND...; ... ; checks_end

FAILED=0

# What the kernel must not say while a client runs. A command that the host
# refuses or a mapping that is left over shows nowhere else.
COMPLAINTS='WARNING|BUG|Oops|refcount_t|not clean|Objects remaining|\*ERROR\*|general protection'
# Except for this; a job may know of more. Without KVM a busy machine is enough
# for a soft lockup, and a real one does not end.
EXPECTED='soft lockup'

# Runs the command, and prints "ok NAME"; or "FAIL NAME" and why; or "skip NAME"
# when it ends with 77, as there is nothing to check on this device. What it
# prints goes to the output folder; not at once, as that is no place for several
# writers.
check()
{
	name=$1; shift
	log=/tmp/$(echo "$name" | tr -c 'a-zA-Z0-9\n' - | tr -s -).log
	status=0

	dmesg -c >/dev/null
	echo "check: $name" >/dev/kmsg
	"$@" >"$log" 2>&1 || status=$?
	dmesg | grep -E "$COMPLAINTS" | grep -vE "$EXPECTED" >"$log.dmesg"
	if [ $status = 77 ] && [ ! -s "$log.dmesg" ]; then
		echo "skip $name"
	elif [ $status = 0 ] && [ ! -s "$log.dmesg" ]; then
		echo "ok   $name"
	else
		echo "FAIL $name"
		[ $status = 0 ] || tail -n 3 "$log" | sed 's/^/     | /'
		head -n 3 "$log.dmesg" | sed 's/^/     | /'
		FAILED=$((FAILED + 1))
	fi
	cp "$log" "$log.dmesg" /out/
}

# For fail-nth: any allocation of a task that asks for it, and nothing in the log
# about it.
allocations_may_fail()
{
	for knob in failslab fail_page_alloc; do
		echo N >/sys/kernel/debug/$knob/ignore-gfp-wait
		echo 0 >/sys/kernel/debug/$knob/verbose
	done
	echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
}

checks_end()
{
	echo "${0##*/}: $FAILED failed"
	[ $FAILED = 0 ]
}
