// SPDX-License-Identifier: GPL-2.0
/*
 * Shares a buffer of one driver with another: exports it, imports it, maps it in
 * every way there is, and writes through each mapping what all of them must
 * show. Then handles and files go, in every order, and the bytes stay for as
 * long as a mapping is there; what is left of the files finds the buffer again.
 *
 *	prime EXPORTER IMPORTER
 *
 * Ends with 77 if the one does not import the other's buffers.
 */

#include "client.h"

#include <linux/dma-buf.h>

#define NR_PAGES	24
#define SIZE		(NR_PAGES * PAGE)
#define MAX_MAPS	8
#define SKIP		77

/* What is closed, one after the other. */
enum { HANDLE, IMPORTED, DMA_BUF, AGAIN, NR_CLOSE };
static const char * const names[] = { "handle", "import", "dma-buf", "dma-buf of the import" };

struct map {
	const char *name;
	unsigned char *addr;
	int dma_buf;
};

static const char *exporter, *importer;
static struct map maps[MAX_MAPS];
static unsigned int nr_maps;
static unsigned char model[SIZE];

static void sync_map(const struct map *map, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	if (map->dma_buf >= 0)
		must_ioctl(map->dma_buf, DMA_BUF_IOCTL_SYNC, &sync);
}

static void add_map(const char *name, int fd, uint64_t offset, bool dma_buf)
{
	struct map *map = &maps[nr_maps++];

	map->name = name;
	map->dma_buf = dma_buf ? fd : -1;
	map->addr = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (map->addr == MAP_FAILED)
		die_errno(name);
}

/* All of them show what was written last. */
static void check_maps(const char *when)
{
	unsigned int i;
	size_t n;

	for (i = 0; i < nr_maps; i++) {
		sync_map(&maps[i], DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
		for (n = 0; n < SIZE; n++) {
			if (maps[i].addr[n] != model[n])
				die("prime: %s to %s: %s, byte %#zx through %s: expected %02x, found %02x",
				    exporter, importer, when, n, maps[i].name, model[n],
				    maps[i].addr[n]);
		}
		sync_map(&maps[i], DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	}
}

/* Another byte each time, and on each page. */
static void write_map(unsigned int i)
{
	size_t n;

	for (n = 0; n < SIZE; n++)
		model[n] = random_below(256);
	sync_map(&maps[i], DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	memcpy(maps[i].addr, model, SIZE);
	sync_map(&maps[i], DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

static void write_all(const char *when)
{
	char text[80];
	unsigned int i;

	for (i = 0; i < nr_maps; i++) {
		write_map(i);
		snprintf(text, sizeof(text), "%s, written through %s", when, maps[i].name);
		check_maps(text);
	}
}

static void run(const unsigned int *order)
{
	int fd, fd2, dma_buf, again, ret, left;
	struct drm_mode_map_dumb map = { 0 };
	bool closed[NR_CLOSE] = { false };
	uint32_t handle, imported, other;
	char text[80];
	unsigned int i;

	fd = open_driver(exporter);
	fd2 = open_driver(importer);
	if (fd < 0 || fd2 < 0)
		die("prime: no device of %s", fd < 0 ? exporter : importer);

	nr_maps = 0;
	handle = create_dumb(fd, NR_PAGES);
	dma_buf = export_fd(fd, handle);
	imported = import_handle(fd2, dma_buf);
	if (!imported) {
		printf("prime: %s does not import from %s\n", importer, exporter);
		exit(SKIP);
	}
	if (import_handle(fd2, dma_buf) != imported)
		die("prime: a second import has another handle");
	again = export_fd(fd2, imported);

	add_map("the device", fd, map_offset(fd, handle), false);
	add_map("the dma-buf", dma_buf, 0, true);
	add_map("the dma-buf of the import", again, 0, true);
	/* Not every driver maps what it imported; those that do show the same. */
	map.handle = imported;
	ret = try_ioctl(fd2, DRM_IOCTL_MODE_MAP_DUMB, &map);
	if (!ret)
		add_map("the import", fd2, map.offset, false);
	else if (ret != -EINVAL)
		die("prime: the import's offset: %s", strerror(-ret));
	write_all("at first");

	for (i = 0; i < NR_CLOSE; i++) {
		unsigned int j;

		closed[order[i]] = true;
		switch (order[i]) {
		case HANDLE:
			close_handle(fd, handle);
			break;
		case IMPORTED:
			close_handle(fd2, imported);
			break;
		case DMA_BUF:
			close(dma_buf);
			break;
		case AGAIN:
			close(again);
			break;
		}
		/* No brackets without a file. */
		for (j = 0; j < nr_maps; j++) {
			if (maps[j].dma_buf >= 0 && closed[maps[j].dma_buf == again ? AGAIN : DMA_BUF])
				maps[j].dma_buf = -1;
		}
		snprintf(text, sizeof(text), "after the %s was closed", names[order[i]]);
		check_maps(text);
		write_all(text);

		/* From any file, both find the buffer again. */
		left = !closed[DMA_BUF] ? dma_buf : !closed[AGAIN] ? again : -1;
		if (left >= 0 && closed[HANDLE]) {
			other = import_handle(fd, left);
			if (!other)
				die("prime: %s does not import its own buffer", exporter);
			add_map("the device, found again", fd, map_offset(fd, other), false);
			write_all("found again");
			close_handle(fd, other);
			munmap(maps[--nr_maps].addr, SIZE);
		}
		if (left >= 0 && closed[IMPORTED]) {
			other = import_handle(fd2, left);
			if (!other)
				die("prime: %s does not import again", importer);
			close_handle(fd2, other);
		}
		/* From a handle, there is a new file. */
		if (!closed[HANDLE]) {
			left = export_fd(fd, handle);
			add_map("a new dma-buf", left, 0, true);
			write_all("exported again");
			munmap(maps[--nr_maps].addr, SIZE);
			close(left);
		}
	}

	/* One of the devices goes first, in turn. */
	close(order[0] % 2 ? fd : fd2);
	check_maps("after a device was closed");
	close(order[0] % 2 ? fd2 : fd);
	write_all("without a file");
	while (nr_maps)
		munmap(maps[--nr_maps].addr, SIZE);
}

int main(int argc, char **argv)
{
	unsigned int order[NR_CLOSE], i, n, nr = 0;

	if (argc != 3)
		die("usage: prime EXPORTER IMPORTER");
	exporter = argv[1];
	importer = argv[2];

	/* All numbers of so many digits that have no digit twice. */
	for (n = 0; n < 1 << (2 * NR_CLOSE); n++) {
		unsigned int seen = 0;

		for (i = 0; i < NR_CLOSE; i++) {
			order[i] = n >> (2 * i) & 3;
			seen |= 1 << order[i];
		}
		if (seen != (1 << NR_CLOSE) - 1)
			continue;
		run(order);
		nr++;
	}
	printf("prime: %s to %s: closed in %u orders, all bytes are there\n", exporter, importer, nr);

	return 0;
}
