/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the clients of virtio-gpu share.
 */

#ifndef VIRTGPU_H
#define VIRTGPU_H

#include "client.h"

#include <dirent.h>

#include <drm/virtgpu_drm.h>

/* A square resource of the host with four bytes a pixel, and its backing here. */
static inline uint32_t create_resource(int fd, unsigned int width)
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

	must_ioctl(fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);

	return create.bo_handle;
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

static inline void *map_buffer(int fd, uint32_t handle, size_t size)
{
	void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  map_offset(fd, handle));

	if (addr == MAP_FAILED)
		die_errno("mmap");

	return addr;
}

/* Returns 0 or an error. */
static inline int try_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);

	return ret;
}

static inline void must_write(const char *path, const char *text)
{
	int ret = try_write(path, text);

	if (ret)
		die("%s to %s: %s", text, path, strerror(-ret));
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

#endif
