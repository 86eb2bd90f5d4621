#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make mail AUTHOR='Name <mail>' [PART=REGEX] [TRAILER='Key: value']: the series
# as mails to be sent, a folder of build/mail/ for each folder of patches/ (that
# PART= matches).
#
# The author is in From and Signed-off-by. To has the maintainers and Cc the lists
# of get_maintainer.pl, of a cover letter those of all its patches. A folder of
# fixes is based on the base alone; any other names what comes before it as its
# prerequisites. TRAILER= adds a line above the sign-off.

. "$(dirname "$0")/lib.sh"

AUTHOR=${AUTHOR:-} PART=${PART:-.} TRAILER=${TRAILER:-}
MAIL=$BUILD/mail

# git as it comes, whatever its user has configured.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

check_settings()
{
	local author='^([^<>[:cntrl:]]+) <([^<>@[:space:]]+@[^<>@[:space:]]+)>$'
	local trailer='^[A-Za-z][A-Za-z-]*: [^[:space:][:cntrl:]][^[:cntrl:]]*$'

	[[ $AUTHOR =~ $author ]] ||
		die "AUTHOR=$AUTHOR: who sends them? Say AUTHOR='Name <name@example.org>'"
	export GIT_AUTHOR_NAME=${BASH_REMATCH[1]} GIT_AUTHOR_EMAIL=${BASH_REMATCH[2]}
	export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
	# As git writes it.
	AUTHOR=$(git var GIT_AUTHOR_IDENT 2>/dev/null | sed 's/ [0-9]* [-+][0-9]*$//') || true
	[ -n "$AUTHOR" ] || die "AUTHOR=$GIT_AUTHOR_NAME <$GIT_AUTHOR_EMAIL>: git does not take this name"
	[ -z "$TRAILER" ] || [[ $TRAILER =~ $trailer ]] ||
		die "TRAILER=$TRAILER: say TRAILER='Key: value'"
	need_regex PART
}

git_tree()
{
	git -C "$TREE" "$@"
}

# commit_as PARENT TREE COMMIT: a commit like COMMIT, by the author.
commit_as()
{
	git_tree log -1 --format=%B "$3" |
		git interpret-trailers ${TRAILER:+--trailer "$TRAILER"} --trailer "Signed-off-by: $AUTHOR" |
		git_tree commit-tree -p "$1" "$2"
}

# The commits of FROM..TO by the author, on the base or on FROM; prints the last.
rewrite()
{
	local part=$1 from=$2 to=$3 head=$2 alone='' commit tree

	if stands_alone "$part"; then
		alone=1 head=base
		export GIT_INDEX_FILE=$MAIL.tmp/index
		git_tree read-tree base
	fi
	for commit in $(git_tree rev-list --reverse "$from..$to"); do
		tree="$commit^{tree}"
		if [ -n "$alone" ]; then
			git_tree diff-tree -p --binary --full-index "$commit^" "$commit" |
				git_tree apply --cached --3way >"$LOGS/mail.log" 2>&1 ||
				die "not on the base alone: $(patch_of "$commit")"
			tree=$(git_tree write-tree)
		fi
		head=$(commit_as "$head" "$tree" "$commit")
	done
	echo "$head"
}

# make_mails PART FROM TO
make_mails()
{
	local part=$1 head from=$2 dir=$MAIL.tmp/$1 old=$TOP/patches/$1/0000-cover-letter.patch cover

	if [ -e "$old" ] && grep -q '\*\*\* SUBJECT HERE' "$old"; then
		die "write subject and text of patches/$part/0000-cover-letter.patch first"
	fi
	head=$(rewrite "$@")
	! stands_alone "$part" || from=base
	git_tree format-patch -q --thread=shallow --base=base --abbrev=12 -o "$dir" \
		"--$([ -e "$old" ] || echo no-)cover-letter" "$from..$head"
	cover=$dir/0000-cover-letter.patch
	if [ -e "$cover" ]; then
		awk -f scripts/cover.awk "$old" "$cover" >"$cover.merged"
		mv "$cover.merged" "$cover"
	fi
	python3 -B scripts/mail.py "$TREE" "$AUTHOR" "$dir" || die "$part: get_maintainer.pl has no addresses"
}

check_settings
need_packages git perl python3
need_tree
grep -q "^head=$(git_tree rev-parse HEAD) " "$TREE/.git/series" ||
	die "${TREE#"$TOP"/} holds work that is not in patches/: run make patches first"
rm -rf "$MAIL.tmp"
mkdir -p "$MAIL.tmp" "$LOGS"
trap '[ "$BASHPID" != $$ ] || rm -rf "$MAIL.tmp"' EXIT

prev=base
for part in $(part_tags); do
	if [[ $part =~ $PART ]]; then
		make_mails "$part" "$prev" "$part"
	fi
	prev=$part
done
rm -f "$MAIL.tmp/index"
mapfile -t patches < <(find "$MAIL.tmp" -name '*.patch' ! -name '0000-*' | sort)
[ ${#patches[@]} -gt 0 ] || die "PART=$PART: no part is named like it; there are $(part_tags | paste -sd ' ')"
findings=$(run_checkpatch mail-checkpatch "${patches[@]}") || die "checkpatch did not run; see $LOGS/mail-checkpatch.log"
[ "$findings" = 0 ] || {
	grep -E -A3 '^(ERROR|WARNING|CHECK):' "$LOGS/mail-checkpatch.log" | sed "s,$MAIL.tmp/,,; s/^/    | /"
	die "checkpatch has $findings findings in the mails; none is made"
}
rm -rf "$MAIL"
mv "$MAIL.tmp" "$MAIL"
git_tree rev-parse -q --verify base^ >/dev/null ||
	note "nobody else has their base-commit; with KDIR=/your/git/tree, it is the one of that tree"
step "${#patches[@]} patches in build/mail/, checked: git send-email --no-thread build/mail/FOLDER/*.patch"
