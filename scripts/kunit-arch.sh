#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The drm_gem_shmem* suites on arm64 and i386 (or those of ARCHS=), emulated by
# QEMU: as many cases as on UML pass, and none is skipped.

. "$(dirname "$0")/lib.sh"

ARCHS=${ARCHS:-arm64 i386}
# Objects of a clean build, about: for the progress line only.
ARCH_OBJECTS=1000
declare -A COMPILER=([arm64]=aarch64-linux-gnu-gcc [i386]=gcc)

# kunit.py asks QEMU for KVM first, and what there is of it in a virtual machine
# may abort the guest or hang. These come first in PATH, and do not ask.
make_wrappers()
{
	local dir=$BUILD/qemu-tcg

	mkdir -p "$dir"
	cat >"$dir/qemu-system-aarch64" <<-'EOT'
		#!/bin/bash
		args=()
		while [ $# -gt 0 ]; do
			case "$1 ${2:-}" in
			'-accel kvm'|'-accel hvf') shift 2 ;;
			*) args+=("$1"); shift ;;
			esac
		done
		PATH=${PATH#*:} exec "${0##*/}" "${args[@]}"
	EOT
	chmod 755 "$dir/qemu-system-aarch64"
	ln -sf qemu-system-aarch64 "$dir/qemu-system-i386"
	export PATH=$dir:$PATH
}

# suites NAME OBJDIR KUNITCONFIG OPTION...
suites()
{
	scripts/kunit.sh -f 'drm_gem_shmem*' "${@:4}" "$1" "$TREE" "$2" "$3"
}

# What ran, of a result of kunit.py's.
cases()
{
	grep -o '"status": "PASS"' "$1" | wc -l
}

for arch in $ARCHS; do
	[ -n "${COMPILER[$arch]:-}" ] || die "ARCHS=$ARCHS: there are arm64 and i386"
done
need_packages gcc libc6-dev make flex bison bc python3 gcc-aarch64-linux-gnu qemu-system-arm qemu-system-x86
need_tree
make_wrappers

mkdir -p "$BUILD"
cat configs/{shmem,lockdep}.kunitconfig >"$BUILD/kunit-uml.kunitconfig"
cat "$BUILD/kunit-uml.kunitconfig" configs/kunit-arch.kunitconfig >"$BUILD/kunit-arch.kunitconfig"

step "the drm_gem_shmem* suites on User-Mode Linux"
suites kunit-uml "$OUT/uml-shmem" "$BUILD/kunit-uml.kunitconfig" -q -t "$UML_OBJECTS" || die "they fail"
count=$(cases "$LOGS/kunit-uml.json")
for arch in $ARCHS; do
	step "the same $count cases on $arch"
	CC="$(! command -v ccache >/dev/null || echo 'ccache ')${COMPILER[$arch]}" \
		suites "kunit-$arch" "$OUT/kunit-$arch" "$BUILD/kunit-arch.kunitconfig" \
		-a "$arch" -m "$count" -t "$ARCH_OBJECTS" || die "they fail on $arch"
	scripts/splat.sh "$LOGS/kunit-$arch-kernel.log" || die "the kernel complains on $arch"
done
step "PASSED: $count cases on $ARCHS"
