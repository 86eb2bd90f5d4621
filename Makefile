# SPDX-License-Identifier: GPL-2.0
#
# The only front door. Each target is a script in scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test test-all tree patches lint cocci bisect drivers rust \
	drm-kunit removal mutants bench series selftest toolbox vm vm-fixes vm-clients vm-table vm-checked \
	sanitize kunit-arch vm-shell clean

help:		## this list
	@echo 'usage: make TARGET [KDIR=/your/kernel/tree] [TARBALL=file] [JOBS=n] [FROM=stage] [PATCH=regex]'
	@echo '       make vm JOB=script [FILES=dir] [STOCK=1] [CHECKED=1] [ROOT=full] [more: docs/vm.md]'
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## */\1\t/p' Makefile | \
		while IFS='	' read -r t d; do printf '  %-10s %s\n' "$$t" "$$d"; done

run:		## from nothing to a verdict: fetch, apply, build UML, run the shmem suites
	@scripts/run.sh

test:		## what guards every change; about 40 minutes from nothing on 2 cores
	@scripts/test.sh

test-all:	## test and all that is slower: mutants, removal, run, sanitize, bench, kunit-arch, vm-*
	@scripts/test.sh all

tree:		## make linux/: the patched kernel, tag base, a commit a patch, a tag a part
	@scripts/tree.sh

patches:	## write the commits of linux/ back to patches/, in a stable form
	@scripts/patches.sh

lint:		## checkpatch, sparse, coccinelle and kernel-doc on what the series touches
	@scripts/lint.sh

cocci:		## the series' own semantic patch: passes its tests, fires on the base, silent at the end
	@scripts/lint.sh cocci

series:		## patches/ applies with git am to the tree of linux/, and is in its stable form
	@scripts/series.sh

drm-kunit:	## all DRM KUnit suites on UML, at the end of the series
	@scripts/drm-kunit.sh

drivers:	## all users of the helper compile: x86_64, arm64, i386
	@scripts/drivers.sh

bisect:		## after every patch: no new warning at W=1, the shmem suites pass
	@scripts/bisect.sh

rust:		## the Rust binding compiles and its suite passes on UML
	@scripts/rust.sh

removal:	## without any one functional patch (or those PATCH= matches), some test fails
	@scripts/removal.sh

mutants:	## with any small, wrong change to the helper (or those MUTANT= matches), some test fails
	@scripts/mutants.sh

bench:		## the helper against the base's, in turns in one kernel: UML, or FULL=1 in the VM
	@scripts/bench.sh

vm:		## run JOB= as root in QEMU, with virtio-gpu, under the patched kernel
	@scripts/vm.sh job

vm-fixes:	## clients of vgem, vkms and virtio-gpu in there: the base fails, the series passes
	@scripts/vm-fixes.sh

vm-clients:	## random system calls with memory short (T= seconds), failing allocations
	@scripts/vm-clients.sh

vm-table:	## modetest, IGT, GL, sleep (those ROW= matches) on the base and the series: nothing is worse
	@scripts/vm-table.sh

vm-checked:	## KUnit suites and clients on kernels with KASAN, lockdep, kmemleak, and with KCSAN
	@scripts/vm-checked.sh

sanitize:	## the shmem suites on UML with KASAN, lockdep and the like; planted bugs are seen
	@scripts/sanitize.sh

kunit-arch:	## the shmem suites on arm64 and i386, emulated
	@scripts/kunit-arch.sh

vm-shell:	## a shell in there
	@scripts/vm.sh shell

selftest:	## bad input ends in one clear line and leaves nothing half-made
	@scripts/selftest.sh

toolbox:	## the tools that Debian 12 lacks, in build/toolbox
	@scripts/toolbox.sh

clean:		## remove what was built; linux/ and downloads stay
	@scripts/clean.sh
