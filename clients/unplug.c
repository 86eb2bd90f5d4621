// SPDX-License-Identifier: GPL-2.0
/*
 * Takes a driver from its device while a buffer of it is on the screen, mapped and
 * exported; and so is another one, half of which nobody has touched yet, but for
 * the screen. What holds them is closed in every order afterwards. For as long as
 * a mapping is there it shows the buffer, or a signal is raised: it is never
 * somebody else's memory.
 *
 * That the device has let go of the memory is for the kernel to say, with debugging
 * of the DMA API: unplug.sh.
 *
 *	unplug DRIVER [EVERY]
 *
 * EVERY, as in 4, takes one order in four.
 */

#include "client.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define NR_PAGES	64
#define HALF		(NR_PAGES / 2 * PAGE)
#define OTHERS		0xee
#define OTHERS_SIZE	(4ul << 20)

/* What is closed, one after the other. */
enum { DEVICE, MAPPING, DMA_BUF, DMA_BUF_MAPPING, NR_CLOSE };
static const char * const names[] = {
	"the device", "the mapping", "the dma-buf", "the dma-buf's mapping",
};

struct buffer {
	const char *name;
	uint32_t handle;
	size_t size, filled;
	unsigned char byte;
	int dma_buf;
	unsigned char *maps[2];
};

static struct buffer shown = { .name = "the screen's buffer", .byte = 0x5a };
static struct buffer idle = { .name = "the other buffer", .byte = 0x33 };

static const char *driver;
static char text[80];
static unsigned long nr_read, nr_signals;

static sigjmp_buf jump;

static void on_signal(int sig)
{
	siglongjmp(jump, sig);
}

static void check_byte(const struct buffer *buffer, int map, size_t offset)
{
	unsigned char found, byte = offset < buffer->filled ? buffer->byte : 0;

	if (sigsetjmp(jump, 1)) {
		nr_signals++;
		return;
	}
	found = *(volatile unsigned char *)(buffer->maps[map] + offset);
	if (found != byte)
		die("unplug: %s: %s: byte %#zx of %s through %s: expected %02x, found %02x", driver,
		    text, offset, buffer->name, names[map ? DMA_BUF_MAPPING : MAPPING], byte, found);
	nr_read++;
}

/* A page that was free a moment ago has other bytes now. */
static void check(const struct buffer *buffer)
{
	unsigned char *others = mmap(NULL, OTHERS_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t offset;
	int map;

	if (others == MAP_FAILED)
		die_errno("mmap");
	memset(others, OTHERS, OTHERS_SIZE);
	for (map = 0; map < 2; map++)
		for (offset = 0; buffer->maps[map] && offset < buffer->size; offset += PAGE)
			check_byte(buffer, map, offset);
	munmap(others, OTHERS_SIZE);
}

/* One that can be exported and mapped. A part is filled, the rest has no pages yet. */
static void open_buffer(struct buffer *buffer, int fd, size_t size, size_t filled)
{
	buffer->size = size;
	buffer->filled = filled;
	buffer->dma_buf = export_fd(fd, buffer->handle);
	buffer->maps[0] = map_buffer(fd, buffer->handle, size);
	buffer->maps[1] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, buffer->dma_buf, 0);
	if (buffer->maps[1] == MAP_FAILED)
		die_errno("mmap of a dma-buf");
	memset(buffer->maps[0], buffer->byte, filled);
}

static void close_map(struct buffer *buffer, int map)
{
	if (munmap(buffer->maps[map], buffer->size))
		die_errno("munmap");
	buffer->maps[map] = NULL;
}

static void run(const unsigned int *order)
{
	char dir[PATH_MAX], name[NAME_MAX], path[PATH_MAX + 8];
	struct drm_mode_create_dumb dumb;
	struct display display;
	uint32_t fb;
	unsigned int i;
	int fd, ret;

	fd = open_driver(driver);
	if (fd < 0)
		die("unplug: no device of %s", driver);
	find_device(fd, dir, name);
	find_display(fd, &display);
	fb = create_fb(fd, &display, &dumb);
	shown.handle = dumb.handle;
	open_buffer(&shown, fd, dumb.size, dumb.size);
	idle.handle = create_dumb(fd, NR_PAGES);
	open_buffer(&idle, fd, NR_PAGES * PAGE, HALF);
	ret = try_show(fd, &display, fb);
	if (ret)
		die("unplug: %s: show: %s", driver, strerror(-ret));

	snprintf(path, sizeof(path), "%s/unbind", dir);
	must_write(path, name);

	strcpy(text, "after unbind");
	check(&shown);
	check(&idle);
	memset(&dumb, 0, sizeof(dumb));
	dumb.width = dumb.height = dumb.bpp = 32;
	if (!try_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		die("unplug: %s: a device that is gone makes a buffer", driver);

	for (i = 0; i < NR_CLOSE; i++) {
		switch (order[i]) {
		case DEVICE:
			close(fd);
			break;
		case MAPPING:
			close_map(&shown, 0);
			close_map(&idle, 0);
			break;
		case DMA_BUF:
			close(shown.dma_buf);
			close(idle.dma_buf);
			break;
		case DMA_BUF_MAPPING:
			close_map(&shown, 1);
			close_map(&idle, 1);
			break;
		}
		snprintf(text, sizeof(text), "after unbind and close of %s", names[order[i]]);
		check(&shown);
		check(&idle);
	}

	snprintf(path, sizeof(path), "%s/bind", dir);
	must_write(path, name);
}

int main(int argc, char **argv)
{
	unsigned int order[NR_CLOSE], i, n, nr = 0, seen_orders = 0, every;
	long before, lost;

	driver = argv[1];
	every = argc > 2 ? atoi(argv[2]) : 1;
	if (argc < 2 || argc > 3 || !every)
		die("usage: unplug DRIVER [EVERY]");
	before = meminfo_kb("Shmem:");
	signal(SIGBUS, on_signal);
	signal(SIGSEGV, on_signal);

	/* All numbers of so many digits that have no digit twice. */
	for (n = 0; n < 1 << (2 * NR_CLOSE); n++) {
		unsigned int seen = 0;

		for (i = 0; i < NR_CLOSE; i++) {
			order[i] = n >> (2 * i) & 3;
			seen |= 1 << order[i];
		}
		if (seen != (1 << NR_CLOSE) - 1 || seen_orders++ % every)
			continue;
		run(order);
		nr++;
	}

	/* The console has a buffer, too, and may get it a little later. */
	lost = shmem_lost_kb(before);
	printf("unplug: %s: unbound %u times, %lu bytes were right, %lu raised a signal; %ld KiB lost\n",
	       driver, nr, nr_read, nr_signals, lost);
	if (lost > 512)
		die("unplug: %s: %ld KiB of shmem are lost", driver, lost);
	if (!nr_read)
		die("unplug: %s: no mapping could be read: this tests nothing", driver);

	return 0;
}
