#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# DRM's KUnit suites, which are modules of `make vm CHECKED=` and run when they
# are loaded; the console log has the results, as KTAP. Arguments: the modules
# (default: those of the shmem helper).

status=0
[ $# -gt 0 ] || set -- "/lib/modules/$(uname -r)/kernel/drivers/gpu/drm/tests"/drm_gem_shmem*.ko
for module; do
	module=${module##*/}
	modprobe "${module%.ko}" || status=1
done
exit $status
