#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Get the kernel source's tarball: build/src/linux.tar.xz, and its version in
# build/src/version. TARBALL=FILE (a kernel tarball, or the Debian package)
# takes the place of the download.
#
# The package is fetched with apt by name, in folders of our own: the system's
# sources, lists, pins and package cache are only read. The mirror is the
# system's.

. "$(dirname "$0")/lib.sh"

SRC=$BUILD/src
APT=$BUILD/apt
SYSTEM_LISTS=()
OTHERWISE="give KDIR=/path/to/a/$KERNEL_SERIES/tree or TARBALL=/path/to/linux-$KERNEL_SERIES.tar.xz"

sha256_is()
{
	[ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ]
}

# Put FILE (a tarball or a .deb) in place as VERSION, at one stroke.
install_tarball()
{
	local file=$1 version=$2

	need_space "$SRC" 500
	case $file in
	*.deb)
		dpkg-deb --fsys-tarfile "$file" |
			tar -xO --wildcards './usr/src/linux-source-*.tar.xz' >"$SRC/linux.tar.xz.tmp" ||
			die "$file holds no kernel source" ;;
	*)
		cp "$file" "$SRC/linux.tar.xz.tmp" ;;
	esac
	if [ "$version" = "$KERNEL_DEB_VERSION" ]; then
		sha256_is "$SRC/linux.tar.xz.tmp" "$KERNEL_TARBALL_SHA256" ||
			die "checksum of the source in $file is not that of kernel.base"
	fi
	echo "$version" >"$SRC/version"
	mv "$SRC/linux.tar.xz.tmp" "$SRC/linux.tar.xz"
}

apt_setup()
{
	local keyring option=''

	rm -rf "$BUILD/apt/etc"
	mkdir -p "$APT/etc/preferences.d" "$APT/state/lists/partial" "$APT/cache/archives/partial"
	cat >"$APT/apt.conf" <<-CONF
		Dir::State "$APT/state";
		Dir::State::lists "$APT/state/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$APT/cache";
		Dir::Cache::archives "$APT/cache/archives";
		Dir::Etc::sourcelist "$APT/etc/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "$APT/etc/preferences.d";
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		Acquire::Retries "1";
		Acquire::Languages "none";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	CONF
	for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
		if [ -e "$keyring" ]; then
			option=" signed-by=$keyring"
			break
		fi
	done
	APT_LINE="deb [arch=$(dpkg --print-architecture)$option]"
	SITES=$(debian_sites)
	# A fresh system has no lists yet. Get them, in a folder of our own too.
	if [ -z "$SITES" ]; then
		mkdir -p "$APT/system/partial"
		SYSTEM_LISTS=(-o "Dir::State::lists=$APT/system" -o APT::Sandbox::User=root
			-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
		run_quiet apt-get "${SYSTEM_LISTS[@]}" update || true
		SITES=$(debian_sites)
	fi
	[ -n "$SITES" ] ||
		die "apt knows no Debian mirror, or cannot reach it (no network?); $OTHERWISE"
}

# Where the system's packages come from.
debian_sites()
{
	# shellcheck disable=SC2016
	apt-get "${SYSTEM_LISTS[@]}" indextargets --format '$(SITE)' 'Identifier: Packages' 'Label: Debian' |
		awk '!seen[$0]++'
}

# apt with the private folders: -c is read after the system's configuration,
# from which all else is kept (proxies, Check-Valid-Until).
private_apt()
{
	"$1" -c "$APT/apt.conf" "${@:2}"
}

# Offers of the package in a suite, as "version"; fails when the suite cannot
# be read.
offers()
{
	local site=$1 suite=$2

	echo "$APT_LINE $site $suite main" >"$APT/etc/sources.list"
	run_quiet private_apt apt-get update || return 1
	private_apt apt-cache madison "$KERNEL_PACKAGE" | cut -d'|' -f2 | tr -d ' '
}

run_quiet()
{
	"$@" >>"$LOGS/apt-fetch.log" 2>&1 </dev/null
}

find_package()
{
	local site suite suites version reached='' found='' seen=' '

	suites="$KERNEL_SUITE $(. /etc/os-release && echo "${VERSION_CODENAME:-}")-backports trixie-backports forky sid"
	for suite in $suites; do
		case $seen in *" $suite "*) continue ;; esac
		seen="$seen$suite "
		for site in $SITES; do
			version=$(offers "$site" "$suite") || continue
			reached=1
			if grep -qxF "$KERNEL_DEB_VERSION" <<<"$version"; then
				FOUND="$KERNEL_DEB_VERSION $site $suite"
				return
			fi
			version=$(grep -m1 -E "^${KERNEL_SERIES}[.~-]" <<<"$version") || continue
			[ -n "$found" ] || found="$version $site $suite"
		done
	done
	FOUND=$found
	[ -n "$reached" ] ||
		die "cannot reach the Debian mirror of this system (no network?); $OTHERWISE"
	[ -n "$found" ] ||
		die "no package $KERNEL_PACKAGE $KERNEL_SERIES.y in any of:$seen; $OTHERWISE"
}

download()
{
	local version site suite deb

	need_space "$BUILD" 800
	step "looking for $KERNEL_PACKAGE $KERNEL_DEB_VERSION"
	apt_setup
	find_package
	read -r version site suite <<<"$FOUND"
	[ "$version" = "$KERNEL_DEB_VERSION" ] ||
		note "$KERNEL_DEB_VERSION is not offered any more: taking $version from $suite"

	offers "$site" "$suite" >/dev/null || die "lost the connection to the mirror; $OTHERWISE"
	rm -f "$SRC"/*.deb
	step "fetching $KERNEL_PACKAGE $version from $suite"
	(cd "$SRC" && run_logged kernel-download private_apt apt-get -o Acquire::Retries=3 \
		download "$KERNEL_PACKAGE=$version") ||
		die "download of $KERNEL_PACKAGE $version failed; $OTHERWISE"
	deb=$(ls "$SRC"/*.deb)
	if [ "$version" = "$KERNEL_DEB_VERSION" ] && ! sha256_is "$deb" "$KERNEL_DEB_SHA256"; then
		rm -f "$deb"
		die "checksum of $KERNEL_PACKAGE $version is not that of kernel.base; nothing kept"
	fi
	install_tarball "$deb" "$version"
	rm -f "$deb"
}

mkdir -p "$SRC" "$LOGS"
: >"$LOGS/apt-fetch.log"
if [ -n "${TARBALL:-}" ]; then
	[ -f "$TARBALL" ] || die "TARBALL=$TARBALL: no such file"
	version="of $TARBALL"
	if sha256_is "$TARBALL" "$KERNEL_DEB_SHA256" || sha256_is "$TARBALL" "$KERNEL_TARBALL_SHA256"; then
		version=$KERNEL_DEB_VERSION
	else
		note "$TARBALL is not the source of kernel.base; going on if it is $KERNEL_SERIES.y"
	fi
	install_tarball "$TARBALL" "$version"
elif [ -f "$SRC/linux.tar.xz" ] &&
     { [ "$(cat "$SRC/version")" != "$KERNEL_DEB_VERSION" ] ||
       sha256_is "$SRC/linux.tar.xz" "$KERNEL_TARBALL_SHA256"; }; then
	step "kernel source $(cat "$SRC/version") is here"
else
	download
fi
