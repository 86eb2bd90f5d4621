#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Write the commits of $TREE (base..HEAD) back to patches/, or to the
# directory given. Nothing in the result depends on when, where or how often
# it is done.
#
# A tag named like NN-name ends a part, in the order of NN; the commits after the
# last tag belong to the last part, and its tag moves to the end. When a rebase
# left a tag behind, the commit with the tagged commit's subject takes its
# place. A folder of patches/ that has no tag goes.
#
# A part of more than two patches has a cover letter. Its subject and the text
# above the list of commits are written by hand and kept; number, list and
# diffstat are made anew.

. "$(dirname "$0")/lib.sh"

DEST=${1:-$TOP/patches}
EXPORT=$BUILD/export
# Makes `git am` pass over the mail, as it has no patch in it (docs/series.md).
SKIPPED_BY_AM='Mail System Internal Data <series@localhost.invalid>'

# git as it comes, whatever its user has configured.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

git_tree()
{
	git -C "$TREE" "$@"
}

# Each part's name and its last commit, in order.
parts()
{
	local tags tag commit

	tags=$(git_tree tag --list '[0-9][0-9]-*')
	[ -n "$tags" ] || die "no part is tagged: git -C ${TREE#"$TOP"/} tag 20-sgt-policy"
	for tag in $tags; do
		commit=$(git_tree rev-parse "$tag^{commit}")
		if [ "$tag" = "$(tail -n 1 <<<"$tags")" ]; then
			commit=$(git_tree rev-parse HEAD)
		elif ! git_tree merge-base --is-ancestor "$commit" HEAD; then
			commit=$(git_tree log --format='%H %s' base..HEAD |
				grep -F " $(git_tree log -1 --format=%s "$tag")" | sed -n '1s/ .*//p') ||
				die "the tag $tag is not on this branch; tag the last commit of that part"
		fi
		echo "$tag $commit"
	done
}

# A fixed date, and the ids that make one thread of the mails (b4 needs them).
fix_header()
{
	local part=$1 file id first='' header

	for file in "$EXPORT/$part"/*.patch; do
		id=$(basename "$file" | cut -c1-4)
		header="Date: $(date -u -d "$SERIES_DATE" '+%a, %d %b %Y %T +0000')"
		header="$header\nMessage-ID: <$part.$id@localhost.invalid>"
		[ -z "$first" ] || header="$header\nIn-Reply-To: <$part.$first@localhost.invalid>"
		sed -i "1,/^\$/s/^Date: .*/$header/" "$file"
		first=${first:-$id}
	done
}

export_part()
{
	local part=$1 count cover=$EXPORT/$1/0000-cover-letter.patch old=$TOP/patches/$1/0000-cover-letter.patch

	count=$(git_tree rev-list --count "$2..$3")
	[ "$count" -gt 0 ] || die "the part $part has no commits"
	git_tree format-patch -q --no-signature --zero-commit --abbrev=12 -o "$EXPORT/$part" \
		"--$([ "$count" -gt 2 ] || echo no-)cover-letter" "$2..$3"
	if [ -e "$cover" ]; then
		[ -e "$old" ] || old=$cover
		awk -v from="$SKIPPED_BY_AM" -f "$TOP/scripts/cover.awk" "$old" "$cover" >"$cover.merged"
		mv "$cover.merged" "$cover"
		! grep -q '\*\*\* SUBJECT HERE' "$cover" ||
			note "write subject and text of $part/0000-cover-letter.patch"
	fi
	fix_header "$part"
	step "$part: $count patch$([ "$count" = 1 ] || echo es)"
}

need_tree
rm -rf "$EXPORT"
mkdir -p "$EXPORT"
parts >"$EXPORT/parts"
[ -z "$(git_tree status --porcelain -uno)" ] ||
	note "uncommitted changes in ${TREE#"$TOP"/} are not exported"

prev=base
while read -r part end; do
	export_part "$part" "$prev" "$end"
	prev=$end
done <"$EXPORT/parts"

mkdir -p "$DEST"
for folder in "$DEST"/[0-9]*-*/ "$EXPORT"/*/; do
	part=$(basename "$folder")
	rm -f "$DEST/$part"/*.patch
	if [ -d "$EXPORT/$part" ]; then
		mkdir -p "$DEST/$part"
		cp "$EXPORT/$part"/*.patch "$DEST/$part/"
	elif [ -d "$DEST/$part" ]; then
		note "$part has no tag: its patches are gone from patches/"
		rmdir "$DEST/$part" || true
	fi
done

if [ "$DEST" = "$TOP/patches" ]; then
	while read -r part end; do
		git_tree tag -f "$part" "$end" >/dev/null
	done <"$EXPORT/parts"
	# What is exported is no longer work that could be lost.
	sed -i "s/^head=[^ ]* patches=[^ ]*/head=$(git_tree rev-parse HEAD) patches=$(patches_id)/" \
		"$TREE/.git/series"
fi
