#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What clients/fixes.sh checks under a real kernel: all of it holds at the end
# of the series, and what a fix is for does not hold on the base.

. "$(dirname "$0")/lib.sh"

# What must be seen to fail: seeds differ from run to run.
FAIL_ON_BASE=(
	'split vgem device' 'split vgem dma-buf' 'split vgem both'
	'split vkms device' 'split vkms dma-buf' 'split vkms both'
	'split virtio_gpu device' 'split virtio_gpu dma-buf' 'split virtio_gpu both'
	'unbind virtio_gpu, host busy' 'unbind virtio_gpu, host silent'
	'unref virtio_gpu'
)

need_tree
scripts/clients.sh
export JOB=$BUILD/clients/fixes.sh SLEEP=1 VM_TIMEOUT=${VM_TIMEOUT:-900}
VM=$(dirname "$OUT")/vm/out

rm -rf "$VM"/fixes-{base,patched}
step "the clients on the base, where they must fail"
# The kernel complains there, and the job fails: it is for the checks to say how.
BASE=1 SPLATS=ok VM_NAME=fixes-base scripts/vm.sh job || true
[ -e "$VM/fixes-base/job.log" ] || die "no guest ran"
for check in "${FAIL_ON_BASE[@]}"; do
	! grep -q "^ok   $check" "$VM/fixes-base/job.log" ||
		die "'$check' passes on the base: it proves nothing"
	grep -q "^FAIL $check" "$VM/fixes-base/job.log" ||
		die "'$check' did not run on the base"
done

step "the clients at the end of the series"
BASE='' VM_NAME=fixes-patched scripts/vm.sh job || die "the clients fail"
for check in "${FAIL_ON_BASE[@]}"; do
	grep -q "^ok   $check" "$VM/fixes-patched/job.log" || die "'$check' did not run"
done
step "PASSED: $(grep -c '^ok ' "$VM/fixes-patched/job.log") checks, $(grep -c '^FAIL ' "$VM/fixes-base/job.log") of them fail on the base"
