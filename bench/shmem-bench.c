// SPDX-License-Identifier: GPL-2.0
/*
 * Measures the GEM shmem helper of the tree against that of the base, which
 * bench/install.sh put into the same kernel under other names (base_gem_shmem_
 * for drm_gem_shmem_). The two take turns, in the order A B B A, so that what
 * else the machine does hits both.
 *
 * Prints a line for each turn:
 *
 *	bench: row|threads|helper|nanoseconds|operations
 *
 * With several threads, the nanoseconds are those of all CPUs that took part.
 */

#include <linux/anon_inodes.h>
#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/iosys-map.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_context.h>
#include <linux/moduleparam.h>
#include <linux/platform_device.h>
#include <linux/reboot.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/unroll.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_vma_manager.h>
#include <drm/base_gem_shmem_helper.h>

/* Whatever the file is called. */
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX	"bench."

/* Nothing here may fail; what was measured after that would be worth nothing. */
#define bench_check(cond) do {							\
	if (unlikely(!(cond)))							\
		panic("bench: failed: %s", #cond);				\
} while (0)

/* As many at a time: what is measured takes no longer than a loop. */
#define BENCH_BATCH	8
#define bench_calls(nr, call) do {						\
	for (unsigned long __nr = (nr); __nr; __nr -= BENCH_BATCH) {		\
		unrolled_count(BENCH_BATCH)					\
		for (unsigned int __i = 0; __i < BENCH_BATCH; __i++)		\
			bench_check(!IS_ERR(call));				\
	}									\
} while (0)

struct bench_helper {
	const char *name;
	struct drm_gem_object *(*create)(struct drm_device *drm, size_t size);
	int (*hold)(struct drm_gem_object *obj);
	void (*drop)(struct drm_gem_object *obj);
	u64 (*sgt_again)(struct drm_gem_object *obj, unsigned long nr);
	u64 (*read_again)(struct drm_gem_object *obj, unsigned long nr);
	u64 (*pin_again)(struct drm_gem_object *obj, unsigned long nr);
	u64 (*get_again)(struct drm_gem_object *obj, unsigned long nr);
	u64 (*vmap)(struct drm_gem_object *obj, unsigned long nr);
	void (*life)(struct drm_device *drm, size_t size, unsigned long nr, u64 time[3]);
	u64 (*purge)(struct drm_device *drm, size_t size, unsigned long nr);
};

#define BENCH_NAME	"ours"
#define BENCH(x)	ours_##x
#define FN(x)		drm_gem_shmem_##x
#define FN_TO_OBJECT(o)	to_drm_gem_shmem_obj(o)
#include "shmem-bench-rows.h"
#undef BENCH_NAME
#undef BENCH
#undef FN
#undef FN_TO_OBJECT

/* Static in the base; bench.sh makes it known. */
int base_gem_shmem_get_pages_locked(struct base_gem_shmem_object *shmem);

#define BENCH_BASE
#define BENCH_NAME	"base"
#define BENCH(x)	base_##x
#define FN(x)		base_gem_shmem_##x
#define FN_TO_OBJECT(o)	to_base_gem_shmem_obj(o)
#include "shmem-bench-rows.h"

static const struct bench_helper *const abba[] = {
	&ours_helper, &base_helper, &base_helper, &ours_helper,
};

/* "bench.rounds=N" on the command line: so many times A B B A for each row */
static int rounds = 10;
module_param(rounds, int, 0444);
/* "bench.scale=N": so many times the operations in each turn */
static int scale = 1;
module_param(scale, int, 0444);

static void bench_print(const char *row, unsigned int threads, const struct bench_helper *helper,
			u64 time, unsigned long nr)
{
	pr_info("bench: %s|%u|%s|%llu|%lu\n", row, threads, helper->name, time, nr);
}

/* The first round warms up. */
#define for_each_turn(helper, round, turn)					\
	for (round = -1; round < rounds; round++)				\
		for (turn = 0; turn < 4 && (helper = abba[turn]); turn++)

struct bench_thread {
	struct drm_gem_object *obj;
	u64 (*row)(struct drm_gem_object *obj, unsigned long nr);
	unsigned long nr;
	atomic_t *waiting;
	struct completion *start;
	struct completion done;
};

static int bench_thread(void *data)
{
	struct bench_thread *thread = data;

	atomic_dec(thread->waiting);
	wait_for_completion(thread->start);
	thread->row(thread->obj, thread->nr);
	kthread_complete_and_exit(&thread->done, 0);
}

static u64 bench_threads(struct drm_gem_object *obj, unsigned int nr_threads,
			 u64 (*row)(struct drm_gem_object *obj, unsigned long nr),
			 unsigned long nr)
{
	static struct bench_thread threads[4];
	DECLARE_COMPLETION_ONSTACK(go);
	atomic_t waiting = ATOMIC_INIT(nr_threads);
	unsigned int i;
	u64 start;

	if (nr_threads == 1)
		return row(obj, nr);

	for (i = 0; i < nr_threads; i++) {
		threads[i] = (struct bench_thread) {
			.obj = obj, .row = row, .nr = nr, .waiting = &waiting, .start = &go,
		};
		init_completion(&threads[i].done);
		bench_check(!IS_ERR(kthread_run(bench_thread, &threads[i], "bench-%u", i)));
	}
	while (atomic_read(&waiting))
		schedule_timeout_uninterruptible(1);

	start = ktime_get_ns();
	complete_all(&go);
	for (i = 0; i < nr_threads; i++)
		wait_for_completion(&threads[i].done);

	return (ktime_get_ns() - start) * min(nr_threads, num_online_cpus());
}

/* Rows on an object that is there, held or not */
static void bench_object(struct drm_device *drm, const char *name, size_t row, bool held,
			 size_t size, unsigned long nr, unsigned int threads)
{
	const struct bench_helper *helper;
	struct drm_gem_object *obj;
	int round, turn;
	u64 time;

	nr *= scale;
	for_each_turn(helper, round, turn) {
		obj = helper->create(drm, size);
		bench_check(!IS_ERR(obj));
		if (held) {
			bench_check(!helper->hold(obj));
		} else {
			/* The pages are in the page cache from now on. */
			helper->pin_again(obj, 1);
		}

		time = bench_threads(obj, threads, *(void **)((void *)helper + row), nr);
		if (round >= 0)
			bench_print(name, threads, helper, time, nr * threads);

		if (held)
			helper->drop(obj);
		drm_gem_object_put(obj);
		flush_delayed_fput();
	}
}

#define BENCH_ROW(row)	offsetof(struct bench_helper, row)

/* The bytes of the size, in a form that sorts */
static const char *bench_size(size_t size)
{
	static char text[24];

	if (size < SZ_1M)
		snprintf(text, sizeof(text), "%zu KiB", size / SZ_1K);
	else
		snprintf(text, sizeof(text), "%zu MiB", size / SZ_1M);

	return text;
}

static const size_t sizes[] = { SZ_4K, SZ_64K, SZ_1M, SZ_16M, SZ_64M };

static unsigned long bench_times(size_t size)
{
	return scale * clamp(SZ_4M / size, 1UL, 64UL);
}

static void bench_lives(struct drm_device *drm)
{
	static const char *const phases[] = { "populate", "sgt of new", "free" };
	const struct bench_helper *helper;
	unsigned int i, phase;
	int round, turn;
	char name[64];

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned long nr = bench_times(sizes[i]);

		for_each_turn(helper, round, turn) {
			u64 time[3] = {};

			helper->life(drm, sizes[i], nr, time);
			for (phase = 0; phase < 3 && round >= 0; phase++) {
				snprintf(name, sizeof(name), "%s %s", phases[phase],
					 bench_size(sizes[i]));
				bench_print(name, 1, helper, time[phase], nr);
			}
		}
	}
}

static void bench_purge(struct drm_device *drm, size_t size)
{
	const struct bench_helper *helper;
	unsigned long nr = bench_times(size);
	int round, turn;
	char name[64];

	snprintf(name, sizeof(name), "purge %s", bench_size(size));
	for_each_turn(helper, round, turn) {
		u64 time = helper->purge(drm, size, nr);

		if (round >= 0)
			bench_print(name, 1, helper, time, nr);
		flush_delayed_fput();
	}
}

static int bench_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct drm_gem_object *obj = file->private_data;

	return drm_gem_mmap_obj(obj, obj->size, vma);
}

static const struct file_operations bench_fops = {
	.mmap = bench_mmap,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

/* An access to each page of a mapping */
static u64 bench_walk(unsigned long addr, size_t size, bool write)
{
	u64 time = ktime_get_ns();
	unsigned long off;
	char val;

	for (off = 0; off < size; off += PAGE_SIZE) {
		char __user *p = (char __user *)(addr + off);

		bench_check(!(write ? put_user(1, p) : get_user(val, p)) && (write || !val));
	}

	return ktime_get_ns() - time;
}

/* A fault is what the first access takes longer than the second one. */
static void bench_fault(struct drm_device *drm, size_t size, bool write)
{
	static const char * const rows[] = { "first access", "mapped", "fault" };
	const struct bench_helper *helper;
	int round, turn, i;
	char name[64];

	for_each_turn(helper, round, turn) {
		struct drm_gem_object *obj = helper->create(drm, size);
		unsigned long addr;
		struct file *file;
		u64 times[3];

		bench_check(!IS_ERR(obj));
		bench_check(!helper->hold(obj));
		file = anon_inode_getfile("[bench]", &bench_fops, obj, O_RDWR);
		bench_check(!IS_ERR(file));
		addr = vm_mmap(file, SZ_1G, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			       drm_vma_node_offset_addr(&obj->vma_node));
		bench_check(!IS_ERR_VALUE(addr));
		fput(file);

		times[0] = bench_walk(addr, size, write);
		times[1] = bench_walk(addr, size, write);
		times[2] = times[0] - min(times[0], times[1]);
		for (i = 0; round >= 0 && i < ARRAY_SIZE(rows); i++) {
			snprintf(name, sizeof(name), "%s, %s, %s", rows[i],
				 write ? "write" : "read", bench_size(size));
			bench_print(name, 1, helper, times[i], size >> PAGE_SHIFT);
		}

		vm_munmap(addr, size);
		helper->drop(obj);
		drm_gem_object_put(obj);
		flush_delayed_fput();
	}
}

static void bench_use_mm(void)
{
	struct mm_struct *mm = mm_alloc();

	bench_check(mm);
	mm->task_size = TASK_SIZE;
	arch_pick_mmap_layout(mm, &current->signal->rlim[RLIMIT_STACK]);
	kthread_use_mm(mm);
}

DEFINE_DRM_GEM_FOPS(bench_drm_fops);

static const struct drm_driver bench_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &bench_drm_fops,
};

static struct drm_device *bench_device(void)
{
	struct platform_device *pdev = platform_device_register_simple("bench", -1, NULL, 0);
	struct drm_device *drm;

	bench_check(!IS_ERR(pdev));
	bench_check(!dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64)));
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	drm = drm_dev_alloc(&bench_driver, &pdev->dev);
	bench_check(!IS_ERR(drm));

	return drm;
}

static int bench(void *done)
{
	struct drm_device *drm = bench_device();
	unsigned int threads;

	bench_use_mm();
	pr_info("bench: cpus=%u\n", num_online_cpus());

	for (threads = 1; threads <= 4; threads *= 2)
		bench_object(drm, "sgt again", BENCH_ROW(sgt_again), true, SZ_1M, 200000, threads);
	for (threads = 1; threads <= 4; threads *= 2)
		bench_object(drm, "read sgt", BENCH_ROW(read_again), true, SZ_1M, 200000, threads);
	for (threads = 1; threads <= 4; threads *= 2)
		bench_object(drm, "pin, unpin, pinned", BENCH_ROW(pin_again), true, SZ_1M, 20000,
			     threads);
	for (threads = 1; threads <= 4; threads *= 2)
		bench_object(drm, "get, put, held", BENCH_ROW(get_again), true, SZ_1M, 20000,
			     threads);
	bench_object(drm, "pin, unpin, 0-1-0, 64 KiB", BENCH_ROW(pin_again), false, SZ_64K, 500, 1);
	bench_object(drm, "get, put, 0-1-0, 64 KiB", BENCH_ROW(get_again), false, SZ_64K, 500, 1);
	bench_object(drm, "vmap, vunmap, 1 MiB", BENCH_ROW(vmap), true, SZ_1M, 100, 1);

	bench_fault(drm, SZ_4M, false);
	bench_fault(drm, SZ_4M, true);
	bench_purge(drm, SZ_1M);
	bench_lives(drm);

	pr_info("bench: done\n");

	kthread_complete_and_exit(done, 0);
}

/*
 * "bench.run=1" on the command line has it run at the end of the boot, and the
 * machine off after that. Written to later, it runs at once. Either way in a
 * thread of its own, with memory of its own for user mappings.
 */
static bool run;

static void bench_in_thread(void)
{
	DECLARE_COMPLETION_ONSTACK(done);

	bench_check(!IS_ERR(kthread_run(bench, &done, "bench")));
	wait_for_completion(&done);
}

static int bench_run(const char *val, const struct kernel_param *kp)
{
	int ret = param_set_bool(val, kp);

	if (!ret && run && system_state == SYSTEM_RUNNING)
		bench_in_thread();

	return ret;
}

static const struct kernel_param_ops bench_run_ops = {
	.set = bench_run,
	.get = param_get_bool,
};
module_param_cb(run, &bench_run_ops, &run, 0644);

static int __init bench_init(void)
{
	if (run) {
		bench_in_thread();
		kernel_power_off();
	}

	return 0;
}
late_initcall(bench_init);
