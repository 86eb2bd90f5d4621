/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the clients of virtio-gpu share.
 */

#ifndef VIRTGPU_H
#define VIRTGPU_H

#include "client.h"

#include <dirent.h>

#include <drm/virtgpu_drm.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

/*
 * A square resource of the host with four bytes a pixel, and its backing here.
 * Returns 0 or an error.
 */
static inline int try_create_resource(int fd, unsigned int width, uint32_t *handle)
{
	struct drm_virtgpu_resource_create create = {
		.target = 2,		/* PIPE_TEXTURE_2D */
		.format = 2,		/* VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM */
		.bind = 1 << 1,		/* PIPE_BIND_RENDER_TARGET */
		.width = width,
		.height = width,
		.depth = 1,
		.array_size = 1,
		.size = width * width * 4,
	};
	int ret = try_ioctl(fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);

	*handle = ret ? 0 : create.bo_handle;

	return ret;
}

static inline uint32_t create_resource(int fd, unsigned int width)
{
	uint32_t handle;
	int ret = try_create_resource(fd, width, &handle);

	if (ret)
		die("create a resource: %s", strerror(-ret));

	return handle;
}

/* Returns 0 or an error. */
static inline int transfer_to_host(int fd, uint32_t handle, unsigned int width)
{
	struct drm_virtgpu_3d_transfer_to_host transfer = {
		.bo_handle = handle,
		.box = { .w = width, .h = width, .d = 1 },
	};

	return try_ioctl(fd, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &transfer);
}

/* Returns 0 or an error. */
static inline int dirty_fb(int fd, uint32_t fb)
{
	struct drm_mode_fb_dirty_cmd dirty = { .fb_id = fb };

	return try_ioctl(fd, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

#define VIRTGPU_DRIVER	"/sys/bus/virtio/drivers/virtio_gpu/"

/* The name of the device that has the driver now; there is one. */
static inline void find_virtgpu(char *name, size_t size)
{
	struct dirent *entry;
	DIR *dir = opendir(VIRTGPU_DRIVER);

	while (dir && (entry = readdir(dir))) {
		if (!strncmp(entry->d_name, "virtio", 6)) {
			snprintf(name, size, "%s", entry->d_name);
			closedir(dir);
			return;
		}
	}
	die("no device of virtio_gpu");
}

/*
 * Stops the host from looking at the queues, or lets it again: a PCI device that
 * may not be master cannot read our memory.
 */
static inline void silence_host(const char *name, bool silent)
{
	char path[320];
	uint16_t command;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/virtio/devices/%s/../config", name);
	fd = open(path, O_RDWR);
	if (fd < 0 || pread(fd, &command, sizeof(command), 4) != sizeof(command))
		die_errno(path);
	command = silent ? command & ~4 : command | 4;
	if (pwrite(fd, &command, sizeof(command), 4) != sizeof(command))
		die_errno(path);
	close(fd);
}

/*
 * Has the host look at the commands, as the driver does when it has queued one. What
 * was queued while the host was silent does not do that once more.
 */
static inline void kick_host(const char *name)
{
	char dir[300], path[320];
	unsigned char config[256];
	struct virtio_pci_cap *cap;
	volatile uint16_t *notify;
	unsigned int at, more;
	unsigned char *bar;
	int fd;

	snprintf(dir, sizeof(dir), "/sys/bus/virtio/devices/%s/..", name);
	snprintf(path, sizeof(path), "%s/config", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, config, sizeof(config), 0) != sizeof(config))
		die_errno(path);
	close(fd);

	for (at = config[PCI_CAPABILITY_LIST]; at; at = config[at + 1]) {
		cap = (void *)&config[at];
		if (cap->cap_vndr == PCI_CAP_ID_VNDR && cap->cfg_type == VIRTIO_PCI_CAP_NOTIFY_CFG)
			break;
	}
	if (!at)
		die("%s is no virtio device on PCI", name);

	snprintf(path, sizeof(path), "%s/resource%u", dir, cap->bar);
	fd = open(path, O_RDWR | O_CLOEXEC);
	more = cap->offset % PAGE;
	bar = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
					 cap->offset - more);
	if (bar == MAP_FAILED)
		die_errno(path);
	/* Queue 0 is that for commands, and the first one there. */
	notify = (void *)(bar + more);
	*notify = 0;
	munmap(bar, PAGE);
	close(fd);
}

#endif
