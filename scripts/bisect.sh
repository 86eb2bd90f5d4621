#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# After every patch, in order: what it touches compiles without a warning at
# W=1 that the base does not have, and the shmem KUnit suites pass on UML.
# Stops at the first patch that fails. Rust code is for rust.sh.
#
# The suites do not run again after a patch of which nothing goes into UML's
# kernel: it would be the same one as before.

. "$(dirname "$0")/drivers.sh"

CONFIGURED=''

# Which build has the file's driver.
arch_of()
{
	case $1 in
	drivers/gpu/drm/imagination/*) echo arm64 ;;
	*) echo x86_64 ;;
	esac
}

# touched_targets FROM TO: the make targets for what differs, as "arch target".
touched_targets()
{
	local file

	for file in $(touched_files "$1" "$2"); do
		case $file in
		drivers/*.c|mm/*.c) echo "$(arch_of "$file") ${file%c}o" ;;
		drivers/*.h)
			if [ "$(dirname "$file")" != drivers/gpu/drm ]; then
				echo "$(arch_of "$file") $(dirname "$file")/"
			else
				# All drivers are below, and few files include it.
				{ git -C "$WT" grep -l "\"$(basename "$file")\"" -- 'drivers/gpu/drm/*.c' || true; } |
					sed 's/^/x86_64 /; s/c$/o/'
			fi ;;
		include/drm/drm_gem_shmem_helper.h)
			users "$WT" | while read -r file; do
				echo "$(arch_of "$file") ${file%c}o"
			done ;;
		esac
	done | sort -u
}

# Each target on its own: one that the tree does not have at this patch
# (a new file, at the base) must not hide the others.
existing()
{
	local target

	for target; do
		[ ! -e "$WT/${target%o}c" ] && [ ! -d "$WT/$target" ] || echo "$target"
	done
}

# Each build that has any of the targets, once.
configure_touched()
{
	local arch

	for arch in x86_64 arm64; do
		[[ $CONFIGURED != *$arch* ]] || continue
		grep -q "^$arch " <<<"$1" || continue
		configure "$WT" $arch bisect-$arch || die "the $arch build cannot be configured"
		CONFIGURED+=" $arch"
	done
}

# compile_touched TARGETS NAME: both builds; warnings go to $LOGS/NAME.warnings
compile_touched()
{
	local arch list

	: >"$LOGS/$2.warnings"
	for arch in x86_64 arm64; do
		# shellcheck disable=SC2046
		mapfile -t list < <(existing $(sed -n "s/^$arch //p" <<<"$1"))
		[ ${#list[@]} -gt 0 ] || continue
		compile "$WT" $arch "bisect-$arch" "${list[@]}" || return 1
		warnings "$LOG" >>"$LOGS/$2.warnings"
	done
}

# Does UML's kernel have anything from the folders the commit touches?
in_uml()
{
	local file

	for file in $(touched_files "$1^" "$1"); do
		case $file in
		Documentation/*|MAINTAINERS|rust/*|scripts/coccinelle/*) ;;
		*/Makefile|include/*) return 0 ;;
		*) ! compgen -G "$OUT/uml-work/$(dirname "$file")/*.o" >/dev/null || return 0 ;;
		esac
	done
	return 1
}

# The option -i of kunit.sh, unless the commit may change the configuration.
as_configured()
{
	grep -qE '(^|/)(Kconfig[^/]*|[^/]*config)$' <<<"$(touched_files "$1^" "$1")" || echo -i
}

bisect()
{
	local commit subject targets new n=0 total start compiling kunit

	need_tree
	need_toolbox
	total=$(series_commits | wc -l)
	[ "$total" -gt 0 ] || die "there are no patches"

	step "what the series touches, at the base"
	worktree base
	rm -rf "$OUT"/bisect-{x86_64,arm64}/drivers
	targets=$(for commit in $(series_commits); do touched_targets "$commit^" "$commit"; done | sort -u)
	configure_touched "$targets"
	compile_touched "$targets" bisect-base || die "what the series touches does not compile at the base"

	step "the drm_gem_shmem* suites, at the base"
	"$TOP/scripts/kunit.sh" -q -s -f 'drm_gem_shmem*' -t "$UML_OBJECTS" \
		bisect-uml "$WT" "$OUT/uml-work" "$TOP/configs"/{shmem,fast-link}.kunitconfig

	for commit in $(series_commits); do
		n=$((n + 1))
		start=$(date +%s)
		subject=$(patch_of "$commit")
		# Nothing was changed in the worktree.
		git -C "$WT" checkout -q --detach "$commit"
		# Beside the suites: what a patch touches, and a link, keep one CPU busy.
		compile_touched "$(touched_targets "$commit^" "$commit")" bisect >"$LOGS/bisect-compile.log" 2>&1 &
		compiling=$!
		kunit=0
		# shellcheck disable=SC2046
		! in_uml "$commit" || "$TOP/scripts/kunit.sh" $(as_configured "$commit") -q -s -f 'drm_gem_shmem*' \
			bisect-uml "$WT" "$OUT/uml-work" "$TOP/configs"/{shmem,fast-link}.kunitconfig || kunit=$?
		wait $compiling || {
			cat "$LOGS/bisect-compile.log"
			die "does not compile after $subject"
		}
		new=$(comm -13 <(sort -u "$LOGS/bisect-base.warnings") <(sort -u "$LOGS/bisect.warnings"))
		[ -z "$new" ] || {
			printf '%s\n' "$new" | sed 's/^/    | /'
			die "new warnings after $subject"
		}
		[ $kunit = 0 ] || die "KUnit fails after $subject"
		! grep -q '\.rs$' <<<"$(touched_files "$commit^" "$commit")" ||
			note "Rust code is checked at the end of the series only: make test STAGE=rust"
		step "$n/$total $subject: ok ($(($(date +%s) - start)) s)"
	done
}

[ "${BASH_SOURCE[0]}" != "$0" ] || bisect
