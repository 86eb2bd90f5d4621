// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation destroys the host's part of all objects of virtio-gpu, and makes
 * it again afterwards. Here the host does not answer, so that hibernation fails,
 * and then the driver is taken from the device. The objects belong to the
 * client all the time.
 */

#include "virtgpu.h"

#define WIDTH		256
#define SIZE		(WIDTH * WIDTH * 4)
#define NR_OBJECTS	4

int main(void)
{
	uint32_t handles[NR_OBJECTS];
	unsigned char *addrs[NR_OBJECTS];
	char name[256];
	size_t i, j;
	int fd, ret;

	find_virtgpu(name, sizeof(name));
	fd = open_driver("virtio_gpu");
	if (fd < 0)
		die("unref: no device of virtio_gpu");
	for (i = 0; i < NR_OBJECTS; i++) {
		handles[i] = i % 2 ? create_resource(fd, WIDTH) : create_dumb(fd, SIZE / PAGE);
		addrs[i] = map_buffer(fd, handles[i], SIZE);
		memset(addrs[i], i + 1, SIZE);
	}

	/* Devices only: nothing is written to a disk. */
	must_write("/sys/power/pm_test", "devices");
	silence_host(name, true);
	ret = try_write("/sys/power/state", "disk");
	must_write("/sys/power/pm_test", "none");
	must_write(VIRTGPU_DRIVER "unbind", name);
	silence_host(name, false);
	if (!ret)
		die("unref: hibernation succeeded with a host that does not answer");
	printf("unref: hibernation failed as it should: %s\n", strerror(-ret));

	for (i = 0; i < NR_OBJECTS; i++) {
		for (j = 0; j < SIZE; j += PAGE) {
			if (addrs[i][j] != i + 1)
				die("unref: byte %#zx of object %zu is %02x", j, i, addrs[i][j]);
		}
		if (munmap(addrs[i], SIZE))
			die_errno("munmap");
	}
	close(fd);

	must_write(VIRTGPU_DRIVER "bind", name);
	fd = open_driver("virtio_gpu");
	if (fd < 0)
		die("unref: the driver did not come back");
	printf("unref: the objects stayed until they were let go\n");

	return 0;
}
