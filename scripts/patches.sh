#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Write the commits of $TREE (base..HEAD) back to patches/, or to the
# directory given. Nothing in the result depends on when, where or how often
# it is done.
#
# A tag named like N-name ends a part, in the order of N; the commits after the
# last tag belong to the last part, and its tag moves to the end. When a rebase
# left a tag behind, the commit with the tagged commit's subject takes its
# place.
#
# Of a cover letter the subject and the text above the list of commits are
# written by hand and kept; number, list and diffstat are made anew.

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

	tags=$(git_tree tag --list '[0-9]*-*' | sort -V)
	[ -n "$tags" ] || die "no part is tagged: git -C ${TREE#"$TOP"/} tag 2-sgt-policy"
	for tag in $tags; do
		commit=$(git_tree rev-parse "$tag^{commit}")
		if [ "$tag" = "$(tail -n 1 <<<"$tags")" ]; then
			commit=$(git_tree rev-parse HEAD)
		elif ! git_tree merge-base --is-ancestor "$commit" HEAD; then
			commit=$(git_tree log --format='%H %s' base..HEAD |
				grep -F -m 1 " $(git_tree log -1 --format=%s "$tag")" | cut -d' ' -f1) ||
				die "the tag $tag is not on this branch; tag the last commit of that part"
		fi
		echo "$tag $commit"
	done
}

# A fixed date, and the ids that make one thread of the mails (b4 needs them).
fix_header()
{
	local part=$1 file id header

	for file in "$EXPORT/$part"/*.patch; do
		id=$(basename "$file" | cut -c1-4)
		header="Date: $(date -u -d "$SERIES_DATE" '+%a, %d %b %Y %T +0000')"
		header="$header\nMessage-ID: <$part.$id@localhost.invalid>"
		[ "$id" = 0000 ] || header="$header\nIn-Reply-To: <$part.0000@localhost.invalid>"
		sed -i "1,/^\$/s/^Date: .*/$header/" "$file"
	done
}

# Shortlog and diffstat of the fresh letter $2 under the prose of the old $1.
merge_cover()
{
	local old=$1 new=$2

	awk -v from="$SKIPPED_BY_AM" '
		# The list of commits starts with "Name (number):".
		FNR == 1 { file++; head = 1; tail = 0 }
		file == 1 && head && /^Subject: / { subject = $0; sub(/^Subject: (\[[^]]*\] )?/, "", subject); more = 1; next }
		file == 1 && head && more && /^ / { subject = subject "\n" $0; next }
		file == 1 && head { more = 0; if ($0 == "") head = 0; next }
		file == 1 && /^[^ ].* \([0-9]+\):$/ { tail = 1 }
		file == 1 && !tail { body = body $0 "\n"; next }
		file == 2 && head && /^From: / { print "From: " from; next }
		file == 2 && head && /^Subject: / {
			match($0, /\[[^]]*\]/)
			print "Subject: " substr($0, RSTART, RLENGTH) " " subject
			next
		}
		file == 2 && head && /^(MIME-Version|Content-)/ { next }
		file == 2 && head && $0 == "" {
			head = 0
			print "MIME-Version: 1.0"
			print "Content-Type: text/plain; charset=UTF-8"
			print "Content-Transfer-Encoding: 8bit\n"
			printf "%s", body
		}
		file == 2 && head { print }
		file == 2 && /^[^ ].* \([0-9]+\):$/ { tail = 1 }
		file == 2 && tail { print }
	' "$old" "$new" >"$new.merged"
	mv "$new.merged" "$new"
}

# The block between the marks in README.md.
refresh_readme()
{
	awk -v stat="git -C '$TREE' diff --stat=72 base HEAD" '
		/^<!-- end -->$/ { skip = 0 }
		!skip { print }
		/^<!-- diffstat -->$/ {
			skip = 1
			print "```"
			while ((stat | getline line) > 0)
				print line
			print "```"
		}' README.md >"$EXPORT/README.md"
	cmp -s "$EXPORT/README.md" README.md || cp "$EXPORT/README.md" README.md
}

need_tree
rm -rf "$EXPORT"
mkdir -p "$EXPORT"
parts >"$EXPORT/parts"
[ -z "$(git_tree status --porcelain -uno)" ] ||
	note "uncommitted changes in ${TREE#"$TOP"/} are not exported"

prev=base
while read -r part end; do
	git_tree format-patch -q --numbered --cover-letter --no-signature --zero-commit \
		--abbrev=12 -o "$EXPORT/$part" "$prev..$end"
	compgen -G "$EXPORT/$part/*.patch" >/dev/null || die "the part $part has no commits"
	cover=$EXPORT/$part/0000-cover-letter.patch
	old=$TOP/patches/$part/0000-cover-letter.patch
	[ -e "$old" ] || old=$cover
	merge_cover "$old" "$cover"
	fix_header "$part"
	mkdir -p "$DEST/$part"
	rm -f "$DEST/$part"/*.patch
	cp "$EXPORT/$part"/*.patch "$DEST/$part/"
	step "$part: $(git_tree rev-list --count "$prev..$end") patches"
	prev=$end
done <"$EXPORT/parts"

if [ "$DEST" = "$TOP/patches" ]; then
	refresh_readme
	while read -r part end; do
		git_tree tag -f "$part" "$end" >/dev/null
	done <"$EXPORT/parts"
	# What is exported is no longer work that could be lost.
	sed -i "s/^head=[^ ]* patches=[^ ]*/head=$(git_tree rev-parse HEAD) patches=$(patches_id)/" \
		"$TREE/.git/series"
fi
