#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job: from nothing to a verdict on the drm_gem_shmem* suites.

. "$(dirname "$0")/lib.sh"

need_packages git xz-utils gcc libc6-dev make flex bison bc python3
need_tree
step "building User-Mode Linux and running the drm_gem_shmem* suites"
if "$TOP/scripts/kunit.sh" -f 'drm_gem_shmem*' -t "$UML_OBJECTS" \
	run "$TREE" "$OUT/uml-shmem" "$TOP"/configs/{shmem,lockdep}.kunitconfig; then
	step "PASSED; log: build/log/run.log, kernel's: build/log/run-kernel.log"
else
	step "FAILED; log: build/log/run.log, kernel's: build/log/run-kernel.log"
	exit 1
fi
