// SPDX-License-Identifier: GPL-2.0
/*
 * Takes virtio-gpu through the devices' part of a hibernation and back, while
 * resources of all kinds exist. The driver destroys them on the host and makes
 * them again; they must be there afterwards, with what they hold.
 *
 * A command that fails on the host shows in the kernel's log only.
 *
 *	hibernate [disk|mem] [really]
 *
 * The devices alone go to sleep (pm_test), or, really, all of the machine: to
 * what swap there is, or until the clock wakes it.
 */

#include "virtgpu.h"

#define WIDTH	256
#define SIZE	(WIDTH * WIDTH * 4)
#define ROUNDS	3

/* Returns when the host has done all that came before. */
static void wait_for_host(int fd)
{
	uint32_t handle = create_resource(fd, 16);
	struct drm_virtgpu_3d_wait wait = { .handle = handle };

	must_ioctl(fd, DRM_IOCTL_VIRTGPU_WAIT, &wait);
	close_handle(fd, handle);
}

static void expect(const unsigned char *addr, int value, const char *what)
{
	size_t i;

	for (i = 0; i < SIZE; i++) {
		if (addr[i] != value)
			die("hibernate: byte %#zx of %s is %02x", i, what, addr[i]);
	}
}

int main(int argc, char **argv)
{
	const char *state = argc > 1 ? argv[1] : "disk";
	bool really = argc > 2 && !strcmp(argv[2], "really");
	int rounds = really ? 1 : ROUNDS;
	uint32_t dumb, resource, imported = 0, fb;
	unsigned char *dumb_addr, *resource_addr, *vgem_addr = NULL;
	int fd, vgem, round, ret;

	fd = open_driver("virtio_gpu");
	if (fd < 0)
		die("hibernate: no device of virtio_gpu");

	fb = show_dumb(fd);
	dumb = create_dumb(fd, SIZE / PAGE);
	dumb_addr = map_buffer(fd, dumb, SIZE);
	resource = create_resource(fd, WIDTH);
	resource_addr = map_buffer(fd, resource, SIZE);

	/* Another driver's buffer, if the host supports that. */
	vgem = open_driver("vgem");
	if (vgem >= 0) {
		uint32_t handle = create_dumb(vgem, SIZE / PAGE);

		vgem_addr = map_buffer(vgem, handle, SIZE);
		imported = import_handle(fd, export_fd(vgem, handle));
	}
	printf("hibernate: with a framebuffer, a dumb buffer, a resource%s\n",
	       imported ? ", an import" : "");
	fflush(stdout);

	/* Devices only: nothing is written to a disk. */
	if (!really)
		must_write("/sys/power/pm_test", "devices");
	else if (!strcmp(state, "disk"))
		must_write("/sys/power/disk", "reboot");
	for (round = 1; round <= rounds; round++) {
		memset(dumb_addr, round, SIZE);
		memset(resource_addr, round + 16, SIZE);
		if (imported)
			memset(vgem_addr, round + 32, SIZE);

		if (really && !strcmp(state, "mem"))
			must_write("/sys/class/rtc/rtc0/wakealarm", "+4");
		ret = try_write("/sys/power/state", state);
		if (ret)
			die("hibernate: round %d: %s", round, strerror(-ret));

		expect(dumb_addr, round, "the dumb buffer");
		expect(resource_addr, round + 16, "the resource");
		if (imported)
			expect(vgem_addr, round + 32, "the import");

		ret = transfer_to_host(fd, resource, WIDTH);
		if (ret)
			die("hibernate: transfer: %s", strerror(-ret));
		ret = dirty_fb(fd, fb);
		if (ret)
			die("hibernate: dirty: %s", strerror(-ret));
		wait_for_host(fd);
	}
	if (!really)
		must_write("/sys/power/pm_test", "none");

	close_handle(fd, dumb);
	close_handle(fd, resource);
	if (imported)
		close_handle(fd, imported);
	wait_for_host(fd);
	printf("hibernate: %d times, all is there\n", rounds);

	return 0;
}
