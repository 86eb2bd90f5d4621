# shellcheck shell=bash disable=SC2034,SC2030,SC2031
# SPDX-License-Identifier: GPL-2.0
#
# Shared functions of the scripts. Use: . "$(dirname "$0")/lib.sh"
# (it does `set -euo pipefail` and changes to the project's top directory).
#
# Variables
#   TOP      the project's directory (absolute)
#   BUILD    build/: everything that is made and may be deleted
#   LOGS     build/log/
#   TREE     the patched kernel tree: linux/, or build/kdir/tree with KDIR=
#   OUT      where object directories go: build/out, or build/kdir/out
#   JOBS     parallel jobs (default: number of CPUs)
#   KERNEL_* from kernel.base
#
# Functions
#   step TEXT...            a line of progress, with the time since the start
#   note TEXT...            an indented remark
#   die TEXT...             one clear line on stderr, exit 1
#   need_packages PKG...    install missing Debian packages, or die with the
#                           command to run when that takes root
#   need_space DIR MIB      die when the file system of DIR has less free
#   need_regex NAME         die when the variable NAME is no regular expression
#   need_tree               make (or check) $TREE; every target calls it first
#   run_logged [-o OBJDIR] [-t TOTAL] NAME CMD...
#                           run CMD with its output in $LOGS/NAME.log and a
#                           visible line of progress: in place on a terminal,
#                           else every 20 s. -o counts the objects built in
#                           OBJDIR, -t says about how many a clean build makes.
#                           Returns CMD's status; on failure shows the log's end.
#   worktree COMMIT         scratch worktree $WT of $TREE, clean, at COMMIT
#                           (HEAD: the end of the series). One for everyone
#                           who needs the tree changed: the (sub)shell that
#                           asks first has it until it ends, or releases it.
#   release_worktree        others may have it, unless it is lent by a caller
#   series_commits          the ids of the series' commits, oldest first
#   patch_of COMMIT         "20-sgt-policy/0004 subject" for messages
#   touched_files FROM TO   the files that differ, but for those deleted
#   part_folders            the folders of patches/, in order (absolute)
#   part_tags               the tags at the ends of the parts, in order
#   stands_alone PART       is it for the base alone, without the parts before?
#   am_patches DIR OPTION... FILE...
#                           git am in the repository DIR. On failure DIR is as
#                           it was, and $AM_ERROR says which patch, and why.
#   run_checkpatch NAME OPTION... FILE...
#                           checkpatch --strict, output in $LOGS/NAME.log; prints
#                           how many findings. Fails when it did not read all.
#   patches_id              a checksum of the patches
#   tree_version DIR        "7.3.4"; fails when DIR is no kernel tree
#   stage NAME CMD...       run one stage of a test run; report its time.
#                           FROM=NAME skips the stages before NAME, STAGE=NAME
#                           all others.
#   stages_beside FUNCTION  run the function's stages in the background, with a
#                           worktree of their own. What one says is shown when it
#                           has ended. With STAGE=, FROM= or one job: now, as usual.
#   stages_join             wait for them, and count what they did
#   stages_end              print what failed, and "N passed, N failed"; status
#                           matches. What die says in a stage is said again.
#
# Tests on UML: scripts/kunit.sh (see there).

set -euo pipefail
export LC_ALL=C
# Some commands end well after ^C. We do not go on then.
trap 'exit 130' INT

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$TOP"
case $TOP in
*[[:space:]:]*) echo "error: kbuild cannot build under a path with a blank or colon: $TOP" >&2; exit 1 ;;
esac
# shellcheck source=../kernel.base
. "$TOP/kernel.base"

BUILD=$TOP/build
LOGS=$BUILD/log
JOBS=${JOBS:-$(nproc)}
if [ -n "${KDIR:-}" ]; then
	TREE=$BUILD/kdir/tree
	OUT=$BUILD/kdir/out
	WT=$BUILD/kdir/work
else
	TREE=$TOP/linux
	OUT=$BUILD/out
	WT=$BUILD/work
fi
WT+=${LANE:+-$LANE}
# Options for our make are none for the kernel's.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
# Date of all commits that are made here, so that they are the same each time.
SERIES_DATE='2026-11-23T00:00:00 +0000'
# Objects of a clean UML build, about: for the progress line only.
UML_OBJECTS=830
# Where the script of a stage says why it failed. What that runs may well fail.
REPORT=${FAILURES:-/dev/null}
unset FAILURES
# Seconds since the epoch at which the outermost script began.
export START_TIME=${START_TIME:-$(date +%s)}

step()
{
	printf '[%4ds] %s\n' $(($(date +%s) - START_TIME)) "$*"
}

note()
{
	printf '        %s\n' "$*"
}

die()
{
	printf 'error: %s\n' "$*" >&2
	printf '%s\n' "$*" >>"$REPORT"
	exit 1
}

need_packages()
{
	local pkg missing=() sudo=()

	if ! command -v dpkg-query >/dev/null; then
		note "not a Debian system; make sure you have the like of: $*"
		return 0
	fi
	for pkg; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$pkg" 2>/dev/null)" = installed ] ||
			missing+=("$pkg")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	if [ "$(id -u)" != 0 ]; then
		sudo -n true 2>/dev/null ||
			die "missing packages; as root run: apt-get install --no-install-recommends ${missing[*]}"
		sudo=(sudo -n)
	fi
	step "apt-get is going to install Debian packages: ${missing[*]}"
	if [ -t 0 ] && [ -t 1 ]; then
		note "in 5 s; ^C keeps them out"
		sleep 5
	fi
	run_logged apt-install apt_install "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends "${missing[@]}" ||
		die "could not install ${missing[*]} (network? see $LOGS/apt-install.log)"
}

# The lists may be missing (fresh image) or stale: update and try once more.
apt_install()
{
	local prefix=()

	[ "$1" != sudo ] || prefix=(sudo -n)
	{
		flock 6
		"$@" </dev/null || { "${prefix[@]}" apt-get update && "$@" </dev/null; }
	} 6>"$BUILD/apt.lock"
}

need_space()
{
	local free

	mkdir -p "$1"
	free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] ||
		die "disk too full: $1 has $free MiB free, this needs $2 MiB"
}

need_regex()
{
	local status=0

	grep -qE -- "${!1}" <<<'' 2>/dev/null || status=$?
	[ $status -lt 2 ] || die "$1=${!1}: not a regular expression"
}

need_tree()
{
	[ -n "${TREE_READY:-}" ] || "$TOP/scripts/tree.sh"
	export TREE_READY=1
}

# Count what a build made so far. Independent of what the build prints:
# kunit.py keeps make's output to itself.
progress_line()
{
	local name=$1 start=$2 objdir=$3 total=$4 text n

	text="$name: $(($(date +%s) - start)) s"
	if [ -n "$objdir" ] && [ -d "$objdir" ]; then
		n=$(find "$objdir" -name '*.o' -newermt "@$start" 2>/dev/null | wc -l)
		text="$text, $n objects"
		if [ "$total" -gt 0 ] && [ "$n" -gt 0 ]; then
			[ "$n" -le "$total" ] || total=$n
			text="$text of about $total ($((n * 100 / total)) %)"
		fi
	fi
	printf '%s' "$text"
}

progress_ticker()
{
	local last

	last=$(date +%s)
	while sleep 1 && kill -0 $$ 2>/dev/null; do
		if [ -t 1 ]; then
			printf '\r\033[K        %s' "$(progress_line "$@")"
		elif [ $(($(date +%s) - last)) -ge 20 ]; then
			last=$(date +%s)
			printf '        %s\n' "$(progress_line "$@")"
		fi
	done
}

run_logged()
{
	local objdir='' total=0 name start ticker status=0

	while [ "${1#-}" != "$1" ]; do
		case $1 in
		-o) objdir=$2; shift 2 ;;
		-t) total=$2; shift 2 ;;
		*) die "run_logged: $1?" ;;
		esac
	done
	name=$1; shift
	mkdir -p "$LOGS"
	start=$(date +%s)
	progress_ticker "$name" "$start" "$objdir" "$total" &
	ticker=$!
	# The command stays in the foreground, so that ^C reaches it.
	"$@" >"$LOGS/$name.log" 2>&1 || status=$?
	kill "$ticker" 2>/dev/null || true
	wait "$ticker" 2>/dev/null || true
	[ ! -t 1 ] || printf '\r\033[K'
	if [ $status -ne 0 ]; then
		tail -n 15 "$LOGS/$name.log" | sed 's/^/    | /'
		note "$name failed with status $status; log: $LOGS/$name.log"
	fi
	return $status
}

# Those that we run use it on our behalf: they have the variable.
take_worktree()
{
	[ -z "${HAVE_WORKTREE:-}" ] || return 0
	mkdir -p "${WT%/*}"
	exec 7>"$WT.lock"
	flock -n 7 || { step "waiting for another command that uses ${WT#"$TOP"/}" >&2; flock 7; }
	export HAVE_WORKTREE=$BASHPID
}

release_worktree()
{
	[ "${HAVE_WORKTREE:-}" = $BASHPID ] || return 0
	exec 7>&-
	unset HAVE_WORKTREE
}

worktree()
{
	local commit

	take_worktree
	commit=$(git -C "$TREE" rev-parse "${1:-HEAD}^{commit}")

	if ! git -C "$WT" rev-parse -q --verify HEAD >/dev/null 2>&1 ||
	   [ "$(git -C "$WT" rev-parse --path-format=absolute --git-common-dir)" != \
	     "$(git -C "$TREE" rev-parse --path-format=absolute --git-common-dir)" ]; then
		need_space "$BUILD" 2500
		rm -rf "$WT"
		git -C "$TREE" worktree prune
		git -C "$TREE" worktree add -q --detach "$WT" "$commit"
	fi
	# What an interrupted git am has left.
	git -C "$WT" am --quit 2>/dev/null || true
	git -C "$WT" reset -q --hard
	git -C "$WT" clean -qfd
	git -C "$WT" checkout -q --detach "$commit"
}

series_commits()
{
	git -C "$TREE" rev-list --reverse base..HEAD
}

# In the order of the shell, which is that of `git am patches/*/*.patch`.
part_folders()
{
	local folder

	for folder in "$TOP"/patches/[0-9]*-*/; do
		! compgen -G "$folder*.patch" >/dev/null || echo "${folder%/}"
	done
}

part_tags()
{
	git -C "$TREE" tag --merged HEAD --list '[0-9][0-9]-*'
}

stands_alone()
{
	[[ $1 = [0-9]*-fixes-* ]]
}

patch_of()
{
	local tag prev=base n

	for tag in $(part_tags); do
		if git -C "$TREE" merge-base --is-ancestor "$1" "$tag"; then
			n=$(git -C "$TREE" rev-list --count "$prev..$1")
			printf '%s/%04d ' "$tag" "$n"
			break
		fi
		prev=$tag
	done
	git -C "$TREE" log -1 --format=%s "$1"
}

touched_files()
{
	git -C "$TREE" diff --name-only --no-renames --diff-filter=d "$1" "$2"
}

am_patches()
{
	local dir=$1 options=() head next

	shift
	while [ "${1#-}" != "$1" ]; do
		options+=("$1")
		shift
	done
	mkdir -p "$LOGS"
	head=$(git -C "$dir" rev-parse HEAD)
	! git -C "$dir" am "${options[@]}" "$@" >"$LOGS/am.log" 2>&1 || return 0
	next=$(cat "$(git -C "$dir" rev-parse --path-format=absolute --git-path rebase-apply/next)" 2>/dev/null) || next=1
	AM_ERROR="${!next#"$TOP"/} does not apply: $(sed -n -e 's/^error: patch failed:/hunk at/p' -e t \
		-e '/: patch does not apply$/d; /^error: Failed to merge/d' -e 's/^error: //p' \
		-e 's/^CONFLICT ([^)]*): //p' "$LOGS/am.log" | paste -sd ';' | sed 's/;/; /g')"
	git -C "$dir" am --abort >/dev/null 2>&1 || true
	git -C "$dir" reset -q --hard "$head"
	return 1
}

# Ids of other commits are looked up where there is a history.
run_checkpatch()
{
	local name=$1 options=(--strict --show-types)

	shift
	# Three are questions, and the answer is no: new files are in the directories that
	# MAINTAINERS has; a commit that is named by its subject alone, as its id is not
	# known for sure, makes no Fixes: tag; and what is changed in the one obsolete
	# driver has to be.
	options+=(--ignore FILE_PATH_CHANGES,MISSING_FIXES_TAG,OBSOLETE)
	git -C "$TREE" rev-parse -q --verify base^ >/dev/null || options+=(--ignore UNKNOWN_COMMIT_ID)
	while [ "${1#-}" != "$1" ]; do
		options+=("$1")
		shift
	done
	mkdir -p "$LOGS"
	(cd "$TREE" && perl scripts/checkpatch.pl "${options[@]}" "$@" 2>&1) >"$LOGS/$name.log" || true
	[ "$(grep -c '^total: ' "$LOGS/$name.log")" = $# ] || return 1
	grep -cE '^(ERROR|WARNING|CHECK):' "$LOGS/$name.log" || true
}

patches_id()
{
	local file

	for file in $(part_folders | sed 's/$/\/*.patch/'); do
		[ "${file##*/}" = 0000-cover-letter.patch ] || sha256sum <"$file"
	done | sha256sum | cut -c1-40
}

tree_version()
{
	[ -f "$1/Kbuild" ] && [ -d "$1/kernel" ] &&
		sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p' "$1/Makefile" 2>/dev/null |
		head -n 3 | paste -sd . | grep -E '^[0-9]+\.[0-9]+\.[0-9]+$'
}

PASSED=0
FAILED=0
FAILED_NAMES=''
STAGES=''
FAILED_WHY=''
LANE_JOB=''

stage()
{
	local name=$1 start status=0

	shift
	STAGES+=" $name"
	[ "$name" = "${STAGE:-$name}" ] || return 0
	if [ -n "${FROM:-}" ]; then
		if [ "$name" != "$FROM" ]; then
			note "stage $name skipped (FROM=$FROM)"
			return 0
		fi
		FROM=''
	fi
	start=$(date +%s)
	mkdir -p "$LOGS"
	: >"$LOGS/failures-$name"
	if [ -n "${LANE:-}" ]; then
		step "stage $name begins beside the others"
		FAILURES=$LOGS/failures-$name "$@" >"$LOGS/stage-$name.log" 2>&1 || status=$?
		[ ! -t 1 ] || printf '\r\033[K'
		cat "$LOGS/stage-$name.log"
	else
		step "stage $name"
		FAILURES=$LOGS/failures-$name "$@" || status=$?
	fi
	if [ $status -eq 0 ]; then
		PASSED=$((PASSED + 1))
		step "stage $name passed in $(($(date +%s) - start)) s"
	else
		FAILED=$((FAILED + 1))
		FAILED_NAMES="$FAILED_NAMES $name"
		[ ! -s "$LOGS/failures-$name" ] ||
			FAILED_WHY+=$(sed "s/^/        $name: /" "$LOGS/failures-$name")$'\n'
		step "stage $name FAILED in $(($(date +%s) - start)) s"
	fi
}

stages_beside()
{
	if [ -n "${STAGE:-}${FROM:-}" ] || [ "$JOBS" -eq 1 ]; then
		"$1"
		return
	fi
	# What is counted when they do not get to their end.
	echo "LANE_PASSED=0 LANE_FAILED=1 LANE_STAGES='' LANE_FAILED_NAMES=' (those beside: no result)' LANE_FAILED_WHY=''" >"$LOGS/beside"
	# A process group of its own can be ended as a whole.
	set -m
	(
		export LANE=beside
		PASSED=0 FAILED=0 STAGES='' FAILED_NAMES='' FAILED_WHY=''
		"$1"
		declare -p PASSED FAILED STAGES FAILED_NAMES FAILED_WHY | sed 's/^declare -- /LANE_/' >"$LOGS/beside.tmp"
		mv "$LOGS/beside.tmp" "$LOGS/beside"
	) </dev/null &
	LANE_JOB=$!
	set +m
	trap 'kill -- -"$LANE_JOB" 2>/dev/null || true' EXIT
}

stages_join()
{
	[ -n "$LANE_JOB" ] || return 0
	step "waiting for the stages beside"
	wait "$LANE_JOB" || true
	trap - EXIT
	# shellcheck source=/dev/null
	. "$LOGS/beside"
	PASSED=$((PASSED + LANE_PASSED))
	FAILED=$((FAILED + LANE_FAILED))
	STAGES+=$LANE_STAGES FAILED_NAMES+=$LANE_FAILED_NAMES FAILED_WHY+=$LANE_FAILED_WHY
}

stages_end()
{
	[ -z "${FROM:-}" ] || die "FROM=$FROM: no such stage; there are$STAGES"
	[[ "$STAGES " = *" ${STAGE:-} "* ]] || [ -z "${STAGE:-}" ] || die "STAGE=$STAGE: no such stage; there are$STAGES"
	[ -z "$FAILED_NAMES" ] || { step "failed:$FAILED_NAMES"; printf '%s' "$FAILED_WHY"; }
	printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
	[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}
