// SPDX-License-Identifier: GPL-2.0
/*
 * Who calls a function that leaves it to its callers to hold the pages. The
 * caller that holds nothing is reported, not the function.
 */

static int map(struct foo_device *fdev, struct foo_bo *bo)
{
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));
}

int caller_holds(struct foo_device *fdev, struct foo_bo *bo)
{
	int ret;

	ret = drm_gem_shmem_pin(&bo->base);
	if (ret)
		return ret;
	return map(fdev, bo);
}

int caller_holds_what_it_made(struct foo_device *fdev, size_t size)
{
	struct drm_gem_shmem_object *shmem;
	struct foo_bo *bo;
	int ret;

	shmem = drm_gem_shmem_create(&fdev->drm, size);
	if (IS_ERR(shmem))
		return PTR_ERR(shmem);
	bo = to_foo_bo(&shmem->base);
	ret = drm_gem_shmem_pin(shmem);
	if (ret)
		return ret;
	return map(fdev, bo);
}

int caller_holds_by_alias(struct foo_device *fdev, struct foo_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;

	if (drm_gem_shmem_pin(shmem))
		return -ENOMEM;
	return map(fdev, bo);
}

int caller_holds_native(struct foo_device *fdev, struct foo_bo *bo)
{
	int ret;

	if (!drm_gem_is_imported(&bo->base.base)) {
		ret = drm_gem_shmem_pin(&bo->base);
		if (ret)
			return ret;
	}
	return map(fdev, bo);
}

int caller_holds_nothing(struct foo_device *fdev, struct foo_bo *bo)
{
	return map(fdev, bo);	/* FOUND: calls */
}

int caller_holds_another(struct foo_device *fdev, struct foo_bo *bo, struct foo_bo *other)
{
	if (drm_gem_shmem_pin(&other->base))
		return -ENOMEM;
	return map(fdev, bo);	/* FOUND: calls */
}

int caller_dropped(struct foo_device *fdev, struct foo_bo *bo)
{
	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	fill(bo);
	drm_gem_shmem_unpin(&bo->base);
	return map(fdev, bo);	/* FOUND: calls */
}

int caller_holds_on_one_path(struct foo_device *fdev, struct foo_bo *bo, bool write)
{
	if (write) {
		if (drm_gem_shmem_pin(&bo->base))
			return -ENOMEM;
	}
	return map(fdev, bo);	/* FOUND: calls */
}

/* The argument that counts. */
static int copy(struct foo_bo *dst, struct foo_bo *src)
{
	return use(drm_gem_shmem_get_pages_sgt(&dst->base));
}

int caller_holds_src(struct foo_bo *dst, struct foo_bo *src)
{
	if (drm_gem_shmem_pin(&src->base))
		return -ENOMEM;
	return copy(dst, src);	/* FOUND: calls */
}

int caller_holds_dst(struct foo_bo *dst, struct foo_bo *src)
{
	if (drm_gem_shmem_pin(&dst->base))
		return -ENOMEM;
	return copy(dst, src);
}

/* Functions that hold the pages themselves ask nothing of their callers. */
static int hold_and_map(struct foo_bo *bo)
{
	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));
}

static int hold_native_and_map(struct foo_bo *bo)
{
	if (!drm_gem_is_imported(&bo->base.base)) {
		if (drm_gem_shmem_pin(&bo->base))
			return -ENOMEM;
	}
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));
}

int caller_need_not_hold(struct foo_bo *bo)
{
	int ret = hold_and_map(bo);

	return ret ?: hold_native_and_map(bo);
}

/* By way of a variable of the function. */
static int finish(struct drm_gem_object *obj)
{
	struct foo_bo *bo = to_foo_bo(obj);

	return use(drm_gem_shmem_get_pages_sgt(&bo->base));
}

int create(struct drm_device *drm, size_t size)
{
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(drm, size);

	if (drm_gem_shmem_pin(shmem))
		return -ENOMEM;
	return finish(&shmem->base);
}

int create_unheld(struct drm_device *drm, size_t size)
{
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(drm, size);

	return finish(&shmem->base);	/* FOUND: calls */
}

/* Imported objects need nothing. */
struct drm_gem_object *import(struct drm_device *drm, struct dma_buf_attachment *attach, struct sg_table *sgt)
{
	struct drm_gem_object *obj = drm_gem_shmem_prime_import_sg_table(drm, attach, sgt);

	if (finish(obj))
		return ERR_PTR(-ENOMEM);
	return obj;
}
