#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vm.sh job|shell|kernel: `make vm` and `make vm-shell`: the patched kernel or
# the base in QEMU with a virtio-gpu, in it a job or a shell; or build only.
# The settings are variables, see docs/vm.md. Status: the job's; 1 when there
# is none to be had, or when the kernel complained (splat.sh).
#
# A kernel is built once for what is in the tree and in configs/vm*.config, and
# kept in build/vm/NAME: base, patched or the COMMIT= asked for, and -checked
# or -kcsan. They share an object directory as far as they share a
# configuration: with one worktree for all, only what differs is built again.

. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/toolbox.sh"

JOB=${JOB:-} FILES=${FILES:-} BASE=${BASE:-} COMMIT=${COMMIT:-} CHECKED=${CHECKED:-} ROOT=${ROOT:-} SLEEP=${SLEEP:-} GL=${GL:-}
ARGS=${ARGS:-} MEM=${MEM:-1G} DISK=${DISK:-2G} SPLATS=${SPLATS:-} QEMU_ARGS=${QEMU_ARGS:-} APPEND=${APPEND:-}
VM_TIMEOUT=${VM_TIMEOUT:-600}

VM=$(dirname "$OUT")/vm
ROOTFS_SUITE=forky
# As few as run the clients. Older releases have no package of IGT's tests.
ROOTFS_PACKAGES=(
	busybox-static mount kmod procps util-linux strace
	libdrm-tests igt-gpu-tools igt-gpu-tools-tests
	kmscube glmark2-es2-drm mesa-utils mesa-utils-bin libegl1 libgles2
	libgl1-mesa-dri libgbm1 libegl-mesa0 vulkan-tools mesa-vulkan-drivers
)
# Objects of a clean build, about: for the progress line only.
VM_OBJECTS=1500

check_settings()
{
	local flag

	case $CHECKED in
	0) CHECKED='' ;;
	# The latter by need_display().
	1|checked) CHECKED=checked ;;
	''|kcsan) ;;
	*) die "CHECKED=$CHECKED: say CHECKED=1, CHECKED=kcsan, or leave it out" ;;
	esac
	for flag in BASE SLEEP GL; do
		case ${!flag} in
		0) printf -v "$flag" '' ;;
		''|1) ;;
		*) die "$flag=${!flag}: say $flag=1 or leave it out" ;;
		esac
	done
	[[ $VM_TIMEOUT =~ ^[1-9][0-9]*$ ]] || die "VM_TIMEOUT=$VM_TIMEOUT: not a number of seconds"
	[[ $MEM =~ ^[1-9][0-9]*[MG]$ ]] || die "MEM=$MEM: say 512M or 2G"
	[[ $DISK =~ ^[1-9][0-9]*[MG]$ ]] || die "DISK=$DISK: say 512M or 2G"
	case $ROOT in
	''|full) ;;
	*) die "ROOT=$ROOT: the one other root file system is ROOT=full" ;;
	esac
	[ -z "$ROOT" ] || [ -z "$SLEEP" ] || die "SLEEP=1 and ROOT=full do not go together: the root is on 9p, which does not sleep"
	if [ "$1" = job ]; then
		[ -n "$JOB" ] || die "which job? make vm JOB=script [FILES=dir]"
		[ -f "$JOB" ] || die "JOB=$JOB: no such file"
		JOB=$(realpath "$JOB")
		FILES=${FILES:-$(dirname "$JOB")}
	else
		FILES=${FILES:-$TOP}
	fi
	[ "$SPLATS" != ok ] || SPLATS=.
	[ -d "$FILES" ] || die "FILES=$FILES: no such folder"
	FILES=$(realpath "$FILES")
	[ -z "$BASE" ] || [ -z "$COMMIT" ] || die "BASE=1 or COMMIT=$COMMIT, not both"
	FLAVOUR=${BASE:+base}${COMMIT//[^A-Za-z0-9._-]/_}
	FLAVOUR=${FLAVOUR:-patched}${CHECKED:+-$CHECKED}
}

configs()
{
	echo "$TOP/configs/vm.config" ${CHECKED:+"$TOP/configs/vm-$CHECKED.config"}
}

# What a kernel is made from: source, configuration, compiler.
kernel_stamp()
{
	# shellcheck disable=SC2046,SC2002
	printf '%s %s %s\n' "$(git -C "$TREE" rev-parse "$1^{tree}")" \
		"$(cat $(configs) | sha256sum | cut -c1-40)" "$(gcc -dumpfullversion)"
}

# The options asked for are those that are set, or we say which are not.
configure_kernel()
{
	local obj=$1 lost

	# The parts in this order: the last word on an option counts.
	# shellcheck disable=SC2046
	(cd "$WT" && cat kernel/configs/tiny-base.config kernel/configs/tiny.config \
		arch/x86/configs/tiny.config kernel/configs/kvm_guest.config $(configs)) >"$obj/all.config"
	run_logged vm-config "${MAKE_KERNEL[@]}" "KCONFIG_ALLCONFIG=$obj/all.config" allnoconfig ||
		die "vm: the configuration failed"
	# shellcheck disable=SC2046
	lost=$(grep -hE '^(CONFIG_|# CONFIG_.* is not set)' $(configs) |
		grep -vxFf "$obj/.config" | tr '\n' ' ') || true
	[ -z "$lost" ] || die "vm: not to be had in this kernel: $lost"
}

need_kernel()
{
	local minutes=10 commit obj=$OUT/vm${CHECKED:+-$CHECKED} dir=$VM/$FLAVOUR total=$VM_OBJECTS stamp

	need_packages gcc libc6-dev make flex bison bc libelf-dev libssl-dev kmod cpio busybox-static \
		qemu-system-x86 util-linux
	commit=${BASE:+base}${COMMIT}
	commit=${commit:-HEAD}
	stamp=$(kernel_stamp "$commit")
	mkdir -p "$VM"
	# One that is ready does not wait for those that are built.
	exec 9>"$dir.lock"
	flock -w 3 9 || { step "waiting for another build of this kernel"; flock 9; }
	if [ "$(cat "$dir/stamp" 2>/dev/null)" != "$stamp" ]; then
		need_space "$BUILD" $((${CHECKED:+3}000 + 1500))
		worktree "$commit"
		mkdir -p "$obj"
		[ -z "$CHECKED" ] || minutes=20
		[ ! -e "$obj/vmlinux" ] || total=0
		MAKE_KERNEL=(make -s -C "$WT" "O=$obj" ARCH=x86_64 "-j$JOBS"
			"CC=$(! command -v ccache >/dev/null || echo 'ccache ')gcc" KBUILD_BUILD_USER=vm KBUILD_BUILD_HOST=vm)
		configure_kernel "$obj"
		step "building the $FLAVOUR kernel ($([ "$total" = 0 ] && echo 'what changed' || echo "about $minutes minutes cold on 2 CPUs"))"
		run_logged -o "$obj" -t "$total" "vm-$FLAVOUR" "${MAKE_KERNEL[@]}" bzImage modules ||
			die "vm: the $FLAVOUR kernel does not build"
		rm -rf "$dir" "$dir.tmp"
		mkdir -p "$dir.tmp"
		run_logged vm-modules "${MAKE_KERNEL[@]}" "INSTALL_MOD_PATH=$dir.tmp" modules_install ||
			die "vm: the modules cannot be installed"
		find "$dir.tmp" -name build -type l -delete
		cp "$obj/arch/x86/boot/bzImage" "$obj/.config" "$dir.tmp/"
		echo "$stamp" >"$dir.tmp/stamp"
		mv "$dir.tmp" "$dir"
		release_worktree
	fi
	# Copies: the next build may come while this guest runs.
	cp "$dir/bzImage" "$RUN/kernel"
	mkdir "$RUN/initramfs"
	cp -r "$dir/lib" "$RUN/initramfs/lib"
	exec 9>&-
}

need_rootfs()
{
	! debian_is rootfs "${ROOTFS_PACKAGES[@]}" || return 0
	[ "$(id -u)" = 0 ] || die "ROOT=full has to be made as root, once: run make as root"
	exec 9>"$VM/rootfs.lock"
	flock 9
	if ! debian_is rootfs "${ROOTFS_PACKAGES[@]}"; then
		step "making the guest's root file system (Debian $ROOTFS_SUITE in build/rootfs, once)"
		make_debian rootfs "$ROOTFS_SUITE" "${ROOTFS_PACKAGES[@]}"
	fi
	exec 9>&-
}

# A folder of its own for each run, also when several have the same name.
make_run()
{
	local n=1

	NAME=${VM_NAME:-$(basename "${JOB:-$1}")-$FLAVOUR}
	RUN=$VM/out/$NAME
	until { mkdir -p "$RUN" && exec 8>"$RUN/.lock"; } 2>/dev/null || die "cannot write to $RUN"; flock -n 8; do
		n=$((n + 1))
		RUN=$VM/out/$NAME.$n
	done
	find "$RUN" -mindepth 1 ! -name .lock -delete
	mkdir "$RUN/out"
	trap '[ "$BASHPID" != $$ ] || clean_run' EXIT
}

# QEMU takes the file with its id away when it ends.
clean_run()
{
	local pid

	! pid=$(cat "$RUN/qemu.pid" 2>/dev/null) || kill "$pid" 2>/dev/null || true
	rm -rf "$RUN"/{initramfs,initramfs.cpio,kernel,disk,qemu.pid}
}

make_initramfs()
{
	local dir=$RUN/initramfs

	mkdir -p "$dir/bin"
	cp "$(dpkg -L busybox-static 2>/dev/null | grep '/busybox$' | sed -n 1p || command -v busybox)" "$dir/bin/busybox"
	cp scripts/vm-init "$dir/init"
	cp "${JOB:-/dev/null}" "$dir/job"
	chmod 755 "$dir/init" "$dir/job"
	printf 'export %s=%q\n' VM_FLAVOUR "$FLAVOUR" VM_ARGS "$ARGS" VM_ROOT "$ROOT" VM_SLEEP "$SLEEP" \
		VM_SHELL "$1" >"$dir/vm.env"
	(cd "$dir" && find . | cpio -o -H newc -R 0:0 --quiet) >"$RUN/initramfs.cpio"
	truncate -s "$DISK" "$RUN/disk"
}

qemu_version()
{
	qemu-system-x86_64 --version | sed -n 's/^QEMU emulator version \([0-9]*\).*/\1/p'
}

# virtio-gpu renders with the host's OpenGL, which wants a display: a virtual
# one, around all of this script.
need_display()
{
	[ -z "${VM_DISPLAY:-}" ] || return 0
	need_packages qemu-system-x86 qemu-system-gui xvfb xauth libgl1-mesa-dri
	[ "$(qemu_version)" -lt 10 ] || need_packages virgl-server mesa-vulkan-drivers
	# xvfb-run has a variable ARGS of its own.
	VM_DISPLAY=1 exec xvfb-run -a env "ARGS=$ARGS" "$0" "$@"
}

# Blobs and Vulkan (venus) take QEMU 10, as in Debian 13.
gl_options()
{
	[ "$(qemu_version)" -lt 10 ] || echo ,blob=on,hostmem=256M,venus=on
}

# Commas in a value are doubled, says QEMU.
share()
{
	printf -- '-virtfs\nlocal,mount_tag=%s,path=%s,security_model=none,multidevs=remap%s\n' \
		"$1" "${2//,/,,}" "$3"
}

qemu_args()
{
	local run=${RUN//,/,,}

	# shellcheck disable=SC2054
	# No KVM: what there is of it in a virtual machine may abort the guest.
	# With five levels of page tables KASAN may mistake an interrupt in identify_cpu().
	QEMU=(qemu-system-x86_64 -nodefaults -no-user-config -pidfile "$RUN/qemu.pid"
		-M q35 -accel tcg,thread=multi -cpu max,la57=off -smp 2 -m "$MEM"
		-kernel "$RUN/kernel" -initrd "$RUN/initramfs.cpio"
		-vga cirrus -device bochs-display
		-drive "file=$run/disk,format=raw,if=virtio,cache=unsafe")
	if [ -n "$GL" ]; then
		# shellcheck disable=SC2054
		QEMU+=(-display gtk,gl=on -device "virtio-gpu-gl-pci,max_hostmem=4G$(gl_options)")
	else
		# shellcheck disable=SC2054
		QEMU+=(-display none -device virtio-gpu-pci,max_hostmem=4G)
	fi
	mapfile -t -O ${#QEMU[@]} QEMU < <(share files "$FILES" ,readonly=on; share out "$RUN/out" ''
		[ -z "$ROOT" ] || share root "$BUILD/rootfs" ,readonly=on)
	# The video mode is what simpledrm drives.
	QEMU+=(-append "console=ttyS0 panic=-1 oops=panic printk.devkmsg=on vga=0x317 $(
		[ -z "$SLEEP" ] || echo resume=/dev/vda) $APPEND")
	[ -n "$SLEEP" ] || QEMU+=(-no-reboot)
	# shellcheck disable=SC2206
	QEMU+=($QEMU_ARGS)
}

# Says why there is no status of the job's, if so.
judge()
{
	local status=$1 console=$RUN/console.log job

	tr -d '\r' <"$console" >"$console.tmp"
	mv "$console.tmp" "$console"
	job=$(sed -n 's/.*\bvm: the job ended with status \([0-9]*\)$/\1/p' "$console" | tail -n 1)
	if [ -z "$job" ]; then
		show_splats || true
		if grep -q 'Kernel panic' "$console"; then
			die "the guest panicked: $(grep -m1 -oE '(BUG|Oops|Kernel panic|general protection).*' "$console"); see $console"
		elif [ "$status" = 124 ] || [ "$status" = 137 ]; then
			die "the guest did not end within $VM_TIMEOUT s (VM_TIMEOUT=); see $console"
		elif grep -q '\bvm: ' "$console"; then
			die "$(sed -n 's/.*\bvm: //p' "$console" | tail -n 1); see $console"
		elif [ "$status" != 0 ]; then
			die "QEMU failed: $(tail -n 1 "$RUN/qemu.log"); see $RUN/qemu.log"
		else
			die "the guest ended without a status of the job; see $console"
		fi
	fi
	STATUS=$job
}

# Fails when there are any that are not expected.
show_splats()
{
	local found

	! found=$(scripts/splat.sh ${SPLATS:+-x "$SPLATS"} "$RUN/console.log") || return 0
	sed -n '1,20s/^/    | /p' <<<"$found"
	note "the kernel complained, $(wc -l <<<"$found") lines (SPLATS= for those expected)"
	return 1
}

run_job()
{
	local status=0

	step "$NAME: booting; output and logs in $RUN"
	QEMU+=(-serial "file:$RUN/console.log" -serial file:/dev/stdout)
	{ timeout --foreground -k 5 "$VM_TIMEOUT" "${QEMU[@]}" 2>"$RUN/qemu.log" </dev/null ||
		echo $? >"$RUN/qemu.status"; } | tee "$RUN/job.log"
	[ ! -e "$RUN/qemu.status" ] || status=$(cat "$RUN/qemu.status")
	rm -f "$RUN/qemu.status"
	[ -e "$RUN/console.log" ] || touch "$RUN/console.log"
	judge "$status"
	show_splats || [ "$STATUS" != 0 ] || STATUS=1
	step "$NAME: $([ "$STATUS" = 0 ] && echo passed || echo "FAILED with status $STATUS")"
	exit "$STATUS"
}

run_shell()
{
	local console="${RUN//,/,,}/console.log"

	step "booting; ^A X kills the guest; what you leave in /out is in $RUN/out"
	"${QEMU[@]}" -chardev "stdio,id=con,mux=on,signal=off,logfile=$console" \
		-serial chardev:con -mon chardev=con || die "QEMU failed"
	judge 0
	step "ended"
}

main()
{
	case ${1:-} in
	job|shell|kernel) ;;
	*) echo "usage: vm.sh job|shell|kernel" >&2; exit 2 ;;
	esac
	check_settings "$1"
	[ -z "$GL" ] || need_display "$@"
	need_tree
	[ -z "$COMMIT" ] || git -C "$TREE" rev-parse -q --verify "$COMMIT^{commit}" >/dev/null ||
		die "COMMIT=$COMMIT: no such commit in $TREE"
	make_run "$1"
	need_kernel
	if [ "$1" = kernel ]; then
		rm -rf "$RUN"
		exit 0
	fi
	[ -z "$ROOT" ] || need_rootfs
	make_initramfs "$([ "$1" = job ] || echo 1)"
	qemu_args
	"run_$1"
}

main "$@"
