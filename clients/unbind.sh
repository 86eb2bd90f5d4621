#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Nothing is lost when virtio-gpu's driver is taken from its device while
# clients are at work: unbind.c. The idle ones have something to lose with GL=1
# only: a client's objects are attached to a context on the host then.

. ./checks.sh

check "unbind virtio_gpu, host busy" ./unbind
check "unbind virtio_gpu, host silent" ./unbind silent
check "unbind virtio_gpu, clients idle" ./unbind idle
checks_end
