// SPDX-License-Identifier: GPL-2.0
/*
 * Makes each allocation in a system call fail in turn: the first, the second and
 * so on until the call gets by without one that fails. A call that fails says so
 * with an error for want of memory and changes nothing: the same call then
 * succeeds, the buffer holds what it held, and when all is closed, no memory and
 * no dma-buf is left.
 *
 * Of the kernel it needs fail-nth, and that failslab and fail_page_alloc take
 * all allocations: failnth.sh.
 */

#include "failnth.h"

#include <signal.h>

#define PAGES	17u
#define SIZE	(PAGES * PAGE)

static const char * const all_drivers[] = {
	"vgem", "vkms", "virtio_gpu", "bochs-drm", "cirrus-qemu"
};
#define NR_DRIVERS	(sizeof(all_drivers) / sizeof(*all_drivers))

/* One of a driver, and where a case has its things. */
static struct device {
	const char *name;
	/* The first file of a device may set modes. */
	int fd, second;
	bool kms;
	uint32_t crtc, connector;
	struct drm_mode_modeinfo mode;
} devices[NR_DRIVERS], *dev, *other;

static unsigned int nr_devices;
static const char *case_name;
static unsigned int nth;

static uint32_t handle, handle2, fb;
static int dma_buf;
static unsigned char *addr, *addr2;
static size_t size;
static unsigned char stamp;

static void where(void)
{
	fprintf(stderr, "failnth: %s, %s%s%s, allocation %u: ", dev->name, case_name,
		other ? " " : "", other ? other->name : "", nth);
}

#define fail(...)							\
	do {								\
		where();						\
		die(__VA_ARGS__);					\
	} while (0)

/* ---- making allocations fail ---- */

/* A fault that finds no memory is tried again: there is no signal. */
static void on_signal(int sig)
{
	fail_at(0);
	where();
	fprintf(stderr, "%s\n", strsignal(sig));
	_exit(1);
}

static void touch(unsigned char *start)
{
	volatile unsigned char *p;

	for (p = start; p < start + size; p += PAGE)
		*p = *p + 1;
}

/* ---- the buffer ---- */

static unsigned char *map(int fd, uint64_t offset, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap(unsigned char **p, size_t bytes)
{
	if (*p && munmap(*p, bytes))
		fail("munmap: %s", strerror(errno));
	*p = NULL;
}

static void fill(int fd, uint64_t offset)
{
	unsigned char *p = map(fd, offset, size);

	if (!p)
		fail("mmap: %s", strerror(errno));
	memset(p, ++stamp, size);
	munmap(p, size);
}

static void check_through(int fd, uint64_t offset, unsigned char must)
{
	unsigned char *p = map(fd, offset, size);
	size_t i;

	if (!p)
		fail("mmap: %s", strerror(errno));
	for (i = 0; i < size; i++)
		if (p[i] != must)
			fail("byte %#zx: expected %02x, found %02x", i, must, p[i]);
	munmap(p, size);
}

/* The buffer can be written through any way to it, and read through another. */
static void check_works(int fd, uint32_t native)
{
	int out = export_fd(fd, native);

	fill(fd, map_offset(fd, native));
	check_through(out, 0, stamp);
	fill(out, 0);
	check_through(fd, map_offset(fd, native), stamp);
	close(out);
}

/* ---- the cases: what comes before, the call, what must be, what comes after ---- */

static void with_buffer(void)
{
	handle = create_dumb(dev->fd, PAGES);
	size = SIZE;
}

static void with_filled_buffer(void)
{
	with_buffer();
	fill(dev->fd, map_offset(dev->fd, handle));
}

static void with_dma_buf(void)
{
	with_buffer();
	dma_buf = export_fd(dev->fd, handle);
}

static void with_filled_dma_buf(void)
{
	with_dma_buf();
	fill(dma_buf, 0);
}

static void with_mapping(void)
{
	with_dma_buf();
	addr = map(dev->fd, map_offset(dev->fd, handle), size);
	if (!addr)
		fail("mmap: %s", strerror(errno));
	memset(addr, ++stamp, size);
}

static void without(void)
{
	size = SIZE;
}

static void close_all(void)
{
	if (fb)
		must_ioctl(dev->fd, DRM_IOCTL_MODE_RMFB, &fb);
	unmap(&addr, size);
	unmap(&addr2, size);
	if (handle)
		close_handle(dev->fd, handle);
	if (handle2)
		close_handle(other ? other->fd : dev->second, handle2);
	if (dma_buf > 0)
		close(dma_buf);
	handle = handle2 = fb = 0;
	dma_buf = 0;
}

static void works(void)
{
	check_works(dev->fd, handle);
}

static int call_create(void)
{
	struct drm_mode_create_dumb dumb = { .width = PAGE / 4, .height = PAGES, .bpp = 32 };
	int ret = try_ioctl(dev->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);

	handle = ret ? 0 : dumb.handle;

	return ret;
}

static void is_empty(void)
{
	check_through(dev->fd, map_offset(dev->fd, handle), 0);
	works();
}

static int call_map(void)
{
	struct drm_mode_map_dumb offset = { .handle = handle };
	int ret = try_ioctl(dev->fd, DRM_IOCTL_MODE_MAP_DUMB, &offset);

	if (ret)
		return ret;
	addr = map(dev->fd, offset.offset, size);
	if (!addr)
		return -errno;
	touch(addr);

	return 0;
}

static int call_map_dma_buf(void)
{
	addr = map(dma_buf, 0, size);
	if (!addr)
		return -errno;
	touch(addr);

	return 0;
}

static int call_export(void)
{
	struct drm_prime_handle prime = { .handle = handle, .flags = DRM_RDWR | DRM_CLOEXEC };
	int ret = try_ioctl(dev->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	dma_buf = ret ? 0 : prime.fd;

	return ret;
}

static void holds(void)
{
	check_through(dma_buf, 0, stamp);
	works();
}

static int call_import(void)
{
	struct drm_prime_handle prime = { .fd = dma_buf };
	int ret = try_ioctl(other ? other->fd : dev->second, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	handle2 = ret ? 0 : prime.handle;

	return ret;
}

/* virtio-gpu refuses, but not before it has mapped it for its device. */
static int call_import_refused(void)
{
	int ret = call_import();

	if (!ret)
		fail("%s imports", other->name);

	return ret == -ENODEV ? 0 : ret;
}

static int call_fork(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return errno == EAGAIN ? -ENOMEM : -errno;
	if (!pid)
		_exit(addr[size - 1] != stamp);
	if (waitpid(pid, &status, 0) != pid || status)
		fail("the child's mapping is wrong");

	return 0;
}

static int call_split(void)
{
	return munmap(addr + 5 * PAGE, 3 * PAGE) ? -errno : 0;
}

/* What was unmapped is put back, for close_all() to find it. */
static void split_holds(void)
{
	size_t i;

	for (i = 0; i < size; i++)
		if ((i < 5 * PAGE || i >= 8 * PAGE) && addr[i] != stamp)
			fail("byte %#zx: expected %02x, found %02x", i, stamp, addr[i]);
	check_through(dma_buf, 0, stamp);
}

static int call_move(void)
{
	unsigned char *target = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ret;

	if (target == MAP_FAILED)
		return -errno;
	if (mremap(addr, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, target) == MAP_FAILED) {
		ret = -errno;
		munmap(target, size);
		return ret;
	}
	addr = target;

	return 0;
}

static void mapping_holds(void)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (addr[i] != stamp)
			fail("byte %#zx: expected %02x, found %02x", i, stamp, addr[i]);
	holds();
}

/* A buffer that nobody has touched, so that showing it takes everything. */
static void with_framebuffer_of(uint32_t fb_handle, uint32_t pitch)
{
	struct drm_mode_fb_cmd2 cmd = {
		.pixel_format = 0x34325258,	/* XR24 */
		.width = dev->mode.hdisplay, .height = dev->mode.vdisplay,
		.handles[0] = fb_handle, .pitches[0] = pitch,
	};

	must_ioctl(dev->fd, DRM_IOCTL_MODE_ADDFB2, &cmd);
	fb = cmd.fb_id;
}

static void with_framebuffer(void)
{
	struct drm_mode_create_dumb dumb = {
		.width = dev->mode.hdisplay, .height = dev->mode.vdisplay, .bpp = 32 };

	must_ioctl(dev->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	handle = dumb.handle;
	size = dumb.size;
	with_framebuffer_of(handle, dumb.pitch);
}

/* Of a dma-buf of another driver's: its owner makes the mapping. */
static void with_imported_framebuffer(void)
{
	struct drm_mode_create_dumb dumb = {
		.width = dev->mode.hdisplay, .height = dev->mode.vdisplay, .bpp = 32 };
	uint32_t imported;

	must_ioctl(other->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	handle2 = dumb.handle;
	size = dumb.size;
	dma_buf = export_fd(other->fd, handle2);
	imported = import_handle(dev->fd, dma_buf);
	if (!imported)
		fail("import: %s", strerror(errno));
	with_framebuffer_of(imported, dumb.pitch);
	handle = imported;
}

static int call_show(void)
{
	struct drm_mode_crtc crtc = {
		.crtc_id = dev->crtc, .fb_id = fb, .mode_valid = 1, .mode = dev->mode,
		.set_connectors_ptr = (uintptr_t)&dev->connector, .count_connectors = 1,
	};

	return try_ioctl(dev->fd, DRM_IOCTL_MODE_SETCRTC, &crtc);
}

static void other_works(void)
{
	check_works(other->fd, handle2);
}

static void is_shown(void)
{
	struct drm_mode_crtc crtc = { .crtc_id = dev->crtc };

	must_ioctl(dev->fd, DRM_IOCTL_MODE_GETCRTC, &crtc);
	if (crtc.fb_id != fb)
		fail("framebuffer %u is shown, not %u", crtc.fb_id, fb);
	if (other)
		other_works();
	else
		works();
}

static int call_dirty(void)
{
	struct drm_mode_fb_dirty_cmd dirty = { .fb_id = fb };

	return try_ioctl(dev->fd, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

static void with_shown(void)
{
	int ret;

	if (other)
		with_imported_framebuffer();
	else
		with_framebuffer();
	ret = call_show();
	if (ret)
		fail("show: %s", strerror(-ret));
}

static const struct test {
	const char *name;
	void (*before)(void);
	int (*call)(void);
	void (*check)(void);
	/* With each other driver; of what kind it and the driver have to be. */
	bool others, kms, refused;
} tests[] = {
	{ "create", without, call_create, is_empty, false, false, false },
	{ "map and fault", with_buffer, call_map, works, false, false, false },
	{ "export", with_filled_buffer, call_export, holds, false, false, false },
	{ "import by itself", with_filled_dma_buf, call_import, holds, false, false, false },
	{ "import by", with_filled_dma_buf, call_import, holds, true, false, false },
	{ "import by itself, no pages yet", with_dma_buf, call_import, works, false, false, false },
	{ "import, no pages yet, by", with_dma_buf, call_import, works, true, false, false },
	{ "map to a device and refuse, by", with_filled_dma_buf, call_import_refused, holds, true,
	  false, true },
	{ "map to a device, no pages yet, and refuse, by", with_dma_buf, call_import_refused, works,
	  true, false, true },
	{ "map and fault a dma-buf", with_dma_buf, call_map_dma_buf, works, false, false, false },
	{ "fork", with_mapping, call_fork, mapping_holds, false, false, false },
	{ "munmap the middle", with_mapping, call_split, split_holds, false, false, false },
	{ "mremap", with_mapping, call_move, mapping_holds, false, false, false },
	{ "show", with_framebuffer, call_show, is_shown, false, true, false },
	{ "mark dirty", with_shown, call_dirty, is_shown, false, true, false },
	{ "show a buffer of", with_imported_framebuffer, call_show, is_shown, true, true, false },
};

/* ---- what is left over ---- */

static long number_of(const char *path, const char *name)
{
	char line[256];
	long n = -1;
	FILE *file = fopen(path, "r");

	while (file && n < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			n = atol(line + strlen(name));
	if (!file || n < 0)
		die("failnth: no %s in %s", name, path);
	fclose(file);

	return n;
}

static struct left {
	long shmem, dma_bufs;
} left(void)
{
	FILE *file = fopen("/proc/sys/vm/stat_refresh", "w");

	/* Without this, each CPU keeps some of the counts to itself. */
	if (!file || fputs("1", file) < 0 || fclose(file))
		die_errno("stat_refresh");

	return (struct left) {
		.shmem = number_of("/proc/meminfo", "Shmem:"),
		.dma_bufs = number_of("/sys/kernel/debug/dma_buf/bufinfo", "Total "),
	};
}

/* Some is freed a little later. */
static void check_left(struct left before)
{
	struct left now = left();
	unsigned int i;

	for (i = 0; i < 50 && memcmp(&now, &before, sizeof(now)); i++) {
		usleep(100000);
		now = left();
	}
	if (now.shmem > before.shmem)
		fail("%ld KiB of shmem are lost", now.shmem - before.shmem);
	if (now.dma_bufs > before.dma_bufs)
		fail("%ld dma-bufs are lost", now.dma_bufs - before.dma_bufs);
}

/* ---- the sweep ---- */

static unsigned long nr_failed, nr_tolerated;

static void sweep(const struct test *test, bool again)
{
	unsigned int failed = 0, tolerated = 0;
	struct left before = left();
	bool fired;
	int ret;

	case_name = test->name;
	for (nth = 1;; nth++) {
		test->before();
		fail_at(nth);
		ret = test->call();
		fired = has_failed();

		/* Not all have it. */
		if (ret == -ENOSYS && nth == 1) {
			close_all();
			return;
		}
		if (fired && ret) {
			/* The second is what shmem says that has no memory for an inode. */
			if (ret != -ENOMEM && ret != -ENOSPC)
				fail("no memory is reported as: %s", strerror(-ret));
			failed++;
			ret = test->call();
			if (ret)
				fail("a second try fails: %s", strerror(-ret));
		} else if (fired) {
			tolerated++;
		} else if (ret) {
			fail("fails by itself: %s", strerror(-ret));
		}
		test->check();
		close_all();
		if (!fired)
			break;
	}
	check_left(before);

	if (!failed)
		fail("no allocation failed: this tests nothing");
	nr_failed += failed;
	nr_tolerated += tolerated;
	if (!again)
		printf("ok   %s: %s%s%s: %u failed, %u made up for\n", dev->name, case_name,
		       other ? " " : "", other ? other->name : "", failed, tolerated);
	fflush(stdout);
}

/* Once more without what takes long: to show a buffer, which has many pages. */
static void sweep_all(bool again)
{
	unsigned int i, j, k;

	for (i = 0; i < nr_devices; i++) {
		for (j = 0; j < sizeof(tests) / sizeof(*tests); j++) {
			dev = &devices[i];
			other = NULL;
			if (tests[j].kms && (again || !dev->kms))
				continue;
			if (!tests[j].others) {
				sweep(&tests[j], again);
				continue;
			}
			for (k = 0; k < nr_devices; k++) {
				bool imports = strcmp(devices[tests[j].kms ? i : k].name,
						      "virtio_gpu");

				if (k == i || imports == tests[j].refused)
					continue;
				other = &devices[k];
				sweep(&tests[j], again);
			}
		}
	}
}

/* The smallest mode of the first connector that has any. */
static void find_mode(struct device *device)
{
	uint32_t crtcs[8], connectors[8];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)crtcs, .count_crtcs = 8,
		.connector_id_ptr = (uintptr_t)connectors, .count_connectors = 8,
	};
	struct drm_mode_modeinfo modes[64];
	unsigned int i, j;

	if (try_ioctl(device->fd, DRM_IOCTL_MODE_GETRESOURCES, &res) || !res.count_crtcs)
		return;
	for (i = 0; i < res.count_connectors && i < 8; i++) {
		struct drm_mode_get_connector connector = { .connector_id = connectors[i] };

		/* The first call looks what is connected. */
		must_ioctl(device->fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector);
		if (connector.connection != 1 || !connector.count_modes ||
		    connector.count_modes > 64)
			continue;
		connector.modes_ptr = (uintptr_t)modes;
		connector.count_props = 0;
		connector.count_encoders = 0;
		must_ioctl(device->fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector);
		device->mode = modes[0];
		for (j = 1; j < connector.count_modes; j++)
			if (modes[j].hdisplay * modes[j].vdisplay <
			    device->mode.hdisplay * device->mode.vdisplay)
				device->mode = modes[j];
		device->crtc = crtcs[0];
		device->connector = connectors[i];
		device->kms = true;
		return;
	}
}

int main(int argc, char **argv)
{
	long slab, slab_after;
	unsigned int i;

	open_fail_nth();
	signal(SIGBUS, on_signal);
	signal(SIGSEGV, on_signal);

	for (i = 0; i < NR_DRIVERS; i++) {
		struct device *device = &devices[nr_devices];
		int j;

		/* With arguments, only these. */
		for (j = 1; j < argc && strcmp(argv[j], all_drivers[i]); j++)
			;
		if (argc > 1 && j == argc)
			continue;
		device->name = all_drivers[i];
		device->fd = open_driver(all_drivers[i]);
		device->second = open_driver(all_drivers[i]);
		if (device->fd < 0)
			continue;
		find_mode(device);
		nr_devices++;
	}
	if (!nr_devices)
		die("failnth: no device of any of the drivers");

	sweep_all(false);
	slab = number_of("/proc/meminfo", "SUnreclaim:");
	printf("failnth: %lu allocations failed, %lu were made up for; once more\n", nr_failed,
	       nr_tolerated);
	fflush(stdout);
	sweep_all(true);
	slab_after = number_of("/proc/meminfo", "SUnreclaim:");

	/*
	 * Some hundred bytes lost each time would be far more. A kernel with
	 * kmemleak looks for itself; it keeps freed memory and notes besides.
	 */
	printf("failnth: %ld KiB of slabs after the first time, %ld KiB after the second\n", slab,
	       slab_after);
	if (slab_after > slab + 384 && access("/sys/kernel/debug/kmemleak", F_OK))
		die("failnth: slabs are lost");
	for (i = 0; i < nr_devices; i++) {
		close(devices[i].fd);
		close(devices[i].second);
	}
	printf("failnth: all as it must be\n");

	return 0;
}
