// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that are evicted, and what may happen to them meanwhile. Each word of each
 * buffer must be what was written, whenever it is looked at.
 *
 *	reclaim [-s SWAP] [-t SECONDS] TEST DRIVER...
 *
 * SWAP is a block device that mkswap has seen. It is in use while the test runs, and
 * taken away afterwards: what the test has lost in there shows as shmem then. A test
 * that takes more than SECONDS hangs.
 *
 * A test runs in a process of its own, for another one to tell when it is killed. On
 * a kernel that evicts nothing, all those fail that are about evicted buffers.
 */

#include "failnth.h"
#include "pattern.h"

#include <drm/vgem_drm.h>
#include <drm/virtgpu_drm.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>

#define MIB		(1ul << 20)
#define EACH		(8 * MIB / PAGE)
#define MAX_BUFFERS	1024
#define SKIPPED		77

struct buffer {
	const char *driver;
	int fd;
	unsigned int number, generation;
	uint32_t handle;
	size_t nr;
	uint64_t *addr;
};

static const char *driver, *swap;
static char **drivers;
static int dev = -1;
/* Of its own, for what is evicted to be written to swap when asked for. */
static char cgroup[64];
/* The kernel's file about it. On the base there is none. */
static char lists_path[64];
static struct buffer buffers[MAX_BUFFERS];
static unsigned int nr_buffers;
static int ready[2], go[2];

#define fail(fmt, ...)	die("reclaim: %s: " fmt, driver, ##__VA_ARGS__)

/* ---- what the kernel says ---- */

static long memory_mib(const char *name)
{
	return number_in("/proc/meminfo", name) / 1024;
}

/* Pages, but for the last. */
struct lists {
	long purgeable, evictable, evicted, evictions, evicting;
};

static struct lists lists(void)
{
	struct lists l = { 0 };
	FILE *file = fopen(lists_path, "re");
	int nr;

	if (!file)
		fail("no gem_shmem_shrinker: nothing is ever evicted");
	nr = fscanf(file, "purgeable pages: %ld evictable pages: %ld evicted pages: %ld evictions: %ld evicting pages: %ld",
		    &l.purgeable, &l.evictable, &l.evicted, &l.evictions, &l.evicting);
	/* Where no driver evicts in two steps there are four. */
	if (nr < 4)
		fail("%s is not understood", lists_path);
	fclose(file);

	return l;
}

static bool has_lists(void)
{
	return !access(lists_path, F_OK);
}

/*
 * A driver that evicts in two steps only begins with that at first. Another scan goes on
 * with those that it has begun, and begins nothing while there are enough of them.
 */
static void reclaim_pages(unsigned long nr)
{
	double began = seconds();
	char text[24];

	snprintf(text, sizeof(text), "%lu", nr);
	must_write(lists_path, text);
	while (lists().evicting) {
		if (seconds() - began > 60)
			fail("%ld pages are being evicted for a minute", lists().evicting);
		usleep(1000);
		must_write(lists_path, text);
	}
}

/* With a host, nothing is evicted by that: it is asked to let go of the pages. */
static void begin_eviction(void)
{
	must_write(lists_path, "0xffffffff");
}

/* ---- buffers ---- */

/* Of the thread that expects a SIGBUS. */
static __thread sigjmp_buf bus_jump;
static __thread volatile bool bus_expected;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	unsigned int i;

	(void)context;
	/* The one that looks has asked for failures. */
	if (fail_fd >= 0)
		fail_at(0);
	if (bus_expected)
		siglongjmp(bus_jump, 1);
	for (i = 0; i < nr_buffers; i++) {
		size_t at = (char *)info->si_addr - (char *)buffers[i].addr;

		if (buffers[i].addr && at < buffers[i].nr * PAGE)
			printf("reclaim: %s: buffer %u of %u, byte %#zx of %zu pages: %s\n",
			       buffers[i].driver, i, nr_buffers, at, buffers[i].nr, strsignal(sig));
	}
	fflush(stdout);
	fail("%s", strsignal(sig));
}

/* Returns 0, or an error in place of a signal. */
static int touch(volatile uint64_t *addr, bool write)
{
	if (sigsetjmp(bus_jump, 1)) {
		bus_expected = false;
		return -EFAULT;
	}
	bus_expected = true;
	if (write)
		*addr = *addr;
	else
		(void)*addr;
	bus_expected = false;

	return 0;
}

static void catch_sigbus(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

/* Returns 0 or an error. */
static int try_map(struct buffer *b)
{
	struct drm_mode_map_dumb map = { .handle = b->handle };
	int ret = try_ioctl(b->fd, DRM_IOCTL_MODE_MAP_DUMB, &map);
	void *addr;

	if (ret)
		return ret;
	addr = mmap(NULL, b->nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, map.offset);
	if (addr == MAP_FAILED)
		return -errno;
	b->addr = addr;

	return 0;
}

static struct buffer *new_buffer(size_t nr)
{
	struct buffer *b = &buffers[nr_buffers];

	if (nr_buffers == MAX_BUFFERS)
		fail("too many buffers");
	*b = (struct buffer) { .driver = driver, .fd = dev, .number = nr_buffers, .nr = nr };
	nr_buffers++;

	return b;
}

static int try_buffer(size_t nr)
{
	struct drm_mode_create_dumb dumb = { .width = PAGE / 4, .height = nr, .bpp = 32 };
	struct buffer *b = new_buffer(nr);
	int ret = try_ioctl(dev, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);

	if (!ret && dumb.size != nr * PAGE)
		fail("a buffer of %zu pages has %llu bytes", nr, dumb.size);
	b->handle = dumb.handle;
	if (!ret)
		ret = try_map(b);
	if (!ret)
		return 0;
	if (b->handle)
		close_handle(dev, b->handle);
	nr_buffers--;

	return ret;
}

static void write_buffer(struct buffer *b)
{
	size_t page;

	b->generation++;
	for (page = 0; page < b->nr; page++)
		write_page(b->addr + page * WORDS, first_word(b->number, page, b->generation));
}

static void check_through(const struct buffer *b, const uint64_t *addr, const char *what)
{
	unsigned long wrong = 0;
	size_t page;

	for (page = 0; page < b->nr; page++)
		wrong += check_page(addr + page * WORDS,
				    first_word(b->number, page, b->generation), b->driver, what,
				    b->number, page);
	if (wrong) {
		fflush(stdout);
		fail("%s %u: %lu words are wrong", what, b->number, wrong);
	}
}

static void check_buffer(const struct buffer *b)
{
	check_through(b, b->addr, "buffer");
}

static void check_all(void)
{
	unsigned int i;

	for (i = 0; i < nr_buffers; i++)
		check_buffer(&buffers[i]);
}

static bool has_host(void)
{
	return !strcmp(driver, "virtio_gpu");
}

/* One that is mapped, written, and idle: a host may not have answered yet. */
static struct buffer *make_buffer(size_t nr)
{
	int ret = try_buffer(nr);
	struct buffer *b = &buffers[nr_buffers - 1];
	struct drm_virtgpu_3d_wait wait = { 0 };

	if (ret)
		fail("a buffer of %zu pages: %s", nr, strerror(-ret));
	write_buffer(b);
	wait.handle = b->handle;
	if (has_host())
		must_ioctl(dev, DRM_IOCTL_VIRTGPU_WAIT, &wait);

	return b;
}

static void drop_buffer(struct buffer *b)
{
	if (b->addr && munmap(b->addr, b->nr * PAGE))
		die_errno("munmap");
	if (b->handle)
		close_handle(b->fd, b->handle);
	b->addr = NULL;
	b->handle = 0;
}

static void drop_all(void)
{
	while (nr_buffers)
		drop_buffer(&buffers[--nr_buffers]);
}

/* Evicts all that can be. Returns how many pages. */
static long evict_all(void)
{
	long before = lists().evicted;

	reclaim_pages(UINT_MAX);

	return lists().evicted - before;
}

static void must_evict(long nr)
{
	long evicted = evict_all();

	if (evicted < nr)
		fail("%ld of %ld pages are evicted", evicted, nr);
}

static void enter_cgroup(void)
{
	char path[96];

	snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup/reclaim-%d", getpid());
	if (mkdir(cgroup, 0755))
		die_errno(cgroup);
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	must_write(path, "0");
}

/* Pages of shmem in memory that have been made in the cgroup. */
static long in_memory(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/memory.stat", cgroup);

	return number_in(path, "shmem ") / (long)PAGE;
}

/* Of private memory and shmem. It need not succeed with all. */
static void write_mib(unsigned int mib)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), "%s/memory.reclaim", cgroup);
	snprintf(text, sizeof(text), "%uM swappiness=max", mib);
	try_write(path, text);
}

/*
 * What is evicted lingers in memory until it is written. Writes it, but for @nr pages
 * that are not evicted, and lets go of most of it.
 */
static void write_out(long nr)
{
	unsigned int i, more = 0;

	for (i = 0; i < 500 && more < 3; i++) {
		write_mib(64);
		more += in_memory() <= nr;
		usleep(1000);
	}
	if (in_memory() > nr)
		fail("%ld pages are not written to swap", in_memory() - nr);
}

/* ---- more than there is room for ---- */

/* Returns 0 or the error that ended it. */
static int fill(unsigned long mib)
{
	unsigned long i;
	int ret;

	for (i = 0; i < mib; i += EACH * PAGE / MIB) {
		ret = try_buffer(EACH);
		if (ret)
			return ret;
		write_buffer(&buffers[nr_buffers - 1]);
	}

	return 0;
}

static void walk_twice(void)
{
	unsigned int i;

	for (i = 0; i < nr_buffers; i++) {
		check_buffer(&buffers[i]);
		write_buffer(&buffers[i]);
	}
	check_all();
}

/*
 * Memory and swap are full when a buffer is refused. Without @room, so many buffers,
 * nothing can be reclaimed then: who asks for a page may be killed, on any kernel.
 */
static void fill_until_refused(unsigned int room)
{
	unsigned long all = memory_mib("MemTotal:") + memory_mib("SwapTotal:");
	long before = has_lists() ? lists().evictions : 0, evictions;
	int ret = fill(all + all / 4);
	unsigned int i, unread, full;

	if (!ret)
		fail("%lu MiB fit into %lu: this tests nothing", all + all / 4, all);
	if (ret != -ENOMEM)
		fail("buffer %u: %s", nr_buffers, strerror(-ret));
	full = nr_buffers;
	for (i = 0; i < room; i++)
		drop_buffer(&buffers[--nr_buffers]);
	for (unread = 0; unread < nr_buffers && !touch(buffers[unread].addr, false); unread++)
		;
	if (unread < nr_buffers) {
		/* It may be there again when there is memory. */
		for (i = 0; i < 4; i++)
			drop_buffer(&buffers[--nr_buffers]);
		check_all();
		fail("SIGBUS in buffer %u of %u, which is right when 4 others are gone", unread, full);
	}
	walk_twice();
	/* There is room again where some were. */
	drop_buffer(&buffers[--nr_buffers]);
	drop_buffer(&buffers[--nr_buffers]);
	make_buffer(EACH);
	check_all();

	evictions = lists().evictions - before;
	printf("reclaim: %s: %u buffers of 8 MiB, then no more; %ld evictions\n", driver, full,
	       evictions);
	if (!evictions)
		fail("nothing was evicted");
}

static void full(void)
{
	fill_until_refused(2);
}

static void brim(void)
{
	fill_until_refused(0);
}

/*
 * Little is left for others when the last one fits just so, and they may be killed
 * then, on any kernel. This one does not fit by far.
 */
static void no_swap(void)
{
	long before = has_lists() ? lists().evictions : 0;
	int ret = fill(memory_mib("MemAvailable:") * 3 / 4);

	if (ret)
		fail("buffer %u: %s", nr_buffers, strerror(-ret));
	ret = try_buffer(memory_mib("MemAvailable:") * MIB * 2 / PAGE);
	if (ret != -ENOMEM)
		fail("a buffer of twice the memory that is left: %s", strerror(-ret));
	walk_twice();
	if (has_lists() && (evict_all() || lists().evictions != before))
		fail("evicted without swap");
	check_all();
}

/* Half as much again as there is memory, in zram at an eighth of its size. */
static void compressed(void)
{
	unsigned long mib = memory_mib("MemTotal:") * 5 / 4;
	long before = lists().evictions;
	int ret;

	repeat_after = WORDS / 16;
	ret = fill(mib);
	if (ret)
		fail("%u buffers of 8 MiB, not %lu MiB: %s", nr_buffers, mib, strerror(-ret));
	walk_twice();
	if (lists().evictions == before)
		fail("nothing was evicted");
}

static void tell(int fd)
{
	if (write(fd, "", 1) != 1)
		die_errno("pipe");
}

static void wait_for(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		die_errno("pipe");
}

/* Until the child tells, which must not end before. */
static void wait_for_child(pid_t pid)
{
	struct pollfd pipe_end = { .fd = ready[0], .events = POLLIN };
	siginfo_t info = { 0 };

	while (!poll(&pipe_end, 1, 100)) {
		waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT);
		if (info.si_pid)
			fail("a child has ended with %d", info.si_status);
	}
	wait_for(ready[0]);
}

/* ---- large objects ---- */

#define LARGE	6

/* A little less than what is never evicted: a quarter of memory. */
static pid_t start_large(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die_errno("fork");
	if (!pid) {
		make_buffer(memory_mib("MemTotal:") * 2 / 9 * MIB / PAGE);
		tell(ready[1]);
		wait_for(go[0]);
		walk_twice();
		_exit(0);
	}
	wait_for_child(pid);

	return pid;
}

/*
 * Six do not fit into memory at once, so each access to one may evict another, and all
 * are accessed at the same time. They are made one after the other.
 */
static void large(void)
{
	long before = lists().evictions;
	pid_t pids[LARGE];
	unsigned int i;
	int status;

	for (i = 0; i < LARGE; i++)
		pids[i] = start_large();
	for (i = 0; i < LARGE; i++)
		tell(go[1]);
	for (i = 0; i < LARGE; i++) {
		if (waitpid(pids[i], &status, 0) < 0)
			die_errno("waitpid");
		if (status)
			fail("process %u: status %#x", i, status);
	}
	printf("reclaim: %s: %ld evictions\n", driver, lists().evictions - before);
	if (lists().evictions - before < LARGE)
		fail("hardly anything was evicted");
}

static void too_large(void)
{
	size_t nr = (memory_mib("MemTotal:") + 32) * MIB / PAGE;
	unsigned int i;
	int ret;

	for (i = 0; i < 4; i++)
		make_buffer(EACH);
	ret = try_buffer(nr);
	if (ret != -ENOMEM)
		fail("an object larger than memory: %s", strerror(-ret));
	check_all();
	make_buffer(EACH);
	check_all();
	/* Those that have been there must have made room. */
	if (lists().evictions < 4)
		fail("nothing was evicted");
}

/* ---- hibernation ---- */

static void open_device(const char *name)
{
	struct stat st;

	driver = name;
	dev = open_driver(driver);
	if (dev < 0 || fstat(dev, &st))
		fail("no such device");
	snprintf(lists_path, sizeof(lists_path), "/sys/kernel/debug/dri/%u/gem_shmem_shrinker",
		 minor(st.st_rdev));
}

/* Some evicted and written, some evicted, some neither. */
static void sleeper(void)
{
	unsigned int i;

	enter_cgroup();
	for (i = 0; i < 3; i++)
		make_buffer(EACH);
	must_evict(3 * EACH);
	write_out(0);
	for (i = 0; i < 3; i++)
		make_buffer(EACH);
	must_evict(3 * EACH);
	check_buffer(&buffers[3]);
	make_buffer(EACH);
	if (lists().evicted < 5 * (long)EACH)
		fail("less is evicted than has to be");

	/* Two more are on their way, or gone if that takes no second step. */
	begin_eviction();
	tell(ready[1]);
	wait_for(go[0]);
	check_all();
	walk_twice();
	must_evict(7 * EACH);
	check_all();
	_exit(0);
}

static void hibernate(void)
{
	unsigned int nr = 0;
	int status;

	for (nr = 0; drivers[nr]; nr++) {
		pid_t pid;

		/* Those of other drivers must still be evicted. */
		open_device(drivers[nr]);
		pid = fork();
		if (pid < 0)
			die_errno("fork");
		if (!pid)
			sleeper();
		close(dev);
		wait_for_child(pid);
	}
	must_write("/sys/power/disk", "reboot");
	must_write("/sys/power/state", "disk");
	printf("reclaim: woken up\n");
	fflush(stdout);
	/* One after the other, for a clear picture. */
	while (nr--) {
		tell(go[1]);
		if (wait(&status) < 0)
			die_errno("wait");
		if (status)
			fail("status %#x after hibernation", status);
	}
}

/*
 * The host forgets all. So it does not know the resource when it is asked to let go of
 * the pages, and they stay. The others can still be evicted, and nothing gets lost.
 */
static void suspend(void)
{
	unsigned int i;
	long evicted;

	for (i = 0; i < 3; i++)
		make_buffer(EACH);
	must_evict(3 * EACH);
	for (i = 0; i < 2; i++)
		make_buffer(EACH);

	must_write("/sys/class/rtc/rtc0/wakealarm", "+4");
	must_write("/sys/power/state", "mem");
	printf("reclaim: woken up\n");
	fflush(stdout);
	for (i = 0; i < 2; i++) {
		check_all();
		evicted = evict_all();
		if (evicted != 3 * (long)EACH)
			fail("%ld of %ld pages are evicted, those of the host among them", evicted,
			     3 * (long)EACH);
	}
	for (i = 0; i < nr_buffers; i++)
		write_buffer(&buffers[i]);
	make_buffer(EACH);
	must_evict(4 * EACH);
	check_all();
	drop_all();
}

/* ---- a device that goes ---- */

/* Pages that could be read, or raised SIGBUS. */
static unsigned long nr_read, nr_bus;

static void check_if_there(const struct buffer *b)
{
	unsigned long wrong;
	size_t page;

	for (page = 0; page < b->nr; page++) {
		if (touch(b->addr + page * WORDS, page % 2)) {
			nr_bus++;
			continue;
		}
		wrong = check_page(b->addr + page * WORDS,
				   first_word(b->number, page, b->generation), driver, "buffer",
				   b->number, page);
		nr_read++;
		if (wrong)
			fail("buffer %u: %lu words are wrong", b->number, wrong);
	}
}

static void check_all_there(void)
{
	unsigned int i;

	for (i = 0; i < nr_buffers; i++)
		check_if_there(&buffers[i]);
}

/* A device of vkms is made and removed in configfs: reclaim.sh. */
static void unbind(bool on)
{
	static char dir[PATH_MAX], name[NAME_MAX];
	char path[PATH_MAX + 8];

	if (!strcmp(driver, "vkms")) {
		must_write("/sys/kernel/config/vkms/reclaim/enabled", on ? "1" : "0");
		return;
	}
	if (!on)
		find_device(dev, dir, name);
	snprintf(path, sizeof(path), "%s/%s", dir, on ? "bind" : "unbind");
	must_write(path, name);
}

/* Calls all shrinkers, those of devices that have no files any more, too. */
static void shrink_caches(void)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		must_write("/proc/sys/vm/drop_caches", "2");
		write_mib(16);
	}
}

/* The device goes while a file of it is open, the lists included. */
static void unbind_evicted(void)
{
	unsigned int i;
	struct buffer *last;
	int dma_buf, open_lists;
	uint64_t *addr;

	enter_cgroup();
	for (i = 0; i < 3; i++)
		make_buffer(EACH / 4);
	must_evict(3 * EACH / 4);
	write_out(0);
	for (i = 0; i < 2; i++)
		make_buffer(EACH / 4);
	must_evict(2 * EACH / 4);
	last = make_buffer(EACH / 4);
	if (lists().evicted < 5 * (long)EACH / 4)
		fail("less is evicted than has to be");
	/* Of one that is evicted, and gets its pages by another way. */
	dma_buf = export_fd(dev, buffers[4].handle);
	open_lists = open(lists_path, O_RDWR | O_CLOEXEC);
	if (open_lists < 0)
		die_errno(lists_path);

	if (!strcmp(driver, "vgem")) {
		/* There is no other way to take it away. */
		if (!syscall(SYS_delete_module, "vgem", O_NONBLOCK))
			fail("the module goes while its device is open");
	} else {
		begin_eviction();
		unbind(false);
		if (write(open_lists, "1000000", 7) >= 0)
			fail("the lists of a device that is gone can be written");
	}
	check_if_there(&buffers[0]);
	check_if_there(&buffers[4]);
	check_if_there(last);

	/* Its shrinker goes on until all that is open is closed, if it needs no hardware. */
	check_all_there();
	shrink_caches();
	if (!has_host() && in_memory() >= 6 * (long)EACH / 4)
		fail("%s nothing any more", strcmp(driver, "vgem") ? "a device that is gone evicts" :
		     "drop_caches evicts");
	check_all_there();

	addr = mmap(NULL, buffers[4].nr * PAGE, PROT_READ, MAP_SHARED, dma_buf, 0);
	if (addr != MAP_FAILED) {
		check_through(&buffers[4], addr, "dma-buf of buffer");
		munmap(addr, buffers[4].nr * PAGE);
	}
	shrink_caches();

	/* The mappings are all that is left. */
	close(dma_buf);
	close(dev);
	check_if_there(&buffers[1]);
	shrink_caches();
	check_all_there();
	printf("reclaim: %s: %lu pages were right, %lu raised SIGBUS\n", driver, nr_read, nr_bus);
	if (!nr_read)
		fail("no page could be read: this tests nothing");
	for (i = 0; i < nr_buffers; i++)
		munmap(buffers[i].addr, buffers[i].nr * PAGE);
	close(open_lists);
	if (strcmp(driver, "vgem"))
		unbind(true);
}

/* ---- allocations that fail while buffers come back ---- */

#define NTH_PAGES	9

static struct display display;
static uint32_t nth_fb;
static int nth_dma_buf, nth_importer;
static uint32_t nth_handle;
static unsigned int nth;

static void nth_buffer(void)
{
	make_buffer(NTH_PAGES);
}

static void nth_two_mappings(void)
{
	nth_buffer();
	nth_dma_buf = export_fd(dev, buffers[0].handle);
}

/* Of the smallest mode, but a buffer like the others. */
static void nth_framebuffer(void)
{
	struct drm_mode_fb_cmd2 fb = {
		.pixel_format = 0x34325258,	/* XR24 */
		.width = display.modes[0].hdisplay, .height = display.modes[0].vdisplay,
		.pitches[0] = PAGE,
	};

	/* A line takes a page. */
	make_buffer(fb.height);
	fb.handles[0] = buffers[0].handle;
	must_ioctl(dev, DRM_IOCTL_MODE_ADDFB2, &fb);
	nth_fb = fb.fb_id;
}

static int call_read(void)
{
	return touch(buffers[0].addr + 3 * WORDS, false);
}

static int call_write(void)
{
	return touch(buffers[0].addr + 3 * WORDS, true);
}

static int call_map(void)
{
	struct buffer b = buffers[0];
	int ret = try_map(&b);

	if (ret)
		return ret;
	check_through(&b, b.addr, "second mapping of buffer");
	munmap(b.addr, b.nr * PAGE);

	return 0;
}

static int call_map_dma_buf(void)
{
	void *addr = mmap(NULL, buffers[0].nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			  nth_dma_buf, 0);

	if (addr == MAP_FAILED)
		return -errno;
	check_through(&buffers[0], addr, "dma-buf of buffer");
	munmap(addr, buffers[0].nr * PAGE);

	return 0;
}

/* Attaches, for as long as the handle is there. */
static int call_import(void)
{
	struct drm_prime_handle prime = { .fd = nth_dma_buf };
	int ret = try_ioctl(nth_importer, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	nth_handle = ret ? 0 : prime.handle;

	return ret;
}

static int call_show(void)
{
	return try_show(dev, &display, nth_fb);
}

static int call_dirty(void)
{
	struct drm_mode_fb_dirty_cmd dirty = { .fb_id = nth_fb };

	return try_ioctl(dev, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

static void undo_import(void)
{
	if (nth_handle)
		close_handle(nth_importer, nth_handle);
	nth_handle = 0;
}

static void undo_show(void)
{
	try_show(dev, &display, 0);
}

static void undo_nothing(void)
{
}

static const struct nth_test {
	const char *name;
	void (*before)(void);
	int (*call)(void);
	void (*undo)(void);
	bool kms;
} nth_tests[] = {
	{ "read", nth_buffer, call_read, undo_nothing, false },
	{ "write", nth_buffer, call_write, undo_nothing, false },
	{ "mmap", nth_buffer, call_map, undo_nothing, false },
	{ "mmap a dma-buf", nth_two_mappings, call_map_dma_buf, undo_nothing, false },
	{ "attach", nth_two_mappings, call_import, undo_import, false },
	{ "show", nth_framebuffer, call_show, undo_show, true },
};

/* Whether an allocation has failed. What is there afterwards must be right. */
static bool fail_nth(const struct nth_test *test, unsigned int *failed, unsigned int *tolerated)
{
	bool fired;
	int ret;

	must_evict(buffers[0].nr);
	write_out(0);
	fail_at(nth);
	ret = test->call();
	fired = has_failed();
	if (fired && ret) {
		/* A signal is no error of a call's, and as good. */
		if (ret != -ENOMEM && ret != -ENOSPC && ret != -EFAULT)
			fail("%s, allocation %u: no memory is reported as: %s", test->name, nth,
			     strerror(-ret));
		++*failed;
		ret = test->call();
		if (ret)
			fail("%s, allocation %u: a second try fails: %s", test->name, nth,
			     strerror(-ret));
	} else if (fired) {
		++*tolerated;
		/* What is needed to evict it again may be made up for by the next use. */
		test->undo();
		ret = test->call();
		if (ret)
			fail("%s, allocation %u: once more, it fails: %s", test->name, nth,
			     strerror(-ret));
	} else if (ret) {
		fail("%s fails by itself: %s", test->name, strerror(-ret));
	}
	check_buffer(&buffers[0]);
	test->undo();

	return fired;
}

static void sweep(const struct nth_test *test)
{
	long before = number_in("/proc/vmstat", "pswpin "), pages;
	unsigned int failed = 0, tolerated = 0;

	test->before();
	/* Of a small buffer all are tried. */
	for (nth = 1; fail_nth(test, &failed, &tolerated); nth += 1 + (test->kms ? nth / 8 : 0))
		;
	if (!failed && !tolerated)
		fail("%s: no allocation failed: this tests nothing", test->name);
	pages = number_in("/proc/vmstat", "pswpin ") - before;
	printf("ok   %s: %s: %u failed, %u made up for, %ld pages read from swap\n", driver,
	       test->name, failed, tolerated, pages);
	if (pages < (long)(failed + tolerated))
		fail("%s: hardly anything was read from swap", test->name);
	fflush(stdout);
	if (test->kms)
		must_ioctl(dev, DRM_IOCTL_MODE_RMFB, &nth_fb);
	if (nth_dma_buf)
		close(nth_dma_buf);
	nth_dma_buf = 0;
	drop_all();
}

/* The smallest mode first. */
static bool find_small_mode(void)
{
	unsigned int i;

	if (!strcmp(driver, "vgem"))
		return false;
	find_display(dev, &display);
	for (i = 1; i < display.nr_modes; i++)
		if (display.modes[i].vdisplay < display.modes[0].vdisplay)
			display.modes[0] = display.modes[i];

	return true;
}

static const char *other_driver(void)
{
	return strcmp(driver, "vgem") ? "vgem" : "vkms";
}

static void fail_allocations(void)
{
	bool kms = find_small_mode();
	unsigned int i;

	enter_cgroup();
	open_fail_nth();
	nth_importer = open_driver(other_driver());
	for (i = 0; i < sizeof(nth_tests) / sizeof(*nth_tests); i++)
		if (kms || !nth_tests[i].kms)
			sweep(&nth_tests[i]);
}

/* ---- so many pages, and which ---- */

static void count_pages(void)
{
	static const unsigned int sizes[] = { 1, 64, 3, 17, 33, 2, 50, 9, 1, 40, 64, 5 };
	static const unsigned int asked[] = { 1, 1, 16, 17, 64, 65 };
	struct lists before, now;
	long all = 0;
	unsigned int i;

	evict_all();
	before = lists();
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		make_buffer(sizes[i]);
		all += sizes[i];
	}
	now = lists();
	if (now.evictable - before.evictable != all || now.evicted != before.evicted)
		fail("of %ld new pages, %ld are evictable and %ld evicted", all,
		     now.evictable - before.evictable, now.evicted - before.evicted);

	reclaim_pages(0);
	if (memcmp(&now, &(struct lists[]) { lists() }, sizeof(now)))
		fail("0 pages are more than none");
	if (try_write(lists_path, "many") != -EINVAL)
		fail("\"many\" is a number");
	for (i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		struct lists then = lists();
		long evicted;

		reclaim_pages(asked[i]);
		now = lists();
		evicted = now.evicted - then.evicted;
		if (evicted < asked[i] || evicted >= asked[i] + 64)
			fail("%ld pages are evicted when %u are asked for", evicted, asked[i]);
		if (then.evictable - now.evictable != evicted)
			fail("%ld pages are evicted, %ld fewer can be", evicted,
			     then.evictable - now.evictable);
		if (now.evictions <= then.evictions)
			fail("%ld pages are evicted in no eviction", evicted);
	}
	evict_all();
	now = lists();
	if (now.evicted - before.evicted != all || now.evictable != before.evictable)
		fail("of %ld pages, %ld are evicted and %ld evictable", all,
		     now.evicted - before.evicted, now.evictable - before.evictable);
	check_all();
	now = lists();
	if (now.evicted != before.evicted || now.evictable - before.evictable != all)
		fail("of %ld pages, %ld stay evicted", all, now.evicted - before.evicted);
	evict_all();
	drop_all();
	/* A host is told first. */
	for (i = 0; i < 10000 && has_host() && lists().evicted != before.evicted; i++)
		usleep(1000);
	now = lists();
	if (now.evicted != before.evicted || now.evictable != before.evictable)
		fail("%ld pages of buffers that are gone are evicted, %ld evictable",
		     now.evicted - before.evicted, now.evictable - before.evictable);
}

static void must_stay(const char *why)
{
	long evicted = evict_all();

	if (evicted)
		fail("%ld pages are evicted that %s", evicted, why);
}

/* What somebody else's device may use stays, until it is done. */
static void pinned(void)
{
	int importer = open_driver(other_driver()), dma_buf;
	uint32_t handle;

	evict_all();
	make_buffer(20);
	dma_buf = export_fd(dev, buffers[0].handle);
	/* Nobody has attached. */
	must_evict(20);
	handle = import_handle(importer, dma_buf);
	if (!handle)
		fail("%s does not import it", other_driver());
	must_stay("an importer uses");
	check_buffer(&buffers[0]);
	write_buffer(&buffers[0]);
	must_stay("an importer uses");
	close_handle(importer, handle);
	must_evict(20);
	check_buffer(&buffers[0]);
	close(dma_buf);
	close(importer);
	drop_all();
}

/* Mappings of the dma-buf lose their pages with the others. */
static void exported(void)
{
	unsigned int round;
	uint64_t *addr;
	int dma_buf;

	enter_cgroup();
	evict_all();
	make_buffer(20);
	dma_buf = export_fd(dev, buffers[0].handle);
	addr = mmap(NULL, 20 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf, 0);
	if (addr == MAP_FAILED)
		die_errno("mmap");
	for (round = 0; round < 6; round++) {
		struct buffer there = buffers[0];
		void *other;

		there.addr = addr;
		write_buffer(&there);
		buffers[0].generation = there.generation;
		check_buffer(&buffers[0]);
		must_evict(20);
		write_out(0);
		/* Somebody else has the pages now. */
		other = malloc(MIB);
		if (!other)
			die_errno("malloc");
		memset(other, round, MIB);
		check_through(&buffers[0], round % 2 ? addr : buffers[0].addr, "buffer");
		check_through(&buffers[0], round % 2 ? buffers[0].addr : addr, "buffer");
		free(other);
	}
	munmap(addr, 20 * PAGE);
	close(dma_buf);
	drop_all();
}

/* What is on the screen stays there, and what was can go. */
static void shown(void)
{
	unsigned int i;
	int ret;

	if (!find_small_mode())
		exit(SKIPPED);
	evict_all();
	nth_framebuffer();
	must_evict(buffers[0].nr);
	for (i = 0; i < 3; i++) {
		ret = call_show();
		if (ret)
			fail("show: %s", strerror(-ret));
		must_stay("are on the screen");
		/* vkms reads it all the time, and cannot be told. */
		ret = call_dirty();
		if (ret && ret != -ENOSYS)
			fail("dirty: %s", strerror(-ret));
		check_buffer(&buffers[0]);
		write_buffer(&buffers[0]);
		must_stay("are on the screen");
		undo_show();
		must_evict(buffers[0].nr);
		check_buffer(&buffers[0]);
		must_evict(buffers[0].nr);
	}
	must_ioctl(dev, DRM_IOCTL_MODE_RMFB, &nth_fb);
	drop_all();
}

/*
 * A fence of vgem's that has not signalled, on any driver's buffer: vgem imports it,
 * and they share what has the fences.
 */
static void fenced(void)
{
	int vgem = strcmp(driver, "vgem") ? open_driver("vgem") : dev;
	unsigned int flags;

	evict_all();
	make_buffer(20);
	for (flags = 0; flags <= VGEM_FENCE_WRITE; flags++) {
		struct drm_vgem_fence_attach attach = { .flags = flags };
		struct drm_vgem_fence_signal signal = { 0 };
		double began = seconds();
		int dma_buf;

		dma_buf = export_fd(dev, buffers[0].handle);
		attach.handle = import_handle(vgem, dma_buf);
		if (!attach.handle)
			fail("vgem does not import it");
		must_ioctl(vgem, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach);
		/* In the same device, this was the handle it had. */
		if (vgem != dev)
			close_handle(vgem, attach.handle);
		close(dma_buf);
		must_stay("have a fence");
		check_buffer(&buffers[0]);
		must_stay("have a fence");
		/* It signals by itself after 10 s. */
		if (seconds() - began > 9)
			exit(SKIPPED);
		signal.fence = attach.out_fence;
		must_ioctl(vgem, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal);
		must_evict(20);
		check_buffer(&buffers[0]);
	}
	drop_all();
	if (vgem != dev)
		close(vgem);
}

/* ---- what the host of virtio-gpu sees ---- */

#define EACH_PAGES	16
#define EACH_KIND	4
#define TRANSFERS	6

static void need_3d(bool needed)
{
	int has_3d = 0;
	struct drm_virtgpu_getparam param = {
		.param = VIRTGPU_PARAM_3D_FEATURES, .value = (uintptr_t)&has_3d,
	};

	must_ioctl(dev, DRM_IOCTL_VIRTGPU_GETPARAM, &param);
	if (!has_3d == needed)
		exit(SKIPPED);
}

/* As wide as a page, as dumb buffers are. */
static void make_texture(size_t nr)
{
	struct drm_virtgpu_resource_create create = {
		.target = 2,		/* PIPE_TEXTURE_2D */
		.format = 1,		/* VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM */
		.bind = 1 << 1,		/* PIPE_BIND_RENDER_TARGET */
		.width = PAGE / 4, .height = nr, .depth = 1, .array_size = 1,
		.size = nr * PAGE,
	};
	struct buffer *b = new_buffer(nr);
	struct drm_virtgpu_map map = { 0 };

	must_ioctl(dev, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
	b->handle = map.handle = create.bo_handle;
	must_ioctl(dev, DRM_IOCTL_VIRTGPU_MAP, &map);
	b->addr = mmap(NULL, b->nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, dev, map.offset);
	if (b->addr == MAP_FAILED)
		die_errno("mmap");
}

static void wait_for_host(const struct buffer *b)
{
	struct drm_virtgpu_3d_wait wait = { .handle = b->handle };

	must_ioctl(dev, DRM_IOCTL_VIRTGPU_WAIT, &wait);
}

static void begin_transfer(const struct buffer *b, bool to_host)
{
	struct drm_virtgpu_3d_box box = { .w = PAGE / 4, .h = b->nr, .d = 1 };
	struct drm_virtgpu_3d_transfer_from_host from = { .bo_handle = b->handle, .box = box };
	struct drm_virtgpu_3d_transfer_to_host to = { .bo_handle = b->handle, .box = box };

	if (to_host)
		must_ioctl(dev, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &to);
	else
		must_ioctl(dev, DRM_IOCTL_VIRTGPU_TRANSFER_FROM_HOST, &from);
}

/* For all of them, and waits until the host has done it. */
static void transfer(bool to_host)
{
	unsigned int i;

	for (i = 0; i < nr_buffers; i++)
		begin_transfer(&buffers[i], to_host);
	for (i = 0; i < nr_buffers; i++)
		wait_for_host(&buffers[i]);
}

static void scribble(unsigned int value)
{
	unsigned int i;

	for (i = 0; i < nr_buffers; i++)
		memset(buffers[i].addr, value, buffers[i].nr * PAGE);
}

static void check_scribble(unsigned char value)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < nr_buffers; i++) {
		const unsigned char *bytes = (void *)buffers[i].addr;

		for (at = 0; at < buffers[i].nr * PAGE; at++)
			if (bytes[at] != value)
				fail("byte %#zx of buffer %u is %#x instead of %#x", at, i,
				     bytes[at], value);
	}
}

/*
 * The host reads what was written before an eviction, and writes what it has to pages
 * that have been evicted. What it does not touch is kept.
 */
static void host(void)
{
	long pages = 2 * EACH_KIND * EACH_PAGES;
	unsigned int round, i;

	need_3d(true);
	enter_cgroup();
	evict_all();
	for (i = 0; i < EACH_KIND; i++) {
		make_texture(EACH_PAGES);
		make_buffer(EACH_PAGES);
	}
	for (i = 0; i < nr_buffers; i++)
		write_buffer(&buffers[i]);
	transfer(true);
	for (round = 1; round <= TRANSFERS; round++) {
		scribble(round);
		must_evict(pages);
		if (round % 2)
			write_out(0);
		check_scribble(round);
		if (round % 3)
			must_evict(pages);
		transfer(false);
		check_all();

		for (i = 0; i < nr_buffers; i++)
			write_buffer(&buffers[i]);
		must_evict(pages);
		if (round % 2)
			write_out(0);
		transfer(true);
		scribble(round + 64);
		transfer(false);
		check_all();
	}
	drop_all();
}

/* Three times the memory, here and on the host */
static void textures(void)
{
	long before = lists().evictions;
	unsigned int i, nr;

	need_3d(true);
	nr = memory_mib("MemTotal:") * 3 / 4;
	for (i = 0; i < nr; i++) {
		make_texture(4 * MIB / PAGE);
		write_buffer(&buffers[i]);
		begin_transfer(&buffers[i], true);
		wait_for_host(&buffers[i]);
	}
	check_all();
	for (i = 0; i < nr; i++) {
		memset(buffers[i].addr, 0, buffers[i].nr * PAGE);
		begin_transfer(&buffers[i], false);
		wait_for_host(&buffers[i]);
		check_buffer(&buffers[i]);
	}
	check_all();
	printf("reclaim: %s: %u textures of 4 MiB, %ld evictions\n", driver, nr,
	       lists().evictions - before);
	if (lists().evictions == before)
		fail("nothing was evicted");
}

/*
 * QEMU has room for less than 4 GiB of resources without 3D. So what is closed has to be
 * gone before the next one is created: otherwise there is an error in the log.
 */
static void room(void)
{
	uint32_t handles[3] = { 0 };
	struct buffer last = { 0 };
	unsigned int i;

	need_3d(false);
	for (i = 0; i < 1000; i++) {
		struct drm_virtgpu_resource_create create = {
			.target = 2, .format = 1, .depth = 1, .array_size = 1,
			/* 1 GiB of the host, which has no need to fill it */
			.width = 16384, .height = 16384, .size = PAGE,
		};
		uint32_t *handle = &handles[i % 3];

		if (*handle)
			close_handle(dev, *handle);
		must_ioctl(dev, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
		*handle = last.handle = create.bo_handle;
	}
	wait_for_host(&last);
}

/* ---- several at once ---- */

#define ROUNDS		40

static pthread_barrier_t barrier;
static bool over;

static void *reader(void *arg)
{
	const struct buffer *b = arg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&barrier);
		check_buffer(b);
	}

	return NULL;
}

/* Has a mapping of its own, which goes while the others read, half of it first. */
static void *unmapper(void *arg)
{
	const struct buffer *b = arg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		struct buffer own = *b;
		size_t half = own.nr / 2;
		int ret = try_map(&own);

		if (ret)
			fail("mmap: %s", strerror(-ret));
		pthread_barrier_wait(&barrier);
		(void)*(volatile uint64_t *)(own.addr + i % half * WORDS);
		if (munmap(own.addr, half * PAGE))
			die_errno("munmap");
		(void)*(volatile uint64_t *)(own.addr + (half + i % half) * WORDS);
		if (munmap(own.addr + half * WORDS, (own.nr - half) * PAGE))
			die_errno("munmap");
	}

	return NULL;
}

static void *evictor(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		reclaim_pages(UINT_MAX);
		usleep(1000);
	}

	return NULL;
}

static void threads(void)
{
	struct lists before = lists();
	pthread_t ids[4];
	unsigned int i;

	make_buffer(128);
	pthread_barrier_init(&barrier, NULL, 3);
	if (pthread_create(&ids[0], NULL, reader, &buffers[0]) ||
	    pthread_create(&ids[1], NULL, reader, &buffers[0]) ||
	    pthread_create(&ids[2], NULL, unmapper, &buffers[0]) ||
	    pthread_create(&ids[3], NULL, evictor, NULL))
		fail("no threads");
	for (i = 0; i < 3; i++)
		pthread_join(ids[i], NULL);
	over = true;
	pthread_join(ids[3], NULL);
	printf("reclaim: %s: %ld evictions\n", driver, lists().evictions - before.evictions);
	if (lists().evictions - before.evictions < ROUNDS / 4)
		fail("hardly anything was evicted");
	check_all();
}

/* The child has nothing but what it inherited. */
static void forked(void)
{
	int status;
	pid_t pid;

	enter_cgroup();
	make_buffer(100);
	make_buffer(100);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (!pid) {
		wait_for(go[0]);
		check_all();
		write_buffer(&buffers[1]);
		tell(ready[1]);
		/* The parent has let go of all. */
		wait_for(go[0]);
		check_all();
		must_evict(200);
		check_all();
		_exit(0);
	}
	must_evict(200);
	write_out(0);
	tell(go[1]);
	wait_for_child(pid);
	buffers[1].generation++;
	check_all();
	must_evict(200);
	write_out(0);
	drop_all();
	tell(go[1]);
	if (waitpid(pid, &status, 0) != pid || status)
		fail("the child's status is %#x", status);
}

/*
 * So many seconds are enough to end a process, on a machine that does much else and
 * whose clock may be wrong for that reason.
 */
#define END		600

static void killed(void)
{
	size_t nr = memory_mib("MemTotal:") / 4 * MIB / PAGE;
	unsigned int round, in_between = 0;
	double longest = 0;

	enter_cgroup();
	make_buffer(nr);
	for (round = 0; round < 3; round++) {
		long before, target;
		double began, took;
		int status, other_status;
		pid_t pid, other;

		must_evict(nr);
		write_out(0);
		before = number_in("/proc/vmstat", "pswpin ");
		target = before + nr * (round + 1) / 5;
		pid = fork();
		if (!pid) {
			(void)*(volatile uint64_t *)(buffers[0].addr + round * WORDS);
			_exit(0);
		}
		/* One that waits for the same, or comes first. */
		other = fork();
		if (!other) {
			check_page(buffers[0].addr, first_word(0, 0, buffers[0].generation),
				   driver, "buffer", 0, 0) ? _exit(1) : _exit(0);
		}
		if (pid < 0 || other < 0)
			die_errno("fork");
		began = seconds();
		while (number_in("/proc/vmstat", "pswpin ") < target && seconds() - began < 60)
			usleep(1000);
		began = seconds();
		if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
			die_errno("kill");
		took = seconds() - began;
		if (took > longest)
			longest = took;
		if (took > END)
			fail("it takes %.0f s to kill a process that swaps in", took);
		in_between += status != 0;
		if (waitpid(other, &other_status, 0) != other || other_status)
			fail("the status of the one beside it is %#x", other_status);
		check_all();
	}
	printf("reclaim: %s: %u of %u killed meanwhile, within %.2f s\n", driver, in_between, round,
	       longest);
	if (!in_between)
		fail("none was killed while it swapped in: this tests nothing");
}

/* ---- one test ---- */

static const struct test {
	const char *name;
	void (*run)(void);
	/* Some swap has to be left to others. */
	bool reserve;
	/* Nothing is left for others. */
	bool may_kill;
} tests[] = {
	{ "full", full, true, false },
	{ "brim", brim, true, true },
	{ "noswap", no_swap, false, false },
	{ "compressed", compressed, false, false },
	{ "incompressible", brim, false, true },
	{ "large", large, false, false },
	{ "too-large", too_large, false, false },
	{ "hibernate", hibernate, false, false },
	{ "suspend", suspend, false, false },
	{ "unbind", unbind_evicted, false, false },
	{ "failnth", fail_allocations, false, false },
	{ "count", count_pages, false, false },
	{ "pinned", pinned, false, false },
	{ "exported", exported, false, false },
	{ "shown", shown, false, false },
	{ "fenced", fenced, false, false },
	{ "host", host, false, false },
	{ "textures", textures, false, false },
	{ "room", room, false, false },
	{ "threads", threads, false, false },
	{ "fork", forked, false, false },
	{ "kill", killed, false, false },
};

int main(int argc, char **argv)
{
	const struct test *test = NULL;
	long shmem_before, kills, kills_before, lowest = LONG_MAX, lost, reserve;
	unsigned int i, limit = 3600;
	int opt, status;
	double began;
	pid_t pid;

	while ((opt = getopt(argc, argv, "s:t:")) != -1) {
		switch (opt) {
		case 's':
			swap = optarg;
			break;
		case 't':
			limit = atoi(optarg);
			break;
		default:
			optind = argc;
		}
	}
	if (argc - optind < 2)
		die("usage: reclaim [-s SWAP] [-t SECONDS] TEST DRIVER...");
	for (i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		if (!strcmp(tests[i].name, argv[optind]))
			test = &tests[i];
	if (!test)
		die("reclaim: no test %s", argv[optind]);
	drivers = &argv[optind + 1];
	open_device(drivers[0]);
	if (pipe(ready) || pipe(go))
		die_errno("pipe");
	shmem_before = meminfo_kb("Shmem:");
	kills_before = number_in("/proc/vmstat", "oom_kill ");
	if (swap && swapon(swap, 0))
		die_errno(swap);
	reserve = meminfo_kb("MemTotal:") / 16;
	must_write("/proc/self/oom_score_adj", "-1000");

	began = seconds();
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	/* Its text must not have to be read anew while memory is short. */
	if (mlockall(MCL_CURRENT))
		die_errno("mlockall");
	if (!pid) {
		must_write("/proc/self/oom_score_adj", "0");
		setpgid(0, 0);
		catch_sigbus();
		test->run();
		fflush(stdout);
		_exit(0);
	}
	close(dev);
	while (!waitpid(pid, &status, WNOHANG)) {
		struct sysinfo info;

		/* Not /proc: that takes memory, which may be full. */
		if (sysinfo(&info))
			die_errno("sysinfo");
		if ((long)(info.freeswap * info.mem_unit / 1024) < lowest)
			lowest = info.freeswap * info.mem_unit / 1024;
		if (seconds() - began > limit) {
			/* Where they are goes to the log. */
			must_write("/proc/sysrq-trigger", "w");
			kill(-pid, SIGKILL);
			fail("%s: hangs, or takes longer than %u s", test->name, limit);
		}
		usleep(20000);
	}
	/* Those that it has left behind when it failed */
	kill(-pid, SIGKILL);
	kills = number_in("/proc/vmstat", "oom_kill ") - kills_before;
	printf("reclaim: %s: %.0f s", driver, seconds() - began);
	if (test->reserve)
		printf(", %ld KiB of swap free at least, %ld reserved", lowest, reserve);
	printf("\n");
	fflush(stdout);
	if (swap && swapoff(swap))
		die_errno("swapoff");
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		return SKIPPED;
	if (kills && test->may_kill)
		printf("reclaim: %s: %ld OOM kills\n", driver, kills);
	else if (kills)
		fail("%s: %ld OOM kills, status %#x", test->name, kills, status);
	if (status && !(kills && test->may_kill && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		fail("%s: status %#x", test->name, status);
	lost = shmem_lost_kb(shmem_before);
	if (lost > 512)
		fail("%s: %ld KiB of shmem are lost", test->name, lost);
	/* Swap-ins may use half of it, and need room for one more while they read one. */
	if (test->reserve && lowest < reserve / 2 - (long)(EACH * PAGE / 1024))
		fail("%s: %ld KiB of swap are left out of %ld", test->name, lowest, reserve);

	return 0;
}
