#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Nothing is lost when virtio-gpu's driver is taken from its device while
# clients are at work: unbind.c.

. ./checks.sh

check "unbind virtio_gpu, host busy" ./unbind
check "unbind virtio_gpu, host silent" ./unbind silent
checks_end
