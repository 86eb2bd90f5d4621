#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The helper of the series against that of the base, in turns in one kernel:
# bench/ says how. On User-Mode Linux, or with FULL=1 in the x86_64 VM, which
# has two CPUs that are emulated. ROUNDS= and SCALE= make it longer. AGAINST=TAG
# takes the helper of another commit of linux/ than the base. Leaves the table, the
# plot and all figures in build/bench/.

. "$(dirname "$0")/lib.sh"

FULL=${FULL:-} ROUNDS=${ROUNDS:-10} SCALE=${SCALE:-1} AGAINST=${AGAINST:-base}
BENCH=$BUILD/bench

for number in ROUNDS SCALE; do
	[[ ${!number} =~ ^[1-9][0-9]*$ ]] || die "$number=${!number}: not a number"
done
case $FULL in
0) FULL='' ;;
''|1) ;;
*) die "FULL=$FULL: say FULL=1 or leave it out" ;;
esac

# One commit in the scratch worktree, for vm.sh to build; the same each time.
scratch_commit()
{
	worktree HEAD
	bench/install.sh "$WT" "$AGAINST"
	git -C "$WT" add -A -f
	GIT_AUTHOR_DATE=$SERIES_DATE GIT_COMMITTER_DATE=$SERIES_DATE git -C "$WT" -c user.name=bench \
		-c user.email=bench@localhost.invalid commit -q --no-verify -m bench
	git -C "$WT" rev-parse HEAD
}

bench_uml()
{
	local obj=$OUT/uml-bench

	need_packages gcc libc6-dev make flex bison bc python3 gnuplot-nox
	need_space "$BUILD" 700
	scratch_commit >/dev/null
	mkdir -p "$obj"
	step "building User-Mode Linux with both helpers"
	cp configs/bench.config "$obj/.config"
	MAKE_KERNEL=(make -s -C "$WT" "O=$obj" ARCH=um "-j$JOBS" "CC=$(! command -v ccache >/dev/null || echo 'ccache ')gcc")
	run_logged bench-config "${MAKE_KERNEL[@]}" olddefconfig || die "bench: the configuration failed"
	run_logged -o "$obj" -t "$UML_OBJECTS" bench-build "${MAKE_KERNEL[@]}" linux || die "bench: the kernel does not build"
	step "running it: $ROUNDS rounds"
	run_logged bench-run timeout --foreground 1800 "$obj/linux" mem=1G console=tty "bench.run=1" \
		"bench.rounds=$ROUNDS" "bench.scale=$SCALE" || true
	cp "$LOGS/bench-run.log" "$BENCH/$name.log"
}

bench_vm()
{
	need_packages python3 gnuplot-nox
	commit=$(scratch_commit)
	cat >"$BENCH/job.sh" <<-'END'
		#!/bin/sh
		# The whole bench is one write.
		echo 0 >/proc/sys/kernel/hung_task_timeout_secs
		echo 1 >/sys/module/bench/parameters/run
	END
	COMMIT=$commit JOB=$BENCH/job.sh VM_NAME=bench MEM=2G VM_TIMEOUT=3600 SPLATS='debugging disabled on' \
		APPEND="dma_debug=off bench.rounds=$ROUNDS bench.scale=$SCALE" scripts/vm.sh job || die "bench: no result of the VM"
	cp "$(dirname "$OUT")/vm/out/bench/console.log" "$BENCH/$name.log"
}

need_tree
git -C "$TREE" rev-parse -q --verify "$AGAINST^{commit}" >/dev/null || die "AGAINST=$AGAINST: no such commit in linux/"
mkdir -p "$BENCH" "$LOGS"
name=$([ -n "$FULL" ] && echo vm || echo uml)
[ "$AGAINST" = base ] || name+=-${AGAINST//[^A-Za-z0-9._-]/_}
rm -f "$BENCH/$name".*
"bench_$([ -n "$FULL" ] && echo vm || echo uml)"
python3 scripts/bench.py "$BENCH/$name.log" "$BENCH/$name" "$AGAINST" ||
	die "bench: no result; see $BENCH/$name.log"
step "figures: build/bench/$name.json, plot: build/bench/$name.svg"
