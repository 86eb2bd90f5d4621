#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rust.sh: the Rust binding is in rustfmt's form, compiles, and its KUnit suite
# passes on UML. In the toolbox: Debian 12 has no Rust that is new enough.

. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/toolbox.sh"

need_tree
need_toolbox
mapfile -t files < <(git -C "$TREE" diff --name-only --diff-filter=d base HEAD -- '*.rs')
if [ ${#files[@]} -gt 0 ]; then
	(cd "$TREE" && run_logged rustfmt in_toolbox \
		rustfmt --check --edition 2021 --config-path .rustfmt.toml "${files[@]}") ||
		die "rustfmt would change what the series touches; see $LOGS/rustfmt.log"
fi
step "building with Rust and running rust_drm_gem_shmem (about 9 minutes cold)"
in_toolbox "$TOP/scripts/kunit.sh" -f 'rust_drm_gem_shmem*' -t 800 \
	rust "$TREE" "$OUT/uml-rust" "$TOP"/configs/{rust,fast-link}.kunitconfig
step "rust PASSED; log: $LOGS/rust.log"
