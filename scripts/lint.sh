#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lint.sh [PART...]: what tools that read code have to say about the series.
# Each part says one line; all run unless named.
#
#   checkpatch  --strict on every patch: no finding
#   sparse      on the files touched: no finding that the base does not have;
#               a checker that does not find a deliberate error fails
#   cocci       the series' own semantic patch: silent on drm and accel but for
#               what scripts/cocci-expected.txt lists, and it fires on the base.
#               TREE=DIR looks at the drivers of another tree instead, and
#               DRIVER=DIR at one of them only.
#   rules       the kernel's own semantic patches on the files touched: no
#               finding that the base does not have
#   kernel-doc  on the helper and its header: no finding
#   htmldocs    Sphinx has no warning for the helper's page, drm-mm.rst; the page
#               is in build/lint/htmldocs/out/

other_tree=${TREE:-}
. "$(dirname "$0")/drivers.sh"

WORK=$BUILD/lint
EXPECTED=$TOP/scripts/cocci-expected.txt

# say PART COUNT TEXT: the verdict of a part.
say()
{
	if [ "$2" -eq 0 ]; then
		step "lint: $1: ok, $3"
	else
		step "lint: $1: FAILED, $3"
		return 1
	fi
}

# At most so much on the screen; the rest is in the log.
show()
{
	head -n 30 | sed 's/^/    | /'
}

touched()
{
	git -C "$TREE" diff --name-only --diff-filter=d base HEAD -- "$@"
}

checkpatch()
{
	local patches count

	mapfile -t patches < <(find "$TOP"/patches -name '*.patch' ! -name '0000-*' | sort)
	count=$(run_checkpatch lint-checkpatch --no-signoff "${patches[@]}") || die "checkpatch did not run; see $LOGS/lint-checkpatch.log"
	grep -E -A1 '^(ERROR|WARNING|CHECK):' "$LOGS/lint-checkpatch.log" | show
	say checkpatch "$count" "$count findings in ${#patches[@]} patches"
}

# An error that each sparse knows, as a module of its own: nothing is added
# to the tree.
sparse_works()
{
	rm -rf "$WORK/probe"
	mkdir -p "$WORK/probe"
	echo 'obj-m := probe.o' >"$WORK/probe/Makefile"
	cat >"$WORK/probe/probe.c" <<-C
		#include <linux/compiler.h>
		int probe(int __user *p);
		int probe(int __user *p) { return *p; }
	C
	set_make "$TREE" x86_64 drivers-x86_64
	in_toolbox "${MAKE_KERNEL[@]}" "M=$WORK/probe" C=2 "CHECK=$SPARSE" probe.o \
		>"$LOGS/lint-sparse-probe.log" 2>&1 || true
	grep -q 'probe.c:.*dereference of noderef' "$LOGS/lint-sparse-probe.log"
}

# run_sparse SOURCE SUFFIX FILE...: findings go to $LOGS/lint-sparse$SUFFIX.found,
# without line numbers. Those of the compiler bear the name of an option; they are
# for drivers.sh.
run_sparse()
{
	local source=$1 suffix=$2 arch file list

	shift 2
	: >"$LOGS/lint-sparse$suffix.found"
	for arch in x86_64 arm64; do
		list=()
		for file; do
			case $arch-$file in
			arm64-drivers/gpu/drm/imagination/*) ;;
			arm64-*|*/imagination/*) continue ;;
			esac
			[ ! -e "$source/$file" ] || list+=("${file%c}o")
		done
		[ ${#list[@]} -gt 0 ] || continue
		configure "$source" "$arch" "drivers-$arch$suffix" || return 1
		[ "$arch$suffix" != x86_64 ] || sparse_works ||
			die "sparse does not find a deliberate error; see $LOGS/lint-sparse-probe.log"
		compile "$source" "$arch" "drivers-$arch$suffix" C=2 "CHECK=$SPARSE" "${list[@]}" || return 1
		sed -nE '/\[-W/d; s,^(.*[./])?((drivers|include)/[^ :]+):[0-9]+:[0-9]+: ((warning|error): .*),\2: \4,p' \
			"$LOG" >>"$LOGS/lint-sparse$suffix.found"
	done
	sort -u -o "$LOGS/lint-sparse$suffix.found" "$LOGS/lint-sparse$suffix.found"
}

sparse()
{
	local files found new=''

	need_sparse
	mapfile -t files < <(touched 'drivers/*.c')
	run_sparse "$TREE" '' "${files[@]}" || return 1
	found=$(wc -l <"$LOGS/lint-sparse.found")
	if [ "$found" -gt 0 ]; then
		note "sparse: $found findings; looking whether the base has them too"
		worktree base
		# What is said of a shared header may have been seen in any file.
		grep -qE '^(include/.*|drivers/gpu/drm/[^/]*)\.h: ' "$LOGS/lint-sparse.found" ||
			mapfile -t files < <(printf '%s\n' "${files[@]}" |
				grep "$(sed -E 's,[^/]*: .*,[^/]*$,; s,^,^,' "$LOGS/lint-sparse.found" | sort -u)")
		run_sparse "$WT" -base "${files[@]}" || return 1
		new=$(comm -23 "$LOGS/lint-sparse.found" "$LOGS/lint-sparse-base.found")
		[ -z "$new" ] || show <<<"$new"
	fi
	say sparse "${#new}" "$found findings, $(grep -c . <<<"$new") of them new, in $(touched 'drivers/*.c' | wc -l) files; the deliberate error was found"
}

# copy COMMIT DIR: the files that the series touches, as of COMMIT.
copy()
{
	local files

	mapfile -t files < <(touched 'drivers/*.[ch]' 'include/*.h' |
		(cd "$TREE" && xargs git ls-tree --name-only "$1"))
	rm -rf "$2"
	mkdir -p "$2"
	[ ${#files[@]} -gt 0 ] || die "the series touches nothing"
	git -C "$TREE" archive "$1" -- "${files[@]}" | tar -x -C "$2"
}

# coccicheck NAME RULES DIR SUBDIR...: the kernel's coccicheck in mode report
# with each of RULES (a list, one a line) in each DIR/SUBDIR. Findings go to
# $LOGS/lint-NAME.found, "subdir/path: text". Without GIT_DIR spatch may ask a
# git repository that it finds itself in which files there are.
coccicheck()
{
	local name=$1 rules=$2

	shift 2
	# shellcheck disable=SC2016
	GIT_DIR=/nonexistent run_logged "lint-$name" in_toolbox sh -c '
		tree=$1 errors=$2 rules=$3
		cd "$4"
		shift 4
		for dir; do
			for rule in $rules; do
				rm -f "$errors"
				echo "rule $rule"
				srctree=$tree srcroot=$dir COCCI=$tree/$rule MODE=report \
				LINUXINCLUDE="-I$tree/include -I$tree/include/uapi" \
				DEBUG_FILE=$errors bash "$tree/scripts/coccicheck" || {
					cat "$errors"
					exit 1
				}
			done
		done' coccicheck "$TREE" "$WORK/errors" "$rules" "$@" || return 1
	# A text may name another line.
	sed -nE 's,^(\./)?([^ :]+):[0-9]+:[0-9-]+: ,\2: ,; T; s/\bline [0-9]+/line N/g; p' \
		"$LOGS/lint-$name.log" | sort >"$LOGS/lint-$name.found"
}

# Each report for scripts/cocci-tests/*.c stands in a comment on its line there.
# cocci_tests RULE
cocci_tests()
{
	local wrong

	coccicheck cocci-tests "$1" "$TOP/scripts" cocci-tests || return 1
	sed -nE 's,^(\./)?([^ :]+:[0-9]+):[0-9-]+: WARNING: \w+\(\) (\w+) .*,\2: \3,p' \
		"$LOGS/lint-cocci-tests.log" | sort -u >"$WORK/found"
	(cd scripts && grep -n 'FOUND: ' cocci-tests/*.c) |
		sed -E 's,^([^:]+:[0-9]+):.*FOUND: (\w+).*,\1: \2,' | sort >"$WORK/expected"
	wrong=$(diff "$WORK/expected" "$WORK/found" |
		sed -n 's/^< /not reported: /p; s/^> /wrong report: /p') || true
	[ -z "$wrong" ] || show <<<"$wrong"
	say cocci-tests "${#wrong}" "$(wc -l <"$WORK/expected") reports in $(find scripts/cocci-tests -name '*.c' | wc -l) files"
}

# Without the lines of GONE, and with those of NEW, which wait for a reason.
# refresh_expected NEW GONE
refresh_expected()
{
	awk -F: 'NR == FNR { gone[$0]; next } !(($1 ":" $2 ":" $3) in gone)' \
		<(echo "$2") "$EXPECTED" >"$WORK/refreshed"
	[ -z "$1" ] || awk '{ print $0 ": TODO" }' <<<"$1" >>"$WORK/refreshed"
	cp "$WORK/refreshed" "$EXPECTED"
}

# Expected findings that are not there fail, too: the list is to be true.
# REFRESH=1 brings it up to date; the reasons are for somebody who knows.
cocci()
{
	local dirs rule before hits new gone open

	read -ra dirs <<<"${DRIVER:-drivers/gpu/drm drivers/accel}"
	rule=$(cd "$TREE" && grep -rlw drm_gem_shmem_get_pages_sgt scripts/coccinelle) ||
		die "$TREE has no semantic patch for the helper"
	mkdir -p "$WORK"
	cocci_tests "$rule" || return 1
	if [ -z "$other_tree" ]; then
		copy base "$WORK/base"
		coccicheck cocci-base "$rule" "$WORK/base" drivers || return 1
		before=$(wc -l <"$LOGS/lint-cocci-base.found")
		[ "$before" -gt 0 ] || {
			say cocci 1 "$rule finds nothing on the base"
			return 1
		}
	fi
	coccicheck cocci "$rule" "$TREE" "${dirs[@]}" || return 1
	hits=$(wc -l <"$LOGS/lint-cocci.found")
	sed -E 's/^([^:]+): WARNING: (\w+)\(\) (\w+) .*/\1:\2:\3/' "$LOGS/lint-cocci.found" | sort -u >"$WORK/found"
	sed -nE 's/^([^#:]+:[^:]+:[^:]+): .*/\1/p' "$EXPECTED" |
		grep "$(printf '^%s/\n' "${dirs[@]}")" | sort >"$WORK/expected" || true
	new=$(comm -23 "$WORK/found" "$WORK/expected")
	gone=$(comm -13 "$WORK/found" "$WORK/expected")
	if [ -n "${REFRESH:-}" ]; then
		refresh_expected "$new" "$gone"
		cp "$WORK/found" "$WORK/expected"
		new='' gone=''
	fi
	open=$(grep ': TODO$' "$EXPECTED") || true
	[ -z "$new" ] || show <<<"$new"
	[ -z "$gone" ] || { echo "listed, but not found:"; echo "$gone"; } | show
	[ -z "$open" ] || { echo "without a reason:"; echo "$open"; } | show
	say cocci $((${#new} + ${#gone} + ${#open})) "$hits findings, $(wc -l <"$WORK/expected") expected${before:+; on the base, in the files touched: $before}"
}

rules()
{
	local list firing found new=''

	mkdir -p "$WORK"
	# Two rules are for spatch with an OCaml compiler.
	list=$(cd "$TREE" && grep -rlE 'virtual[[:space:]]+report' scripts/coccinelle |
		xargs grep -L '@script:ocaml\|@initialize:ocaml' |
		xargs grep -Lw drm_gem_shmem_get_pages_sgt | sort)
	copy HEAD "$WORK/new"
	coccicheck rules "$list" "$WORK/new" . || return 1
	found=$(wc -l <"$LOGS/lint-rules.found")
	if [ "$found" -gt 0 ]; then
		copy base "$WORK/base"
		firing=$(awk '/^rule / { rule = $2 } /^(\.\/)?[^ :]+:[0-9]+:[0-9-]+: / { print rule }' "$LOGS/lint-rules.log" | sort -u)
		coccicheck rules-base "$firing" "$WORK/base" . || return 1
		new=$(comm -23 "$LOGS/lint-rules.found" "$LOGS/lint-rules-base.found")
		[ -z "$new" ] || show <<<"$new"
	fi
	say rules "${#new}" "$(wc -l <<<"$list") rules, $found findings, $(grep -c . <<<"$new") of them new, in $(touched 'drivers/*.[ch]' 'include/*.h' | wc -l) files"
}

kernel_doc()
{
	local count

	mkdir -p "$LOGS"
	(cd "$TREE" && python3 -B scripts/kernel-doc -Wall -none \
		drivers/gpu/drm/drm_gem_shmem_helper.c include/drm/drm_gem_shmem_helper.h 2>&1) |
		sort -u >"$LOGS/lint-kernel-doc.log"
	count=$(grep -c . "$LOGS/lint-kernel-doc.log") || true
	show <"$LOGS/lint-kernel-doc.log"
	say kernel-doc "$count" "$count findings"
}

# The page alone: all of the gpu book takes minutes. So references to other pages
# have no target here.
htmldocs()
{
	local dir=$WORK/htmldocs count

	rm -rf "$dir"
	mkdir -p "$dir/Documentation/gpu" "$LOGS"
	cp "$TREE/MAINTAINERS" "$dir/"
	cp "$TREE/Documentation/gpu/drm-mm.rst" "$dir/Documentation/gpu/"
	printf '%s\n' GPU === '' '.. toctree::' '' '   drm-mm' >"$dir/Documentation/gpu/index.rst"
	run_logged lint-htmldocs in_toolbox env srctree="$TREE" PYTHONDONTWRITEBYTECODE=1 \
		sphinx-build -b html -c "$TREE/Documentation" -D kerneldoc_srctree="$TREE" \
		-D version="$KERNEL_SERIES" -D release="$KERNEL_SERIES" \
		"$dir/Documentation/gpu" "$dir/out" || return 1
	grep -q 'id="c.drm_gem_shmem_' "$dir/out/drm-mm.html" || {
		say htmldocs 1 "the page has nothing of the helper"
		return 1
	}
	grep -E '(drm-mm\.rst|drm_gem_shmem_helper\.[ch]).*(WARNING|ERROR)|(WARNING|ERROR).*drm_gem_shmem_helper\.[ch]' \
		"$LOGS/lint-htmldocs.log" | grep -vE 'undefined label|unknown document' |
		sed "s,$TREE/\|$dir/,,g" >"$LOGS/lint-htmldocs.found" || true
	count=$(wc -l <"$LOGS/lint-htmldocs.found")
	show <"$LOGS/lint-htmldocs.found"
	say htmldocs "$count" "$count warnings"
}

[ $# -gt 0 ] || set -- checkpatch kernel-doc htmldocs cocci sparse rules
if [ -n "$other_tree" ]; then
	[ "$*" = cocci ] || die "TREE= is for the part cocci"
	TREE=$(cd "$other_tree" 2>/dev/null && pwd) || die "TREE=$other_tree: no such directory"
else
	need_tree
fi
need_packages git perl python3
failed=0
for part; do
	case $part in
	checkpatch) checkpatch || failed=1 ;;
	sparse) sparse || failed=1 ;;
	cocci) cocci || failed=1 ;;
	rules) rules || failed=1 ;;
	kernel-doc) kernel_doc || failed=1 ;;
	htmldocs) htmldocs || failed=1 ;;
	*) die "lint: no part named $part" ;;
	esac
done
exit $failed
