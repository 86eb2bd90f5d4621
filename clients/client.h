/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the clients share. They speak to the kernel by system calls alone.
 */

#ifndef CLIENT_H
#define CLIENT_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>

#define PAGE	4096ul

/* Ends the client with a line that says what went wrong. */
__attribute__((format(printf, 1, 2), noreturn))
static inline void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

#define die_errno(what)		die("%s: %s", what, strerror(errno))

static inline int try_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));

	return ret < 0 ? -errno : 0;
}

#define must_ioctl(fd, request, arg)					\
	do {								\
		int __ret = try_ioctl(fd, request, arg);		\
									\
		if (__ret)						\
			die("%s: %s", #request, strerror(-__ret));	\
	} while (0)

/* Opens the first card of a driver. Returns -1 if there is none. */
static inline int open_driver(const char *driver)
{
	char path[32], name[32];
	int fd, i;

	for (i = 0; i < 64; i++) {
		struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (!try_ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, driver))
			return fd;
		close(fd);
	}

	return -1;
}

/* A dumb buffer whose lines take a page each, with a driver of any kind. */
static inline uint32_t create_dumb(int fd, unsigned int pages)
{
	struct drm_mode_create_dumb dumb = { .width = PAGE / 4, .height = pages, .bpp = 32 };

	must_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	if (dumb.size != pages * PAGE)
		die("a dumb buffer of %u pages has %llu bytes", pages, dumb.size);

	return dumb.handle;
}

static inline uint64_t map_offset(int fd, uint32_t handle)
{
	struct drm_mode_map_dumb map = { .handle = handle };

	must_ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map);

	return map.offset;
}

static inline int export_fd(int fd, uint32_t handle)
{
	struct drm_prime_handle prime = { .handle = handle, .flags = DRM_RDWR | DRM_CLOEXEC };

	must_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	return prime.fd;
}

/* Returns 0 if the driver does not import this. */
static inline uint32_t import_handle(int fd, int dma_buf)
{
	struct drm_prime_handle prime = { .fd = dma_buf };

	return try_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) ? 0 : prime.handle;
}

static inline void close_handle(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	must_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

/* Shows a new dumb buffer on the first connector that has a mode. Returns the framebuffer. */
static inline uint32_t show_dumb(int fd)
{
	uint32_t crtcs[8], connectors[8];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)crtcs, .count_crtcs = 8,
		.connector_id_ptr = (uintptr_t)connectors, .count_connectors = 8,
	};
	struct drm_mode_modeinfo modes[64];
	struct drm_mode_get_connector connector = { 0 };
	struct drm_mode_create_dumb dumb = { .bpp = 32 };
	struct drm_mode_fb_cmd2 fb = { .pixel_format = 0x34325258 };	/* XR24 */
	struct drm_mode_crtc crtc = { .mode_valid = 1, .count_connectors = 1 };
	unsigned int i;

	must_ioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &res);
	for (i = 0; i < res.count_connectors && i < 8; i++) {
		/* The first call looks what is connected. */
		memset(&connector, 0, sizeof(connector));
		connector.connector_id = connectors[i];
		must_ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector);
		if (connector.connection != 1 || !connector.count_modes ||
		    connector.count_modes > 64)
			continue;
		connector.modes_ptr = (uintptr_t)modes;
		connector.count_props = 0;
		connector.count_encoders = 0;
		must_ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector);
		break;
	}
	if (!connector.modes_ptr || !res.count_crtcs)
		die("no connector with a mode");

	dumb.width = modes[0].hdisplay;
	dumb.height = modes[0].vdisplay;
	must_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	fb.width = dumb.width;
	fb.height = dumb.height;
	fb.handles[0] = dumb.handle;
	fb.pitches[0] = dumb.pitch;
	must_ioctl(fd, DRM_IOCTL_MODE_ADDFB2, &fb);

	crtc.crtc_id = crtcs[0];
	crtc.fb_id = fb.fb_id;
	crtc.set_connectors_ptr = (uintptr_t)&connector.connector_id;
	crtc.mode = modes[0];
	must_ioctl(fd, DRM_IOCTL_MODE_SETCRTC, &crtc);

	return fb.fb_id;
}

/* The same numbers for the same seed, on every system. */
static uint64_t random_state;

static inline uint32_t random_below(uint32_t n)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;

	return (uint32_t)(z >> 32) % n;
}

#endif
