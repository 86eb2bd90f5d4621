#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All DRM KUnit suites on UML at the end of the series, with the tree's own
# configuration. The base has 637 cases. Some of the helper need lockdep, which that
# does not have: they are skipped here, and run with configs/lockdep.kunitconfig.

. "$(dirname "$0")/lib.sh"

need_tree
step "building User-Mode Linux and running all DRM suites"
"$TOP/scripts/kunit.sh" -m 637 -s -t "$UML_OBJECTS" drm-kunit \
	"$TREE" "$OUT/uml-drm" "$TREE/drivers/gpu/drm/tests/.kunitconfig"
step "PASSED; log: build/log/drm-kunit.log"
