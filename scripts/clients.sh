#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Compile the clients of clients/ into build/clients/, with their jobs beside
# them: static programs that make system calls of their own, for any guest.

. "$(dirname "$0")/lib.sh"

CLIENTS=$BUILD/clients

need_tree
need_packages gcc libc6-dev make
# The kernel's own headers: Debian's package of them has none of DRM's.
run_logged headers make -s -C "$TREE" O="$OUT/headers" ARCH=x86_64 -j"$JOBS" headers ||
	die "cannot make the headers"
rm -rf "$CLIENTS.tmp"
mkdir -p "$CLIENTS.tmp"
for source in clients/*.c; do
	run_logged clients gcc -O2 -Wall -Wextra -Werror -static -isystem "$OUT/headers/usr/include" \
		-o "$CLIENTS.tmp/$(basename "$source" .c)" "$source" || die "cannot compile $source"
done
cp clients/*.sh "$CLIENTS.tmp/"
rm -rf "$CLIENTS"
mv "$CLIENTS.tmp" "$CLIENTS"
step "$(find clients -name '*.c' | wc -l) clients in ${CLIENTS#"$TOP/"}"
