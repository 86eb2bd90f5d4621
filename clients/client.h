/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the clients share. They speak to the kernel by system calls alone.
 */

#ifndef CLIENT_H
#define CLIENT_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
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

/* How often the kernel has warned since it was booted. */
static inline long kernel_warnings(void)
{
	char text[24] = "";
	int fd = open("/sys/kernel/warn_count", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die_errno("/sys/kernel/warn_count");
	close(fd);

	return atol(text);
}

static inline double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* KiB in a line of /proc/meminfo, as in "Shmem:". */
static inline long meminfo_kb(const char *name)
{
	char line[128];
	long kb = -1;
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && kb < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			kb = atol(line + strlen(name));
	if (kb < 0)
		die("no %s in /proc/meminfo", name);
	fclose(file);

	return kb;
}

/* Some is freed a little later. Returns what is in shmem beyond what was before. */
static inline long shmem_lost_kb(long before)
{
	long lost = 0;
	int i;

	for (i = 0; i < 50; i++) {
		lost = meminfo_kb("Shmem:") - before;
		if (lost <= 512)
			break;
		usleep(100000);
	}

	return lost;
}

/* The number after @name, in a file of such lines. Allocates nothing. */
static inline long number_in(const char *path, const char *name)
{
	char text[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0, more;
	char *at;

	if (fd < 0)
		die_errno(path);
	while ((more = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += more;
	close(fd);
	text[len] = 0;
	for (at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, name, strlen(name)))
			return atol(at + strlen(name));
	}
	die("no %s in %s", name, path);
}

/* The folder of the driver and the name of the device, as sysfs has them. */
static inline void find_device(int fd, char *dir, char *name)
{
	char link[64], path[PATH_MAX];
	struct stat st;

	if (fstat(fd, &st))
		die_errno("fstat");
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u/device", major(st.st_rdev),
		 minor(st.st_rdev));
	if (!realpath(link, path))
		die_errno(link);
	snprintf(name, NAME_MAX, "%s", strrchr(path, '/') + 1);
	strcat(link, "/driver");
	if (!realpath(link, dir))
		die_errno(link);
}

/* A CRTC, and a connector with its modes. */
struct display {
	uint32_t crtc, connector;
	unsigned int nr_modes;
	struct drm_mode_modeinfo modes[64];
};

/* The first CRTC, the first connector that has a mode. */
static inline void find_display(int fd, struct display *display)
{
	uint32_t crtcs[8], connectors[8];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)crtcs, .count_crtcs = 8,
		.connector_id_ptr = (uintptr_t)connectors, .count_connectors = 8,
	};
	unsigned int i;

	must_ioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &res);
	for (i = 0; i < res.count_connectors && i < 8; i++) {
		struct drm_mode_get_connector connector = { .connector_id = connectors[i] };

		/* The first call looks what is connected. */
		must_ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector);
		if (connector.connection != 1 || !connector.count_modes ||
		    connector.count_modes > 64)
			continue;
		connector.modes_ptr = (uintptr_t)display->modes;
		connector.count_props = 0;
		connector.count_encoders = 0;
		must_ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector);
		display->nr_modes = connector.count_modes;
		display->connector = connectors[i];
		display->crtc = crtcs[0];
		if (res.count_crtcs)
			return;
	}
	die("no connector with a mode");
}

/* A buffer that can be shown in the first mode, of 32 bits a pixel. */
static inline uint32_t create_fb(int fd, const struct display *display,
				 struct drm_mode_create_dumb *dumb)
{
	struct drm_mode_fb_cmd2 fb = { .pixel_format = 0x34325258 };	/* XR24 */

	memset(dumb, 0, sizeof(*dumb));
	dumb->width = display->modes[0].hdisplay;
	dumb->height = display->modes[0].vdisplay;
	dumb->bpp = 32;
	must_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, dumb);
	fb.width = dumb->width;
	fb.height = dumb->height;
	fb.handles[0] = dumb->handle;
	fb.pitches[0] = dumb->pitch;
	must_ioctl(fd, DRM_IOCTL_MODE_ADDFB2, &fb);

	return fb.fb_id;
}

/* Shows nothing if the framebuffer is 0. Returns 0 or an error. */
static inline int try_show(int fd, const struct display *display, uint32_t fb)
{
	struct drm_mode_crtc crtc = { .crtc_id = display->crtc, .fb_id = fb };

	if (fb) {
		crtc.mode_valid = 1;
		crtc.mode = display->modes[0];
		crtc.set_connectors_ptr = (uintptr_t)&display->connector;
		crtc.count_connectors = 1;
	}

	return try_ioctl(fd, DRM_IOCTL_MODE_SETCRTC, &crtc);
}

/* Shows a new dumb buffer. Returns the framebuffer. */
static inline uint32_t show_dumb(int fd)
{
	struct drm_mode_create_dumb dumb;
	struct display display;
	uint32_t fb;
	int ret;

	find_display(fd, &display);
	fb = create_fb(fd, &display, &dumb);
	ret = try_show(fd, &display, fb);
	if (ret)
		die("show: %s", strerror(-ret));

	return fb;
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
