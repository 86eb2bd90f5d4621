// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes make random system calls on random buffers of several
 * drivers at once, while memory is short, and one may take virtio-gpu's driver
 * from its device time and again. A model says what each buffer must hold.
 *
 * Most buffers belong to one process. Some are everybody's: of these, each page
 * has one process that writes and checks it, so that no lock orders the system
 * calls of different processes on the same buffer.
 *
 * Where the kernel evicts buffers, one process asks for it all the time, a few or
 * many pages of any device.
 *
 * The steps of each process follow from the seed; how they meet does not.
 *
 * With -w no mapping is torn to parts, for kernels that are known to get those
 * wrong.
 *
 * This goes on for as long as it is told, and longer where buffers have not been
 * swapped out by then or something has never happened: it does not take a fast
 * machine to pass.
 */

#include "virtgpu.h"

#include <signal.h>
#include <time.h>

#define CELL		256ul
#define CELLS		(PAGE / CELL)

#define MAX_PROCS	32
#define MAX_FILES	6
#define MAX_OBJECTS	24
#define MAX_HANDLES	48
#define MAX_DBUFS	32
#define MAX_PIECES	48

static const char * const drivers[] = { "vgem", "vkms", "virtio_gpu" };
#define NR_DRIVERS	3
#define VIRTIO		2

/* One that everybody may use is never closed here. */
struct file {
	int fd, driver;
	bool shared;
};

/*
 * The model: a number for each cell, which stands for the bytes in it. It is in
 * shared memory, so that what a child writes counts.
 */
struct object {
	unsigned int id, nr_pages;
	int driver;
	bool shared;
	uint32_t *cells;
};

/* Native ones can be mapped; imported ones are of another driver's device. */
struct handle {
	struct object *object;
	struct file *file;
	uint32_t handle;
	bool native;
};

struct dbuf {
	struct object *object;
	int fd;
	bool shared;
};

/* A stretch of address space where pages of an object are. */
struct piece {
	struct object *object;
	unsigned char *addr;
	unsigned int page, nr;
	bool writable, dma_buf;
};

static struct file files[MAX_FILES];
static struct object objects[MAX_OBJECTS];
static struct handle handles[MAX_HANDLES];
static struct dbuf dbufs[MAX_DBUFS];
static struct piece pieces[MAX_PIECES];
static unsigned int nr_handles, nr_dbufs, nr_pieces;

enum op {
	CREATE, MAP_DEVICE, MAP_DMA_BUF, WRITE, READ, CHECK, UNMAP, MOVE, SHRINK, PROTECT, MADVISE,
	EXPORT, IMPORT_SAME, IMPORT_OTHER, IMPORT_REFUSED, TO_HOST, FRAMEBUFFER, CLOSE_HANDLE,
	CLOSE_DMA_BUF, CLOSE_FILE, FORK_WAIT, FORK_ON, LAST_MAPPING, UNBIND, NO_MEMORY, GONE, NR_OPS
};

/* Which of the drivers, as a bit each, have to come across it in any run. */
static const struct {
	const char *name;
	unsigned int drivers;
} ops[NR_OPS] = {
	[CREATE] = { "create", 7 },
	[MAP_DEVICE] = { "map through the device", 7 },
	[MAP_DMA_BUF] = { "map through a dma-buf", 7 },
	[WRITE] = { "write", 7 },
	[READ] = { "read", 7 },
	[CHECK] = { "check all", 7 },
	[UNMAP] = { "munmap a part", 7 },
	[MOVE] = { "mremap elsewhere", 7 },
	[SHRINK] = { "mremap to a smaller size", 7 },
	[PROTECT] = { "mprotect a part", 7 },
	[MADVISE] = { "madvise a part", 7 },
	[EXPORT] = { "export", 7 },
	[IMPORT_SAME] = { "import into the same driver", 7 },
	[IMPORT_OTHER] = { "import into another driver", 7 },
	/* virtio-gpu takes nobody's, for which it is mapped first. */
	[IMPORT_REFUSED] = { "import that is refused", 3 },
	[TO_HOST] = { "transfer to the host", 1 << VIRTIO },
	[FRAMEBUFFER] = { "make a framebuffer", 6 },
	[CLOSE_HANDLE] = { "close a handle", 7 },
	[CLOSE_DMA_BUF] = { "close a dma-buf", 7 },
	[CLOSE_FILE] = { "close a device", 7 },
	[FORK_WAIT] = { "fork, child works", 1 },
	[FORK_ON] = { "fork, both work", 1 },
	[LAST_MAPPING] = { "check the last mapping", 7 },
	/* These two only if asked for. */
	[UNBIND] = { "unbind and bind", 0 },
	[NO_MEMORY] = { "refused: no memory", 0 },
	[GONE] = { "refused: device gone", 0 },
};

/* After so many times as long there is no hope. */
#define PATIENCE	5
/* KiB of buffers in swap */
#define SWAPPED		1024

static struct shared {
	unsigned long counts[NR_OPS][NR_DRIVERS];
	unsigned long hogged;
	/* The time is over; something is wrong. */
	int end, stop;
} *shared;

static unsigned long seed;
static unsigned int proc, nr_procs = 6, max_pages = 6144, next_id;
static unsigned long step;
static const char *op_name = "start";
static enum { PARENT, WORKS, SPOILS } role = PARENT;
static bool unbinding, whole_only;

/* Only the first failure counts: others follow from it. */
static void where(void)
{
	if (__atomic_exchange_n(&shared->stop, 1, __ATOMIC_RELAXED))
		_exit(1);
	fprintf(stderr, "stress: seed %lu, process %u%s, step %lu, %s: ", seed, proc,
		role == PARENT ? "" : " (a child)", step, op_name);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	unsigned int i;

	(void)context;
	where();
	for (i = 0; i < nr_pieces; i++) {
		struct piece *p = &pieces[i];
		size_t at = (unsigned char *)info->si_addr - p->addr;

		if ((unsigned char *)info->si_addr >= p->addr && at < p->nr * PAGE)
			fprintf(stderr, "object %u (%s, %u pages), byte %#lx: ", p->object->id,
				drivers[p->object->driver], p->object->nr_pages,
				p->page * PAGE + at);
	}
	fprintf(stderr, "%s\n", strsignal(sig));
	_exit(1);
}

__attribute__((noreturn))
static void fail(const char *what, int err)
{
	where();
	die("%s: %s", what, strerror(err));
}

static void did(enum op op, int driver)
{
	__atomic_add_fetch(&shared->counts[op][driver], 1, __ATOMIC_RELAXED);
}

/* Returns true for an error that may be. There is no other. */
static bool excused(const char *what, int driver, int err)
{
	if (!err)
		return false;
	/* Its parent closes handles, and gives their numbers to others. */
	if (role == SPOILS)
		return true;
	if (err == ENOMEM || err == ENOSPC) {
		did(NO_MEMORY, driver);
		return true;
	}
	if (unbinding && driver == VIRTIO && (err == ENODEV || err == ENXIO)) {
		did(GONE, driver);
		return true;
	}
	fail(what, err);
}

/* What a cell must hold: zeroes, or other bytes for each number and place. */
static uint64_t word(uint32_t value, size_t offset)
{
	if (!value)
		return 0;
	/* The second half is the same all over, for zram to have an easy life. */
	return value * 0x9e3779b97f4a7c15 + (offset & (CELL / 2) ? 0 : offset);
}

static bool mine(const struct object *object, unsigned int page)
{
	return !object->shared || page % nr_procs == proc;
}

static void check_cells(const struct object *object, const unsigned char *addr, size_t first,
			size_t nr, const char *how)
{
	size_t cell, i;

	for (cell = first; cell < first + nr; cell++) {
		uint32_t value;

		if (!mine(object, cell / CELLS))
			continue;
		value = object->cells[cell];
		for (i = 0; i < CELL; i += 8) {
			size_t offset = cell * CELL + i;
			uint64_t found = *(const volatile uint64_t *)
						(addr + (cell - first) * CELL + i);

			/* A child that spoils has a parent who writes. */
			if (found == word(value, offset) || role == SPOILS)
				continue;
			where();
			die("object %u (%s, %u pages%s), byte %#zx through %s: expected %016llx, found %016llx",
			    object->id, drivers[object->driver], object->nr_pages,
			    object->shared ? ", shared" : "", offset, how,
			    (unsigned long long)word(value, offset), (unsigned long long)found);
		}
	}
}

static void write_cells(const struct object *object, unsigned char *addr, size_t first, size_t nr)
{
	size_t cell, i;

	for (cell = first; cell < first + nr; cell++) {
		uint32_t value = 1 + random_below(0xfffffffe);

		if (!mine(object, cell / CELLS))
			continue;
		for (i = 0; i < CELL; i += 8)
			*(volatile uint64_t *)(addr + (cell - first) * CELL + i) =
				word(value, cell * CELL + i);
		object->cells[cell] = value;
	}
}

static const char *kind(const struct piece *piece)
{
	return piece->dma_buf ? "a dma-buf" : "the device";
}

/* Of an object that nothing leads to, nobody needs the model. */
static void forget_unreachable(struct object *object)
{
	unsigned int i;

	if (object->shared)
		return;
	for (i = 0; i < nr_handles; i++)
		if (handles[i].object == object)
			return;
	for (i = 0; i < nr_dbufs; i++)
		if (dbufs[i].object == object)
			return;
	for (i = 0; i < nr_pieces; i++)
		if (pieces[i].object == object)
			return;
	munmap(object->cells, object->nr_pages * CELLS * sizeof(uint32_t));
	object->cells = NULL;
}

static struct object *new_object(int driver, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < MAX_OBJECTS && objects[i].cells; i++)
		;
	if (i == MAX_OBJECTS)
		return NULL;

	objects[i] = (struct object) { .id = next_id++, .driver = driver, .nr_pages = nr };
	objects[i].cells = mmap(NULL, nr * CELLS * sizeof(uint32_t), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (objects[i].cells == MAP_FAILED)
		fail("mmap of the model", errno);

	return &objects[i];
}

static unsigned int pages_owned(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MAX_OBJECTS; i++)
		nr += objects[i].cells && !objects[i].shared ? objects[i].nr_pages : 0;

	return nr;
}

static unsigned int pages_mapped(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < nr_pieces; i++)
		nr += pieces[i].nr;

	return nr;
}

/* ---- taking away ---- */

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

	pieces[i] = pieces[--nr_pieces];
	add_piece(head);
	add_piece(tail);
}

static void unmap_part(unsigned int i, unsigned int first, unsigned int nr)
{
	struct object *object = pieces[i].object;

	if (munmap(pieces[i].addr + first * PAGE, nr * PAGE))
		fail("munmap", errno);
	cut_piece(i, first, nr);
	forget_unreachable(object);
}

/* When neither handle nor dma-buf is left, the mapping has to hold the pages. */
static void check_if_last(const struct object *object)
{
	const struct piece *piece = NULL;
	unsigned int i;

	for (i = 0; i < nr_handles; i++)
		if (handles[i].object == object)
			return;
	for (i = 0; i < nr_dbufs; i++)
		if (dbufs[i].object == object)
			return;
	for (i = 0; i < nr_pieces; i++)
		if (pieces[i].object == object)
			piece = &pieces[i];
	if (!piece || role == SPOILS)
		return;
	check_cells(object, piece->addr, piece->page * CELLS, piece->nr * CELLS,
		    "the last mapping");
	did(LAST_MAPPING, object->driver);
}

/* The kernel has closed it, or is about to. */
static void drop_handle(unsigned int i)
{
	struct object *object = handles[i].object;

	handles[i] = handles[--nr_handles];
	check_if_last(object);
	forget_unreachable(object);
}

static void drop_dbuf(unsigned int i)
{
	struct object *object = dbufs[i].object;

	if (close(dbufs[i].fd))
		fail("close a dma-buf", errno);
	dbufs[i] = dbufs[--nr_dbufs];
	check_if_last(object);
	forget_unreachable(object);
}

static void drop_file(struct file *file)
{
	unsigned int i;

	if (close(file->fd))
		fail("close a device", errno);
	file->fd = -1;
	for (i = nr_handles; i-- > 0;)
		if (handles[i].file == file)
			drop_handle(i);
}

/* ---- what is done to random objects ---- */

static struct file *random_file(void)
{
	struct file *file = &files[random_below(MAX_FILES)];

	/* Nobody could close a handle in these. */
	if (file->shared)
		return NULL;
	if (file->fd < 0) {
		file->driver = random_below(NR_DRIVERS);
		file->shared = false;
		file->fd = open_driver(drivers[file->driver]);
		if (file->fd < 0) {
			excused("open", file->driver, ENODEV);
			return NULL;
		}
	}

	return file;
}

static struct handle *find_handle(const struct file *file, const struct object *object)
{
	unsigned int i;

	for (i = 0; i < nr_handles; i++)
		if (handles[i].file == file && handles[i].object == object)
			return &handles[i];

	return NULL;
}

static void do_create(void)
{
	struct drm_mode_create_dumb dumb = { .width = PAGE / 4, .bpp = 32 };
	struct file *file = random_file();
	struct object *object;
	unsigned int nr;
	int ret;

	if (!file || nr_handles == MAX_HANDLES)
		return;

	/* Mostly small, now and then with a huge page. */
	nr = 1 + (random_below(6) ? random_below(100) : 400 + random_below(800));
	if (pages_owned() + nr > max_pages)
		return;
	object = new_object(file->driver, nr);
	if (!object)
		return;

	dumb.height = nr;
	ret = try_ioctl(file->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	if (excused("create", file->driver, -ret)) {
		forget_unreachable(object);
		if (ret == -ENODEV)
			drop_file(file);
		return;
	}
	if (dumb.size != nr * PAGE)
		fail("size of a dumb buffer", EINVAL);
	handles[nr_handles++] = (struct handle) { object, file, dumb.handle, true };
	did(CREATE, file->driver);
}

/* Maps pages of any object, by any way there is. Returns false if there is none. */
static bool map_any(struct piece *piece, bool whole)
{
	unsigned int n = nr_handles + nr_dbufs;
	struct object *object;
	uint64_t offset = 0;
	int fd, driver, ret;
	void *addr;

	if (!n)
		return false;
	n = random_below(n);
	piece->writable = true;
	piece->dma_buf = n >= nr_handles;
	piece->page = 0;
	if (n < nr_handles) {
		struct handle *handle = &handles[n];
		struct drm_mode_map_dumb map = { .handle = handle->handle };

		ret = try_ioctl(handle->file->fd, DRM_IOCTL_MODE_MAP_DUMB, &map);
		driver = handle->file->driver;
		if (!handle->native) {
			if (!ret && role != SPOILS)
				fail("an imported object can be mapped", EINVAL);
			return false;
		}
		if (excused("map", driver, -ret))
			return false;
		object = handle->object;
		fd = handle->file->fd;
		offset = map.offset;
		piece->nr = whole ? object->nr_pages : 1 + random_below(object->nr_pages);
	} else {
		fd = dbufs[n - nr_handles].fd;
		object = dbufs[n - nr_handles].object;
		driver = object->driver;
		piece->page = whole || whole_only ? 0 : random_below(object->nr_pages);
		piece->nr = whole ? object->nr_pages :
				    1 + random_below(object->nr_pages - piece->page);
	}
	piece->object = object;

	addr = mmap(NULL, piece->nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    offset + piece->page * PAGE);
	if (addr == MAP_FAILED)
		return !excused("mmap", driver, errno);
	piece->addr = addr;
	did(piece->dma_buf ? MAP_DMA_BUF : MAP_DEVICE, object->driver);

	return true;
}

static void do_map(void)
{
	struct piece piece;

	if (nr_pieces <= MAX_PIECES - 3 && pages_mapped() < max_pages / 6 &&
	    map_any(&piece, !random_below(2)))
		add_piece(piece);
}

static void do_check(void)
{
	struct piece piece;

	if (!map_any(&piece, true))
		return;
	check_cells(piece.object, piece.addr, 0, piece.nr * CELLS, kind(&piece));
	if (munmap(piece.addr, piece.nr * PAGE))
		fail("munmap", errno);
	did(CHECK, piece.object->driver);
}

/* A random part of a random piece; it may be all of it. */
static bool random_part(struct piece *part, unsigned int *i, unsigned int *first)
{
	if (!nr_pieces)
		return false;
	*i = random_below(nr_pieces);
	*part = pieces[*i];
	*first = whole_only ? 0 : random_below(part->nr);
	part->addr += *first * PAGE;
	part->page += *first;
	part->nr = whole_only ? part->nr : 1 + random_below(part->nr - *first);

	return true;
}

/* Any cells of a part: mostly few. */
static void random_cells(const struct piece *part, size_t *first, size_t *nr)
{
	size_t cells = part->nr * CELLS;

	*first = random_below(cells);
	*nr = 1 + random_below(cells - *first);
	if (random_below(8) && *nr > 24)
		*nr = 1 + random_below(24);
}

static void do_write(void)
{
	struct piece part;
	unsigned int i, start;
	size_t first, nr, cell;

	if (!random_part(&part, &start, &i) || !part.writable)
		return;
	random_cells(&part, &first, &nr);
	cell = part.page * CELLS + first;
	write_cells(part.object, part.addr + first * CELL, cell, nr);
	did(WRITE, part.object->driver);

	/* Another mapping sees it at once. */
	start = random_below(nr_pieces);
	for (i = 0; i < nr_pieces; i++) {
		const struct piece *other = &pieces[(start + i) % nr_pieces];

		if (other->object != part.object || cell / CELLS - other->page >= other->nr)
			continue;
		check_cells(part.object, other->addr + cell * CELL - other->page * PAGE, cell, 1,
			    kind(other));
		break;
	}
}

static void do_read(void)
{
	struct piece part;
	unsigned int i, page;
	size_t first, nr;

	if (!random_part(&part, &i, &page))
		return;
	random_cells(&part, &first, &nr);
	check_cells(part.object, part.addr + first * CELL, part.page * CELLS + first, nr,
		    kind(&part));
	did(READ, part.object->driver);
}

static void do_unmap(void)
{
	struct piece part;
	unsigned int i, first;

	if (!random_part(&part, &i, &first))
		return;
	did(UNMAP, part.object->driver);
	unmap_part(i, first, part.nr);
}

static void do_move(void)
{
	struct piece part;
	unsigned int i, first;
	void *target;

	if (nr_pieces > MAX_PIECES - 3 || !random_part(&part, &i, &first))
		return;
	target = mmap(NULL, part.nr * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (target == MAP_FAILED)
		fail("mmap", errno);
	if (mremap(part.addr, part.nr * PAGE, part.nr * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   target) != target)
		fail("mremap", errno);
	cut_piece(i, first, part.nr);
	part.addr = target;
	add_piece(part);
	did(MOVE, part.object->driver);
}

static void do_shrink(void)
{
	unsigned int i, nr;
	struct piece *piece;

	if (!nr_pieces)
		return;
	i = random_below(nr_pieces);
	piece = &pieces[i];
	nr = 1 + random_below(piece->nr);
	if (mremap(piece->addr, piece->nr * PAGE, nr * PAGE, 0) != piece->addr)
		fail("mremap", errno);
	did(SHRINK, piece->object->driver);
	piece->nr = nr;
}

static void do_protect(void)
{
	struct piece part;
	unsigned int i, first;

	if (nr_pieces > MAX_PIECES - 3 || !random_part(&part, &i, &first))
		return;
	part.writable = !part.writable;
	if (mprotect(part.addr, part.nr * PAGE, PROT_READ | (part.writable ? PROT_WRITE : 0)))
		fail("mprotect", errno);
	cut_piece(i, first, part.nr);
	add_piece(part);
	did(PROTECT, part.object->driver);
}

/* Most advice is refused for mappings of this kind. None of it may do harm. */
static void do_madvise(void)
{
	static const int advice[] = {
		MADV_DONTNEED, 20 /* COLD */, 21 /* PAGEOUT */, 22 /* POPULATE_READ */,
		23 /* POPULATE_WRITE */, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_WILLNEED,
		MADV_RANDOM, 25 /* COLLAPSE */,
	};
	int which = advice[random_below(sizeof(advice) / sizeof(*advice))];
	struct piece part;
	unsigned int i, first;

	if (nr_pieces > MAX_PIECES - 3 || !random_part(&part, &i, &first))
		return;
	if (madvise(part.addr, part.nr * PAGE, which) && errno != EINVAL && errno != EFAULT &&
	    errno != ENOMEM && errno != EBUSY && errno != EAGAIN && errno != EBADF)
		fail("madvise", errno);
	/* Some split the mapping, and not all of one is moved at once then. */
	cut_piece(i, first, part.nr);
	add_piece(part);
	did(MADVISE, part.object->driver);
}

static void do_export(void)
{
	struct drm_prime_handle prime = { .flags = DRM_RDWR | DRM_CLOEXEC };
	struct handle *handle;
	int ret;

	if (!nr_handles || nr_dbufs == MAX_DBUFS)
		return;
	handle = &handles[random_below(nr_handles)];
	prime.handle = handle->handle;
	ret = try_ioctl(handle->file->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	if (excused("export", handle->file->driver, -ret))
		return;
	dbufs[nr_dbufs++] = (struct dbuf) { handle->object, prime.fd, false };
	did(EXPORT, handle->object->driver);
}

static void do_import(void)
{
	struct drm_prime_handle prime = { 0 };
	struct handle *handle;
	struct object *object;
	struct file *file;
	struct dbuf *dbuf;
	bool foreign;
	int ret;

	if (!nr_dbufs || nr_handles == MAX_HANDLES)
		return;
	dbuf = &dbufs[random_below(nr_dbufs)];
	object = dbuf->object;
	file = object->shared && random_below(2) ? &files[random_below(NR_DRIVERS)] : random_file();
	if (!file)
		return;
	prime.fd = dbuf->fd;
	ret = try_ioctl(file->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	foreign = object->driver != file->driver;

	if (file->driver == VIRTIO && (foreign || (unbinding && ret == -ENODEV))) {
		/* Another virtio-gpu since then takes no buffer of the last one. */
		if (!ret)
			fail("virtio_gpu imports another driver's buffer", EINVAL);
		if (ret != -ENODEV)
			excused("import", file->driver, -ret);
		else if (foreign)
			did(IMPORT_REFUSED, object->driver);
		else
			did(GONE, VIRTIO);
		return;
	}
	if (excused("import", object->driver, -ret))
		return;

	did(foreign ? IMPORT_OTHER : IMPORT_SAME, object->driver);
	handle = find_handle(file, object);
	/* A second handle in the same file is a surprise, but is none if it is another. */
	if (handle && handle->handle == prime.handle)
		return;
	handles[nr_handles++] = (struct handle) { object, file, prime.handle, !foreign };
}

static void do_to_host(void)
{
	struct drm_virtgpu_3d_transfer_to_host transfer = { 0 };
	struct handle *handle;
	int ret;

	if (!nr_handles)
		return;
	handle = &handles[random_below(nr_handles)];
	if (handle->file->driver != VIRTIO)
		return;
	transfer.bo_handle = handle->handle;
	transfer.box.w = PAGE / 4;
	transfer.box.h = 1 + random_below(handle->object->nr_pages);
	transfer.box.d = 1;
	ret = try_ioctl(handle->file->fd, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &transfer);
	if (!excused("transfer", VIRTIO, -ret))
		did(TO_HOST, VIRTIO);
}

/* A framebuffer holds the object when the handle is closed. */
static void do_framebuffer(void)
{
	struct drm_mode_fb_cmd2 fb = {
		.pixel_format = 0x34325258,	/* XR24 */
		.width = PAGE / 4, .pitches[0] = PAGE,
	};
	struct handle *handle;
	int ret;

	if (!nr_handles)
		return;
	handle = &handles[random_below(nr_handles)];
	/* vgem has no display, some are too small, a file of all would collect them. */
	if (!handle->file->driver || handle->object->nr_pages < 32 || handle->file->shared)
		return;
	fb.height = handle->object->nr_pages;
	fb.handles[0] = handle->handle;
	ret = try_ioctl(handle->file->fd, DRM_IOCTL_MODE_ADDFB2, &fb);
	if (excused("framebuffer", handle->file->driver, -ret))
		return;
	did(FRAMEBUFFER, handle->file->driver);
	/* Those that stay go with the file. */
	if (random_below(8)) {
		ret = try_ioctl(handle->file->fd, DRM_IOCTL_MODE_RMFB, &fb.fb_id);
		excused("remove a framebuffer", handle->file->driver, -ret);
	}
}

static void do_close_handle(void)
{
	struct drm_gem_close args = { 0 };
	struct handle *handle;
	unsigned int i;
	int ret;

	if (!nr_handles)
		return;
	i = random_below(nr_handles);
	handle = &handles[i];
	if (handle->file->shared)
		return;
	args.handle = handle->handle;
	ret = try_ioctl(handle->file->fd, DRM_IOCTL_GEM_CLOSE, &args);
	if (excused("close a handle", handle->file->driver, -ret)) {
		/* Of a device that is gone, only the file can be closed. */
		drop_file(handle->file);
		return;
	}
	did(CLOSE_HANDLE, handle->object->driver);
	drop_handle(i);
}

static void do_close_dbuf(void)
{
	unsigned int i;

	if (!nr_dbufs)
		return;
	i = random_below(nr_dbufs);
	if (dbufs[i].shared)
		return;
	did(CLOSE_DMA_BUF, dbufs[i].object->driver);
	drop_dbuf(i);
}

static void do_close_file(void)
{
	struct file *file = &files[random_below(MAX_FILES)];

	if (file->fd < 0 || file->shared)
		return;
	did(CLOSE_FILE, file->driver);
	drop_file(file);
}

static void do_fork(void);

/*
 * A child works on what it inherited, but leaves the handles alone: they belong
 * to the parent as well, who would not know.
 */
static const struct {
	void (*func)(void);
	const char *name;
	unsigned int weight;
	bool child, spoils;
} steps[] = {
	{ do_create, "create", 6, false, false },
	{ do_map, "map", 10, true, true },
	{ do_write, "write", 20, true, false },
	{ do_read, "read", 14, true, true },
	{ do_check, "check", 3, true, true },
	{ do_unmap, "unmap", 6, true, true },
	{ do_move, "move", 3, true, true },
	{ do_shrink, "shrink", 2, true, true },
	{ do_protect, "protect", 3, true, true },
	{ do_madvise, "madvise", 3, true, true },
	{ do_export, "export", 5, true, true },
	{ do_import, "import", 6, false, false },
	{ do_to_host, "to host", 3, true, true },
	{ do_framebuffer, "framebuffer", 2, false, false },
	{ do_close_handle, "close handle", 3, false, false },
	{ do_close_dbuf, "close dma-buf", 5, true, true },
	{ do_close_file, "close file", 1, false, false },
	{ do_fork, "fork", 2, false, false },
};
#define NR_STEPS	(sizeof(steps) / sizeof(*steps))

static void do_step(void)
{
	unsigned int i, total = 0, n;

	for (i = 0; i < NR_STEPS; i++)
		total += steps[i].weight;
	do {
		n = random_below(total);
		for (i = 0; n >= steps[i].weight; i++)
			n -= steps[i].weight;
	} while ((role == WORKS && !steps[i].child) || (role == SPOILS && !steps[i].spoils));

	op_name = steps[i].name;
	steps[i].func();
	step++;

	/* Only what is not mapped can be swapped out. */
	while (nr_pieces && (nr_pieces > MAX_PIECES - 4 || pages_mapped() > max_pages / 4)) {
		op_name = "unmap";
		unmap_part(0, 0, pieces[0].nr);
	}
	if (role == PARENT && pages_owned() > max_pages * 3 / 4) {
		op_name = "close";
		do_close_dbuf();
		do_close_handle();
	}
}

static unsigned int nr_children;

static void wait_for_children(unsigned int nr)
{
	int status;

	while (nr_children > nr) {
		if (wait(&status) < 0)
			fail("wait", errno);
		nr_children--;
		/* It has said why. */
		if (WIFEXITED(status) && WEXITSTATUS(status))
			exit(1);
		if (status)
			fail("a child was killed", EINTR);
	}
}

static void do_fork(void)
{
	bool wait = random_below(2);
	unsigned int n = random_below(24), child_seed = random_below(-1);
	pid_t pid;

	/* Not too many at a time. */
	wait_for_children(!wait);

	pid = fork();
	if (pid < 0) {
		excused("fork", 0, errno == EAGAIN ? ENOMEM : errno);
		return;
	}
	if (!pid) {
		random_state = child_seed;
		/* The parent of one that spoils writes on: there is nothing to check. */
		role = wait ? WORKS : SPOILS;
		while (n--)
			do_step();
		_exit(0);
	}

	did(wait ? FORK_WAIT : FORK_ON, 0);
	nr_children++;
	if (wait)
		wait_for_children(0);
}

/* ---- processes ---- */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* Whatever is left must be right until it is let go, in any order. */
static void let_go(void)
{
	unsigned int i;

	op_name = "end";
	while (nr_handles || nr_dbufs || nr_pieces) {
		unsigned int n = random_below(3);

		if (n == 0 && nr_pieces) {
			i = random_below(nr_pieces);
			check_cells(pieces[i].object, pieces[i].addr, pieces[i].page * CELLS,
				    pieces[i].nr * CELLS, kind(&pieces[i]));
			unmap_part(i, 0, pieces[i].nr);
		} else if (n == 1 && nr_dbufs) {
			drop_dbuf(random_below(nr_dbufs));
		} else if (n == 2 && nr_handles) {
			do_check();
			drop_file(handles[random_below(nr_handles)].file);
		}
	}
	for (i = 0; i < MAX_FILES; i++)
		if (files[i].fd >= 0)
			drop_file(&files[i]);
}

static bool goes_on(void)
{
	return !__atomic_load_n(&shared->end, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

static void worker(unsigned int nr)
{
	proc = nr;
	random_state = seed * 1000 + nr;
	next_id = nr * 1000000 + 100;
	while (goes_on())
		do_step();
	if (!shared->stop)
		let_go();
	wait_for_children(0);
	exit(0);
}

/* Memory of its own, to make the rest swap. Nobody else may write to it. */
static void hog(unsigned int mib)
{
	size_t nr = mib * 256ul, i;
	uint64_t *addr, round;

	proc = 98;
	op_name = "hog";
	random_state = seed * 1000 + 999;
	addr = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (addr == MAP_FAILED)
		fail("mmap", errno);
	for (round = 0; goes_on(); round++) {
		for (i = 0; i < nr && goes_on(); i++) {
			uint64_t *page = addr + i * (PAGE / 8);
			unsigned int j;

			/* Some of each line of the cache will do. */
			for (j = 0; j < PAGE / 8; j += 8) {
				uint64_t must = round ? i * 0x9e3779b97f4a7c15 + round - 1 +
							(j & 8 ? 0 : j) : 0;

				if (page[j] != must) {
					where();
					die("byte %#zx of private memory: expected %016llx, found %016llx",
					    i * PAGE + j * 8, (unsigned long long)must,
					    (unsigned long long)page[j]);
				}
				page[j] = i * 0x9e3779b97f4a7c15 + round + (j & 8 ? 0 : j);
			}
			__atomic_add_fetch(&shared->hogged, 1, __ATOMIC_RELAXED);
			/* Leave the others some of the time. */
			if (i % 256 == 255)
				usleep(5000);
		}
	}
	exit(0);
}

static void unbinder(void)
{
	char name[256];
	int ret;

	proc = 99;
	random_state = seed * 1000 + 998;
	find_virtgpu(name, sizeof(name));
	while (goes_on()) {
		usleep(1000000 + random_below(4000000));
		op_name = "unbind";
		must_write(VIRTGPU_DRIVER "unbind", name);
		usleep(random_below(300000));
		op_name = "bind";
		/* The driver wants 128 KiB in a row, and may not find them. */
		must_write("/proc/sys/vm/compact_memory", "1");
		while ((ret = try_write(VIRTGPU_DRIVER "bind", name)) == -ENOMEM && goes_on())
			did(NO_MEMORY, VIRTIO);
		if (ret && ret != -ENOMEM)
			fail("bind", -ret);
		did(UNBIND, VIRTIO);
		step++;
	}
	exit(0);
}

/* The file of a device that tells of evictions, and asks for them. Some have none. */
static bool shrinker_path(unsigned int minor, char *path, size_t size)
{
	snprintf(path, size, "/sys/kernel/debug/dri/%u/gem_shmem_shrinker", minor);

	return !access(path, F_OK);
}

static bool has_shrinkers(void)
{
	char path[64];
	unsigned int i;

	for (i = 0; i < 64; i++)
		if (shrinker_path(i, path, sizeof(path)))
			return true;

	return false;
}

static void evictor(void)
{
	char path[64], text[16];

	proc = 97;
	op_name = "evict";
	random_state = seed * 1000 + 997;
	while (goes_on()) {
		/* As often few as many: an object at least. */
		snprintf(text, sizeof(text), "%u", 1 << random_below(14));
		if (shrinker_path(random_below(8), path, sizeof(path)))
			try_write(path, text);
		usleep(random_below(20000));
	}
	exit(0);
}

/* Returns -1 if there is no such file or line. */
static long kb_of(const char *path, const char *name)
{
	char line[128];
	long kb = -1;
	FILE *file = fopen(path, "r");

	while (file && kb < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			kb = atol(line + strlen(name));
	if (file)
		fclose(file);

	return kb;
}

static long shmem_kb(void)
{
	return kb_of("/proc/meminfo", "Shmem:");
}

/* Of all devices that are there */
static long evictions(void)
{
	char path[64];
	unsigned int i;
	long nr = 0;

	for (i = 0; i < 64; i++)
		if (shrinker_path(i, path, sizeof(path)))
			nr += kb_of(path, "evictions:");

	return nr;
}

/* What is in swap and belongs to no process alone: the buffers. */
static long buffers_swapped_kb(const pid_t *pids, unsigned int nr)
{
	long kb = kb_of("/proc/meminfo", "SwapTotal:") - kb_of("/proc/meminfo", "SwapFree:") -
		  kb_of("/proc/meminfo", "SwapCached:");
	char path[64];

	while (nr--) {
		snprintf(path, sizeof(path), "/proc/%d/status", pids[nr]);
		kb -= kb_of(path, "VmSwap:");
	}

	return kb;
}

/* An object of each driver that all processes have. */
static void make_shared(void)
{
	unsigned int i;

	for (i = 0; i < NR_DRIVERS; i++) {
		struct object *object = new_object(i, 96 + i * 700);

		object->shared = true;
		files[i] = (struct file) { open_driver(drivers[i]), i, true };
		if (files[i].fd < 0)
			die("stress: no device of %s", drivers[i]);
		handles[nr_handles++] = (struct handle) { object, &files[i],
			create_dumb(files[i].fd, object->nr_pages), true };
		dbufs[nr_dbufs++] = (struct dbuf) { object, export_fd(files[i].fd,
			handles[i].handle), true };
	}
}

/* When all have ended, everybody's pages have to be as they left them. */
static void check_shared(void)
{
	unsigned int i, j;

	op_name = "check shared";
	for (i = 0; i < nr_dbufs; i++) {
		struct object *object = dbufs[i].object;
		size_t size = object->nr_pages * PAGE;
		unsigned char *addr = mmap(NULL, size, PROT_READ, MAP_SHARED, dbufs[i].fd, 0);

		if (addr == MAP_FAILED)
			fail("mmap", errno);
		for (j = 0; j < nr_procs; j++) {
			proc = j;
			check_cells(object, addr, 0, object->nr_pages * CELLS, "a dma-buf");
		}
		munmap(addr, size);
	}
	for (i = 0; i < NR_DRIVERS; i++) {
		close(files[i].fd);
		close(dbufs[i].fd);
		munmap(objects[i].cells, objects[i].nr_pages * CELLS * sizeof(uint32_t));
	}
}

/* How many of the things that have to happen have not happened yet. */
static unsigned int count_never(bool print)
{
	unsigned int i, j, never = 0;

	if (print) {
		printf("%-28s", "");
		for (j = 0; j < NR_DRIVERS; j++)
			printf(" %10s", drivers[j]);
		printf("\n");
	}
	for (i = 0; i < NR_OPS; i++) {
		/* A fork is of no driver. */
		bool one = i == FORK_WAIT || i == FORK_ON;
		unsigned int wanted = ops[i].drivers;

		/* Between two unbinds there may be no time for all else. */
		if (unbinding && (i == UNBIND || i == GONE))
			wanted = 1 << VIRTIO;
		else if (unbinding && i > READ)
			wanted &= ~(1 << VIRTIO);
		if (print)
			printf("%-28s", ops[i].name);
		for (j = 0; j < (one ? 1 : NR_DRIVERS); j++) {
			bool missed = (wanted & (1 << j)) && !shared->counts[i][j];

			never += missed;
			if (print)
				printf(" %10lu%s", shared->counts[i][j], missed ? "!" : "");
		}
		if (print)
			printf("\n");
	}

	return never;
}

static void usage(void)
{
	die("usage: stress [-s SEED] [-t SECONDS] [-p PROCESSES] [-b MIB_OF_BUFFERS_EACH] [-m MIB_TO_HOG] [-u] [-w]");
}

int main(int argc, char **argv)
{
	unsigned int seconds = 60, hog_mib = 0, i, nr = 0, failed, never;
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	pid_t pids[MAX_PROCS + 3], pid;
	long before, after = 0, most_swapped = 0, evicted;
	bool evicting = has_shrinkers();
	int opt, status;
	double start, took = 0;

	seed = time(NULL) ^ getpid();
	while ((opt = getopt(argc, argv, "s:t:p:b:m:uw")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		case 'p':
			nr_procs = atoi(optarg);
			break;
		case 'b':
			max_pages = atoi(optarg) * 256;
			break;
		case 'm':
			hog_mib = atoi(optarg);
			break;
		case 'u':
			unbinding = true;
			break;
		case 'w':
			whole_only = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !seconds || !nr_procs || nr_procs > MAX_PROCS || max_pages < 2048)
		usage();

	before = shmem_kb();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		die_errno("mmap");
	for (i = 0; i < MAX_FILES; i++)
		files[i].fd = -1;
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	make_shared();

	printf("stress: seed %lu: %u processes, %u s, %u MiB of buffers each, %u MiB hogged%s\n",
	       seed, nr_procs, seconds, max_pages / 256, hog_mib,
	       unbinding ? ", virtio_gpu unbound now and then" : "");
	fflush(stdout);

	start = now();
	evicted = evictions();
	for (i = 0; i < nr_procs + 3; i++) {
		if ((i == nr_procs && !hog_mib) || (i == nr_procs + 1 && !unbinding) ||
		    (i == nr_procs + 2 && !evicting))
			continue;
		pid = fork();
		if (pid < 0)
			die_errno("fork");
		if (!pid) {
			if (i < nr_procs)
				worker(i);
			else if (i == nr_procs)
				hog(hog_mib);
			else if (i == nr_procs + 1)
				unbinder();
			else
				evictor();
		}
		pids[nr++] = pid;
	}

	while (nr) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0)
			die_errno("wait");
		if (!pid) {
			/* Later on, there may be some of a process that has ended. */
			long kb = buffers_swapped_kb(pids, nr);

			if (kb > most_swapped && goes_on())
				most_swapped = kb;
			if (goes_on())
				took = now() - start;
			if ((took > seconds && (!hog_mib || most_swapped >= SWAPPED) && !count_never(false)) ||
			    took > PATIENCE * seconds)
				__atomic_store_n(&shared->end, 1, __ATOMIC_RELAXED);
			usleep(100000);
			continue;
		}
		for (i = 0; i < nr && pids[i] != pid; i++)
			;
		if (i < nr)
			pids[i] = pids[--nr];
		if (!status)
			continue;
		if (WIFSIGNALED(status))
			fprintf(stderr, "stress: seed %lu: a process was killed by signal %d\n",
				seed, WTERMSIG(status));
		/* The others stop at their next step. */
		shared->stop = 1;
	}
	failed = shared->stop;
	evicted = evictions() - evicted;

	if (!failed)
		check_shared();
	never = count_never(true);

	/* Some of it is freed a little later. */
	for (i = 0; !failed && i < 50; i++) {
		after = shmem_kb();
		if (after <= before + 1024)
			break;
		usleep(100000);
	}
	if (hog_mib)
		printf("stress: seed %lu: %lu pages of private memory were right, up to %ld KiB of buffers in swap\n",
		       seed, shared->hogged, most_swapped);
	if (evicting)
		printf("stress: seed %lu: %ld evictions\n", seed, evicted);
	if (!failed)
		printf("stress: seed %lu: %ld KiB in shmem before, %ld KiB afterwards\n", seed,
		       before, after);
	if (failed)
		die("stress: seed %lu: FAILED", seed);
	if (after > before + 1024)
		die("stress: seed %lu: FAILED: memory is lost", seed);
	if (hog_mib && most_swapped < SWAPPED)
		die("stress: seed %lu: FAILED: hardly any buffers were swapped out: more to hog (-m), or less memory",
		    seed);
	if (evicting && !evicted)
		die("stress: seed %lu: FAILED: nothing was evicted", seed);
	if (never)
		die("stress: seed %lu: FAILED: %u things that never happened (!)", seed, never);
	printf("stress: seed %lu: every byte as it must be, for %.0f s\n", seed, took);

	return 0;
}
