#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# drivers.sh: every user of the shmem helper compiles at the end of the series,
# at W=1 without a warning that the base does not have.
#
# Three builds (configs/drivers*.config), of objects and single directories
# only: all users for x86_64 with COMPILE_TEST; those of Arm machines again for
# arm64, with what is only there; the helper, lima and panfrost for i386, as 32-bit. The
# users are found by looking, and each must have become an object in one of
# the builds: a configuration that silently lost a driver fails.

. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/toolbox.sh"

# ethosu names the helper in a comment only; Rust code is for rust.sh.
users()
{
	git -C "$1" grep -lE 'drm_gem_shmem_|DRM_GEM_SHMEM_' -- 'drivers/*.c' ':!drivers/accel/ethosu'
}

# Those of DRM itself: the helper, its shrinker, and fbdev, which only x86_64 has.
core()
{
	users "$1" | grep -x 'drivers/gpu/drm/[^/]*' | sed 's/c$/o/' |
		if [ "$2" = x86_64 ]; then cat; else grep -v fbdev; fi
}

tests()
{
	(cd "$1" && ls drivers/gpu/drm/tests/drm_gem_shmem*.c) | sed 's/c$/o/'
}

targets()
{
	case $2 in
	x86_64)
		core "$@"
		tests "$1"
		users "$1" | xargs -n 1 dirname | sort -u | sed 's,$,/,' |
			grep -vxE 'drivers/gpu/drm/(tests/)?' ;;
	arm64)
		core "$@"
		printf 'drivers/%s/\n' accel/rocket gpu/drm/{imagination,lima,panfrost,v3d} ;;
	i386)
		core "$@"
		echo drivers/gpu/drm/{lima,panfrost}/
		tests "$1" ;;
	esac
}

# What the compiler and kernel-doc had to say, without paths and line numbers.
warnings()
{
	sed -nE 's,^(.*[./ ])?((drivers|include)/[^ :]+):[0-9:]+ *(.*(warning|error): .*),\2: \4,Ip;
		 s,^(Warning|Error): (.*/)?((drivers|include)/[^ :]+):[0-9]+ (.*),\3: \5,p' "$1" |
		sort -u
}

# configure SOURCE ARCH NAME: an object directory, with nothing built.
configure()
{
	local arch=$2 name=$3 obj=$OUT/$3 fragment lost

	fragment=$TOP/configs/drivers-$arch.config
	set_make "$@"
	need_space "$OUT" 700
	mkdir -p "$obj"
	run_logged "$name-config" in_toolbox "${MAKE_KERNEL[@]}" "KCONFIG_ALLCONFIG=$fragment" allnoconfig ||
		return 1
	lost=$(grep '^CONFIG_' "$fragment" | grep -vxFf "$obj/.config" | tr '\n' ' ') || true
	[ -z "$lost" ] || { note "$name: not to be had: $lost"; return 1; }
	run_logged "$name-prepare" in_toolbox "${MAKE_KERNEL[@]}" prepare
}

set_make()
{
	MAKE_KERNEL=(make -s -k -C "$1" "O=$OUT/$3" "ARCH=$2" "-j$JOBS")
	[ "$2" != arm64 ] || MAKE_KERNEL+=(CROSS_COMPILE=aarch64-linux-gnu-)
}

# compile SOURCE ARCH NAME TARGET...: sets $LOG.
compile()
{
	set_make "$@"
	LOG=$LOGS/$3.log
	run_logged -o "$OUT/$3/drivers" "$3" in_toolbox "${MAKE_KERNEL[@]}" W=1 "${@:4}"
}

build()
{
	# shellcheck disable=SC2046
	configure "$@" && compile "$@" $(targets "$1" "$2")
}

# Of the targets of ARCH, those that drew WARNINGS; all if a shared header did.
suspects()
{
	local target

	for target in $(targets "$TREE" "$1"); do
		! grep -q "^include/\|^${target%.o}" "$2" || echo "$target"
	done
}

# An object that is there already would not draw its warnings again.
forget_objects()
{
	[ ! -d "$OUT/$1/drivers" ] || find "$OUT/$1/drivers" -name '*.o' -delete
}

check()
{
	local arch=$1 name=drivers-$1 new

	mkdir -p "$LOGS"
	: >"$LOGS/$name.objects"
	forget_objects "$name"
	build "$TREE" "$arch" "$name" || return 1
	warnings "$LOG" >"$LOGS/$name.warnings"
	(cd "$OUT/$name" && find drivers -name '*.o') >"$LOGS/$name.objects"
	if [ -s "$LOGS/$name.warnings" ]; then
		note "$arch: there are warnings; looking whether the base has them too"
		worktree base
		forget_objects "$name-base"
		# shellcheck disable=SC2046
		configure "$WT" "$arch" "$name-base" &&
			compile "$WT" "$arch" "$name-base" $(suspects "$arch" "$LOGS/$name.warnings") ||
			return 1
		warnings "$LOG" >"$LOGS/$name-base.warnings"
		new=$(comm -23 "$LOGS/$name.warnings" "$LOGS/$name-base.warnings")
		if [ -n "$new" ]; then
			printf '%s\n' "$new" | sed 's/^/    | /'
			note "$arch: new warnings"
			return 1
		fi
	fi
	step "$arch: $(wc -l <"$LOGS/$name.objects") objects, $(wc -l <"$LOGS/$name.warnings") warnings, none of them new"
}

main()
{
	local arch file failed=0

	need_tree
	need_toolbox
	for arch in x86_64 arm64 i386; do
		check "$arch" || failed=1
	done
	users "$TREE" | sed 's/c$/o/' | sort >"$LOGS/drivers.users"
	for file in $(sort "$LOGS"/drivers-{x86_64,arm64,i386}.objects | comm -23 "$LOGS/drivers.users" -); do
		note "not compiled: ${file%o}c"
		failed=1
	done
	[ "$failed" = 0 ] || { step "drivers FAILED"; exit 1; }
	step "drivers: all $(wc -l <"$LOGS/drivers.users") files that use the helper compiled"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main
