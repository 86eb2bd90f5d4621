// SPDX-License-Identifier: GPL-2.0
/*
 * Takes virtio-gpu's driver from its device while clients wait for a place in
 * the queue to the host. Afterwards, all that they allocated must be free: what
 * they asked for is never done, but what it held has to be let go.
 *
 * With the argument "silent" the host answers nothing, and all clients wait.
 * With "idle" they just have the device open, and close it afterwards.
 */

#include "virtgpu.h"

#define WIDTH		1024
#define NR_CLIENTS	6

/* Until the device is gone. The first client writes to the screen. */
static void client(unsigned int nr, int ready, int go)
{
	size_t i, size = WIDTH * WIDTH * 4;
	unsigned int commands = 0;
	uint32_t handle, fb = 0;
	unsigned char *addr;
	int fd, ret;
	char byte;

	fd = open_driver("virtio_gpu");
	if (fd < 0)
		die("unbind: no device of virtio_gpu");
	if (!nr)
		fb = show_dumb(fd);

	handle = create_resource(fd, WIDTH);
	addr = map_buffer(fd, handle, size);
	memset(addr, nr + 1, size);
	if (write(ready, "", 1) != 1 || read(go, &byte, 1))
		die_errno("pipe");

	do {
		ret = nr ? transfer_to_host(fd, handle, WIDTH) : dirty_fb(fd, fb);
		commands++;
	} while (!ret);
	if (ret != -ENODEV)
		die("unbind: client %u: %s", nr, strerror(-ret));

	/* The memory stays for as long as it is mapped. */
	for (i = 0; i < size; i += PAGE) {
		if (addr[i] != nr + 1)
			die("unbind: client %u: byte %#zx is %02x", nr, i, addr[i]);
	}
	printf("unbind: client %u: %u commands until the device was gone\n", nr, commands);
	exit(0);
}

int main(int argc, char **argv)
{
	bool silent = argc > 1 && !strcmp(argv[1], "silent");
	bool idle = argc > 1 && !strcmp(argv[1], "idle");
	unsigned int i, failed = 0;
	char name[256], byte;
	int ready[2], go[2], status, fd;
	long before, lost;

	find_virtgpu(name, sizeof(name));
	before = meminfo_kb("Shmem:");
	if (pipe(ready) || pipe(go))
		die_errno("pipe");

	for (i = 0; i < NR_CLIENTS; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die_errno("fork");
		if (!pid) {
			close(go[1]);
			client(i, ready[1], go[0]);
		}
		/* One after the other: the first becomes master. */
		if (read(ready[0], &byte, 1) != 1)
			die_errno("pipe");
	}

	if (silent)
		silence_host(name, true);
	if (!idle)
		close(go[1]);
	sleep(1);
	must_write(VIRTGPU_DRIVER "unbind", name);
	if (idle)
		close(go[1]);
	if (silent)
		silence_host(name, false);
	for (i = 0; i < NR_CLIENTS; i++) {
		if (wait(&status) < 0)
			die_errno("wait");
		failed += !!status;
	}

	/* The console's buffer counts, too. */
	must_write(VIRTGPU_DRIVER "bind", name);
	fd = open_driver("virtio_gpu");
	if (fd < 0)
		die("unbind: the driver did not come back");
	close(fd);

	lost = shmem_lost_kb(before);
	printf("unbind: %ld KiB in shmem before, %ld KiB afterwards: %ld MiB lost\n", before,
	       before + lost, (lost + 512) / 1024);

	return failed || lost > 512;
}
