#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The toolbox: tools newer than Debian 12's, and a cross compiler. Source it
# after lib.sh, or run it: alone it makes the toolbox, with a command it runs
# that inside.
#
#   need_toolbox        make it if it is not there
#   in_toolbox CMD...   run CMD there, in the current directory. The paths
#                       under the project and $TREE are the same as outside;
#                       make more directories visible with TOOLBOX_BIND.
#   need_sparse         set $SPARSE to a sparse that kbuild accepts
#
# On Debian 13 and later the toolbox is the host itself. Before, it is a
# Debian 13 root file system in build/toolbox, made once (1 to 4 minutes,
# 1.9 GB). A command in there runs in a mount namespace of its own, so that no
# mount outlives it or is seen by anybody else.

# shellcheck source=scripts/lib.sh
declare -F die >/dev/null || . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TOOLBOX=$BUILD/toolbox
TOOLBOX_RELEASE=13
TOOLBOX_SUITE=trixie
TOOLBOX_PATH=/usr/sbin:/usr/bin:/sbin:/bin
TOOLBOX_PACKAGES=(
	# kernel builds
	gcc libc6-dev make flex bison bc libelf-dev libssl-dev
	perl python3 git kmod cpio rsync xz-utils
	# Rust
	rustc rust-src rustfmt bindgen
	# lint
	coccinelle libpython3-dev python3-sphinx python3-yaml
	# arm64 (i386 does with the native compiler)
	gcc-aarch64-linux-gnu
)

# kbuild skips the check, but for a warning, when it finds sparse 0.6.4: that
# is the one of Debian 12 and 13.
SPARSE_SUITE=forky
SPARSE=$BUILD/sparse/usr/bin/sparse

# A release without a number is testing or unstable.
toolbox_is_host()
(
	# shellcheck source=/dev/null
	. /etc/os-release
	[ "${ID:-}" = debian ] && [ "${VERSION_ID:-99}" -ge "$TOOLBOX_RELEASE" ]
)

# The mirror of the system's own apt, or DEBIAN_MIRROR=.
debian_mirror()
{
	local try mirror=${DEBIAN_MIRROR:-}

	for try in 1 2; do
		[ -z "$mirror" ] || break
		# Without lists (fresh image) apt does not know the labels.
		[ $try = 1 ] || apt-get update >&2 || true
		mirror=$(apt-get indextargets --format "\$(SITE)" \
			 'Created-By: Packages' 'Label: Debian' 'Component: main' |
			 head -n 1)
	done
	[ -n "$mirror" ] ||
		die "apt knows no Debian mirror; give one with DEBIAN_MIRROR=URL"
	printf '%s\n' "$mirror"
}

# make_debian NAME SUITE PACKAGE...: a root file system in build/NAME, complete
# or not there at all. NAME/etc/NAME lists its packages, see debian_is.
make_debian()
{
	local name=$1 suite=$2 dir=$BUILD/$1 mirror hook

	shift 2
	need_packages mmdebstrap debian-archive-keyring util-linux
	need_space "$BUILD" 3000
	mirror=$(debian_mirror)
	rm -rf "$dir.tmp"
	# shellcheck disable=SC2016
	hook='echo "$DEBIAN_STAMP" >"$1/etc/$DEBIAN_NAME"'
	DEBIAN_STAMP="$*" DEBIAN_NAME=$name run_logged "$name" \
		mmdebstrap --mode=root --variant=apt --format=directory \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(IFS=,; echo "$*")" \
		--customize-hook="$hook" \
		"$suite" "$dir.tmp" "deb $mirror $suite main" ||
		die "could not make build/$name (network? see $LOGS/$name.log)"
	rm -rf "$dir"
	mv "$dir.tmp" "$dir"
}

# debian_is NAME PACKAGE...
debian_is()
{
	[ "$(cat "$BUILD/$1/etc/$1" 2>/dev/null)" = "${*:2}" ]
}

make_toolbox()
{
	[ "$(id -u)" = 0 ] ||
		die "this needs the tools of Debian $TOOLBOX_RELEASE, here in a chroot: run make as root"
	step "making the toolbox (Debian $TOOLBOX_RELEASE in build/toolbox, once)"
	make_debian toolbox "$TOOLBOX_SUITE" "${TOOLBOX_PACKAGES[@]}"
}

need_toolbox()
{
	if toolbox_is_host; then
		need_packages "${TOOLBOX_PACKAGES[@]}"
	elif ! debian_is toolbox "${TOOLBOX_PACKAGES[@]}"; then
		mkdir -p "$BUILD"
		{
			flock 5
			debian_is toolbox "${TOOLBOX_PACKAGES[@]}" || make_toolbox
		} 5>"$BUILD/toolbox.lock"
	fi
}

# Arguments: the root, what to bind there, "--", the command.
# shellcheck disable=SC2016
TOOLBOX_ENTER='
	set -e
	root=$1; shift
	while [ "$1" != -- ]; do
		mkdir -p "$root$1"
		mountpoint -q "$root$1" || mount --rbind "$1" "$root$1"
		shift
	done
	shift
	exec chroot "$root" /bin/sh -c "cd \"\$0\" && exec \"\$@\"" "$PWD" "$@"
'

in_toolbox()
{
	local vars=(env -u RUSTUP_TOOLCHAIN "PATH=$TOOLBOX_PATH")

	need_toolbox
	if toolbox_is_host; then
		"${vars[@]}" "$@"
		return
	fi
	[ "$(id -u)" = 0 ] || die "the toolbox is a chroot: run make as root"
	mkdir -p "$TREE"
	# shellcheck disable=SC2086
	"${vars[@]}" HOME=/root unshare --mount sh -c "$TOOLBOX_ENTER" toolbox \
		"$TOOLBOX" /dev /proc /sys ${TOOLBOX_BIND:-} "$TOP" "$TREE" -- "$@"
}

# Only the program is unpacked: the package wants a compiler of its release,
# which the program does without. apt works in a folder of its own.
need_sparse()
{
	local apt=$BUILD/sparse.tmp mirror

	if [ ! -x "$SPARSE" ]; then
		need_packages debian-archive-keyring
		mirror=$(debian_mirror)
		rm -rf "$apt"
		mkdir -p "$apt"/{lists,cache,root}/partial
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $SPARSE_SUITE main" \
			>"$apt/sources.list"
		printf '%s\n' "Dir::Etc::sourcelist \"$apt/sources.list\";" \
			'Dir::Etc::sourceparts "/dev/null";' \
			'Dir::Etc::preferences "/dev/null";' \
			'Dir::Etc::preferencesparts "/dev/null";' \
			"Dir::State::lists \"$apt/lists\";" \
			'Dir::State::status "/dev/null";' \
			"Dir::Cache \"$apt/cache\";" \
			'APT::Sandbox::User "root";' \
			'Acquire::Languages "none";' \
			'Acquire::Check-Valid-Until "false";' >"$apt/apt.conf"
		step "getting sparse"
		# shellcheck disable=SC2016
		run_logged sparse sh -e -c '
			cd "$1"
			apt-get -c apt.conf update
			apt-get -c apt.conf download sparse
			dpkg-deb -x sparse_*.deb root' sparse "$apt" ||
			die "could not get sparse of $SPARSE_SUITE (network? see $LOGS/sparse.log)"
		rm -rf "$BUILD/sparse"
		mv "$apt/root" "$BUILD/sparse"
		rm -rf "$apt"
	fi
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	need_toolbox
	[ $# = 0 ] || in_toolbox "$@"
fi
