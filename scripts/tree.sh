#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Make $TREE, the patched kernel as a git repository: tag "base", one commit a
# patch, a tag at the end of each part named as its folder in patches/.
# With KDIR= the base is someone's own tree, cloned or copied to build/kdir:
# theirs is only read. What does not apply to it as it is gets merged: git am -3.
#
# A tree that is there already is used as it is unless patches/ changed. Work
# in it that was not exported by "make patches" is never thrown away.

. "$(dirname "$0")/lib.sh"

AM=$BUILD/am
# What the tree was made from: "head=... patches=... base=..." on one line.
STAMP=$TREE/.git/series

# The same commits each time.
export GIT_COMMITTER_NAME='GEM shmem series' GIT_COMMITTER_EMAIL=series@localhost.invalid
export GIT_COMMITTER_DATE=$SERIES_DATE

base_id()
{
	if [ -z "${KDIR:-}" ]; then
		echo "$KERNEL_DEB_VERSION"
	elif [ -e "$KDIR/.git" ]; then
		echo "$KDIR@$(git -C "$KDIR" rev-parse HEAD)"
	else
		echo "$KDIR@$(cd "$KDIR" && find . -type f -printf '%T@ %s %p\n' | sort | sha256sum | cut -c1-40)"
	fi | tr ' ' '?'
}

check_kdir()
{
	local version

	KDIR=$(cd "$KDIR" 2>/dev/null && pwd) || die "KDIR: no such directory"
	version=$(tree_version "$KDIR") || die "KDIR=$KDIR is no kernel tree"
	case $version in
	"$KERNEL_SERIES".*) ;;
	*) OTHER_VERSION="KDIR= is Linux $version, the series is for $KERNEL_SERIES: trying git am -3" ;;
	esac
	[ -e "$KDIR/.git" ] || return 0
	git -C "$KDIR" rev-parse -q --verify HEAD >/dev/null ||
		die "KDIR=$KDIR: git cannot read it"
	[ -z "$(GIT_OPTIONAL_LOCKS=0 git -C "$KDIR" status --porcelain -uno)" ] ||
		die "KDIR=$KDIR has uncommitted changes; commit or stash them first"
}

# Fill the directory $1, a repository with the tag "base" checked out.
make_base()
{
	local tmp=$1

	need_space "$(dirname "$tmp")" 4500
	if [ -n "${KDIR:-}" ] && [ -e "$KDIR/.git" ]; then
		step "cloning $KDIR"
		run_logged tree-clone git clone -q --shared --no-checkout --no-tags "$KDIR" "$tmp"
		configure "$tmp"
		run_logged tree-checkout git -C "$tmp" checkout -q -B series \
			"$(git -C "$KDIR" rev-parse HEAD)"
	else
		mkdir -p "$tmp"
		if [ -n "${KDIR:-}" ]; then
			step "copying $KDIR"
			run_logged tree-copy cp -a "$KDIR/." "$tmp"
		else
			"$TOP/scripts/fetch.sh"
			step "unpacking the kernel"
			run_logged tree-unpack tar -xf "$BUILD/src/linux.tar.xz" -C "$tmp" --strip-components=1 ||
				die "the kernel's tarball cannot be unpacked"
			case $(tree_version "$tmp") in
			"$KERNEL_SERIES".*) ;;
			*)
				rm -f "$BUILD/src/linux.tar.xz"
				die "the tarball is no Linux $KERNEL_SERIES" ;;
			esac
		fi
		step "committing the base"
		git -C "$tmp" init -q -b series --template=
		configure "$tmp"
		if [ -n "${KDIR:-}" ]; then
			# Without what builds left there.
			run_logged tree-add git -C "$tmp" add -A
			git -C "$tmp" clean -qfdX
		else
			run_logged tree-add git -C "$tmp" add -A -f
		fi
		git -C "$tmp" commit -q --date="$SERIES_DATE" -m "Linux $(tree_version "$tmp")"
	fi
	git -C "$tmp" tag base
}

# Big files on a local disk: time matters, space less. Nobody's own settings
# may change what is made.
configure()
{
	git -C "$1" config user.name "$GIT_COMMITTER_NAME"
	git -C "$1" config user.email "$GIT_COMMITTER_EMAIL"
	git -C "$1" config core.compression 0
	git -C "$1" config core.looseCompression 0
	git -C "$1" config core.autocrlf false
	git -C "$1" config core.untrackedCache true
	git -C "$1" config gc.auto 0
	git -C "$1" config commit.gpgSign false
	git -C "$1" config am.threeWay false
	git -C "$1" config apply.whitespace nowarn
	git -C "$1" config core.hooksPath /dev/null
}

# The blobs that the patches were made from, for git am -3 in the repository $1:
# theirs has but some. Nothing is lost without them, but for a chance to merge.
lend_blobs()
{
	git -C "$TOP/linux" rev-parse -q --verify base >/dev/null 2>&1 || return 0
	git -C "$TOP/linux" log --raw --no-abbrev --no-renames --format= base..HEAD |
		awk '{ print $3; print $4 }' | grep -v '^0*$' | sort -u |
		git -C "$TOP/linux" pack-objects -q --stdout | git -C "$1" unpack-objects -q
}

# Apply patches/ to the base of the repository $1 in a worktree of its own
# that holds the touched files only, then tag and check out the result. The
# repository changes in the last step alone.
apply_series()
{
	local repo=$1 folder merged options=() ends=() end tag

	[ -z "${OTHER_VERSION:-}" ] || step "$OTHER_VERSION"
	if [ -n "${KDIR:-}" ]; then
		options=(-3)
		lend_blobs "$repo" || true
	fi
	rm -rf "$AM"
	git -C "$repo" worktree prune
	git -C "$repo" worktree add -q --no-checkout --detach "$AM" base
	{ touched_paths; echo /README; } |
		git -C "$AM" sparse-checkout set --no-cone --stdin
	git -C "$AM" checkout -q --detach base
	for folder in $(part_folders); do
		step "applying ${folder##*/}"
		# Just what a reviewer types, cover letter included.
		am_patches "$AM" "${options[@]}" "$folder"/*.patch || {
			git -C "$repo" worktree remove --force "$AM"
			die "$AM_ERROR"
		}
		merged=$(grep -c '^Falling back to' "$LOGS/am.log") || true
		[ "$merged" = 0 ] || note "patches that took a 3-way merge: $merged"
		ends+=("${folder##*/} $(git -C "$AM" rev-parse HEAD)")
	done
	end=$(git -C "$AM" rev-parse HEAD)
	git -C "$repo" worktree remove --force "$AM"
	git -C "$repo" checkout -q -B series "$end"
	for tag in $(git -C "$repo" tag --list '[0-9][0-9]-*'); do
		git -C "$repo" tag -d "$tag" >/dev/null
	done
	for end in "${ends[@]}"; do
		# shellcheck disable=SC2086
		git -C "$repo" tag -f $end >/dev/null
	done
}

touched_paths()
{
	part_folders | sed 's/$/\/*.patch/' | xargs -r sh -c 'cat $*' sh |
		sed -n -e 's/^--- a\///p' -e 's/^+++ b\///p' -e 's/^rename from //p' -e 's/^rename to //p' |
		sed 's/^/\//' | sort -u
}

write_stamp()
{
	printf 'head=%s patches=%s base=%s\n' "$(git -C "$1" rev-parse HEAD)" \
		"$(patches_id)" "$(base_id)" >"$1/.git/series"
}

stamped()
{
	sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" "$STAMP"
}

# Is each folder's tag there? A folder that was renamed has none.
all_tagged()
{
	local folder

	for folder in $(part_folders); do
		git -C "$TREE" rev-parse -q --verify "refs/tags/${folder##*/}" >/dev/null || return 1
	done
}

unexported_work()
{
	[ "$(git -C "$TREE" rev-parse HEAD)" != "$(stamped head)" ] ||
		[ -n "$(git -C "$TREE" status --porcelain -uno)" ]
}

[ -z "${KDIR:-}" ] || check_kdir
need_packages git xz-utils
mkdir -p "$BUILD" "$LOGS"
rm -rf "$TREE.tmp"
# A background job that is killed as it starts may run our traps, too.
trap '[ "$BASHPID" != $$ ] || { rm -rf "$TREE.tmp"; rmdir "$BUILD/kdir" 2>/dev/null || true; }' EXIT

if [ -e "$TREE" ] && [ -n "${KDIR:-}" ] &&
   { [ ! -e "$STAMP" ] || [ "$(stamped base)" != "$(base_id)" ]; }; then
	rm -rf "$BUILD/kdir"
fi

name=${TREE#"$TOP"/}
if [ ! -e "$TREE" ]; then
	make_base "$TREE.tmp"
	apply_series "$TREE.tmp"
	write_stamp "$TREE.tmp"
	mv "$TREE.tmp" "$TREE"
	step "$name is ready"
elif [ ! -e "$STAMP" ]; then
	die "$name exists but was not made here; move it away"
elif [ "$(stamped base)" != "$(base_id)" ]; then
	die "$name has the base $(stamped base), wanted is $(base_id); move it away"
elif [ "$(stamped patches)" = "$(patches_id)" ] && unexported_work; then
	step "$name has work of its own, not yet in patches/: taken as it is"
elif [ "$(stamped patches)" = "$(patches_id)" ] && all_tagged; then
	step "$name is up to date"
elif unexported_work; then
	die "patches/ changed, but $name holds work that is not in it; commit and 'make patches', or move it away"
else
	apply_series "$TREE"
	write_stamp "$TREE"
	step "$name follows patches/ again"
fi
