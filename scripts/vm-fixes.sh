#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What clients/fixes.sh checks under a real kernel, and clients/fixes-gl.sh with a
# virtio-gpu that does 3D: all of it holds at the end of the series, and what the
# series mends does not hold on the base.

. "$(dirname "$0")/lib.sh"

# What must be seen to fail: seeds differ from run to run.
FIXES=(
	'split vgem device' 'split vgem dma-buf' 'split vgem both'
	'split vkms device' 'split vkms dma-buf' 'split vkms both'
	'split virtio_gpu device' 'split virtio_gpu dma-buf' 'split virtio_gpu both'
	'unbind virtio_gpu, host busy' 'unbind virtio_gpu, host silent'
	'guess vgem' 'guess vkms' 'guess bochs-drm' 'guess cirrus-qemu'
	'unplug virtio_gpu'
	'unqueued virtio_gpu, alone' 'unqueued virtio_gpu, guessed'
	'unqueued virtio_gpu, unbind$' 'unqueued virtio_gpu, unbind-full'
	'unref virtio_gpu'
)
FIXES_GL=(
	'unbind virtio_gpu, host busy' 'unbind virtio_gpu, host silent'
	'unbind virtio_gpu, clients idle'
	'unqueued virtio_gpu, alone'
	'unqueued virtio_gpu, unbind$' 'unqueued virtio_gpu, unbind-full'
)
VM=$(dirname "$OUT")/vm/out
PASSED_CHECKS=0
FAILED_CHECKS=0

# base_fails_series_passes NAME VARIABLE=VALUE CHECK...: the job NAME.sh in a guest
# of each, with that setting.
base_fails_series_passes()
{
	local name=$1 setting=$2 check

	shift 2
	rm -rf "$VM/$name"-{base,patched}
	step "$name.sh on the base, where it must fail"
	# The kernel complains there, and the job fails: it is for the checks to say how.
	env "$setting" BASE=1 JOB="$BUILD/clients/$name.sh" SPLATS=ok VM_NAME="$name-base" scripts/vm.sh job || true
	[ -e "$VM/$name-base/job.log" ] || die "no guest ran"
	for check; do
		! grep -q "^ok   $check" "$VM/$name-base/job.log" ||
			die "'$check' passes on the base: it proves nothing"
		grep -q "^FAIL $check" "$VM/$name-base/job.log" ||
			die "'$check' did not run on the base"
	done

	step "$name.sh at the end of the series"
	env "$setting" BASE='' JOB="$BUILD/clients/$name.sh" VM_NAME="$name-patched" scripts/vm.sh job ||
		die "the clients fail"
	for check; do
		grep -q "^ok   $check" "$VM/$name-patched/job.log" || die "'$check' did not run"
	done
	PASSED_CHECKS=$((PASSED_CHECKS + $(grep -c '^ok ' "$VM/$name-patched/job.log")))
	FAILED_CHECKS=$((FAILED_CHECKS + $(grep -c '^FAIL ' "$VM/$name-base/job.log")))
}

need_tree
scripts/clients.sh
export VM_TIMEOUT=${VM_TIMEOUT:-1200}
base_fails_series_passes fixes SLEEP=1 "${FIXES[@]}"
base_fails_series_passes fixes-gl GL=1 "${FIXES_GL[@]}"
step "PASSED: $PASSED_CHECKS checks, $FAILED_CHECKS of them fail on the base"
