#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Provoke every bad input that the front door must refuse, on a copy of the
# project, mostly with a tiny tree in the kernel's place: one clear line, a
# status that is not zero, and nothing half-made. As root (or with sudo).

. "$(dirname "$0")/lib.sh"

need_packages git perl python3 xz-utils util-linux
need_tree
# Readable for everybody, as one case runs without rights.
WORK=$(mktemp -d)
chmod 755 "$WORK"
trap '[ "$BASHPID" != $$ ] || rm -rf "$WORK"' EXIT
P=$WORK/project
SUDO=()
[ "$(id -u)" = 0 ] || SUDO=(sudo -n)
# The outer run's settings are not the cases'.
unset KDIR TARBALL FROM STAGE TREE_READY AUTHOR PART TRAILER LANE

# A fresh copy of the project with a few small patches of its own.
project()
{
	rm -rf "$P"
	mkdir -p "$P"
	git ls-files -z -- ':!patches' | xargs -0 cp --parents -t "$P"
	cp -r "$WORK/good" "$P/patches"
}

# A tree that passes for Linux $2, in $1, with the scripts that look at mails.
fake_tree()
{
	mkdir -p "$1"/{Documentation,arch,fs,include,init,ipc,kernel,lib,scripts,drivers/gpu/drm/lima}
	touch "$1"/{COPYING,CREDITS,Kbuild,README} "$1"/{Documentation,arch,fs,include,init,ipc,kernel,lib}/Makefile
	# shellcheck disable=SC2086
	printf 'VERSION = %s\nPATCHLEVEL = %s\nSUBLEVEL = %s\n' ${2//./ } >"$1/Makefile"
	git -C "$TREE" archive base MAINTAINERS scripts/{checkpatch.pl,get_maintainer.pl,spelling.txt} | tar -x -C "$1"
	seq 1 40 | tee "$1/drivers/gpu/drm/file.c" >"$1/drivers/gpu/drm/lima/notes"
}

fake_git()
{
	git -C "$1" init -q -b theirs
	git -C "$1" config user.name Someone
	git -C "$1" config user.email someone@localhost.invalid
	git -C "$1" add -A
	git -C "$1" commit -q -m theirs
}

# fake_patch NUMBER WORD FILE SUBJECT: a commit to the repository $WORK/edit.
fake_patch()
{
	sed -i "s/^$1\$/$2/" "$WORK/edit/$3"
	git -C "$WORK/edit" commit -qam "$4" -m "Numbers are easier to read as words. Write the word."
}

# expect NAME REGEX CMD...: CMD fails, with one line of error that matches.
expect()
{
	local name=$1 regex=$2 status=0 lines

	shift 2
	(cd "$P" && "$@") >"$WORK/out" 2>"$WORK/err" </dev/null || status=$?
	lines=$(grep -c '^error: ' "$WORK/err") || true
	if [ $status -ne 0 ] && [ "$lines" -eq 1 ] && grep -qE "^error: .*$regex" "$WORK/err"; then
		ok "$name: $(sed -n "s,$WORK/,,g; s/^error: //p" "$WORK/err")"
	else
		bad "$name: status $status, $lines lines of error: $(grep -m1 '^error: ' "$WORK/err" || true)"
		cat "$WORK/out" "$WORK/err" | sed 's/^/    | /'
	fi
}

ok()
{
	PASSED=$((PASSED + 1))
	step "ok: $*"
}

bad()
{
	FAILED=$((FAILED + 1))
	echo "$*" >>"$REPORT"
	step "FAILED: $*"
}

# holds NAME CMD...: CMD succeeds.
holds()
{
	local name=$1

	shift
	if (cd "$P" && "$@") >"$WORK/out" 2>&1 </dev/null; then
		ok "$name"
	else
		bad "$name"
		sed 's/^/    | /' "$WORK/out"
	fi
}

nothing_made()
{
	holds "  nothing half-made" test ! -e linux -a ! -e linux.tmp -a ! -e build/kdir -a \
		! -e build/src/linux.tar.xz
}

# The tree is as it was, on $1, with no git am under way.
untouched()
{
	holds "  tree as it was" sh -c "
		test \"\$(git -C '$2' rev-parse HEAD)\" = $1 && test -z \"\$(git -C '$2' status --porcelain -uno)\" &&
		test ! -e '$2/.git/rebase-apply' && test \$(git -C '$2' worktree list | wc -l) = 1"
}

# The material: trees, patches that apply in three folders, and how the second hunk
# of the last one no longer does.
fake_tree "$WORK/plain" "$KERNEL_VERSION"
tar -C "$WORK" -cJf "$WORK/tiny.tar.xz" plain
cp -r "$WORK/plain" "$WORK/mine"
fake_git "$WORK/mine"
mkdir "$WORK/empty"
cp -r "$WORK/mine" "$WORK/edit"
fake_patch 38 last drivers/gpu/drm/lima/notes "drm/lima: Spell the last"
git -C "$WORK/edit" format-patch -q -o "$WORK/good/01-fixes-one" HEAD^
for number in '10 ten' '20 twenty' '30 thirty'; do
	# shellcheck disable=SC2086
	fake_patch $number drivers/gpu/drm/lima/notes "drm/lima: Spell ${number#* }"
done
git -C "$WORK/edit" format-patch -q --cover-letter -o "$WORK/good/02-fixes-three" HEAD~3
sed -i -e 's/^From: .*/From: Mail System Internal Data <series@localhost.invalid>/' \
	-e 's/\*\*\* SUBJECT HERE \*\*\*/drm\/lima: Spell numbers/' "$WORK"/good/02-fixes-three/0000*
sed -i 's/^5$/five/' "$WORK/edit/drivers/gpu/drm/file.c"
fake_patch 30 thirty drivers/gpu/drm/file.c "drm: Spell numbers"
git -C "$WORK/edit" format-patch -q -o "$WORK/good/20-sgt-policy" HEAD^
spoil()
{
	sed -i 's/^ 31$/ 3l/' "$P"/patches/20-sgt-policy/0001*
}
amend()
{
	sed -i 's/^+thirty/+Thirty/' "$P"/patches/20-sgt-policy/0001*
}

step "KDIR"
project
expect "no such directory" "KDIR" make tree KDIR="$WORK/nowhere"
expect "no kernel tree" "no kernel tree" make tree KDIR="$WORK/empty"
echo >>"$WORK/mine/README"
expect "dirty" "uncommitted" make tree KDIR="$WORK/mine"
nothing_made
theirs=$(cd "$WORK/mine" && git for-each-ref && git status --porcelain && git worktree list)
git -C "$WORK/mine" stash -q
holds "good git tree" make tree KDIR="$WORK/mine"
holds "  five commits on theirs" test "$(git -C "$P/build/kdir/tree" rev-list --count base..20-sgt-policy)" = 5
git -C "$WORK/mine" stash pop -q
holds "  theirs as it was" test "$theirs" = \
	"$(cd "$WORK/mine" && git for-each-ref && git status --porcelain && git worktree list)"
git -C "$WORK/mine" checkout -q README
spoil
expect "patch does not apply on KDIR" "0001-.*\.patch does not apply.*file\.c:" make tree KDIR="$WORK/mine"
project
holds "good tree without git" make tree KDIR="$WORK/plain"
holds "  is patched" grep -q thirty build/kdir/tree/drivers/gpu/drm/file.c
holds "  theirs is not" grep -qx 30 "$WORK/plain/drivers/gpu/drm/file.c"
# Of another version, and changed so close to a patch that this takes a merge.
cp -r "$WORK/mine" "$WORK/other"
sed -i 's/= 7$/= 6/; s/= 3$/= 1/' "$WORK/other/Makefile"
sed -i 's/^8$/eight/' "$WORK/other/drivers/gpu/drm/file.c"
git -C "$WORK/other" commit -qam other
project
# shellcheck disable=SC2016
holds "KDIR of another version" sh -c 'make tree KDIR="$0" >"$0.out" && cat "$0.out" &&
	test "$(grep -c "6\.1\.4.*7\.3.*git am -3" "$0.out")" = 1 && grep -q "took a 3-way merge: 1" "$0.out"' "$WORK/other"
# shellcheck disable=SC2016
holds "  is patched" sh -c 'grep -qx five "$0" && grep -qx eight "$0"' build/kdir/tree/drivers/gpu/drm/file.c
sed -i 's/^13$/ten and three/' "$WORK/other/drivers/gpu/drm/lima/notes"
git -C "$WORK/other" commit -qam more
theirs=$(cd "$WORK/other" && git for-each-ref && git status --porcelain && git worktree list)
expect "KDIR of another version, does not apply" "02-fixes-three/0001-.*\.patch does not apply.*lima/notes" \
	make tree KDIR="$WORK/other"
nothing_made
holds "  theirs as it was" test "$theirs" = \
	"$(cd "$WORK/other" && git for-each-ref && git status --porcelain && git worktree list)"

step "patches"
project
spoil
expect "does not apply" "0001-.*\.patch does not apply.*file\.c:" make tree TARBALL="$WORK/tiny.tar.xz"
holds "  no tree made" test ! -e linux
project
holds "good tarball" make tree TARBALL="$WORK/tiny.tar.xz"
head=$(git -C "$P/linux" rev-parse HEAD)
holds "export" make patches
cp -r "$P/patches" "$WORK/exported"
holds "export again" make patches
holds "  changes nothing" diff -r "$WORK/exported" patches
holds "  a cover letter from three patches on" test "$(cd "$P/patches" && ls -d ./*/0000*)" = \
	./02-fixes-three/0000-cover-letter.patch
holds "  whose text stays" grep -q '^Subject: \[PATCH 0/3\] drm/lima: Spell numbers$' "$P"/patches/02-fixes-three/0000*
holds "  nor does git am of the export" sh -c 'cd linux && git checkout -q --detach base &&
	git am -q ../patches/*/*.patch && git diff --quiet HEAD series && git checkout -q series'
holds "KDIR of another version, merged with what linux/ has" make tree KDIR="$WORK/other"
holds "  series" make series KDIR="$WORK/other"
spoil
expect "spoilt later" "0001-.*\.patch does not apply.*file\.c:" make tree
untouched "$head" "$P/linux"
cp "$WORK"/exported/20-sgt-policy/* "$P/patches/20-sgt-policy/"
git -C "$P/linux" -c user.name=Me -c user.email=me@localhost.invalid commit -q --allow-empty -m mine
head=$(git -C "$P/linux" rev-parse HEAD)
amend
expect "work not exported" "holds work" make tree
untouched "$head" "$P/linux"
git -C "$P/linux" reset -q --hard HEAD^
holds "patches changed" make tree
holds "  tree follows" grep -q Thirty linux/drivers/gpu/drm/file.c
holds "export" make patches
# shellcheck disable=SC2016
timeout 120 flock "$P/build/work.lock" sh -c 'touch "$0/held"
	until grep -q "waiting.*build/work" "$0/waits" 2>/dev/null; do sleep 0.1; done' "$WORK" &
until [ -e "$WORK/held" ] || ! kill -0 $! 2>/dev/null; do sleep 0.1; done
# shellcheck disable=SC2016
holds "worktree in use: waits, then goes on" sh -c \
	'make series >"$0/waits" 2>&1 && cat "$0/waits" && grep -q waiting "$0/waits"' "$WORK"
wait
holds "  and left what is right" sh -c 'cd build/work && git diff --quiet series'
git -C "$P/linux" format-patch -q --stdout series^ | sed 's/^ 31/ 3l/' >"$WORK/bad.patch"
git -C "$P/build/work" am -q "$WORK/bad.patch" >/dev/null 2>&1 || true
holds "git am was interrupted" make series
rm -rf "$WORK/exported"
cp -r "$P/patches" "$WORK/exported"
head=$(git -C "$P/linux" rev-parse HEAD)
mv "$P/patches/02-fixes-three" "$P/patches/03-fixes-three"
holds "a folder is renamed" make tree
holds "  so is its tag" test "$(git -C "$P/linux" tag | paste -sd ' ')" = "01-fixes-one 03-fixes-three 20-sgt-policy base"
mv "$P/patches/03-fixes-three" "$P/patches/02-fixes-three"
holds "  and back" make tree
# Fixes on top of fixes that are not theirs.
git -C "$P/linux" checkout -q --detach 02-fixes-three
sed -i 's/^ten$/10, or ten/' "$P/linux/drivers/gpu/drm/lima/notes"
git -C "$P/linux" commit -qam "drm/lima: Spell it twice"
git -C "$P/linux" tag 03-fixes-four
git -C "$P/linux" cherry-pick 20-sgt-policy >/dev/null
git -C "$P/linux" checkout -q -B series
holds "a part that needs another one" make patches
expect "  is not alone" "base alone.*03-fixes-four/0001-.*\.patch does not apply" make series
git -C "$P/linux" checkout -q -B series "$head"
git -C "$P/linux" tag -d 03-fixes-four >/dev/null
holds "a part goes" make patches
holds "  with its folder" diff -r "$WORK/exported" patches

step "tarball"
project
expect "no such tarball" "no such file" make tree TARBALL="$WORK/nowhere.tar.xz"
echo junk >"$WORK/junk.tar.xz"
expect "no tarball" "unpacked" make tree TARBALL="$WORK/junk.tar.xz"
rm -rf "$P/build"
tar -C "$WORK" -cJf "$WORK/old.tar.xz" other
expect "tarball of another version" "no Linux 7\.3" make tree TARBALL="$WORK/old.tar.xz"
nothing_made

step "machine"
project
mkdir -p "$WORK/admin" "$P/build"
chmod -R a+rwX "$P"
expect "no root" "as root run: apt-get install .*git" \
	"${SUDO[@]}" env DPKG_ADMINDIR="$WORK/admin" setpriv --reuid=65534 --regid=65534 --clear-groups make tree
nothing_made
# An apt-get that finds its packages announced, and fails.
mkdir "$WORK/bin"
printf '#!/bin/sh\ngrep -q "going to install.* flex " "%s/out" && touch "%s/announced"\nexit 1\n' "$WORK" "$WORK" >"$WORK/bin/apt-get"
chmod 755 "$WORK/bin/apt-get"
expect "root: apt-get fails" "could not install" \
	"${SUDO[@]}" env DPKG_ADMINDIR="$WORK/admin" PATH="$WORK/bin:$PATH" make run
holds "  and was announced" test -e "$WORK/announced"
nothing_made
# shellcheck disable=SC2016
expect "disk full" "disk too full" "${SUDO[@]}" unshare -m sh -c \
	'mount -t tmpfs -o size=20m none build && make tree TARBALL="$0"' "$WORK/tiny.tar.xz"
nothing_made

step "test"
project
expect "no such stage" "STAGE=.*no such stage.*series" make test STAGE=nothing-like-it KDIR="$WORK/plain"
holds "one stage" make test STAGE=tree KDIR="$WORK/plain"
holds "  and its verdict last" test "$(tail -n 1 "$WORK/out")" = "1 passed, 0 failed"
# shellcheck disable=SC2016
holds "no tree: the verdict is last" eval 'test "$(make test KDIR="$WORK/empty" 2>/dev/null | tail -n 1)" = "0 passed, 1 failed"'
rm -rf "$P/build"

step "network"
project
expect "no network" "no network.*KDIR=.*TARBALL=" "${SUDO[@]}" unshare -n make tree
nothing_made
sed -i 's/^KERNEL_PACKAGE=.*/&-gone/' "$P/kernel.base"
expect "package gone" "no package .*-gone.*KDIR=.*TARBALL=" make tree
nothing_made
project
sed -i 's/^\(KERNEL_DEB_SHA256=\)./\1f/' "$P/kernel.base"
expect "checksum wrong" "checksum" make tree
nothing_made

step "mail"
jo='Jo Doe <jo@example.org>'
project
holds "good tarball" make tree TARBALL="$WORK/tiny.tar.xz"
holds "export" make patches
expect "no author" "AUTHOR=.*Name" make mail
expect "no address" "AUTHOR=Jo.*Name" make mail AUTHOR=Jo
expect "no name" "AUTHOR=.*git does not take" make mail AUTHOR='... <jo@example.org>'
expect "no trailer" "TRAILER=.*Key: value" make mail AUTHOR="$jo" TRAILER=tested
expect "no expression" "PART=.*regular" make mail AUTHOR="$jo" PART='('
expect "no part" "PART=.*02-fixes-three" make mail AUTHOR="$jo" PART=nothing-like-it
holds "  no mail made" test ! -e build/mail -a ! -e build/mail.tmp
holds "good mails" make mail AUTHOR="$jo" TRAILER='Tested-by: Some One <some@example.org>'
in_mails()
{
	test "$(cd "$P/build/mail" && grep -lE -- "$2" ./*/*.patch | cut -d/ -f2- | paste -sd ' ')" = "$1"
}
no_cover='01-fixes-one/0001-drm-lima-Spell-the-last.patch 02-fixes-three/0001-drm-lima-Spell-ten.patch 02-fixes-three/0002-drm-lima-Spell-twenty.patch 02-fixes-three/0003-drm-lima-Spell-thirty.patch 20-sgt-policy/0001-drm-Spell-numbers.patch'
all="${no_cover/ / 02-fixes-three/0000-cover-letter.patch }"
holds "  are from the author" in_mails "$all" "^From: $jo\$"
holds "  are signed" in_mails "$no_cover" "^Signed-off-by: $jo\$"
holds "  have the trailer" in_mails "$no_cover" "^Tested-by: Some One <some@example.org>\$"
holds "  to the maintainers" in_mails "$all" '^To: .*@'
holds "  to the lists" in_mails "$all" '^(Cc:|   ) dri-devel@lists.freedesktop.org'
holds "  to lima's list" in_mails "${all% *}" '^(Cc:|   ) lima@lists.freedesktop.org'
holds "  are replies" in_mails "$(echo "$all" | cut -d' ' -f3-5)" '^In-Reply-To: <cover'
holds "  name the base" in_mails "$(echo "$all" | cut -d' ' -f1,2,6)" "^base-commit: $(git -C "$P/linux" rev-parse base)\$"
holds "  name what comes before" in_mails "$(echo "$all" | cut -d' ' -f6)" '^prerequisite-patch-id: '
holds "  all four" test "$(grep -c '^prerequisite-patch-id: ' "$P"/build/mail/20-sgt-policy/*)" = 4
holds "  apply to the base alone" sh -c 'cd linux && git checkout -q --detach base &&
	git am -q ../build/mail/02-fixes-three/000[1-3]* && git checkout -q series'
if [ -x "$(git --exec-path)/git-send-email" ] && perl -MMail::Address -e 1 2>/dev/null; then
	for folder in "$P"/build/mail/*/; do
		holds "  git send-email takes ${folder#"$P"/}" git send-email --dry-run --no-thread --confirm=never \
			--from="$jo" "$folder"*.patch
	done
else
	note "git send-email is not installed: not tried"
fi
git -C "$P/linux" commit -q --amend -m "drm: Spell numbers"
expect "work not exported" "make patches first" make mail AUTHOR="$jo"
holds "export" make patches
expect "checkpatch complains" "checkpatch has 1 finding" make mail AUTHOR="$jo"
sed -i 's/^Subject: \(.*\] \).*/Subject: \1*** SUBJECT HERE ***/' "$P"/patches/02-fixes-three/0000*
expect "cover letter not written" "write .*02-fixes-three/0000" make mail AUTHOR="$jo"
holds "  the mails are those from before" in_mails "$no_cover" "^Signed-off-by: $jo\$"

step "vm"
project
echo : >"$WORK/job"
expect "no job" "which job" make vm
expect "no such job" "JOB=.*no such file" make vm JOB="$WORK/nowhere"
expect "no such folder" "FILES=.*no such folder" make vm JOB="$WORK/job" FILES="$WORK/job"
expect "no size" "MEM=.*512M" make vm JOB="$WORK/job" MEM=much
expect "no time" "VM_TIMEOUT=.*seconds" make vm JOB="$WORK/job" VM_TIMEOUT=long
expect "no flag" "BASE=.*BASE=1" make vm JOB="$WORK/job" BASE=yes
nothing_made
holds "  no folder of a run made" test ! -e build/vm

step "splats"
# One complaint of each kind, as the kernel says it.
while IFS= read -r line; do
	printf '[    1.0] fine\n[    2.0] %s\n' "$line" >"$WORK/log"
	if [ "$("$TOP/scripts/splat.sh" "$WORK/log")" = "[    2.0] $line" ]; then
		ok "seen: $line"
	else
		bad "not seen: $line"
	fi
	holds "  expected" "$TOP/scripts/splat.sh" -x '^\[    2' "$WORK/log"
done <<'END'
WARNING: drivers/gpu/drm/drm_gem_shmem_helper.c:190 at drm_gem_shmem_release+0x10/0x20, CPU#0: job/1
WARNING: possible circular locking dependency detected
BUG: KASAN: slab-use-after-free in drm_gem_shmem_free+0x10/0x20
BUG: KCSAN: data-race in drm_gem_shmem_get_pages / drm_gem_shmem_put_pages
BUG: kernel NULL pointer dereference, address: 0000000000000008
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:1
BUG: Bad page state in process job  pfn:00001
BUG kmalloc-64 (Not tainted): Object already free
kernel BUG at mm/slub.c:1!
Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP
Kernel panic - not syncing: Fatal exception
UBSAN: array-index-out-of-bounds in drivers/gpu/drm/drm_gem.c:1:2
INFO: task job:1 blocked for more than 120 seconds.
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [job:1]
DMA-API: virtio-pci 0000:00:03.0: device driver has pending DMA allocations while released from device [count=1]
kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
unreferenced object 0xffff888001234500 (size 64):
refcount_t: underflow; use-after-free.
list_del corruption. next->prev should be ffff888001234500, but was dead000000000122
ODEBUG: free active (active state 0) object: ffff888001234500 object type: work_struct
sysfs: cannot create duplicate filename '/devices/faux/vgem'
job: page allocation failure: order:4, mode:0xcc0(GFP_KERNEL), nodemask=(null)
Out of memory: Killed process 1 (job)
END
echo 'DMA-API: preallocated 65536 debug entries' >"$WORK/log"
holds "harmless" "$TOP/scripts/splat.sh" "$WORK/log"

step "table"
# What two kernels may have done: one line each, the rest is the same.
table()
{
	rm -rf "$WORK/base" "$WORK/patched"
	mkdir "$WORK/base"
	printf 'Subtest a: SUCCESS (0.1s)\nSubtest b: SKIP (0.0s)\nSubtest c: FAIL (0.1s)\ntable: status 98\n' \
		>"$WORK/base/vgem+test.log"
	printf '<6>[ 1.0] [IGT] test: starting subtest a\n<6>[ 2.0] [IGT] test: finished subtest a, SUCCESS\n' \
		>"$WORK/base/vgem+test.kmsg"
	printf '[    1.0] table: vgem/test\n[    2.0] fine\n' >"$WORK/base/console+igt"
	cp -r "$WORK/base" "$WORK/patched"
	[ $# = 0 ] || sed -i "$2" "$WORK/patched/$1"
	"$TOP/scripts/vm-table.py" "$WORK/base" "$WORK/patched"
}
is_worse()
{
	! table "$@" >"$WORK/table" && grep -qE 'WORSE|new complaint' "$WORK/table"
}
holds "the same" table
holds "better" table vgem+test.log 's/FAIL/SUCCESS/'
holds "worse: fails" is_worse vgem+test.log '1s/SUCCESS/FAIL/'
holds "worse: is skipped" is_worse vgem+test.log '1s/SUCCESS/SKIP/'
holds "worse: is gone" is_worse vgem+test.log 1d
holds "worse: fails where it was skipped" is_worse vgem+test.log 's/SKIP/FAIL/'
holds "worse: a new failure" is_worse vgem+test.log '1iSubtest d: FAIL (0.1s)'
# shellcheck disable=SC2016
holds "worse: the guest dies" is_worse vgem+test.log '$d'
# shellcheck disable=SC2016
holds "worse: takes too long" is_worse vgem+test.log '$s/98/124/'
# Nobody ran it.
: >"$WORK/base/vgem+test.log"
: >"$WORK/patched/vgem+test.log"
# shellcheck disable=SC2016
holds "worse: not run on either" eval '! "$TOP/scripts/vm-table.py" "$WORK/base" "$WORK/patched"'
holds "worse: warns" is_worse vgem+test.kmsg '1a<4>[ 1.5] something is wrong'
holds "worse: the kernel complains" is_worse console+igt '2aWARNING: mm/slub.c:1 at f+0x1/0x2, CPU#0: test/1'
project
expect "no row" "ROW=.*no row" make vm-table ROW=nothing-like-it
expect "no expression" "ROW=.*regular" make vm-table 'ROW=('
expect "no yes or no" "EVICT=.*EVICT=1" make vm-table EVICT=maybe
nothing_made

step "bench"
expect "no number" "ROUNDS=.*number" make bench ROUNDS=many
expect "no flag" "FULL=.*FULL=1" make bench FULL=yes
nothing_made

step "demo"
expect "no size" "MIB=.*multiple of 8" make demo MIB=12
expect "no number" "MIB=.*multiple of 8" make demo MIB=much
expect "no such driver" "DRIVER=.*one of vgem" make demo DRIVER=nouveau
expect "no flag" "DOCS=.*DOCS=1" make demo DOCS=yes
expect "a plot of one driver for docs/" "DOCS=1 is for all" make demo DOCS=1 DRIVER=vgem
nothing_made
# What a good run leaves, with one change: demo KERNEL SED.
demo()
{
	local kernel

	rm -rf "$WORK/demo"
	mkdir -p "$WORK/demo/base" "$WORK/demo/series"
	cat >"$WORK/demo/series/job.log" <<-'END'
		fill: driver=vgem mib=1536 buffer=8 seed=1 reached=1536 refused=- walks=2 wrong=0 sigbus=0 killed=0 hog_mib=64 hog_rounds=9 hog_wrong=0 hog_killed=0 oom_kills=0 swap_mib=1100 lost_kib=0 seconds=90.5 status=ok
		demo: driver=vgem evictions=900 freed=52000 asked=50000 events=800 unseen=0
	END
	sed 's/reached=1536 refused=-/reached=456 refused=ENOMEM/; s/=[0-9]* freed=.*/=- freed=- asked=- events=- unseen=-/' \
		"$WORK/demo/series/job.log" >"$WORK/demo/base/job.log"
	for kernel in base series; do
		printf '# memory: 489000 KiB\n0.0\t0\t0\t400000\t400000\t0\t0\n9.0\t456\t2\t20000\t30000\t900\t440000\n' \
			>"$WORK/demo/$kernel/vgem.tsv"
	done
	[ $# = 0 ] || sed -i "$2" "$WORK/demo/$1/job.log"
	"$TOP/scripts/demo.py" "$WORK/demo" 1536 vgem
}
demo_fails()
{
	! demo "$1" "$2" >"$WORK/verdict" && grep -qx "FAILED: vgem: $3" "$WORK/verdict"
}
need_packages gnuplot-nox
holds "good" demo
holds "  draws it" test -s "$WORK/demo/demo.svg" -a -s "$WORK/demo/demo.png"
holds "not all reached" demo_fails series 's/reached=1536/reached=1528/' '1528 of 1536 MiB'
holds "a wrong word" demo_fails series 's/ wrong=0/ wrong=1/' '1 wrong words'
holds "a wrong word of the hog" demo_fails series 's/hog_wrong=0/hog_wrong=2/' '2 wrong words'
holds "an OOM kill" demo_fails series 's/oom_kills=0/oom_kills=1/' '1 OOM kills'
holds "a SIGBUS" demo_fails series 's/sigbus=0/sigbus=1/' SIGBUS
holds "walks that did not end" demo_fails series 's/walks=2/walks=1/' '1 of 2 walks'
holds "memory that is gone" demo_fails series 's/lost_kib=0/lost_kib=999/' '999 KiB not given back'
holds "too much freed" demo_fails series 's/freed=52000/freed=55000/' 'freed over asked is 1.10'
holds "nobody knows how much" demo_fails series 's/unseen=0/unseen=7/' 'freed over asked is not known'
holds "no result" demo_fails series '1d' 'no result on the series'
holds "the base passes" demo_fails base 's/reached=456/reached=1536/' 'the base passes, too: this proves nothing'

step "selftest: $PASSED passed, $FAILED failed"
[ "$FAILED" -eq 0 ]
