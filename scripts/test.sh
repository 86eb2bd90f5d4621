#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh [all]: the stages of `make test` or `make test-all`. A stage that
# fails does not keep the others from running. FROM=stage starts there,
# STAGE=stage is that one alone.

. "$(dirname "$0")/lib.sh"

stage tree	scripts/tree.sh
# Nothing can be said without the tree.
[ "$FAILED" = 0 ] || { stages_end; exit 1; }
[ "$PASSED" = 0 ] || export TREE_READY=1
stage series	scripts/series.sh

# Suites run on one CPU, patch after patch. What needs neither their tree nor
# their objects is for the other CPU.
beside_bisect()
{
	stage selftest	scripts/selftest.sh
	stage drivers	scripts/drivers.sh
	# sparse looks at what was compiled there.
	stage lint	scripts/lint.sh
	stage drm-kunit	scripts/drm-kunit.sh
	stage rust	scripts/rust.sh
}

stages_beside beside_bisect
stage bisect	scripts/bisect.sh
stages_join
[ "${1:-}" = all ] || stage mutants-quick scripts/mutants.sh quick
if [ "${1:-}" = all ]; then
	stage mutants	scripts/mutants.sh
	stage run	scripts/run.sh
	stage sanitize	scripts/sanitize.sh
	stage bench	scripts/bench.sh
	stage demo	scripts/demo.sh
	stage vm-fixes	scripts/vm-fixes.sh
	stage vm-clients scripts/vm-clients.sh
	stage vm-table	scripts/vm-table.sh
	stage vm-checked scripts/vm-checked.sh
	stage kunit-arch scripts/kunit-arch.sh
fi
stages_end
