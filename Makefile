# SPDX-License-Identifier: GPL-2.0
#
# The only front door. Each target is a script in scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test tree mail patches series lint cocci bisect mutants selftest clean \
	test-all demo bench sanitize kunit-arch vm-fixes vm-clients vm-table vm-checked vm vm-shell

help:
	@echo 'usage: make TARGET [KDIR=/your/kernel/tree] [TARBALL=file] [JOBS=n]'
	@sed -n -e 's/^## \(.*\)/\n\1/p' -e 's/^\([a-z-]*\):[^#]*## */\1\t/p' Makefile | \
		while IFS='	' read -r t d; do [ -n "$$d" ] && printf '  %-11s%s\n' "$$t" "$$d" || echo "$$t"; done

## Use the series

run:		## from nothing to a verdict: fetch, apply, build UML, run the shmem suites
	@scripts/run.sh

test:		## what guards every change, within 90 minutes on 2 CPUs (STAGE=name, FROM=name)
	@scripts/test.sh

tree:		## linux/: the patched kernel, tag base, a commit a patch, a tag a folder
	@scripts/tree.sh

mail:		## AUTHOR='Name <mail>': build/mail/, to be sent (PART=regex, TRAILER='Key: value')
	@scripts/mail.sh

## Change it

patches:	## write the commits of linux/ back to patches/, in a stable form
	@scripts/patches.sh

series:		## patches/ applies with git am, fixes alone on base, and is in its stable form
	@scripts/series.sh

lint:		## checkpatch, sparse, coccinelle, kernel-doc and Sphinx on what the series touches
	@scripts/lint.sh

cocci:		## the series' own semantic patch: passes its tests, fires on the base, silent at the end
	@scripts/lint.sh cocci

bisect:		## after every patch: no new warning at W=1, the shmem suites pass
	@scripts/bisect.sh

mutants:	## with any small, wrong change to the helper, some test fails (MUTANT=regex)
	@scripts/mutants.sh

selftest:	## these scripts: bad input ends in one clear line and leaves nothing half-made
	@scripts/selftest.sh

clean:		## remove what was built; linux/ and downloads stay
	@scripts/clean.sh

## Prove it: docs/testing.md

test-all:	## test, and all of the below
	@scripts/test.sh all

sanitize:	## the shmem suites on UML with KASAN, lockdep and the like
	@scripts/sanitize.sh

kunit-arch:	## the shmem suites on arm64 and i386, emulated (ARCHS=)
	@scripts/kunit-arch.sh

demo:		## three times the memory in buffers, base and series: table and plot (DRIVER=, MIB=)
	@scripts/demo.sh

bench:		## the helper against the base's, in turns in one kernel: UML, or FULL=1 in the VM
	@scripts/bench.sh

vm-fixes:	## clients of vgem, vkms and virtio-gpu in QEMU: the base fails, the series passes
	@scripts/vm-fixes.sh

vm-clients:	## random system calls there with memory short (T=seconds), failing allocations
	@scripts/vm-clients.sh

vm-table:	## modetest, IGT, GL, sleep on the base and the series: nothing is worse (ROW=regex, EVICT=1)
	@scripts/vm-table.sh

vm-checked:	## suites and clients on kernels with KASAN, lockdep, kmemleak, KCSAN (ONLY=regex)
	@scripts/vm-checked.sh

vm:		## JOB=script: run it as root there, under the series or BASE=1 (docs/vm.md)
	@scripts/vm.sh job

vm-shell:	## a shell there
	@scripts/vm.sh shell
