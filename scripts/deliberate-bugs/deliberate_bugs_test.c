// SPDX-License-Identifier: GPL-2.0
/*
 * One bug of each kind that a sanitizer of configs/sanitize.kunitconfig, or of
 * configs/vm-checked.config and configs/vm-kcsan.config, is there for.
 * scripts/sanitize.sh and scripts/vm-checked.sh build this into a scratch copy
 * of the tree, to see whether they would notice.
 */

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <kunit/device.h>
#include <kunit/test.h>

static void bug_warn(struct kunit *test)
{
	WARN_ON(test);
}

static void bug_kasan(struct kunit *test)
{
	u8 *p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[8], 1);
}

static DEFINE_MUTEX(bug_a);
static DEFINE_MUTEX(bug_b);

static void bug_lockdep(struct kunit *test)
{
	mutex_lock(&bug_a);
	mutex_lock(&bug_b);
	mutex_unlock(&bug_b);
	mutex_unlock(&bug_a);

	mutex_lock(&bug_b);
	mutex_lock(&bug_a);
	mutex_unlock(&bug_a);
	mutex_unlock(&bug_b);
}

static DEFINE_SPINLOCK(bug_lock);

static void bug_sleep(struct kunit *test)
{
	spin_lock(&bug_lock);
	kfree(kmalloc(64, GFP_KERNEL));
	spin_unlock(&bug_lock);
}

static void bug_dma(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "bug");

	dma_unmap_single(dev, 0x1000, 64, DMA_BIDIRECTIONAL);
}

static void bug_sg(struct kunit *test)
{
	struct scatterlist sg = {
		.page_link = SG_CHAIN,
	};

	/* A link to the next table is no entry. */
	sg_set_page(&sg, virt_to_page(test), 64, 0);
}

static void bug_list(struct kunit *test)
{
	struct list_head head, *entry = kmalloc(sizeof(*entry), GFP_KERNEL);

	INIT_LIST_HEAD(&head);
	list_add(entry, &head);
	list_del(entry);
	list_del(entry);
}

static void bug_vm(struct kunit *test)
{
	VM_WARN_ON(test);
}

static void bug_refcount(struct kunit *test)
{
	refcount_t count = REFCOUNT_INIT(1);

	refcount_dec(&count);
	refcount_dec(&count);
}

static void bug_leak(struct kunit *test)
{
	int i;

	/* Of one, the pointer may stay on some stack. */
	for (i = 0; i < 16; i++)
		KUNIT_ASSERT_NOT_NULL(test, kmalloc(64, GFP_KERNEL));
}

static int bug_counter;

static int bug_thread(void *unused)
{
	while (!kthread_should_stop()) {
		bug_counter++;
		barrier();
		cond_resched();
	}

	return 0;
}

static void bug_race(struct kunit *test)
{
	struct task_struct *threads[2];
	int i;

	for (i = 0; i < 2; i++) {
		threads[i] = kthread_run(bug_thread, NULL, "bug");
		KUNIT_ASSERT_FALSE(test, IS_ERR(threads[i]));
	}
	msleep(2000);
	for (i = 0; i < 2; i++)
		kthread_stop(threads[i]);
}

static struct kunit_case bug_cases[] = {
	KUNIT_CASE(bug_warn),
	KUNIT_CASE(bug_kasan),
	KUNIT_CASE(bug_lockdep),
	KUNIT_CASE(bug_sleep),
	KUNIT_CASE(bug_dma),
	KUNIT_CASE(bug_sg),
	KUNIT_CASE(bug_list),
	KUNIT_CASE(bug_vm),
	KUNIT_CASE(bug_refcount),
	KUNIT_CASE(bug_leak),
	KUNIT_CASE(bug_race),
	{}
};

static struct kunit_suite bug_suite = {
	.name = "deliberate_bugs",
	.test_cases = bug_cases,
};

kunit_test_suite(bug_suite);

MODULE_DESCRIPTION("Deliberate bugs, for the sanitizers to find");
MODULE_LICENSE("GPL");
