#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Make $TREE, the patched kernel as a git repository: tag "base", one commit a
# patch, a tag at the end of each part named as its folder in patches/.
# With KDIR= the base is someone's own tree, cloned or copied to build/kdir:
# theirs is only read.
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
	*) die "KDIR=$KDIR is Linux $version; the series is for $KERNEL_SERIES" ;;
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

# Apply patches/ to the base of the repository $1 in a worktree of its own
# that holds the touched files only, then tag and check out the result. The
# repository changes in the last step alone.
apply_series()
{
	local repo=$1 folder part error

	rm -rf "$AM"
	git -C "$repo" worktree prune
	git -C "$repo" worktree add -q --no-checkout --detach "$AM" base
	{ touched_paths; echo /README; } |
		git -C "$AM" sparse-checkout set --no-cone --stdin
	git -C "$AM" checkout -q --detach base
	for folder in $(part_folders); do
		part=$(basename "$folder")
		step "applying $part"
		# Just what a reviewer types, cover letter included.
		if ! git -C "$AM" am "$folder"/*.patch >"$LOGS/am.log" 2>&1; then
			error=$(failed_patch "$folder")
			git -C "$AM" am --abort >/dev/null 2>&1 || true
			git -C "$repo" worktree remove --force "$AM"
			die "$error"
		fi
		git -C "$AM" update-ref "refs/series/$part" HEAD
	done
	head=$(git -C "$AM" rev-parse HEAD)
	git -C "$repo" worktree remove --force "$AM"
	git -C "$repo" checkout -q -B series "$head"
	for folder in $(part_folders); do
		part=$(basename "$folder")
		git -C "$repo" tag -f "$part" "refs/series/$part" >/dev/null
		git -C "$repo" update-ref -d "refs/series/$part"
	done
}

# Which patch, which hunk.
failed_patch()
{
	local next file

	next=$(git -C "$AM" rev-parse --path-format=absolute --git-path rebase-apply/next)
	next=$(cat "$next" 2>/dev/null || echo 0)
	# shellcheck disable=SC2012
	file=$(ls "$1"/*.patch | sed -n "${next}p")
	echo "${file#"$TOP"/} does not apply: $(sed -n -e 's/^error: patch failed:/hunk at/p' -e t \
		-e '/: patch does not apply$/d' -e 's/^error: //p' "$LOGS/am.log" | paste -sd ';' | sed 's/;/; /g')"
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
trap '[ "$BASHPID" != $$ ] || rm -rf "$TREE.tmp"' EXIT

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
elif [ "$(stamped patches)" = "$(patches_id)" ]; then
	if unexported_work; then
		step "$name has work of its own, not yet in patches/: taken as it is"
	else
		step "$name is up to date"
	fi
elif unexported_work; then
	die "patches/ changed, but $name holds work that is not in it; commit and 'make patches', or move it away"
else
	apply_series "$TREE"
	write_stamp "$TREE"
	step "$name follows patches/ again"
fi
