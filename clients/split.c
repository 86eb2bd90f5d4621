// SPDX-License-Identifier: GPL-2.0
/*
 * Maps a buffer in many ways, tears the mappings to pieces with munmap(),
 * mremap(), mprotect() and fork(), and reads and writes through what is left.
 * A copy in plain memory says what the buffer must hold.
 */

#include "client.h"

#include <signal.h>
#include <time.h>

#include <linux/dma-buf.h>

#define MAX_PIECES	48
#define MAX_SOURCES	8

/* Where mappings come from. Of a dma-buf any part can be mapped. */
struct source {
	char name[32];
	int fd;
	uint64_t offset;
	bool dma_buf;
};

/* A stretch of address space where pages of the buffer are. */
struct piece {
	unsigned char *addr;
	unsigned int page, nr;
	bool writable, whole;
	const struct source *source;
};

static const char * const drivers[] = { "vgem", "vkms", "virtio_gpu" };

static const char *driver;
static unsigned long seed;
static unsigned int buffer, step, nr_pages;

/* Shared, so that what a child does counts. */
static unsigned char *model;

static struct source sources[MAX_SOURCES];
static unsigned int nr_sources;
static struct piece pieces[MAX_PIECES];
static unsigned int nr_pieces;

static void where(void)
{
	fprintf(stderr, "split: %s: seed %lu: buffer %u (%u pages), step %u: ", driver, seed,
		buffer, nr_pages, step);
}

static void on_signal(int sig)
{
	where();
	fprintf(stderr, "%s\n", strsignal(sig));
	_exit(1);
}

static void expect(const unsigned char *addr, size_t offset, const char *name, const char *how)
{
	unsigned char found = *(const volatile unsigned char *)addr;

	if (found == model[offset])
		return;

	where();
	die("byte %#zx through %s, %s: expected %02x, found %02x", offset, name, how,
	    model[offset], found);
}

/* Brackets access by the CPU as a user of dma-bufs has to. */
static void sync_dma_buf(const struct source *source, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	if (source->dma_buf)
		must_ioctl(source->fd, DMA_BUF_IOCTL_SYNC, &sync);
}

static unsigned char *map(const struct source *source, unsigned int page, unsigned int nr)
{
	void *addr = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, source->fd,
			  source->offset + page * PAGE);

	if (addr == MAP_FAILED)
		die_errno(source->name);

	return addr;
}

static void unmap(unsigned char *addr, unsigned int nr)
{
	if (munmap(addr, nr * PAGE))
		die_errno("munmap");
}

/* Looks at the range through a new mapping of all of the buffer. */
static void check_range(size_t from, size_t to)
{
	unsigned int i;
	size_t offset;

	for (i = 0; i < nr_sources; i++) {
		const struct source *source = &sources[i];
		unsigned char *addr = map(source, 0, nr_pages);

		sync_dma_buf(source, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
		if (memcmp(addr + from, model + from, to - from)) {
			for (offset = from; offset < to; offset++)
				expect(addr + offset, offset, source->name, "new");
		}
		sync_dma_buf(source, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
		unmap(addr, nr_pages);
	}
}

static void add_piece(struct piece piece)
{
	if (piece.nr)
		pieces[nr_pieces++] = piece;
}

/* Pages @first to @first + @nr of a piece are no part of it any more. */
static void cut_piece(unsigned int i, unsigned int first, unsigned int nr)
{
	struct piece head = pieces[i], tail = pieces[i];

	head.nr = first;
	tail.addr += (first + nr) * PAGE;
	tail.page += first + nr;
	tail.nr -= first + nr;
	head.whole = false;
	tail.whole = false;

	pieces[i] = pieces[--nr_pieces];
	add_piece(head);
	add_piece(tail);
}

/* A random part of a random piece; it may be all of it. */
static struct piece random_part(unsigned int *i, unsigned int *first)
{
	struct piece part;

	*i = random_below(nr_pieces);
	part = pieces[*i];
	*first = random_below(part.nr);
	part.addr += *first * PAGE;
	part.page += *first;
	part.nr = 1 + random_below(part.nr - *first);
	if (part.nr < pieces[*i].nr)
		part.whole = false;

	return part;
}

static void do_map(void)
{
	struct piece piece = {
		.source = &sources[random_below(nr_sources)],
		.nr = nr_pages,
		.writable = true,
		.whole = true,
	};

	if (piece.source->dma_buf) {
		piece.page = random_below(nr_pages);
		piece.nr = 1 + random_below(nr_pages - piece.page);
		piece.whole = piece.nr == nr_pages;
	}
	piece.addr = map(piece.source, piece.page, piece.nr);
	add_piece(piece);
}

static void do_unmap(void)
{
	unsigned int i, first;
	struct piece part = random_part(&i, &first);

	unmap(part.addr, part.nr);
	cut_piece(i, first, part.nr);
}

/* To where nothing is, or over the start of another piece. */
static void do_move(void)
{
	unsigned int i, first, victim = random_below(nr_pieces);
	struct piece part = random_part(&i, &first);
	unsigned char *target;

	if (victim == i || pieces[victim].nr < part.nr || random_below(2)) {
		victim = MAX_PIECES;
		target = mmap(NULL, part.nr * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (target == MAP_FAILED)
			die_errno("mmap");
	} else {
		target = pieces[victim].addr;
	}

	if (mremap(part.addr, part.nr * PAGE, part.nr * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   target) != target)
		die_errno("mremap");

	/* The higher one first: a cut moves what is behind it. */
	if (victim != MAX_PIECES && victim > i)
		cut_piece(victim, 0, part.nr);
	cut_piece(i, first, part.nr);
	if (victim < i)
		cut_piece(victim, 0, part.nr);

	part.addr = target;
	add_piece(part);
}

static void do_resize(void)
{
	unsigned int i = random_below(nr_pieces), nr = 1 + random_below(pieces[i].nr);
	struct piece *piece = &pieces[i];

	/* There is nothing behind the buffer, and no way to get there. */
	if (mremap(piece->addr, piece->nr * PAGE, (piece->nr + 1) * PAGE, MREMAP_MAYMOVE) !=
	    MAP_FAILED) {
		where();
		die("%s could be made larger with mremap()", piece->source->name);
	}

	if (nr == piece->nr)
		return;
	if (mremap(piece->addr, piece->nr * PAGE, nr * PAGE, 0) != piece->addr)
		die_errno("mremap");
	cut_piece(i, nr, piece->nr - nr);
}

static void do_protect(void)
{
	unsigned int i, first;
	struct piece part = random_part(&i, &first);

	part.writable = !part.writable;
	if (mprotect(part.addr, part.nr * PAGE, PROT_READ | (part.writable ? PROT_WRITE : 0)))
		die_errno("mprotect");
	cut_piece(i, first, part.nr);
	add_piece(part);
}

/* Refused for mappings of this kind today. If it is not, it must do no harm. */
static void do_dontneed(void)
{
	unsigned int i, first;
	struct piece part = random_part(&i, &first);

	if (madvise(part.addr, part.nr * PAGE, MADV_DONTNEED) && errno != EINVAL)
		die_errno("madvise");
}

static void do_read(void)
{
	unsigned int i, first;
	struct piece part = random_part(&i, &first);
	size_t byte = random_below(part.nr * PAGE);

	sync_dma_buf(part.source, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	expect(part.addr + byte, part.page * PAGE + byte, part.source->name,
	       pieces[i].whole ? "whole" : "a part");
	sync_dma_buf(part.source, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
}

static void do_write(void)
{
	unsigned int i, first;
	struct piece part = random_part(&i, &first);
	size_t byte = random_below(part.nr * PAGE), offset = part.page * PAGE + byte;

	if (!part.writable)
		return;

	sync_dma_buf(part.source, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	*(volatile unsigned char *)(part.addr + byte) = model[offset] = random_below(256);
	sync_dma_buf(part.source, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);

	/* Everybody else sees it, too. */
	for (i = 0; i < nr_pieces; i++) {
		const struct piece *piece = &pieces[i];

		if (offset / PAGE - piece->page >= piece->nr)
			continue;
		sync_dma_buf(piece->source, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
		expect(piece->addr + offset - piece->page * PAGE, offset, piece->source->name,
		       piece->whole ? "whole" : "a part");
		sync_dma_buf(piece->source, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	}
	check_range(offset, offset + 1);
}

static void do_check(void)
{
	check_range(0, nr_pages * PAGE);
}

static void do_fork(void);

static void do_step(bool child)
{
	static const struct {
		void (*func)(void);
		unsigned int weight;
	} ops[] = {
		{ do_write, 12 }, { do_read, 12 }, { do_map, 3 }, { do_unmap, 3 }, { do_move, 3 },
		{ do_protect, 3 }, { do_resize, 1 }, { do_dontneed, 1 }, { do_check, 1 },
		{ do_fork, 1 },
	};
	unsigned int i, n;

	/* Each step may leave two pieces more. */
	while (nr_pieces > MAX_PIECES - 3) {
		unmap(pieces[0].addr, pieces[0].nr);
		cut_piece(0, 0, pieces[0].nr);
	}
	if (!nr_pieces)
		do_map();

	n = random_below(child ? 39 : 40);
	for (i = 0; n >= ops[i].weight; i++)
		n -= ops[i].weight;
	ops[i].func();
}

/* The child has all pieces, and tears its own to smaller ones. */
static void do_fork(void)
{
	unsigned int i, n = random_below(16), child_seed = random_below(-1);
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (!pid) {
		random_state = child_seed;
		for (i = 0; i < n; i++)
			do_step(true);
		_exit(0);
	}

	if (waitpid(pid, &status, 0) != pid)
		die_errno("waitpid");
	if (status) {
		where();
		die("in a child");
	}
}

static void add_source(const char *name, int fd, uint64_t offset, bool dma_buf)
{
	struct source *source = &sources[nr_sources++];

	snprintf(source->name, sizeof(source->name), "%s", name);
	source->fd = fd;
	source->offset = offset;
	source->dma_buf = dma_buf;
}

/* One buffer from its creation to its end. */
static void run(const char *only, unsigned int max_pages, unsigned int nr_steps)
{
	int fds[8], nr_fds = 0, fd, fd2, dma_buf;
	uint32_t handle, imported;
	char name[32];
	unsigned int i;

	nr_pages = 1 + random_below(max_pages);
	nr_sources = 0;

	fd = open_driver(driver);
	fds[nr_fds++] = fd;
	handle = create_dumb(fd, nr_pages);
	dma_buf = export_fd(fd, handle);
	fds[nr_fds++] = dma_buf;

	/* Another file of the same device: the very same object. */
	fd2 = open_driver(driver);
	fds[nr_fds++] = fd2;
	imported = import_handle(fd2, dma_buf);
	if (!imported)
		die("%s does not import its own buffer", driver);

	if (!only || !strcmp(only, "device")) {
		add_source("device", fd, map_offset(fd, handle), false);
		add_source("device (second file)", fd2, map_offset(fd2, imported), false);
	}
	if (!only || !strcmp(only, "dma-buf"))
		add_source("dma-buf", dma_buf, 0, true);

	/* An imported object is not mapped itself, but what it is exported as. */
	for (i = 0; nr_sources && i < sizeof(drivers) / sizeof(*drivers); i++) {
		if (!strcmp(driver, drivers[i]) || (only && strcmp(only, "dma-buf")))
			continue;
		fd = open_driver(drivers[i]);
		if (fd < 0)
			continue;
		fds[nr_fds++] = fd;
		imported = import_handle(fd, dma_buf);
		if (!imported)
			continue;
		snprintf(name, sizeof(name), "dma-buf (from %s)", drivers[i]);
		fd = export_fd(fd, imported);
		fds[nr_fds++] = fd;
		add_source(name, fd, 0, true);
	}
	if (!nr_sources)
		die("split: -k takes device or dma-buf");

	if (!buffer) {
		printf("split: %s: seed %lu:", driver, seed);
		for (i = 0; i < nr_sources; i++)
			printf("%s %s", i ? "," : "", sources[i].name);
		printf("\n");
		fflush(stdout);
	}

	/* Another value in each byte, so that no page looks like another. */
	add_piece((struct piece) {
		.addr = map(&sources[0], 0, nr_pages), .nr = nr_pages, .source = &sources[0],
		.writable = true, .whole = true });
	sync_dma_buf(&sources[0], DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	for (i = 0; i < nr_pages * PAGE; i++)
		model[i] = random_below(256);
	memcpy(pieces[0].addr, model, nr_pages * PAGE);
	sync_dma_buf(&sources[0], DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);

	for (step = 0; step < nr_steps; step++)
		do_step(false);
	do_check();

	/* Without handles and files, the mappings keep the buffer. */
	while (nr_fds)
		close(fds[--nr_fds]);
	for (; nr_pieces; nr_pieces--) {
		const struct piece *piece = &pieces[nr_pieces - 1];

		expect(piece->addr, piece->page * PAGE, piece->source->name, "without a file");
		unmap(piece->addr, piece->nr);
	}
}

static void usage(void)
{
	die("usage: split -d DRIVER [-s SEED] [-b BUFFERS] [-n STEPS] [-p MAX_PAGES]\n"
	    "             [-k device|dma-buf]");
}

int main(int argc, char **argv)
{
	unsigned int nr_buffers = 10, nr_steps = 400, max_pages = 64;
	const char *only = NULL;
	int fd, opt;

	seed = time(NULL) ^ getpid();
	while ((opt = getopt(argc, argv, "d:s:n:b:p:k:")) != -1) {
		switch (opt) {
		case 'd':
			driver = optarg;
			break;
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			nr_steps = atoi(optarg);
			break;
		case 'b':
			nr_buffers = atoi(optarg);
			break;
		case 'p':
			max_pages = atoi(optarg);
			break;
		case 'k':
			only = optarg;
			break;
		default:
			usage();
		}
	}
	if (!driver || optind != argc || !max_pages)
		usage();

	fd = open_driver(driver);
	if (fd < 0)
		die("split: no device of %s", driver);
	close(fd);

	model = mmap(NULL, max_pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (model == MAP_FAILED)
		die_errno("mmap");
	signal(SIGBUS, on_signal);
	signal(SIGSEGV, on_signal);

	random_state = seed;
	for (buffer = 0; buffer < nr_buffers; buffer++)
		run(only, max_pages, nr_steps);

	printf("split: %s: seed %lu: %u buffers, %u steps each: as they must be\n", driver, seed,
	       nr_buffers, nr_steps);

	return 0;
}
