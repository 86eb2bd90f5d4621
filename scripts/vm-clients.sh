#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Clients at work under the patched kernel: random system calls on vgem, vkms
# and virtio-gpu at once, for T= seconds (60) and longer until memory has been
# short, the same while the driver of virtio-gpu is taken away and brought back,
# all allocations of each call failing, one after the other, and buffers that are
# evicted.

. "$(dirname "$0")/lib.sh"

T=${T:-60}
[[ $T =~ ^[1-9][0-9]*$ ]] || die "T=$T: not a number of seconds"
export VM_TIMEOUT=$((5 * T + 900)) BASE=''

need_tree
scripts/clients.sh
COMMAND='make vm JOB=build/clients/stress.sh MEM=384M'
step "random system calls, $T s"
JOB=$BUILD/clients/stress.sh MEM=384M ARGS="-t $T" VM_NAME=stress scripts/vm.sh job ||
	die "stress fails; $COMMAND ARGS='-t $T -s SEED' repeats it"
# The driver asks for 128 KiB in one piece when it comes back.
step "the same while virtio-gpu comes and goes"
JOB=$BUILD/clients/stress.sh MEM=384M ARGS="-t $T -u" SPLATS='allocation failure: order:5' \
	VM_NAME=stress-unbind scripts/vm.sh job || die "stress -u fails; $COMMAND ARGS='-t $T -u -s SEED' repeats it"
# dma_buf_vmap() warns when there is no memory, on the base as well.
step "allocations that fail"
JOB=$BUILD/clients/failnth.sh SPLATS=dma_buf_vmap VM_NAME=failnth scripts/vm.sh job ||
	die "failnth fails"
# The mm's own, for private memory as well: it goes without. And what DMA debugging
# knows of is as much as there is memory for.
FULL='page allocation failure: order:0.*__GFP_HIGH.*__GFP_NOMEMALLOC|DMA-API: cacheline tracking ENOMEM'
step "buffers that are evicted"
JOB=$BUILD/clients/reclaim.sh MEM=512M VM_TIMEOUT=3600 VM_NAME=reclaim SPLATS=$FULL scripts/vm.sh job ||
	die "reclaim fails"
JOB=$BUILD/clients/reclaim.sh ARGS='hibernate suspend' SLEEP=1 MEM=512M VM_NAME=reclaim-sleep scripts/vm.sh job ||
	die "reclaim fails: sleep"
JOB=$BUILD/clients/reclaim.sh ARGS='host textures' GL=1 MEM=512M VM_TIMEOUT=2400 VM_NAME=reclaim-host SPLATS=$FULL scripts/vm.sh job ||
	die "reclaim fails: what the host sees"
step "PASSED: random system calls, unbind, failing allocations, reclaim"
