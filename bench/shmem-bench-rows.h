/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is measured, for one of the two helpers: included once for each, with
 * FN(x) naming the helper's own x, and BENCH(x) ours.
 *
 * A row returns the nanoseconds that it took, without what had to be prepared.
 */

static struct drm_gem_object *BENCH(create)(struct drm_device *drm, size_t size)
{
	struct FN(object) *shmem = FN(create)(drm, size);

	return IS_ERR(shmem) ? ERR_CAST(shmem) : &shmem->base;
}

static int BENCH(get)(struct FN(object) *shmem)
{
#if defined(BENCH_BASE) && !defined(BENCH_BASE_HAS_GET)
	/* It has no such call for drivers: this is what it would be. */
	int ret = dma_resv_lock_interruptible(shmem->base.resv, NULL);

	if (!ret) {
		ret = FN(get_pages_locked)(shmem);
		dma_resv_unlock(shmem->base.resv);
	}

	return ret;
#else
	return FN(get_pages)(shmem);
#endif
}

static void BENCH(put)(struct FN(object) *shmem)
{
#if defined(BENCH_BASE) && !defined(BENCH_BASE_HAS_GET)
	dma_resv_lock(shmem->base.resv, NULL);
	FN(put_pages_locked)(shmem);
	dma_resv_unlock(shmem->base.resv);
#else
	FN(put_pages)(shmem);
#endif
}

/* An object that is pinned and has its sgt. */
static int BENCH(hold)(struct drm_gem_object *obj)
{
	struct FN(object) *shmem = FN_TO_OBJECT(obj);
	int ret = FN(pin)(shmem);

	if (ret)
		return ret;

	return PTR_ERR_OR_ZERO(FN(get_pages_sgt)(shmem));
}

static void BENCH(drop)(struct drm_gem_object *obj)
{
	FN(unpin)(FN_TO_OBJECT(obj));
}

static u64 BENCH(sgt_again)(struct drm_gem_object *obj, unsigned long nr)
{
	struct FN(object) *shmem = FN_TO_OBJECT(obj);
	u64 start = ktime_get_ns();

	bench_calls(nr, FN(get_pages_sgt)(shmem));

	return ktime_get_ns() - start;
}

static noinline struct sg_table *BENCH(read_sgt)(struct FN(object) *shmem)
{
	barrier();

	return shmem->sgt;
}

/* The least that any call takes here, for comparison. */
static u64 BENCH(read_again)(struct drm_gem_object *obj, unsigned long nr)
{
	struct FN(object) *shmem = FN_TO_OBJECT(obj);
	u64 start = ktime_get_ns();

	bench_calls(nr, BENCH(read_sgt)(shmem));

	return ktime_get_ns() - start;
}

static u64 BENCH(pin_again)(struct drm_gem_object *obj, unsigned long nr)
{
	struct FN(object) *shmem = FN_TO_OBJECT(obj);
	u64 start = ktime_get_ns();

	while (nr--) {
		bench_check(!FN(pin)(shmem));
		FN(unpin)(shmem);
	}

	return ktime_get_ns() - start;
}

static u64 BENCH(get_again)(struct drm_gem_object *obj, unsigned long nr)
{
	struct FN(object) *shmem = FN_TO_OBJECT(obj);
	u64 start = ktime_get_ns();

	while (nr--) {
		bench_check(!BENCH(get)(shmem));
		BENCH(put)(shmem);
	}

	return ktime_get_ns() - start;
}

static u64 BENCH(vmap)(struct drm_gem_object *obj, unsigned long nr)
{
	struct FN(object) *shmem = FN_TO_OBJECT(obj);
	u64 start = ktime_get_ns();
	struct iosys_map map;

	while (nr--) {
		dma_resv_lock(obj->resv, NULL);
		bench_check(!FN(vmap_locked)(shmem, &map));
		FN(vunmap_locked)(shmem, &map);
		dma_resv_unlock(obj->resv);
	}

	return ktime_get_ns() - start;
}

/* The times of a new object: its pages allocated, its sgt made, all of it freed. */
static void BENCH(life)(struct drm_device *drm, size_t size, unsigned long nr, u64 time[3])
{
	while (nr--) {
		struct drm_gem_object *obj = BENCH(create)(drm, size);
		struct FN(object) *shmem;
		u64 start;

		bench_check(!IS_ERR(obj));
		shmem = FN_TO_OBJECT(obj);

		start = ktime_get_ns();
		bench_check(!FN(pin)(shmem));
		time[0] += ktime_get_ns() - start;

		start = ktime_get_ns();
		bench_check(!IS_ERR(FN(get_pages_sgt)(shmem)));
		time[1] += ktime_get_ns() - start;

		start = ktime_get_ns();
		FN(unpin)(shmem);
		drm_gem_object_put(obj);
		flush_delayed_fput();
		time[2] += ktime_get_ns() - start;
	}
}

static u64 BENCH(purge)(struct drm_device *drm, size_t size, unsigned long nr)
{
	u64 start, time = 0;

	while (nr--) {
		struct drm_gem_object *obj = BENCH(create)(drm, size);
		struct FN(object) *shmem;

		bench_check(!IS_ERR(obj));
		shmem = FN_TO_OBJECT(obj);

#if defined(BENCH_BASE) && !defined(BENCH_BASE_HAS_GET)
		/* The sgt holds the pages there. */
		bench_check(!IS_ERR(FN(get_pages_sgt)(shmem)));
		dma_resv_lock(obj->resv, NULL);
#else
		dma_resv_lock(obj->resv, NULL);
		bench_check(!FN(get_pages_locked)(shmem));
		bench_check(!IS_ERR(FN(get_pages_sgt_locked)(shmem)));
#endif
		bench_check(FN(madvise_locked)(shmem, 1));
		start = ktime_get_ns();
		FN(purge_locked)(shmem);
		time += ktime_get_ns() - start;
		bench_check(shmem->madv < 0);
#if !defined(BENCH_BASE) || defined(BENCH_BASE_HAS_GET)
		FN(put_pages_locked)(shmem);
#endif
		dma_resv_unlock(obj->resv);

		drm_gem_object_put(obj);
	}

	return time;
}

static const struct bench_helper BENCH(helper) = {
	.name = BENCH_NAME,
	.create = BENCH(create),
	.hold = BENCH(hold),
	.drop = BENCH(drop),
	.sgt_again = BENCH(sgt_again),
	.read_again = BENCH(read_again),
	.pin_again = BENCH(pin_again),
	.get_again = BENCH(get_again),
	.vmap = BENCH(vmap),
	.life = BENCH(life),
	.purge = BENCH(purge),
};
