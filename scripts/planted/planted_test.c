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

static void planted_warn(struct kunit *test)
{
	WARN_ON(test);
}

static void planted_kasan(struct kunit *test)
{
	u8 *p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[8], 1);
}

static DEFINE_MUTEX(planted_a);
static DEFINE_MUTEX(planted_b);

static void planted_lockdep(struct kunit *test)
{
	mutex_lock(&planted_a);
	mutex_lock(&planted_b);
	mutex_unlock(&planted_b);
	mutex_unlock(&planted_a);

	mutex_lock(&planted_b);
	mutex_lock(&planted_a);
	mutex_unlock(&planted_a);
	mutex_unlock(&planted_b);
}

static DEFINE_SPINLOCK(planted_lock);

static void planted_sleep(struct kunit *test)
{
	spin_lock(&planted_lock);
	kfree(kmalloc(64, GFP_KERNEL));
	spin_unlock(&planted_lock);
}

static void planted_dma(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "planted");

	dma_unmap_single(dev, 0x1000, 64, DMA_BIDIRECTIONAL);
}

static void planted_sg(struct kunit *test)
{
	struct scatterlist sg = {
		.page_link = SG_CHAIN,
	};

	/* A link to the next table is no entry. */
	sg_set_page(&sg, virt_to_page(test), 64, 0);
}

static void planted_list(struct kunit *test)
{
	struct list_head head, *entry = kmalloc(sizeof(*entry), GFP_KERNEL);

	INIT_LIST_HEAD(&head);
	list_add(entry, &head);
	list_del(entry);
	list_del(entry);
}

static void planted_vm(struct kunit *test)
{
	VM_WARN_ON(test);
}

static void planted_refcount(struct kunit *test)
{
	refcount_t count = REFCOUNT_INIT(1);

	refcount_dec(&count);
	refcount_dec(&count);
}

static void planted_leak(struct kunit *test)
{
	int i;

	/* Of one, the pointer may stay on some stack. */
	for (i = 0; i < 16; i++)
		KUNIT_ASSERT_NOT_NULL(test, kmalloc(64, GFP_KERNEL));
}

static int planted_counter;

static int planted_thread(void *unused)
{
	while (!kthread_should_stop()) {
		planted_counter++;
		barrier();
		cond_resched();
	}

	return 0;
}

static void planted_race(struct kunit *test)
{
	struct task_struct *threads[2];
	int i;

	for (i = 0; i < 2; i++) {
		threads[i] = kthread_run(planted_thread, NULL, "planted");
		KUNIT_ASSERT_FALSE(test, IS_ERR(threads[i]));
	}
	msleep(2000);
	for (i = 0; i < 2; i++)
		kthread_stop(threads[i]);
}

static struct kunit_case planted_cases[] = {
	KUNIT_CASE(planted_warn),
	KUNIT_CASE(planted_kasan),
	KUNIT_CASE(planted_lockdep),
	KUNIT_CASE(planted_sleep),
	KUNIT_CASE(planted_dma),
	KUNIT_CASE(planted_sg),
	KUNIT_CASE(planted_list),
	KUNIT_CASE(planted_vm),
	KUNIT_CASE(planted_refcount),
	KUNIT_CASE(planted_leak),
	KUNIT_CASE(planted_race),
	{}
};

static struct kunit_suite planted_suite = {
	.name = "planted",
	.test_cases = planted_cases,
};

kunit_test_suite(planted_suite);

MODULE_DESCRIPTION("Planted bugs");
MODULE_LICENSE("GPL");
